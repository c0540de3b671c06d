//! The line above each block: what happens to the instance, and why.

use super::super::style::{Ink, Paint};
use weir_core::{
    Address, Key, Object,
    change::{Action, Change, Orphan, Reason},
};

/// `# service.web.pod.app["0"] will be updated in place`, and the reason where it says more.
pub(super) fn of(change: &Change, paint: Paint) -> String {
    let address = paint.strong(&change.address.to_string());
    let (strong, verb) = match (change.action, &change.reason) {
        (Action::NoOp, _) => (Ink::Normal, "stays as it is"),
        (Action::Create, Reason::Drifted) => (Ink::Normal, "is gone and will be created again"),
        (Action::Create, _) => (Ink::Normal, "will be created"),
        (Action::Read, _) => (Ink::Normal, "will be read during apply"),
        (Action::Update, _) => (Ink::Normal, "will be updated in place"),
        (Action::Replace(_), Reason::Tainted) => (Ink::Bad, "is tainted, so must be replaced"),
        (Action::Replace(_), Reason::Requested) => (Ink::Bad, "will be replaced, as requested"),
        (Action::Replace(_), _) => (Ink::Bad, "must be replaced"),
        (Action::Delete, _) => (Ink::Bad, "will be destroyed"),
        (Action::Forget, _) => (Ink::Normal, "will be dropped from state and left as it is"),
    };
    let mut out = format!("  # {address} {}\n", paint.ink(strong, verb));
    if let Some(why) = why(change) {
        out.push_str(&format!("  # ({why})\n"));
    }
    out
}

fn why(change: &Change) -> Option<String> {
    let address = &change.address;
    match &change.reason {
        Reason::UpToDate | Reason::New | Reason::ConfigChanged | Reason::Requested => None,
        Reason::Drifted if change.action == Action::Create => None,
        Reason::Drifted => Some("it was changed outside of weir".into()),
        Reason::CannotUpdate(paths) => {
            let names: Vec<String> = paths.iter().map(|p| format!("`{p}`")).collect();
            Some(format!("{} can't change in place", names.join(", ")))
        }
        Reason::Tainted => None,
        Reason::NotInConfig(Orphan::Block) => {
            Some(format!("{} is not in the configuration", address.block()))
        }
        Reason::NotInConfig(Orphan::Instance) => Some(match &address.key {
            Key::None => format!("{} has a `count` or `for_each` now", address.block()),
            key => format!("there is no instance {key} of {} any more", address.block()),
        }),
        Reason::NotInConfig(Orphan::Module) => {
            Some(format!("{} is not in the configuration", address.module))
        }
        Reason::NotInConfig(Orphan::Repetition) => Some(format!(
            "the key of {address} does not fit the block's `count` or `for_each`"
        )),
        Reason::NotInConfig(Orphan::Removed) => Some("a `removed` block names it".into()),
        Reason::NotInConfig(Orphan::MoveTarget) => Some(format!(
            "it was moved to {address}, which is not in the configuration"
        )),
        Reason::Destroying => None,
        Reason::UnknownInputs => Some("its inputs are known only then".into()),
        Reason::PendingDependency => Some("what it depends on changes first".into()),
        Reason::CheckNested => Some("its `check` is evaluated again then".into()),
        Reason::Triggered(by) => {
            let names: Vec<String> = by.iter().map(|r| format!("`{r}`")).collect();
            Some(format!("`replace_triggered_by`: {}", names.join(", ")))
        }
    }
}

/// The block's own head, as a configuration has it.
pub(crate) fn block(address: &Address) -> String {
    let key = match &address.key {
        Key::Name(name) => super::super::value::quote(name),
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
