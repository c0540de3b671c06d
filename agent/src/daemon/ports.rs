//! Who listens on a TCP port: from `/proc/net/tcp`, `/proc/net/tcp6` and `/proc/*/fd`.

use std::fs;

use super::proc::Stat;

/// A process that listens, as far as the agent may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Listener {
    Process {
        pid: u32,
        name: String,
    },
    /// It belongs to another user, and the agent is not root.
    Hidden,
}

impl std::fmt::Display for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Process { pid, name } => write!(f, "{name} (pid {pid})"),
            Self::Hidden => f.write_str("a process of another user"),
        }
    }
}

/// Everyone who listens on a port.
pub(crate) fn listeners(port: u16) -> Vec<Listener> {
    let inodes: Vec<u64> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|path| fs::read_to_string(path).ok())
        .flat_map(|table| listening_inodes(&table, port))
        .collect();
    if inodes.is_empty() {
        return Vec::new();
    }
    let mut found = holders(&inodes);
    if found.is_empty() {
        found.push(Listener::Hidden);
    }
    found
}

/// The sockets of a table that listen on a port.
fn listening_inodes(table: &str, port: u16) -> Vec<u64> {
    const LISTEN: &str = "0A";
    table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let (_, local) = fields.get(1)?.rsplit_once(':')?;
            let listens = *fields.get(3)? == LISTEN;
            let matches = u16::from_str_radix(local, 16).ok()? == port;
            (listens && matches).then(|| fields.get(9)?.parse().ok())?
        })
        .collect()
}

fn holders(inodes: &[u64]) -> Vec<Listener> {
    let links: Vec<String> = inodes
        .iter()
        .map(|inode| format!("socket:[{inode}]"))
        .collect();
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| {
            fs::read_dir(format!("/proc/{pid}/fd")).is_ok_and(|open| {
                open.flatten().any(|file| {
                    fs::read_link(file.path())
                        .is_ok_and(|target| links.iter().any(|link| target.as_os_str() == &**link))
                })
            })
        })
        .filter_map(|pid| {
            let name = Stat::of(pid)?.name;
            Some(Listener::Process { pid, name })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listening_sockets_of_the_port_count() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
            0: 0100007F:2382 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 777 1 0 100 0 0 10 0\n\
            1: 0100007F:2382 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 778 1 0 100 0 0 10 0\n\
            2: 0100007F:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 779 1 0 100 0 0 10 0\n";
        assert_eq!(listening_inodes(table, 9090), [777]);
        assert_eq!(listening_inodes(table, 22), [779]);
        assert!(listening_inodes(table, 80).is_empty());
    }

    #[test]
    fn a_real_listener_is_named() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = socket.local_addr().expect("it is bound").port();
        let found = listeners(port);
        assert!(
            found
                .iter()
                .any(|listener| matches!(listener, Listener::Process { pid, .. } if *pid == std::process::id())),
            "{found:?}"
        );
    }
}
