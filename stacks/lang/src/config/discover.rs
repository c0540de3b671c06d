//! Where every module call leads: a folder beside its caller, a module of the catalogue, or what
//! `weir init` has installed.
//!
//! A source is found before anything else is evaluated, so that all it may be made of is
//! variables and local values that are known then.

use super::{
    loader::Reading,
    lower, pools,
    reader::{Report, literal},
};
use crate::{
    eval::{self, Context, EvalError, Resolved, Scope},
    files::{Files, normal},
    hints,
    inputs::Inputs,
    ir::{Attribute, Block, Body, Expr, Reference},
    vars::{self, Given},
};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};
use weir_core::{
    Diagnostic, ModulePath, Span, Type, Value, address::is_identifier, convert::convert,
};

/// A module call whose source is fetched: what `weir init` installs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteCall {
    /// The path of the call: `net.dns`.
    pub key: String,
    /// Its `source`.
    pub source: String,
    /// Its `version`.
    pub version: Option<String>,
    /// Where the source stands.
    pub span: Span,
}

/// A module that is installed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct InstalledModule {
    /// The path of the call.
    #[serde(rename = "Key")]
    pub key: String,
    /// The source it was installed from.
    #[serde(rename = "Source")]
    pub source: String,
    /// What was asked of its version.
    #[serde(rename = "Constraint", default)]
    pub constraint: Option<String>,
    /// Its folder, below the stack's.
    #[serde(rename = "Dir")]
    pub dir: String,
}

/// Installed modules by the path of the call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InstalledModules(pub BTreeMap<String, InstalledModule>);

impl InstalledModules {
    /// What the manifest of a stack's folder tells of; nothing where there is none.
    pub fn read(files: &dyn Files) -> InstalledModules {
        let read = files.read(Path::new(MANIFEST)).ok();
        let read = read.and_then(|t| serde_json::from_str(&t).ok());
        let file = read.unwrap_or(ManifestFile {
            modules: Vec::new(),
        });
        let modules = file.modules.into_iter().map(|m| (m.key.clone(), m));
        InstalledModules(modules.collect())
    }
}

#[derive(Deserialize)]
struct ManifestFile {
    #[serde(rename = "Modules")]
    modules: Vec<InstalledModule>,
}

/// The folder of installed modules, and what tells of them.
const INSTALLED: &str = ".weir/modules";
const MANIFEST: &str = ".weir/modules/modules.json";

/// How deep calls may lead.
const MAX_DEPTH: usize = 100;

/// Where each call leads, by its path; what is wrong stands in the place of the folder.
pub(super) type Targets = BTreeMap<String, Result<PathBuf, Box<Diagnostic>>>;

/// A module while its calls are followed.
struct Frame {
    key: String,
    dir: PathBuf,
    bodies: Arc<Vec<Body>>,
    above: Option<Above>,
}

/// The call that a module stands in.
struct Above {
    caller: Arc<Frame>,
    inputs: Vec<Attribute>,
    /// The source, where it is fetched.
    remote: Option<String>,
}

/// Follows all calls.
pub(super) struct Discovery<'r, 'a> {
    pub(super) reading: &'r mut Reading<'a>,
    pub(super) inputs: &'r Inputs,
    pub(super) given: &'r [Given],
    /// Read from the manifest when first needed, where the caller does not know better.
    pub(super) installed: Option<InstalledModules>,
    pub(super) targets: Targets,
    pub(super) remote: Vec<RemoteCall>,
}

impl Discovery<'_, '_> {
    pub(super) fn run(&mut self) {
        let mut todo: Vec<Arc<Frame>> = Vec::new();
        todo.extend(self.frame(String::new(), PathBuf::new(), None));
        while let Some(frame) = todo.pop() {
            let bodies = frame.bodies.clone();
            if pools::are_in(&bodies) {
                self.pools();
            }
            for block in bodies.iter().flat_map(|b| b.blocks("module")) {
                todo.extend(self.call(&frame, block));
            }
        }
        self.remote.sort_by(|a, b| a.key.cmp(&b.key));
    }

    /// Reads the modules that make machines.
    fn pools(&mut self) {
        for (folder, files) in pools::all() {
            self.reading.mounted.mount(&folder, files);
            self.reading.bodies(&folder);
        }
    }

    fn frame(&mut self, key: String, dir: PathBuf, above: Option<Above>) -> Option<Arc<Frame>> {
        let bodies = self.reading.bodies(&dir)?;
        Some(Arc::new(Frame {
            key,
            dir,
            bodies,
            above,
        }))
    }

    /// Follows one call. What is missing or misplaced in it is said where it is lowered.
    fn call(&mut self, frame: &Arc<Frame>, block: &Block) -> Option<Arc<Frame>> {
        let name = block.label(0).filter(|n| is_identifier(n))?;
        let source = block.body.attribute("source")?;
        let key = match frame.key.as_str() {
            "" => name.to_owned(),
            above => format!("{above}.{name}"),
        };
        let span = source.expr.span.clone();
        let found = self.text(frame, &source.expr, "source").and_then(|text| {
            let version = match block.body.attribute("version") {
                Some(version) => Some(self.text(frame, &version.expr, "version")?),
                None => None,
            };
            Ok((text, version))
        });
        let (text, version) = match found {
            Ok(found) => found,
            Err(d) => {
                self.targets.insert(key, Err(d));
                return None;
            }
        };
        let call = RemoteCall {
            key: key.clone(),
            source: text.clone(),
            version,
            span,
        };
        let target = self.target(frame, name, &call);
        let target = target.map_err(|d| Box::new(self.reading.sources.point(*d, &call.span)));
        self.targets.insert(key.clone(), target.clone());
        let folder = target.ok()?;
        let remote = is_remote(&text).then_some(text);
        let mut depth = 0;
        let mut above = Some(frame.clone());
        while let Some(f) = above {
            depth += 1;
            // A module that contains itself is refused where the tree is built.
            if f.dir == folder || depth > MAX_DEPTH {
                return None;
            }
            above = f.above.as_ref().map(|a| a.caller.clone());
        }
        let inputs = block.body.attributes.clone();
        let above = Above {
            caller: frame.clone(),
            inputs,
            remote,
        };
        self.frame(key, folder, Some(above))
    }

    fn target(
        &mut self,
        frame: &Frame,
        name: &str,
        call: &RemoteCall,
    ) -> Result<PathBuf, Box<Diagnostic>> {
        let source = &call.source;
        if call.version.is_some() && !is_remote(source) {
            let d = Diagnostic::error(format!("Module `{name}` can't set `version`"))
                .because("Only modules of a registry have versions.")
                .help("Remove the attribute.");
            return Err(Box::new(d));
        }
        if let Some(wanted) = source.strip_prefix("catalog:") {
            return match self.reading.catalog.module(wanted) {
                Some(files) => {
                    self.reading.mounted.mount(Path::new(source), files);
                    Ok(PathBuf::from(source))
                }
                None => {
                    let names = self.reading.catalog.names();
                    // A plan file holds the modules it was made with, whatever the catalogue has.
                    if self.reading.files.configuration(Path::new(source)).is_ok() {
                        return Ok(PathBuf::from(source));
                    }
                    let mut d = Diagnostic::error(format!(
                        "Module `{name}`: the catalogue has no `{wanted}`"
                    ));
                    d.help = hints::suggest(wanted, names, |n| format!("catalog:{n}"));
                    Err(Box::new(d))
                }
            };
        }
        if !is_remote(source) {
            return local(frame, name, source);
        }
        self.remote.push(call.clone());
        if contains_itself(frame, source) {
            let d = Diagnostic::error(format!("Module `{name}` contains itself"))
                .because(format!("It is called from the module of `{source}`."))
                .help("Give it another `source`, or remove the call.");
            return Err(Box::new(d));
        }
        self.installed(name, call)
    }

    fn installed(&mut self, name: &str, call: &RemoteCall) -> Result<PathBuf, Box<Diagnostic>> {
        let files = &self.reading.files;
        let installed = self
            .installed
            .get_or_insert_with(|| InstalledModules::read(&**files));
        let not = |what: &str, why: String| {
            let d = Diagnostic::error(format!("Module `{name}` {what}"))
                .because(why)
                .help("Run `weir init`.");
            Err(Box::new(d))
        };
        match installed.0.get(&call.key) {
            None => not(
                "is not installed",
                "Its source is fetched before a stack is planned.".to_owned(),
            ),
            Some(m) if m.source != call.source => not(
                "is installed from another source",
                format!("Its source was \"{}\" when it was installed.", m.source),
            ),
            Some(m) if m.constraint != call.version => not(
                "is installed for another version",
                match &m.constraint {
                    Some(before) => format!("`version` was \"{before}\" when it was installed."),
                    None => "It had no `version` when it was installed.".to_owned(),
                },
            ),
            Some(m) => {
                let dir = normal(Path::new(&m.dir));
                if files.configuration(&dir).is_err() {
                    return not(
                        "is not installed",
                        format!("Its folder `{}` is gone.", m.dir),
                    );
                }
                Ok(dir)
            }
        }
    }

    /// The text of `source` or `version`.
    fn text(&self, frame: &Frame, expr: &Expr, what: &str) -> Result<String, Box<Diagnostic>> {
        let value = match literal(expr) {
            Some(value) => value,
            None => self.evaluate(frame, expr, what)?,
        };
        let text = convert(&value, &Type::String).ok();
        let wrong = if value.is_sensitive() {
            "It is sensitive, and where a module comes from is shown."
        } else if value.is_unknown() {
            "It is not known before anything is made."
        } else {
            match text.as_ref().and_then(|v| v.as_str()) {
                Some(text) => return Ok(text.to_owned()),
                None => "It is found before anything is evaluated.",
            }
        };
        let d = Diagnostic::error(format!("`{what}` of a module must be text that is known"))
            .because(wrong)
            .help("Write it out, or use a variable or a local value that is known.");
        Err(Box::new(self.reading.sources.point(d, &expr.span)))
    }

    fn evaluate(&self, frame: &Frame, expr: &Expr, what: &str) -> Result<Value, Box<Diagnostic>> {
        let context = self
            .reading
            .context(self.inputs, Arc::new(self.reading.sources.clone()));
        let scope = Known {
            discovery: self,
            frame,
            context: &context,
            what,
            depth: 0,
        };
        match eval::eval(expr, &scope) {
            Ok(value) => Ok(value),
            Err(EvalError::Diagnostic(d)) => Err(d),
            // `Known` waits for nothing.
            Err(EvalError::NotReady(_)) => Ok(Value::null()),
        }
    }
}

/// Whether a source is one that `weir init` fetches.
pub fn is_remote(source: &str) -> bool {
    let local = ["./", "../", ".\\", "..\\", "catalog:"];
    !local.iter().any(|p| source.starts_with(p)) && source != "." && source != ".."
}

/// The folder of a local source. One within an installed package stays in it.
fn local(frame: &Frame, name: &str, source: &str) -> Result<PathBuf, Box<Diagnostic>> {
    let folder = normal(&frame.dir.join(source.replace('\\', "/")));
    if let Ok(inside) = frame.dir.strip_prefix(INSTALLED) {
        let package: PathBuf = Path::new(INSTALLED)
            .iter()
            .chain(inside.iter().take(1))
            .collect();
        if !folder.starts_with(&package) {
            let d = Diagnostic::error(format!("Module `{name}` leaves its package"))
                .because(format!(
                    "\"{source}\" is outside of what was fetched with the module that calls it."
                ))
                .help("Name it by an address of its own.");
            return Err(Box::new(d));
        }
    }
    Ok(folder)
}

fn contains_itself(frame: &Frame, source: &str) -> bool {
    let mut above = frame.above.as_ref();
    while let Some(a) = above {
        if a.remote.as_deref() == Some(source) {
            return true;
        }
        above = a.caller.above.as_ref();
    }
    false
}

/// Variables and local values, as far as they are known before anything is evaluated.
struct Known<'s, 'r, 'a> {
    discovery: &'s Discovery<'r, 'a>,
    frame: &'s Frame,
    context: &'s Context,
    what: &'s str,
    depth: usize,
}

impl Known<'_, '_, '_> {
    fn evaluate(&self, frame: &Frame, expr: &Expr, at: &Reference) -> Result<Value, EvalError> {
        if self.depth > MAX_DEPTH {
            let d = Diagnostic::error(format!("`{at}` refers to itself"))
                .help("Write one of the values that lead back to it as a constant.");
            return Err(self.context.sources.point(d, &at.span).into());
        }
        let scope = Known {
            discovery: self.discovery,
            frame,
            context: self.context,
            what: self.what,
            depth: self.depth + 1,
        };
        eval::eval(expr, &scope)
    }

    fn variable(&self, name: &str, at: &Reference) -> Result<Option<Value>, EvalError> {
        let declared = self
            .frame
            .bodies
            .iter()
            .flat_map(|b| b.blocks("variable"))
            .find(|b| b.label(0) == Some(name));
        let Some(block) = declared else {
            return Ok(None);
        };
        // What is wrong with the variable is said where it is lowered.
        let mut report = Report::new(&self.context.sources);
        let Some(variable) = lower::variable(block, self.context, &mut report) else {
            return Ok(None);
        };
        let value = match &self.frame.above {
            None => vars::value_of(&variable, self.discovery.given, self.context, &mut report),
            Some(above) => match above.inputs.iter().find(|a| *a.name == *name) {
                Some(input) => {
                    let value = self.evaluate(&above.caller, &input.expr, at)?;
                    convert(&variable.defaults.apply(&value), &variable.ty).ok()
                }
                None => variable.default.clone(),
            },
        };
        Ok(value.map(|v| vars::marked(&variable, v)))
    }
}

impl Scope for Known<'_, '_, '_> {
    fn resolve(&self, reference: &Reference) -> Result<Resolved, EvalError> {
        let name = reference.attr(0).unwrap_or_default();
        let value = match &*reference.root {
            "var" => self.variable(name, reference)?,
            "local" => {
                let found = self
                    .frame
                    .bodies
                    .iter()
                    .flat_map(|b| b.blocks("locals"))
                    .find_map(|b| b.body.attribute(name));
                match found {
                    Some(local) => Some(self.evaluate(self.frame, &local.expr, reference)?),
                    None => None,
                }
            }
            "terraform" if name == "workspace" => {
                Some(Value::string(self.discovery.inputs.workspace.as_str()))
            }
            "path" if name == "root" => Some(Value::string(".")),
            "path" if name == "module" => {
                Some(Value::string(super::Config::folder(&self.frame.dir)))
            }
            _ => None,
        };
        match value {
            Some(value) => Ok(Resolved { value, consumed: 1 }),
            None => {
                let d = Diagnostic::error(format!(
                    "`{}` of a module can't refer to `{reference}`",
                    self.what
                ))
                .because("Where a module comes from must be known before anything else is, so that only variables with a value and local values over them can be used.").help("Use a variable, or write it out.");
                Err(self.context.sources.point(d, &reference.span).into())
            }
        }
    }
    fn context(&self) -> &Context {
        self.context
    }
}

/// The path of a call of the module at `path`: `module.net`, `dns` to `net.dns`.
pub(super) fn key_of(path: &ModulePath, name: &str) -> String {
    let mut key: Vec<&str> = path.0.iter().map(|(name, _)| name.as_str()).collect();
    key.push(name);
    key.join(".")
}
