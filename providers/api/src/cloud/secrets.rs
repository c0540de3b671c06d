//! Keeps what must not be shown out of what an API said.

use super::Failure;
use crate::ApplyRequest;
use weir_core::{Diagnostic, Known, Value};

/// The failure of the request's object, without the texts that are sensitive in it.
pub(super) fn told(failure: &Failure, request: &ApplyRequest) -> Diagnostic {
    let mut failure = failure.clone();
    let prior = request.prior.as_ref().map(Known::value);
    for value in [request.planned.as_ref(), request.config.as_ref(), prior] {
        value
            .into_iter()
            .for_each(|v| hide(v, &mut failure.message));
    }
    failure.diagnostic(&request.address)
}

fn hide(value: &Value, text: &mut String) {
    if value.is_sensitive() {
        for secret in texts(value) {
            *text = text.replace(&secret, "(sensitive)");
        }
    }
    value.children().for_each(|v| hide(v, text));
}

fn texts(value: &Value) -> Vec<String> {
    match value.as_str() {
        Some(text) if text.len() > 3 => vec![text.to_owned()],
        Some(_) => Vec::new(),
        None => value.children().flat_map(texts).collect(),
    }
}
