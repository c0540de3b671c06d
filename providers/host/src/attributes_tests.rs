use super::{duration_ms, mode};

#[test]
fn durations() {
    let table = [
        ("10s", Some(10_000)),
        ("500ms", Some(500)),
        ("1h30m", Some(5_400_000)),
        ("2d", Some(172_800_000)),
        ("0s", Some(0)),
        (" 5m ", Some(300_000)),
        ("", None),
        ("10", None),
        ("s", None),
        ("1.5s", None),
        ("-1s", None),
        ("10 s", None),
        ("10w", None),
        ("99999999999999999999s", None),
        ("999999999999999999d", None),
    ];
    for (text, expected) in table {
        assert_eq!(duration_ms(text).ok(), expected, "{text:?}");
    }
}

#[test]
fn modes() {
    let table = [
        ("0644", Some(0o644)),
        ("755", Some(0o755)),
        ("4755", Some(0o4755)),
        ("0o644", None),
        ("rw-r--r--", None),
        ("0888", None),
        ("17777", None),
        ("+644", None),
        ("", None),
    ];
    for (text, expected) in table {
        assert_eq!(mode(text).ok(), expected, "{text:?}");
    }
}
