//! Names to addresses without the C library, whose name services a static program can't use:
//! literal addresses, `/etc/hosts`, then DNS over UDP to the servers of `/etc/resolv.conf`.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;

const TYPE_A: u16 = 1;
const TYPE_AAAA: u16 = 28;
const WAIT: Duration = Duration::from_secs(3);

/// All addresses of a name; blocks for a few seconds at most.
///
/// # Errors
/// In words, when there are none.
pub(crate) fn resolve(host: &str) -> Result<Vec<IpAddr>, String> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse() {
        return Ok(vec![address]);
    }
    let hosts = fs::read_to_string("/etc/hosts").unwrap_or_default();
    let found = from_hosts(&hosts, bare);
    if !found.is_empty() {
        return Ok(found);
    }
    if bare.eq_ignore_ascii_case("localhost") {
        return Ok(vec![Ipv4Addr::LOCALHOST.into()]);
    }
    let config = fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let (servers, search) = parse_config(&config);
    for name in candidates(bare, &search) {
        for server in &servers {
            let mut found = Vec::new();
            for kind in [TYPE_A, TYPE_AAAA] {
                if let Ok(addresses) = ask(*server, &name, kind) {
                    found.extend(addresses);
                }
            }
            if !found.is_empty() {
                return Ok(found);
            }
        }
    }
    Err(format!(
        "host name {bare:?} can't be resolved on this host (asked /etc/hosts and {} DNS servers)",
        servers.len()
    ))
}

fn from_hosts(hosts: &str, host: &str) -> Vec<IpAddr> {
    hosts
        .lines()
        .filter_map(|line| {
            let mut words = line.split('#').next()?.split_whitespace();
            let address: IpAddr = words.next()?.parse().ok()?;
            words
                .any(|name| name.eq_ignore_ascii_case(host))
                .then_some(address)
        })
        .collect()
}

fn parse_config(config: &str) -> (Vec<SocketAddr>, Vec<String>) {
    let mut servers = Vec::new();
    let mut search = Vec::new();
    for line in config.lines() {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("nameserver") => {
                let address = words.next().and_then(|word| word.parse::<IpAddr>().ok());
                servers.extend(address.map(|address| SocketAddr::new(address, 53)));
            }
            Some("search" | "domain") => search = words.map(str::to_owned).collect(),
            _ => {}
        }
    }
    if servers.is_empty() {
        servers.push(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 53));
    }
    (servers, search)
}

fn candidates(host: &str, search: &[String]) -> Vec<String> {
    let mut names = vec![host.trim_end_matches('.').to_owned()];
    if !host.ends_with('.') {
        let below = search.iter().map(|domain| format!("{host}.{domain}"));
        if host.contains('.') {
            names.extend(below);
        } else {
            names.splice(0..0, below);
        }
    }
    names
}

fn ask(server: SocketAddr, name: &str, kind: u16) -> io::Result<Vec<IpAddr>> {
    let local: SocketAddr = if server.is_ipv4() {
        (Ipv4Addr::UNSPECIFIED, 0).into()
    } else {
        (Ipv6Addr::UNSPECIFIED, 0).into()
    };
    let socket = UdpSocket::bind(local)?;
    socket.set_read_timeout(Some(WAIT))?;
    // Answers of anyone else are dropped by the kernel.
    socket.connect(server)?;
    // The port is random already; the id only has to differ between questions.
    let id = kind ^ socket.local_addr()?.port();
    let question = encode(id, name, kind)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the name is too long"))?;
    socket.send(&question)?;
    let mut answer = [0; 1500];
    let length = socket.recv(&mut answer)?;
    decode(&answer[..length], id, kind)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the answer can't be read"))
}

fn encode(id: u16, name: &str, kind: u16) -> Option<Vec<u8>> {
    let mut packet = id.to_be_bytes().to_vec();
    // Recursion desired; one question.
    packet.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.split('.') {
        let length = u8::try_from(label.len())
            .ok()
            .filter(|length| (1..64).contains(length))?;
        packet.push(length);
        packet.extend(label.as_bytes());
    }
    packet.push(0);
    packet.extend(kind.to_be_bytes());
    packet.extend([0, 1]);
    Some(packet)
}

/// The addresses in an answer. Names in it need not be compared: servers follow aliases.
fn decode(packet: &[u8], id: u16, kind: u16) -> Option<Vec<IpAddr>> {
    let word = |at: usize| Some(u16::from_be_bytes([*packet.get(at)?, *packet.get(at + 1)?]));
    if word(0)? != id {
        return None;
    }
    let (questions, answers) = (word(4)?, word(6)?);
    let mut at = 12;
    for _ in 0..questions {
        at = skip_name(packet, at)? + 4;
    }
    let mut found = Vec::new();
    for _ in 0..answers {
        at = skip_name(packet, at)?;
        let length = usize::from(word(at + 8)?);
        let data = packet.get(at + 10..at + 10 + length)?;
        if word(at)? == kind {
            if let Ok(four) = <[u8; 4]>::try_from(data) {
                found.push(Ipv4Addr::from(four).into());
            } else if let Ok(sixteen) = <[u8; 16]>::try_from(data) {
                found.push(Ipv6Addr::from(sixteen).into());
            }
        }
        at += 10 + length;
    }
    Some(found)
}

fn skip_name(packet: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *packet.get(at)? {
            0 => return Some(at + 1),
            length if length >= 0xc0 => return Some(at + 2),
            length => at += usize::from(length) + 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literal_and_local_names_need_no_server() {
        assert_eq!(
            resolve("10.1.2.3"),
            Ok(vec![Ipv4Addr::new(10, 1, 2, 3).into()])
        );
        assert_eq!(resolve("[::1]"), Ok(vec![Ipv6Addr::LOCALHOST.into()]));
        assert!(!resolve("localhost").unwrap().is_empty());
        let hosts = "127.0.0.1 localhost # loop\n10.0.0.7 db.lan DB\n";
        assert_eq!(from_hosts(hosts, "db"), [IpAddr::from([10, 0, 0, 7])]);
        assert!(from_hosts(hosts, "loop").is_empty());
    }

    #[test]
    fn search_domains_come_first_for_short_names_only() {
        let (servers, search) = parse_config("search a.lan b.lan\nnameserver 10.0.0.1\n");
        assert_eq!(servers, [SocketAddr::from(([10, 0, 0, 1], 53))]);
        assert_eq!(candidates("db", &search), ["db.a.lan", "db.b.lan", "db"]);
        assert_eq!(candidates("x.org.", &search), ["x.org"]);
    }

    #[test]
    fn an_answer_with_an_alias_is_read() {
        let mut packet = encode(7, "www.x.org", TYPE_A).expect("the name is short");
        packet[7] = 2;
        // An alias, then an address, both by a pointer to the question's name.
        packet.extend([0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 9, 0, 2, 0xc0, 12]);
        packet.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 10, 0, 0, 9]);
        assert_eq!(
            decode(&packet, 7, TYPE_A),
            Some(vec![IpAddr::from([10, 0, 0, 9])])
        );
        assert_eq!(decode(&packet, 8, TYPE_A), None);
        assert_eq!(decode(&packet[..packet.len() - 1], 7, TYPE_A), None);
    }
}
