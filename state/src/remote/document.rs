//! What the object holds, as text: lines of JSON, and a sum.
//!
//! 1. The first line is the [`Header`]: the version of the format, and the chunks.
//! 2. A line for each transaction since the chunks ([`Transaction`]).
//! 3. The SHA-256 sum of all before.
//!
//! A chunk is the lines of its transactions, deflated. The first chunk is the base: one transaction
//! that writes every row.

use crate::{
    StateError,
    rows::{
        ApplyRow, ClosedRow, Fault, Head, ItemRow, KeyRow, Kind, LeaseRow, Old, OpenRow, PastRow,
        Rows, Sum,
    },
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::{
    io::{Read as _, Write as _},
    path::Path,
};
use weir_core::snapshot::Lineage;

/// The version of the format that this program writes.
const VERSION: u32 = 2;

/// The first line of the document.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Header {
    /// The version of the format.
    pub(super) weir_state: u32,
    /// For people who look at the object.
    pub(super) lineage: String,
    /// For people who look at the object.
    pub(super) serial: u64,
    /// The base, and what came after it.
    pub(super) chunks: Vec<Chunk>,
    /// The ids of the latest transactions, the latest last.
    pub(super) recent: Vec<String>,
    /// Parts that nothing names any more, by generation.
    pub(super) old: Vec<Vec<String>>,
}

/// Transactions that are not written out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Chunk {
    /// The latest transaction in it.
    pub(super) last: String,
    /// How many bytes it has, deflated.
    pub(super) size: u64,
    /// Their SHA-256 sum.
    pub(super) sum: Digest,
    pub(super) kept: Kept,
}

/// Where a chunk is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kept {
    /// In a part of this name.
    Part(String),
    /// Here, in base64.
    Inline(String),
}

impl Kept {
    pub(super) fn part(&self) -> Option<&str> {
        match self {
            Kept::Part(name) => Some(name),
            Kept::Inline(_) => None,
        }
    }
}

/// A sum in base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Digest(pub(super) Sum);

impl From<Digest> for String {
    fn from(sum: Digest) -> String {
        BASE64.encode(sum.0)
    }
}
impl TryFrom<String> for Digest {
    type Error = String;
    fn try_from(text: String) -> Result<Digest, String> {
        let bytes = BASE64.decode(&text).map_err(|e| e.to_string())?;
        let sum = Sum::try_from(bytes).map_err(|_| "a sum of another length".to_owned())?;
        Ok(Digest(sum))
    }
}

/// A transaction: what it wrote, in order, and the head at its end.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Transaction {
    pub(super) id: String,
    head: HeadBody,
    pub(super) ops: Vec<Op>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct HeadBody {
    lineage: String,
    serial: u64,
    epoch: u64,
    entries: u64,
    commits: u64,
    digest: Digest,
    sum: Digest,
}

/// One row written or dropped.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Op {
    Item {
        kind: String,
        key: String,
        serial: u64,
        body: String,
        sum: Digest,
    },
    DropItem {
        kind: String,
        key: String,
    },
    Past {
        kind: String,
        key: String,
        serial: u64,
        until: u64,
        body: String,
        sum: Digest,
    },
    DropPast,
    Open {
        id: u64,
        epoch: u64,
        begun: u64,
        address: String,
        message: Option<String>,
        body: String,
        sum: Digest,
    },
    DropOpen(u64),
    Closed {
        epoch: u64,
        id: u64,
        body: String,
        sum: Digest,
    },
    DropClosed,
    Lease {
        epoch: u64,
        expires: u64,
        body: String,
        ended: Option<String>,
        sum: Digest,
    },
    Apply {
        body: String,
        sum: Digest,
    },
    DropApplies,
    DataKey {
        number: u64,
        body: String,
        sum: Digest,
    },
    DropDataKeys,
    /// Since version 2, as the following.
    DropOldPast {
        kind: String,
        key: String,
        serial: u64,
        until: u64,
    },
    DropOldClosed {
        epoch: u64,
        id: u64,
    },
    DropOldLease(u64),
    DropOldestApply,
}

impl From<&Old> for Op {
    fn from(row: &Old) -> Op {
        match row.clone() {
            Old::Past {
                kind,
                key,
                serial,
                until,
            } => Op::DropOldPast {
                kind,
                key,
                serial,
                until,
            },
            Old::Closed { epoch, id } => Op::DropOldClosed { epoch, id },
            Old::Lease(epoch) => Op::DropOldLease(epoch),
            Old::Apply => Op::DropOldestApply,
        }
    }
}

impl From<&ItemRow> for Op {
    fn from(row: &ItemRow) -> Op {
        let ItemRow {
            kind,
            key,
            serial,
            body,
            sum,
        } = row.clone();
        Op::Item {
            kind,
            key,
            serial,
            body,
            sum: Digest(sum),
        }
    }
}
impl From<&PastRow> for Op {
    fn from(row: &PastRow) -> Op {
        let ItemRow {
            kind,
            key,
            serial,
            body,
            sum,
        } = row.item.clone();
        Op::Past {
            kind,
            key,
            serial,
            until: row.until,
            body,
            sum: Digest(sum),
        }
    }
}
impl From<&OpenRow> for Op {
    fn from(row: &OpenRow) -> Op {
        Op::Open {
            id: row.id,
            epoch: row.epoch,
            begun: row.begun,
            address: row.address.clone(),
            message: row.message.clone(),
            body: row.body.clone(),
            sum: Digest(row.sum),
        }
    }
}
impl From<&ClosedRow> for Op {
    fn from(row: &ClosedRow) -> Op {
        Op::Closed {
            epoch: row.epoch,
            id: row.id,
            body: row.body.clone(),
            sum: Digest(row.sum),
        }
    }
}
impl From<&LeaseRow> for Op {
    fn from(row: &LeaseRow) -> Op {
        Op::Lease {
            epoch: row.epoch,
            expires: row.expires,
            body: row.body.clone(),
            ended: row.ended.clone(),
            sum: Digest(row.sum),
        }
    }
}
impl From<&ApplyRow> for Op {
    fn from(row: &ApplyRow) -> Op {
        Op::Apply {
            body: row.body.clone(),
            sum: Digest(row.sum),
        }
    }
}
impl From<&KeyRow> for Op {
    fn from(row: &KeyRow) -> Op {
        Op::DataKey {
            number: row.number,
            body: row.body.clone(),
            sum: Digest(row.sum),
        }
    }
}

impl Op {
    /// Whether it is of a transaction that drops what must not stay anywhere: rows under a key of
    /// before, or those of a past that is pruned.
    pub(super) fn rewrites(&self) -> bool {
        match self {
            Op::DropPast
            | Op::DropClosed
            | Op::DropApplies
            | Op::DataKey { .. }
            | Op::DropDataKeys => true,
            Op::Item { .. }
            | Op::DropItem { .. }
            | Op::Past { .. }
            | Op::Open { .. }
            | Op::DropOpen(_)
            | Op::Closed { .. }
            | Op::Lease { .. }
            | Op::Apply { .. }
            // What is old may stay until there is a new base.
            | Op::DropOldPast { .. }
            | Op::DropOldClosed { .. }
            | Op::DropOldLease(_)
            | Op::DropOldestApply => false,
        }
    }

    /// Does it to these rows.
    fn redo(self, rows: &dyn Rows) -> Result<(), Fault> {
        match self {
            Op::Item {
                kind,
                key,
                serial,
                body,
                sum,
            } => rows.put_item(&item((kind, key, serial), body, sum)),
            Op::DropItem { kind, key } => rows.drop_item(Kind::of(&kind)?, &key),
            Op::Past {
                kind,
                key,
                serial,
                until,
                body,
                sum,
            } => rows.add_past(&PastRow {
                item: item((kind, key, serial), body, sum),
                until,
            }),
            Op::DropPast => rows.drop_past(),
            Op::Open {
                id,
                epoch,
                begun,
                address,
                message,
                body,
                sum,
            } => rows.put_open(&OpenRow {
                id,
                epoch,
                begun,
                address,
                message,
                body,
                sum: sum.0,
            }),
            Op::DropOpen(id) => rows.drop_open(id),
            Op::Closed {
                epoch,
                id,
                body,
                sum,
            } => rows.add_closed(&ClosedRow {
                epoch,
                id,
                body,
                sum: sum.0,
            }),
            Op::DropClosed => rows.drop_closed(),
            Op::Lease {
                epoch,
                expires,
                body,
                ended,
                sum,
            } => rows.put_lease(&LeaseRow {
                epoch,
                expires,
                body,
                ended,
                sum: sum.0,
            }),
            Op::Apply { body, sum } => rows.add_apply(&ApplyRow { body, sum: sum.0 }),
            Op::DropApplies => rows.drop_applies(),
            Op::DataKey { number, body, sum } => rows.put_data_key(&KeyRow {
                number,
                body,
                sum: sum.0,
            }),
            Op::DropDataKeys => rows.drop_data_keys(),
            Op::DropOldPast {
                kind,
                key,
                serial,
                until,
            } => rows.drop_old(Old::Past {
                kind,
                key,
                serial,
                until,
            }),
            Op::DropOldClosed { epoch, id } => rows.drop_old(Old::Closed { epoch, id }),
            Op::DropOldLease(epoch) => rows.drop_old(Old::Lease(epoch)),
            Op::DropOldestApply => rows.drop_old(Old::Apply),
        }
    }
}

fn item((kind, key, serial): (String, String, u64), body: String, sum: Digest) -> ItemRow {
    ItemRow {
        kind,
        key,
        serial,
        body,
        sum: sum.0,
    }
}

impl Transaction {
    pub(super) fn new(id: String, head: &Head, ops: Vec<Op>) -> Transaction {
        let sum = Digest(head.sum());
        let head = HeadBody {
            lineage: head.lineage.0.clone(),
            serial: head.serial,
            epoch: head.epoch,
            entries: head.entries,
            commits: head.commits,
            digest: Digest(head.digest),
            sum,
        };
        Transaction { id, head, ops }
    }

    /// What writes every one of these rows.
    pub(super) fn base(id: String, head: &Head, rows: &dyn Rows) -> Result<Transaction, Fault> {
        let mut ops: Vec<Op> = Vec::new();
        rows.each_item(&mut |row| {
            ops.push(Op::from(&row));
            Ok(())
        })?;
        ops.extend(rows.past()?.iter().map(Op::from));
        ops.extend(rows.open_before(u64::MAX)?.iter().map(Op::from));
        ops.extend(rows.all_closed()?.iter().map(Op::from));
        ops.extend(rows.leases()?.iter().map(Op::from));
        ops.extend(rows.applies()?.iter().map(Op::from));
        ops.extend(rows.data_keys()?.iter().map(Op::from));
        Ok(Transaction::new(id, head, ops))
    }

    /// The line of it, with its end.
    pub(super) fn line(&self) -> Result<String, Fault> {
        let mut line = json(self)?;
        line.push('\n');
        Ok(line)
    }

    /// Does it to these rows; the head at its end.
    pub(super) fn redo(self, rows: &dyn Rows) -> Result<Head, Fault> {
        for op in self.ops {
            op.redo(rows)?;
        }
        let body = self.head;
        let head = Head {
            lineage: Lineage(body.lineage),
            serial: body.serial,
            epoch: body.epoch,
            entries: body.entries,
            commits: body.commits,
            digest: body.digest.0,
        };
        head.checked(&body.sum.0)
    }
}

/// The transactions of these lines.
pub(super) fn transactions(lines: &str) -> Result<Vec<Transaction>, Fault> {
    let parse = |line| serde_json::from_str(line).map_err(|e| Fault::damage(e.to_string()));
    lines.lines().map(parse).collect()
}

/// What was parsed of an object.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) header: Header,
    /// The lines of the transactions since.
    pub(super) tail: String,
}

impl Header {
    pub(super) fn new() -> Header {
        Header {
            weir_state: VERSION,
            lineage: String::new(),
            serial: 0,
            chunks: Vec::new(),
            recent: Vec::new(),
            old: Vec::new(),
        }
    }

    /// The text of the document.
    pub(super) fn text(&self, tail: &str) -> Result<String, Fault> {
        let mut text = json(self)?;
        text.reserve(tail.len() + 128);
        text.push('\n');
        text.push_str(tail);
        let sum = Digest(Sha256::digest(text.as_bytes()).into());
        text.push_str(&json(&sum)?);
        text.push('\n');
        Ok(text)
    }

    pub(super) fn size_of_chunks(&self) -> (u64, u64) {
        let base = self.chunks.first().map_or(0, |chunk| chunk.size);
        let more = self.chunks.iter().skip(1).map(|chunk| chunk.size).sum();
        (base, more)
    }

    /// The parts that stay: of the chunks, and of the generation before.
    pub(super) fn named(&self) -> impl Iterator<Item = String> + '_ {
        let old = self.old.iter().flatten().cloned();
        self.parts().into_iter().chain(old)
    }

    pub(super) fn parts(&self) -> Vec<String> {
        let named = self.chunks.iter().filter_map(|chunk| chunk.kept.part());
        named.map(str::to_owned).collect()
    }
}

impl Document {
    /// What is in this object. Anything else than a document is refused, and so is another's state.
    pub(super) fn parse(bytes: &[u8], place: &Path) -> Result<Document, Fault> {
        let damage = |cause: &str| Fault::damage(cause.to_owned());
        if is_terraforms(bytes) {
            return Err(Fault::State(StateError::Refused {
                path: place.into(),
                cause: "a Terraform state is there".into(),
                next: "It stays as it is. Name another place, or bring it over: save it as a file \
                       (`terraform state pull > FILE`), name a place of its own for weir, and run \
                       `weir state import FILE`"
                    .into(),
            }));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| damage("it is not text"))?;
        let Some((first, _)) = text.split_once('\n') else {
            return Err(not_ours(place));
        };
        let Ok(version) = serde_json::from_str::<Version>(first) else {
            return Err(not_ours(place));
        };
        if version.weir_state > VERSION {
            return Err(Fault::State(StateError::Newer {
                path: place.into(),
                found: version.weir_state,
                known: VERSION,
            }));
        }
        let cut = || damage("it was cut off");
        let whole = text.strip_suffix('\n').ok_or_else(cut)?;
        let (said, sum) = whole.rsplit_once('\n').ok_or_else(cut)?;
        // With the end of its last line.
        let said = &text[..=said.len()];
        let sum: Digest = serde_json::from_str(sum).map_err(|_| cut())?;
        if Sum::from(Sha256::digest(said.as_bytes())) != sum.0 {
            return Err(damage("it fails its checksum"));
        }
        let header = serde_json::from_str(first)
            .map_err(|e| Fault::damage(format!("its first line can't be read: {e}")))?;
        let tail = said.split_once('\n').map_or("", |(_, tail)| tail);
        Ok(Document {
            header,
            tail: tail.to_owned(),
        })
    }
}

#[derive(Deserialize)]
struct Version {
    weir_state: u32,
}

fn not_ours(place: &Path) -> Fault {
    Fault::State(StateError::NotAState {
        path: place.into(),
        cause: "it was not written by weir".into(),
    })
}

/// Whether it is a state of Terraform's.
pub(crate) fn is_terraforms(bytes: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Terraform {
        #[serde(rename = "version")]
        _version: u64,
    }
    let start = bytes.iter().find(|b| !b.is_ascii_whitespace());
    start == Some(&b'{') && serde_json::from_slice::<Terraform>(bytes).is_ok()
}

impl Chunk {
    /// Deflates the lines; what it is to hold is given back.
    pub(super) fn new(last: String, lines: &str) -> Result<(Chunk, Vec<u8>), Fault> {
        let failed = |e: std::io::Error| Fault::damage(format!("deflating failed: {e}"));
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(lines.as_bytes()).map_err(failed)?;
        let bytes = encoder.finish().map_err(failed)?;
        let chunk = Chunk {
            last,
            size: bytes.len() as u64,
            sum: Digest(Sha256::digest(&bytes).into()),
            kept: Kept::Inline(String::new()),
        };
        Ok((chunk, bytes))
    }

    /// The lines of what was loaded for this chunk.
    pub(super) fn lines(&self, bytes: &[u8]) -> Result<String, Fault> {
        let name = match &self.kept {
            Kept::Part(name) => name,
            Kept::Inline(_) => "the chunk inside",
        };
        if Sum::from(Sha256::digest(bytes)) != self.sum.0 {
            return Err(Fault::damage(format!("{name} fails its checksum")));
        }
        let mut lines = String::new();
        DeflateDecoder::new(bytes)
            .read_to_string(&mut lines)
            .map_err(|e| Fault::damage(format!("{name} can't be read: {e}")))?;
        Ok(lines)
    }
}

/// In base64, as [`Kept::Inline`] has it.
pub(super) fn inline(bytes: &[u8]) -> Kept {
    Kept::Inline(BASE64.encode(bytes))
}

/// What is in a chunk that is here.
pub(super) fn inlined(text: &str) -> Result<Vec<u8>, Fault> {
    BASE64
        .decode(text)
        .map_err(|e| Fault::damage(format!("a chunk can't be read: {e}")))
}

fn json(value: &impl Serialize) -> Result<String, Fault> {
    serde_json::to_string(value).map_err(|e| Fault::damage(format!("it can't be written: {e}")))
}
