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
fn division_ends_where_it_can() {
    assert_eq!(n("1").div(&n("4")), Some(n("0.25")));
    assert_eq!(n("6").div(&n("3")), Some(n("2")));
    assert_eq!(n("1").div(&n("0")), None);
    assert_eq!(n("5").rem(&n("0")), None);
    assert_eq!(n("-7").rem(&n("3")), Some(n("-1")));
}

/// What Terraform 1.11 prints for each; where it is on the path, the suite of the language asks it.
#[test]
fn what_does_not_end_is_rounded_as_terraform_rounds() {
    let threes = "3".repeat(152);
    let third = n("1").div(&n("3")).unwrap();
    assert_eq!(third.to_string(), format!("0.{threes}335"));
    assert_eq!(third.mul(&n("3")), n("1"));
    assert_eq!(third.add(&third).add(&third), n("1"));
    assert_eq!(third.sub(&third), Number::ZERO);
    assert_eq!(n("1").div(&n("7")).unwrap().mul(&n("7")), n("1"));
    assert_eq!(n("-1").div(&n("3")), Some(third.neg()));
    assert_eq!(n(&third.to_string()), third);
    let big = n("1e160").div(&n("3")).unwrap().to_string();
    assert_eq!(big, format!("{}200000", "3".repeat(154)));
    assert_eq!(n("1e200").add(&n("1")), n("1e200"));
    assert_eq!(n("1e200").rem(&n("0")), None);
}

/// Neighbours are told apart: a number that was printed is read back as itself.
#[test]
fn a_rounded_number_is_read_back_as_itself() {
    for a in 1..40 {
        for b in [3, 7, 11, 13, 1_000_003] {
            let q = n(&a.to_string()).div(&n(&b.to_string())).unwrap();
            assert_eq!(n(&q.to_string()).to_string(), q.to_string(), "{a}/{b}");
            let product = q.mul(&q);
            assert_eq!(n(&product.to_string()), product, "({a}/{b})^2");
        }
    }
}

/// A decimal with as many digits as are kept exactly is no float.
#[test]
fn long_decimals_stay_exact_up_to_their_limit() {
    let long = format!("0.{}7", "1".repeat(151));
    assert_eq!(n(&long).to_string(), long);
    let sum = n(&long).add(&n("1")).to_string();
    assert_eq!(sum, format!("1.{}7", "1".repeat(151)));
}

#[test]
fn text_that_is_no_number_is_refused() {
    for text in ["", "x", "1_000", "0x10", "1.2.3", "--1", "NaN", "inf", " 1"] {
        assert!(Number::from_str(text).is_err(), "{text:?}");
    }
}

/// Terraform takes powers up to about 10^646456993; what is printed without an exponent must have a
/// bound, and a mantissa of any length counts by its first digit.
#[test]
fn powers_have_a_bound() {
    for text in [
        "1e100000",
        "-9.5e100000",
        "1e-100000",
        "0.001e100003",
        "1p4",
    ] {
        let number = n(text);
        assert!(number.is_in_range(), "{text}");
        assert_eq!(n(&number.to_string()), number, "{text}");
    }
    assert_eq!(n("0e999999999"), Number::ZERO);
    for text in [
        "1e100001",
        "10e100000",
        "1e-100001",
        "1e999999999999",
        "1p400000",
        "1p-999999999",
    ] {
        let error = Number::from_str(text).unwrap_err().to_string();
        assert!(error.contains("beyond 10^100000"), "{text}: {error}");
    }
    assert!(!n("1e100000").mul(&n("10")).is_in_range());
    assert!(!n("1e-100000").div(&n("3")).unwrap().is_in_range());
}
