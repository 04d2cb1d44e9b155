//! One connection through the proxy.

use std::{io, ops::ControlFlow, sync::Arc, sync::atomic::Ordering, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::watch,
    time::{Instant, sleep, timeout_at},
};

use super::{
    canary::Watch,
    ear::Ear,
    proxy::{NetFault, Shared, Side, Weather},
};

/// The beginning of a TLS record with an alert in it.
const TLS: &[u8] = &[0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28];
/// How slowly an answer drips, and for how long at most.
const DROP: Duration = Duration::from_millis(100);
const DRIPPING: Duration = Duration::from_secs(6);
/// Longest wait for the answer that is to be lost.
const LOST_WITHIN: Duration = Duration::from_secs(5);

/// A client and the server behind the proxy.
pub(super) struct Link {
    client: TcpStream,
    server: TcpStream,
    shared: Arc<Shared>,
    watch: Option<Watch>,
    ear: Option<Ear>,
    /// How much later the next answer is to come.
    delay: Option<Duration>,
    /// A question went through and nothing of an answer came back yet.
    is_pending: bool,
}

/// How a step ends: with the connection or not.
type Flow = ControlFlow<()>;

impl Link {
    /// Carries data until somebody or something ends it.
    pub(super) async fn carry(client: TcpStream, shared: Arc<Shared>) {
        let Ok(server) = TcpStream::connect(&shared.upstream).await else {
            drop(client.set_zero_linger());
            return;
        };
        drop((client.set_nodelay(true), server.set_nodelay(true)));
        let watch = shared.unsaid.clone().map(Watch::new);
        let ear = shared.unsaid.as_ref().map(|_| Ear::default());
        let mut link = Self { client, server, shared, watch, ear, delay: None, is_pending: false };
        link.run().await;
        if link.is_pending {
            link.doubt();
        }
    }

    async fn run(&mut self) {
        let mut weather = self.shared.weather.subscribe();
        weather.mark_changed();
        let (mut question, mut answer) = (vec![0; 16 * 1024], vec![0; 16 * 1024]);
        loop {
            let flow = tokio::select! {
                biased;
                _ = weather.changed() => {
                    let now = *weather.borrow_and_update();
                    self.meet(now, &mut weather).await
                }
                read = self.client.read(&mut question) => match read {
                    Ok(0) | Err(_) => Flow::Break(()),
                    Ok(count) => self.asked(&question[..count]).await,
                },
                read = self.server.read(&mut answer) => match read {
                    Ok(0) | Err(_) => Flow::Break(()),
                    Ok(count) => self.answered(&answer[..count]).await,
                },
            };
            if flow.is_break() {
                return;
            }
        }
    }

    async fn meet(&mut self, now: Weather, weather: &mut watch::Receiver<Weather>) -> Flow {
        match now {
            Weather::Fine => return Flow::Continue(()),
            Weather::Refusing => {}
            Weather::Partitioned => {
                let over = async { drop(weather.wait_for(|now| *now == Weather::Fine).await) };
                self.swallow(over).await;
            }
        }
        self.reset()
    }

    async fn asked(&mut self, bytes: &[u8]) -> Flow {
        if let Some(watch) = &mut self.watch {
            self.shared.leaks.fetch_add(watch.sees(bytes), Ordering::Relaxed);
        }
        let words = self.ear.as_mut().map(|ear| ear.hears(bytes)).unwrap_or_default();
        match self.shared.next_for(&words) {
            Some(NetFault::ResetRequest) => {
                self.swallowed();
                self.reset()
            }
            Some(NetFault::LostAnswer) => {
                let end = Instant::now() + LOST_WITHIN;
                self.shared.hear(words);
                let sent = self.server.write_all(bytes).await;
                if sent.is_ok() {
                    drop(timeout_at(end, self.server.readable()).await);
                }
                self.is_pending = true;
                self.reset()
            }
            Some(NetFault::Blackhole(time)) => {
                self.swallowed();
                self.swallow(sleep(time)).await;
                self.reset()
            }
            fault => {
                if let Some(NetFault::Latency(time)) = fault {
                    self.delay = Some(time);
                }
                self.shared.hear(words);
                self.is_pending = true;
                went(&self.server.write_all(bytes).await)
            }
        }
    }

    async fn answered(&mut self, bytes: &[u8]) -> Flow {
        self.is_pending = false;
        if let Some(time) = self.delay.take() {
            sleep(time).await;
        }
        match self.shared.next(Side::Answer) {
            Some(NetFault::Latency(time)) => {
                sleep(time).await;
                went(&self.client.write_all(bytes).await)
            }
            Some(NetFault::Truncated) => {
                self.doubt();
                drop(self.client.write_all(&bytes[..bytes.len() / 2]).await);
                Flow::Break(())
            }
            Some(NetFault::Drip) => {
                self.doubt();
                self.drip(bytes).await;
                self.reset()
            }
            Some(NetFault::Garbage) => {
                self.doubt();
                drop(self.client.write_all(TLS).await);
                Flow::Break(())
            }
            _ => went(&self.client.write_all(bytes).await),
        }
    }

    async fn drip(&mut self, bytes: &[u8]) {
        let end = Instant::now() + DRIPPING;
        for byte in bytes {
            sleep(DROP).await;
            if Instant::now() > end || self.client.write_all(&[*byte]).await.is_err() {
                return;
            }
        }
    }

    /// Takes everything and passes nothing on until it is over.
    async fn swallow(&mut self, over: impl Future<Output = ()>) {
        tokio::pin!(over);
        let (mut question, mut answer) = (vec![0; 16 * 1024], vec![0; 16 * 1024]);
        let mut heard = self.is_pending;
        loop {
            let (read, is_question) = tokio::select! {
                () = &mut over => return,
                read = self.client.read(&mut question) => (read, true),
                read = self.server.read(&mut answer) => (read, false),
            };
            match read {
                // Whose end has gone is not told to the other one either.
                Ok(0) | Err(_) => return over.await,
                Ok(_) if is_question && !heard => {
                    heard = true;
                    self.swallowed();
                }
                Ok(_) => {}
            }
        }
    }

    fn swallowed(&self) {
        self.shared.swallowed.fetch_add(1, Ordering::Relaxed);
        self.doubt();
    }

    fn doubt(&self) {
        self.shared.doubts.fetch_add(1, Ordering::Relaxed);
    }

    fn reset(&mut self) -> Flow {
        drop(self.client.set_zero_linger());
        Flow::Break(())
    }
}

fn went(written: &io::Result<()>) -> Flow {
    if written.is_ok() { Flow::Continue(()) } else { Flow::Break(()) }
}
