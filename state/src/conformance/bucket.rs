//! A server of S3 for tests: `moto_server`, of the Python package `moto`, on a port of its own.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// A server with one empty bucket, `weir`, that runs until it is dropped.
#[derive(Debug)]
pub struct Bucket {
    server: Child,
    address: SocketAddr,
    log: words::Log,
}

/// How long it may take to start: Python reads much.
const PATIENCE: Duration = Duration::from_secs(90);

impl Bucket {
    /// The name of the bucket.
    pub const NAME: &'static str = "weir";

    /// Starts a server and makes the bucket.
    ///
    /// # Errors
    /// Why there is none: a test that needs it says so and is skipped.
    pub fn start() -> Result<Bucket, String> {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|l| l.local_addr());
        let address = free.map_err(|e| format!("no port is free: {e}"))?;
        let log = words::Log::new(address.port());
        let out = fs::File::create(log.path()).map_err(|e| e.to_string())?;
        let err = out.try_clone().map_err(|e| e.to_string())?;
        let server = Command::new("moto_server")
            .args(["-H", "127.0.0.1", "-p", &address.port().to_string()])
            .env("AWS_ACCESS_KEY_ID", "weir")
            .env("AWS_SECRET_ACCESS_KEY", "weir")
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .spawn()
            .map_err(|e| format!("moto_server is not installed (PyPI: moto[s3,server]): {e}"))?;
        let mut bucket = Bucket {
            server,
            address,
            log,
        };
        let deadline = Instant::now() + PATIENCE;
        loop {
            match bucket.ask("PUT", &format!("/{}", Bucket::NAME), b"") {
                Ok((200, _)) => return Ok(bucket),
                Ok((status, body)) => return Err(format!("moto_server: {status} {body}")),
                Err(_) if Instant::now() < deadline => {
                    if let Ok(Some(status)) = bucket.server.try_wait() {
                        let said = fs::read_to_string(bucket.log.path()).unwrap_or_default();
                        return Err(format!("moto_server ended ({status}): {said}"));
                    }
                    std::thread::sleep(Duration::from_millis(50));
                }
                Err(e) => return Err(format!("moto_server does not answer: {e}")),
            }
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its address for clients.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Sends a request as it is, unsigned; the status and the body of the answer.
    ///
    /// # Errors
    /// Those of the connection.
    pub fn ask(&self, method: &str, path: &str, body: &[u8]) -> std::io::Result<(u16, String)> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        let head = format!(
            "{method} {path} HTTP/1.0\r\nHost: {}\r\nContent-Length: {}\r\nAuthorization: AWS4-HMAC-SHA256 Credential=weir/20200101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0\r\n\r\n",
            self.address,
            body.len()
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(body)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let answer = String::from_utf8_lossy(&answer);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok());
        let status = status.ok_or_else(|| std::io::Error::other("no answer"))?;
        Ok((status, body.to_owned()))
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// The file that the server's words go to.
mod words {
    use std::path::{Path, PathBuf};

    #[derive(Debug)]
    pub(super) struct Log(PathBuf);

    impl Log {
        pub(super) fn new(port: u16) -> Log {
            let name = format!("weir-moto-{}-{port}.log", std::process::id());
            Log(std::env::temp_dir().join(name))
        }
        pub(super) fn path(&self) -> &Path {
            &self.0
        }
    }

    impl Drop for Log {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }
}
