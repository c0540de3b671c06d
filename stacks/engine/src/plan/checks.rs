//! What conditions come to, and which of them a plan goes through at all.

use crate::engine::Mode;
use std::collections::{BTreeMap, BTreeSet};
use weir_core::{
    Address, ModulePath,
    checks::{CheckInstance, CheckKind, CheckResult, CheckStatus},
};
use weir_lang::{Config, Evaluator};

/// The part of the configuration that targets leave.
pub(crate) struct Chosen<'a> {
    instances: BTreeSet<&'a Address>,
    outputs: BTreeSet<&'a str>,
    /// The resources, outputs and variables they need, themselves included, without keys.
    needed: BTreeSet<String>,
}

impl<'a> Chosen<'a> {
    pub(crate) fn of(
        config: &Config,
        instances: impl IntoIterator<Item = &'a Address>,
        outputs: impl IntoIterator<Item = &'a String>,
    ) -> Chosen<'a> {
        let instances: BTreeSet<&Address> = instances.into_iter().collect();
        let outputs: BTreeSet<&str> = outputs.into_iter().map(String::as_str).collect();
        let needed = config.needed(instances.iter().copied(), outputs.iter().copied());
        Chosen {
            instances,
            outputs,
            needed,
        }
    }

    /// With blocks that the part goes through though they have no instances.
    pub(crate) fn with_blocks(mut self, blocks: &BTreeSet<Address>) -> Self {
        self.needed.extend(blocks.iter().map(Address::to_string));
        self
    }

    /// Leaves of a block's conditions what the part goes through. Where it goes through the block
    /// for some instances only, the others are not known.
    fn limit(&self, result: &mut CheckResult) {
        let goes_through = match result.kind {
            CheckKind::Resource | CheckKind::Var => self.needed.contains(&result.block),
            CheckKind::OutputValue => match result.block.strip_prefix("output.") {
                Some(name) => self.outputs.contains(name),
                None => self.needed.contains(&result.block),
            },
            // Nothing needs a check.
            CheckKind::Check => false,
        };
        if !goes_through {
            result.instances.clear();
            result.status = CheckStatus::Unknown;
            return;
        }
        let mut left_out = false;
        for instance in &mut result.instances {
            let chosen = |a: Address| self.instances.contains(&a);
            if result.kind == CheckKind::Resource && !instance.address.parse().is_ok_and(chosen) {
                instance.status = CheckStatus::Unknown;
                instance.problems.clear();
                left_out = true;
            }
        }
        if left_out {
            result.status = worst(&result.instances);
        }
    }
}

/// Where all is destroyed, conditions are not asked. The root's outputs are there still.
fn unasked(result: &mut CheckResult) {
    result.status = CheckStatus::Unknown;
    result.instances.clear();
    if result.kind == CheckKind::OutputValue && result.block.starts_with("output.") {
        result.instances.push(CheckInstance {
            address: result.block.clone(),
            status: CheckStatus::Unknown,
            problems: Vec::new(),
        });
    }
}

/// What the conditions of the configuration come to: those of the part alone, where it is planned
/// alone, and none where all is destroyed.
pub(crate) fn checks(
    evaluator: &mut Evaluator,
    mode: Mode,
    part: Option<&Chosen<'_>>,
) -> Vec<CheckResult> {
    let kind = |kind: weir_lang::CheckKind| match kind {
        weir_lang::CheckKind::Resource => CheckKind::Resource,
        weir_lang::CheckKind::Output => CheckKind::OutputValue,
        weir_lang::CheckKind::Variable => CheckKind::Var,
        weir_lang::CheckKind::Check => CheckKind::Check,
    };
    let status = |status: weir_lang::CheckStatus| match status {
        weir_lang::CheckStatus::Pass => CheckStatus::Pass,
        weir_lang::CheckStatus::Unknown => CheckStatus::Unknown,
        weir_lang::CheckStatus::Fail => CheckStatus::Fail,
        weir_lang::CheckStatus::Error => CheckStatus::Error,
    };
    let results = evaluator.checks().into_iter().map(|result| {
        let dot = if result.module.is_root() { "" } else { "." };
        let kind = kind(result.kind);
        let instances = result.instances.into_iter().map(|i| CheckInstance {
            address: i.address,
            status: told(kind, status(i.status)),
            problems: i.problems,
        });
        let mut result = CheckResult {
            block: format!("{}{dot}{}", result.module, result.name),
            kind,
            status: told(kind, status(result.status)),
            instances: instances.collect(),
        };
        match part {
            _ if mode == Mode::Destroy => unasked(&mut result),
            Some(part) => part.limit(&mut result),
            None => {}
        }
        result
    });
    results.collect()
}

/// A validation that can't be evaluated is undecided in the documents, as in Terraform's; the error
/// itself is shown.
fn told(kind: CheckKind, status: CheckStatus) -> CheckStatus {
    match (kind, status) {
        (CheckKind::Var, CheckStatus::Error) => CheckStatus::Unknown,
        _ => status,
    }
}

fn worst(instances: &[CheckInstance]) -> CheckStatus {
    let is = |status| instances.iter().any(|i| i.status == status);
    let order = [CheckStatus::Error, CheckStatus::Fail, CheckStatus::Unknown];
    match order.into_iter().find(|s| is(*s)) {
        Some(status) => status,
        None if instances.is_empty() => CheckStatus::Unknown,
        None => CheckStatus::Pass,
    }
}

/// The outputs of module instances that the plan goes through and that come to something.
pub(super) fn module_outputs(
    evaluator: &mut Evaluator,
    mode: Mode,
    part: Option<&Chosen<'_>>,
) -> BTreeMap<ModulePath, BTreeSet<String>> {
    if mode == Mode::Destroy {
        return BTreeMap::new();
    }
    let mut found = evaluator.module_outputs();
    let Some(part) = part else { return found };
    for (path, names) in &mut found {
        let steps: Vec<String> = path.0.iter().map(|(n, _)| format!("module.{n}")).collect();
        let way = steps.join(".");
        names.retain(|name| part.needed.contains(&format!("{way}.output.{name}")));
    }
    found.retain(|_, names| !names.is_empty());
    found
}
