//! The provider configuration that serves a resource.

use super::Place;
use crate::{
    config::{Module, ModuleId, NodeIx, NodeKind, module::provider_name, reader::Report},
    hints,
};
use std::collections::BTreeMap;
use weir_core::{Diagnostic, Span, address::ProviderRef};

/// A provider configuration of the root module.
pub(super) struct Resolved {
    pub(super) provider: ProviderRef,
    /// Its block, where there is one.
    pub(super) block: Option<NodeIx>,
}

/// The provider of every resource; one that leads nowhere is reported.
pub(super) fn resolve(modules: &[Module], report: &mut Report<'_>) -> BTreeMap<Place, Resolved> {
    let mut out = BTreeMap::new();
    for (m, module) in modules.iter().enumerate() {
        for (i, node) in module.nodes.iter().enumerate() {
            let NodeKind::Resource(resource) = &node.kind else {
                continue;
            };
            let (wanted, span) = match &resource.provider {
                Some((provider, span)) => (provider.clone(), span),
                None => {
                    let name = provider_name(resource);
                    (ProviderRef { name, alias: None }, &resource.span)
                }
            };
            if let Some(resolved) = climb(modules, ModuleId(m), wanted, span, report) {
                out.insert((ModuleId(m), NodeIx(i)), resolved);
            }
        }
    }
    out
}

/// Follows `providers` of the calls up to the root.
fn climb(
    modules: &[Module],
    from: ModuleId,
    mut wanted: ProviderRef,
    span: &Span,
    report: &mut Report<'_>,
) -> Option<Resolved> {
    let mut module = &modules[from.0];
    while let Some((parent, call)) = module.parent {
        let NodeKind::Call(call, _) = &modules[parent.0].node(call).kind else {
            return None;
        };
        match call.providers.iter().find(|(child, _, _)| *child == wanted) {
            Some((_, above, _)) => wanted = above.clone(),
            // Without an alias a module inherits the configuration of the same name.
            None if wanted.alias.is_none() => {}
            None => {
                let d = Diagnostic::error(format!(
                    "{} is not given the provider `{wanted}`",
                    module.path
                ))
                .because(format!(
                    "A module gets providers with an alias from the block that calls it, at {}.",
                    call.span
                ))
                .help(format!(
                    "Add `providers = {{ {wanted} = ... }}` to module `{}`.",
                    call.name
                ));
                report.push(d, span);
                return None;
            }
        }
        module = &modules[parent.0];
    }
    let block = module.names.providers.get(&wanted).copied();
    if block.is_none() && wanted.alias.is_some() {
        let mut d = Diagnostic::error(format!("There is no provider `{wanted}`"));
        let known: Vec<String> = module
            .names
            .providers
            .keys()
            .map(ToString::to_string)
            .collect();
        d.help = hints::suggest(
            &wanted.to_string(),
            known.iter().map(String::as_str),
            str::to_owned,
        )
        .or_else(|| {
            Some(format!(
                "Add `provider \"{}\" {{ alias = ... }}` to the root module.",
                wanted.name
            ))
        });
        report.push(d, span);
        return None;
    }
    Some(Resolved {
        provider: wanted,
        block,
    })
}
