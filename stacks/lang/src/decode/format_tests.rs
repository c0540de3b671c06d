use super::{Format, parse_duration, parse_size};
use weir_core::Value;

#[test]
fn durations() {
    let cases = [
        ("0s", Some(0)),
        ("200ms", Some(200)),
        ("30s", Some(30_000)),
        ("1.5s", Some(1_500)),
        ("1m30s", Some(90_000)),
        ("1d2h3m4s5ms", Some(93_784_005)),
        ("", None),
        ("30", None),
        ("s", None),
        ("30 s", None),
        ("30s1m", None),
        ("1s1s", None),
        ("5 minutes", None),
        ("-1s", None),
        ("1e3s", None),
        ("99999999999d", None),
    ];
    for (text, wanted) in cases {
        assert_eq!(parse_duration(text), wanted, "{text:?}");
    }
}

#[test]
fn sizes() {
    let cases = [
        ("512MiB", Some(512 << 20)),
        ("4GiB", Some(4 << 30)),
        ("4 GiB", Some(4 << 30)),
        ("1.5kB", Some(1_500)),
        ("2KiB", Some(2048)),
        ("1TB", Some(1_000_000_000_000)),
        ("100", None),
        ("GiB", None),
        ("20 gigs", None),
        ("-1GiB", None),
        ("0B", None),
        ("99999999TiB", None),
    ];
    for (text, wanted) in cases {
        assert_eq!(parse_size(text), wanted, "{text:?}");
    }
}

#[test]
fn forms() {
    let s = |text: &str| Value::string(text);
    let cases = [
        (Format::FileMode, s("0644"), true),
        (Format::FileMode, s("755"), true),
        (Format::FileMode, s("0999"), false),
        (Format::Signal, s("SIGHUP"), true),
        (Format::Signal, s("term"), true),
        (Format::Signal, s("NUKE"), false),
        (Format::Port, Value::number(65535_i64), true),
        (Format::Port, Value::number(0_i64), false),
        (Format::Count, Value::number(0_i64), false),
        (Format::Positive, Value::number(0_i64), false),
        (Format::Sha256, s(&"a".repeat(64)), true),
        (Format::Sha256, s(&"g".repeat(64)), false),
        (Format::Duration, Value::null(), true),
        (
            Format::Duration,
            Value::unknown(weir_core::Type::String),
            true,
        ),
    ];
    for (format, value, fits) in cases {
        assert_eq!(format.check(&value).is_ok(), fits, "{format:?} {value}");
    }
}
