//! Numbers.

use super::{
    Function, FunctionError, Outcome, Unknowns,
    signature::{any, number},
    text, whole,
};
use crate::eval::Context;
use bigdecimal::{
    BigDecimal, RoundingMode,
    num_bigint::{BigInt, Sign},
};
use weir_core::{Number, Type, Value};

pub(super) fn functions() -> Vec<Function> {
    vec![
        Function::new("abs", [number("num")], |a, _| {
            let n = num(a, 0);
            Ok(Value::number(if n.is_negative() { n.neg() } else { n }))
        })
        .gives(Type::Number),
        Function::new("ceil", [number("num")], |a, _| {
            Ok(round(a, RoundingMode::Ceiling))
        })
        .gives(Type::Number),
        Function::new("floor", [number("num")], |a, _| {
            Ok(round(a, RoundingMode::Floor))
        })
        .gives(Type::Number),
        Function::new("log", [number("num"), number("base")], log).gives(Type::Number),
        Function::new("pow", [number("num"), number("power")], pow).gives(Type::Number),
        Function::new("signum", [number("num")], |a, _| {
            let n = num(a, 0);
            whole(a, 0)?;
            Ok(Value::number(match n.cmp(&Number::ZERO) {
                std::cmp::Ordering::Less => -1i64,
                std::cmp::Ordering::Equal => 0,
                std::cmp::Ordering::Greater => 1,
            }))
        })
        .gives(Type::Number),
        Function::new("max", [], |a, _| extreme(a, "maximum", Number::gt))
            .rest(number("numbers"))
            .gives(Type::Number),
        Function::new("min", [], |a, _| extreme(a, "minimum", Number::lt))
            .rest(number("numbers"))
            .gives(Type::Number),
        Function::new("sum", [any("list").typed()], sum)
            .gives(Type::Number)
            .on_unknowns(Unknowns::Shallow),
        Function::new(
            "parseint",
            [any("number").typed(), number("base")],
            parseint,
        )
        .gives(Type::Number),
    ]
}

fn num(args: &[Value], index: usize) -> Number {
    args.get(index)
        .and_then(Value::as_number)
        .cloned()
        .unwrap_or(Number::ZERO)
}

fn round(args: &[Value], mode: RoundingMode) -> Value {
    Value::number(Number::from_decimal(
        num(args, 0).to_decimal().with_scale_round(0, mode),
    ))
}

fn double(f: f64, why: &str) -> Outcome {
    Number::from_f64(f)
        .map(Value::number)
        .ok_or_else(|| FunctionError::call(why))
}

fn log(args: &[Value], _: &Context) -> Outcome {
    let (n, base) = (num(args, 0).to_f64(), num(args, 1).to_f64());
    double(n.ln() / base.ln(), "the logarithm has no finite value")
}

fn pow(args: &[Value], _: &Context) -> Outcome {
    let (n, power) = (num(args, 0).to_f64(), num(args, 1).to_f64());
    double(power_of(n, power), "the power has no finite value")
}

/// As Go computes it: the whole part of the exponent by squaring, the fraction by logarithm. The
/// last digit may differ from that of another way, and state holds it.
fn power_of(base: f64, exponent: f64) -> f64 {
    let whole = exponent.abs().trunc();
    let ordinary = base.is_finite() && exponent.is_finite() && base != 0.0;
    if !ordinary || exponent == 0.0 || whole >= 9.2e18 || (base < 0.0 && exponent.fract() != 0.0) {
        return base.powf(exponent);
    }
    if exponent == 0.5 {
        return base.sqrt();
    }
    if exponent == -0.5 {
        return 1.0 / base.sqrt();
    }
    let (mut whole, mut fraction) = (whole, exponent.abs().fract());
    let mut result = 1.0;
    if fraction != 0.0 {
        if fraction > 0.5 {
            fraction -= 1.0;
            whole += 1.0;
        }
        result = (fraction * base.ln()).exp();
    }
    // Mantissa and exponent apart, so that no step on the way is too large.
    let mut result_exponent = 0i64;
    let (mut mantissa, mut two) = split(base);
    let mut i = whole as i64;
    while i != 0 {
        if !(-4096..=4096).contains(&two) {
            result_exponent += two;
            break;
        }
        if i & 1 == 1 {
            result *= mantissa;
            result_exponent += two;
        }
        mantissa *= mantissa;
        two *= 2;
        if mantissa < 0.5 {
            mantissa += mantissa;
            two -= 1;
        }
        i >>= 1;
    }
    if exponent < 0.0 {
        result = 1.0 / result;
        result_exponent = -result_exponent;
    }
    let steps = result_exponent.clamp(-4200, 4200);
    scaled(result, steps)
}

/// `mantissa · 2^exponent`, with a mantissa between a half and one.
fn split(f: f64) -> (f64, i64) {
    let (mut mantissa, mut exponent) = (f, 0i64);
    while mantissa.abs() >= 1.0 {
        mantissa /= 2.0;
        exponent += 1;
    }
    while mantissa.abs() < 0.5 {
        mantissa *= 2.0;
        exponent -= 1;
    }
    (mantissa, exponent)
}

fn scaled(mut f: f64, mut exponent: i64) -> f64 {
    while exponent > 0 {
        let step = exponent.min(1000);
        f *= 2f64.powi(i32::try_from(step).unwrap_or(0));
        exponent -= step;
    }
    while exponent < 0 {
        let step = (-exponent).min(1000);
        f /= 2f64.powi(i32::try_from(step).unwrap_or(0));
        exponent += step;
    }
    f
}

fn extreme(args: &[Value], what: &str, better: fn(&Number, &Number) -> bool) -> Outcome {
    let mut numbers = args.iter().filter_map(Value::as_number);
    let Some(first) = numbers.next() else {
        return Err(FunctionError::call(format!(
            "the {what} of no numbers does not exist"
        )));
    };
    let best = numbers.fold(first, |best, n| if better(n, best) { n } else { best });
    Ok(Value::number(best.clone()))
}

fn sum(args: &[Value], _: &Context) -> Outcome {
    let items = args
        .first()
        .and_then(Value::elements)
        .ok_or_else(|| FunctionError::Argument(0, "argument must be list, set, or tuple".into()))?;
    if items.is_empty() {
        return Err(FunctionError::Argument(
            0,
            "cannot sum an empty list".into(),
        ));
    }
    if !args.iter().all(Value::is_wholly_known) {
        return Ok(Value::unknown_not_null(Type::Number));
    }
    let mut total = Number::ZERO;
    for item in items {
        let item = weir_core::convert::convert(item, &Type::Number)
            .ok()
            .filter(|v| !v.is_null())
            .ok_or_else(|| {
                FunctionError::Argument(
                    0,
                    "argument must be list, set, or tuple of number values".into(),
                )
            })?;
        total = total.add(item.as_number().unwrap_or(&Number::ZERO));
    }
    Ok(Value::number(total))
}

fn parseint(args: &[Value], _: &Context) -> Outcome {
    let base = u32::try_from(whole(args, 1)?)
        .ok()
        .filter(|b| (2..=62).contains(b))
        .ok_or_else(|| {
            FunctionError::Argument(
                1,
                "base must be a whole number between 2 and 62 inclusive".into(),
            )
        })?;
    if args.first().and_then(Value::as_str).is_none() {
        return Err(FunctionError::Argument(
            0,
            "first argument must be a string".into(),
        ));
    }
    let written = text(args, 0);
    let refused = || {
        FunctionError::Argument(
            0,
            format!("cannot parse {written:?} as a base {base} integer"),
        )
    };
    let (sign, digits) = match written.as_bytes() {
        [b'-', rest @ ..] => (Sign::Minus, rest),
        [b'+', rest @ ..] => (Sign::Plus, rest),
        all => (Sign::Plus, all),
    };
    if digits.is_empty() {
        return Err(refused());
    }
    let mut value = BigInt::from(0);
    for digit in digits {
        // Above base 36, capital letters come after small ones.
        let digit = match digit {
            b'0'..=b'9' => u32::from(digit - b'0'),
            b'a'..=b'z' => u32::from(digit - b'a') + 10,
            b'A'..=b'Z' if base <= 36 => u32::from(digit - b'A') + 10,
            b'A'..=b'Z' => u32::from(digit - b'A') + 36,
            _ => return Err(refused()),
        };
        if digit >= base {
            return Err(refused());
        }
        value = value * base + digit;
    }
    if sign == Sign::Minus {
        value = -value;
    }
    Ok(Value::number(Number::from_decimal(BigDecimal::from(value))))
}
