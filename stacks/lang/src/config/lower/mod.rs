//! Bodies of files to the blocks of a module.

mod address;
mod calls;
mod checks;
mod pools;
mod resources;
mod services;
mod settings;
mod statements;
mod values;

#[cfg(test)]
#[path = "mod_tests.rs"]
mod tests;

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
    parallel,
};
use std::sync::Arc;
use weir_core::{Diagnostic, Span};

pub(crate) use pools::settled as settled_cluster;
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

/// How many blocks one thread takes at once: starting to work on one costs next to nothing beside
/// them, and the blocks of a single large file still keep every core busy.
const CHUNK: usize = 256;

/// Below so many blocks in all, starting threads takes longer than they save.
const WORTH_IT: usize = 1_000;

/// Sorts the blocks of each folder's files. Everything wrong with one is reported and the rest
/// goes on; what is found is in no order.
pub(crate) fn lower(
    folders: &[&[Body]],
    context: &Context,
    report: &mut Report<'_>,
) -> Vec<Blocks> {
    let bodies = folders.iter().flat_map(|bodies| bodies.iter());
    let blocks: usize = bodies.map(|b| b.blocks.len()).sum();
    let workers = match blocks < WORTH_IT {
        true => 1,
        false => parallel::cores(),
    };
    lower_with(folders, context, report, (workers, CHUNK))
}

fn lower_with(
    folders: &[&[Body]],
    context: &Context,
    report: &mut Report<'_>,
    (workers, chunk): (usize, usize),
) -> Vec<Blocks> {
    let mut chunks: Vec<(usize, &[Block])> = Vec::new();
    for (folder, bodies) in folders.iter().enumerate() {
        for body in *bodies {
            attributes(body, report);
            chunks.extend(body.blocks.chunks(chunk).map(|blocks| (folder, blocks)));
        }
    }
    let sources = report.sources;
    let done = parallel::map(&chunks, workers, |(_, blocks)| {
        let mut report = Report::new(sources);
        let mut out = Blocks::default();
        for block in *blocks {
            out.add(block, context, &mut report);
        }
        (out, report.diagnostics)
    });
    let mut out: Vec<Blocks> = Vec::new();
    out.resize_with(folders.len(), Blocks::default);
    for ((folder, blocks), (part, problems)) in chunks.into_iter().zip(done) {
        out[folder].append(part);
        report.diagnostics.extend(problems);
        for block in blocks {
            out[folder].settings(block, report);
        }
    }
    out
}

/// Attributes outside of any block.
fn attributes(body: &Body, report: &mut Report<'_>) {
    for attribute in &body.attributes {
        let d = Diagnostic::error(format!("`{}` stands outside of any block", attribute.name))
            .because("A file holds blocks; an attribute belongs into one of them.")
            .help(format!(
                "For a named value, write `locals {{ {} = ... }}`.",
                attribute.name
            ));
        report.push(d, &attribute.name_span);
    }
}

impl Blocks {
    /// Sorts one block; those that a folder may hold once are left to [`Blocks::settings`].
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
            "stack" | "terraform" => {}
            later if LATER.contains(&later) => report.push(not_yet(later), &block.span),
            other => {
                let mut d = Diagnostic::error(format!("`{other}` is not a block of the language"));
                d.help = hints::suggest(other, KNOWN, str::to_owned);
                report.push(d, &block.span);
            }
        }
    }

    /// Reads the settings of a folder, where the block is one of them: whether one is the second
    /// depends on all before it, so this is not done at the same time for many.
    fn settings(&mut self, block: &Block, report: &mut Report<'_>) {
        match &*block.ident {
            "stack" => self.stack(block, report),
            "terraform" => settings::terraform(block, self, report),
            _ => {}
        }
    }

    /// Those of a later part, which holds no settings.
    fn append(&mut self, part: Blocks) {
        let Blocks {
            variables,
            locals,
            outputs,
            providers,
            resources,
            calls,
            sites,
            clusters,
            services,
            checks,
            imports,
            statements,
            stack: _,
            backend: _,
            required_providers: _,
            requirements: _,
        } = part;
        self.variables.extend(variables);
        self.locals.extend(locals);
        self.outputs.extend(outputs);
        self.providers.extend(providers);
        self.resources.extend(resources);
        self.calls.extend(calls);
        self.sites.extend(sites);
        self.clusters.extend(clusters);
        self.services.extend(services);
        self.checks.extend(checks);
        self.imports.extend(imports);
        self.statements.extend(statements);
    }

    fn stack(&mut self, block: &Block, report: &mut Report<'_>) {
        if labels(block, &["name"], report).is_none() {
            return;
        }
        if let Some(first) = &self.stack {
            let d = Diagnostic::error("The stack is named twice")
                .because(format!(
                    "A stack has one `stack` block; the first is at {}.",
                    first.span
                ))
                .help("Remove one of the two blocks.");
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
