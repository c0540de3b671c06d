//! Whether a process that took a lease still lives.

use nix::{errno::Errno, sys::signal::kill, unistd::Pid};
use serde::{Deserialize, Serialize};
use std::fs;

/// Tells a process from every other that had or will have its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    /// This run of the kernel.
    boot: String,
    /// The namespace in which the process number counts.
    namespace: String,
    /// When it started, in the kernel's ticks since boot.
    start: u64,
}

impl Identity {
    /// The identity of the process with this number as seen from here; `None` where the system
    /// does not tell (no such process, no `/proc`).
    pub(crate) fn of(pid: u32) -> Option<Identity> {
        let (boot, namespace) = here()?;
        Some(Identity {
            boot,
            namespace,
            start: stat_of(pid)?.start,
        })
    }

    /// Whether it is certain that the process is gone. Never so of one that can't be seen from
    /// here (another host, another boot, another container): that one's lease must expire.
    pub(crate) fn is_dead(&self, pid: u32) -> bool {
        match here() {
            Some((boot, namespace)) if boot == self.boot && namespace == self.namespace => {}
            _ => return false,
        }
        match stat_of(pid) {
            Some(stat) => stat.over || stat.start != self.start,
            // `/proc` may hide the processes of other users: ask the kernel itself.
            None => i32::try_from(pid)
                .is_ok_and(|pid| kill(Pid::from_raw(pid), None) == Err(Errno::ESRCH)),
        }
    }
}

struct Stat {
    /// It is a zombie: it does nothing any more.
    over: bool,
    start: u64,
}

fn here() -> Option<(String, String)> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = fs::read_link("/proc/self/ns/pid").ok()?;
    Some((
        boot.trim().to_owned(),
        namespace.to_string_lossy().into_owned(),
    ))
}

/// Fields 3 and 22 of `/proc/PID/stat`. The name in field 2 may hold spaces and parentheses, so
/// fields are counted from the last `)`.
fn stat_of(pid: u32) -> Option<Stat> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let over = matches!(fields.next()?, "Z" | "X");
    let start = fields.nth(18)?.parse().ok()?;
    Some(Stat { over, start })
}

/// This host's name; `localhost` where it has none.
pub(crate) fn host_name() -> String {
    nix::unistd::gethostname()
        .ok()
        .and_then(|name| name.into_string().ok())
        .unwrap_or_else(|| "localhost".into())
}
