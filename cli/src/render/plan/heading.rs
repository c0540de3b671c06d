//! The line above each block: what happens to the instance, and why.

use super::super::{
    style::{Ink, Paint},
    value::quote,
};
use weir_core::{
    Address, Key, Object,
    change::{Action, Change, Orphan, Reason},
};

/// `# service.web.pod.app["0"] will be updated in place`, and what says more: the reason, where it
/// was, where it comes from.
pub(super) fn of(change: &Change, paint: Paint) -> String {
    let mut out = format!("  # {}\n", title(change, paint));
    let moved = match change.action {
        Action::NoOp => None,
        _ => change.moved_from.as_ref(),
    };
    let notes = [
        why(change),
        moved.map(|from| format!("moved from {from}")),
        (change.import.as_ref())
            .filter(|_| change.action != Action::NoOp)
            .map(|id| format!("imported from {}", quote(id))),
    ];
    for note in notes.into_iter().flatten() {
        out.push_str(&format!("  # ({note})\n"));
    }
    out
}

/// The heading in one line, without what says more.
pub(super) fn title(change: &Change, paint: Paint) -> String {
    let address = paint.strong(&change.address.to_string());
    if let (Action::NoOp, Some(from)) = (change.action, &change.moved_from) {
        let from = paint.strong(&from.to_string());
        return format!("{from} has moved to {address}");
    }
    let (strong, verb) = match (change.action, &change.reason) {
        (Action::NoOp, _) if change.import.is_some() => (Ink::Normal, "will be imported"),
        (Action::NoOp, _) => (Ink::Normal, "stays as it is"),
        (Action::Create, Reason::Drifted) => (Ink::Normal, "is gone and will be created again"),
        (Action::Create, _) => (Ink::Normal, "will be created"),
        (Action::Read, _) => (Ink::Normal, "will be read during apply"),
        (Action::Update, _) => (Ink::Normal, "will be updated in place"),
        (Action::Replace(_), Reason::Tainted) => (Ink::Bad, "is tainted, so must be replaced"),
        (Action::Replace(_), Reason::Requested(_)) => (Ink::Bad, "will be replaced, as requested"),
        (Action::Replace(_), Reason::Triggered(..)) => (
            Ink::Bad,
            "will be replaced, as `replace_triggered_by` asks for it",
        ),
        (Action::Replace(_), _) => (Ink::Bad, "must be replaced"),
        (Action::Delete, _) => (Ink::Bad, "will be destroyed"),
        (Action::Forget, _) => (
            Ink::Normal,
            "will no longer be managed by weir, and will not be destroyed",
        ),
    };
    format!("{address} {}", paint.ink(strong, verb))
}

fn why(change: &Change) -> Option<String> {
    let address = &change.address;
    match &change.reason {
        Reason::UpToDate
        | Reason::New
        | Reason::ConfigChanged
        | Reason::Requested(_)
        | Reason::Tainted
        | Reason::Destroying => None,
        Reason::Drifted if change.action == Action::Create => None,
        Reason::Drifted => Some("it was changed outside of weir".into()),
        Reason::CannotUpdate(paths) => {
            let names: Vec<String> = paths.iter().map(|p| format!("`{p}`")).collect();
            Some(format!(
                "because {} can't change in place",
                names.join(", ")
            ))
        }
        Reason::NotInConfig(orphan) => Some(orphaned(address, *orphan)),
        Reason::UnknownInputs => Some("config refers to values not yet known".into()),
        Reason::PendingDependency => {
            Some("depends on a resource or a module with changes pending".into())
        }
        Reason::CheckNested => Some("its `check` is evaluated again at the end".into()),
        // What is not there yet is made whatever else changes.
        Reason::Triggered(..) if change.action == Action::Create => None,
        Reason::Triggered(by, _) => {
            let names: Vec<String> = by.iter().map(|r| format!("`{r}`")).collect();
            Some(format!("because of a change of {}", names.join(", ")))
        }
    }
}

fn orphaned(address: &Address, orphan: Orphan) -> String {
    let block = address.block();
    match (orphan, &address.key) {
        (Orphan::Block, _) => format!("because {block} is not in configuration"),
        (Orphan::Instance | Orphan::Repetition, Key::None) => {
            format!("because {block} has `count` or `for_each` now")
        }
        (Orphan::Instance, Key::Index(i)) => {
            format!("because index [{i}] is out of range for the `count` of {block}")
        }
        (Orphan::Instance, key) => format!("because key {key} is not in `for_each` of {block}"),
        (Orphan::Repetition, key) => {
            format!("because {block} has no instances of the kind of {key} any more")
        }
        (Orphan::Module, _) => format!("because {} is not in configuration", address.module),
        (Orphan::Removed, _) => "because a `removed` block names it".into(),
        (Orphan::MoveTarget, _) => {
            format!("because it was moved to {address}, which is not in configuration")
        }
    }
}

/// The block's own head, as a configuration has it.
pub(crate) fn block(address: &Address) -> String {
    let key = match &address.key {
        Key::Name(name) => quote(name),
        Key::Index(i) => i.to_string(),
        Key::None => String::new(),
    };
    match &address.object {
        Object::Managed { ty, name } => format!("resource \"{ty}\" \"{name}\""),
        Object::Data { ty, name } => format!("data \"{ty}\" \"{name}\""),
        Object::Ephemeral { ty, name } => format!("ephemeral \"{ty}\" \"{name}\""),
        Object::Host { .. } => format!("host {key}"),
        Object::Pod { pod, .. } => format!("pod \"{pod}\""),
    }
}
