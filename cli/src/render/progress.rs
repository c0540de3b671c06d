//! What goes on, on stderr: lines, and on a terminal a bar below them.

use crate::{
    clock,
    render::style::{Ink, Paint},
};
use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};
use std::{
    collections::BTreeMap,
    io::Write as _,
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
    thread::JoinHandle,
    time::{Duration, Instant},
};
use weir_core::{
    Address,
    event::{Event, EventSink, Settlement},
    plan::Op,
};

/// Something slow is mentioned again after each of these.
const STILL: Duration = Duration::from_secs(10);
/// What takes less than this needs no bar.
const AT_ONCE: Duration = Duration::from_secs(1);
/// How often the bar is redrawn and the slow ones looked for.
const TICK: Duration = Duration::from_millis(500);

/// Turns events into lines and a bar.
pub(crate) struct Progress {
    shared: Arc<Shared>,
    /// Dropped to end the ticker.
    stop: Option<mpsc::Sender<()>>,
    ticker: Option<JoinHandle<()>>,
}

struct Shared {
    paint: Paint,
    drawn: Bar,
    bar: Mutex<Option<ProgressBar>>,
    /// When the phase began whose bar is not drawn yet: what is over at once needs none.
    waiting: Mutex<Option<Instant>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    phase: Phase,
    running: BTreeMap<Address, Running>,
    looked_up: u64,
    done: u64,
    failed: u64,
}

struct Running {
    op: Op,
    since: Instant,
    /// How often it was mentioned as slow.
    mentioned: u32,
    text: String,
}

/// What the bar is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Objects are looked up and planned.
    #[default]
    Planning,
    /// So many operations are done.
    Applying(usize),
}

/// Whether the bar is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bar {
    /// Lines alone.
    Hidden,
    /// Lines, and a bar below them.
    Drawn,
}

impl Progress {
    /// Lines alone, until [`Progress::begin`].
    pub(crate) fn new(paint: Paint, drawn: Bar) -> Progress {
        let state = Mutex::new(State::default());
        let shared = Arc::new(Shared {
            paint,
            drawn,
            bar: Mutex::new(None),
            waiting: Mutex::new(None),
            state,
        });
        let (stop, stopped) = mpsc::channel::<()>();
        let in_thread = shared.clone();
        let ticker = std::thread::spawn(move || {
            while stopped.recv_timeout(TICK) == Err(mpsc::RecvTimeoutError::Timeout) {
                in_thread.tick();
            }
        });
        Progress {
            shared,
            stop: Some(stop),
            ticker: Some(ticker),
        }
    }

    /// A phase begins: its bar is drawn once it has taken a second.
    pub(crate) fn begin(&self, phase: Phase) {
        self.shared.state().phase = phase;
        if self.shared.drawn == Bar::Drawn {
            *self.shared.waiting() = Some(Instant::now());
        }
    }

    /// The phase is over: there is no bar until the next.
    pub(crate) fn end(&self) {
        self.shared.waiting().take();
        if let Some(bar) = self.shared.bar().take() {
            bar.finish_and_clear();
        }
    }

    /// Prints a line above the bar.
    pub(crate) fn line(&self, text: &str) {
        self.shared.line(text);
    }

    /// What is going on now.
    pub(crate) fn in_flight(&self) -> Vec<Address> {
        self.shared.state().running.keys().cloned().collect()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(ticker) = self.ticker.take() {
            // It only draws: should it have panicked, the run is not worse for it.
            let _ = ticker.join();
        }
        self.end();
    }
}

impl EventSink for Progress {
    fn event(&self, event: Event) {
        let (line, ink) = {
            let mut state = self.shared.state();
            state.take(&event);
            line(&event)
        };
        if let Some(line) = line {
            self.shared.line(&self.shared.paint.ink(ink, &line));
        }
        self.shared.redraw();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bar(&self) -> MutexGuard<'_, Option<ProgressBar>> {
        self.bar.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waiting(&self) -> MutexGuard<'_, Option<Instant>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Draws the bar of a phase that takes longer.
    fn draw_late(&self) {
        let due = self.waiting().take_if(|since| since.elapsed() >= AT_ONCE);
        if due.is_none() {
            return;
        }
        let bar = drawn(self.state().phase, ProgressDrawTarget::stderr(), columns());
        *self.bar() = Some(bar);
    }

    fn line(&self, text: &str) {
        match &*self.bar() {
            Some(bar) => bar.suspend(|| print(text)),
            None => print(text),
        }
    }

    fn tick(&self) {
        self.draw_late();
        let slow = self.state().slow(Instant::now());
        for line in slow {
            self.line(&self.paint.ink(Ink::Dim, &line));
        }
        self.redraw();
        if let Some(bar) = &*self.bar() {
            bar.tick();
        }
    }

    fn redraw(&self) {
        if let Some(bar) = &*self.bar() {
            let state = self.state();
            bar.set_position(state.done + state.failed);
            bar.set_message(state.summary(Instant::now()));
        }
    }
}

/// Below so many columns the bar itself is left out: what it would say takes the room.
const NARROW: u16 = 60;

/// How wide the terminal is, by what it says.
fn columns() -> u16 {
    TermLike::width(&Term::stderr())
}

/// The bar of a phase. It keeps to one line of so many columns, in ASCII: every terminal has it.
fn drawn(phase: Phase, target: ProgressDrawTarget, columns: u16) -> ProgressBar {
    let (length, template) = match phase {
        Phase::Planning => (None, "{spinner} {wide_msg}"),
        Phase::Applying(total) if columns < NARROW => (Some(total as u64), "{spinner} {wide_msg}"),
        Phase::Applying(total) => (Some(total as u64), "{spinner} [{bar:24}] {wide_msg}"),
    };
    let bar = ProgressBar::with_draw_target(length, target);
    // The templates are constants; without one the bar has the crate's own look.
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> ").tick_chars("|/-\\ "));
    }
    bar
}

fn print(text: &str) {
    // A closed stderr is nobody's concern.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

impl State {
    fn take(&mut self, event: &Event) {
        match event {
            Event::Started { address, op, .. } => {
                let running = Running {
                    op: *op,
                    since: Instant::now(),
                    mentioned: 0,
                    text: String::new(),
                };
                self.running.insert(address.clone(), running);
            }
            Event::Progress { address, text } => {
                if let Some(running) = self.running.get_mut(address) {
                    running.text.clone_from(text);
                }
            }
            Event::Finished { address, .. } => {
                self.running.remove(address);
                self.done += 1;
            }
            Event::Failed { address, .. } => {
                self.running.remove(address);
                self.failed += 1;
            }
            // It was counted as done.
            Event::Unfit { .. } => {
                self.done = self.done.saturating_sub(1);
                self.failed += 1;
            }
            Event::Refreshing { .. } => self.looked_up += 1,
            Event::Skipped { .. }
            | Event::Refreshed { .. }
            | Event::EphemeralStarted { .. }
            | Event::EphemeralFinished { .. }
            | Event::EphemeralFailed { .. }
            | Event::WaitingForLock { .. }
            | Event::Settling { .. }
            | Event::Settled { .. } => {}
        }
    }

    /// A line for each operation that has run for another [`STILL`].
    fn slow(&mut self, now: Instant) -> Vec<String> {
        let mut lines = Vec::new();
        for (address, running) in &mut self.running {
            let elapsed = now.saturating_duration_since(running.since);
            let due = u32::try_from(elapsed.as_secs() / STILL.as_secs()).unwrap_or(u32::MAX);
            if due > running.mentioned {
                running.mentioned = due;
                let text = running.detail();
                let elapsed = clock::span(elapsed);
                lines.push(format!(
                    "{address}: still {} [{elapsed} elapsed{text}]",
                    doing(running.op)
                ));
            }
        }
        lines
    }

    /// `12 of 40 done, 3 running, 1 failed; slowest: service.web... creating for 34s, apt: ...`
    fn summary(&self, now: Instant) -> String {
        let mut out = match self.phase {
            Phase::Planning => return format!("Planning, {} objects looked up", self.looked_up),
            Phase::Applying(total) => format!("{} of {total} done", self.done),
        };
        if !self.running.is_empty() {
            out.push_str(&format!(", {} running", self.running.len()));
        }
        if self.failed > 0 {
            out.push_str(&format!(", {} failed", self.failed));
        }
        if let Some((address, running)) = self.running.iter().min_by_key(|(_, r)| r.since) {
            let elapsed = clock::span(now.saturating_duration_since(running.since));
            let text = running.detail();
            out.push_str(&format!(
                "; slowest: {address}, {} for {elapsed}{text}",
                doing(running.op)
            ));
        }
        out
    }
}

impl Running {
    fn detail(&self) -> String {
        if self.text.is_empty() {
            String::new()
        } else {
            format!(", {}", self.text)
        }
    }
}

/// The line for an event; none for what only moves the bar.
fn line(event: &Event) -> (Option<String>, Ink) {
    let (line, ink) = match event {
        Event::WaitingForLock { holder } => (
            format!("Waiting for the state, locked by {holder} ..."),
            Ink::Changed,
        ),
        Event::Settling { address } => (
            format!("{address}: finding out what an earlier run did ..."),
            Ink::Normal,
        ),
        Event::Settled { address, outcome } => {
            let what = match outcome {
                Settlement::Done => "an earlier run had done it; it is recorded now",
                Settlement::NotDone => "an earlier run had not done it",
                Settlement::Unsettled => "nobody can tell yet what an earlier run did; it is kept",
            };
            (format!("{address}: {what}"), Ink::Normal)
        }
        Event::Started { address, op, host } => {
            let host = host
                .as_ref()
                .map(|h| format!(" on {h}"))
                .unwrap_or_default();
            (format!("{address}: {}{host} ...", doing(*op)), Ink::Normal)
        }
        Event::Finished {
            address,
            op,
            elapsed_ms,
            id,
        } => {
            let elapsed = clock::span(Duration::from_millis(*elapsed_ms));
            let id = id
                .as_ref()
                .map_or(String::new(), |id| format!(" [id={id}]"));
            (
                format!("{address}: {} after {elapsed}{id}", did(*op)),
                Ink::Good,
            )
        }
        Event::Failed {
            address,
            op,
            elapsed_ms,
            message,
        } => {
            let elapsed = clock::span(Duration::from_millis(*elapsed_ms));
            (
                format!(
                    "{address}: {} failed after {elapsed}: {message}",
                    doing(*op)
                ),
                Ink::Bad,
            )
        }
        Event::Unfit {
            address, message, ..
        } => {
            let name = address.to_string();
            let line = match message.starts_with(&name) {
                true => message.clone(),
                false => format!("{name}: {message}"),
            };
            (line, Ink::Bad)
        }
        Event::Skipped {
            address,
            op,
            because,
        } => {
            let why = match because {
                Some(failed) => format!("as {failed} failed"),
                None => "as the run was stopped".into(),
            };
            (format!("{address}: not {}, {why}", did(*op)), Ink::Changed)
        }
        Event::Refreshing { .. }
        | Event::Refreshed { .. }
        | Event::EphemeralStarted { .. }
        | Event::EphemeralFinished { .. }
        | Event::EphemeralFailed { .. }
        | Event::Progress { .. } => return (None, Ink::Normal),
    };
    (Some(line), ink)
}

fn doing(op: Op) -> &'static str {
    match op {
        Op::Create => "creating",
        Op::Update => "updating",
        Op::Delete => "destroying",
        Op::Read => "reading",
        Op::Forget => "dropping from state",
        Op::Join => "joining",
    }
}

fn did(op: Op) -> &'static str {
    match op {
        Op::Create => "created",
        Op::Update => "updated",
        Op::Delete => "destroyed",
        Op::Read => "read",
        Op::Forget => "dropped from state",
        Op::Join => "joined",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Address {
        text.parse().expect("an address")
    }

    fn started(address: &str, op: Op) -> Event {
        Event::Started {
            address: at(address),
            op,
            host: Some("onprem1".into()),
        }
    }

    #[test]
    fn every_event_reads_well() {
        let a = "service.web.pod.app[\"0\"]";
        let events = [
            Event::WaitingForLock {
                holder: "ann@desk (process 7, apply)".into(),
            },
            Event::Settling { address: at(a) },
            Event::Settled {
                address: at(a),
                outcome: Settlement::Done,
            },
            Event::Settled {
                address: at(a),
                outcome: Settlement::Unsettled,
            },
            Event::Refreshing {
                address: at(a),
                id: None,
            },
            started(a, Op::Create),
            Event::Progress {
                address: at(a),
                text: "apt: installing prometheus".into(),
            },
            Event::Finished {
                address: at(a),
                op: Op::Create,
                elapsed_ms: 3200,
                id: Some("i-7".into()),
            },
            Event::Failed {
                address: at(a),
                op: Op::Update,
                elapsed_ms: 65_000,
                message: "port 80 is taken".into(),
            },
            Event::Skipped {
                address: at("fake_thing.b"),
                op: Op::Delete,
                because: Some(at(a)),
            },
            Event::Skipped {
                address: at("fake_thing.c"),
                op: Op::Create,
                because: None,
            },
        ];
        let lines: Vec<String> = events.iter().filter_map(|e| line(e).0).collect();
        insta::assert_snapshot!(lines.join("\n"), @r#"
        Waiting for the state, locked by ann@desk (process 7, apply) ...
        service.web.pod.app["0"]: finding out what an earlier run did ...
        service.web.pod.app["0"]: an earlier run had done it; it is recorded now
        service.web.pod.app["0"]: nobody can tell yet what an earlier run did; it is kept
        service.web.pod.app["0"]: creating on onprem1 ...
        service.web.pod.app["0"]: created after 3s [id=i-7]
        service.web.pod.app["0"]: updating failed after 1m05s: port 80 is taken
        fake_thing.b: not destroyed, as service.web.pod.app["0"] failed
        fake_thing.c: not created, as the run was stopped
        "#);
    }

    #[test]
    fn what_is_slow_is_mentioned_once_every_ten_seconds() {
        let mut state = State {
            phase: Phase::Applying(3),
            ..State::default()
        };
        state.take(&started("fake_thing.a", Op::Create));
        state.take(&started("fake_thing.b", Op::Delete));
        let text = "apt: installing prometheus".to_owned();
        state.take(&Event::Progress {
            address: at("fake_thing.a"),
            text,
        });
        state.take(&Event::Finished {
            address: at("fake_thing.b"),
            op: Op::Delete,
            elapsed_ms: 1,
            id: None,
        });
        let start = state.running[&at("fake_thing.a")].since;
        let after = |s| start + Duration::from_secs(s);
        assert_eq!(state.slow(after(9)), Vec::<String>::new());
        let expected = "fake_thing.a: still creating [10s elapsed, apt: installing prometheus]";
        assert_eq!(state.slow(after(10)), [expected]);
        assert_eq!(state.slow(after(19)), Vec::<String>::new());
        assert_eq!(state.slow(after(31)).len(), 1);
        assert_eq!(
            state.summary(after(34)),
            "1 of 3 done, 1 running; slowest: fake_thing.a, creating for 34s, apt: installing prometheus"
        );
    }
}
