//! A proxy before a server of S3 that does to requests what networks and servers do.
#![allow(dead_code, clippy::unwrap_used, reason = "helpers of tests")]

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fate {
    Pass,
    /// The connection is cut before the server has it.
    CutBefore,
    /// The server does it, and the connection is cut before the answer.
    CutAfter,
    /// It reaches the server later.
    Late(Duration),
    /// The server sees no condition.
    Unconditional,
    /// It does not reach the server: this is the answer (status, headers, body).
    Answer(u16, String, String),
    /// The server's answer says another time, so many seconds from now.
    Clock(i64),
}

type Judge = dyn Fn(&str, u64) -> Fate + Send + Sync;

/// A proxy that runs until it is dropped.
pub(crate) struct Proxy {
    address: SocketAddr,
    judge: Arc<Mutex<Arc<Judge>>>,
    ends: Arc<AtomicBool>,
}

impl Proxy {
    /// Before this server; nothing happens to requests at first.
    pub(crate) fn new(server: SocketAddr) -> Proxy {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let judge: Arc<Mutex<Arc<Judge>>> = Arc::new(Mutex::new(Arc::new(|_, _| Fate::Pass)));
        let ends = Arc::new(AtomicBool::new(false));
        let (judges, ended) = (judge.clone(), ends.clone());
        std::thread::spawn(move || {
            // The server looks and writes one after the other, as a real one does at once.
            let turn = Arc::new(Mutex::new(()));
            let count = Arc::new(AtomicU64::new(0));
            for stream in listener.incoming() {
                if ended.load(Ordering::Relaxed) {
                    break;
                }
                let (judge, turn) = (judges.clone(), turn.clone());
                let number = count.fetch_add(1, Ordering::Relaxed);
                let stream = stream.unwrap();
                std::thread::spawn(move || {
                    let judge = judge.lock().unwrap().clone();
                    // Whoever asked has gone away.
                    let _ = serve(stream, server, (&*judge, number), &turn);
                });
            }
        });
        Proxy {
            address,
            judge,
            ends,
        }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on this says what becomes of a request, by its head and its number.
    pub(crate) fn judge(&self, judge: impl Fn(&str, u64) -> Fate + Send + Sync + 'static) {
        *self.judge.lock().unwrap() = Arc::new(judge);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        // The listener is waiting for it.
        let _ = TcpStream::connect(self.address);
    }
}

/// One request on one connection.
fn serve(
    mut client: TcpStream,
    server: SocketAddr,
    (judge, number): (&Judge, u64),
    turn: &Mutex<()>,
) -> std::io::Result<()> {
    let (head, body) = read(&mut client)?;
    let fate = judge(&head, number);
    match &fate {
        Fate::CutBefore => return client.shutdown(Shutdown::Both),
        Fate::Late(by) => std::thread::sleep(*by),
        Fate::Answer(status, headers, body) => {
            let answer = format!(
                "HTTP/1.1 {status} Said\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n{body}",
                body.len()
            );
            return client.write_all(answer.as_bytes());
        }
        _ => {}
    }
    let kept = |line: &&str| {
        let name = line.split(':').next().unwrap_or_default().to_lowercase();
        name != "connection"
            && (fate != Fate::Unconditional || !["if-match", "if-none-match"].contains(&&*name))
    };
    let mut asked = head.lines().filter(kept).collect::<Vec<_>>().join("\r\n");
    asked.push_str("\r\nConnection: close\r\n\r\n");
    let answer = {
        let _turn = turn.lock().unwrap();
        let mut upstream = TcpStream::connect(server)?;
        upstream.write_all(asked.as_bytes())?;
        upstream.write_all(&body)?;
        let mut answer = Vec::new();
        upstream.read_to_end(&mut answer)?;
        answer
    };
    match fate {
        Fate::CutAfter => client.shutdown(Shutdown::Both),
        Fate::Clock(ahead) => {
            let at = answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
            let head = String::from_utf8_lossy(&answer[..at]).into_owned();
            let time = chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now())
                + chrono::Duration::seconds(ahead);
            let date = format!("Date: {}", time.format("%a, %d %b %Y %H:%M:%S GMT"));
            let told = |line: &str| match line.to_lowercase().starts_with("date:") {
                true => date.clone(),
                false => line.to_owned(),
            };
            let head = head.lines().map(told).collect::<Vec<_>>().join("\r\n");
            client.write_all(head.as_bytes())?;
            client.write_all(&answer[at..])
        }
        _ => client.write_all(&answer),
    }
}

/// The head of a request, and its body.
fn read(stream: &mut TcpStream) -> std::io::Result<(String, Vec<u8>)> {
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut bytes = Vec::new();
    let mut buffer = [0; 16384];
    loop {
        let end = bytes.windows(4).position(|w| w == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                let is_it = name.eq_ignore_ascii_case("content-length");
                is_it.then(|| value.trim().parse::<usize>().ok()).flatten()
            });
            let mut body = bytes.split_off(end + 4);
            while body.len() < length.unwrap_or(0) {
                match stream.read(&mut buffer)? {
                    0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
                    n => body.extend(&buffer[..n]),
                }
            }
            return Ok((head, body));
        }
        match stream.read(&mut buffer)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            n => bytes.extend(&buffer[..n]),
        }
    }
}
