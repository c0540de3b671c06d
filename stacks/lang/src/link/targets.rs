//! What a reference names.

use super::Place;
use crate::{
    config::{
        Config, Module, ModuleId, NodeIx, NodeKind,
        blocks::{Repeat, Service},
        reader::Report,
    },
    decode::iterator_name,
    hints,
    ir::{Body, RefStep, Reference},
    parse::json,
    services::offers,
};
use std::sync::Arc;
use weir_core::Diagnostic;

/// The names a place knows beside those of its module.
#[derive(Clone, Default)]
pub(super) struct Names<'a> {
    /// `count.index`
    pub(super) count: bool,
    /// `each.key` and `each.value`
    pub(super) each: bool,
    /// `self`
    pub(super) own: bool,
    /// `pod.NAME`, of this service.
    pub(super) pod: Option<&'a Service>,
    /// The check the place lies in: the data source of a check is seen in it alone.
    pub(super) check: Option<&'a Arc<str>>,
    /// The node of the service the place lies in: its placement is known there.
    pub(super) service: Option<NodeIx>,
}

impl Names<'_> {
    pub(super) fn of(repeat: &Repeat) -> Names<'static> {
        Names {
            count: matches!(repeat, Repeat::Count(_)),
            each: matches!(repeat, Repeat::ForEach(_)),
            ..Names::default()
        }
    }
}

/// Every reference in a body that no `dynamic` block around it binds.
pub(crate) fn collect_body(body: &Body, bound: &mut Vec<Arc<str>>, out: &mut Vec<Reference>) {
    let free = |bound: &[Arc<str>], expr: &crate::ir::Expr| {
        expr.references()
            .into_iter()
            .filter(|r| !bound.contains(&r.root))
            .collect::<Vec<_>>()
    };
    for a in &body.attributes {
        match a.json {
            None => out.extend(free(bound, &a.expr)),
            Some(_) => {
                let found = json::references(&a.expr).into_iter();
                out.extend(found.filter(|r| !bound.contains(&r.root)));
            }
        }
    }
    for block in &body.blocks {
        if &*block.ident != "dynamic" {
            collect_body(&block.body, bound, out);
            continue;
        }
        if let Some(for_each) = block.body.attribute("for_each") {
            out.extend(free(bound, &for_each.expr));
        }
        let depth = bound.len();
        bound.extend(iterator_name(block));
        if let Some(labels) = block.body.attribute("labels") {
            out.extend(free(bound, &labels.expr));
        }
        for content in block.body.blocks("content") {
            collect_body(&content.body, bound, out);
        }
        bound.truncate(depth);
    }
}

/// The nodes a reference leads to; one that leads nowhere is reported.
pub(super) fn targets(
    modules: &[Module],
    from: ModuleId,
    reference: &Reference,
    names: &Names<'_>,
    report: &mut Report<'_>,
) -> Vec<Place> {
    let module = &modules[from.0];
    let here = |ix: NodeIx| vec![(from, ix)];
    let found = match &*reference.root {
        "var" => find(reference, &module.names.variables, "variable").map(here),
        "local" => find(reference, &module.names.locals, "local value").map(here),
        "site" => find(reference, &module.names.sites, "site").map(here),
        "cluster" => find(reference, &module.names.clusters, "cluster").map(here),
        offers::ROOT => find(reference, &module.names.pools, "pool").map(here),
        "module" => find(reference, &module.names.calls, "module")
            .and_then(|ix| outputs(modules, from, ix, reference)),
        "service" => find(reference, &module.names.services, "service").map(|ix| {
            let mut places = vec![(from, ix)];
            if names.service != Some(ix) {
                places.extend(pods(module, ix).map(|p| (from, p)));
            }
            places
        }),
        "data" => {
            resource(reference, module, 1).and_then(|ix| in_scope(module, ix, names).map(here))
        }
        "ephemeral" => resource(reference, module, 1).map(here),
        "path" => known(reference, &["module", "root", "cwd"]),
        "terraform" => known(reference, &["workspace", "applying"]),
        "count" if names.count => known(reference, &["index"]),
        "each" if names.each => known(reference, &["key", "value"]),
        "self" if names.own => Ok(Vec::new()),
        "label" if names.pod.is_some() => Err(Box::new(
            Diagnostic::error(format!("This version of weir has no `{reference}`"))
                .because("Labels a host must have are written as values.")
                .help("Write `require = { NAME = \"value\" }` in `place`."),
        )),
        "pod" if names.pod.is_some() => pod(reference, names.pod),
        "count" => Err(out_of_place(reference, "a block with `count`")),
        "each" => Err(out_of_place(reference, "a block with `for_each`")),
        "self" => Err(out_of_place(
            reference,
            "a pod of a service, or a postcondition",
        )),
        "pod" | "label" => Err(out_of_place(reference, "a service")),
        _ => resource(reference, module, 0).map(here),
    };
    found.unwrap_or_else(|problem| {
        report.push(*problem, &reference.span);
        Vec::new()
    })
}

type Found<T> = Result<T, Box<Diagnostic>>;

fn find(
    reference: &Reference,
    names: &std::collections::BTreeMap<Arc<str>, NodeIx>,
    what: &str,
) -> Found<NodeIx> {
    let root = &reference.root;
    let Some(name) = reference.attr(0) else {
        let d = Diagnostic::error(format!("`{root}` alone is not a value"))
            .because(format!("A {what} is named: `{root}.NAME`."));
        let help = names
            .keys()
            .next()
            .map(|n| format!("There is `{root}.{n}`."));
        return Err(Box::new(Diagnostic { help, ..d }));
    };
    if let Some(ix) = names.get(name) {
        return Ok(*ix);
    }
    let mut d = Diagnostic::error(format!("There is no {what} `{name}`"));
    d.help =
        hints::suggest(name, names.keys().map(|k| &**k), |n| format!("{root}.{n}")).or_else(|| {
            match &**root {
                "local" => Some(format!("Add `locals {{ {name} = ... }}` to this module.")),
                _ => Some(format!(
                    "Add a block `{} \"{name}\"` to this module.",
                    keyword(root)
                )),
            }
        });
    Err(Box::new(d))
}

/// The block that declares what is named by this root.
fn keyword(root: &str) -> &str {
    if root == "var" { "variable" } else { root }
}

fn known(reference: &Reference, names: &[&str]) -> Found<Vec<Place>> {
    match reference.attr(0) {
        Some(name) if names.contains(&name) => Ok(Vec::new()),
        name => {
            let root = &reference.root;
            let mut d = Diagnostic::error(format!("There is no `{}`", reference.prefix(1)));
            d.help = hints::suggest(name.unwrap_or_default(), names.iter().copied(), |n| {
                format!("{root}.{n}")
            });
            Err(Box::new(d))
        }
    }
}

fn out_of_place(reference: &Reference, place: &str) -> Box<Diagnostic> {
    Box::new(
        Diagnostic::error(format!("`{reference}` has no meaning here"))
            .because(format!("It is known only in {place}."))
            .help("Move it there, or use another value here."),
    )
}

fn pod(reference: &Reference, service: Option<&Service>) -> Found<Vec<Place>> {
    let names: Vec<&str> = service
        .iter()
        .flat_map(|s| &s.pods)
        .map(|p| &*p.name)
        .collect();
    match reference.attr(0) {
        Some(name) if names.contains(&name) => Ok(Vec::new()),
        name => {
            let name = name.unwrap_or_default();
            let mut d = Diagnostic::error(format!("The service has no pod `{name}`"));
            d.help = hints::suggest(name, names, |n| format!("pod.{n}"));
            Err(Box::new(d))
        }
    }
}

/// A data source that stands in a `check` is seen in that check alone.
fn in_scope(module: &Module, ix: NodeIx, names: &Names<'_>) -> Found<NodeIx> {
    match &module.node(ix).kind {
        NodeKind::Resource(r) if r.scoped.is_some() && r.scoped.as_ref() != names.check => {
            let check = r.scoped.as_deref().unwrap_or_default();
            Err(Box::new(
                Diagnostic::error(format!("`{}` is seen in its check alone", r.object))
                    .because(format!("It stands in check `{check}`, whose failures only warn: nothing else may need it."))
                    .help("Move the data source out of the check."),
            ))
        }
        _ => Ok(ix),
    }
}

/// A resource or, where its names begin after the root, a data source or an ephemeral one.
fn resource(reference: &Reference, module: &Module, at: usize) -> Found<NodeIx> {
    let names = match at {
        1 => module
            .names
            .resources(&reference.root)
            .unwrap_or(&module.names.data),
        _ => &module.names.managed,
    };
    let (prefix, what) = match &*reference.root {
        "data" if at == 1 => ("data.", "data source"),
        "ephemeral" if at == 1 => ("ephemeral.", "ephemeral resource"),
        _ => ("", "resource"),
    };
    let ty = if at == 1 {
        reference.attr(0)
    } else {
        Some(&*reference.root)
    };
    let (Some(ty), Some(name)) = (ty, reference.attr(at)) else {
        let d = Diagnostic::error(format!("`{reference}` is not a name that has a value")).because(
            format!(
                "{} is named by type and name: `{prefix}TYPE.NAME`.",
                hints::sentence(&format!(
                    "{} {what}",
                    if what.starts_with('e') { "an" } else { "a" }
                ))
            ),
        );
        let help = match reference.steps.is_empty() {
            true => format!("For text, write it in quotes: \"{}\".", reference.root),
            false => "Values of the stack begin with `var.`, `local.`, `module.`, `data.` or a resource's type.".to_owned(),
        };
        return Err(Box::new(d.help(help)));
    };
    if let Some(ix) = names.get(ty).and_then(|of_type| of_type.get(name)) {
        return Ok(*ix);
    }
    let all: Vec<String> = names
        .iter()
        .flat_map(|(ty, of_type)| {
            of_type
                .keys()
                .map(move |name| format!("{prefix}{ty}.{name}"))
        })
        .collect();
    let wanted = format!("{prefix}{ty}.{name}");
    let roots = [
        "var",
        "local",
        "module",
        "data",
        "ephemeral",
        "path",
        "terraform",
        "site",
        "cluster",
        "service",
    ];
    let mut d = Diagnostic::error(format!("There is no `{wanted}`")).because(format!(
        "{} has no such {what}.",
        if module.path.is_empty() {
            "The root module"
        } else {
            &module.path
        },
    ));
    d.help = match hints::closest(ty, roots) {
        Some(root) if at == 0 && !names.contains_key(ty) => {
            Some(format!("Did you mean `{root}.{name}`?"))
        }
        _ => hints::suggest(&wanted, all.iter().map(String::as_str), str::to_owned).or_else(|| {
            Some(format!(
                "Declare it, or correct the name: there is no {what} at all."
            ))
        }),
    };
    Err(Box::new(d))
}

/// The outputs of a module a reference needs: one, or all where it names none.
fn outputs(
    modules: &[Module],
    from: ModuleId,
    call_ix: NodeIx,
    reference: &Reference,
) -> Found<Vec<Place>> {
    let NodeKind::Call(call, child_id) = &modules[from.0].node(call_ix).kind else {
        return Ok(Vec::new());
    };
    let mut places = vec![(from, call_ix)];
    let Some(child) = modules.get(child_id.0) else {
        return Ok(places);
    };
    let step = match (reference.steps.get(1), reference.steps.get(2)) {
        (Some(RefStep::Attr(name)), _) => Some(name),
        (Some(_), Some(RefStep::Attr(name))) => Some(name),
        _ => None,
    };
    match step {
        None => places.extend(child.names.outputs.values().map(|ix| (*child_id, *ix))),
        Some(name) => match child.names.outputs.get(name) {
            Some(ix) => places.push((*child_id, *ix)),
            None => {
                let mut d =
                    Diagnostic::error(format!("Module `{}` has no output `{name}`", call.name))
                        .because(format!(
                            "Outputs are declared in `{}`.",
                            Config::folder(&child.dir)
                        ));
                let names = child.names.outputs.keys().map(|k| &**k);
                d.help = hints::suggest(name, names, |n| format!("module.{}.{n}", call.name))
                    .or_else(|| Some("The module declares no output at all.".to_owned()));
                return Err(Box::new(d));
            }
        },
    }
    Ok(places)
}

fn pods(module: &Module, service: NodeIx) -> impl Iterator<Item = NodeIx> + '_ {
    module
        .names
        .pods
        .iter()
        .filter(move |((s, _), _)| *s == service)
        .map(|(_, ix)| *ix)
}

/// What `depends_on` and `needs` may name: everything that is made, in whichever module.
pub(super) fn dependency_targets(
    modules: &[Module],
    from: ModuleId,
    reference: &Reference,
    report: &mut Report<'_>,
) -> Vec<Place> {
    let module = &modules[from.0];
    if matches!(
        &*reference.root,
        "path" | "terraform" | "each" | "count" | "self"
    ) {
        let d = Diagnostic::error(format!("Nothing can depend on `{reference}`"))
            .because("It is a value; only what is made takes time to be there.")
            .help("Name a resource, a module or a service.");
        report.push(d, &reference.span);
        return Vec::new();
    }
    let whole = match &*reference.root {
        "module" | "service" | "site" => reference.steps.len(),
        "var" | "local" => 1,
        root => {
            let named = if matches!(root, "data" | "ephemeral") {
                2
            } else {
                1
            };
            let keyed = matches!(reference.steps.get(named), Some(RefStep::Index(_)));
            named + usize::from(keyed)
        }
    };
    if reference.steps.len() > whole {
        let d = Diagnostic::error(format!("Nothing can depend on `{reference}` alone"))
            .because("What is made is there as a whole, not attribute by attribute.")
            .help(format!("Write `{}`.", reference.prefix(whole)));
        report.push(d, &reference.span);
        return Vec::new();
    }
    let mut places = targets(modules, from, reference, &Names::default(), report);
    if &*reference.root == "module"
        && let Some(call) = reference.attr(0).and_then(|n| module.names.calls.get(n))
        && let NodeKind::Call(_, child) = &module.node(*call).kind
    {
        all_of(modules, *child, &mut places);
    }
    places
}

/// The call that is named as a whole: neither it nor an instance of it by one of its outputs.
pub(super) fn whole_call(reference: &Reference) -> Option<&str> {
    let output = match reference.steps.get(1) {
        Some(RefStep::Index(_)) => reference.steps.get(2),
        step => step,
    };
    let name = reference.attr(0).filter(|_| &*reference.root == "module")?;
    (!matches!(output, Some(RefStep::Attr(_)))).then_some(name)
}

/// Everything that is made in a module and those below it, and what is passed into them and out of
/// them: what comes after a module as a whole comes after all of it.
pub(super) fn all_of(modules: &[Module], id: ModuleId, out: &mut Vec<Place>) {
    made_in(modules, id, out);
    let is_passed = |n: &NodeKind| matches!(n, NodeKind::Variable(_) | NodeKind::Output(_));
    nodes_in(modules, id, is_passed, out);
}

/// The checks of a module and those below it: nothing comes after them, and they are of the module.
pub(super) fn checks_in(modules: &[Module], id: ModuleId, out: &mut Vec<Place>) {
    nodes_in(modules, id, |n| matches!(n, NodeKind::Check(_)), out);
}

/// Everything that is made in a module and those below it.
fn made_in(modules: &[Module], id: ModuleId, out: &mut Vec<Place>) {
    let is_made = |n: &NodeKind| {
        matches!(
            n,
            NodeKind::Resource(_) | NodeKind::Site(_) | NodeKind::Pods(..)
        )
    };
    nodes_in(modules, id, is_made, out);
}

/// The nodes of a module and of those below it that `takes` takes.
fn nodes_in(modules: &[Module], id: ModuleId, takes: fn(&NodeKind) -> bool, out: &mut Vec<Place>) {
    let Some(module) = modules.get(id.0) else {
        return;
    };
    for (i, node) in module.nodes.iter().enumerate() {
        match &node.kind {
            NodeKind::Call(_, child) => nodes_in(modules, *child, takes, out),
            kind if takes(kind) => out.push((id, NodeIx(i))),
            _ => {}
        }
    }
}
