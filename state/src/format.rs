//! The rows of a store as text: versioned JSON of our own.
//!
//! Each row is `{"v1":{...}}`. A change that older programs can't read takes a new tag, and the
//! old one stays readable for ever. Values go through [`weir_core::json`]; ephemeral ones become
//! null there and never reach a store. The golden file `tests/golden/v1.jsonl` holds one row of
//! each kind.

mod resources;

pub use resources::ResourceReader;

use crate::{
    Applied, ApplyOutcome, ApplyRecord, Begin, ClosedEntry, Ending, EntryId, Holder, Items, Part,
    Target, Verdict, process,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use weir_core::{
    Address, Known, Value,
    address::ProviderRef,
    checks::CheckResult,
    json::{self, Encoded},
    plan::Op,
    references::References,
    snapshot::{Foreign, Removal, Resource, Serial, Status},
};

/// A row can't be read, or could not be read again if it were written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FormatError(pub String);

type Result<T> = std::result::Result<T, FormatError>;

#[derive(Serialize, Deserialize)]
enum Versioned<T> {
    #[serde(rename = "v1")]
    V1(T),
}

/// Bytes: as text where they are text.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Bytes {
    Text(String),
    Hex(String),
}

#[derive(Serialize, Deserialize)]
struct ResourceV1 {
    provider: ProviderRef,
    schema_version: u32,
    value: Encoded,
    private: Bytes,
    dependencies: Vec<Address>,
    status: StatusV1,
    #[serde(default, skip_serializing_if = "RemovalV1::is_delete")]
    removal: RemovalV1,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    foreign: Option<Box<str>>,
}

#[derive(Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RemovalV1 {
    #[default]
    Delete,
    Forget,
}

impl RemovalV1 {
    fn is_delete(&self) -> bool {
        *self == RemovalV1::Delete
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StatusV1 {
    Ready,
    Tainted,
}

#[derive(Serialize, Deserialize)]
struct BeginV1 {
    op: OpV1,
    target: TargetV1,
    provider: ProviderRef,
    type_name: String,
    schema_version: u32,
    token: String,
    step: u64,
    planned: Option<Encoded>,
    prior: Option<Encoded>,
    private: Bytes,
    dependencies: Vec<Address>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    foreign: Option<Box<str>>,
}

/// Of [`BeginV1`] what an entry is closed by; its values are passed over.
#[derive(Deserialize)]
struct BegunV1 {
    op: OpV1,
    target: TargetV1,
    token: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OpV1 {
    Create,
    Update,
    Delete,
    Read,
    Forget,
    Join,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TargetV1 {
    Current,
    Deposed,
}

#[derive(Serialize, Deserialize)]
struct ClosedV1 {
    begun: u64,
    closed_by: u64,
    closed: u64,
    address: Address,
    op: OpV1,
    token: String,
    serial: u64,
    verdict: VerdictV1,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum VerdictV1 {
    Put,
    Gone,
    Failed(String),
    Kept,
}

#[derive(Serialize, Deserialize)]
struct HolderV1 {
    who: String,
    host: String,
    pid: u32,
    purpose: String,
}

#[derive(Serialize, Deserialize)]
struct PartV1 {
    owned: ItemsV1,
    read: ItemsV1,
}

#[derive(Serialize, Deserialize)]
struct ItemsV1 {
    instances: Vec<String>,
    outputs: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct LeaseV1 {
    holder: HolderV1,
    since: u64,
    process: Option<process::Identity>,
}

#[derive(Serialize, Deserialize)]
struct EndedV1 {
    at: u64,
    how: EndingV1,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum EndingV1 {
    Released,
    Expired(HolderV1),
    HolderDied(HolderV1),
    Unlocked(HolderV1),
    Moved { to: String, by: HolderV1 },
}

#[derive(Serialize, Deserialize)]
struct AppliedV1 {
    serial: u64,
    epoch: u64,
    who: String,
    started: u64,
    finished: u64,
    plan_digest: String,
    config_digest: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bundle: Option<String>,
    outcome: ApplyOutcomeV1,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    checks: Option<Vec<CheckResult>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ApplyOutcomeV1 {
    Succeeded,
    Failed(Vec<String>),
    Interrupted,
}

/// What a lease row holds beside its epoch and expiry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LeaseBody {
    pub(crate) holder: Holder,
    pub(crate) since: SystemTime,
    pub(crate) process: Option<process::Identity>,
}

fn write<T: Serialize>(row: T) -> String {
    // Every row is plain data with text keys: the serializer has nothing to refuse.
    serde_json::to_string(&Versioned::V1(row)).unwrap_or_default()
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T> {
    let Versioned::V1(row) = serde_json::from_str(text).map_err(|e| FormatError(e.to_string()))?;
    Ok(row)
}

/// A row that nests no deeper is read again for certain: readers take twice that.
const SHALLOW: usize = 60;

/// Makes sure that what is written can be read again.
fn reads_again<T>(text: &str, read: impl FnOnce(&str) -> Result<T>) -> Result<()> {
    if nesting(text) > SHALLOW {
        read(text)?;
    }
    Ok(())
}

/// How deep the lists and objects of a JSON text nest.
fn nesting(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' => {
                while let Some(within) = bytes.next().filter(|b| *b != b'"') {
                    if within == b'\\' {
                        bytes.next();
                    }
                }
            }
            _ => {}
        }
    }
    deepest
}

/// A resource as a row.
///
/// # Errors
/// When the row could not be read again (nested too deeply).
pub fn resource_to_text(resource: &Resource) -> Result<String> {
    let text = write(ResourceV1 {
        provider: resource.provider.clone(),
        schema_version: resource.schema_version,
        value: json::encode(resource.value.value()),
        private: Bytes::from(resource.private.as_slice()),
        dependencies: resource.dependencies.iter().cloned().collect(),
        status: match resource.status {
            Status::Ready => StatusV1::Ready,
            Status::Tainted => StatusV1::Tainted,
        },
        removal: match resource.removal {
            Removal::Delete => RemovalV1::Delete,
            Removal::Forget => RemovalV1::Forget,
        },
        foreign: resource.foreign.as_ref().map(|f| f.0.clone()),
    });
    reads_again(&text, resource_from_text)?;
    Ok(text)
}

/// The resource of a row.
///
/// # Errors
/// What can't be read.
pub fn resource_from_text(text: &str) -> Result<Resource> {
    let row: ResourceV1 = read(text)?;
    Ok(Resource {
        provider: row.provider,
        schema_version: row.schema_version,
        value: known(&row.value)?,
        private: row.private.try_into()?,
        dependencies: row.dependencies.into_iter().collect(),
        status: match row.status {
            StatusV1::Ready => Status::Ready,
            StatusV1::Tainted => Status::Tainted,
        },
        removal: match row.removal {
            RemovalV1::Delete => Removal::Delete,
            RemovalV1::Forget => Removal::Forget,
        },
        foreign: row.foreign.map(Foreign),
    })
}

/// An output's value as a row.
///
/// # Errors
/// When the row could not be read again (nested too deeply).
pub fn output_to_text(value: &Known) -> Result<String> {
    let text = write(json::encode(value.value()));
    reads_again(&text, output_from_text)?;
    Ok(text)
}

/// The output's value of a row.
///
/// # Errors
/// What can't be read.
pub fn output_from_text(text: &str) -> Result<Known> {
    known(&read(text)?)
}

/// What the blocks behind objects refer to, as a row.
pub fn references_to_text(references: &References) -> String {
    write(references)
}

/// The references of a row.
///
/// # Errors
/// What can't be read.
pub fn references_from_text(text: &str) -> Result<References> {
    read(text)
}

/// What was begun, as a row; its address stands beside it.
///
/// # Errors
/// When the row could not be read again (nested too deeply).
pub fn begin_to_text(begin: &Begin) -> Result<String> {
    let text = write(BeginV1 {
        op: begin.op.into(),
        target: match begin.target {
            Target::Current => TargetV1::Current,
            Target::Deposed => TargetV1::Deposed,
        },
        provider: begin.provider.clone(),
        type_name: begin.type_name.clone(),
        schema_version: begin.schema_version,
        token: begin.token.clone(),
        step: begin.step,
        planned: begin.planned.as_ref().map(json::encode),
        prior: begin.prior.as_ref().map(|v| json::encode(v.value())),
        private: Bytes::from(begin.private.as_slice()),
        dependencies: begin.dependencies.iter().cloned().collect(),
        foreign: begin.foreign.as_ref().map(|f| f.0.clone()),
    });
    reads_again(&text, |text| begin_from_text(begin.address.clone(), text))?;
    Ok(text)
}

/// What was begun, of a row.
///
/// # Errors
/// What can't be read.
pub fn begin_from_text(address: Address, text: &str) -> Result<Begin> {
    let row: BeginV1 = read(text)?;
    Ok(Begin {
        address,
        op: row.op.into(),
        target: row.target.into(),
        provider: row.provider,
        type_name: row.type_name,
        schema_version: row.schema_version,
        token: row.token,
        step: row.step,
        planned: row.planned.as_ref().map(value).transpose()?,
        prior: row.prior.as_ref().map(known).transpose()?,
        private: row.private.try_into()?,
        dependencies: row.dependencies.into_iter().collect(),
        foreign: row.foreign.map(Foreign),
    })
}

/// What an entry is closed by.
pub(crate) struct Begun {
    pub(crate) op: Op,
    pub(crate) target: Target,
    pub(crate) token: String,
}

/// What an entry is closed by, of the row that [`begin_to_text`] made.
///
/// # Errors
/// What can't be read.
pub(crate) fn begun_from_text(text: &str) -> Result<Begun> {
    let row: BegunV1 = read(text)?;
    Ok(Begun {
        op: row.op.into(),
        target: row.target.into(),
        token: row.token,
    })
}

/// A closed entry as a row; its id and epoch stand beside it.
pub fn closed_to_text(entry: &ClosedEntry) -> String {
    write(ClosedV1 {
        begun: millis(entry.begun),
        closed_by: entry.closed_by,
        closed: millis(entry.closed),
        address: entry.address.clone(),
        op: entry.op.into(),
        token: entry.token.clone(),
        serial: entry.serial.0,
        verdict: match entry.verdict.clone() {
            Verdict::Put => VerdictV1::Put,
            Verdict::Gone => VerdictV1::Gone,
            Verdict::Failed(message) => VerdictV1::Failed(message),
            Verdict::Kept => VerdictV1::Kept,
        },
    })
}

/// The closed entry of a row.
///
/// # Errors
/// What can't be read.
pub fn closed_from_text(id: EntryId, epoch: u64, text: &str) -> Result<ClosedEntry> {
    let row: ClosedV1 = read(text)?;
    Ok(ClosedEntry {
        id,
        epoch,
        begun: time(row.begun),
        closed_by: row.closed_by,
        closed: time(row.closed),
        address: row.address,
        op: row.op.into(),
        token: row.token,
        serial: Serial(row.serial),
        verdict: match row.verdict {
            VerdictV1::Put => Verdict::Put,
            VerdictV1::Gone => Verdict::Gone,
            VerdictV1::Failed(message) => Verdict::Failed(message),
            VerdictV1::Kept => Verdict::Kept,
        },
    })
}

/// An apply as a row.
pub fn applied_to_text(applied: &Applied) -> String {
    let record = &applied.record;
    write(AppliedV1 {
        serial: applied.serial.0,
        epoch: applied.epoch,
        who: record.who.clone(),
        started: millis(record.started),
        finished: millis(applied.finished),
        plan_digest: record.plan_digest.clone(),
        config_digest: record.config_digest.clone(),
        bundle: record.bundle.clone(),
        outcome: match &record.outcome {
            ApplyOutcome::Succeeded => ApplyOutcomeV1::Succeeded,
            ApplyOutcome::Failed { errors } => ApplyOutcomeV1::Failed(errors.clone()),
            ApplyOutcome::Interrupted => ApplyOutcomeV1::Interrupted,
        },
        checks: record.checks.clone(),
    })
}

/// The apply of a row.
///
/// # Errors
/// What can't be read.
pub fn applied_from_text(text: &str) -> Result<Applied> {
    let row: AppliedV1 = read(text)?;
    Ok(Applied {
        serial: Serial(row.serial),
        epoch: row.epoch,
        finished: time(row.finished),
        record: ApplyRecord {
            who: row.who,
            started: time(row.started),
            plan_digest: row.plan_digest,
            config_digest: row.config_digest,
            bundle: row.bundle,
            outcome: match row.outcome {
                ApplyOutcomeV1::Succeeded => ApplyOutcome::Succeeded,
                ApplyOutcomeV1::Failed(errors) => ApplyOutcome::Failed { errors },
                ApplyOutcomeV1::Interrupted => ApplyOutcome::Interrupted,
            },
            checks: row.checks,
        },
    })
}

pub(crate) fn lease_to_text(lease: &LeaseBody) -> String {
    write(LeaseV1 {
        holder: lease.holder.clone().into(),
        since: millis(lease.since),
        process: lease.process.clone(),
    })
}

pub(crate) fn lease_from_text(text: &str) -> Result<LeaseBody> {
    let row: LeaseV1 = read(text)?;
    Ok(LeaseBody {
        holder: row.holder.into(),
        since: time(row.since),
        process: row.process,
    })
}

/// What a lease covers, as a row.
pub(crate) fn part_to_text(part: &Part) -> String {
    let items = |items: &Items| ItemsV1 {
        instances: items.instances.iter().map(ToString::to_string).collect(),
        outputs: items.outputs.iter().cloned().collect(),
    };
    write(PartV1 {
        owned: items(&part.owned),
        read: items(&part.read),
    })
}

/// What a lease covers, of a row.
pub(crate) fn part_from_text(text: &str) -> Result<Part> {
    let row: PartV1 = read(text)?;
    let items = |row: ItemsV1| -> Result<Items> {
        let instances = row
            .instances
            .iter()
            .map(|a| a.parse::<Address>().map_err(|e| FormatError(e.to_string())));
        Ok(Items {
            instances: instances.collect::<Result<_>>()?,
            outputs: row.outputs.into_iter().collect(),
        })
    };
    Ok(Part {
        owned: items(row.owned)?,
        read: items(row.read)?,
    })
}

/// How and when a lease ended, as a row.
pub fn ending_to_text(at: SystemTime, how: &Ending) -> String {
    let how = match how.clone() {
        Ending::Released => EndingV1::Released,
        Ending::Expired { by } => EndingV1::Expired(by.into()),
        Ending::HolderDied { by } => EndingV1::HolderDied(by.into()),
        Ending::Unlocked { by } => EndingV1::Unlocked(by.into()),
        Ending::Moved { to, by } => EndingV1::Moved { to, by: by.into() },
    };
    write(EndedV1 {
        at: millis(at),
        how,
    })
}

/// How and when a lease ended, of a row.
///
/// # Errors
/// What can't be read.
pub fn ending_from_text(text: &str) -> Result<(SystemTime, Ending)> {
    let row: EndedV1 = read(text)?;
    let how = match row.how {
        EndingV1::Released => Ending::Released,
        EndingV1::Expired(by) => Ending::Expired { by: by.into() },
        EndingV1::HolderDied(by) => Ending::HolderDied { by: by.into() },
        EndingV1::Unlocked(by) => Ending::Unlocked { by: by.into() },
        EndingV1::Moved { to, by } => Ending::Moved { to, by: by.into() },
    };
    Ok((time(row.at), how))
}

/// Milliseconds since 1970; 0 before.
pub(crate) fn millis(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(0, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
}

/// The time so many milliseconds after 1970; 1970 itself where there is no such time.
pub(crate) fn time(millis: u64) -> SystemTime {
    UNIX_EPOCH
        .checked_add(Duration::from_millis(millis))
        .unwrap_or(UNIX_EPOCH)
}

fn value(encoded: &Encoded) -> Result<Value> {
    json::decode(encoded).map_err(|e| FormatError(e.to_string()))
}

fn known(encoded: &Encoded) -> Result<Known> {
    Known::new(value(encoded)?).map_err(|e| FormatError(e.to_string()))
}

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Bytes::Text(text.to_owned()),
            Err(_) => Bytes::Hex(bytes.iter().map(|b| format!("{b:02x}")).collect()),
        }
    }
}
impl TryFrom<Bytes> for Vec<u8> {
    type Error = FormatError;
    fn try_from(bytes: Bytes) -> Result<Self> {
        match bytes {
            Bytes::Text(text) => Ok(text.into_bytes()),
            Bytes::Hex(hex) => hex
                .as_bytes()
                .chunks(2)
                .map(|pair| {
                    std::str::from_utf8(pair)
                        .ok()
                        .filter(|s| s.len() == 2)
                        .and_then(|s| u8::from_str_radix(s, 16).ok())
                        .ok_or_else(|| FormatError("bytes are not in hexadecimal".into()))
                })
                .collect(),
        }
    }
}
impl From<Op> for OpV1 {
    fn from(op: Op) -> Self {
        match op {
            Op::Create => OpV1::Create,
            Op::Update => OpV1::Update,
            Op::Delete => OpV1::Delete,
            Op::Read => OpV1::Read,
            Op::Forget => OpV1::Forget,
            Op::Join => OpV1::Join,
        }
    }
}
impl From<OpV1> for Op {
    fn from(op: OpV1) -> Self {
        match op {
            OpV1::Create => Op::Create,
            OpV1::Update => Op::Update,
            OpV1::Delete => Op::Delete,
            OpV1::Read => Op::Read,
            OpV1::Forget => Op::Forget,
            OpV1::Join => Op::Join,
        }
    }
}
impl From<TargetV1> for Target {
    fn from(target: TargetV1) -> Self {
        match target {
            TargetV1::Current => Target::Current,
            TargetV1::Deposed => Target::Deposed,
        }
    }
}
impl From<Holder> for HolderV1 {
    fn from(h: Holder) -> Self {
        HolderV1 {
            who: h.who,
            host: h.host,
            pid: h.pid,
            purpose: h.purpose,
        }
    }
}
impl From<HolderV1> for Holder {
    fn from(h: HolderV1) -> Self {
        Holder {
            who: h.who,
            host: h.host,
            pid: h.pid,
            purpose: h.purpose,
        }
    }
}
