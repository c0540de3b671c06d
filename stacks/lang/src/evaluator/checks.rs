//! Conditions: what came of each, for whoever asks at the end.

use super::{
    Evaluator,
    frame::Names,
    graph::{Role, State},
    run::Stop,
    values::check,
};
use crate::{
    config::{Node, NodeIx, NodeKind, blocks::CheckBlock},
    eval::NodeId,
};
use std::collections::BTreeMap;
use weir_core::{Address, Diagnostic, Diagnostics, ModulePath, Object, Severity, Value};

/// A block that can have conditions, and what came of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckResult {
    /// What kind of block it is.
    pub kind: CheckKind,
    /// The module it stands in, without instance keys.
    pub module: ModulePath,
    /// Its name within the module: `terraform_data.a`, `output.x`, `var.x`, `check.x`.
    pub name: String,
    /// The resource, of [`CheckKind::Resource`].
    pub object: Option<Object>,
    /// The worst of its instances; unknown where none was evaluated.
    pub status: CheckStatus,
    /// Its instances that were evaluated.
    pub instances: Vec<CheckInstance>,
}

/// One instance of such a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckInstance {
    /// The instance of the module.
    pub module: ModulePath,
    /// Its address as text: `module.a[0].terraform_data.b["x"]`, `module.a[0].output.x`.
    pub address: String,
    /// Its own key, of a resource.
    pub key: weir_core::Key,
    /// The worst of its conditions.
    pub status: CheckStatus,
    /// The messages of those that do not hold.
    pub problems: Vec<String>,
}

/// A block that can have conditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckKind {
    /// A resource, a data source or an ephemeral resource: pre- and postconditions.
    Resource,
    /// An output: preconditions.
    Output,
    /// A variable: validations.
    Variable,
    /// A `check` block: asserts.
    Check,
}

/// What came of a condition. The worst is the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CheckStatus {
    /// It holds.
    Pass,
    /// It is not known yet.
    Unknown,
    /// It does not hold.
    Fail,
    /// It could not be evaluated.
    Error,
}

/// What came of one condition, with the message where it does not hold.
pub(super) type Verdict = (CheckStatus, Option<String>);

/// Verdicts of a node: of conditions before it has a value, and of those after.
pub(super) type Verdicts = [Vec<Verdict>; 2];

impl Evaluator {
    /// Every block that has conditions, in the order of the configuration, and what came of them
    /// so far.
    pub fn checks(&mut self) -> Vec<CheckResult> {
        self.work();
        let mut found: BTreeMap<(usize, usize), Vec<CheckInstance>> = BTreeMap::new();
        for (id, verdicts) in &self.verdicts {
            let entity = self.graph.get(*id);
            let module = self.graph.module(entity.inst);
            let slot = (module.module.0, entity.ix.0);
            let instance = self.check_instance_of(*id, verdicts);
            let slot = self.conditions_of(slot);
            found.entry(slot).or_default().push(instance);
        }
        let mut out = Vec::new();
        for (m, module) in self.config.modules.iter().enumerate() {
            for (n, node) in module.nodes.iter().enumerate() {
                let Some(kind) = kind(node) else { continue };
                let mut instances = found.remove(&(m, n)).unwrap_or_default();
                instances.sort_by(|a, b| (&a.module, &a.key).cmp(&(&b.module, &b.key)));
                out.push(CheckResult {
                    kind,
                    module: module.steps.clone(),
                    name: node.kind.title(),
                    object: match &node.kind {
                        NodeKind::Resource(r) => Some(r.object.clone()),
                        _ => None,
                    },
                    status: instances
                        .iter()
                        .map(|i| i.status)
                        .max()
                        .unwrap_or_else(|| self.of_nothing(m, n)),
                    instances,
                });
            }
        }
        out
    }

    /// The instances with conditions that could not be told so far.
    pub fn undecided(&self) -> Vec<Address> {
        let open = |verdicts: &Verdicts| {
            let mut all = verdicts.iter().flatten();
            all.any(|(status, _)| *status == CheckStatus::Unknown)
        };
        let instances = self.verdicts.iter().filter(|(_, v)| open(v));
        let yielded = instances.filter(|(id, _)| self.graph.get(**id).yielded);
        yielded.filter_map(|(id, _)| self.address_of(*id)).collect()
    }

    /// Asks the conditions of an instance again that has its value. Returns what does not hold.
    pub fn decide(&mut self, address: &Address) -> Diagnostics {
        let Some(id) = self.yielded(address) else {
            return Diagnostics::new();
        };
        let mut found = self.again(id).err().unwrap_or_default();
        if let State::Supplied(value) = &self.graph.get(id).state {
            let value = value.clone();
            self.check_postconditions(id, address, value);
        }
        found.extend(self.take_diagnostics());
        found
    }

    /// What conditions without any result come to: where it is known that there are no instances,
    /// none is broken.
    fn of_nothing(&self, module: usize, node: usize) -> CheckStatus {
        let mut all = (self.graph.modules.iter()).filter(|i| i.module.0 == module);
        let empty = all.all(|i| {
            let block = self.graph.get(i.id(NodeIx(node)));
            block.expansion.as_ref().is_some_and(|x| x.keys.is_empty())
        });
        match empty {
            true => CheckStatus::Pass,
            false => CheckStatus::Unknown,
        }
    }

    /// The data source of a `check` could not be had: that is a warning, and the check does not
    /// hold. What else the check asserts over it is not evaluated.
    pub fn fail_scoped(&mut self, address: &Address, diagnostics: Diagnostics) {
        let Some(id) = self.yielded(address) else {
            return;
        };
        self.scoped_problems(id, diagnostics.0);
        self.fail(address);
    }

    /// What is wrong with a data source of a check, as warnings.
    pub(super) fn scoped_problems(&mut self, id: NodeId, problems: Vec<Diagnostic>) {
        let check = match self.kind_of(id) {
            NodeKind::Resource(r) => r.scoped.clone(),
            _ => None,
        };
        let entity = self.graph.get(id);
        let names = &self.module_of(entity.inst).names;
        let check = check.and_then(|c| names.checks.get(&c).copied());
        let check = check.map(|ix| self.graph.module(entity.inst).id(ix));
        let address = self.address_of(id);
        for mut d in problems {
            d.severity = Severity::Warning;
            if let Some(check) = check {
                let verdict = (CheckStatus::Fail, Some(d.summary.clone()));
                self.verdicts.entry(check).or_default()[1].push(verdict);
            }
            self.report(d, address.as_ref());
        }
    }

    pub(super) fn check_block(&mut self, id: NodeId, block: &CheckBlock) -> Result<(), Stop> {
        let what = format!("Check `{}` does not hold", block.name);
        let inst = self.graph.get(id).inst;
        let outcome = self.compute(inst, Names::default(), |frame, problems| {
            let found = check(&block.asserts, &what, frame, problems);
            for d in problems.iter_mut().filter(|d| d.summary == what) {
                d.severity = Severity::Warning;
            }
            found?;
            Ok(Value::null())
        });
        self.keep(id, outcome)
    }

    /// Where nothing is done, a condition that does not hold is worth knowing and in nobody's way.
    pub(super) fn judge(&self, problems: &mut [Diagnostic]) {
        let failed = problems.iter_mut().filter(|d| d.is_failed_condition());
        failed
            .filter(|_| self.looks_only)
            .for_each(|d| d.severity = Severity::Warning);
    }

    /// Keeps what came of a node's conditions.
    pub(super) fn record(&mut self, id: NodeId, slot: usize, verdicts: Vec<Verdict>) {
        if !verdicts.is_empty() {
            self.verdicts.entry(id).or_default()[slot] = verdicts;
        }
    }

    /// The block a verdict belongs to: validations that stand for themselves are the variable's.
    fn conditions_of(&self, (m, n): (usize, usize)) -> (usize, usize) {
        let module = &self.config.modules[m];
        match &module.nodes[n].kind {
            NodeKind::Validation(v) => {
                (m, module.names.variables.get(&v.name).map_or(n, |ix| ix.0))
            }
            _ => (m, n),
        }
    }

    fn check_instance_of(&self, id: NodeId, verdicts: &Verdicts) -> CheckInstance {
        let entity = self.graph.get(id);
        let module = self.graph.module(entity.inst).path.clone();
        let key = match (entity.role, self.address_of(id)) {
            (Role::Instance(_), Some(address)) => address.key,
            _ => weir_core::Key::None,
        };
        let all = verdicts.iter().flatten();
        CheckInstance {
            module,
            address: self.name_of(id),
            key,
            status: all
                .clone()
                .map(|(s, _)| *s)
                .max()
                .unwrap_or(CheckStatus::Pass),
            problems: all.filter_map(|(_, m)| m.clone()).collect(),
        }
    }
}

/// The kind of a block that has conditions.
fn kind(node: &Node) -> Option<CheckKind> {
    match &node.kind {
        NodeKind::Resource(r) if !r.preconditions.is_empty() || !r.postconditions.is_empty() => {
            Some(CheckKind::Resource)
        }
        NodeKind::Output(o) if !o.preconditions.is_empty() => Some(CheckKind::Output),
        NodeKind::Variable(v) if !v.validations.is_empty() => Some(CheckKind::Variable),
        NodeKind::Check(_) => Some(CheckKind::Check),
        _ => None,
    }
}
