//! OpenSSH's `known_hosts` format: which lines speak of a host, and what they
//! say about a key. Pure: files are read elsewhere.
//!
//! The rules are those of `sshd(8)`, "SSH_KNOWN_HOSTS FILE FORMAT":
//! - a host on port 22 is looked up by its plain name, on another port as
//!   `[name]:port`; a plain line may vouch for another port, never accuse it;
//! - a line with `!pattern` that matches does not apply, whatever else matches;
//! - `@revoked` wins over everything, `@cert-authority` names a signer of
//!   certificates and is never a host's own key;
//! - a host may have several keys, also several of one algorithm.

use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use russh::keys::ssh_key::known_hosts::{HostPatterns, Marker};
use russh::keys::{Algorithm, PublicKey};
use sha1::Sha1;

use super::host_key_error::Location;

/// The port whose hosts are listed without a port.
const DEFAULT_PORT: u16 = 22;

/// The name under which a server is listed.
pub(super) fn lookup_name(address: &str, port: u16) -> String {
    let address = address.to_ascii_lowercase();
    if port == DEFAULT_PORT {
        address
    } else {
        format!("[{address}]:{port}")
    }
}

/// A line that speaks of the host that was looked up.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) marker: Option<Marker>,
    pub(super) key: PublicKey,
    pub(super) location: Location,
    pub(super) scope: Scope,
}

/// How closely a line's name matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// The name as looked up.
    Exact,
    /// The plain name, while the server listens on another port than 22.
    OtherPort,
}

/// A line that names the host, says `@revoked`, and whose key can't be parsed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadLine {
    pub(super) location: Location,
    pub(super) reason: String,
}

/// What the lines say about a key that a server presents.
#[derive(Debug)]
pub(super) enum Verdict<'a> {
    Trusted,
    Unknown,
    Changed(&'a Entry),
    Revoked(&'a Entry),
}

/// The lines of one file that speak of `address`.
///
/// Lines of unknown key types are passed over, as OpenSSH does.
///
/// # Errors
/// A `@revoked` line for this host that can't be understood: passing over it
/// might accept a revoked key.
pub(super) fn select(
    text: &str,
    file: &Path,
    address: &str,
    port: u16,
) -> Result<Vec<Entry>, BadLine> {
    let name = lookup_name(address, port);
    let plain = address.to_ascii_lowercase();
    let mut entries = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let Some(fields) = Fields::split(line) else {
            continue;
        };
        let Ok(patterns) = fields.hosts.parse::<HostPatterns>() else {
            continue;
        };
        let scope = if matches(&patterns, &name) {
            Scope::Exact
        } else if plain != name && matches(&patterns, &plain) {
            Scope::OtherPort
        } else {
            continue;
        };
        let location = Location {
            file: file.to_owned(),
            line: index + 1,
        };
        match PublicKey::from_openssh(&fields.key) {
            Ok(key) => entries.push(Entry {
                marker: fields.marker,
                key,
                location,
                scope,
            }),
            Err(error) if fields.marker == Some(Marker::Revoked) => {
                return Err(BadLine {
                    location,
                    reason: error.to_string(),
                });
            }
            Err(_) => {}
        }
    }
    Ok(entries)
}

/// Judges the key a server presents.
pub(super) fn judge<'a>(entries: &'a [Entry], offered: &PublicKey) -> Verdict<'a> {
    let same = |entry: &&Entry| entry.key.key_data() == offered.key_data();
    if let Some(revoked) = entries
        .iter()
        .find(|e| e.marker == Some(Marker::Revoked) && same(e))
    {
        return Verdict::Revoked(revoked);
    }
    let plain = || entries.iter().filter(|e| e.marker.is_none());
    if plain().any(|e| same(&e)) {
        return Verdict::Trusted;
    }
    let accusers = || plain().filter(|e| e.scope == Scope::Exact);
    let accuser = accusers()
        .find(|e| e.key.algorithm() == offered.algorithm())
        .or_else(|| accusers().next());
    accuser.map_or(Verdict::Unknown, Verdict::Changed)
}

/// The algorithms of the keys a host is known by, to ask the server for those
/// first: a server with several keys would otherwise present an unknown one.
pub(super) fn known_algorithms(entries: &[Entry]) -> Vec<Algorithm> {
    let plain = entries.iter().filter(|e| e.marker.is_none());
    plain.map(|e| e.key.algorithm()).collect()
}

/// The authorities that may sign this host's certificates.
pub(super) fn authorities(entries: &[Entry]) -> impl Iterator<Item = &Entry> {
    entries
        .iter()
        .filter(|e| e.marker == Some(Marker::CertAuthority))
}

/// The three parts of a line, however many blanks or tabs stand between them.
struct Fields<'a> {
    marker: Option<Marker>,
    hosts: &'a str,
    key: String,
}

impl<'a> Fields<'a> {
    /// `None` for blank lines, comments, unknown markers and torn lines.
    fn split(line: &'a str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let mut hosts = words.next().filter(|first| !first.starts_with('#'))?;
        let mut marker = None;
        if hosts.starts_with('@') {
            marker = Some(hosts.parse().ok()?);
            hosts = words.next()?;
        }
        let (algorithm, data) = (words.next()?, words.next()?);
        Some(Self {
            marker,
            hosts,
            key: format!("{algorithm} {data}"),
        })
    }
}

fn matches(patterns: &HostPatterns, name: &str) -> bool {
    match patterns {
        HostPatterns::HashedName { salt, hash } => {
            // HMAC takes keys of any length.
            let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(salt) else {
                return false;
            };
            mac.update(name.as_bytes());
            mac.verify_slice(hash).is_ok()
        }
        HostPatterns::Patterns(patterns) => matches_list(patterns.iter().map(String::as_str), name),
    }
}

/// Whether a list of patterns, some of them negated, selects a name.
pub(super) fn matches_list<'p>(patterns: impl Iterator<Item = &'p str>, name: &str) -> bool {
    let mut selected = false;
    for pattern in patterns {
        match pattern.strip_prefix('!') {
            Some(pattern) if glob(pattern, name) => return false,
            Some(_) => {}
            None => selected |= glob(pattern, name),
        }
    }
    selected
}

/// `*` is any text, `?` any one character; letters match in either case.
fn glob(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let (mut p, mut n) = (0, 0);
    // The last `*` seen and the part of the name it has swallowed so far.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(b'?') => (p, n) = (p + 1, n + 1),
            Some(c) if c.eq_ignore_ascii_case(&name[n]) => (p, n) = (p + 1, n + 1),
            _ => {
                let Some((at, swallowed)) = star else {
                    return false;
                };
                star = Some((at, swallowed + 1));
                (p, n) = (at + 1, swallowed + 1);
            }
        }
    }
    pattern[p..].iter().all(|&c| c == b'*')
}

#[cfg(test)]
#[path = "known_hosts_tests.rs"]
mod tests;
