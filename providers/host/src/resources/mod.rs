//! The resource types, and what they have in common.

pub(crate) mod egress_address;
pub(crate) mod host;
pub(crate) mod pod;
pub(crate) mod ssh_key;

use weir_agent::wire::{Event, EventKind};
use weir_core::{Kind, Known, Type, Value};

/// The value with every unknown made null: all that is known of an object
/// whose making was interrupted.
pub(crate) fn known_part(value: Value) -> Option<Known> {
    let known = value.transform(&mut |v| match v.kind() {
        Kind::Unknown(ty, _) => Value::null_of(ty.clone()).mark(v.marks()),
        _ => v,
    });
    Known::new(known).ok()
}

/// A text, or null where there is none.
pub(crate) fn text_or_null(text: &str) -> Value {
    if text.is_empty() {
        Value::null_of(Type::String)
    } else {
        Value::string(text)
    }
}

/// An agent's event as a line of progress; `None` where it says nothing new.
pub(crate) fn line(event: &Event) -> Option<String> {
    let step = &event.step;
    match &event.kind {
        EventKind::Started => Some(step.clone()),
        EventKind::Progress { text } => Some(format!("{step}: {text}")),
        EventKind::Changed { what } => Some(format!("{step}: {what}")),
        EventKind::Failed { message } => Some(format!("{step} failed: {message}")),
        EventKind::Done => None,
    }
}
