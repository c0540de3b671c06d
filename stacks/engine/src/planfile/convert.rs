//! Between a plan and its file.

use super::{
    format::{
        ActionRecord, ChangeRecord, DeposedRecord, InputsRecord, ModeRecord, OpRecord,
        OutputRecord, PlanFile, ReasonRecord, ReferenceRecord, RefreshRecord, RemovalRecord,
        ResourceRecord, StatusRecord, VarRecord,
    },
    found::{self, Found},
    hex, unhex,
};
use crate::engine::{Mode, Refresh};
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, SeqAccess, Visitor},
};
use serde_json::Value as Json;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::PathBuf,
};
use weir_core::{
    Address, Known, ModulePath, Object, Path, Span, Value,
    change::{Action, Change, Orphan, Reason, Reference, ReplaceOrder},
    json::{Encoded, decode, encode, path_from_json, path_to_json},
    plan::{Deposed, Node, NodeId, Op, OutputChange, Plan, Step, StepId},
    references::References,
    snapshot::{DeposedKey, Foreign, Lineage, Removal, Resource, Serial, Status},
};
use weir_lang::{Inputs, VarSource};

/// What a plan file has beside the plan and the configuration.
pub(super) struct Rest {
    pub(super) mode: Mode,
    pub(super) refresh: Refresh,
    pub(super) inputs: Inputs,
    pub(super) observed: BTreeMap<Address, Option<Resource>>,
    pub(super) references: Option<References>,
    pub(super) protected: BTreeMap<Address, Option<Span>>,
}

/// Of the environment only what variables are set with: the rest is nobody's business.
pub(super) fn write_inputs(inputs: &Inputs) -> InputsRecord {
    let is_variable = |name: &str| name.starts_with("WEIR_VAR_") || name.starts_with("TF_VAR_");
    InputsRecord {
        vars: inputs
            .vars
            .iter()
            // A plan is made of values: that nobody gives one is nothing to keep.
            .filter(|v| !matches!(v, VarSource::Unset | VarSource::Unknown))
            .map(|v| match v {
                VarSource::Environment(map) => VarRecord::Environment(
                    map.iter()
                        .filter(|(name, _)| is_variable(name))
                        .map(|(k, v)| (k.clone(), v.clone()))
                        .collect(),
                ),
                VarSource::Automatic | VarSource::Unset | VarSource::Unknown => {
                    VarRecord::Automatic
                }
                VarSource::File(path) => VarRecord::File(path.to_string_lossy().into_owned()),
                VarSource::Value { name, value } => VarRecord::Flag {
                    name: name.clone(),
                    text: value.to_string(),
                },
                VarSource::Flag { name, text } => VarRecord::Flag {
                    name: name.clone(),
                    text: text.clone(),
                },
            })
            .collect(),
        workspace: inputs.workspace.clone(),
        root_dir: inputs.root_dir.to_string_lossy().into_owned(),
        home: inputs
            .home
            .as_ref()
            .map(|p| p.to_string_lossy().into_owned()),
        now: inputs.now.clone(),
    }
}

pub(super) fn write_change(change: &Change) -> ChangeRecord {
    ChangeRecord {
        address: change.address.to_string(),
        action: match change.action {
            Action::NoOp => ActionRecord::NoOp,
            Action::Create => ActionRecord::Create,
            Action::Read => ActionRecord::Read,
            Action::Update => ActionRecord::Update,
            Action::Replace(ReplaceOrder::DeleteFirst) => ActionRecord::DeleteThenCreate,
            Action::Replace(ReplaceOrder::CreateFirst) => ActionRecord::CreateThenDelete,
            Action::Delete => ActionRecord::Delete,
            Action::Forget => ActionRecord::Forget,
        },
        reason: match &change.reason {
            Reason::UpToDate => ReasonRecord::UpToDate,
            Reason::New => ReasonRecord::New,
            Reason::ConfigChanged => ReasonRecord::ConfigChanged,
            Reason::Drifted => ReasonRecord::Drifted,
            Reason::CannotUpdate(paths) => {
                ReasonRecord::CannotUpdate(paths.iter().map(path_to_json).collect())
            }
            Reason::Tainted => ReasonRecord::Tainted,
            Reason::Requested(_) => ReasonRecord::Requested,
            Reason::NotInConfig(Orphan::Block) => ReasonRecord::BlockGone,
            Reason::NotInConfig(Orphan::Instance) => ReasonRecord::InstanceGone,
            Reason::NotInConfig(Orphan::Module) => ReasonRecord::ModuleGone,
            Reason::Destroying => ReasonRecord::Destroying,
            Reason::UnknownInputs => ReasonRecord::UnknownInputs,
            Reason::NotInConfig(Orphan::Repetition) => ReasonRecord::RepetitionGone,
            Reason::NotInConfig(Orphan::Removed) => ReasonRecord::Removed,
            Reason::NotInConfig(Orphan::MoveTarget) => ReasonRecord::MovedAway,
            Reason::PendingDependency => ReasonRecord::PendingDependency,
            Reason::CheckNested => ReasonRecord::CheckNested,
            Reason::Triggered(by, _) => ReasonRecord::Triggered(
                by.iter()
                    .map(|r| ReferenceRecord {
                        address: r.address.to_string(),
                        path: path_to_json(&r.path),
                    })
                    .collect(),
            ),
        },
        forced: match &change.reason {
            Reason::Requested(paths) | Reason::Triggered(_, paths) => {
                paths.iter().map(path_to_json).collect()
            }
            _ => Vec::new(),
        },
        before: change.before.as_ref().map(|v| encode(v.value())),
        after: change.after.as_ref().map(encode),
        provider: change.provider.to_string(),
        private: hex(&change.private),
        batch: change.batch.clone(),
        moved_from: change.moved_from.as_ref().map(Address::to_string),
        import: change.import.clone(),
    }
}

pub(super) fn write_op(op: Op) -> OpRecord {
    match op {
        Op::Create => OpRecord::Create,
        Op::Update => OpRecord::Update,
        Op::Delete => OpRecord::Delete,
        Op::Read => OpRecord::Read,
        Op::Forget => OpRecord::Forget,
        Op::Join => OpRecord::Join,
    }
}

pub(super) fn write_resource(resource: &Resource) -> ResourceRecord {
    ResourceRecord {
        provider: resource.provider.to_string(),
        schema_version: resource.schema_version,
        value: encode(resource.value.value()),
        private: hex(&resource.private),
        dependencies: resource
            .dependencies
            .iter()
            .map(Address::to_string)
            .collect(),
        status: match resource.status {
            Status::Ready => StatusRecord::Ready,
            Status::Tainted => StatusRecord::Tainted,
        },
        removal: match resource.removal {
            Removal::Delete => None,
            Removal::Forget => Some(RemovalRecord::Forget),
        },
        foreign: resource.foreign.as_ref().map(|f| f.0.clone()),
    }
}

/// The files a plan was made with.
pub(super) struct Carried {
    pub(super) found: Found,
    /// Whether what was not looked at then may be looked at now.
    pub(super) may_look: bool,
}

type Parts = (Carried, Plan, Rest);

fn read_outputs(
    outputs: BTreeMap<String, OutputRecord>,
) -> Result<BTreeMap<String, OutputChange>, String> {
    let read = |(name, o): (String, OutputRecord)| {
        let change = OutputChange {
            before: value(o.before)?,
            after: value(o.after)?,
        };
        Ok((name, change))
    };
    outputs.into_iter().map(read).collect()
}

/// The parts of a plan file; what is wrong with it otherwise.
pub(super) fn read(file: PlanFile) -> Result<Parts, String> {
    // Files of before carry no more than what was read: the rest is not there for them.
    let may_look = file.found.is_some();
    let found = found::read(file.files, file.found.unwrap_or_default())?;
    let outputs = read_outputs(file.outputs)?;
    let found_outputs = read_outputs(file.found_outputs)?;
    let mut module_outputs: BTreeMap<ModulePath, BTreeSet<String>> = BTreeMap::new();
    for text in &file.module_outputs {
        // In its module, an output reads as a resource does.
        let output = address(text)?;
        if let Object::Managed { name, .. } = output.object {
            module_outputs
                .entry(output.module)
                .or_default()
                .insert(name.to_string());
        }
    }
    let dependencies = file
        .dependencies
        .iter()
        .map(|(a, on)| {
            Ok((
                address(a)?,
                on.iter().map(|d| address(d)).collect::<Result<_, _>>()?,
            ))
        })
        .collect::<Result<_, String>>()?;
    let nodes = file
        .nodes
        .into_iter()
        .map(|n| {
            Ok(Node {
                address: address(&n.address)?,
                op: match n.op {
                    OpRecord::Create => Op::Create,
                    OpRecord::Update => Op::Update,
                    OpRecord::Delete => Op::Delete,
                    OpRecord::Read => Op::Read,
                    OpRecord::Forget => Op::Forget,
                    OpRecord::Join => Op::Join,
                },
                after: n.after.into_iter().map(NodeId).collect(),
            })
        })
        .collect::<Result<_, String>>()?;
    let steps = file.steps.into_iter().map(|s| Step {
        nodes: s.nodes.into_iter().map(NodeId).collect(),
        after: s.after.into_iter().map(StepId).collect(),
    });
    let plan = Plan {
        lineage: Lineage(file.lineage),
        base: Serial(file.base),
        complete: file.complete,
        changes: file.changes.0,
        drift: file.drift.0,
        deposed: file
            .deposed
            .into_iter()
            .map(read_deposed)
            .collect::<Result<_, _>>()?,
        checks: file.checks,
        outputs,
        found_outputs,
        module_outputs,
        dependencies,
        nodes,
        steps: steps.collect(),
    };
    let observed = file
        .observed
        .into_iter()
        .map(|(a, r)| Ok((address(&a)?, r.map(read_resource).transpose()?)))
        .collect::<Result<_, String>>()?;
    let protected = file
        .protected
        .iter()
        .map(|a| Ok((address(a)?, None)))
        .collect::<Result<_, String>>()?;
    Ok((
        Carried { found, may_look },
        plan,
        Rest {
            mode: match file.mode {
                ModeRecord::Apply => Mode::Apply,
                ModeRecord::Destroy => Mode::Destroy,
                ModeRecord::Refresh => Mode::Refresh,
            },
            refresh: match file.refresh {
                RefreshRecord::All => Refresh::All,
                RefreshRecord::Changed => Refresh::Changed,
                RefreshRecord::Nothing => Refresh::Nothing,
            },
            inputs: read_inputs(file.inputs),
            observed,
            references: file.references,
            protected,
        },
    ))
}

pub(super) fn read_inputs(record: InputsRecord) -> Inputs {
    Inputs {
        vars: record
            .vars
            .into_iter()
            .map(|v| match v {
                VarRecord::Environment(map) => VarSource::Environment(map),
                VarRecord::Automatic => VarSource::Automatic,
                VarRecord::File(path) => VarSource::File(path.into()),
                VarRecord::Flag { name, text } => VarSource::Flag { name, text },
            })
            .collect(),
        workspace: record.workspace,
        root_dir: record.root_dir.into(),
        home: record.home.map(PathBuf::from),
        now: record.now,
    }
}

/// Changes by address, each made of its record as soon as that is read: all records at once are
/// several times the plan.
pub(super) struct Changes(BTreeMap<Address, Change>);

impl<'de> Deserialize<'de> for Changes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Changes, D::Error> {
        deserializer.deserialize_seq(ChangesVisitor)
    }
}

struct ChangesVisitor;

impl<'de> Visitor<'de> for ChangesVisitor {
    type Value = Changes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of changes")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Changes, A::Error> {
        let mut changes = BTreeMap::new();
        while let Some(record) = list.next_element::<ChangeRecord>()? {
            let change = read_change(record)
                .map_err(|cause| A::Error::custom(cause.trim_end_matches('.')))?;
            changes.insert(change.address.clone(), change);
        }
        Ok(Changes(changes))
    }
}

fn read_change(record: ChangeRecord) -> Result<Change, String> {
    Ok(Change {
        address: address(&record.address)?,
        action: match record.action {
            ActionRecord::NoOp => Action::NoOp,
            ActionRecord::Create => Action::Create,
            ActionRecord::Read => Action::Read,
            ActionRecord::Update => Action::Update,
            ActionRecord::DeleteThenCreate => Action::Replace(ReplaceOrder::DeleteFirst),
            ActionRecord::CreateThenDelete => Action::Replace(ReplaceOrder::CreateFirst),
            ActionRecord::Delete => Action::Delete,
            ActionRecord::Forget => Action::Forget,
        },
        reason: match record.reason {
            ReasonRecord::UpToDate => Reason::UpToDate,
            ReasonRecord::New => Reason::New,
            ReasonRecord::ConfigChanged => Reason::ConfigChanged,
            ReasonRecord::Drifted => Reason::Drifted,
            ReasonRecord::CannotUpdate(forced) => Reason::CannotUpdate(paths(&forced)?),
            ReasonRecord::Tainted => Reason::Tainted,
            ReasonRecord::Requested => Reason::Requested(paths(&record.forced)?),
            ReasonRecord::BlockGone => Reason::NotInConfig(Orphan::Block),
            ReasonRecord::InstanceGone => Reason::NotInConfig(Orphan::Instance),
            ReasonRecord::ModuleGone => Reason::NotInConfig(Orphan::Module),
            ReasonRecord::Destroying => Reason::Destroying,
            ReasonRecord::UnknownInputs => Reason::UnknownInputs,
            ReasonRecord::RepetitionGone => Reason::NotInConfig(Orphan::Repetition),
            ReasonRecord::Removed => Reason::NotInConfig(Orphan::Removed),
            ReasonRecord::MovedAway => Reason::NotInConfig(Orphan::MoveTarget),
            ReasonRecord::PendingDependency => Reason::PendingDependency,
            ReasonRecord::CheckNested => Reason::CheckNested,
            ReasonRecord::Triggered(by) => Reason::Triggered(
                by.into_iter()
                    .map(read_reference)
                    .collect::<Result<_, _>>()?,
                paths(&record.forced)?,
            ),
        },
        before: value(record.before)?.map(known).transpose()?,
        after: value(record.after)?,
        provider: record.provider.parse().map_err(|e| format!("{e}."))?,
        private: bytes(&record.private)?,
        batch: record.batch,
        moved_from: record.moved_from.as_deref().map(address).transpose()?,
        import: record.import,
    })
}

fn paths(all: &[Json]) -> Result<Vec<Path>, String> {
    let all: Option<_> = all.iter().map(path_from_json).collect();
    all.ok_or_else(|| "A path is damaged.".to_owned())
}

fn read_deposed(record: DeposedRecord) -> Result<Deposed, String> {
    Ok(Deposed {
        address: address(&record.address)?,
        key: DeposedKey(record.key),
        before: known(decode(&record.before).map_err(|e| format!("{e}."))?)?,
        provider: record.provider.parse().map_err(|e| format!("{e}."))?,
    })
}

fn read_reference(record: ReferenceRecord) -> Result<Reference, String> {
    Ok(Reference {
        address: address(&record.address)?,
        path: path_from_json(&record.path).ok_or("A path is damaged.")?,
    })
}

fn read_resource(record: ResourceRecord) -> Result<Resource, String> {
    Ok(Resource {
        provider: record.provider.parse().map_err(|e| format!("{e}."))?,
        schema_version: record.schema_version,
        value: known(decode(&record.value).map_err(|e| format!("{e}."))?)?,
        private: bytes(&record.private)?,
        dependencies: record
            .dependencies
            .iter()
            .map(|d| address(d))
            .collect::<Result<_, _>>()?,
        status: match record.status {
            StatusRecord::Ready => Status::Ready,
            StatusRecord::Tainted => Status::Tainted,
        },
        removal: match record.removal {
            None => Removal::Delete,
            Some(RemovalRecord::Forget) => Removal::Forget,
        },
        foreign: record.foreign.map(Foreign),
    })
}

fn address(text: &str) -> Result<Address, String> {
    text.parse().map_err(|e| format!("{e}."))
}

fn value(encoded: Option<Encoded>) -> Result<Option<Value>, String> {
    encoded
        .map(|e| decode(&e))
        .transpose()
        .map_err(|e| format!("{e}."))
}

fn known(value: Value) -> Result<Known, String> {
    Known::new(value).map_err(|e| format!("{e}."))
}

fn bytes(text: &str) -> Result<Vec<u8>, String> {
    unhex(text).ok_or_else(|| "Its hexadecimal text is damaged.".to_owned())
}
