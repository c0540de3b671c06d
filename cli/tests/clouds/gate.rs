//! Between weir and a cloud: it counts the calls that change something, refuses some, and kills
//! whoever makes one.

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

/// When somebody is killed: before or after the call is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    Before,
    After,
}

#[derive(Debug, Default)]
struct State {
    /// Calls that change something so far.
    changes: usize,
    /// The calls that somebody dies of, from 1, and when.
    deadly: Option<(usize, Moment)>,
    victim: Option<u32>,
    died: bool,
    /// Calls with the words: what they are answered, so many times.
    refusals: Vec<(String, String, usize)>,
}

/// A server that runs until the process ends.
#[derive(Debug, Clone)]
pub struct Gate {
    /// Where it answers, as `127.0.0.1:PORT`.
    pub address: String,
    state: Arc<Mutex<State>>,
}

impl Gate {
    /// In front of the server at this address.
    pub fn open(server: &str) -> Gate {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let gate = Gate {
            address: listener.local_addr().unwrap().to_string(),
            state: Arc::default(),
        };
        let (there, server) = (gate.clone(), server.to_owned());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (there, server) = (there.clone(), server.clone());
                // A client that goes away is no concern of the others.
                thread::spawn(move || drop(there.serve(client, &server)));
            }
        });
        gate
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next calls whose request has the words, so many times, are answered this.
    pub fn refuse(&self, words: &str, answer: String, times: usize) {
        let refusal = (words.to_owned(), answer, times);
        self.state().refusals.push(refusal);
    }

    /// Forgets what is refused.
    pub fn refuse_no_more(&self) {
        self.state().refusals.clear();
    }

    /// Whoever makes the `nth` call from now on that changes something, dies of it.
    pub fn kill(&self, nth: usize, moment: Moment) {
        let mut state = self.state();
        (state.changes, state.died) = (0, false);
        (state.deadly, state.victim) = (Some((nth, moment)), None);
    }

    /// Who makes the calls.
    pub fn victim(&self, pid: u32) {
        self.state().victim = Some(pid);
    }

    /// No call is deadly any more; whether one was.
    pub fn spare(&self) -> bool {
        let mut state = self.state();
        state.deadly = None;
        state.died
    }

    fn refusal(&self, request: &str) -> Option<String> {
        let mut state = self.state();
        let mut said = state.refusals.iter_mut();
        let (_, answer, left) = said.find(|(w, _, left)| request.contains(w) && *left > 0)?;
        *left -= 1;
        Some(answer.clone())
    }

    /// Kills if it is time.
    fn strike(&self, number: usize, now: Moment) -> bool {
        let victim = loop {
            let state = self.state();
            match (state.deadly, state.victim) {
                // It was started and is not introduced yet.
                (Some((nth, moment)), None) if (nth, moment) == (number, now) => {}
                (Some((nth, moment)), Some(victim)) if (nth, moment) == (number, now) => {
                    break victim;
                }
                _ => return false,
            }
            drop(state);
            thread::sleep(Duration::from_millis(1));
        };
        let pid = Pid::from_raw(i32::try_from(victim).unwrap());
        kill(pid, Signal::SIGKILL).unwrap();
        self.state().died = true;
        true
    }

    fn serve(&self, mut client: TcpStream, server: &str) -> std::io::Result<()> {
        let request = whole(&mut client)?;
        let number = match changes(&request) {
            true => {
                let mut state = self.state();
                state.changes += 1;
                state.changes
            }
            false => 0,
        };
        if let Some(answer) = self.refusal(&request) {
            return client.write_all(answer.as_bytes());
        }
        if self.strike(number, Moment::Before) {
            return Ok(());
        }
        let mut upstream = TcpStream::connect(server)?;
        upstream.write_all(closing(&request).as_bytes())?;
        let mut answer = Vec::new();
        upstream.read_to_end(&mut answer)?;
        if self.strike(number, Moment::After) {
            return Ok(());
        }
        client.write_all(&answer)
    }
}

/// Whether a request asks for a change; one for a token does not.
fn changes(request: &str) -> bool {
    let (head, body) = request.split_once("\r\n\r\n").unwrap_or((request, ""));
    let line = head.lines().next().unwrap_or_default();
    if body.contains("Action=") {
        let action = body.split('&').find_map(|p| p.strip_prefix("Action="));
        return action.is_some_and(|a| !a.starts_with("Describe") && !a.starts_with("Get"));
    }
    !line.starts_with("GET ") && !line.contains("/token") && !line.ends_with("/wait HTTP/1.1")
}

/// A request with its body.
fn whole(client: &mut TcpStream) -> std::io::Result<String> {
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
                return Ok(text.into_owned());
            }
        }
        if n == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// The request, with the wish that the connection is closed after it.
fn closing(request: &str) -> String {
    let (head, body) = request.split_once("\r\n\r\n").unwrap_or((request, ""));
    let lines = head
        .lines()
        .filter(|l| !l.to_ascii_lowercase().starts_with("connection:"));
    let head: Vec<&str> = lines.chain(["Connection: close"]).collect();
    format!("{}\r\n\r\n{body}", head.join("\r\n"))
}
