//! A caller with one connection that stays open, as ServiceNow keeps its own.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A caller.
pub(crate) struct Caller {
    stream: TcpStream,
    read: Vec<u8>,
}

/// A POST of JSON.
pub(crate) struct Post<'p> {
    pub(crate) path: &'p str,
    pub(crate) authorization: Option<&'p str>,
    pub(crate) key: Option<String>,
    pub(crate) body: String,
}

impl Caller {
    pub(crate) async fn connect(to: SocketAddr) -> Self {
        let stream = TcpStream::connect(to).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, read: Vec::with_capacity(1024) }
    }

    /// Sends, reads the whole answer, and returns its status.
    pub(crate) async fn send(&mut self, post: &Post<'_>) -> u16 {
        let bytes = bytes(post);
        self.stream.write_all(bytes.as_bytes()).await.unwrap();
        self.read.clear();
        loop {
            assert!(self.stream.read_buf(&mut self.read).await.unwrap() > 0, "cut off");
            if let Some(status) = answered(&self.read) {
                return status;
            }
        }
    }
}

fn bytes(post: &Post<'_>) -> String {
    let header = |name: &str, value: Option<&str>| {
        value.map_or_else(String::new, |value| format!("{name}: {value}\r\n"))
    };
    format!(
        "POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         {}{}Content-Length: {}\r\n\r\n{}",
        post.path,
        header("Authorization", post.authorization),
        header("Idempotency-Key", post.key.as_deref()),
        post.body.len(),
        post.body,
    )
}

/// The status of an answer, once it is there with its body.
fn answered(read: &[u8]) -> Option<u16> {
    let end = read.windows(4).position(|bytes| bytes == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&read[..end]).unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("content-length").then(|| value.parse::<usize>().unwrap())
    });
    (read.len() >= end + length.unwrap_or_default()).then_some(status)
}
