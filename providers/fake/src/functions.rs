//! Functions for tests: `join`, which works, and `refuse`, which does not.

use std::collections::BTreeMap;
use weir_core::{
    Type, Value,
    function::{Outcome, Parameter, Refusal, Signature},
};

pub(crate) fn signatures() -> BTreeMap<String, Signature> {
    let join = Signature::new([Parameter::new("separator", Type::String)], Type::String)
        .variadic(Parameter::new("words", Type::String))
        .describe("Words, joined.");
    let refuse = Signature::new([Parameter::new("how", Type::String)], Type::String)
        .describe("Fails as it is told: `call`, `argument`, `type` or `panic`.");
    [("join".to_owned(), join), ("refuse".to_owned(), refuse)].into()
}

pub(crate) fn call(function: &str, args: &[Value]) -> Outcome {
    let text = |i: usize| args.get(i).and_then(Value::as_str).unwrap_or_default();
    match (function, text(0)) {
        ("join", separator) => {
            let words: Vec<&str> = args.iter().skip(1).filter_map(Value::as_str).collect();
            Ok(Value::string(words.join(separator)))
        }
        ("refuse", "type") => Ok(Value::tuple(Vec::new())),
        ("refuse", "argument") => Err(Refusal::argument(0, "it is not to the function's taste")),
        #[expect(
            clippy::panic,
            reason = "what a crash of a provider leads to is tested with it"
        )]
        ("refuse", "panic") => panic!("told to"),
        _ => Err(Refusal::call("it was told to fail")),
    }
}
