//! A plan as the document it is written as. Each record is made when its turn comes, so that a
//! plan of a hundred thousand instances is not in memory a second time to be written or hashed.

use super::{
    convert::{write_change, write_inputs, write_op, write_resource},
    format::{
        DeposedRecord, FORMAT, ModeRecord, NodeRecord, OutputRecord, RefreshRecord, StepRecord,
        VERSION,
    },
    found,
};
use crate::engine::{Mode, Planned, Refresh};
use serde::{Serialize, Serializer, ser::SerializeStruct as _};
use weir_core::{
    json::encode,
    plan::{Deposed, Node, OutputChange, Step},
};

/// A plan on its way to a file. Its fields are those of [`super::format::PlanFile`].
pub(super) struct Document<'a>(pub(super) &'a Planned);

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Document(planned) = self;
        let plan = &planned.plan;
        let seen = planned.config.found();
        let mut file = serializer.serialize_struct("PlanFile", 22)?;
        file.serialize_field("format", FORMAT)?;
        file.serialize_field("version", &VERSION)?;
        file.serialize_field("weir", env!("CARGO_PKG_VERSION"))?;
        file.serialize_field("lineage", &plan.lineage.0)?;
        file.serialize_field("base", &plan.base.0)?;
        file.serialize_field("mode", &mode(planned.mode))?;
        match planned.refresh {
            Refresh::All => file.skip_field("refresh")?,
            other => file.serialize_field("refresh", &refresh(other))?,
        }
        file.serialize_field("complete", &plan.complete)?;
        file.serialize_field("files", &found::write_files(&seen))?;
        file.serialize_field("found", &found::write_found(&seen))?;
        file.serialize_field("inputs", &write_inputs(&planned.inputs))?;
        let changes = List(|| plan.changes.values().map(write_change));
        file.serialize_field("changes", &changes)?;
        let drift = List(|| plan.drift.values().map(write_change));
        file.serialize_field("drift", &drift)?;
        let deposed = List(|| plan.deposed.iter().map(write_deposed));
        file.serialize_field("deposed", &deposed)?;
        file.serialize_field("checks", &plan.checks)?;
        let outputs = plan.outputs.iter();
        let outputs = Table(|| outputs.clone().map(|(name, o)| (name, write_output(o))));
        file.serialize_field("outputs", &outputs)?;
        let found = plan.found_outputs.iter();
        let found = Table(|| found.clone().map(|(name, o)| (name, write_output(o))));
        match plan.found_outputs.is_empty() {
            true => file.skip_field("found_outputs")?,
            false => file.serialize_field("found_outputs", &found)?,
        }
        let module_outputs = List(|| {
            let all = plan.module_outputs.iter();
            all.flat_map(|(path, names)| names.iter().map(move |n| format!("{path}.output.{n}")))
        });
        match plan.module_outputs.is_empty() {
            true => file.skip_field("module_outputs")?,
            false => file.serialize_field("module_outputs", &module_outputs)?,
        }
        file.serialize_field("dependencies", &Table(|| plan.dependencies.iter()))?;
        let nodes = List(|| plan.nodes.iter().map(write_node));
        file.serialize_field("nodes", &nodes)?;
        let steps = List(|| plan.steps.iter().map(write_step));
        file.serialize_field("steps", &steps)?;
        let observed = planned.observed.iter();
        let resource = |r: &Option<_>| r.as_ref().map(write_resource);
        let observed = Table(|| observed.clone().map(|(a, r)| (a, resource(r))));
        file.serialize_field("observed", &observed)?;
        match &planned.references {
            Some(references) => file.serialize_field("references", references)?,
            None => file.skip_field("references")?,
        }
        file.serialize_field("protected", &List(|| planned.protected.keys()))?;
        file.end()
    }
}

/// A list whose elements are made as they are written.
struct List<F>(F);

impl<F, I> Serialize for List<F>
where
    F: Fn() -> I,
    I: Iterator,
    I::Item: Serialize,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

/// A table whose entries are made as they are written.
struct Table<F>(F);

impl<F, I, K, V> Serialize for Table<F>
where
    F: Fn() -> I,
    I: Iterator<Item = (K, V)>,
    K: Serialize,
    V: Serialize,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map((self.0)())
    }
}

fn mode(mode: Mode) -> ModeRecord {
    match mode {
        Mode::Apply => ModeRecord::Apply,
        Mode::Destroy => ModeRecord::Destroy,
        Mode::Refresh => ModeRecord::Refresh,
    }
}

fn refresh(refresh: Refresh) -> RefreshRecord {
    match refresh {
        Refresh::All => RefreshRecord::All,
        Refresh::Changed => RefreshRecord::Changed,
        Refresh::Nothing => RefreshRecord::Nothing,
    }
}

fn write_deposed(deposed: &Deposed) -> DeposedRecord {
    DeposedRecord {
        address: deposed.address.to_string(),
        key: deposed.key.0.clone(),
        before: encode(deposed.before.value()),
        provider: deposed.provider.to_string(),
    }
}

fn write_output(output: &OutputChange) -> OutputRecord {
    OutputRecord {
        before: output.before.as_ref().map(encode),
        after: output.after.as_ref().map(encode),
    }
}

fn write_node(node: &Node) -> NodeRecord {
    NodeRecord {
        address: node.address.to_string(),
        op: write_op(node.op),
        after: node.after.iter().map(|n| n.0).collect(),
    }
}

fn write_step(step: &Step) -> StepRecord {
    StepRecord {
        nodes: step.nodes.iter().map(|n| n.0).collect(),
        after: step.after.iter().map(|s| s.0).collect(),
    }
}
