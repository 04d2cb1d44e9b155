//! Senders that never come to an end: half a head, or half a body, and a byte now and then.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::AbortHandle,
};

use crate::stage::AUTHORIZATION;

/// Pause between two bytes.
const PAUSE: Duration = Duration::from_secs(1);

/// Slow senders. They go away when dropped.
pub(crate) struct SlowSenders {
    trickling: Vec<AbortHandle>,
}

impl SlowSenders {
    /// So many, all connected; every other one is known and has promised a body.
    pub(crate) async fn connect(to: SocketAddr, count: usize) -> Self {
        let mut trickling = Vec::new();
        for number in 0..count {
            let mut stream = TcpStream::connect(to).await.unwrap();
            stream.write_all(beginning(number).as_bytes()).await.unwrap();
            trickling.push(tokio::spawn(trickle(stream)).abort_handle());
        }
        Self { trickling }
    }

    /// Those that the endpoint has not cut off.
    pub(crate) fn connected(&self) -> usize {
        self.trickling.iter().filter(|task| !task.is_finished()).count()
    }
}

impl Drop for SlowSenders {
    fn drop(&mut self) {
        self.trickling.iter().for_each(AbortHandle::abort);
    }
}

fn beginning(number: usize) -> String {
    let head = "POST /v2/messages/publication HTTP/1.1\r\nHost: localhost\r\n";
    if number.is_multiple_of(2) {
        return format!("{head}X-Slow: ");
    }
    format!("{head}Authorization: {AUTHORIZATION}\r\nContent-Length: 1000\r\n\r\n{{")
}

/// A byte at a time, until the other side has enough.
async fn trickle(mut stream: TcpStream) {
    let mut answer = [0; 512];
    loop {
        tokio::select! {
            read = stream.read(&mut answer) => if !read.is_ok_and(|read| read > 0) { return },
            () = tokio::time::sleep(PAUSE) => if stream.write_all(b" ").await.is_err() { return },
        }
    }
}
