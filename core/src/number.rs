//! Numbers as Terraform has them, and exact where Terraform's are not.
//!
//! A number is a decimal. Whatever fits [`EXACT_BITS`] is computed exactly; what does not (a
//! quotient that never ends, a power of a long number) is computed and rounded as a binary float
//! of 512 bits, and kept as the shortest decimal that stands for that float. So `1 / 3 * 3` is 1,
//! and every number prints as Terraform prints it.

mod float;

use bigdecimal::{BigDecimal, Signed, ToPrimitive, Zero, num_bigint::BigInt};
use float::{Float, PRECISION};
use std::{fmt, str::FromStr, sync::Arc};

/// The digits of a number as an integer have at most this many bits, or it is rounded. Decimals of
/// that length (153 digits) are further apart than floats of 512 bits, so none is mistaken for
/// another.
pub const EXACT_BITS: u64 = 508;

/// The largest power of ten, up or down, that the first digit of a number may stand for. Numbers
/// print without an exponent, and `1e999999999` would need all the memory there is.
pub const EXPONENT_LIMIT: u64 = 100_000;

/// A decimal number. Small integers cost no allocation.
#[derive(Clone)]
pub struct Number(Repr);

/// Invariants: an integer that fits an `i64` is always `Int`, so that equal numbers are equal data;
/// a decimal longer than [`EXACT_BITS`] is the shortest of a float.
#[derive(Clone)]
enum Repr {
    Int(i64),
    Big(Arc<BigDecimal>),
}

/// The text is no number that can be kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseNumberError {
    /// It is not a number at all.
    #[error("{0:?} is not a decimal number")]
    NotDecimal(String),
    /// It is one beyond [`EXPONENT_LIMIT`].
    #[error("{0:?} is a number beyond 10^{EXPONENT_LIMIT} or below 10^-{EXPONENT_LIMIT}")]
    OutOfRange(String),
}

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

    /// From a big decimal, rounded where it is longer than [`EXACT_BITS`].
    pub fn from_decimal(d: BigDecimal) -> Number {
        let d = d.normalized();
        if is_short(&d) {
            Number::normal(d)
        } else {
            Number::from_float(&Float::from(&d))
        }
    }

    fn from_float(f: &Float) -> Number {
        Number::normal(f.shortest_within(PRECISION))
    }

    fn normal(d: BigDecimal) -> Number {
        if d.is_integer()
            && let Some(i) = d.to_i64()
        {
            return Number(Repr::Int(i));
        }
        Number(Repr::Big(Arc::new(d)))
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
        if !f.is_finite() {
            return None;
        }
        Some(Number::normal(Float::from_f64(f).shortest_within(53)))
    }

    /// Whether the number has no fraction.
    pub fn is_integer(&self) -> bool {
        match &self.0 {
            Repr::Int(_) => true,
            Repr::Big(b) => b.is_integer(),
        }
    }

    /// Whether it is within [`EXPONENT_LIMIT`]. Results of two numbers that are may not be: they
    /// are small all the same, but they must not be computed with further.
    pub fn is_in_range(&self) -> bool {
        match &self.0 {
            Repr::Int(_) => true,
            Repr::Big(b) => in_range(b),
        }
    }

    /// Whether the number is below zero.
    pub fn is_negative(&self) -> bool {
        match &self.0 {
            Repr::Int(i) => *i < 0,
            Repr::Big(b) => b.is_negative(),
        }
    }

    /// The sum.
    pub fn add(&self, other: &Number) -> Number {
        if let (Repr::Int(a), Repr::Int(b)) = (&self.0, &other.0)
            && let Some(c) = a.checked_add(*b)
        {
            return Number(Repr::Int(c));
        }
        self.combine(other, |a, b| Some(a + b), Float::add)
    }

    /// The difference.
    pub fn sub(&self, other: &Number) -> Number {
        if let (Repr::Int(a), Repr::Int(b)) = (&self.0, &other.0)
            && let Some(c) = a.checked_sub(*b)
        {
            return Number(Repr::Int(c));
        }
        self.combine(other, |a, b| Some(a - b), Float::sub)
    }

    /// The product.
    pub fn mul(&self, other: &Number) -> Number {
        if let (Repr::Int(a), Repr::Int(b)) = (&self.0, &other.0)
            && let Some(c) = a.checked_mul(*b)
        {
            return Number(Repr::Int(c));
        }
        self.combine(other, |a, b| Some(a * b), Float::mul)
    }

    /// The quotient; `None` when dividing by zero.
    pub fn div(&self, other: &Number) -> Option<Number> {
        if let (Repr::Int(a), Repr::Int(b)) = (&self.0, &other.0)
            && let (Some(q), Some(0)) = (a.checked_div(*b), a.checked_rem(*b))
        {
            return Some(Number(Repr::Int(q)));
        }
        (!other.is_zero()).then(|| self.combine(other, finite_quotient, Float::div))
    }

    /// The remainder with the sign of the dividend; `None` when dividing by zero.
    pub fn rem(&self, other: &Number) -> Option<Number> {
        if let (Repr::Int(a), Repr::Int(b)) = (&self.0, &other.0)
            && let Some(r) = a.checked_rem(*b)
        {
            return Some(Number(Repr::Int(r)));
        }
        (!other.is_zero()).then(|| self.combine(other, |a, b| Some(a % b), Float::rem))
    }

    fn is_zero(&self) -> bool {
        matches!(self.0, Repr::Int(0))
    }

    /// Exactly where both operands and the result are short, with floats otherwise.
    fn combine(
        &self,
        other: &Number,
        exact: fn(&BigDecimal, &BigDecimal) -> Option<BigDecimal>,
        rounded: fn(&Float, &Float) -> Float,
    ) -> Number {
        let (a, b) = (self.to_decimal(), other.to_decimal());
        if is_short(&a)
            && is_short(&b)
            && let Some(result) = exact(&a, &b).map(|d| d.normalized())
            && is_short(&result)
        {
            return Number::normal(result);
        }
        Number::from_float(&rounded(&Float::from(&a), &Float::from(&b)))
    }

    fn times_two_to(&self, exponent: i64) -> Number {
        let two = BigInt::from(2).pow(u32::try_from(exponent.unsigned_abs()).unwrap_or(0));
        let two = Number::from_decimal(BigDecimal::from(two));
        match exponent < 0 {
            true => self.div(&two).unwrap_or(Number::ZERO),
            false => self.mul(&two),
        }
    }

    /// The number with its sign turned.
    pub fn neg(&self) -> Number {
        Number::ZERO.sub(self)
    }
}

/// Whether a decimal without zeros at its end is kept as it is.
fn is_short(d: &BigDecimal) -> bool {
    d.as_bigint_and_scale().0.bits() <= EXACT_BITS
}

/// Whether the first digit stands for a power of ten within the limit.
fn in_range(d: &BigDecimal) -> bool {
    let digits = i128::from(d.digits());
    let power = digits - 1 - i128::from(d.fractional_digit_count());
    power.unsigned_abs() <= u128::from(EXPONENT_LIMIT)
}

/// The quotient where it ends within the digits that are kept; the divisor is not zero.
fn finite_quotient(dividend: &BigDecimal, divisor: &BigDecimal) -> Option<BigDecimal> {
    let (a, a_scale) = dividend.as_bigint_and_scale();
    let (b, b_scale) = divisor.as_bigint_and_scale();
    // Each digit takes more than three bits.
    let shift = u32::try_from((EXACT_BITS + b.bits()) / 3).ok()?;
    let a = &*a * BigInt::from(10).pow(shift);
    let quotient = &a / &*b;
    let ends = a == &quotient * &*b;
    ends.then(|| BigDecimal::new(quotient, a_scale - b_scale + i64::from(shift)))
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
        // As Go has it, `1p4` is one with four binary places.
        if let Some((mantissa, exponent)) = s.split_once(['p', 'P']) {
            let no_number = || ParseNumberError::NotDecimal(s.into());
            if mantissa.contains(['e', 'E']) {
                return Err(no_number());
            }
            let mantissa: Number = mantissa.parse().map_err(|_| no_number())?;
            let exponent: i64 = exponent.parse().map_err(|_| no_number())?;
            // A power of two has fewer digits than the power of ten.
            return (exponent.unsigned_abs() <= EXPONENT_LIMIT)
                .then(|| mantissa.times_two_to(exponent))
                .filter(Number::is_in_range)
                .ok_or_else(|| ParseNumberError::OutOfRange(s.into()));
        }
        // `BigDecimal` also takes `1_000`, which no configuration language does.
        if s.contains('_') || s.is_empty() {
            return Err(ParseNumberError::NotDecimal(s.into()));
        }
        let decimal =
            BigDecimal::from_str(s).map_err(|_| ParseNumberError::NotDecimal(s.into()))?;
        if decimal.is_zero() {
            return Ok(Number::ZERO);
        }
        match in_range(&decimal) {
            true => Ok(Number::from_decimal(decimal)),
            false => Err(ParseNumberError::OutOfRange(s.into())),
        }
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
