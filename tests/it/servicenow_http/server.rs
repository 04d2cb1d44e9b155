//! A server that answers byte by byte as a test says, and counts what it meets.

use std::{
    io::Write as _,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
    sync::Notify,
};
use tokio_rustls::TlsAcceptor;

/// A request as it came.
#[derive(Clone, Debug)]
pub(super) struct Received {
    /// Request line and headers.
    pub(super) head: String,
    pub(super) body: String,
}

impl Received {
    pub(super) fn target(&self) -> &str {
        self.head.split(' ').nth(1).unwrap()
    }

    /// The one value of a header.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        let values: Vec<_> =
            lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, v)| v).collect();
        assert!(values.len() <= 1, "{name}: {values:?}");
        values.first().copied()
    }
}

/// What the server does about a request.
pub(super) enum Step {
    Send(Vec<u8>),
    Wait(Arc<Notify>),
    /// Sends the byte every few milliseconds until the client has enough.
    Drip(u8),
    /// Sends the bytes again and again until the client has enough.
    Flood(Vec<u8>),
    Close,
}

#[derive(Default)]
struct Seen {
    requests: Mutex<Vec<Received>>,
    connections: AtomicUsize,
    open: AtomicUsize,
    most_open: AtomicUsize,
    flooded: AtomicUsize,
}

#[derive(Clone)]
pub(super) struct Server {
    pub(super) port: u16,
    seen: Arc<Seen>,
}

impl Server {
    pub(super) async fn start(
        answer: impl Fn(&Received) -> Vec<Step> + Send + Sync + 'static,
    ) -> Self {
        Self::start_with(None, answer).await
    }

    pub(super) async fn start_with(
        tls: Option<TlsAcceptor>,
        answer: impl Fn(&Received) -> Vec<Step> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server =
            Self { port: listener.local_addr().unwrap().port(), seen: Arc::new(Seen::default()) };
        let (seen, answer) = (Arc::clone(&server.seen), Arc::new(answer));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                seen.connections.fetch_add(1, Ordering::SeqCst);
                let open = seen.open.fetch_add(1, Ordering::SeqCst) + 1;
                seen.most_open.fetch_max(open, Ordering::SeqCst);
                let (seen, answer, tls) = (Arc::clone(&seen), Arc::clone(&answer), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, &seen, &*answer).await,
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => serve(stream, &seen, &*answer).await,
                            Err(_) => None,
                        },
                    };
                    seen.open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        server
    }

    pub(super) fn requests(&self) -> Vec<Received> {
        self.seen.requests.lock().unwrap().clone()
    }

    pub(super) fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }

    pub(super) fn open(&self) -> usize {
        self.seen.open.load(Ordering::SeqCst)
    }

    /// How many bytes of floods have left.
    pub(super) fn flooded(&self) -> usize {
        self.seen.flooded.load(Ordering::SeqCst)
    }

    pub(super) fn most_open(&self) -> usize {
        self.seen.most_open.load(Ordering::SeqCst)
    }
}

/// Serves one connection until either side closes it.
async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    seen: &Seen,
    answer: &(impl Fn(&Received) -> Vec<Step> + ?Sized),
) -> Option<()> {
    let mut buffer = Vec::new();
    loop {
        let received = receive(&mut stream, &mut buffer).await?;
        seen.requests.lock().unwrap().push(received.clone());
        for step in answer(&received) {
            match step {
                Step::Send(bytes) => stream.write_all(&bytes).await.ok()?,
                Step::Wait(notify) => notify.notified().await,
                Step::Drip(byte) => {
                    let mut pace = tokio::time::interval(std::time::Duration::from_millis(5));
                    loop {
                        pace.tick().await;
                        stream.write_all(&[byte]).await.ok()?;
                    }
                }
                Step::Flood(bytes) => loop {
                    stream.write_all(&bytes).await.ok()?;
                    seen.flooded.fetch_add(bytes.len(), Ordering::SeqCst);
                },
                Step::Close => {
                    stream.shutdown().await.ok()?;
                    return None;
                }
            }
        }
    }
}

async fn receive(stream: &mut (impl AsyncRead + Unpin), buffer: &mut Vec<u8>) -> Option<Received> {
    loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8(buffer[..end].to_vec()).unwrap();
            let mut received = Received { head, body: String::new() };
            let length = received.header("content-length").map_or(0, |v| v.parse().unwrap());
            if buffer.len() >= end + 4 + length {
                received.body =
                    String::from_utf8(buffer[end + 4..end + 4 + length].to_vec()).unwrap();
                buffer.drain(..end + 4 + length);
                return Some(received);
            }
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
}

/// A complete answer; `head` may add header lines, each with its line end.
pub(super) fn answer(status: &str, head: &str, body: impl AsRef<[u8]>) -> Vec<Step> {
    let body = body.as_ref();
    let mut bytes =
        format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{head}\r\n", body.len()).into_bytes();
    bytes.extend_from_slice(body);
    vec![Step::Send(bytes)]
}

pub(super) fn json(status: &str, body: &str) -> Vec<Step> {
    answer(status, "content-type: application/json;charset=UTF-8\r\n", body)
}

pub(super) fn send(text: &str) -> Step {
    Step::Send(text.as_bytes().to_vec())
}

pub(super) fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}
