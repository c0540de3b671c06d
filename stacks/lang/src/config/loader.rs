//! From a folder of files to a linked configuration.

use super::{
    Additions, Config, Loaded, Undeclared,
    blocks::ModuleCall,
    discover::{Discovery, InstalledModules, RemoteCall, Targets, key_of},
    lower::{self, Blocks, duplicate},
    module::{Module, ModuleId, Names, Node, NodeIx, NodeKind},
    overrides,
    reader::Report,
    stack,
};
use crate::{
    eval::Context,
    files::{Catalog, Entry, EntryKind, Files, Finding, Mounted, Recording},
    functions::Registry,
    inputs::{Inputs, VarSource},
    ir::Body,
    link, parse,
    sources::Sources,
    vars::{self, Given},
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};
use weir_core::{Diagnostic, Diagnostics, Key, ModulePath, Object, Span, address::OfferStep};

/// Reads the stack in the folder of `files`: parse, sort, find the values of variables, link.
///
/// # Errors
/// All that is wrong with it, in file order.
pub fn load(
    files: Arc<dyn Files>,
    catalog: &dyn Catalog,
    inputs: &Inputs,
) -> Result<Loaded, Diagnostics> {
    load_with(files, catalog, inputs, &Additions::default())
}

/// As [`load`], with something added.
///
/// # Errors
/// All that is wrong with it, in file order.
pub fn load_with(
    files: Arc<dyn Files>,
    catalog: &dyn Catalog,
    inputs: &Inputs,
    additions: &Additions,
) -> Result<Loaded, Diagnostics> {
    examine_with(files, catalog, inputs, additions).loaded()
}

/// Reads the stack that a plan carries: [`Config::found`] of the run that made it. What its
/// expressions look at and that run did not is looked at in `files`.
///
/// # Errors
/// All that is wrong with it, in file order.
pub fn reload(
    carried: BTreeMap<PathBuf, Finding>,
    files: Arc<dyn Files>,
    catalog: &dyn Catalog,
    inputs: &Inputs,
) -> Result<Loaded, Diagnostics> {
    let mounted = Arc::new(Mounted::new(files));
    let recording = Recording::resumed(carried, mounted.clone());
    let reading = Reading::of(recording, mounted, catalog);
    examine_reading(reading, inputs, &Additions::default()).loaded()
}

/// What [`load`] makes of a folder, past errors.
pub struct Examined {
    /// The configuration; blocks in error are never evaluated, nor what needs them. `None` where
    /// there is nothing to evaluate.
    pub config: Option<Arc<Config>>,
    /// All that is wrong with it, in file order, and warnings.
    pub problems: Diagnostics,
}

impl Examined {
    fn loaded(self) -> Result<Loaded, Diagnostics> {
        match self.config {
            Some(config) if !self.problems.has_errors() => Ok(Loaded {
                config,
                warnings: self.problems,
            }),
            _ => Err(self.problems),
        }
    }
}

/// As [`load`], and goes on where there are errors, so that a run can say all that is wrong:
/// [`crate::Evaluator::problems`] finds what is wrong with the rest.
pub fn examine(files: Arc<dyn Files>, catalog: &dyn Catalog, inputs: &Inputs) -> Examined {
    examine_with(files, catalog, inputs, &Additions::default())
}

fn examine_with(
    files: Arc<dyn Files>,
    catalog: &dyn Catalog,
    inputs: &Inputs,
    additions: &Additions,
) -> Examined {
    examine_reading(Reading::new(files, catalog), inputs, additions)
}

fn examine_reading(mut reading: Reading<'_>, inputs: &Inputs, additions: &Additions) -> Examined {
    reading.sources = additions.sources.clone();
    let (given, targets, _) = reading.discover(inputs, None);
    let sources = Arc::new(std::mem::take(&mut reading.sources));
    let context = reading.context(inputs, sources);
    let Reading {
        files: recording,
        folders,
        mut problems,
        ..
    } = reading;

    let mut report = Report::new(&context.sources);
    let bodies: Vec<&[Body]> = folders.values().map(|f| f.bodies.as_slice()).collect();
    let lowered = lower::lower(&bodies, &context, &mut report);
    let mut blocks: BTreeMap<&PathBuf, Blocks> = folders.keys().zip(lowered).collect();
    if let Some(root) = blocks.get_mut(&PathBuf::new()) {
        additions.add_providers(root, &mut report);
    }
    let mut tree = Tree {
        blocks: &blocks,
        targets: &targets,
        modules: Vec::new(),
    };
    tree.add(Path::new(""), None, ModulePath::root(), &mut report);
    let mut modules = tree.modules;
    let given = match additions.undeclared {
        Undeclared::Reported => given,
        Undeclared::Ignored => vars::declared(given, &modules[0]),
    };
    let values = vars::values(&modules[0], (inputs, given), &context, &mut report);
    link::link(&mut modules, &mut report);
    let statements = super::moves::absolute(&modules, &mut report);
    additions.stub(&mut modules);
    problems.extend(report.diagnostics);
    problems.sort();
    let root = blocks.get(&PathBuf::new());
    let mut config = Config {
        makes_machines: modules.iter().any(|m| {
            m.steps
                .0
                .last()
                .is_some_and(|(n, _)| OfferStep::of(n).is_some())
        }),
        modules,
        values,
        context,
        workspace: inputs.workspace.clone(),
        stack: stack::unnamed(&inputs.root_dir),
        required: blocks
            .values()
            .flat_map(|b| b.required_providers.clone())
            .collect(),
        moves: statements.0,
        removed: statements.1,
        recording,
    };
    // Settings are evaluated by themselves: only where no reference is in error, so that they end.
    if !problems.has_errors() {
        let open = match inputs.vars.contains(&VarSource::Unknown) {
            true => stack::Open::Kept,
            false => stack::Open::Refused,
        };
        let (settings, found) = stack::settings(
            root.and_then(|b| b.stack.as_ref()),
            root.and_then(|b| b.backend.as_ref()),
            open,
            &mut config,
        );
        problems.extend(found);
        config.stack = settings;
    }
    Examined {
        config: root.is_some().then(|| Arc::new(config)),
        problems,
    }
}

/// The module calls of a stack whose sources are fetched, as far as `installed` lets them be
/// followed; and the text of the files, to point into.
///
/// # Errors
/// All that keeps the files from being read.
pub fn remote_calls(
    files: Arc<dyn Files>,
    catalog: &dyn Catalog,
    inputs: &Inputs,
    installed: InstalledModules,
) -> Result<(Vec<RemoteCall>, Sources), Diagnostics> {
    let mut reading = Reading::new(files, catalog);
    let (_, _, calls) = reading.discover(inputs, Some(installed));
    if reading.problems.has_errors() {
        reading.problems.sort();
        return Err(reading.problems);
    }
    Ok((calls, reading.sources))
}

/// A folder's files, parsed.
struct Folder {
    bodies: Arc<Vec<Body>>,
}

/// Reads every folder that the root leads to.
pub(super) struct Reading<'a> {
    pub(super) files: Arc<Recording>,
    pub(super) mounted: Arc<Mounted>,
    pub(super) catalog: &'a dyn Catalog,
    pub(super) sources: Sources,
    folders: BTreeMap<PathBuf, Folder>,
    problems: Diagnostics,
}

impl<'a> Reading<'a> {
    fn new(files: Arc<dyn Files>, catalog: &'a dyn Catalog) -> Reading<'a> {
        let mounted = Arc::new(Mounted::new(files));
        let recording = Recording::new(mounted.clone());
        Reading::of(recording, mounted, catalog)
    }

    fn of(recording: Recording, mounted: Arc<Mounted>, catalog: &'a dyn Catalog) -> Reading<'a> {
        Reading {
            files: Arc::new(recording),
            mounted,
            catalog,
            sources: Sources::new(),
            folders: BTreeMap::new(),
            problems: Diagnostics::new(),
        }
    }

    /// Reads values of variables, and every folder that a call leads to.
    fn discover(
        &mut self,
        inputs: &Inputs,
        installed: Option<InstalledModules>,
    ) -> (Vec<Given>, Targets, Vec<RemoteCall>) {
        let files = self.files.clone();
        let given = vars::read(inputs, &*files, &mut self.sources, &mut self.problems);
        let mut discovery = Discovery {
            reading: self,
            inputs,
            given: &given,
            installed,
            targets: Targets::new(),
            remote: Vec::new(),
        };
        discovery.run();
        let (targets, remote) = (discovery.targets, discovery.remote);
        (given, targets, remote)
    }

    /// With what expressions are evaluated.
    pub(super) fn context(&self, inputs: &Inputs, sources: Arc<Sources>) -> Context {
        Context {
            sources,
            functions: Arc::new(Registry::standard()),
            files: Some(self.files.clone()),
            module_dir: PathBuf::new(),
            root_dir: inputs.root_dir.clone(),
            home: inputs.home.clone(),
            now: inputs.now.as_deref().map(Arc::from),
            settled: None,
        }
    }

    /// What stands in a folder; read once.
    pub(super) fn bodies(&mut self, dir: &Path) -> Option<Arc<Vec<Body>>> {
        if !self.folders.contains_key(dir) {
            let folder = self.folder(dir)?;
            self.folders.insert(dir.to_owned(), folder);
        }
        self.folders.get(dir).map(|f| f.bodies.clone())
    }

    /// The files of a folder; `None` where it can't be read or holds none (who calls it says so).
    fn folder(&mut self, dir: &Path) -> Option<Folder> {
        let entries = match self.files.configuration(dir) {
            Ok(entries) => entries,
            Err(error) => {
                if dir.as_os_str().is_empty() {
                    self.problems.push(
                        Diagnostic::error("The stack's folder can't be read")
                            .because(format!("{error}.")).help("Check that the folder is there and that you may read it, or name another with `-chdir=PATH`."),
                    );
                }
                return None;
            }
        };
        let (mut roles, mut texts) = (Vec::new(), Vec::new());
        for entry in entries.iter().filter(|e| e.kind == EntryKind::File) {
            let role = FileRole::of(&entry.name);
            if role != FileRole::Other
                && let Some(text) = self.read(&dir.join(&entry.name))
            {
                roles.push(role);
                texts.push(text);
            }
        }
        let (mut bodies, mut overrides) = (Vec::new(), Vec::new());
        for (role, (body, problems)) in roles.into_iter().zip(parse::parse_files(&texts)) {
            self.problems.extend(problems);
            match role {
                FileRole::Override => overrides.push(body),
                _ => bodies.push(body),
            }
        }
        if !overrides.is_empty() {
            overrides::merge(&mut bodies, overrides, &self.sources, &mut self.problems);
        }
        if bodies.is_empty() {
            if dir.as_os_str().is_empty() && self.problems.is_empty() {
                self.problems.push(
                    Diagnostic::error("There is no stack in this folder")
                        .because("It holds no file whose name ends in `.hcl` or `.tf`.")
                        .help("Go to the stack's folder, or name it with `-chdir=PATH`."),
                );
            }
            return None;
        }
        Some(Folder {
            bodies: Arc::new(bodies),
        })
    }

    fn read(&mut self, path: &Path) -> Option<parse::Text> {
        let name: Arc<str> = path.to_string_lossy().into();
        match self.files.read(path) {
            Ok(text) => {
                self.sources.add(name.clone(), text.clone());
                Some((name, text))
            }
            Err(error) => {
                self.problems.push(
                    Diagnostic::error(format!("{name} can't be read"))
                        .because(format!("{error}."))
                        .help("Check that you may read the file, and that it is UTF-8 text."),
                );
                None
            }
        }
    }
}

/// Whether a file of the stack's own folder has one of these words in it, anywhere; what can't be
/// read may have. It takes a look at the text, before and without reading it as configuration.
pub fn mentions(files: &dyn Files, words: &[&str]) -> bool {
    let Ok(entries) = files.configuration(Path::new("")) else {
        return true;
    };
    let has_words = |name: &String| match files.read_bytes(Path::new(name)) {
        // JSON has other ways to write a letter.
        Ok(text) => {
            let finds = |word: &str| memchr::memmem::find(&text, word.as_bytes()).is_some();
            words.iter().any(|word| finds(word)) || name.ends_with(".json") && finds("\\u")
        }
        Err(_) => true,
    };
    let of_stack =
        |e: &&Entry| e.kind == EntryKind::File && FileRole::of(&e.name) != FileRole::Other;
    let files = entries.iter().filter(of_stack);
    files.map(|e| &e.name).any(has_words)
}

/// What a file in a stack's folder is.
#[derive(PartialEq)]
enum FileRole {
    Configuration,
    /// Merged into the blocks of the others: `override.tf`, `*_override.tf`.
    Override,
    Other,
}

impl FileRole {
    fn of(name: &str) -> FileRole {
        let of_an_editor = name.ends_with('~') || name.starts_with('#') && name.ends_with('#');
        if name.starts_with('.') || of_an_editor || name == LOCK_FILE {
            return FileRole::Other;
        }
        let syntax = name.strip_suffix(".json").unwrap_or(name);
        let Some(stem) = syntax
            .strip_suffix(".hcl")
            .or_else(|| syntax.strip_suffix(".tf"))
        else {
            return FileRole::Other;
        };
        if [".vars", ".tftest", ".test", ".tfmock"]
            .iter()
            .any(|end| stem.ends_with(end))
        {
            return FileRole::Other;
        }
        if stem == "override" || stem.ends_with("_override") {
            return FileRole::Override;
        }
        FileRole::Configuration
    }
}

/// What `weir init` pins modules in: no configuration.
const LOCK_FILE: &str = "weir.lock.hcl";

/// Builds the tree of modules.
struct Tree<'a> {
    blocks: &'a BTreeMap<&'a PathBuf, Blocks>,
    targets: &'a Targets,
    modules: Vec<Module>,
}

impl Tree<'_> {
    fn add(
        &mut self,
        dir: &Path,
        parent: Option<(ModuleId, NodeIx)>,
        steps: ModulePath,
        report: &mut Report<'_>,
    ) -> ModuleId {
        let path = steps.to_string();
        let id = ModuleId(self.modules.len());
        let mut nodes = Vec::new();
        let mut required = Vec::new();
        if let Some(blocks) = self.blocks.get(&dir.to_path_buf()) {
            nodes = nodes_of(blocks);
            required.clone_from(&blocks.required_providers);
            if parent.is_some() {
                refuse_in_child(blocks, &path, report);
            }
        }
        let names = names(&nodes, report);
        let blocks = self.blocks.get(&dir.to_path_buf());
        self.modules.push(Module {
            parent,
            steps,
            path,
            dir: dir.to_owned(),
            nodes,
            names,
            required,
            statements: blocks.map_or_else(Vec::new, |b| b.statements.clone()),
        });
        for ix in 0..self.modules[id.0].nodes.len() {
            let NodeKind::Call(call, _) = &self.modules[id.0].nodes[ix].kind else {
                continue;
            };
            let call = call.clone();
            let Some(folder) = self.source(id, &call, report) else {
                continue;
            };
            let steps = self.modules[id.0].steps.child(&*call.name, Key::None);
            let child = self.add(&folder, Some((id, NodeIx(ix))), steps, report);
            self.modules[id.0].nodes[ix].kind = NodeKind::Call(call, child);
        }
        id
    }

    /// The folder a call leads to, checked.
    fn source(
        &self,
        caller: ModuleId,
        call: &ModuleCall,
        report: &mut Report<'_>,
    ) -> Option<PathBuf> {
        let name = &call.name;
        // weir brings it along: the discovery has read it.
        if OfferStep::of(name).is_some() {
            return Some(PathBuf::from(&call.source));
        }
        let problem = |d: Diagnostic, report: &mut Report<'_>| {
            report.push(d, &call.source_span);
            None
        };
        let key = key_of(&self.modules[caller.0].steps, name);
        let folder = match self.targets.get(&key)? {
            Ok(folder) => folder.clone(),
            Err(d) => {
                // It points at its place already.
                report.diagnostics.push((**d).clone());
                return None;
            }
        };
        if !self.blocks.contains_key(&folder) {
            let d = Diagnostic::error(format!(
                "Module `{name}`: there is no module in `{}`",
                call.source
            ))
            .because(format!(
                "The folder `{}` does not exist or holds no `.hcl` or `.tf` file.",
                Config::folder(&folder)
            ))
            .help("Paths are relative to the folder of the file that names them.");
            return problem(d, report);
        }
        let mut above = Some(caller);
        while let Some(id) = above {
            if self.modules[id.0].dir == folder {
                let d = Diagnostic::error(format!("Module `{name}` contains itself"))
                    .because(format!(
                        "Its source `{}` is a folder that it is called from.",
                        call.source
                    ))
                    .help("Give it another `source`, or remove the call.");
                return problem(d, report);
            }
            above = self.modules[id.0].parent.map(|(parent, _)| parent);
        }
        Some(folder)
    }
}

/// What may stand in the root module alone.
fn refuse_in_child(blocks: &Blocks, path: &str, report: &mut Report<'_>) {
    for import in &blocks.imports {
        let d = Diagnostic::error(format!("{path} has an `import` block")).because(
            "It belongs to the root module: what exists is known where the stack is put together.",
        );
        report.push(
            d.help(format!(
                "Move it to the root module, and write `to = {path}. ...`."
            )),
            &import.span,
        );
    }
    if let Some(stack) = &blocks.stack {
        let d = Diagnostic::error(format!("{path} has a `stack` block"))
            .because("It belongs to the root module: a module is part of a stack, not one itself.")
            .help("Remove the block; the root module's holds for all modules.");
        report.push(d, &stack.span);
    }
}

/// The nodes of a folder's blocks, in file order.
fn nodes_of(blocks: &Blocks) -> Vec<Node> {
    let mut kinds: Vec<(NodeKind, &Span)> = Vec::new();
    kinds.extend(
        blocks
            .variables
            .iter()
            .map(|b| (NodeKind::Variable(b.clone()), &b.span)),
    );
    kinds.extend(
        blocks
            .variables
            .iter()
            .filter(|b| b.validates_others())
            .map(|b| (NodeKind::Validation(b.clone()), &b.span)),
    );
    kinds.extend(
        blocks
            .checks
            .iter()
            .map(|b| (NodeKind::Check(b.clone()), &b.span)),
    );
    kinds.extend(
        blocks
            .imports
            .iter()
            .map(|b| (NodeKind::Import(b.clone()), &b.span)),
    );
    kinds.extend(
        blocks
            .locals
            .iter()
            .map(|b| (NodeKind::Local(b.clone()), &b.span)),
    );
    kinds.extend(
        blocks
            .outputs
            .iter()
            .map(|b| (NodeKind::Output(b.clone()), &b.span)),
    );
    kinds.extend(
        blocks
            .providers
            .iter()
            .map(|b| (NodeKind::Provider(b.clone()), &b.span)),
    );
    kinds.extend(
        blocks
            .resources
            .iter()
            .map(|b| (NodeKind::Resource(b.clone()), &b.span)),
    );
    // The child is filled in as soon as it is known; a call without one is an error before that.
    kinds.extend(
        blocks
            .calls
            .iter()
            .map(|b| (NodeKind::Call(b.clone(), NO_CHILD), &b.span)),
    );
    kinds.extend(
        blocks
            .sites
            .iter()
            .map(|b| (NodeKind::Site(b.clone()), &b.span)),
    );
    for block in &blocks.clusters {
        let cluster = lower::settled_cluster(block, blocks);
        kinds.push((NodeKind::Pools(cluster.clone()), &block.span));
        let calls = cluster.makes.iter();
        kinds.extend(calls.map(|m| (NodeKind::Call(m.call.clone(), NO_CHILD), &block.span)));
        kinds.push((NodeKind::Cluster(cluster), &block.span));
    }
    for service in &blocks.services {
        kinds.push((NodeKind::Service(service.clone()), &service.span));
        kinds.extend(
            service
                .pods
                .iter()
                .map(|p| (NodeKind::Pods(service.clone(), p.clone()), &p.span)),
        );
    }
    kinds.sort_by(|(_, a), (_, b)| (&a.file, a.start).cmp(&(&b.file, b.start)));
    kinds
        .into_iter()
        .map(|(kind, span)| Node {
            kind,
            span: span.clone(),
            rank: 0,
            create_first: false,
            provider: None,
            validated_later: false,
            is_broken: false,
            imports: Vec::new(),
            uses: Vec::new(),
        })
        .collect()
}

/// The child of a call whose source is in error.
const NO_CHILD: ModuleId = ModuleId(usize::MAX);

/// The nodes by name; a name that is there twice is reported.
fn names(nodes: &[Node], report: &mut Report<'_>) -> Names {
    let mut names = Names::default();
    for (i, node) in nodes.iter().enumerate() {
        let ix = NodeIx(i);
        let before = match &node.kind {
            NodeKind::Variable(b) => names.variables.insert(b.name.clone(), ix),
            NodeKind::Local(b) => names.locals.insert(b.name.clone(), ix),
            NodeKind::Output(b) => names.outputs.insert(b.name.clone(), ix),
            NodeKind::Provider(b) => names.providers.insert(b.provider.clone(), ix),
            NodeKind::Call(b, _) => names.calls.insert(b.name.clone(), ix),
            NodeKind::Site(b) => names.sites.insert(b.name.clone(), ix),
            NodeKind::Cluster(b) => names.clusters.insert(b.name.clone(), ix),
            // Two clusters of one name are reported as such.
            NodeKind::Pools(b) => {
                names.pools.insert(b.name.clone(), ix);
                None
            }
            NodeKind::Service(b) => names.services.insert(b.name.clone(), ix),
            NodeKind::Check(b) => names.checks.insert(b.name.clone(), ix),
            // Two pods of one name are found when the service is read; the others have no name.
            NodeKind::Pods(..) | NodeKind::Validation(_) | NodeKind::Import(_) => None,
            NodeKind::Resource(b) => match &b.object {
                Object::Data { ty, name } => names
                    .data
                    .entry(ty.as_str().into())
                    .or_default()
                    .insert(name.as_str().into(), ix),
                Object::Ephemeral { ty, name } => names
                    .ephemeral
                    .entry(ty.as_str().into())
                    .or_default()
                    .insert(name.as_str().into(), ix),
                other => {
                    let (ty, name) = (other.type_name(), resource_name(other));
                    names
                        .managed
                        .entry(ty.into())
                        .or_default()
                        .insert(name.into(), ix)
                }
            },
        };
        if let Some(first) = before {
            let what = format!("`{}`", node.kind.title());
            report.push(duplicate(&what, &nodes[first.0].span), &node.span);
        }
    }
    for (i, node) in nodes.iter().enumerate() {
        if let NodeKind::Pods(service, pod) = &node.kind
            && let Some(service) = names.services.get(&service.name)
        {
            names.pods.insert((*service, pod.name.clone()), NodeIx(i));
        }
    }
    names
}

fn resource_name(object: &Object) -> &str {
    match object {
        Object::Managed { name, .. }
        | Object::Data { name, .. }
        | Object::Ephemeral { name, .. } => name,
        Object::Host { site } => site,
        Object::Pod { pod, .. } => pod,
    }
}
