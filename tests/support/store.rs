//! An object store on this machine: PyPI `moto`'s S3 server, with one bucket called `lake`.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::python::interpreter;
use super::{Lake, Shell};

/// How long the server may take to answer; a busy machine is slow.
const DEADLINE: Duration = Duration::from_secs(120);

/// A running server; it ends with this value.
pub(crate) struct ObjectStore {
    server: Child,
    port: u16,
}

impl ObjectStore {
    /// Starts the server and makes the bucket.
    pub(crate) fn start() -> Self {
        let free = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let server = Command::new(interpreter())
            .args(["-B", "-m", "moto.server", "-H", "127.0.0.1", "-p"])
            .arg(port.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let store = Self { server, port };
        let answer = store.make_bucket();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        store
    }

    /// Returns the server's address.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Prepares a run of the binary that reaches the store.
    pub(crate) fn shell<'a>(
        &self,
        lake: &Lake,
        arguments: impl IntoIterator<Item = &'a str>,
    ) -> Shell {
        lake.shell(arguments)
            .variable("AWS_ENDPOINT_URL", &self.url())
            .variable("AWS_ALLOW_HTTP", "true")
            .variable("AWS_ACCESS_KEY_ID", "someone")
            .variable("AWS_SECRET_ACCESS_KEY", "something")
            .variable("AWS_REGION", "us-east-1")
    }

    /// Runs statements, which must succeed, and returns the rows as CSV without a header.
    #[track_caller]
    pub(crate) fn rows(&self, lake: &Lake, sql: &str) -> String {
        let run = self.shell(lake, ["--format", "csv", "-c", sql]).run();
        let lines = run.succeeds();
        lines
            .lines()
            .skip(1)
            .map(|line| format!("{line}\n"))
            .collect()
    }

    fn make_bucket(&self) -> String {
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) {
                let request = format!(
                    "PUT /lake HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                    self.port
                );
                stream.write_all(request.as_bytes()).unwrap();
                let mut answer = String::new();
                stream.read_to_string(&mut answer).unwrap();
                return answer;
            }
            assert!(Instant::now() < deadline, "the server does not answer");
            thread::yield_now();
        }
    }
}

impl Drop for ObjectStore {
    fn drop(&mut self) {
        drop(self.server.kill());
        drop(self.server.wait());
    }
}
