//! A server of EC2 for tests: `moto_server`, of the Python package `moto`, on a port of its own.

use std::{
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

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
