//! `weir graph`

use super::{Context, Result, walk};
use crate::{args::VarArgs, compose, error::Outcome};
use std::{collections::BTreeMap, fmt::Write};
use weir_core::Address;
use weir_lang::Instance;

/// Flags of `graph`.
#[derive(Debug, clap::Args)]
pub(crate) struct Graph {
    #[command(flatten)]
    vars: VarArgs,
    /// The language to write it in.
    #[arg(long, value_enum, default_value_t = Format::Dot)]
    format: Format,
}

/// Languages of graphs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Graphviz: `weir graph | dot -Tsvg`.
    Dot,
    /// Mermaid, as Markdown renderers show it.
    Mermaid,
}

/// Prints which instance depends on which.
pub(crate) async fn cmd_graph(args: &Graph, context: &Context) -> Result {
    let loaded = compose::load(&compose::inputs(&args.vars, &context.env)?)?;
    let walked = walk::walk(&loaded.config, compose::registry(&context.env)).await;
    if walked.diagnostics.has_errors() {
        return Err(walked.diagnostics.into());
    }
    let text = match args.format {
        Format::Dot => dot(&walked.instances),
        Format::Mermaid => mermaid(&walked.instances),
    };
    context.ui.data(&text)?;
    Ok(Outcome::Done)
}

fn dot(instances: &BTreeMap<Address, Instance>) -> String {
    let name = |a: &Address| {
        format!(
            "\"{}\"",
            a.to_string().replace('\\', "\\\\").replace('"', "\\\"")
        )
    };
    let mut out = String::from("digraph {\n  rankdir = \"RL\"\n  node [shape = \"box\"]\n");
    for (address, instance) in instances {
        let _ = writeln!(out, "  {}", name(address));
        for on in &instance.dependencies {
            let _ = writeln!(out, "  {} -> {}", name(address), name(on));
        }
    }
    out.push_str("}\n");
    out
}

fn mermaid(instances: &BTreeMap<Address, Instance>) -> String {
    let numbers: BTreeMap<&Address, usize> =
        instances.keys().enumerate().map(|(i, a)| (a, i)).collect();
    let mut out = String::from("graph RL\n");
    for (address, i) in &numbers {
        let text = address.to_string().replace('"', "#quot;");
        let _ = writeln!(out, "  n{i}[\"{text}\"]");
    }
    for (address, instance) in instances {
        for on in &instance.dependencies {
            if let (Some(a), Some(b)) = (numbers.get(address), numbers.get(on)) {
                let _ = writeln!(out, "  n{a} --> n{b}");
            }
        }
    }
    out
}
