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

const WEB: (&str, u16) = ("web.example.org", 22);
const WEB_2222: (&str, u16) = ("web.example.org", 2222);

/// What a row shows; the file, in which `A`, `B` and `E` stand for keys and `HASHED` for a name;
/// the host; the verdict on key `A`.
#[rustfmt::skip]
const VERDICTS: &[(&str, &str, (&str, u16), &str)] = &[
    ("empty file", "", WEB, "unknown"),
    ("another host", "db.example.org A", WEB, "unknown"),
    ("plain", "web.example.org A", WEB, "trusted"),
    ("upper case", "WEB.Example.org A", WEB, "trusted"),
    ("tabs, a comment", "web.example.org\t \tA  root@web", WEB, "trusted"),
    ("list of names", "10.0.0.1,web.example.org A", WEB, "trusted"),
    ("counts comments", "# old\n\nweb.example.org B", WEB, "changed 3"),
    ("second key", "web.example.org B\nweb.example.org A", WEB, "trusted"),
    ("another algorithm", "web.example.org E", WEB, "changed 1"),
    ("same algorithm first", "web.example.org E\nweb.example.org B", WEB, "changed 2"),
    ("wildcard", "*.example.org A", WEB, "trusted"),
    ("question mark", "we?.example.org A", WEB, "trusted"),
    ("negation", "*.example.org,!web.example.org A", WEB, "unknown"),
    ("negation first", "!web.*,*.example.org A", WEB, "unknown"),
    ("negation of others", "*.example.org,!db.* A", WEB, "trusted"),
    ("hashed", "HASHED A", WEB, "trusted"),
    ("hashed, changed", "HASHED B", WEB, "changed 1"),
    ("hashed with port", "HASHED_PORT A", WEB_2222, "trusted"),
    ("hashed without it", "HASHED_PORT A", WEB, "unknown"),
    ("port", "[web.example.org]:2222 A", WEB_2222, "trusted"),
    ("another port", "[web.example.org]:22 A", WEB_2222, "unknown"),
    ("port line, port 22", "[web.example.org]:2222 A", WEB, "unknown"),
    ("plain line vouches", "web.example.org A", WEB_2222, "trusted"),
    ("plain line accuses not", "web.example.org B", WEB_2222, "unknown"),
    ("wildcard port", "[*.example.org]:* A", WEB_2222, "trusted"),
    ("revoked", "@revoked web.example.org A", WEB, "revoked 1"),
    ("revoked wins", "web.example.org A\n@revoked * A", WEB, "revoked 2"),
    ("revoked by plain name", "[web.example.org]:2222 A\n@revoked web.* A", WEB_2222, "revoked 2"),
    ("revoked for others", "web.example.org A\n@revoked db.* A", WEB, "trusted"),
    ("another key revoked", "@revoked * B\nweb.example.org A", WEB, "trusted"),
    ("revoked accuses not", "@revoked * B", WEB, "unknown"),
    ("authority", "@cert-authority *.example.org A", WEB, "unknown"),
    ("unknown marker", "@trusted web.example.org A", WEB, "unknown"),
    ("broken key", "web.example.org ssh-ed25519 X\nweb.example.org A", WEB, "trusted"),
    ("torn line", "web.example.org\nweb.example.org A", WEB, "trusted"),
    ("broken revocation", "web.example.org A\n@revoked * ssh-ed25519 X", WEB, "bad 2"),
    ("its, of others", "web.example.org A\n@revoked db.* ssh-ed25519 X", WEB, "trusted"),
];

#[test]
fn verdicts() {
    for &(what, text, host, expected) in VERDICTS {
        let words: Vec<_> = text
            .split_inclusive([' ', '\t', '\n'])
            .map(spell_out)
            .collect();
        assert_eq!(verdict(&words.concat(), host, A), expected, "{what}");
    }
}

/// The word with a placeholder replaced; its blank stays.
fn spell_out(word: &str) -> String {
    let bare = word.trim_end();
    let blank = &word[bare.len()..];
    let long = match bare {
        "A" => A.to_owned(),
        "B" => B.to_owned(),
        "E" => ECDSA.to_owned(),
        "HASHED" => hashed("web.example.org"),
        "HASHED_PORT" => hashed("[web.example.org]:2222"),
        other => other.to_owned(),
    };
    long + blank
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

/// A hashed name, as `HashKnownHosts yes` writes it.
fn hashed(name: &str) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    use russh::keys::ssh_key::known_hosts::HostPatterns;
    let salt = b"twenty bytes of salt".to_vec();
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(&salt).expect("any length will do");
    mac.update(name.as_bytes());
    let hash = mac.finalize().into_bytes().into();
    HostPatterns::HashedName { salt, hash }.to_string()
}
