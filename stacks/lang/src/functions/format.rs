//! `format` and `formatlist`: Go's verbs, as Terraform takes them.

use super::{
    Function, FunctionError, Outcome, Unknowns,
    signature::{any, string},
    text,
};
use crate::eval::{Context, known_prefix};
use bigdecimal::{RoundingMode, num_bigint::BigInt};
use unicode_segmentation::UnicodeSegmentation;
use weir_core::{Kind, Number, Type, Value, convert::convert, value::Refinements};

pub(super) fn functions() -> Vec<Function> {
    vec![
        Function::new("format", [string("format")], format)
            .rest(any("args").nullable().typed())
            .on_unknowns(Unknowns::Handled),
        Function::new("formatlist", [string("format")], formatlist)
            .rest(any("args").nullable().typed())
            .on_unknowns(Unknowns::Handled),
    ]
}

fn format(args: &[Value], _: &Context) -> Outcome {
    one(first(args), args.get(1..).unwrap_or_default())
}

/// The text, or as much of it as stands before the first verb where something is unknown.
fn one(format: &Value, args: &[Value]) -> Outcome {
    let Some(format) = format.as_str() else {
        return Ok(Value::unknown_not_null(Type::String));
    };
    if args.iter().all(Value::is_wholly_known) {
        return formatted(format, args).map(Value::from);
    }
    let literal = format.split('%').next().unwrap_or_default();
    let known = Refinements {
        prefix: known_prefix(literal).filter(|_| literal.len() < format.len()),
        ..Refinements::not_null()
    };
    Ok(Value::unknown_refined(Type::String, known))
}

fn first(args: &[Value]) -> &Value {
    // The signature says that there is one.
    &args[0]
}

fn formatlist(args: &[Value], _: &Context) -> Outcome {
    let rest = args.get(1..).unwrap_or_default();
    let mut len = None;
    for (i, arg) in rest.iter().enumerate() {
        let items = match (arg.elements(), arg.ty()) {
            (Some(items), _) => items.len(),
            (None, Type::Tuple(types)) => types.len(),
            _ => continue,
        };
        match len {
            None => len = Some((items, i + 1)),
            Some((n, _)) if n == items => {}
            Some((n, first)) => {
                return Err(FunctionError::Argument(
                    i + 1,
                    format!(
                        "argument {} has length {}, which is inconsistent with argument {first} of length {n}",
                        i + 1,
                        items
                    ),
                ));
            }
        }
    }
    let list = Type::list(Type::String);
    let open = |arg: &Value| {
        let sequence = matches!(arg.ty(), Type::List(_) | Type::Set(_));
        matches!(arg.kind(), Kind::Unknown(Type::Tuple(_), _))
            || sequence && !arg.has_known_length()
    };
    if first(args).is_unknown() || rest.iter().any(open) {
        return Ok(Value::unknown_not_null(list));
    }
    let rows = len.map_or(1, |(n, _)| n);
    let mut out = Vec::with_capacity(rows);
    for row in 0..rows {
        let row_args: Vec<Value> = rest
            .iter()
            .map(|arg| match arg.elements() {
                Some(items) => items.get(row).map_or_else(Value::null, |v| (*v).clone()),
                None => arg.clone(),
            })
            .collect();
        out.push(match row_args.iter().all(Value::is_wholly_known) {
            true => formatted(text(args, 0), &row_args)?.into(),
            false => Value::unknown_not_null(Type::String),
        });
    }
    Ok(Value::list(Type::String, out))
}

/// One verb: `%-8.3f`, `%[2]s`, ...
#[derive(Default)]
struct Verb {
    plus: bool,
    minus: bool,
    space: bool,
    sharp: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
    letter: char,
}

/// The most characters a width or precision asks for.
const WIDTH_LIMIT: usize = 100_000;

fn formatted(format: &str, args: &[Value]) -> Outcome<String> {
    let mut out = String::new();
    let mut next = 0;
    let mut used = 0;
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let start = format.len() - rest.len() + at;
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('%') {
            out.push('%');
            rest = after;
            continue;
        }
        let (verb, index, after) = parse_verb(rest, start)?;
        let written = &format[start..format.len() - after.len()];
        rest = after;
        let index = index.unwrap_or(next);
        next = index + 1;
        used = used.max(next);
        let arg = args.get(index).ok_or_else(|| {
            FunctionError::call(format!(
                "not enough arguments for {written:?} at {start}: need index {index} but have {} total",
                args.len()
            ))
        })?;
        let shown = verb.apply(arg).map_err(|why| {
            FunctionError::Argument(
                index + 1,
                format!("unsupported value for {written:?} at {start}: {why}"),
            )
        })?;
        out.push_str(&shown);
    }
    out.push_str(rest);
    if used < args.len() {
        return Err(FunctionError::Argument(
            used + 1,
            match used {
                0 => "too many arguments; no verbs in format string".to_owned(),
                used => format!("too many arguments; only {used} used by format string"),
            },
        ));
    }
    Ok(out)
}

/// The verb after a `%`, the argument it names, and the text after it.
fn parse_verb(text: &str, start: usize) -> Outcome<(Verb, Option<usize>, &str)> {
    let bad = |why: String| FunctionError::Argument(0, why);
    let mut verb = Verb::default();
    let mut rest = text;
    loop {
        let flag = match rest.as_bytes().first() {
            Some(b'+') => &mut verb.plus,
            Some(b'-') => &mut verb.minus,
            Some(b' ') => &mut verb.space,
            Some(b'#') => &mut verb.sharp,
            Some(b'0') => &mut verb.zero,
            _ => break,
        };
        *flag = true;
        rest = &rest[1..];
    }
    let number = |rest: &mut &str| -> Option<usize> {
        let len = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let n = rest[..len].parse().ok();
        *rest = &rest[len..];
        n
    };
    verb.width = number(&mut rest);
    if let Some(after) = rest.strip_prefix('.') {
        rest = after;
        verb.precision = Some(number(&mut rest).unwrap_or(0));
    }
    if verb.width.max(verb.precision) > Some(WIDTH_LIMIT) {
        return Err(bad(format!(
            "a width of more than {WIDTH_LIMIT} at offset {start}"
        )));
    }
    let mut index = None;
    if let Some(after) = rest.strip_prefix('[') {
        rest = after;
        let n = number(&mut rest).filter(|n| *n > 0);
        match (n, rest.strip_prefix(']')) {
            (Some(n), Some(after)) => {
                index = Some(n - 1);
                rest = after;
            }
            _ => return Err(bad(format!("invalid argument index at offset {start}"))),
        }
    }
    let letter = rest.chars().next().ok_or_else(|| {
        bad(format!(
            "unrecognized format character at end of format string, offset {start}"
        ))
    })?;
    if !"vtbdoxXeEfgGsq".contains(letter) {
        return Err(bad(format!(
            "unsupported format verb {letter:?} at offset {start}"
        )));
    }
    verb.letter = letter;
    Ok((verb, index, &rest[letter.len_utf8()..]))
}

impl Verb {
    fn apply(&self, arg: &Value) -> Result<String, String> {
        if self.letter == 'v' {
            return self.any(arg);
        }
        if arg.is_null() {
            return Err("null value cannot be formatted".into());
        }
        let to = |ty: &Type| {
            convert(arg, ty).map_err(|_| match ty {
                Type::String => "string required".to_owned(),
                Type::Number => "a number is required".to_owned(),
                _ => "bool required".to_owned(),
            })
        };
        match self.letter {
            't' => Ok(to(&Type::Bool)?.to_string()),
            's' => Ok(self.pad_text(self.cut(to(&Type::String)?.as_str().unwrap_or_default()))),
            'q' => {
                let text = to(&Type::String)?;
                let quoted =
                    super::encoding::json_string(&self.cut(text.as_str().unwrap_or_default()));
                Ok(self.pad_text(quoted))
            }
            'b' | 'd' | 'o' | 'x' | 'X' => {
                let n = to(&Type::Number)?;
                let n = n.as_number().unwrap_or(&Number::ZERO);
                if !n.is_integer() {
                    return Err("a whole number is required".into());
                }
                Ok(self.pad_number(self.integer(n)))
            }
            _ => {
                let n = to(&Type::Number)?;
                Ok(self.pad_number(self.decimal(n.as_number().unwrap_or(&Number::ZERO))))
            }
        }
    }

    fn any(&self, arg: &Value) -> Result<String, String> {
        let text = match arg.kind() {
            Kind::String(s) if !self.sharp => s.to_string(),
            Kind::Number(n) if !self.sharp => return Ok(self.pad_number(self.decimal(n))),
            Kind::Bool(b) if !self.sharp => b.to_string(),
            _ => super::encoding::to_json(arg),
        };
        Ok(self.pad_text(self.cut(&text)))
    }

    fn cut(&self, text: &str) -> String {
        match self.precision {
            Some(n) => text.graphemes(true).take(n).collect(),
            None => text.to_owned(),
        }
    }

    fn integer(&self, n: &Number) -> String {
        let whole = n.to_decimal().with_scale_round(0, RoundingMode::Down);
        let (whole, _): (BigInt, i64) = whole.into_bigint_and_exponent();
        let text = match self.letter {
            'b' => format!("{whole:b}"),
            'o' => format!("{whole:o}"),
            'x' => format!("{whole:x}"),
            'X' => format!("{whole:X}"),
            _ => whole.to_string(),
        };
        if !self.sharp {
            return text;
        }
        let prefix = match self.letter {
            'b' => "0b",
            'o' => "0",
            'x' => "0x",
            'X' => "0X",
            _ => "",
        };
        match text.strip_prefix('-') {
            Some(digits) => format!("-{prefix}{digits}"),
            None => format!("{prefix}{text}"),
        }
    }

    fn decimal(&self, n: &Number) -> String {
        match self.letter {
            'f' => {
                let places = i64::try_from(self.precision.unwrap_or(6)).unwrap_or(6);
                let rounded = n
                    .to_decimal()
                    .with_scale_round(places, RoundingMode::HalfEven);
                rounded.to_plain_string()
            }
            'e' | 'E' => self.exponent(n, self.precision.unwrap_or(6)),
            _ => {
                let text = n.to_decimal().normalized();
                let digits = text.digits();
                let exponent =
                    i64::try_from(digits).unwrap_or(i64::MAX) - 1 - text.as_bigint_and_exponent().1;
                // The exponent from which on it is written as such: Go's rule.
                let digits = i64::try_from(digits).unwrap_or(i64::MAX);
                let limit = match self
                    .precision
                    .map(|p| i64::try_from(p.max(1)).unwrap_or(i64::MAX))
                {
                    Some(p) if p > digits && digits > exponent => digits,
                    Some(p) => p,
                    None => 6,
                };
                let significant = self.precision.map(|p| p.max(1));
                let rounded = match significant.and_then(|p| std::num::NonZeroU64::new(p as u64)) {
                    Some(p) => text
                        .with_precision_round(p, RoundingMode::HalfEven)
                        .normalized(),
                    None => text,
                };
                let rounded = Number::from_decimal(rounded);
                if exponent < -4 || exponent >= limit {
                    let places = usize::try_from(rounded.to_decimal().normalized().digits())
                        .unwrap_or(1)
                        - 1;
                    return self.exponent(&rounded, places);
                }
                rounded.to_string()
            }
        }
    }

    /// `1.5e+03` with so many places.
    fn exponent(&self, n: &Number, places: usize) -> String {
        let e = if matches!(self.letter, 'E' | 'G') {
            'E'
        } else {
            'e'
        };
        let d = n.to_decimal();
        let precision =
            std::num::NonZeroU64::new(places as u64 + 1).unwrap_or(std::num::NonZeroU64::MIN);
        let rounded = d.with_precision_round(precision, RoundingMode::HalfEven);
        let (digits, scale) = rounded.into_bigint_and_exponent();
        let negative = n.is_negative();
        let mut digits = digits.magnitude().to_string();
        let exponent = match digits.as_str() {
            "0" => 0,
            _ => i64::try_from(digits.len()).unwrap_or(i64::MAX) - 1 - scale,
        };
        while digits.len() < places + 1 {
            digits.push('0');
        }
        let (head, tail) = digits.split_at(1);
        let point = if places > 0 { "." } else { "" };
        let sign = if exponent < 0 { '-' } else { '+' };
        format!(
            "{}{head}{point}{}{e}{sign}{:02}",
            if negative { "-" } else { "" },
            &tail[..places.min(tail.len())],
            exponent.unsigned_abs()
        )
    }

    fn pad_text(&self, text: String) -> String {
        self.pad(text, if self.zero && !self.minus { '0' } else { ' ' })
    }

    fn pad_number(&self, text: String) -> String {
        let text = match (text.starts_with('-'), self.plus, self.space) {
            (false, true, _) => format!("+{text}"),
            (false, false, true) => format!(" {text}"),
            _ => text,
        };
        if !self.zero || self.minus {
            return self.pad(text, ' ');
        }
        // Zeros go between the sign and the digits.
        let missing = self.width.unwrap_or(0).saturating_sub(text.chars().count());
        let (sign, digits) = match text.strip_prefix(['-', '+', ' ']) {
            Some(digits) => text.split_at(text.len() - digits.len()),
            None => ("", text.as_str()),
        };
        format!("{sign}{}{digits}", "0".repeat(missing))
    }

    fn pad(&self, text: String, with: char) -> String {
        let missing = self
            .width
            .unwrap_or(0)
            .saturating_sub(text.graphemes(true).count());
        let padding = with.to_string().repeat(missing);
        if self.minus {
            format!("{text}{padding}")
        } else {
            format!("{padding}{text}")
        }
    }
}
