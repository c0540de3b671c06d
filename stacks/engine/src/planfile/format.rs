//! The plan file as it is written. Each version is kept readable; a golden test holds it.

use super::convert::Changes;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use weir_core::{checks::CheckResult, json::Encoded, references::References};

/// What a plan file says it is.
pub const FORMAT: &str = "weir-plan";
/// The version this program writes.
pub(super) const VERSION: u32 = 2;

/// What every version has.
#[derive(Deserialize)]
pub(super) struct Header {
    pub(super) format: String,
    pub(super) version: u32,
}

/// What is read beside the header; [`super::document`] writes both, and which weir it is.
#[derive(Deserialize)]
pub(super) struct PlanFile {
    pub(super) lineage: String,
    pub(super) base: u64,
    /// What it is for. Since version 2.
    #[serde(default)]
    pub(super) mode: ModeRecord,
    /// Whether objects were looked up for it. Files of before don't say.
    #[serde(default)]
    pub(super) refresh: RefreshRecord,
    /// Whether it leaves nothing out. Since version 2.
    #[serde(default = "complete")]
    pub(super) complete: bool,
    /// The files that were read, by path: the configuration's, and those of functions.
    pub(super) files: BTreeMap<String, Content>,
    /// What else was found of files, by path: what is not there or can't be read, what lies in
    /// folders. Files of before say nothing of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) found: Option<BTreeMap<String, FoundRecord>>,
    pub(super) inputs: InputsRecord,
    /// Written as a list of [`ChangeRecord`], and so is `drift`.
    pub(super) changes: Changes,
    pub(super) drift: Changes,
    /// Since version 2.
    #[serde(default)]
    pub(super) deposed: Vec<DeposedRecord>,
    /// Since version 2.
    #[serde(default)]
    pub(super) checks: Vec<CheckResult>,
    pub(super) outputs: BTreeMap<String, OutputRecord>,
    /// Absent where there are none.
    #[serde(default)]
    pub(super) found_outputs: BTreeMap<String, OutputRecord>,
    /// As `module.net["a"].output.id`.
    #[serde(default)]
    pub(super) module_outputs: Vec<String>,
    /// Addresses by address.
    pub(super) dependencies: BTreeMap<String, Vec<String>>,
    pub(super) nodes: Vec<NodeRecord>,
    pub(super) steps: Vec<StepRecord>,
    /// What state has not recorded yet; null for what is gone.
    pub(super) observed: BTreeMap<String, Option<ResourceRecord>>,
    /// What state does not say yet of what is behind its objects; absent where that is nothing.
    #[serde(default)]
    pub(super) references: Option<References>,
    /// Instances with `prevent_destroy`.
    pub(super) protected: Vec<String>,
}

/// Files of before say nothing of it.
fn complete() -> bool {
    true
}

#[derive(Default, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ModeRecord {
    #[default]
    Apply,
    Destroy,
    Refresh,
}

#[derive(Default, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RefreshRecord {
    #[default]
    All,
    Changed,
    Nothing,
}

/// A file's content.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Content {
    Text(String),
    Hex(String),
}

/// What was found at a path, beside its content.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct FoundRecord {
    /// Why it can't be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) content: Option<FailureRecord>,
    /// What lies there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) kind: Option<Outcome<EntryKindRecord>>,
    /// What lies in the folder, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) entries: Option<Outcome<BTreeMap<String, EntryKindRecord>>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome<T> {
    Is(T),
    Fails(FailureRecord),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FailureRecord {
    Absent(String),
    Refused(String),
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum EntryKindRecord {
    File,
    Folder,
    Special,
    Dangling,
}

#[derive(Serialize, Deserialize)]
pub(super) struct InputsRecord {
    pub(super) vars: Vec<VarRecord>,
    pub(super) workspace: String,
    pub(super) root_dir: String,
    pub(super) home: Option<String>,
    pub(super) now: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum VarRecord {
    Environment(BTreeMap<String, String>),
    Automatic,
    File(String),
    Flag { name: String, text: String },
}

#[derive(Serialize, Deserialize)]
pub(super) struct ChangeRecord {
    pub(super) address: String,
    pub(super) action: ActionRecord,
    pub(super) reason: ReasonRecord,
    /// What can't change in place, where that is not the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) forced: Vec<Json>,
    pub(super) before: Option<Encoded>,
    pub(super) after: Option<Encoded>,
    pub(super) provider: String,
    /// Hexadecimal.
    pub(super) private: String,
    pub(super) batch: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) moved_from: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) import: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ActionRecord {
    NoOp,
    Create,
    Read,
    Update,
    DeleteThenCreate,
    CreateThenDelete,
    Delete,
    Forget,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ReasonRecord {
    UpToDate,
    New,
    ConfigChanged,
    Drifted,
    CannotUpdate(Vec<Json>),
    Tainted,
    Requested,
    BlockGone,
    InstanceGone,
    ModuleGone,
    Destroying,
    UnknownInputs,
    RepetitionGone,
    Removed,
    MovedAway,
    PendingDependency,
    CheckNested,
    Triggered(Vec<ReferenceRecord>),
}

#[derive(Serialize, Deserialize)]
pub(super) struct ReferenceRecord {
    pub(super) address: String,
    pub(super) path: Json,
}

#[derive(Serialize, Deserialize)]
pub(super) struct DeposedRecord {
    pub(super) address: String,
    pub(super) key: String,
    pub(super) before: Encoded,
    pub(super) provider: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct OutputRecord {
    pub(super) before: Option<Encoded>,
    pub(super) after: Option<Encoded>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct NodeRecord {
    pub(super) address: String,
    pub(super) op: OpRecord,
    pub(super) after: Vec<usize>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum OpRecord {
    Create,
    Update,
    Delete,
    Read,
    Forget,
    Join,
}

#[derive(Serialize, Deserialize)]
pub(super) struct StepRecord {
    pub(super) nodes: Vec<usize>,
    pub(super) after: Vec<usize>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct ResourceRecord {
    pub(super) provider: String,
    pub(super) schema_version: u32,
    pub(super) value: Encoded,
    /// Hexadecimal.
    pub(super) private: String,
    pub(super) dependencies: Vec<String>,
    pub(super) status: StatusRecord,
    /// Absent where it is deleted, as most are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) removal: Option<RemovalRecord>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) foreign: Option<Box<str>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RemovalRecord {
    Forget,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum StatusRecord {
    Ready,
    Tainted,
}
