use std::path::Path;

use super::{Verdict, authorities, judge, known_algorithms, lookup_name, matches_list, select};
use russh::keys::{Algorithm, PublicKey};

const A: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB9dG4kjRhQTtWTVzd2t27+t0DEHBPW7iOD23TUiYLio";
const B: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti";
const ECDSA: &str = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBHwf2HMM5TRXvo2SQJjsNkiDD5KqiiNjrGVv3UUh+mMT5RHxiRtOnlqvjhQtBq0VpmpCV/PwUdhOig4vkbqAcEc=";

fn key(line: &str) -> PublicKey {
    PublicKey::from_openssh(line).expect("the test's own key")
}

/// The verdict on `offered` for `host`, as one word and a line number.
fn verdict(text: &str, host: (&str, u16), offered: &str) -> String {
    match select(text, Path::new("kh"), host.0, host.1) {
        Err(bad) => format!("bad {}", bad.location.line),
        Ok(entries) => match judge(&entries, &key(offered)) {
            Verdict::Trusted => "trusted".into(),
            Verdict::Unknown => "unknown".into(),
            Verdict::Changed(entry) => format!("changed {}", entry.location.line),
            Verdict::Revoked(entry) => format!("revoked {}", entry.location.line),
        },
    }
}

#[test]
fn verdicts() {
    let web = ("web.example.org", 22);
    let web_2222 = ("web.example.org", 2222);
    let hashed = hashed_line("web.example.org", A);
    let hashed_port = hashed_line("[web.example.org]:2222", A);
    // (what it shows, file, host, offered key, verdict)
    let table = [
        ("empty file", "".to_owned(), web, A, "unknown"),
        (
            "another host",
            format!("db.example.org {A}"),
            web,
            A,
            "unknown",
        ),
        ("plain", format!("web.example.org {A}"), web, A, "trusted"),
        (
            "upper case",
            format!("WEB.Example.org {A}"),
            web,
            A,
            "trusted",
        ),
        (
            "tabs and comment",
            format!("web.example.org\t{}  root@web", A.replace(' ', "\t")),
            web,
            A,
            "trusted",
        ),
        (
            "list of names",
            format!("10.0.0.1,web.example.org {A}"),
            web,
            A,
            "trusted",
        ),
        (
            "line number counts comments",
            format!("# old\n\nweb.example.org {B}"),
            web,
            A,
            "changed 3",
        ),
        (
            "second key of one algorithm",
            format!("web.example.org {B}\nweb.example.org {A}"),
            web,
            A,
            "trusted",
        ),
        (
            "another algorithm is a change",
            format!("web.example.org {ECDSA}"),
            web,
            A,
            "changed 1",
        ),
        (
            "same algorithm is named first",
            format!("web.example.org {ECDSA}\nweb.example.org {B}"),
            web,
            A,
            "changed 2",
        ),
        ("wildcard", format!("*.example.org {A}"), web, A, "trusted"),
        (
            "question mark",
            format!("we?.example.org {A}"),
            web,
            A,
            "trusted",
        ),
        (
            "negation wins",
            format!("*.example.org,!web.example.org {A}"),
            web,
            A,
            "unknown",
        ),
        (
            "negation wins in any order",
            format!("!web.*,*.example.org {A}"),
            web,
            A,
            "unknown",
        ),
        (
            "negation of others",
            format!("*.example.org,!db.* {A}"),
            web,
            A,
            "trusted",
        ),
        ("hashed", hashed.clone(), web, A, "trusted"),
        ("hashed, changed", hashed, web, B, "changed 1"),
        ("hashed with port", hashed_port, web_2222, A, "trusted"),
        (
            "port",
            format!("[web.example.org]:2222 {A}"),
            web_2222,
            A,
            "trusted",
        ),
        (
            "port of another",
            format!("[web.example.org]:22 {A}"),
            web_2222,
            A,
            "unknown",
        ),
        (
            "port line does not serve 22",
            format!("[web.example.org]:2222 {A}"),
            web,
            A,
            "unknown",
        ),
        (
            "plain line vouches for a port",
            format!("web.example.org {A}"),
            web_2222,
            A,
            "trusted",
        ),
        (
            "plain line accuses no port",
            format!("web.example.org {B}"),
            web_2222,
            A,
            "unknown",
        ),
        (
            "wildcard over port",
            format!("[*.example.org]:* {A}"),
            web_2222,
            A,
            "trusted",
        ),
        (
            "revoked",
            format!("@revoked web.example.org {A}"),
            web,
            A,
            "revoked 1",
        ),
        (
            "revoked beats trusted",
            format!("web.example.org {A}\n@revoked * {A}"),
            web,
            A,
            "revoked 2",
        ),
        (
            "revoked on plain name counts for a port",
            format!("[web.example.org]:2222 {A}\n@revoked web.example.org {A}"),
            web_2222,
            A,
            "revoked 2",
        ),
        (
            "revoked for others",
            format!("web.example.org {A}\n@revoked db.* {A}"),
            web,
            A,
            "trusted",
        ),
        (
            "another key revoked",
            format!("@revoked * {B}\nweb.example.org {A}"),
            web,
            A,
            "trusted",
        ),
        (
            "revoked key accuses nobody",
            format!("@revoked * {B}"),
            web,
            A,
            "unknown",
        ),
        (
            "authority is no host key",
            format!("@cert-authority *.example.org {A}"),
            web,
            A,
            "unknown",
        ),
        (
            "unknown marker is passed over",
            format!("@trusted web.example.org {A}"),
            web,
            A,
            "unknown",
        ),
        (
            "broken key is passed over",
            format!("web.example.org ssh-ed25519 AAAA\nweb.example.org {A}"),
            web,
            A,
            "trusted",
        ),
        (
            "torn line is passed over",
            format!("web.example.org\nweb.example.org {A}"),
            web,
            A,
            "trusted",
        ),
        (
            "broken revocation is refused",
            format!("web.example.org {A}\n@revoked * ssh-ed25519 AAAA"),
            web,
            A,
            "bad 2",
        ),
        (
            "broken revocation of others",
            format!("web.example.org {A}\n@revoked db.* ssh-ed25519 AAAA"),
            web,
            A,
            "trusted",
        ),
    ];
    for (what, text, host, offered, expected) in table {
        assert_eq!(verdict(&text, host, offered), expected, "{what}: {text}");
    }
}

#[test]
fn names_are_listed_with_their_port_off_22() {
    assert_eq!(lookup_name("Web.Example.Org", 22), "web.example.org");
    assert_eq!(lookup_name("10.0.0.1", 2222), "[10.0.0.1]:2222");
    assert_eq!(lookup_name("fe80::1", 22), "fe80::1");
    assert_eq!(lookup_name("fe80::1", 2222), "[fe80::1]:2222");
}

#[test]
fn globs() {
    let table = [
        ("*", "", true),
        ("", "", true),
        ("", "a", false),
        ("a*b*c", "axxbyyc", true),
        ("a*b*c", "axxbyy", false),
        ("*.example.org", "example.org", false),
        ("*a", "banana", true),
        ("?", "", false),
        ("[a]", "a", false),
        ("10.0.*.1", "10.0.12.1", true),
        ("a**", "a", true),
    ];
    for (pattern, name, expected) in table {
        let got = matches_list([pattern].into_iter(), name);
        assert_eq!(got, expected, "{pattern} against {name}");
    }
}

#[test]
fn algorithms_come_from_plain_keys_alone() {
    let text = format!("web {ECDSA}\n@cert-authority web {A}\n@revoked web {B}");
    let entries = select(&text, Path::new("kh"), "web", 22).expect("a sound file");
    let algorithms = known_algorithms(&entries);
    assert!(matches!(algorithms[..], [Algorithm::Ecdsa { .. }]));
    let lines: Vec<_> = authorities(&entries).map(|e| e.location.line).collect();
    assert_eq!(lines, [2]);
}

/// A line with a hashed name, as `HashKnownHosts yes` writes it.
fn hashed_line(name: &str, key: &str) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    use russh::keys::ssh_key::known_hosts::HostPatterns;
    let salt = b"twenty bytes of salt".to_vec();
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(&salt).expect("any length will do");
    mac.update(name.as_bytes());
    let hash = mac.finalize().into_bytes().into();
    format!(
        "{} {key}",
        HostPatterns::HashedName { salt, hash }.to_string()
    )
}
