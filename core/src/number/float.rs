//! Binary floats with a mantissa of 512 bits, as Terraform's numbers are.
//!
//! Results are rounded to the nearest, ties to even. [`Float::shortest_within`] is the way back: the
//! fewest decimal digits that no other float of this size is nearer to, chosen as Go's
//! `big.Float` chooses them for Terraform.

use bigdecimal::{
    BigDecimal, Zero,
    num_bigint::{BigInt, BigUint, Sign},
};

/// Bits of a mantissa.
pub(super) const PRECISION: u64 = 512;

/// `mantissa · 2^exponent`, with a mantissa of at most [`PRECISION`] bits (or the power of two
/// above it).
pub(super) struct Float {
    mantissa: BigInt,
    exponent: i64,
}

/// Whether a magnitude goes on below its last bit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tail {
    Zero,
    More,
}

impl Float {
    /// The nearest float. A magnitude with a tail must have more bits than the precision.
    fn round(sign: Sign, magnitude: BigUint, exponent: i64, tail: Tail) -> Float {
        let dropped = magnitude.bits().saturating_sub(PRECISION);
        if dropped == 0 {
            return Float {
                mantissa: BigInt::from_biguint(sign, magnitude),
                exponent,
            };
        }
        let half = magnitude.bit(dropped - 1);
        let rest = tail == Tail::More || magnitude.trailing_zeros() < Some(dropped - 1);
        let mut kept = magnitude >> dropped;
        if half && (rest || kept.bit(0)) {
            kept += 1u32;
        }
        Float {
            mantissa: BigInt::from_biguint(sign, kept),
            exponent: exponent + signed(dropped),
        }
    }

    fn quotient(a: &BigInt, b: &BigInt, exponent: i64) -> Float {
        let (dividend, divisor) = (a.magnitude(), b.magnitude());
        let shift = (PRECISION + 2 + divisor.bits()).saturating_sub(dividend.bits());
        let dividend = dividend << shift;
        let quotient = &dividend / divisor;
        let tail = match dividend == &quotient * divisor {
            true => Tail::Zero,
            false => Tail::More,
        };
        let sign = a.sign() * b.sign();
        Float::round(sign, quotient, exponent - signed(shift), tail)
    }

    pub(super) fn add(&self, other: &Float) -> Float {
        let exponent = self.exponent.min(other.exponent);
        let aligned = |f: &Float| &f.mantissa << (f.exponent - exponent).unsigned_abs();
        let (sign, magnitude) = (aligned(self) + aligned(other)).into_parts();
        Float::round(sign, magnitude, exponent, Tail::Zero)
    }

    pub(super) fn sub(&self, other: &Float) -> Float {
        self.add(&Float {
            mantissa: -&other.mantissa,
            exponent: other.exponent,
        })
    }

    pub(super) fn mul(&self, other: &Float) -> Float {
        let (sign, magnitude) = (&self.mantissa * &other.mantissa).into_parts();
        let exponent = self.exponent + other.exponent;
        Float::round(sign, magnitude, exponent, Tail::Zero)
    }

    /// The quotient; `other` must not be zero.
    pub(super) fn div(&self, other: &Float) -> Float {
        Float::quotient(
            &self.mantissa,
            &other.mantissa,
            self.exponent - other.exponent,
        )
    }

    /// What is left when `other`, which must not be zero, is taken a whole number of times.
    pub(super) fn rem(&self, other: &Float) -> Float {
        self.sub(&self.div(other).trunc().mul(other))
    }

    /// Without its fraction.
    fn trunc(self) -> Float {
        if self.exponent >= 0 {
            return self;
        }
        let (sign, magnitude) = self.mantissa.into_parts();
        let whole = magnitude >> self.exponent.unsigned_abs();
        Float::round(sign, whole, 0, Tail::Zero)
    }

    /// Of a double that is finite.
    pub(super) fn from_f64(f: f64) -> Float {
        let bits = f.to_bits();
        let fraction = bits & ((1 << 52) - 1);
        let (magnitude, exponent) = match (bits >> 52) & 0x7ff {
            0 => (fraction, -1074),
            e => (fraction | 1 << 52, signed(e) - 1075),
        };
        let sign = if f < 0.0 { Sign::Minus } else { Sign::Plus };
        Float {
            mantissa: BigInt::from_biguint(sign, BigUint::from(magnitude)),
            exponent,
        }
    }

    /// The shortest decimal that stands for this float among those of so many bits.
    pub(super) fn shortest_within(&self, precision: u64) -> BigDecimal {
        if self.mantissa.is_zero() {
            return BigDecimal::zero();
        }
        // One bit more than the precision: the last one is half a unit in the last place.
        let magnitude = self.mantissa.magnitude();
        let excess = signed(magnitude.bits()) - signed(precision + 1);
        let exponent = self.exponent + excess;
        let magnitude = match excess {
            ..0 => magnitude << excess.unsigned_abs(),
            _ => magnitude >> excess.unsigned_abs(),
        };
        let digits = Digits::of(&magnitude, exponent).shorten(
            &Digits::of(&(&magnitude - 1u32), exponent),
            &Digits::of(&(&magnitude + 1u32), exponent),
            // A tie goes to the even mantissa.
            !magnitude.bit(1),
        );
        digits.decimal(self.mantissa.sign())
    }
}

impl From<&BigDecimal> for Float {
    fn from(d: &BigDecimal) -> Float {
        let (digits, scale) = d.as_bigint_and_scale();
        let ten = BigInt::from(10);
        let power = |n: i64| ten.pow(u32::try_from(n.unsigned_abs()).unwrap_or(u32::MAX));
        if scale > 0 {
            return Float::quotient(&digits, &power(scale), 0);
        }
        let (sign, magnitude) = (&*digits * power(scale)).into_parts();
        Float::round(sign, magnitude, 0, Tail::Zero)
    }
}

/// `0.DIGITS · 10^point`, with no zero at the end.
struct Digits {
    digits: Vec<u8>,
    point: i64,
}

impl Digits {
    /// Of `magnitude · 2^exponent`, exactly.
    fn of(magnitude: &BigUint, exponent: i64) -> Digits {
        let n = exponent.unsigned_abs();
        let whole = match exponent {
            ..0 => magnitude * BigUint::from(5u32).pow(u32::try_from(n).unwrap_or(u32::MAX)),
            _ => magnitude << n,
        };
        let digits = whole.to_radix_be(10);
        let point = signed(digits.len() as u64) + exponent.min(0);
        Digits { digits, point }.trimmed()
    }

    fn trimmed(mut self) -> Digits {
        while self.digits.last() == Some(&0) {
            self.digits.pop();
        }
        self
    }

    fn at(&self, i: usize) -> u8 {
        self.digits.get(i).copied().unwrap_or(0)
    }

    /// Cut off where all that lies between the two bounds begins the same no more.
    fn shorten(self, lower: &Digits, upper: &Digits, inclusive: bool) -> Digits {
        for (i, digit) in self.digits.iter().copied().enumerate() {
            let (l, u) = (lower.at(i), upper.at(i));
            let down = l != digit || inclusive && i + 1 == lower.digits.len();
            let up = digit != u && (inclusive || digit + 1 < u || i + 1 < upper.digits.len());
            match (down, up) {
                (true, true) if self.rounds_up(i + 1) => return self.up(i + 1),
                (true, _) => return self.down(i + 1),
                (false, true) => return self.up(i + 1),
                (false, false) => {}
            }
        }
        self
    }

    /// Whether the nearest number of `n` digits is above.
    fn rounds_up(&self, n: usize) -> bool {
        let half = self.at(n) == 5 && n + 1 == self.digits.len();
        if half {
            n > 0 && self.at(n - 1) % 2 == 1
        } else {
            self.at(n) >= 5
        }
    }

    fn down(mut self, n: usize) -> Digits {
        self.digits.truncate(n);
        self.trimmed()
    }

    fn up(mut self, n: usize) -> Digits {
        if n >= self.digits.len() {
            return self;
        }
        self.digits.truncate(n);
        while self.digits.last() == Some(&9) {
            self.digits.pop();
        }
        match self.digits.last_mut() {
            Some(last) => *last += 1,
            None => {
                self.digits.push(1);
                self.point += 1;
            }
        }
        self
    }

    fn decimal(&self, sign: Sign) -> BigDecimal {
        let scale = signed(self.digits.len() as u64) - self.point;
        let digits = BigUint::from_radix_be(&self.digits, 10).unwrap_or_default();
        BigDecimal::new(BigInt::from_biguint(sign, digits), scale)
    }
}

/// A count of bits or digits, which memory keeps far below the limit.
fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
