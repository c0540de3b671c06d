//! Processes as `/proc` shows them: who is alive, who belongs to a task, and how to end them.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use super::ledger::Process;

/// The variable by which a task's processes are found again, whatever session or parent they
/// have moved to.
pub(crate) const COOKIE: &str = "WEIR_TASK_ID";

/// What `/proc/PID/stat` tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) name: String,
    pub(crate) state: char,
    pub(crate) parent: u32,
    pub(crate) session: u32,
    pub(crate) start: u64,
}

impl Stat {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        // The name is in parentheses and may hold anything, parentheses too.
        let open = text.find('(')?;
        let close = text.rfind(')')?;
        let name = text.get(open + 1..close)?.to_owned();
        let mut fields = text.get(close + 2..)?.split(' ');
        let state = fields.next()?.chars().next()?;
        let parent = fields.next()?.parse().ok()?;
        let session = fields.nth(1)?.parse().ok()?;
        let start = fields.nth(15)?.parse().ok()?;
        Some(Self {
            name,
            state,
            parent,
            session,
            start,
        })
    }

    pub(crate) fn of(pid: u32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// Ended, but not yet waited for by its parent.
    fn is_dead(&self) -> bool {
        matches!(self.state, 'Z' | 'X')
    }
}

/// Whether exactly this process still runs.
pub(crate) fn is_alive(process: Process) -> bool {
    Stat::of(process.pid).is_some_and(|stat| stat.start == process.start && !stat.is_dead())
}

/// A process by its number, if it runs.
pub(crate) fn identify(pid: u32) -> Option<Process> {
    let stat = Stat::of(pid)?;
    (!stat.is_dead()).then_some(Process {
        pid,
        start: stat.start,
    })
}

/// All processes that run.
pub(crate) fn all() -> HashMap<u32, Stat> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return HashMap::new();
    };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|pid| Some((pid, Stat::of(pid)?)))
        .filter(|(_, stat)| !stat.is_dead())
        .collect()
}

/// Whether a process carries this task's cookie.
pub(crate) fn has_cookie(pid: u32, cookie: &str) -> bool {
    let Ok(environment) = fs::read(format!("/proc/{pid}/environ")) else {
        return false;
    };
    let wanted = format!("{COOKIE}={cookie}");
    environment
        .split(|byte| *byte == 0)
        .any(|variable| variable == wanted.as_bytes())
}

/// Every process of a task: in its main process' session or below it, or with its cookie.
pub(crate) fn members(cookie: &str, main: Option<Process>) -> Vec<Process> {
    let processes = all();
    let main = main.filter(|main| {
        // A later process with the same number is none of ours; one that is gone may still
        // have left its session behind.
        processes
            .get(&main.pid)
            .is_none_or(|stat| stat.start == main.start)
    });
    let mut found: HashSet<u32> = processes
        .iter()
        .filter(|(pid, stat)| {
            main.is_some_and(|main| stat.session == main.pid || **pid == main.pid)
                || has_cookie(**pid, cookie)
        })
        .map(|(pid, _)| *pid)
        .collect();
    loop {
        let children: Vec<u32> = processes
            .iter()
            .filter(|(pid, stat)| found.contains(&stat.parent) && !found.contains(pid))
            .map(|(pid, _)| *pid)
            .collect();
        if children.is_empty() {
            break;
        }
        found.extend(children);
    }
    let own = std::process::id();
    found
        .into_iter()
        .filter(|pid| *pid != own && *pid != 1)
        .map(|pid| Process {
            pid,
            start: processes[&pid].start,
        })
        .collect()
}

/// The leader of a task's session, when the task was started by an earlier agent that had no
/// time to write it down.
pub(crate) fn find_leader(cookie: &str) -> Option<Process> {
    all()
        .into_iter()
        .filter(|(pid, stat)| stat.session == *pid && has_cookie(*pid, cookie))
        .map(|(pid, stat)| Process {
            pid,
            start: stat.start,
        })
        .min_by_key(|process| process.start)
}

/// Sends a signal to one process; one that is gone is fine.
///
/// # Errors
/// In words.
pub(crate) fn signal(process: Process, signal: Signal) -> Result<(), String> {
    if !is_alive(process) {
        return Ok(());
    }
    let pid = i32::try_from(process.pid).map_err(|error| error.to_string())?;
    match kill(Pid::from_raw(pid), signal) {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(error) => Err(format!(
            "{} can't be sent to pid {pid}: {}",
            signal,
            error.desc()
        )),
    }
}

/// Asks a task's processes to end, waits, and kills what is left. Nothing of it runs after.
///
/// # Errors
/// In words, when something does not even end when killed.
pub(crate) async fn end(
    cookie: &str,
    main: Option<Process>,
    ask: Signal,
    grace: Duration,
) -> Result<(), String> {
    let mut asked: HashSet<Process> = HashSet::new();
    let deadline = Instant::now() + grace;
    if let Some(main) = main.filter(|main| is_alive(*main))
        && let Ok(group) = i32::try_from(main.pid)
        && killpg(Pid::from_raw(group), ask).is_ok()
    {
        // The whole group was asked at once; below, only those who left it are.
        let processes = all();
        asked.extend(members(cookie, Some(main)).into_iter().filter(|member| {
            processes
                .get(&member.pid)
                .is_some_and(|stat| stat.session == main.pid)
        }));
    }
    let mut pause = Duration::from_millis(5);
    loop {
        let left = members(cookie, main);
        if left.is_empty() {
            return Ok(());
        }
        if Instant::now() >= deadline {
            return kill_all(cookie, main).await;
        }
        for process in left {
            if asked.insert(process) {
                signal(process, ask)?;
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(100));
    }
}

async fn kill_all(cookie: &str, main: Option<Process>) -> Result<(), String> {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let left = members(cookie, main);
        if left.is_empty() {
            return Ok(());
        }
        if Instant::now() >= deadline {
            let pids: Vec<String> = left.iter().map(|process| process.pid.to_string()).collect();
            return Err(format!(
                "pid {} does not end even when killed; it hangs in the kernel, most often on a disk or a network file system that does not answer",
                pids.join(", ")
            ));
        }
        for process in left {
            signal(process, Signal::SIGKILL)?;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The numbers of the signals that this process was told to ignore.
///
/// # Errors
/// `/proc` can't be read.
pub(crate) fn ignored_signals() -> io::Result<Vec<i32>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let mask = status.lines().find_map(|l| l.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|m| u64::from_str_radix(m.trim(), 16).ok());
    let mask = mask.unwrap_or_default();
    let of_mask = (0..64).filter(|bit| mask >> bit & 1 == 1);
    Ok(of_mask.map(|bit| bit + 1).collect())
}

/// A signal by its name, with or without `SIG`.
///
/// # Errors
/// In words.
pub(crate) fn parse_signal(name: &str) -> Result<Signal, String> {
    let name = name.to_ascii_uppercase();
    let full = if name.starts_with("SIG") {
        name
    } else {
        format!("SIG{name}")
    };
    full.parse()
        .map_err(|_| format!("{full} is not a signal; use a name such as TERM, INT or HUP"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_is_read() {
        let line = "42 (a (b) c) S 1 42 41 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 12345 0 0";
        let stat = Stat::parse(line).expect("the line is whole");
        assert_eq!(stat.name, "a (b) c");
        assert_eq!((stat.state, stat.parent, stat.session), ('S', 1, 41));
        assert_eq!(stat.start, 12345);
        assert_eq!(Stat::parse("42 (cut"), None);
    }

    #[test]
    fn this_process_is_seen() {
        let own = identify(std::process::id()).expect("this process runs");
        assert!(is_alive(own));
        let other = Process {
            start: own.start + 1,
            ..own
        };
        assert!(!is_alive(other));
    }

    #[test]
    fn signals_have_two_spellings() {
        assert_eq!(parse_signal("hup"), Ok(Signal::SIGHUP));
        assert_eq!(parse_signal("SIGTERM"), Ok(Signal::SIGTERM));
        assert!(parse_signal("WINK").unwrap_err().contains("SIGWINK"));
    }
}
