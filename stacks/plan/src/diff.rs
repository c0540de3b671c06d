//! What is and what would become of it: one change, with its reason.

use crate::same::same;
use weir_core::{
    Address, Diagnostic, Known, Path, Value,
    address::ProviderRef,
    change::{Action, Change, Orphan, Reason, Reference, ReplaceOrder},
    schema::{Schema, Storage},
    snapshot::Status,
};

/// An instance as it is before the change.
#[derive(Debug, Clone, Copy)]
pub struct Prior<'a> {
    /// As state has it; `None` where state has none.
    pub stored: Option<&'a Known>,
    /// As it is now (after refresh); `None` where there is none.
    pub current: Option<&'a Known>,
    /// Whether it is whole.
    pub status: Status,
}

/// What a provider says would become of an instance.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// The planned value, with its marks on.
    pub planned: Value,
    /// Attributes whose change can't be done in place.
    pub requires_replace: Vec<Path>,
    /// Opaque data for apply.
    pub private: Vec<u8>,
    /// Operations with the same key may go in one call.
    pub batch: Option<String>,
}

/// Whether an instance is replaced though its provider does not need that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requested {
    /// No.
    No,
    /// The user named it with `-replace`.
    Replace,
    /// Something changes that its `replace_triggered_by` names.
    Triggered(Vec<Reference>),
}

/// What a diff comes to. A replacement needs a second proposal, made from nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing to do.
    Keep,
    /// It is made.
    Create(Reason),
    /// It is changed in place.
    Update(Reason),
    /// It is replaced.
    Replace(Reason),
}

/// Which instance a change is of.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Its address.
    pub address: Address,
    /// The provider configuration that serves it.
    pub provider: ProviderRef,
    /// Which half comes first where it is replaced.
    pub replace_order: ReplaceOrder,
    /// Where state has it, if it was moved from there.
    pub moved_from: Option<Address>,
    /// The id it is imported by.
    pub import: Option<String>,
}

/// Chooses what to do with an instance that the configuration has. For a tainted one `proposal`
/// must have been made from nothing.
///
/// # Errors
/// The provider asks for a replacement because of a path that exists in neither value.
pub fn verdict(
    prior: &Prior<'_>,
    proposal: &Proposal,
    schema: &Schema,
    requested: Requested,
) -> Result<Verdict, Diagnostic> {
    let Some(current) = prior.current else {
        let reason = if prior.stored.is_some() {
            Reason::Drifted
        } else {
            Reason::New
        };
        return Ok(Verdict::Create(reason));
    };
    let tainted = prior.status == Status::Tainted;
    // Of a tainted object the provider was asked as if there were none: nothing can't change.
    let forced = match tainted {
        true => Vec::new(),
        false => replace_paths(current.value(), proposal, schema)?,
    };
    match requested {
        Requested::Triggered(by) => return Ok(Verdict::Replace(Reason::Triggered(by, forced))),
        _ if tainted => return Ok(Verdict::Replace(Reason::Tainted)),
        Requested::Replace => return Ok(Verdict::Replace(Reason::Requested(forced))),
        Requested::No if !forced.is_empty() => {
            return Ok(Verdict::Replace(Reason::CannotUpdate(forced)));
        }
        Requested::No => {}
    }
    // Equality of values takes marks into account: a change of sensitivity alone is an update, so
    // that state learns of it. `same` has the last word where only the types of nulls differ.
    if same(current.value(), &proposal.planned) && marks_agree(current.value(), &proposal.planned) {
        return Ok(Verdict::Keep);
    }
    let drifted = prior.stored.is_some_and(|stored| {
        !same(stored.value(), current.value()) && same(stored.value(), &proposal.planned)
    });
    Ok(Verdict::Update(if drifted {
        Reason::Drifted
    } else {
        Reason::ConfigChanged
    }))
}

/// Whether two values that are the same carry the same marks at the same places.
fn marks_agree(a: &Value, b: &Value) -> bool {
    // A null hides nothing, so that a mark on it alone is no change.
    (a.is_null() && b.is_null())
        || a.marks() == b.marks()
            && a.children()
                .zip(b.children())
                .all(|(a, b)| marks_agree(a, b))
}

/// The paths of `requires_replace` that do force one: those that differ (an unknown does), and
/// those of write-only attributes, which can't be compared.
fn replace_paths(
    current: &Value,
    proposal: &Proposal,
    schema: &Schema,
) -> Result<Vec<Path>, Diagnostic> {
    let mut forced = Vec::new();
    for path in &proposal.requires_replace {
        let attribute = path
            .attribute()
            .and_then(|name| schema.block.attributes.get(name));
        if attribute.is_some_and(|a| a.storage == Storage::WriteOnly) {
            forced.push(path.clone());
            continue;
        }
        let differs = match (current.at(path), proposal.planned.at(path)) {
            (Some(a), Some(b)) => !same(a, b),
            (None, None) => {
                return Err(
                    Diagnostic::error("the provider asks for an impossible replacement")
                        .because(format!("It names `{path}`, which neither value has."))
                        .help("This is a bug of the provider: report it to its authors."),
                );
            }
            _ => true,
        };
        if differs {
            forced.push(path.clone());
        }
    }
    forced.sort();
    forced.dedup();
    Ok(forced)
}

/// The change of an instance that the configuration has. For a replacement, `proposal` is the one
/// made from nothing.
pub fn change(subject: Subject, prior: &Prior<'_>, verdict: Verdict, proposal: Proposal) -> Change {
    let (action, reason) = match verdict {
        Verdict::Keep => (Action::NoOp, Reason::UpToDate),
        Verdict::Create(reason) => (Action::Create, reason),
        Verdict::Update(reason) => (Action::Update, reason),
        Verdict::Replace(reason) => (Action::Replace(subject.replace_order), reason),
    };
    let before = prior.current.cloned();
    // A no-op is byte-equal to what is there: types of nulls and the like are not re-written.
    let after = match (&action, &before) {
        (Action::NoOp, Some(current)) => Some(current.value().clone()),
        _ => Some(proposal.planned),
    };
    Change {
        address: subject.address,
        action,
        reason,
        before,
        after,
        provider: subject.provider,
        private: proposal.private,
        batch: proposal.batch,
        moved_from: subject.moved_from,
        import: subject.import,
    }
}

/// The deletion of an instance, with the provider it was made with.
///
/// `orphan` tells what of the configuration went away; `None` when `destroy` was asked for.
pub fn deletion(
    subject: Subject,
    current: Option<Known>,
    private: Vec<u8>,
    batch: Option<String>,
    orphan: Option<Orphan>,
) -> Change {
    Change {
        address: subject.address,
        action: Action::Delete,
        reason: orphan.map_or(Reason::Destroying, Reason::NotInConfig),
        before: current,
        after: None,
        provider: subject.provider,
        private,
        batch,
        moved_from: subject.moved_from,
        import: None,
    }
}

/// What refresh found to differ from state, as a change that already happened.
///
/// `subject` is made only where something differs.
pub fn drift(
    subject: impl FnOnce() -> Subject,
    stored: &Known,
    current: Option<&Known>,
) -> Option<Change> {
    if current.is_some_and(|c| same(c.value(), stored.value())) {
        return None;
    }
    let subject = subject();
    let action = if current.is_some() {
        Action::Update
    } else {
        Action::Delete
    };
    Some(Change {
        address: subject.address,
        action,
        reason: Reason::Drifted,
        before: Some(stored.clone()),
        after: current.map(|c| c.value().clone()),
        provider: subject.provider,
        private: Vec::new(),
        batch: None,
        moved_from: subject.moved_from,
        import: None,
    })
}

/// A data source that is read at apply, and why not before.
pub fn read(subject: Subject, planned: Value, reason: Reason) -> Change {
    Change {
        address: subject.address,
        action: Action::Read,
        reason,
        before: None,
        after: Some(planned),
        provider: subject.provider,
        private: Vec::new(),
        batch: None,
        moved_from: subject.moved_from,
        import: None,
    }
}
