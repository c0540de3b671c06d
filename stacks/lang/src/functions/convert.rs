//! Types and marks: `tostring`, `tolist`, `sensitive`, ...

use super::{Function, FunctionError, Marking, Outcome, Unknowns, signature::any};
use crate::eval::Context;
use weir_core::{
    Kind, Marks, Type, Value,
    convert::{convert, resolve},
};

pub(super) fn functions() -> Vec<Function> {
    let to = |name, f: super::Body| {
        Function::new(name, [any("v").nullable()], f)
            .on_marks(Marking::Handled)
            .on_unknowns(Unknowns::Handled)
    };
    vec![
        to("tostring", |a, c| to_type(a, &Type::String, c)),
        to("tonumber", |a, c| to_type(a, &Type::Number, c)),
        to("tobool", |a, c| to_type(a, &Type::Bool, c)),
        to("tolist", |a, c| to_type(a, &Type::list(Type::Dynamic), c)),
        to("toset", |a, c| to_type(a, &Type::set(Type::Dynamic), c)),
        to("tomap", |a, c| to_type(a, &Type::map(Type::Dynamic), c)),
        to("sensitive", |a, _| Ok(first(a).mark(Marks::SENSITIVE))),
        to("nonsensitive", |a, _| {
            let (value, marks) = first(a).unmark();
            Ok(value.mark(marks.without(Marks::SENSITIVE)))
        }),
        to("issensitive", |a, _| {
            Ok(match first(a) {
                v if v.is_sensitive() => Value::bool(true),
                v if v.is_unknown() => Value::unknown(Type::Bool),
                _ => Value::bool(false),
            })
        }),
        to("ephemeralasnull", |a, _| Ok(ephemeral_as_null(first(a)))),
    ]
}

fn first(args: &[Value]) -> Value {
    args.first().cloned().unwrap_or_else(Value::null)
}

fn to_type(args: &[Value], want: &Type, _: &Context) -> Outcome {
    let value = first(args);
    let refused = |why: String| FunctionError::Argument(0, why);
    // A sensitive value is not shown in what the conversion says of it.
    let sensitive = value.marks_deep().contains(Marks::SENSITIVE);
    match value.kind() {
        Kind::Unknown(have, _) if have == want => return Ok(value),
        Kind::Unknown(have, _) => {
            resolve(have, want).map_err(|e| refused(e.to_string()))?;
            return Ok(Value::unknown(want.clone()).mark(value.marks()));
        }
        Kind::String(text) if !matches!(want, Type::String) && want.is_primitive() => {
            return convert(&value, want).map_err(|_| {
                let shown = if sensitive {
                    "this string".to_owned()
                } else {
                    format!("{:?}", &**text)
                };
                let hint = match want {
                    Type::Bool => "; only the strings \"true\" or \"false\" are allowed",
                    _ => "; given string must be a decimal representation of a number",
                };
                refused(format!(
                    "cannot convert {shown} to {}{hint}",
                    want.friendly()
                ))
            });
        }
        _ => {}
    }
    convert(&value, want).map_err(|e| refused(e.to_string()))
}

fn ephemeral_as_null(value: Value) -> Value {
    value.transform(&mut |v| {
        if v.marks().contains(Marks::EPHEMERAL) {
            let marks = v.marks().without(Marks::EPHEMERAL);
            // What is not known may turn out not to be ephemeral.
            match v.is_unknown() {
                true => Value::unknown(v.ty()).mark(marks),
                false => Value::null_of(v.ty()).mark(marks),
            }
        } else {
            v
        }
    })
}
