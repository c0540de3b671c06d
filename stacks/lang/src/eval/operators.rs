//! Operators and the conditional.

use super::{Env, EvalError, Evaluated};
use crate::ir::{BinaryOp, Chain, Expr, Link, UnaryOp};
use weir_core::{
    Diagnostic, Kind, Number, Type, Value,
    convert::{convert, unify},
    value::Refinements,
};

impl Env<'_> {
    pub(super) fn unary(&self, op: UnaryOp, operand: &Expr) -> Evaluated {
        let value = self.eval(operand)?;
        match op {
            UnaryOp::Negate => {
                let value = self.operand(value, &Type::Number, "-", operand)?;
                Ok(match value.as_number() {
                    Some(n) => Value::number(n.neg()).mark(value.marks()),
                    None => not_null(Type::Number).mark(value.marks()),
                })
            }
            UnaryOp::Not => {
                let value = self.operand(value, &Type::Bool, "!", operand)?;
                Ok(match value.as_bool() {
                    Some(b) => Value::bool(!b).mark(value.marks()),
                    None => not_null(Type::Bool).mark(value.marks()),
                })
            }
        }
    }

    pub(super) fn chain(&self, chain: &Chain, expr: &Expr) -> Evaluated {
        let mut left = self.eval(&chain.first)?;
        let mut left_expr = &chain.first;
        for link in &chain.rest {
            left = match link.op {
                BinaryOp::And | BinaryOp::Or => self.logical(left, left_expr, link)?,
                BinaryOp::Equal | BinaryOp::NotEqual => {
                    let right = self.eval(&link.operand)?;
                    let same = equal(&left, &right);
                    match same.as_bool() {
                        Some(b) if link.op == BinaryOp::NotEqual => {
                            Value::bool(!b).mark(same.marks())
                        }
                        _ => same,
                    }
                }
                _ => self.arithmetic(left, left_expr, link, expr)?,
            };
            // A wrong operand further on is reported where it stands, a wrong result so far too.
            left_expr = &link.operand;
        }
        Ok(left)
    }

    /// `&&` and `||`: the right side is not looked at where the left one decides.
    fn logical(&self, left: Value, left_expr: &Expr, link: &Link) -> Evaluated {
        let symbol = link.op.symbol();
        let left = self.operand(left, &Type::Bool, symbol, left_expr)?;
        let decides = link.op == BinaryOp::Or;
        if left.as_bool() == Some(decides) {
            return Ok(left);
        }
        let right = self.eval(&link.operand)?;
        let right = self.operand(right, &Type::Bool, symbol, &link.operand)?;
        let marks = left.marks().union(right.marks());
        Ok(match (left.as_bool(), right.as_bool()) {
            (_, Some(b)) if b == decides => Value::bool(decides),
            (Some(_), Some(b)) => Value::bool(b),
            _ => not_null(Type::Bool),
        }
        .mark(marks))
    }

    fn arithmetic(&self, left: Value, left_expr: &Expr, link: &Link, expr: &Expr) -> Evaluated {
        let symbol = link.op.symbol();
        let left = self.operand(left, &Type::Number, symbol, left_expr)?;
        let right = self.eval(&link.operand)?;
        let right = self.operand(right, &Type::Number, symbol, &link.operand)?;
        let marks = left.marks().union(right.marks());
        let (Some(a), Some(b)) = (left.as_number(), right.as_number()) else {
            let unknown = match link.op {
                BinaryOp::Less
                | BinaryOp::LessOrEqual
                | BinaryOp::Greater
                | BinaryOp::GreaterOrEqual => compare_ranges(link.op, &left, &right)
                    .map_or_else(|| not_null(Type::Bool), Value::bool),
                _ => not_null(Type::Number),
            };
            return Ok(unknown.mark(marks));
        };
        let number = |n: Option<Number>| {
            n.map(Value::number).ok_or_else(|| {
                let error = Diagnostic::error("a number is divided by zero")
                    .help("Test the divisor first: `n == 0 ? 0 : x / n`.");
                self.fail(error, &link.operand.span, expr)
            })
        };
        let value = match link.op {
            BinaryOp::Add => Value::number(a.add(b)),
            BinaryOp::Subtract => Value::number(a.sub(b)),
            BinaryOp::Multiply => Value::number(a.mul(b)),
            BinaryOp::Divide => number(a.div(b))?,
            BinaryOp::Modulo => number(a.rem(b))?,
            BinaryOp::Less => Value::bool(a < b),
            BinaryOp::LessOrEqual => Value::bool(a <= b),
            BinaryOp::Greater => Value::bool(a > b),
            _ => Value::bool(a >= b),
        };
        self.check_number(value.mark(marks), expr)
    }

    /// An operand as the type its operator needs.
    fn operand(&self, value: Value, ty: &Type, symbol: &str, expr: &Expr) -> Evaluated {
        if value.is_null() {
            let error = Diagnostic::error(format!("an operand of `{symbol}` is null"))
                .because(format!("`{symbol}` needs a {}.", ty.friendly()))
                .help("Give it a default: `coalesce(x, 0)` or `x == null ? ... : x`.");
            return Err(self.fail(error, &expr.span, expr));
        }
        if value.is_unknown() && matches!(value.kind(), Kind::Unknown(t, _) if t == ty) {
            return Ok(value);
        }
        convert(&value, ty).map_err(|e| {
            let error = Diagnostic::error(format!(
                "an operand of `{symbol}` is not a {}",
                ty.friendly()
            ))
            .because(sentence(&e.to_string()))
            .help(crate::hints::form(ty));
            self.fail(error, &expr.span, expr)
        })
    }

    pub(super) fn conditional(
        &self,
        condition: &Expr,
        if_true: &Expr,
        if_false: &Expr,
        expr: &Expr,
    ) -> Evaluated {
        let decision = self.condition(condition, "the condition")?;
        let marks = decision.marks();
        let Some(holds) = decision.as_bool() else {
            // What may never be chosen may be wrong.
            let (a, b) = (self.branch(if_true)?, self.branch(if_false)?);
            let ty = self.branches(&a, &b, expr)?;
            let marks = marks.union(a.marks_deep()).union(b.marks_deep());
            return Ok(either(&a, &b, ty).mark(marks));
        };
        let (chosen, other) = if holds {
            (if_true, if_false)
        } else {
            (if_false, if_true)
        };
        let value = self.eval(chosen)?;
        // The branch not taken says what type the whole has; that it is wrong doesn't matter.
        let other = self.branch(other)?;
        let ty = if holds {
            self.branches(&value, &other, expr)?
        } else {
            self.branches(&other, &value, expr)?
        };
        let value = convert(&value, &ty).map_err(|e| {
            let error = Diagnostic::error("the results of this conditional don't fit together")
                .because(sentence(&e.to_string()))
                .help("Give both the same type, for instance with `tostring` or `tolist`.");
            self.fail(error, &expr.span, expr)
        })?;
        // As in Terraform, that a result might have been secret is one already.
        Ok(value.mark(marks).mark(other.marks()))
    }

    /// A branch that is not chosen, or not yet: anything where it is wrong.
    fn branch(&self, expr: &Expr) -> Evaluated {
        match self.eval(expr) {
            Err(EvalError::Diagnostic(_)) => Ok(Value::unknown(Type::Dynamic)),
            other => other,
        }
    }

    /// The type both results of a conditional have.
    fn branches(&self, a: &Value, b: &Value, expr: &Expr) -> Evaluated<Type> {
        let untyped = |v: &Value| matches!(v.kind(), Kind::Null(Type::Dynamic));
        let (ta, tb) = (a.ty(), b.ty());
        let open = |v: &Value| matches!(v.kind(), Kind::Unknown(Type::Dynamic, _));
        if open(a) || open(b) {
            return Ok(Type::Dynamic);
        }
        if untyped(a) {
            return Ok(tb);
        }
        if untyped(b) {
            return Ok(ta);
        }
        unify(&[ta.clone(), tb.clone()]).ok_or_else(|| {
            let error = Diagnostic::error("the results of this conditional have different types")
                .because(format!(
                    "One is {}, the other {}, and neither converts to the other.",
                    describe(&ta),
                    describe(&tb)
                ))
                .help("Give both the same type, for instance with `tostring` or `tolist`.");
            self.fail(error, &expr.span, expr)
        })
    }

    /// A condition as a truth value, perhaps unknown.
    pub(super) fn condition(&self, expr: &Expr, what: &str) -> Evaluated {
        let value = self.eval(expr)?;
        if value.is_null() {
            let error = Diagnostic::error(format!("{what} is null"))
                .because("It must be true or false.")
                .help("Say what null means: `coalesce(x, false)`, or `x == null || ...`.");
            return Err(self.fail(error, &expr.span, expr));
        }
        convert(&value, &Type::Bool).map_err(|e| {
            let error = Diagnostic::error(format!("{what} is not true or false"))
                .because(sentence(&e.to_string()))
                .help(crate::hints::form(&Type::Bool));
            self.fail(error, &expr.span, expr)
        })
    }
}

/// Two object types that differ are told apart by what they hold.
fn describe(ty: &Type) -> String {
    match ty {
        Type::Object(_) | Type::Tuple(_) => ty.to_string(),
        _ => ty.friendly(),
    }
}

/// A message as a sentence of its own.
pub(super) fn sentence(message: &str) -> String {
    let mut chars = message.chars();
    match chars.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), chars.as_str()),
        None => String::new(),
    }
}

/// Unknown, but surely not null.
fn not_null(ty: Type) -> Value {
    Value::unknown_not_null(ty)
}

/// One of the two, and it is not known which: what holds for both is known all the same.
fn either(a: &Value, b: &Value, ty: Type) -> Value {
    if a.is_null() && b.is_null() {
        return Value::null_of(ty);
    }
    let (ta, tb) = (a.ty(), b.ty());
    let collection = matches!(ta, Type::List(_) | Type::Set(_) | Type::Map(_));
    let known = Refinements::of(a).either(&Refinements::of(b));
    let known = match ta == tb && (collection || ta == Type::Number) {
        true => known,
        false => Refinements {
            not_null: known.not_null,
            ..Refinements::default()
        },
    };
    Value::unknown_refined(ty, known)
}

/// Whether it can be told from what is known of two numbers. As Terraform has it, the ends of a
/// range are taken as if they were outside of it.
fn compare_ranges(op: BinaryOp, a: &Value, b: &Value) -> Option<bool> {
    let (x, y) = (Refinements::of(a), Refinements::of(b));
    let below = |a: &Refinements, b: &Refinements| {
        let (max, min) = (a.max.as_ref()?, b.min.as_ref()?);
        Some(max.number < min.number)
    };
    let (less, greater) = (below(&x, &y) == Some(true), below(&y, &x) == Some(true));
    match op {
        BinaryOp::Less | BinaryOp::LessOrEqual if less => Some(true),
        BinaryOp::Less | BinaryOp::LessOrEqual if greater => Some(false),
        BinaryOp::Greater | BinaryOp::GreaterOrEqual if greater => Some(true),
        BinaryOp::Greater | BinaryOp::GreaterOrEqual if less => Some(false),
        _ => None,
    }
}

/// `a == b`: values of different types are never equal; unknown where it can't be told yet.
pub fn equal(a: &Value, b: &Value) -> Value {
    let (a, marks_a) = a.clone().unmark_deep();
    let (b, marks_b) = b.clone().unmark_deep();
    // Values of two types differ, whatever is unknown in them.
    let settled = |v: &Value| !v.is_unknown() && !v.is_null();
    let differ = |a: &Value, b: &Value| {
        let (ta, tb) = (a.ty(), b.ty());
        differ(&ta, &tb) || ta != tb && a.is_wholly_known() && b.is_wholly_known()
    };
    let same = match settled(&a) && settled(&b) && differ(&a, &b) {
        true => Some(false),
        false => compare(&a, &b),
    };
    match same {
        Some(same) => Value::bool(same),
        None => not_null(Type::Bool),
    }
    .mark(marks_a.union(marks_b))
}

/// `None` where it can't be told yet.
fn compare(a: &Value, b: &Value) -> Option<bool> {
    match (a.kind(), b.kind()) {
        (Kind::Null(_), Kind::Unknown(_, r)) | (Kind::Unknown(_, r), Kind::Null(_)) => {
            if r.not_null { Some(false) } else { None }
        }
        (Kind::Null(_), Kind::Null(_)) => Some(true),
        (Kind::Null(_), _) | (_, Kind::Null(_)) => Some(false),
        (Kind::Unknown(..), Kind::Unknown(..)) => None,
        (Kind::Unknown(ty, r), _) => could_be(ty, r, b),
        (_, Kind::Unknown(ty, r)) => could_be(ty, r, a),
        (Kind::List(..), Kind::List(..)) | (Kind::Tuple(_), Kind::Tuple(_)) => {
            let (x, y) = (a.elements()?, b.elements()?);
            if x.len() != y.len() {
                return Some(false);
            }
            all(x.into_iter().zip(y))
        }
        (Kind::Map(_, x), Kind::Map(_, y)) | (Kind::Object(x), Kind::Object(y)) => {
            if !x.keys().eq(y.keys()) {
                return Some(false);
            }
            all(x.values().zip(y.values()))
        }
        _ if !a.is_wholly_known() || !b.is_wholly_known() => None,
        _ => Some(a == b),
    }
}

/// Whether no value of the one type is one of the other.
fn differ(a: &Type, b: &Type) -> bool {
    !a.overlaps(b)
}

/// `None` where an unknown value may turn out to be that one.
fn could_be(ty: &Type, known: &Refinements, value: &Value) -> Option<bool> {
    let possible = match (value.kind(), ty) {
        _ if differ(ty, &value.ty()) => false,
        (Kind::String(s), _) => known.prefix.as_ref().is_none_or(|p| s.starts_with(&**p)),
        (Kind::Number(n), _) => known.admits_number(n),
        (Kind::List(..) | Kind::Set(..) | Kind::Map(..), _) => {
            let (min, max) = value.length_range();
            known.min_len.is_none_or(|least| max >= least)
                && known.max_len.is_none_or(|most| min <= most)
        }
        _ => true,
    };
    if possible { None } else { Some(false) }
}

/// Whether all pairs are equal: one that differs decides, one that can't be told leaves it open.
fn all<'v>(pairs: impl Iterator<Item = (&'v Value, &'v Value)>) -> Option<bool> {
    let mut result = Some(true);
    for (a, b) in pairs {
        match compare(a, b) {
            Some(false) => return Some(false),
            Some(true) => {}
            None => result = None,
        }
    }
    result
}
