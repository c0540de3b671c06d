//! A server of EC2 for tests: `moto_server`, of the Python package `moto`, on a port of its own.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// A cloud of moto's, for as long as it lives.
#[derive(Debug)]
pub struct Moto {
    server: Child,
    /// Where it answers, as `127.0.0.1:PORT`.
    pub address: String,
}

impl Moto {
    /// Starts one; `None`, said aloud, where moto is not installed.
    #[allow(clippy::print_stdout)] // what is skipped is told
    pub fn start() -> Option<Moto> {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let server = Command::new("moto_server")
            .args(["-H", "127.0.0.1", "-p", &address.port().to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let server = match server {
            Ok(server) => server,
            Err(e) => {
                println!("SKIPPED: moto_server is not installed (PyPI: moto[ec2,server]): {e}");
                return None;
            }
        };
        let begun = Instant::now();
        let moto = Moto {
            server,
            address: address.to_string(),
        };
        while TcpStream::connect(address).is_err() {
            assert!(
                begun.elapsed() < Duration::from_secs(300),
                "moto never came"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(moto)
    }
}

impl Moto {
    /// The XML that answers an action of EC2, asked by somebody else.
    pub fn ask(&self, action: &str, parameters: &[(&str, &str)]) -> String {
        let mut form = format!("Action={action}&Version=2016-11-15");
        for (key, value) in parameters {
            form += &format!("&{key}={}", value.replace('/', "%2F"));
        }
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let head = format!(
            "POST / HTTP/1.0\r\nHost: ec2.eu-central-1.amazonaws.com\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\nAuthorization: AWS4-HMAC-SHA256 Credential=weir/20200101/eu-central-1/ec2/aws4_request, SignedHeaders=host, Signature=0\r\n\r\n",
            form.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(form.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(!answer.contains("<Errors>"), "{action}: {answer}");
        answer
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
