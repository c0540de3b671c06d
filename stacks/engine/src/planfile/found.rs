//! Between what a run found of files and its record in a plan file.

use super::{
    format::{Content, EntryKindRecord, FailureRecord, FoundRecord, Outcome},
    hex, unhex,
};
use sha2::{Digest as _, Sha256};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};
use weir_lang::files::{Entry, EntryKind, Failure, Finding};

/// What a plan carries of files.
pub(super) type Found = BTreeMap<PathBuf, Finding>;

/// The files that were read, by path.
pub(super) fn write_files(found: &Found) -> BTreeMap<String, Content> {
    let read = found.iter().filter_map(|(path, finding)| {
        let bytes = finding.content.as_ref()?.as_ref().ok()?;
        let content = match std::str::from_utf8(bytes) {
            Ok(text) => Content::Text(text.to_owned()),
            Err(_) => Content::Hex(hex(bytes)),
        };
        Some((name(path), content))
    });
    read.collect()
}

/// What else was found, by path.
pub(super) fn write_found(found: &Found) -> BTreeMap<String, FoundRecord> {
    let others = found.iter().filter_map(|(path, finding)| {
        let content = finding.content.as_ref().and_then(|c| c.as_ref().err());
        let record = FoundRecord {
            content: content.map(write_failure),
            kind: finding.kind.as_ref().map(|kind| match kind {
                Ok(kind) => Outcome::Is(write_kind(*kind)),
                Err(failure) => Outcome::Fails(write_failure(failure)),
            }),
            entries: finding.entries.as_ref().map(|entries| match entries {
                Ok(entries) => {
                    let entries = entries.iter();
                    Outcome::Is(
                        entries
                            .map(|e| (e.name.clone(), write_kind(e.kind)))
                            .collect(),
                    )
                }
                Err(failure) => Outcome::Fails(write_failure(failure)),
            }),
        };
        let says = record.content.is_some() || record.kind.is_some() || record.entries.is_some();
        says.then(|| (name(path), record))
    });
    others.collect()
}

/// Both again.
pub(super) fn read(
    files: BTreeMap<String, Content>,
    others: BTreeMap<String, FoundRecord>,
) -> Result<Found, String> {
    let mut found = Found::new();
    for (path, record) in others {
        let finding = Finding {
            content: record.content.map(|failure| Err(read_failure(failure))),
            kind: record.kind.map(|kind| match kind {
                Outcome::Is(kind) => Ok(read_kind(kind)),
                Outcome::Fails(failure) => Err(read_failure(failure)),
            }),
            entries: record.entries.map(|entries| match entries {
                Outcome::Is(entries) => Ok(entries
                    .into_iter()
                    .map(|(name, kind)| Entry {
                        name,
                        kind: read_kind(kind),
                    })
                    .collect()),
                Outcome::Fails(failure) => Err(read_failure(failure)),
            }),
        };
        found.insert(path.into(), finding);
    }
    for (path, content) in files {
        let bytes = match content {
            Content::Text(text) => text.into_bytes(),
            Content::Hex(text) => {
                unhex(&text).ok_or_else(|| "Its hexadecimal text is damaged.".to_owned())?
            }
        };
        found.entry(path.into()).or_default().content = Some(Ok(bytes.into()));
    }
    Ok(found)
}

/// The sha256 over all that was found, in hexadecimal.
pub(super) fn digest(found: &Found) -> String {
    let mut digest = Sha256::new();
    let mut part = |bytes: &[u8]| digest.update(Sha256::digest(bytes));
    for (path, finding) in found {
        part(name(path).as_bytes());
        match &finding.content {
            None => part(b"-"),
            Some(Ok(bytes)) => part(bytes),
            Some(Err(failure)) => part(failed(failure)),
        }
        match &finding.kind {
            None => part(b"-"),
            Some(Ok(kind)) => part(kind_name(*kind)),
            Some(Err(failure)) => part(failed(failure)),
        }
        match &finding.entries {
            None => part(b"-"),
            Some(Ok(entries)) => {
                part(&entries.len().to_be_bytes());
                for entry in entries.iter() {
                    part(entry.name.as_bytes());
                    part(kind_name(entry.kind));
                }
            }
            Some(Err(failure)) => part(failed(failure)),
        }
    }
    hex(&digest.finalize())
}

/// The words of the system are not part of what was found.
fn failed(failure: &Failure) -> &'static [u8] {
    match failure {
        Failure::Absent(_) => b"absent",
        Failure::Refused(_) => b"refused",
    }
}

fn kind_name(kind: EntryKind) -> &'static [u8] {
    match kind {
        EntryKind::File => b"file",
        EntryKind::Folder => b"folder",
        EntryKind::Special => b"special",
        EntryKind::Dangling => b"dangling",
    }
}

fn name(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn write_failure(failure: &Failure) -> FailureRecord {
    match failure {
        Failure::Absent(why) => FailureRecord::Absent(why.clone()),
        Failure::Refused(why) => FailureRecord::Refused(why.clone()),
    }
}

fn read_failure(record: FailureRecord) -> Failure {
    match record {
        FailureRecord::Absent(why) => Failure::Absent(why),
        FailureRecord::Refused(why) => Failure::Refused(why),
    }
}

fn write_kind(kind: EntryKind) -> EntryKindRecord {
    match kind {
        EntryKind::File => EntryKindRecord::File,
        EntryKind::Folder => EntryKindRecord::Folder,
        EntryKind::Special => EntryKindRecord::Special,
        EntryKind::Dangling => EntryKindRecord::Dangling,
    }
}

fn read_kind(record: EntryKindRecord) -> EntryKind {
    match record {
        EntryKindRecord::File => EntryKind::File,
        EntryKindRecord::Folder => EntryKind::Folder,
        EntryKindRecord::Special => EntryKind::Special,
        EntryKindRecord::Dangling => EntryKind::Dangling,
    }
}
