//! Arguments of `module` blocks.

use crate::{
    config::{Config, Module, NodeKind, reader::Report},
    hints,
};
use weir_core::Diagnostic;

/// Reports arguments that no variable of the module takes, and variables without a default that
/// got none.
pub(super) fn check(modules: &[Module], report: &mut Report<'_>) {
    for node in modules.iter().flat_map(|m| &m.nodes) {
        let NodeKind::Call(call, child) = &node.kind else {
            continue;
        };
        let Some(child) = modules.get(child.0) else {
            continue;
        };
        for input in &call.inputs {
            if !child.names.variables.contains_key(&input.name) {
                let mut d = Diagnostic::error(format!(
                    "Module `{}` has no input `{}`",
                    call.name, input.name
                ))
                .because(format!(
                    "Inputs are the variables of the module in `{}`.",
                    Config::folder(&child.dir)
                ));
                let names = child.names.variables.keys().map(|k| &**k);
                d.help = hints::suggest(&input.name, names, str::to_owned);
                report.push(d, &input.name_span);
            }
        }
        for inner in &child.nodes {
            let NodeKind::Variable(v) = &inner.kind else {
                continue;
            };
            let given = call.inputs.iter().any(|i| i.name == v.name);
            let names = child.names.variables.keys().map(|k| &**k);
            let is_misspelt =
                || hints::misspells(call.inputs.iter().map(|i| &*i.name), &v.name, names);
            if v.default.is_none() && !given && !is_misspelt() {
                let d = Diagnostic::error(format!(
                    "Module `{}` is missing the input `{}`",
                    call.name, v.name
                ))
                .because(format!(
                    "The variable has no default; it is declared at {}.",
                    v.span
                ))
                .help(format!("Add `{} = ...` of type `{}`.", v.name, v.ty));
                report.push(d, &call.span);
            }
        }
    }
}
