//! The provider configuration that serves a resource.

use super::Place;
use crate::{
    config::{
        Module, ModuleId, Node, NodeIx, NodeKind, Serving,
        blocks::{LocalProvider, ModuleCall, ProviderBlock, ProviderUse, Repeat},
        module::implied_provider,
        reader::Report,
    },
    hints,
    ir::Expr,
};
use weir_core::{
    Diagnostic, Span,
    address::{OfferStep, ProviderRef},
};

/// The providers that serve the nodes of all modules, as [`Module::nodes`] lists them.
pub(super) struct Servings(Vec<Vec<Option<Serving>>>);

impl Servings {
    pub(super) fn of(&self, (module, node): Place) -> Option<&Serving> {
        self.0.get(module.0)?.get(node.0)?.as_ref()
    }

    /// Gives each node its own.
    pub(super) fn hand_out(self, modules: &mut [Module]) {
        for (module, servings) in modules.iter_mut().zip(self.0) {
            for (node, serving) in module.nodes.iter_mut().zip(servings) {
                node.provider = serving;
            }
        }
    }
}

/// The provider of every resource; one that leads nowhere is reported.
pub(super) fn resolve(modules: &[Module], report: &mut Report<'_>) -> Servings {
    let all = (0..modules.len()).map(|m| of_module(modules, ModuleId(m), report));
    let out = Servings(all.collect());
    for (m, module) in modules.iter().enumerate() {
        for node in &module.nodes {
            if let NodeKind::Call(call, child) = &node.kind
                && OfferStep::of(&call.name).is_none()
                && let Some(child) = modules.get(child.0)
            {
                check_call(modules, ModuleId(m), call, child, report);
            }
        }
    }
    out
}

/// The providers of the nodes of one module.
fn of_module<'m>(
    modules: &'m [Module],
    m: ModuleId,
    report: &mut Report<'_>,
) -> Vec<Option<Serving>> {
    // Whether the provider of an offer's machines is there is said of the offer.
    let mut quiet = Report::new(report.sources);
    let step = modules[m.0].steps.0.last();
    let is_offer = step.is_some_and(|(name, _)| OfferStep::of(name).is_some());
    let report = if is_offer { &mut quiet } else { report };
    // Most resources name no provider, and neighbours have the same one.
    let mut last: Option<(&'m str, Serving)> = None;
    let serving = |node: &'m Node| {
        let (used, implied, span) = match &node.kind {
            NodeKind::Resource(r) => (&r.provider, r.object.type_name(), &r.span),
            NodeKind::Import(import) if import.provider.is_some() => {
                (&import.provider, "", &import.span)
            }
            NodeKind::Cluster(cluster) => {
                // Only whether they are there: a cluster has no provider of its own.
                for offer in &cluster.offers {
                    climb(modules, m, offer.clone(), report);
                }
                return None;
            }
            _ => return None,
        };
        if let Some(used) = used {
            return climb(modules, m, used.clone(), report);
        }
        let name = implied_provider(implied);
        if let Some((_, serving)) = last.as_ref().filter(|(of, _)| *of == name) {
            return Some(serving.clone());
        }
        let used = ProviderUse {
            provider: LocalProvider::new(name),
            key: None,
            span: span.clone(),
        };
        let serving = climb(modules, m, used, report)?;
        last = Some((name, serving.clone()));
        Some(serving)
    };
    modules[m.0].nodes.iter().map(serving).collect()
}

/// Follows a provider's name to its block: in the module itself, or up through `providers` of the
/// calls.
fn climb(
    modules: &[Module],
    from: ModuleId,
    used: ProviderUse,
    report: &mut Report<'_>,
) -> Option<Serving> {
    let ProviderUse {
        provider: mut wanted,
        key,
        span,
    } = used;
    let mut key = key.map(|k| (0, k));
    let mut at = from;
    let mut level = 0;
    loop {
        let module = &modules[at.0];
        let own = module.names.providers.get(&wanted).copied();
        let given = caller(modules, module)
            .and_then(|call| call.providers.iter().find(|(child, _)| *child == wanted));
        // An empty block in a module says only that the module uses the provider.
        let is_proxy = own.is_some_and(|ix| is_empty(module, ix)) && module.parent.is_some();
        if let Some(ix) = own
            && !(is_proxy && (given.is_some() || wanted.alias.is_none()))
        {
            check_key(module, ix, &wanted, key.as_ref(), &span, report)?;
            return Some(Serving {
                provider: reference(module, &wanted),
                block: Some((at, ix)),
                key,
            });
        }
        let Some((parent, _)) = module.parent else {
            break;
        };
        match given {
            Some((_, above)) => {
                if key.is_some() {
                    report.push(one_alone(&wanted), &span);
                    return None;
                }
                wanted = above.provider.clone();
                key = above.key.clone().map(|k| (level + 1, k));
            }
            // Without an alias a module inherits the configuration of the same name.
            None if wanted.alias.is_none() => {}
            None => {
                report.push(not_given(modules, module, &wanted), &span);
                return None;
            }
        }
        at = parent;
        level += 1;
    }
    if wanted.alias.is_some() {
        report.push(no_such(&modules[at.0], &wanted), &span);
        return None;
    }
    if key.is_some() {
        report.push(one_alone(&wanted), &span);
        return None;
    }
    Some(Serving {
        provider: ProviderRef::new(wanted.name),
        block: None,
        key: None,
    })
}

fn caller<'m>(modules: &'m [Module], module: &Module) -> Option<&'m ModuleCall> {
    let (parent, call) = module.parent?;
    match &modules[parent.0].node(call).kind {
        NodeKind::Call(call, _) => Some(call),
        _ => None,
    }
}

fn block(module: &Module, ix: NodeIx) -> Option<&ProviderBlock> {
    match &module.node(ix).kind {
        NodeKind::Provider(block) => Some(block),
        _ => None,
    }
}

fn is_empty(module: &Module, ix: NodeIx) -> bool {
    block(module, ix).is_some_and(|b| {
        b.body.attributes.is_empty() && b.body.blocks.is_empty() && matches!(b.repeat, Repeat::Once)
    })
}

/// A configuration as the root module names it.
fn reference(module: &Module, provider: &LocalProvider) -> ProviderRef {
    ProviderRef {
        module: module.steps.clone(),
        name: provider.name.as_str().into(),
        alias: provider.alias.as_deref().map(Into::into),
        key: None,
    }
}

/// A provider with `for_each` is used with a key, any other without one.
fn check_key(
    module: &Module,
    ix: NodeIx,
    wanted: &LocalProvider,
    key: Option<&(usize, Expr)>,
    span: &Span,
    report: &mut Report<'_>,
) -> Option<()> {
    let repeats = matches!(block(module, ix)?.repeat, Repeat::ForEach(_));
    let problem = match (repeats, key) {
        (true, None) => Diagnostic::error(format!("Provider `{wanted}` has several instances"))
            .because("Its block has `for_each`, so one of them must be picked.")
            .help(format!("Write `{wanted}[each.key]`, or another key.")),
        (false, Some(_)) => one_alone(wanted),
        _ => return Some(()),
    };
    report.push(problem, span);
    None
}

fn one_alone(wanted: &LocalProvider) -> Diagnostic {
    Diagnostic::error(format!("Provider `{wanted}` has a single instance"))
        .because("Only a provider block with `for_each` has instances to pick from.")
        .help(format!("Write `{wanted}` without the key."))
}

fn not_given(modules: &[Module], module: &Module, wanted: &LocalProvider) -> Diagnostic {
    let d = Diagnostic::error(format!(
        "{} is not given the provider `{wanted}`",
        module.path
    ));
    match caller(modules, module) {
        Some(call) => d
            .because(format!(
                "A module gets providers with an alias from the block that calls it, at {}.",
                call.span
            ))
            .help(format!(
                "Add `providers = {{ {wanted} = ... }}` to module `{}`.",
                call.name
            )),
        None => d,
    }
}

fn no_such(module: &Module, wanted: &LocalProvider) -> Diagnostic {
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
    d
}

/// Holds what a call gives against what its module asks for.
fn check_call(
    modules: &[Module],
    from: ModuleId,
    call: &ModuleCall,
    child: &Module,
    report: &mut Report<'_>,
) {
    for (inner, outer) in &call.providers {
        // That the caller has it is found out here also where nothing in the module uses it.
        let uses = climb(modules, from, outer.clone(), report);
        let declares = child.required.iter().any(|r| {
            r.name == inner.name
                && inner
                    .alias
                    .as_ref()
                    .is_none_or(|_| r.configuration_aliases.contains(&inner.to_string()))
        });
        let own = child.names.providers.get(inner);
        if let Some(ix) = own
            && !is_empty(child, *ix)
        {
            let d = Diagnostic::error(format!(
                "Module `{}` configures provider `{inner}` itself",
                call.name
            ))
            .because(format!(
                "Its block at {} can't be replaced from outside.",
                child.node(*ix).span
            ))
            .help("Remove that block, or the entry in `providers`.");
            report.push(d, &outer.span);
        } else if inner.alias.is_some() && !declares && own.is_none() && uses.is_some() {
            let summary = format!(
                "Module `{}` does not expect a provider `{inner}`",
                call.name
            );
            let knows = child.required.iter().any(|r| r.name == inner.name);
            let d = match knows {
                true => Diagnostic::error(summary),
                false => Diagnostic::warning(summary),
            }
            .because("A module says which configurations with an alias it wants to be given.")
            .help(format!(
                "Add `configuration_aliases = [{inner}]` to its `required_providers`, or remove the entry."
            ));
            report.push(d, &outer.span);
        }
    }
    for required in &child.required {
        for alias in &required.configuration_aliases {
            if !call.providers.iter().any(|(c, _)| c.to_string() == *alias) {
                let d = Diagnostic::error(format!(
                    "Module `{}` is not given the provider `{alias}`",
                    call.name
                ))
                .because(format!("It asks for it at {}.", required.span))
                .help(format!("Add `providers = {{ {alias} = ... }}`."));
                report.push(d, &call.span);
            }
        }
    }
    let repeats = match &call.repeat {
        Repeat::Count(_) => Some("count"),
        Repeat::ForEach(_) => Some("for_each"),
        Repeat::Enabled(_) => Some("enabled"),
        Repeat::Once if call.depends_on.is_empty() => None,
        Repeat::Once => Some("depends_on"),
    };
    if let Some(word) = repeats
        && let Some((inner, ix)) = configured_below(modules, child)
    {
        let title = inner.node(ix).kind.title();
        let d = Diagnostic::error(format!("Module `{}` can't have `{word}`", call.name))
            .because(format!(
                "It has a provider block of its own, `{title}` at {}: its instances could not be told apart, and objects of an instance that is gone would have no provider.",
                inner.node(ix).span
            ))
            .help("Move the provider block to the root module, and give it with `providers = { ... }`.");
        report.push(d, &call.span);
    }
}

/// A provider block with a configuration in a module or below it.
fn configured_below<'m>(modules: &'m [Module], module: &'m Module) -> Option<(&'m Module, NodeIx)> {
    let own = module.names.providers.values();
    if let Some(ix) = own.copied().find(|ix| !is_empty(module, *ix)) {
        return Some((module, ix));
    }
    module.nodes.iter().find_map(|node| match &node.kind {
        NodeKind::Call(_, child) => configured_below(modules, modules.get(child.0)?),
        _ => None,
    })
}
