//! A client that sends what it is told, byte for byte, and reads one answer.

use std::{fmt::Write, net::SocketAddr, time::Duration};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Longest wait for an answer.
const LIMIT: Duration = Duration::from_secs(20);

/// A request, before it is written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    /// The body as JSON; null when there is none.
    pub(crate) body: Value,
}

impl Request {
    pub(crate) fn new(method: &str, path: &str) -> Self {
        Self { method: method.to_owned(), path: path.to_owned(), ..Self::default() }
    }

    /// A POST of JSON.
    pub(crate) fn post(path: &str, body: &Value) -> Self {
        let mut request = Self::new("POST", path).header("content-type", "application/json");
        request.body = body.to_string().into_bytes();
        request
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
    }

    fn bytes(&self) -> Vec<u8> {
        let mut text = format!("{} {} HTTP/1.1\r\nhost: localhost\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            write!(text, "{name}: {value}\r\n").unwrap();
        }
        if !self.has("content-length") && !self.has("transfer-encoding") && self.method == "POST" {
            write!(text, "content-length: {}\r\n", self.body.len()).unwrap();
        }
        text.push_str("connection: close\r\n\r\n");
        [text.as_bytes(), &self.body].concat()
    }

    pub(crate) async fn send(&self, to: SocketAddr) -> Reply {
        send_raw(to, &self.bytes()).await
    }

    /// Sends it to somebody who may be gone, or go before the answer.
    pub(crate) async fn try_send(&self, to: SocketAddr) -> Option<Reply> {
        let mut stream = TcpStream::connect(to).await.ok()?;
        stream.write_all(&self.bytes()).await.ok()?;
        let mut bytes = Vec::new();
        tokio::time::timeout(LIMIT, stream.read_to_end(&mut bytes)).await.ok()?.ok()?;
        (!bytes.is_empty()).then(|| Reply::parse(&bytes))
    }
}

/// Sends bytes and reads the answer to its end.
pub(crate) async fn send_raw(to: SocketAddr, bytes: &[u8]) -> Reply {
    let mut stream = TcpStream::connect(to).await.unwrap();
    // Whoever refuses early may close before everything is written.
    let _written = stream.write_all(bytes).await;
    read(&mut stream).await
}

/// Reads one answer to the end of the connection.
pub(crate) async fn read(stream: &mut TcpStream) -> Reply {
    let mut bytes = Vec::new();
    let reading = tokio::time::timeout(LIMIT, stream.read_to_end(&mut bytes));
    // A reset after the answer is no matter.
    let _ended = reading.await.expect("an answer in time");
    Reply::parse(&bytes)
}

impl Reply {
    fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let mut lines = head.lines();
        let first = lines.next().unwrap_or_default();
        let status = first.split(' ').nth(1).and_then(|status| status.parse().ok());
        let headers = lines.filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        });
        Self {
            status: status.unwrap_or_else(|| panic!("no status in: {text}")),
            headers: headers.collect(),
            body: serde_json::from_str(body).unwrap_or(Value::Null),
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn detail(&self) -> &str {
        self.body["detail"].as_str().unwrap_or_default()
    }

    pub(crate) fn title(&self) -> &str {
        self.body["title"].as_str().unwrap_or_default()
    }

    /// A key of the engine in the body: text, of partition 1.
    #[track_caller]
    pub(crate) fn engine_key(&self, field: &str) -> i64 {
        let key = self.body[field].as_str().and_then(|text| text.parse::<i64>().ok());
        let key = key.unwrap_or_else(|| panic!("no key '{field}' in {self:?}"));
        assert_eq!(key >> 51, 1, "{self:?}");
        key
    }

    /// Fails with the answer unless the status is this one.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }
}
