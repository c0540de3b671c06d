//! Bodies of files to the blocks of a module.

mod address;
mod calls;
mod checks;
mod resources;
mod services;
mod settings;
mod statements;
mod values;

use super::{
    blocks::{
        CheckBlock, Cluster, ImportBlock, Local, ModuleCall, OutputBlock, ProviderBlock, Resource,
        Service, Site, Statement, Variable,
    },
    reader::{Report, labels},
};
use crate::{
    eval::Context,
    hints,
    ir::{Block, Body},
};
use std::sync::Arc;
use weir_core::{Diagnostic, Span};

pub(crate) use resources::provider as provider_block;
pub(crate) use services::{is_later, later};
pub use settings::RequiredProvider;
pub(crate) use values::variable;

/// All blocks of one folder, in the order of its files.
#[derive(Debug, Default)]
pub(crate) struct Blocks {
    pub(crate) variables: Vec<Arc<Variable>>,
    pub(crate) locals: Vec<Arc<Local>>,
    pub(crate) outputs: Vec<Arc<OutputBlock>>,
    pub(crate) providers: Vec<Arc<ProviderBlock>>,
    pub(crate) resources: Vec<Arc<Resource>>,
    pub(crate) calls: Vec<Arc<ModuleCall>>,
    pub(crate) sites: Vec<Arc<Site>>,
    pub(crate) clusters: Vec<Arc<Cluster>>,
    pub(crate) services: Vec<Arc<Service>>,
    pub(crate) checks: Vec<Arc<CheckBlock>>,
    pub(crate) imports: Vec<Arc<ImportBlock>>,
    pub(crate) statements: Vec<Statement>,
    /// `stack "name" {}`: evaluated once variables are known.
    pub(crate) stack: Option<Block>,
    /// `backend "kind" {}` in `terraform {}`.
    pub(crate) backend: Option<Block>,
    pub(crate) required_providers: Vec<RequiredProvider>,
    /// Where `required_providers` stands.
    pub(crate) requirements: Option<Span>,
}

/// The blocks a file may hold.
const KNOWN: [&str; 17] = [
    "variable",
    "locals",
    "output",
    "provider",
    "resource",
    "data",
    "ephemeral",
    "module",
    "moved",
    "removed",
    "import",
    "check",
    "site",
    "cluster",
    "service",
    "stack",
    "terraform",
];

/// Blocks of the language that this version does not have.
const LATER: [&str; 3] = ["burst", "tenant", "policy"];

/// Sorts the blocks of all files of a folder. Everything wrong with one is reported and the
/// rest goes on.
pub(crate) fn lower<'b>(
    files: impl IntoIterator<Item = &'b Body>,
    context: &Context,
    report: &mut Report<'_>,
) -> Blocks {
    let mut out = Blocks::default();
    for body in files {
        for attribute in &body.attributes {
            let d = Diagnostic::error(format!("`{}` stands outside of any block", attribute.name))
                .because("A file holds blocks; an attribute belongs into one of them.")
                .help(format!(
                    "For a named value, write `locals {{ {} = ... }}`.",
                    attribute.name
                ));
            report.push(d, &attribute.name_span);
        }
        for block in &body.blocks {
            out.add(block, context, report);
        }
    }
    out
}

impl Blocks {
    fn add(&mut self, block: &Block, context: &Context, report: &mut Report<'_>) {
        match &*block.ident {
            "variable" => self
                .variables
                .extend(values::variable(block, context, report)),
            "locals" => self.locals.extend(values::locals(block, report)),
            "output" => self.outputs.extend(values::output(block, report)),
            "provider" => self.providers.extend(resources::provider(block, report)),
            "resource" | "data" | "ephemeral" => self
                .resources
                .extend(resources::resource(block, report).map(Arc::new)),
            "moved" => self.statements.extend(statements::moved(block, report)),
            "removed" => self.statements.extend(statements::removed(block, report)),
            "import" => self.imports.extend(statements::import(block, report)),
            "check" => {
                if let Some((check, data)) = checks::check(block, report) {
                    self.checks.push(check);
                    self.resources.extend(data);
                }
            }
            "module" => self.calls.extend(calls::module(block, report)),
            "site" => self.sites.extend(services::site(block, report)),
            "cluster" => self.clusters.extend(services::cluster(block, report)),
            "service" => self.services.extend(services::service(block, report)),
            "stack" => self.stack(block, report),
            "terraform" => settings::terraform(block, self, report),
            later if LATER.contains(&later) => report.push(not_yet(later), &block.span),
            other => {
                let mut d = Diagnostic::error(format!("`{other}` is not a block of the language"));
                d.help = hints::suggest(other, KNOWN, str::to_owned);
                report.push(d, &block.span);
            }
        }
    }

    fn stack(&mut self, block: &Block, report: &mut Report<'_>) {
        if labels(block, &["name"], report).is_none() {
            return;
        }
        if let Some(first) = &self.stack {
            let d = Diagnostic::error("The stack is named twice").because(format!(
                "A stack has one `stack` block; the first is at {}.",
                first.span
            ));
            report.push(d, &block.span);
            return;
        }
        self.stack = Some(block.clone());
    }
}

/// A block of the language that this version does not have.
pub(crate) fn not_yet(block: &str) -> Diagnostic {
    Diagnostic::error(format!("This version of weir has no `{block}`"))
        .because("The language reserves it; it is refused here, as ignoring it would do something else than it says.")
        .help("Remove it, or use a version of weir that has it.")
}

/// Two blocks of one kind have one name.
pub(crate) fn duplicate(what: &str, first: &Span) -> Diagnostic {
    Diagnostic::error(format!("{what} is declared twice"))
        .because(format!(
            "Names are unique within a module; the first declaration is at {first}."
        ))
        .help("Rename one of them, or remove it.")
}
