//! `weir graph`

use super::{Context, Result, apply, walk};
use crate::{
    args::VarArgs,
    compose,
    error::{CommandError, Outcome},
    render::{
        graph::{self, Graph, Look, Node},
        plan,
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};
use weir_core::{
    Address, Key,
    plan::{NodeId, Op, Plan},
};
use weir_engine::planfile::SavedPlan;
use weir_lang::{Config, Instance};

/// Flags of `graph`.
#[derive(Debug, clap::Args)]
pub(crate) struct GraphArgs {
    #[command(flatten)]
    vars: VarArgs,
    /// The form to write it in.
    #[arg(long, value_enum, default_value_t = Format::Dot)]
    format: Format,
    /// Draw the operations of this plan file.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["vars", "var_files"])]
    plan: Option<PathBuf>,
    /// What the nodes are; `operations` where -plan is given, else `resources`.
    #[arg(long = "type", value_enum)]
    kind: Option<Type>,
}

/// Forms of graphs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Graphviz: `weir graph | dot -Tsvg`.
    Dot,
    /// Mermaid, as Markdown renderers show it.
    Mermaid,
    /// An image.
    Svg,
    /// A page to zoom, search and click in; it needs no network.
    Html,
}

/// What is a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Type {
    /// The blocks of the configuration.
    Resources,
    /// Each instance of them.
    Instances,
    /// What a plan does, one after the other; needs -plan.
    #[value(alias = "plan", alias = "apply")]
    Operations,
}

/// Prints what comes after what.
pub(crate) async fn cmd_graph(args: &GraphArgs, context: &Context) -> Result {
    let graph = match (&args.plan, args.kind) {
        (Some(file), None | Some(Type::Operations)) => {
            operations(&apply::read(file, &context.env)?)
        }
        (Some(file), Some(kind)) => {
            let saved = apply::read(file, &context.env)?;
            let plan = saved.plan();
            let edges = plan.dependencies.iter().map(|(a, on)| (a, on.as_slice()));
            drawn(saved.config(), edges, kind, Some(plan))
        }
        (None, Some(Type::Operations)) => {
            return Err(
                CommandError::usage("the operations of a graph are those of a plan").hint(
                    "Keep one with `weir plan -out FILE`, then `weir graph -plan=FILE` draws it.",
                ),
            );
        }
        (None, kind) => {
            let loaded = compose::load(&compose::inputs(&args.vars, &context.env)?, &context.env)?;
            let walked = walk::walk(&loaded.config, compose::registry(&context.env)).await;
            if walked.diagnostics.has_errors() {
                return Err(walked.diagnostics.into());
            }
            let edges = walked.instances.iter().map(of_instance);
            drawn(&loaded.config, edges, kind.unwrap_or(Type::Resources), None)
        }
    };
    let text = match args.format {
        Format::Dot => graph::dot(&graph),
        Format::Mermaid => graph::mermaid(&graph),
        Format::Svg => graph.svg(),
        Format::Html => graph::html(&graph),
    };
    context.ui.data(&text)?;
    Ok(Outcome::Done)
}

fn of_instance<'a>(
    (address, instance): (&'a Address, &'a Instance),
) -> (&'a Address, &'a [Address]) {
    (address, &instance.dependencies)
}

/// The address without any key.
fn block(address: &Address) -> Address {
    let mut block = address.block();
    for step in &mut block.module.0 {
        step.1 = Key::None;
    }
    block
}

/// Blocks or instances, and what they depend on.
fn drawn<'a>(
    config: &Config,
    instances: impl Iterator<Item = (&'a Address, &'a [Address])>,
    kind: Type,
    plan: Option<&Plan>,
) -> Graph {
    let named = |a: &Address| match kind {
        Type::Instances => a.clone(),
        Type::Resources | Type::Operations => block(a),
    };
    let mut nodes: BTreeSet<Address> = BTreeSet::new();
    let mut edges: BTreeSet<(Address, Address)> = BTreeSet::new();
    let all: Vec<(&Address, &[Address])> = instances.collect();
    nodes.extend(all.iter().map(|(a, _)| named(a)));
    if kind != Type::Instances {
        // A block has its place also where it has no instance.
        nodes.extend(declared(config));
    }
    for (address, on) in all {
        for d in on {
            // A dependency without a key stands for all instances of its block.
            let members: Vec<Address> = match kind {
                Type::Instances => nodes.iter().filter(|n| n.is_in(d)).cloned().collect(),
                Type::Resources | Type::Operations => vec![named(d)],
            };
            let from = named(address);
            edges.extend(members.into_iter().map(|to| (from.clone(), to)));
        }
    }
    let number: BTreeMap<&Address, usize> = nodes.iter().enumerate().map(|(i, a)| (a, i)).collect();
    let edges = edges
        .iter()
        .filter(|(a, b)| a != b)
        .filter_map(|(a, b)| Some((*number.get(a)?, *number.get(b)?)))
        .collect();
    Graph {
        title: config.stack().name.clone(),
        nodes: nodes.iter().map(|a| node(config, plan, a)).collect(),
        edges,
    }
}

fn declared(config: &Config) -> Vec<Address> {
    let mut out = Vec::new();
    for module in config.describe() {
        for resource in module.resources() {
            // The path of a module reads as the beginning of an address in it.
            let text = match module.path {
                "" => resource.object.to_string(),
                path => format!("{path}.{}", resource.object),
            };
            out.extend(text.parse::<Address>());
        }
    }
    out
}

fn node(config: &Config, plan: Option<&Plan>, address: &Address) -> Node {
    let mut details = match config.span_of(address) {
        Some(span) => format!("{}:{}\n", span.file, span.line),
        None => String::new(),
    };
    let mut look = Look::of(&address.object);
    if let Some(change) = plan.and_then(|p| p.changes.get(address)) {
        details.push_str(&format!("{}\n", graph::verb(change.action)));
        if !change.action.is_noop() {
            details.push_str(&plan::one(change));
            look = look_of(change.action);
        }
    }
    titled(address, "", look, details)
}

fn look_of(action: weir_core::change::Action) -> Look {
    use weir_core::change::Action;
    match action {
        Action::NoOp => Look::Managed,
        Action::Create => Look::Create,
        Action::Read => Look::Read,
        Action::Update | Action::Replace(_) => Look::Update,
        Action::Delete => Look::Delete,
        Action::Forget => Look::Forget,
    }
}

fn titled(address: &Address, after: &str, look: Look, details: String) -> Node {
    let inside = Address {
        module: Default::default(),
        ..address.clone()
    };
    Node {
        id: format!("{address}{after}"),
        label: format!("{inside}{after}"),
        module: address.module.to_string(),
        look,
        details,
    }
}

/// The operations of a plan, each after those that must be done before it.
fn operations(saved: &SavedPlan) -> Graph {
    let plan = saved.plan();
    let word = |op: Op| match op {
        Op::Create => "create",
        Op::Update => "update",
        Op::Delete => "destroy",
        Op::Read => "read",
        Op::Forget => "forget",
        Op::Join => "join",
    };
    let mut number: BTreeMap<NodeId, usize> = BTreeMap::new();
    let mut nodes = Vec::new();
    for (i, n) in plan.nodes.iter().enumerate() {
        if let Some(look) = Look::of_op(n.op) {
            number.insert(NodeId(i), nodes.len());
            let change = plan.changes.get(&n.address);
            let details = change.map(plan::one).unwrap_or_default();
            let op = word(n.op);
            nodes.push(titled(&n.address, &format!(" ({op})"), look, details));
        }
    }
    let mut edges = BTreeSet::new();
    for (i, n) in plan.nodes.iter().enumerate() {
        let Some(&from) = number.get(&NodeId(i)) else {
            continue;
        };
        // What a join stands for comes in its place.
        let mut open: Vec<NodeId> = n.after.clone();
        let mut seen = BTreeSet::new();
        while let Some(id) = open.pop() {
            match (number.get(&id), plan.nodes.get(id.0)) {
                (Some(&to), _) => drop(edges.insert((from, to))),
                (None, Some(join)) if seen.insert(id) => open.extend(&join.after),
                _ => {}
            }
        }
    }
    Graph {
        title: format!("{}: the order of the plan", saved.config().stack().name),
        nodes,
        edges: edges.into_iter().collect(),
    }
}
