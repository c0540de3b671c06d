//! Between a client and the server of EC2: it counts calls, loses, breaks and refuses them, and
//! answers what the server can't.

use crate::filled::Filled;
use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

/// What becomes of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// It is done and answered.
    Through,
    /// It is not done: the status, EC2's code and its words.
    Refused(u16, String, String),
    /// It is not done, and the words repeat what was asked.
    Repeated,
    /// It is done, and the connection is cut before the answer.
    Lost,
    /// It is done, and nothing is ever answered.
    Silent,
}

/// The call that is waited for, and what becomes of it.
#[derive(Debug, Default)]
struct Trap {
    nth: usize,
    /// Whether each third after it is meant too.
    again: bool,
    seen: usize,
    way: Option<Way>,
    sprung: bool,
    /// For calls of an action, so many times: what becomes of them.
    actions: Vec<(String, Way, usize)>,
}

/// A server that runs until the process ends.
#[derive(Debug, Clone)]
pub struct Proxy {
    /// Where it answers, as `127.0.0.1:PORT`.
    pub address: String,
    trap: Arc<Mutex<Trap>>,
    filled: Arc<Mutex<Filled>>,
}

impl Proxy {
    /// In front of the server at this address.
    pub fn start(server: &str) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Proxy {
            address: listener.local_addr().unwrap().to_string(),
            trap: Arc::default(),
            filled: Arc::default(),
        };
        let (there, server) = (proxy.clone(), server.to_owned());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (there, server) = (there.clone(), server.clone());
                // A client that goes away is no concern of the others.
                thread::spawn(move || drop(there.serve(client, &server)));
            }
        });
        proxy
    }

    fn trap(&self) -> MutexGuard<'_, Trap> {
        self.trap.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it answers itself.
    pub fn filled(&self) -> MutexGuard<'_, Filled> {
        self.filled.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The `nth` call from now on goes this way, and each third after it where `again` says so.
    pub fn lay(&self, nth: usize, again: bool, way: Way) {
        let mut trap = self.trap();
        (trap.nth, trap.again) = (nth, again);
        (trap.seen, trap.way, trap.sprung) = (0, Some(way), false);
    }

    /// The next calls of the action, so many times, go this way.
    pub fn answer(&self, action: &str, way: Way, times: usize) {
        self.trap().actions.push((action.to_owned(), way, times));
    }

    /// Whether a call was in the trap.
    pub fn is_sprung(&self) -> bool {
        self.trap().sprung
    }

    /// Takes the trap away; whether a call was in it.
    pub fn spring(&self) -> bool {
        let mut trap = self.trap();
        trap.way = None;
        trap.sprung
    }

    fn way(&self, body: &str) -> Way {
        let mut trap = self.trap();
        let action = body.split('&').find_map(|p| p.strip_prefix("Action="));
        let said = trap.actions.iter_mut();
        let mut said = said.filter(|(a, _, left)| Some(a.as_str()) == action && *left > 0);
        if let Some((_, way, left)) = said.next() {
            *left -= 1;
            return way.clone();
        }
        trap.seen += 1;
        match trap.way.clone() {
            Some(way) if trap.nth == trap.seen || (trap.again && trap.nth % 3 == trap.seen % 3) => {
                trap.sprung |= way != Way::Silent;
                way
            }
            _ => Way::Through,
        }
    }

    fn serve(&self, mut client: TcpStream, server: &str) -> std::io::Result<()> {
        let request = whole(&mut client)?;
        let body = String::from_utf8_lossy(&request);
        let body = body.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        let way = self.way(body);
        let refusal = match &way {
            Way::Refused(status, code, words) => Some((*status, code.clone(), words.clone())),
            Way::Repeated => {
                let words = decoded(body);
                Some((400, "InvalidParameterValue".into(), words))
            }
            _ => None,
        };
        if let Some((status, code, words)) = refusal {
            return client.write_all(error(status, &code, &words).as_bytes());
        }
        let own = self.filled().answer(body);
        let answer = match own {
            Some(Ok(xml)) => answered(&xml).into_bytes(),
            Some(Err((code, words))) => error(400, code, &words).into_bytes(),
            None => {
                let mut upstream = TcpStream::connect(server)?;
                upstream.write_all(&closing(&request))?;
                let mut answer = Vec::new();
                upstream.read_to_end(&mut answer)?;
                self.filled().amended(body, answer)
            }
        };
        match way {
            Way::Lost => Ok(()),
            Way::Silent => {
                self.trap().sprung = true;
                // Longer than any test.
                thread::sleep(Duration::from_secs(3600));
                Ok(())
            }
            _ => client.write_all(&answer),
        }
    }
}

/// A request with its body.
fn whole(client: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let (mut all, mut part) = (Vec::new(), [0; 16384]);
    loop {
        let n = client.read(&mut part)?;
        all.extend(&part[..n]);
        let text = String::from_utf8_lossy(&all);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|l| {
                let (name, value) = l.split_once(':')?;
                (name.eq_ignore_ascii_case("content-length")).then(|| value.trim().parse().ok())?
            });
            if body.len() >= length.unwrap_or(0) {
                return Ok(all);
            }
        }
        if n == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// The request, with the wish that the connection is closed after it.
fn closing(request: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(request);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let lines = head
        .lines()
        .filter(|l| !l.to_ascii_lowercase().starts_with("connection:"));
    let head: Vec<&str> = lines.chain(["Connection: close"]).collect();
    format!("{}\r\n\r\n{body}", head.join("\r\n")).into_bytes()
}

/// As EC2 answers.
fn answered(xml: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{xml}",
        xml.len()
    )
}

/// As EC2 refuses.
fn error(status: u16, code: &str, words: &str) -> String {
    let words = words
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>{code}</Code><Message>{words}</Message></Error></Errors><RequestID>weir</RequestID></Response>"
    );
    format!(
        "HTTP/1.1 {status} Refused\r\nContent-Type: text/xml\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// The body of a form as text, without what XML can't hold.
pub fn decoded(body: &str) -> String {
    let mut out = Vec::new();
    let mut bytes = body.bytes();
    while let Some(b) = bytes.next() {
        match b {
            b'+' => out.push(b' '),
            b'%' => {
                let hex: String = bytes.by_ref().take(2).map(char::from).collect();
                out.push(u8::from_str_radix(&hex, 16).unwrap_or(b'?'));
            }
            b => out.push(b),
        }
    }
    let text = String::from_utf8_lossy(&out).into_owned();
    text.replace(|c: char| c.is_control(), " ")
}
