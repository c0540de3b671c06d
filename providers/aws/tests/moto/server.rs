//! A server of EC2 for tests: `moto_server`, of the Python package `moto`, on a port of its own.

use std::{
    io::{Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// How long it may take to start: Python reads much.
const PATIENCE: Duration = Duration::from_secs(300);

/// A server that runs until it is dropped.
#[derive(Debug)]
pub struct Moto {
    server: Child,
    address: SocketAddr,
}

impl Moto {
    /// Starts one; `None`, said aloud, where moto is not installed.
    pub fn start() -> Option<Moto> {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|l| l.local_addr());
        let address = free.unwrap();
        let server = Command::new("moto_server")
            .args(["-H", "127.0.0.1", "-p", &address.port().to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let server = match server {
            Ok(server) => server,
            Err(e) => {
                #[allow(clippy::print_stdout)] // what is skipped is told
                {
                    println!("SKIPPED: moto_server is not installed (PyPI: moto[ec2,server]): {e}");
                }
                return None;
            }
        };
        let mut moto = Moto { server, address };
        let deadline = Instant::now() + PATIENCE;
        while moto.send("DescribeRegions", &[]).is_err() {
            let ended = moto.server.try_wait().unwrap();
            assert!(ended.is_none(), "moto_server ended: {ended:?}");
            assert!(Instant::now() < deadline, "moto_server does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(moto)
    }

    /// Its address, as `127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// The XML that answers an action of EC2.
    pub fn ask(&self, action: &str, parameters: &[(&str, &str)]) -> String {
        let answer = self.send(action, parameters).unwrap();
        assert!(!answer.contains("<Errors>"), "{action}: {answer}");
        answer
    }

    fn send(&self, action: &str, parameters: &[(&str, &str)]) -> std::io::Result<String> {
        let mut form = format!("Action={action}&Version=2016-11-15");
        for (key, value) in parameters {
            form += &format!("&{key}={}", value.replace('/', "%2F"));
        }
        let mut stream = TcpStream::connect(self.address)?;
        let head = format!(
            "POST / HTTP/1.0\r\nHost: ec2.eu-central-1.amazonaws.com\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\nAuthorization: AWS4-HMAC-SHA256 Credential=weir/20200101/eu-central-1/ec2/aws4_request, SignedHeaders=host, Signature=0\r\n\r\n",
            form.len()
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(form.as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// The texts of the tag, in order.
pub fn texts(xml: &str, tag: &str) -> Vec<String> {
    let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
    let parts = xml.split(open.as_str()).skip(1);
    let texts = parts.filter_map(|p| p.split_once(close.as_str()));
    texts.map(|(text, _)| text.to_owned()).collect()
}
