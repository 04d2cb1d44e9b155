//! A worker as a child process, with what the system knows of it.

use std::{ops::Add, process::Stdio, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    time::Instant,
};

/// A worker that is killed when dropped.
pub(crate) struct WorkerProcess {
    child: Child,
}

/// CPU time and memory at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    pub(crate) cpu: Duration,
    pub(crate) rss_mib: f64,
    pub(crate) peak_mib: f64,
}

impl WorkerProcess {
    pub(crate) fn spawn(mut command: Command) -> Self {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Self { child }
    }

    pub(crate) fn usage(&self) -> Usage {
        let status = std::fs::read_to_string(self.folder("status")).unwrap();
        let kib = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap()
        };
        let stat = std::fs::read_to_string(self.folder("stat")).unwrap();
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        Usage {
            // The clock of /proc ticks a hundred times a second.
            cpu: Duration::from_millis(ticks * 10),
            rss_mib: kib("VmRSS:") / 1024.0,
            peak_mib: kib("VmHWM:") / 1024.0,
        }
    }

    /// A folder of the system about the process.
    pub(crate) fn folder(&self, name: &str) -> String {
        format!("/proc/{}/{name}", self.child.id().unwrap())
    }

    pub(crate) async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}

/// Waits until `done`, looking often; gives up after two minutes.
pub(crate) async fn until(what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_mins(2);
    while !done() {
        assert!(Instant::now() < end, "never happened: {what}");
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
}

/// A port that was free a moment ago.
pub(crate) async fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

/// The figures that a worker tells at this port.
pub(crate) async fn figures(port: u16) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let request = "GET /metrics HTTP/1.1\r\nhost: worker\r\nconnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// The sum of the figures whose lines begin like this.
pub(crate) fn sum(figures: &str, beginning: &str) -> f64 {
    let lines = figures.lines().filter(|line| line.starts_with(beginning));
    lines.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).fold(0.0, f64::add)
}
