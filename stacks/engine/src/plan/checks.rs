//! What conditions come to, and which of them a plan goes through at all.

use crate::engine::{Mode, PlanInput, PlanOptions};
use std::collections::{BTreeMap, BTreeSet};
use weir_core::{
    Address, ModulePath,
    address::step,
    checks::{CheckInstance, CheckKind, CheckResult, CheckStatus},
};
use weir_lang::{Config, Evaluator, Part};

/// The part of the configuration that targets leave.
pub(crate) struct Chosen<'a> {
    instances: BTreeSet<&'a Address>,
    outputs: BTreeSet<&'a str>,
    /// The resources, outputs, variables and checks they need, themselves included, without keys.
    needed: BTreeSet<String>,
    /// What is looked at though there is nothing to plan for it: of what is not in state, where
    /// only state is brought up to date.
    looked_at: Option<&'a PlanOptions>,
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
            looked_at: None,
        }
    }

    /// What a plan's options leave, where `instances` are left of those that something is planned
    /// for.
    pub(super) fn of_plan(
        input: &'a PlanInput,
        taken: Option<&Part>,
        instances: &'a BTreeSet<Address>,
        outputs: impl IntoIterator<Item = &'a String>,
    ) -> Chosen<'a> {
        let mut chosen = Chosen::of(&input.config, instances, outputs);
        if let Some(taken) = taken {
            chosen = chosen.with_blocks(taken.blocks());
        }
        let is_refresh = input.options.mode == Mode::Refresh;
        chosen.looked_at = is_refresh.then_some(&input.options);
        chosen
    }

    /// With blocks that the part goes through though they have no instances.
    fn with_blocks(mut self, blocks: &BTreeSet<Address>) -> Self {
        self.needed.extend(blocks.iter().map(Address::to_string));
        self
    }

    /// Whether the part goes through an instance of a block it goes through.
    fn has(&self, address: &Address) -> bool {
        let looked_at = |options: &PlanOptions| {
            let block = address.written();
            let (targets, excludes) = (&options.targets, &options.excludes);
            let whole = !targets.iter().any(|t| t.names_block(&block));
            (whole || targets.iter().any(|t| t.names(address)))
                && !excludes.iter().any(|t| t.names(address))
        };
        self.instances.contains(address) || self.looked_at.is_some_and(looked_at)
    }

    /// Leaves of a block's conditions what the part goes through. Where it goes through the block
    /// for some instances only, the others are not known.
    fn limit(&self, result: &mut CheckResult) {
        let goes_through = match result.kind {
            // Of checks, only what names a module as a whole needs those of it.
            CheckKind::Resource | CheckKind::Var | CheckKind::Check => {
                self.needed.contains(&result.block)
            }
            CheckKind::OutputValue => match result.block.strip_prefix("output.") {
                Some(name) => self.outputs.contains(name),
                None => self.needed.contains(&result.block),
            },
        };
        if !goes_through {
            result.instances.clear();
            result.status = CheckStatus::Unknown;
            return;
        }
        let mut left_out = false;
        for instance in &mut result.instances {
            let chosen = |a: Address| self.has(&a);
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

/// Where things are destroyed, conditions are not asked. The root's outputs are there still where
/// all of them are.
fn unasked(result: &mut CheckResult, part: Option<&Chosen<'_>>) {
    result.status = CheckStatus::Unknown;
    result.instances.clear();
    let is_output = result.kind == CheckKind::OutputValue;
    if part.is_none() && is_output && result.block.starts_with("output.") {
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
            _ if mode == Mode::Destroy => unasked(&mut result, part),
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
        let steps: Vec<String> = path.0.iter().map(|(n, _)| step(n)).collect();
        let way = steps.join(".");
        names.retain(|name| part.needed.contains(&format!("{way}.output.{name}")));
    }
    found.retain(|_, names| !names.is_empty());
    found
}
