//! Points in time. What "now" is comes from the caller, never from a clock.

use super::{Function, FunctionError, Outcome, or_unknown, signature::string, text};
use crate::eval::Context;
use chrono::{DateTime, Datelike, Duration, FixedOffset, SecondsFormat, Timelike};
use std::fmt::Write as _;
use weir_core::{Type, Value};

pub(super) fn functions() -> Vec<Function> {
    vec![
        Function::new("timestamp", [], |_, c| {
            Ok(or_unknown(c.settled.as_ref().map(|s| s.time().clone())))
        })
        .gives(Type::String),
        Function::new("plantimestamp", [], |_, c| Ok(or_unknown(c.now.clone())))
            .gives(Type::String),
        Function::new("timeadd", [string("timestamp"), string("duration")], add)
            .gives(Type::String)
            .may_give_null(),
        Function::new(
            "timecmp",
            [string("timestamp_a"), string("timestamp_b")],
            |a, _| {
                let order = parse(a, 0)?.cmp(&parse(a, 1)?);
                Ok(Value::number(order as i64))
            },
        )
        .gives(Type::Number),
        Function::new(
            "formatdate",
            [string("format"), string("time")],
            format_date,
        )
        .gives(Type::String),
    ]
}

fn parse(args: &[Value], index: usize) -> Outcome<DateTime<FixedOffset>> {
    let written = text(args, index);
    DateTime::parse_from_rfc3339(written)
        // What separates date and time is a capital T, and a zone has no space before it.
        .ok()
        .filter(|_| written.as_bytes().get(10) == Some(&b'T') && !written.contains(' '))
        // A leap second is none that Go knows.
        .filter(|_| written.get(17..19) != Some("60"))
        .ok_or_else(|| {
            FunctionError::Argument(
                index,
                format!(
                    "not a valid RFC3339 timestamp: {written:?}; write it as 2006-01-02T15:04:05Z"
                ),
            )
        })
}

fn add(args: &[Value], _: &Context) -> Outcome {
    let time = parse(args, 0)?;
    let duration = duration(text(args, 1)).ok_or_else(|| {
        FunctionError::Argument(
            1,
            format!("{:?} is not a duration such as \"1h30m\"", text(args, 1)),
        )
    })?;
    let sum = time
        .checked_add_signed(duration)
        .ok_or_else(|| FunctionError::call("the result is out of range"))?;
    let text = sum.to_rfc3339_opts(SecondsFormat::Secs, true);
    Ok(text.trim_start_matches('+').into())
}

/// Go's durations: `-1h30m`, `1.5h`, `300ms`.
fn duration(text: &str) -> Option<Duration> {
    let (negative, mut rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Some(Duration::zero());
    }
    let mut total: f64 = 0.0;
    let mut nanos: i64 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let len = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let (number, after) = rest.split_at(len);
        let unit_len = after
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_len);
        let unit: i64 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let whole: i64 = if whole.is_empty() {
            0
        } else {
            whole.parse().ok()?
        };
        nanos = nanos.checked_add(whole.checked_mul(unit)?)?;
        if !fraction.is_empty() {
            total += format!("0.{fraction}").parse::<f64>().ok()? * unit as f64;
        }
        rest = after;
    }
    // A fraction of an hour is below 2^53 nanoseconds, so the sum is exact enough.
    let nanos = nanos.checked_add(total as i64)?;
    Some(Duration::nanoseconds(if negative { -nanos } else { nanos }))
}

fn format_date(args: &[Value], _: &Context) -> Outcome {
    let time = parse(args, 1)?;
    let mut out = String::new();
    let mut rest = text(args, 0);
    while let Some(c) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("''") {
            out.push('\'');
            rest = after;
            continue;
        }
        if c == '\'' {
            rest = quoted(&rest[1..], &mut out)?;
            continue;
        }
        let len = rest.find(|d| d != c).unwrap_or(rest.len());
        let (token, after) = rest.split_at(len);
        if c.is_ascii_alphabetic() {
            out.push_str(&field(token, &time)?);
        } else {
            out.push_str(token);
        }
        rest = after;
    }
    Ok(out.into())
}

/// Text between single quotes; two of them are one.
fn quoted<'t>(mut rest: &'t str, out: &mut String) -> Outcome<&'t str> {
    loop {
        let Some(end) = rest.find('\'') else {
            return Err(FunctionError::Argument(0, "unterminated literal '".into()));
        };
        out.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('\'') {
            Some(after) => {
                out.push('\'');
                rest = after;
            }
            None => return Ok(rest),
        }
    }
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

fn field(token: &str, time: &DateTime<FixedOffset>) -> Outcome<String> {
    let month = MONTHS
        .get(time.month0() as usize)
        .copied()
        .unwrap_or_default();
    let day = DAYS
        .get(time.weekday().num_days_from_monday() as usize)
        .copied()
        .unwrap_or_default();
    let twelve = time.hour12().1;
    let mut out = String::new();
    let zone = |colon: &str| {
        let seconds = time.offset().local_minus_utc();
        let sign = if seconds < 0 { '-' } else { '+' };
        let minutes = seconds.abs() / 60;
        format!("{sign}{:02}{colon}{:02}", minutes / 60, minutes % 60)
    };
    let utc = time.offset().local_minus_utc() == 0;
    let _ = match token {
        "YYYY" => write!(out, "{:04}", time.year()),
        "YY" => write!(out, "{:02}", time.year().rem_euclid(100)),
        "MMMM" => write!(out, "{month}"),
        "MMM" => write!(out, "{}", &month[..3]),
        "MM" => write!(out, "{:02}", time.month()),
        "M" => write!(out, "{}", time.month()),
        "DD" => write!(out, "{:02}", time.day()),
        "D" => write!(out, "{}", time.day()),
        "EEEE" => write!(out, "{day}"),
        "EEE" => write!(out, "{}", &day[..3]),
        "hh" => write!(out, "{:02}", time.hour()),
        "h" => write!(out, "{}", time.hour()),
        "HH" => write!(out, "{twelve:02}"),
        "H" => write!(out, "{twelve}"),
        "AA" => write!(out, "{}", if time.hour() >= 12 { "PM" } else { "AM" }),
        "aa" => write!(out, "{}", if time.hour() >= 12 { "pm" } else { "am" }),
        "mm" => write!(out, "{:02}", time.minute()),
        "m" => write!(out, "{}", time.minute()),
        "ss" => write!(out, "{:02}", time.second()),
        "s" => write!(out, "{}", time.second()),
        "ZZZZZ" => write!(out, "{}", zone(":")),
        "ZZZZ" => write!(out, "{}", zone("")),
        "ZZZ" if utc => write!(out, "UTC"),
        "ZZZ" => write!(out, "{}", zone("")),
        "Z" if utc => write!(out, "Z"),
        "Z" => write!(out, "{}", zone(":")),
        _ => {
            return Err(FunctionError::Argument(
                0,
                format!(
                    "invalid date format verb {token:?}; put literal text between single quotes"
                ),
            ));
        }
    };
    Ok(out)
}

/// A time as YAML writes it, with digits left out and without the time of day, in RFC 3339 and
/// whole seconds, as Terraform reads it; `None` where it is none.
pub(super) fn of_yaml(text: &str) -> Option<String> {
    let (date, rest) = match text.find(['T', 't', ' ']) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if year.len() != 4 || parts.next().is_some() {
        return None;
    }
    let (clock, offset) = match rest.chars().next() {
        None => ("0:0:0", "Z"),
        // Beside a space there is no zone.
        Some(' ') => (&rest[1..], "Z"),
        Some(_) => {
            let at = rest.find(['Z', '+', '-'])?;
            (&rest[1..at], &rest[at..])
        }
    };
    let (clock, fraction) = clock.split_once(['.', ',']).unwrap_or((clock, "0"));
    let mut parts = clock.split(':');
    let (hour, minute, second) = (parts.next()?, parts.next()?, parts.next()?);
    let short = [month, day, hour, minute, second];
    let is_short = |n: &&str| matches!(n.len(), 1 | 2);
    let all_digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if parts.next().is_some()
        || !short.iter().all(is_short)
        || !short
            .iter()
            .chain([&year, &fraction])
            .all(|s| all_digits(s))
    {
        return None;
    }
    let text = format!("{year}-{month:0>2}-{day:0>2}T{hour:0>2}:{minute:0>2}:{second:0>2}{offset}");
    let time = DateTime::parse_from_rfc3339(&text).ok()?;
    // A leap second is none for Terraform.
    (second.parse::<u8>().ok()? < 60).then(|| time.to_rfc3339_opts(SecondsFormat::Secs, true))
}
