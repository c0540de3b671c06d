//! The functions of the provider `terraform`.

use super::{decode, encode};
use std::collections::BTreeMap;
use weir_core::{
    Kind, Type, Value,
    function::{Outcome, Parameter, Refusal, Signature},
    value::Refinements,
};

pub(super) fn signatures() -> BTreeMap<String, Signature> {
    let any = |name| Parameter::new(name, Type::Dynamic).sees_unknowns();
    let source = Parameter::new("src", Type::String).sees_unknowns();
    let table = [
        (
            "encode_tfvars",
            Signature::new([any("value")], Type::String)
                .describe("An object as the text of a file of variables."),
        ),
        (
            "decode_tfvars",
            Signature::new([source], Type::Dynamic)
                .describe("The text of a file of variables as an object."),
        ),
        (
            "encode_expr",
            Signature::new([any("value")], Type::String)
                .describe("A value as an expression of the language."),
        ),
    ];
    table.map(|(name, s)| (name.to_owned(), s)).into()
}

pub(super) fn call(function: &str, args: &[Value]) -> Outcome {
    let [arg] = args else {
        return Err(Refusal::call("it takes one argument"));
    };
    match function {
        "encode_tfvars" => encode_tfvars(arg),
        "decode_tfvars" if arg.is_unknown() => Ok(Value::unknown(Type::Dynamic)),
        "decode_tfvars" => decode::tfvars(arg.as_str().unwrap_or_default()),
        "encode_expr" if !arg.is_wholly_known() => Ok(unknown_expression(arg)),
        "encode_expr" => Ok(Value::string(encode::expression(arg))),
        _ => Err(Refusal::call(format!("there is no function `{function}`"))),
    }
}

fn encode_tfvars(arg: &Value) -> Outcome {
    if !arg.is_wholly_known() {
        return Ok(not_null(None));
    }
    let Some(entries) = arg.as_entries() else {
        return Err(Refusal::argument(
            0,
            "invalid value to encode: must be an object whose attribute names will become the encoded variable names",
        ));
    };
    if let Some(name) = entries.keys().find(|k| !encode::is_identifier(k)) {
        return Err(Refusal::argument(
            0,
            format!(
                "invalid variable name {name:?}: must be a valid identifier, per Terraform's rules for input variable declarations"
            ),
        ));
    }
    Ok(Value::string(encode::attributes(entries)))
}

fn not_null(prefix: Option<&str>) -> Value {
    let refinements = Refinements {
        not_null: true,
        prefix: prefix.map(Into::into),
        ..Refinements::default()
    };
    Value::unknown_refined(Type::String, refinements)
}

/// What is known of the text of a value that is not: how it begins, where it can't be null.
fn unknown_expression(value: &Value) -> Value {
    let maybe_null = match value.kind() {
        Kind::Unknown(_, refinements) => !refinements.not_null,
        _ => false,
    };
    if maybe_null {
        return not_null(None);
    }
    not_null(match value.ty() {
        Type::Object(_) | Type::Map(_) => Some("{"),
        Type::Tuple(_) | Type::List(_) | Type::Set(_) => Some("["),
        Type::String => Some("\""),
        _ => None,
    })
}
