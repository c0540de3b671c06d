//! A web server for tests that keeps states as GitLab does, with its rules: a state has versions by
//! the `serial` of what is sent, of which each is taken once and the highest is what is read; a lock
//! has an id, and a write must name it; every field of a lock is wanted. It fails when it is told to.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value as Json, json};
use std::{
    collections::{BTreeMap, VecDeque},
    io::{self, BufRead, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

/// What goes wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// It is not done, and the connection is closed.
    Before,
    /// It is done, and the connection is closed without an answer.
    After,
    /// It is not done; the answer is this status.
    Status(u16),
    /// It is done, and answered after this time.
    Slow(Duration),
}

/// A request that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Its method.
    pub method: String,
    /// Its path and query.
    pub target: String,
    /// What it was answered; 0 where it was not.
    pub status: u16,
}

/// One state as the server has it.
#[derive(Debug, Default, Clone)]
struct Kept {
    versions: BTreeMap<u64, Vec<u8>>,
    lock: Option<String>,
    created: String,
}

#[derive(Default)]
struct Side {
    states: BTreeMap<String, Kept>,
    /// What becomes of the next requests of a method.
    faults: BTreeMap<String, VecDeque<Fault>>,
    asked: Vec<Asked>,
    /// User and password; none are wanted where it is `None`.
    login: Option<(String, String)>,
    /// Nobody may write.
    is_read_only: bool,
    /// What a write under another lock is answered. GitLab has no word for that, and answers 500.
    mismatch: u16,
}

/// A server that runs until the program ends.
#[derive(Clone)]
pub struct WebServer {
    side: Arc<Mutex<Side>>,
    port: u16,
}

impl std::fmt::Debug for WebServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebServer")
            .field("port", &self.port)
            .finish()
    }
}

impl WebServer {
    /// Starts a server on a port of its own.
    ///
    /// # Errors
    /// Where this machine has no port for it.
    pub fn start() -> io::Result<WebServer> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let server = WebServer {
            side: Arc::new(Mutex::new(Side {
                mismatch: 500,
                ..Side::default()
            })),
            port: listener.local_addr()?.port(),
        };
        let serving = server.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let serving = serving.clone();
                // One that is cut in the middle is nobody's concern.
                std::thread::spawn(move || drop(serving.serve(stream)));
            }
        });
        Ok(server)
    }

    fn side(&self) -> MutexGuard<'_, Side> {
        self.side.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The address of the state of this name.
    pub fn address(&self, name: &str) -> String {
        format!(
            "http://127.0.0.1:{}/api/v4/projects/1/terraform/state/{name}",
            self.port
        )
    }

    /// Wants this login of everybody.
    pub fn wants(&self, user: &str, password: &str) {
        self.side().login = Some((user.into(), password.into()));
    }

    /// Lets nobody write, or everybody.
    pub fn is_read_only(&self, is: bool) {
        self.side().is_read_only = is;
    }

    /// What a write under another lock is answered from now on.
    pub fn answers_mismatch(&self, status: u16) {
        self.side().mismatch = status;
    }

    /// What becomes of the next requests of this method.
    pub fn fail(&self, method: &str, faults: &[Fault]) {
        let mut side = self.side();
        let queue = side.faults.entry(method.to_owned()).or_default();
        queue.extend(faults);
    }

    /// Nothing goes wrong any more.
    pub fn heal(&self) {
        self.side().faults.clear();
    }

    /// What was asked since the last call.
    pub fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.side().asked)
    }

    /// What a GET of this state gives.
    pub fn object(&self, name: &str) -> Option<Vec<u8>> {
        let side = self.side();
        let (_, latest) = side.states.get(name)?.versions.last_key_value()?;
        Some(latest.clone())
    }

    /// Puts an object there behind everybody's back, as the version of this serial.
    pub fn put(&self, name: &str, serial: u64, body: &[u8]) {
        let mut side = self.side();
        let kept = side.states.entry(name.to_owned()).or_default();
        kept.versions.insert(serial, body.to_vec());
    }

    /// The id of the lock on this state.
    pub fn lock(&self, name: &str) -> Option<String> {
        self.side().states.get(name)?.lock.clone()
    }

    /// How many versions of this state are kept.
    pub fn versions(&self, name: &str) -> usize {
        let side = self.side();
        side.states.get(name).map_or(0, |kept| kept.versions.len())
    }

    fn serve(&self, stream: TcpStream) -> io::Result<()> {
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let mut words = line.split_whitespace();
        let method = words.next().unwrap_or_default().to_owned();
        let target = words.next().unwrap_or_default().to_owned();
        let (mut length, mut login, mut waits) = (0, None, false);
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else {
                break;
            };
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().unwrap_or(0),
                "authorization" => login = Some(value.to_owned()),
                "expect" => waits = true,
                _ => {}
            }
        }
        if waits {
            reader
                .get_mut()
                .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let queue = |side: &mut Side| side.faults.get_mut(&method)?.pop_front();
        let fault = queue(&mut self.side()).unwrap_or(Fault::None);
        let (status, answer) = match fault {
            Fault::Before => (0, Vec::new()),
            Fault::Status(status) => (status, b"out of order".to_vec()),
            _ => self
                .side()
                .answer(&method, &target, login.as_deref(), &body),
        };
        if let Fault::Slow(time) = fault {
            std::thread::sleep(time);
        }
        let is_told = !matches!(fault, Fault::Before | Fault::After);
        self.side().asked.push(Asked {
            method,
            target,
            status: if is_told { status } else { 0 },
        });
        if !is_told {
            return Ok(());
        }
        let date = chrono::DateTime::<chrono::Utc>::from(SystemTime::now());
        let head = format!(
            "HTTP/1.1 {status} Told\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             Date: {}\r\nConnection: close\r\n\r\n",
            answer.len(),
            date.format("%a, %d %b %Y %H:%M:%S GMT")
        );
        let stream = reader.get_mut();
        stream.write_all(head.as_bytes())?;
        stream.write_all(&answer)?;
        stream.flush()
    }
}

type Answer = (u16, Vec<u8>);

impl Side {
    fn answer(&mut self, method: &str, target: &str, login: Option<&str>, body: &[u8]) -> Answer {
        let none = |status| (status, Vec::new());
        if let Some((user, password)) = &self.login {
            let wanted = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
            if login != Some(&wanted) {
                return none(401);
            }
        }
        if self.is_read_only && method != "GET" {
            return none(403);
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let Some(name) = path.strip_prefix("/api/v4/projects/1/terraform/state/") else {
            return none(404);
        };
        let id = query.split('&').find_map(|pair| pair.strip_prefix("ID="));
        match (name.strip_suffix("/lock"), method) {
            (Some(name), "POST" | "LOCK") => self.lock(name, body),
            (Some(name), "DELETE" | "UNLOCK") => self.unlock(name, body),
            (None, "GET") => match self.states.get(name) {
                None => none(404),
                Some(kept) => match kept.versions.last_key_value() {
                    Some((_, latest)) => (200, latest.clone()),
                    None => none(204),
                },
            },
            (None, "POST" | "PUT") => self.write(name, id, body),
            (None, "DELETE") => match self.states.remove(name) {
                Some(_) => none(200),
                None => none(404),
            },
            _ => none(405),
        }
    }

    fn write(&mut self, name: &str, id: Option<&str>, body: &[u8]) -> Answer {
        if body.is_empty() {
            return (204, Vec::new());
        }
        let json: Json = serde_json::from_slice(body).unwrap_or_default();
        let Some(serial) = json["serial"].as_u64() else {
            return (422, b"No serial in payload".to_vec());
        };
        let kept = self.states.entry(name.to_owned()).or_default();
        if kept.lock.as_deref() != id {
            return (self.mismatch, Vec::new());
        }
        if kept.versions.contains_key(&serial) {
            return (422, b"Version has already been taken".to_vec());
        }
        kept.versions.insert(serial, body.to_vec());
        (200, Vec::new())
    }

    fn lock(&mut self, name: &str, body: &[u8]) -> Answer {
        let info: Json = serde_json::from_slice(body).unwrap_or_default();
        let fields = [
            "ID",
            "Operation",
            "Info",
            "Who",
            "Version",
            "Created",
            "Path",
        ];
        if fields.iter().any(|field| !info[*field].is_string()) || info["ID"] == "" {
            return (400, b"a field of the lock is missing".to_vec());
        }
        let kept = self.states.entry(name.to_owned()).or_default();
        let status = match kept.lock {
            Some(_) => 409,
            None => {
                kept.lock = info["ID"].as_str().map(str::to_owned);
                kept.created = info["Created"].as_str().unwrap_or_default().to_owned();
                200
            }
        };
        // All but these it has of who asks.
        let told = json!({
            "ID": kept.lock, "Who": "the-user", "Created": kept.created,
            "Operation": info["Operation"], "Info": info["Info"], "Version": info["Version"],
            "Path": info["Path"],
        });
        (status, told.to_string().into_bytes())
    }

    fn unlock(&mut self, name: &str, body: &[u8]) -> Answer {
        let info: Json = serde_json::from_slice(body).unwrap_or_default();
        let Some(kept) = self.states.get_mut(name) else {
            return (404, Vec::new());
        };
        match info["ID"].as_str() {
            Some(id) if kept.lock.as_deref() != Some(id) => (409, Vec::new()),
            _ => {
                kept.lock = None;
                (200, Vec::new())
            }
        }
    }
}
