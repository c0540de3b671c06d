//! A state that is taken as a whole, and configurations that are kept.

use super::{
    Kind, Pass,
    fault::Fault,
    items, journal,
    work::{Work, check_address},
};
use crate::{
    ApplyRecord, Begin, Bundle, Outcome, StateError, Target, format,
    journal::EntryId,
    rows::journal::{Closing, Whose},
};
use std::collections::{BTreeMap, BTreeSet};
use weir_core::{
    Address,
    snapshot::{Lineage, Serial},
};

/// [`crate::Content`] as rows.
pub(crate) struct Rewrite {
    pub(crate) lineage: Lineage,
    pub(crate) serial: u64,
    pub(crate) resources: BTreeMap<Address, String>,
    pub(crate) outputs: BTreeMap<String, String>,
    pub(crate) references: Option<String>,
    pub(crate) kept: BTreeSet<EntryId>,
    pub(crate) deposed: Vec<(Begin, String)>,
    pub(crate) record: ApplyRecord,
}

/// Takes the whole state. Where nothing changes, nothing is written.
pub(crate) fn replace(work: &mut Work<'_>, pass: &Pass, new: Rewrite) -> Result<Serial, Fault> {
    let open = journal::open(work.rows)?;
    if let Some(entry) = open.iter().find(|e| e.begin.target == Target::Current) {
        return Err(Fault::State(StateError::Unsettled {
            address: entry.begin.address.clone(),
            entry: entry.id,
        }));
    }
    let before = work.head.serial;
    // Rows are written at the serial after this one.
    work.head.serial = before.max(new.serial.saturating_sub(1));
    let mut changed = work.head.lineage != new.lineage || new.serial > before;
    work.head.lineage = new.lineage;
    let resources: BTreeMap<String, String> = new
        .resources
        .into_iter()
        .map(|(address, body)| check_address(&address).map(|()| (address.to_string(), body)))
        .collect::<Result<_, _>>()?;
    for (kind, rows) in [(Kind::Resource, resources), (Kind::Output, new.outputs)] {
        for key in work.rows.keys(kind)? {
            if !rows.contains_key(&key) {
                changed |= items::put(work, kind, &key, None)?;
            }
        }
        for (key, body) in &rows {
            changed |= items::put(work, kind, key, Some(body))?;
        }
    }
    for entry in open.iter().filter(|e| !new.kept.contains(&e.id)) {
        changed = true;
        let closing = Closing {
            entry: entry.id,
            whose: Whose::Any,
            outcome: Outcome::Kept,
            body: None,
        };
        journal::close(work, pass, closing)?;
    }
    changed |= !new.deposed.is_empty();
    journal::begin(work, pass.epoch, &new.deposed)?;
    if !changed {
        work.head.serial = before;
        return Ok(work.head.serial());
    }
    // What was behind the objects of before says nothing of these.
    items::put(work, Kind::References, "", new.references.as_deref())?;
    work.raise();
    journal::finish(work, pass.epoch, new.record)?;
    Ok(work.head.serial())
}

/// Keeps the texts of a bundle.
pub(crate) fn keep(work: &mut Work<'_>, bundle: &Bundle) -> Result<(), Fault> {
    for (digest, text) in bundle.texts() {
        if work.rows.item(Kind::Config, &digest)?.is_none() {
            items::keep(work, Kind::Config, &digest, &text)?;
        }
    }
    Ok(())
}

/// The bundle of that digest; `None` where it is not kept.
pub(crate) fn bundle(rows: &dyn super::Rows, digest: &str) -> Result<Option<Bundle>, Fault> {
    let Some(index) = items::kept(rows, Kind::Config, digest)? else {
        return Ok(None);
    };
    let damaged = || Fault::damage(format!("the configuration {digest} is not whole"));
    let (files, rest) = Bundle::named(&index).ok_or_else(damaged)?;
    let text = |digest: &str| items::kept(rows, Kind::Config, digest)?.ok_or_else(damaged);
    let files = files.into_iter().map(|(path, d)| Ok((path, text(&d)?)));
    Ok(Some(Bundle {
        files: files.collect::<Result<_, Fault>>()?,
        rest: text(&rest)?,
    }))
}

/// The first serial that is still there, where older ones were dropped.
pub(crate) fn since(rows: &dyn super::Rows) -> Result<u64, Fault> {
    let text = items::kept(rows, Kind::Mark, PRUNED)?;
    Ok(text.and_then(|t| t.parse().ok()).unwrap_or(0))
}

/// Notes that the past begins at this serial.
pub(super) fn begins(work: &mut Work<'_>, serial: u64) -> Result<(), Fault> {
    if serial > since(work.rows)? {
        items::discard(work, Kind::Mark, PRUNED)?;
        items::keep(work, Kind::Mark, PRUNED, &serial.to_string())?;
    }
    Ok(())
}

/// The key of the row that says how far back the past goes.
const PRUNED: &str = "pruned";

/// The rows of a content.
pub(crate) fn encode(content: crate::Content, record: ApplyRecord) -> Result<Rewrite, StateError> {
    let invalid = |e: format::FormatError| StateError::Invalid(e.to_string());
    let resources = content.resources.iter();
    let resources = resources
        .map(|(a, r)| Ok((a.clone(), format::resource_to_text(r).map_err(invalid)?)))
        .collect::<Result<_, StateError>>()?;
    let outputs = content.outputs.iter();
    let outputs = outputs
        .map(|(name, v)| Ok((name.clone(), format::output_to_text(v).map_err(invalid)?)))
        .collect::<Result<_, StateError>>()?;
    let references = content.references;
    let deposed = content.deposed.into_iter();
    let deposed = deposed
        .map(|begin| {
            let text = format::begin_to_text(&begin).map_err(invalid)?;
            Ok((begin, text))
        })
        .collect::<Result<_, StateError>>()?;
    Ok(Rewrite {
        lineage: content.lineage,
        serial: content.serial.0,
        resources,
        outputs,
        references: (!references.is_empty()).then(|| format::references_to_text(&references)),
        kept: content.kept,
        deposed,
        record,
    })
}
