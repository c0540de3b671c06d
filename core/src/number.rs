//! Exact decimal numbers.
//!
//! Addition, subtraction and multiplication are exact; a division that does not end is rounded to
//! [`DIVISION_DIGITS`] significant digits, which is more than the 512-bit mantissa of Terraform.

use bigdecimal::{BigDecimal, RoundingMode, Signed, ToPrimitive, Zero, num_bigint::BigInt};
use std::{fmt, num::NonZeroU64, str::FromStr, sync::Arc};

/// Significant digits of a quotient that has no finite decimal expansion.
pub const DIVISION_DIGITS: u64 = 155;

/// The largest power of ten, up or down, that text may ask for.
pub const EXPONENT_LIMIT: u64 = 20_000;

/// An exact decimal number. Small integers cost no allocation.
#[derive(Clone)]
pub struct Number(Repr);

/// Invariant: an integer that fits an `i64` is always `Int`, so that equal numbers are equal data.
#[derive(Clone)]
enum Repr {
    Int(i64),
    Big(Arc<BigDecimal>),
}

/// The text is not a decimal number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a decimal number")]
pub struct ParseNumberError(String);

impl Number {
    /// Zero.
    pub const ZERO: Number = Number(Repr::Int(0));

    /// The number as a big decimal.
    pub fn to_decimal(&self) -> BigDecimal {
        match &self.0 {
            Repr::Int(i) => BigDecimal::from(*i),
            Repr::Big(b) => (**b).clone(),
        }
    }

    /// From a big decimal, normalised.
    pub fn from_decimal(d: BigDecimal) -> Number {
        if d.is_integer()
            && let Some(i) = d.to_i64()
        {
            return Number(Repr::Int(i));
        }
        Number(Repr::Big(Arc::new(d.normalized())))
    }

    /// The integer, where the number is one and fits.
    pub fn as_i64(&self) -> Option<i64> {
        match &self.0 {
            Repr::Int(i) => Some(*i),
            Repr::Big(_) => None,
        }
    }

    /// The nearest double.
    pub fn to_f64(&self) -> f64 {
        match &self.0 {
            Repr::Int(i) => *i as f64,
            Repr::Big(b) => b.to_f64().unwrap_or(f64::NAN),
        }
    }

    /// From a double, by its shortest decimal form; `None` for infinities and NaN.
    pub fn from_f64(f: f64) -> Option<Number> {
        f.is_finite()
            .then(|| Number::from_str(&format!("{f}")).ok())?
    }

    /// Whether the number has no fraction.
    pub fn is_integer(&self) -> bool {
        match &self.0 {
            Repr::Int(_) => true,
            Repr::Big(b) => b.is_integer(),
        }
    }

    /// Whether the number is below zero.
    pub fn is_negative(&self) -> bool {
        match &self.0 {
            Repr::Int(i) => *i < 0,
            Repr::Big(b) => b.is_negative(),
        }
    }

    /// The sum, exact.
    pub fn add(&self, other: &Number) -> Number {
        if let (Repr::Int(a), Repr::Int(b)) = (&self.0, &other.0)
            && let Some(c) = a.checked_add(*b)
        {
            return Number(Repr::Int(c));
        }
        Number::from_decimal(self.to_decimal() + other.to_decimal())
    }

    /// The difference, exact.
    pub fn sub(&self, other: &Number) -> Number {
        if let (Repr::Int(a), Repr::Int(b)) = (&self.0, &other.0)
            && let Some(c) = a.checked_sub(*b)
        {
            return Number(Repr::Int(c));
        }
        Number::from_decimal(self.to_decimal() - other.to_decimal())
    }

    /// The product, exact.
    pub fn mul(&self, other: &Number) -> Number {
        if let (Repr::Int(a), Repr::Int(b)) = (&self.0, &other.0)
            && let Some(c) = a.checked_mul(*b)
        {
            return Number(Repr::Int(c));
        }
        Number::from_decimal(self.to_decimal() * other.to_decimal())
    }

    /// The quotient, to [`DIVISION_DIGITS`] digits; `None` when dividing by zero.
    pub fn div(&self, other: &Number) -> Option<Number> {
        if let (Repr::Int(a), Repr::Int(b)) = (&self.0, &other.0)
            && let (Some(q), Some(0)) = (a.checked_div(*b), a.checked_rem(*b))
        {
            return Some(Number(Repr::Int(q)));
        }
        let (dividend, divisor) = (self.to_decimal(), other.to_decimal());
        if divisor.is_zero() {
            return None;
        }
        // The crate's own division stops at 100 digits: scale the dividend and divide integers.
        let wanted = i64::try_from(DIVISION_DIGITS + divisor.digits()).unwrap_or(i64::MAX) + 2;
        let shift = (wanted - i64::try_from(dividend.digits()).unwrap_or(0)).max(0);
        let ((a, a_scale), (b, b_scale)) = (
            dividend.into_bigint_and_exponent(),
            divisor.into_bigint_and_exponent(),
        );
        let quotient = (a * BigInt::from(10).pow(u32::try_from(shift).ok()?)) / b;
        let quotient = BigDecimal::new(quotient, a_scale - b_scale + shift);
        let digits = NonZeroU64::new(DIVISION_DIGITS)?;
        let quotient = quotient.with_precision_round(digits, RoundingMode::HalfEven);
        Some(Number::from_decimal(quotient))
    }

    /// The remainder with the sign of the dividend; `None` when dividing by zero.
    pub fn rem(&self, other: &Number) -> Option<Number> {
        if let (Repr::Int(a), Repr::Int(b)) = (&self.0, &other.0) {
            return a.checked_rem(*b).map(|r| Number(Repr::Int(r)));
        }
        let d = other.to_decimal();
        (!d.is_zero()).then(|| Number::from_decimal(self.to_decimal() % d))
    }

    /// The number with its sign turned.
    pub fn neg(&self) -> Number {
        Number::ZERO.sub(self)
    }
}

impl From<i64> for Number {
    fn from(i: i64) -> Self {
        Number(Repr::Int(i))
    }
}

impl From<u64> for Number {
    fn from(u: u64) -> Self {
        Number::from_decimal(BigDecimal::from(u))
    }
}

impl FromStr for Number {
    type Err = ParseNumberError;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        if let Ok(i) = s.parse::<i64>()
            && !s.starts_with('+')
        {
            return Ok(Number(Repr::Int(i)));
        }
        // `BigDecimal` also takes `1_000`, which no configuration language does.
        if s.contains('_') || s.is_empty() {
            return Err(ParseNumberError(s.into()));
        }
        BigDecimal::from_str(s)
            .ok()
            // Printing `1e999999999` would need all the memory there is.
            .filter(|d| d.fractional_digit_count().unsigned_abs() <= EXPONENT_LIMIT)
            .map(Number::from_decimal)
            .ok_or_else(|| ParseNumberError(s.into()))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Number {}
impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Number {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        match (&self.0, &other.0) {
            (Repr::Int(a), Repr::Int(b)) => a.cmp(b),
            _ => self.to_decimal().cmp(&other.to_decimal()),
        }
    }
}
impl std::hash::Hash for Number {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        match &self.0 {
            Repr::Int(i) => i.hash(state),
            Repr::Big(b) => b.hash(state),
        }
    }
}
impl fmt::Display for Number {
    /// Plain decimal notation, never an exponent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Int(i) => write!(f, "{i}"),
            Repr::Big(b) => f.write_str(&b.to_plain_string()),
        }
    }
}
impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
