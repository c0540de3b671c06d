//! Exactness of numbers.

#![allow(clippy::unwrap_used)] // helpers of tests

use std::str::FromStr;
use weir_core::Number;

fn n(s: &str) -> Number {
    Number::from_str(s).unwrap()
}

#[test]
fn sums_and_products_are_exact() {
    assert_eq!(
        n("123456789012345678901234567890").add(&n("1")).to_string(),
        "123456789012345678901234567891"
    );
    assert_eq!(n("0.1").add(&n("0.2")), n("0.3"));
    assert_eq!(
        n("9223372036854775807").add(&n("1")).to_string(),
        "9223372036854775808"
    );
    assert_eq!(
        n("-9223372036854775808").neg().to_string(),
        "9223372036854775808"
    );
    assert_eq!(n("1e30").mul(&n("1e-30")), n("1"));
}

#[test]
fn equal_numbers_are_equal_whatever_way_they_were_written() {
    for (a, b) in [
        ("1", "1.0"),
        ("100", "1e2"),
        ("0.5", "5e-1"),
        ("0", "-0"),
        ("1e2", "100.00"),
    ] {
        assert_eq!(n(a), n(b), "{a} {b}");
        assert_eq!(n(a).to_string(), n(b).to_string());
    }
    assert!(n("2") < n("10"));
    assert!(n("-0.5") < n("0"));
}

#[test]
fn division_ends_where_it_can_and_is_long_where_it_cannot() {
    assert_eq!(n("1").div(&n("4")), Some(n("0.25")));
    assert_eq!(n("6").div(&n("3")), Some(n("2")));
    assert_eq!(n("1").div(&n("0")), None);
    assert_eq!(n("5").rem(&n("0")), None);
    assert_eq!(n("-7").rem(&n("3")), Some(n("-1")));
    let third = n("1").div(&n("3")).unwrap().to_string();
    assert!(third.len() > 150 && third.starts_with("0.3333"), "{third}");
}

#[test]
fn text_that_is_no_number_is_refused() {
    for text in ["", "x", "1_000", "0x10", "1.2.3", "--1", "NaN", "inf", " 1"] {
        assert!(Number::from_str(text).is_err(), "{text:?}");
    }
}
