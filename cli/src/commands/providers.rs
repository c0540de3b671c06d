//! `weir providers`

use super::{Context, Result};
use crate::stores::States;
use crate::{
    args::VarArgs,
    compose,
    error::Outcome,
    render::json::{provider_source, schema},
};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use weir_lang::Config;
use weir_provider::ProviderSchema;

/// Flags of `providers`.
#[derive(Debug, clap::Args)]
pub(crate) struct Providers {
    #[command(flatten)]
    vars: VarArgs,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    of: Option<Of>,
}

/// What else can be asked of providers.
#[derive(Debug, clap::Subcommand)]
enum Of {
    /// Print what the providers of the configuration and of the state serve, as JSON.
    Schema {
        #[command(flatten)]
        vars: VarArgs,
        /// Taken for Terraform's sake: it is always JSON.
        #[arg(long)]
        json: bool,
    },
}

/// A provider, and the versions of it that a module takes.
type Needs = BTreeMap<String, Vec<String>>;

/// Shows which providers the modules of the configuration and the objects in state need.
pub(crate) async fn cmd_providers(args: &Providers, context: &Context) -> Result {
    let vars = match &args.of {
        Some(Of::Schema { vars, .. }) => vars,
        None => &args.vars,
    };
    let loaded = compose::load(&compose::inputs(vars, &context.env)?, &context.env)?;
    let modules = needs(&loaded.config);
    let store = States::of(loaded.config.stack(), &context.env)?
        .open_existing()
        .await?;
    let stored: BTreeSet<String> = match store {
        Some(store) => {
            let state = store.snapshot().await?;
            let names = state
                .resources
                .values()
                .map(|r| r.provider.name.to_string());
            names.collect()
        }
        None => BTreeSet::new(),
    };
    if args.of.is_some() {
        let described = loaded.config.describe();
        let named = described.flat_map(|m| m.provider_names().into_iter().collect::<Vec<_>>());
        let value = schema::schemas(&served(named.chain(stored).collect(), context));
        context.ui.data(&format!("{value:#}\n"))?;
        return Ok(Outcome::Done);
    }
    let in_state: BTreeSet<String> = stored.iter().map(|name| provider_source(name)).collect();
    if args.json {
        let value = json!({ "configuration": modules, "state": in_state });
        context.ui.data(&format!("{value:#}\n"))?;
        return Ok(Outcome::Done);
    }
    let mut out = String::from("Providers that the configuration needs:\n\n");
    tree(&mut out, &modules);
    if !in_state.is_empty() {
        out.push_str("\nProviders that the state needs:\n\n");
        for source in &in_state {
            out.push_str(&format!("    provider[{source}]\n"));
        }
    }
    context.ui.data(&out)?;
    Ok(Outcome::Done)
}

/// The schemas of these providers, by source address.
fn served(names: BTreeSet<String>, context: &Context) -> BTreeMap<String, ProviderSchema> {
    let registry = compose::registry(&context.env);
    let schema = |name: String| {
        let factory = registry.factory(&name)?;
        Some((provider_source(&name), factory.schema().clone()))
    };
    names.into_iter().filter_map(schema).collect()
}

/// What each module needs, by its path without keys; the root is the empty path.
fn needs(config: &Config) -> BTreeMap<String, Needs> {
    let mut modules: BTreeMap<String, Needs> = BTreeMap::new();
    for module in config.describe() {
        let needs = modules.entry(module.path.to_string()).or_default();
        for name in module.provider_names() {
            needs.entry(provider_source(&name)).or_default();
        }
    }
    modules
}

/// The modules below each other, as they call each other.
fn tree(out: &mut String, modules: &BTreeMap<String, Needs>) {
    out.push_str(".\n");
    branches(out, "", "", modules);
}

fn branches(out: &mut String, path: &str, margin: &str, modules: &BTreeMap<String, Needs>) {
    let prefix = if path.is_empty() {
        String::new()
    } else {
        format!("{path}.")
    };
    let children: Vec<&String> = modules
        .keys()
        .filter(|p| {
            p.strip_prefix(&prefix)
                .is_some_and(|rest| !rest.is_empty() && rest.matches('.').count() == 1)
        })
        .collect();
    let needs: Vec<(&String, &Vec<String>)> = modules.get(path).into_iter().flatten().collect();
    let total = needs.len() + children.len();
    let lead = |i: usize| match i + 1 == total {
        true => ("\u{2514}\u{2500}\u{2500} ", "    "),
        false => ("\u{251c}\u{2500}\u{2500} ", "\u{2502}   "),
    };
    for (i, (source, versions)) in needs.iter().enumerate() {
        let versions = versions.join(", ");
        let line = format!("{margin}{}provider[{source}] {versions}", lead(i).0);
        out.push_str(line.trim_end());
        out.push('\n');
    }
    for (i, child) in children.iter().enumerate() {
        let (head, below) = lead(needs.len() + i);
        let name = child.rsplit('.').next().unwrap_or(child);
        out.push_str(&format!("{margin}{head}module.{name}\n"));
        branches(out, child, &format!("{margin}{below}"), modules);
    }
}
