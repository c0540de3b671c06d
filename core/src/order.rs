//! The order of values in a set, as Terraform has it: text by bytes, numbers by size, `false`
//! before `true`, then what is unknown, then null. Collections and objects are in the order of a
//! canonical text of them, in which the number 10 stands before 9.

use crate::value::{Kind, Value};
use std::cmp::Ordering;

impl Ord for Kind {
    fn cmp(&self, other: &Kind) -> Ordering {
        let certain = |kind: &Kind| match kind {
            Kind::Unknown(..) => 1,
            Kind::Null(_) => 2,
            _ => 0,
        };
        certain(self)
            .cmp(&certain(other))
            .then_with(|| match (self, other) {
                (Kind::Null(a), Kind::Null(b)) => a.cmp(b),
                (Kind::Unknown(a, x), Kind::Unknown(b, y)) => a.cmp(b).then_with(|| x.cmp(y)),
                (Kind::Bool(a), Kind::Bool(b)) => a.cmp(b),
                (Kind::Number(a), Kind::Number(b)) => a.cmp(b),
                (Kind::String(a), Kind::String(b)) => a.cmp(b),
                _ => canonical(self, other).then_with(|| structural(self, other)),
            })
    }
}

impl PartialOrd for Kind {
    fn partial_cmp(&self, other: &Kind) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The order of the canonical texts, without writing them.
fn canonical(a: &Kind, b: &Kind) -> Ordering {
    match (a, b) {
        (Kind::Bool(a), Kind::Bool(b)) => a.cmp(b),
        (Kind::Number(a), Kind::Number(b)) => {
            let text = |n: &crate::Number| format!("{};", short(n.to_f64()));
            text(a).cmp(&text(b))
        }
        (Kind::String(a), Kind::String(b)) => quoted(a).cmp(quoted(b)),
        (Kind::List(..) | Kind::Set(..), Kind::List(..) | Kind::Set(..))
        | (Kind::Tuple(_), Kind::Tuple(_))
        | (Kind::Object(_), Kind::Object(_)) => {
            sequence(&mut elements(a), &mut elements(b), closing(a))
        }
        (Kind::Map(_, a), Kind::Map(_, b)) => {
            let (mut a, mut b) = (a.iter(), b.iter());
            loop {
                match (a.next(), b.next()) {
                    (None, None) => return Ordering::Equal,
                    // A key's quote is less than the brace that closes.
                    (Some(_), None) => return Ordering::Less,
                    (None, Some(_)) => return Ordering::Greater,
                    (Some((ka, va)), Some((kb, vb))) => {
                        let order = quoted(ka)
                            .cmp(quoted(kb))
                            .then_with(|| canonical(va.kind(), vb.kind()));
                        if order.is_ne() {
                            return order;
                        }
                    }
                }
            }
        }
        _ => opening(a).cmp(&opening(b)),
    }
}

type Elements<'a> = Box<dyn Iterator<Item = &'a Value> + 'a>;

fn elements(kind: &Kind) -> Elements<'_> {
    match kind {
        Kind::List(_, items) | Kind::Tuple(items) => Box::new(items.iter()),
        Kind::Set(_, items) => Box::new(items.iter()),
        Kind::Map(_, entries) | Kind::Object(entries) => Box::new(entries.values()),
        _ => Box::new(std::iter::empty()),
    }
}

fn sequence(a: &mut Elements<'_>, b: &mut Elements<'_>, closing: u8) -> Ordering {
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (Some(a), Some(b)) => canonical(a.kind(), b.kind()),
            (Some(a), None) => opening(a.kind()).cmp(&closing),
            (None, Some(b)) => closing.cmp(&opening(b.kind())),
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// The first byte of the canonical text.
fn opening(kind: &Kind) -> u8 {
    match kind {
        Kind::Null(_) => b'~',
        Kind::Unknown(..) => b'?',
        Kind::Bool(true) => b'T',
        Kind::Bool(false) => b'F',
        Kind::Number(n) if n.is_negative() => b'-',
        Kind::Number(_) => b'0',
        Kind::String(_) => b'"',
        Kind::List(..) | Kind::Set(..) => b'[',
        Kind::Map(..) => b'{',
        Kind::Object(_) | Kind::Tuple(_) => b'<',
    }
}

fn closing(kind: &Kind) -> u8 {
    match kind {
        Kind::List(..) | Kind::Set(..) => b']',
        _ => b'>',
    }
}

/// Text between quotes, escaped.
fn quoted(text: &str) -> impl Iterator<Item = char> + '_ {
    let escaped = text.chars().flat_map(|c| {
        let short = match c {
            '"' | '\\' => Some(c),
            '\u{7}' => Some('a'),
            '\u{8}' => Some('b'),
            '\u{c}' => Some('f'),
            '\n' => Some('n'),
            '\r' => Some('r'),
            '\t' => Some('t'),
            '\u{b}' => Some('v'),
            _ => None,
        };
        let long = match (short, c) {
            (Some(short), _) => format!("\\{short}"),
            (None, c) if c.is_ascii_control() => format!("\\x{:02x}", u32::from(c)),
            (None, c) if c.is_control() => format!("\\u{:04x}", u32::from(c)),
            (None, c) => c.to_string(),
        };
        long.chars().collect::<Vec<_>>()
    });
    std::iter::once('"')
        .chain(escaped)
        .chain(std::iter::once('"'))
}

/// A number with ten digits at most: `0.1`, `1.23456789e+22`.
fn short(number: f64) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    let scientific = format!("{number:.9e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trimmed = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    if (-4..10).contains(&exponent) {
        let places = usize::try_from(9 - exponent).unwrap_or(0);
        return trimmed(&format!("{number:.places$}"));
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", trimmed(digits), exponent.abs())
}

/// Values that differ are never equal, however alike their texts are.
fn structural(a: &Kind, b: &Kind) -> Ordering {
    let rank = |kind: &Kind| match kind {
        Kind::Null(_) => 0,
        Kind::Unknown(..) => 1,
        Kind::Bool(_) => 2,
        Kind::Number(_) => 3,
        Kind::String(_) => 4,
        Kind::List(..) => 5,
        Kind::Set(..) => 6,
        Kind::Map(..) => 7,
        Kind::Object(_) => 8,
        Kind::Tuple(_) => 9,
    };
    match (a, b) {
        (Kind::List(t, x), Kind::List(u, y)) => t.cmp(u).then_with(|| x.cmp(y)),
        (Kind::Set(t, x), Kind::Set(u, y)) => t.cmp(u).then_with(|| x.cmp(y)),
        (Kind::Map(t, x), Kind::Map(u, y)) => t.cmp(u).then_with(|| x.cmp(y)),
        (Kind::Object(x), Kind::Object(y)) => x.cmp(y),
        (Kind::Tuple(x), Kind::Tuple(y)) => x.cmp(y),
        _ => rank(a).cmp(&rank(b)),
    }
}
