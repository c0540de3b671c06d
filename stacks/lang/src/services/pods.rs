//! The configuration of one pod instance.

use super::{
    field,
    placed::Instance,
    schema::SHAPES,
    tasks,
    template::{self, Names},
    text,
};
use crate::{
    config::blocks::{Pod, Service},
    decode::{Expanded, Expansion, decode, expand},
    eval::{NodeId, Scope},
    ir::Body,
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};
use weir_core::{Diagnostic, Entries, ModulePath, Span, Type, Value};

/// What a pod instance's configuration is made from, beside its block.
pub(crate) struct Given<'a> {
    pub(crate) module: &'a ModulePath,
    pub(crate) service: &'a Service,
    pub(crate) pod: &'a Pod,
    pub(crate) instance: Instance<'a>,
    /// `service.NAME`
    pub(crate) service_value: Value,
    /// The service's cluster.
    pub(crate) cluster: Value,
}

/// The mode of a file that says none.
const FILE_MODE: &str = "0644";

/// The configuration of a pod instance: an object with the attributes of `weir_pod` that are set.
///
/// # Errors
/// The node that has no value yet.
pub(crate) fn config(
    given: &Given<'_>,
    scope: &dyn Scope,
    problems: &mut Vec<Diagnostic>,
) -> Result<Value, NodeId> {
    let pod = given.pod;
    let own = decode(&pod.body, &SHAPES.pod, &pod.span, scope, problems)?;
    let artifacts = artifacts(&pod.body, &own, scope, problems);
    let files = files(given, scope, problems)?;
    let tasks = tasks::tasks(given.service, pod, scope, problems)?;
    reloadable(&pod.body, &files, &tasks, scope, problems);
    let instance = &given.instance;
    let asks = &instance.pod.asks;
    let keep = |name: &str| own.get(name).cloned().unwrap_or_else(Value::null);
    let memory = match asks.memory {
        Some(bytes) => Value::number(bytes),
        None => Value::null_of(Type::Number),
    };
    Ok(Value::object([
        ("host", Value::string(instance.host.id())),
        ("address", instance.host.address.clone()),
        (
            "slug",
            Value::string(instance.slug(given.module, &given.service.name)),
        ),
        ("user", keep("user")),
        (
            "packages",
            or_empty(keep("packages"), Value::set(Type::String, [])),
        ),
        ("directories", keep("directory")),
        ("artifacts", artifacts),
        ("files", files),
        ("volumes", keep("volume")),
        (
            "env",
            or_empty(keep("env"), Value::map(Type::String, Entries::new())),
        ),
        ("ports", instance.ports_map()),
        (
            "cpus",
            asks.cpus
                .clone()
                .unwrap_or_else(|| Value::null_of(Type::Number)),
        ),
        ("memory", memory),
        ("tasks", tasks),
    ]))
}

/// Reports files that ask for a reload where no task knows how.
fn reloadable(
    body: &Body,
    files: &Value,
    tasks: &Value,
    scope: &dyn Scope,
    problems: &mut Vec<Diagnostic>,
) {
    let tasks = tasks.elements().unwrap_or_default();
    let knows = |t: &&Value| field(t, "reload").is_some() || field(t, "unit").is_some();
    if tasks.is_empty() || tasks.iter().any(knows) {
        return;
    }
    let Some((path, _)) = files.as_entries().and_then(|f| {
        f.iter()
            .find(|(_, f)| text(f, "on_change") == Some("reload"))
    }) else {
        return;
    };
    let block = body.blocks("file").find(|b| b.label(0) == Some(&**path));
    let d = Diagnostic::error(format!("File `{path}` can't be reloaded"))
        .because("It says `on_change = \"reload\"`, and no task of the pod says how.")
        .help("Add `reload = \"HUP\"` (a signal or a command) to a task, or restart it: `on_change = \"restart\"`.");
    problems.push(
        scope
            .context()
            .sources
            .point(d, block.map_or(&body.span, |b| &b.span)),
    );
}

fn or_empty(value: Value, empty: Value) -> Value {
    if value.is_null() { empty } else { value }
}

/// Artifacts with exactly one of `url` and `path`.
fn artifacts(body: &Body, own: &Value, scope: &dyn Scope, problems: &mut Vec<Diagnostic>) -> Value {
    let Some(all) = own.get("artifact") else {
        return Value::null();
    };
    let Some(entries) = all.as_entries() else {
        return all.clone();
    };
    let mut out: BTreeMap<Arc<str>, Value> = BTreeMap::new();
    for (name, artifact) in entries {
        let block = body
            .blocks("artifact")
            .find(|b| b.label(0) == Some(&**name));
        let span = block.map_or(&body.span, |b| &b.span);
        let mut artifact = artifact.clone();
        one_of(
            &artifact,
            &["url", "path"],
            &format!("artifact `{name}`"),
            span,
            scope,
            problems,
        );
        if field(&artifact, "unpack").is_none() {
            artifact = artifact.with("unpack", Value::bool(false));
        }
        if let Some(path) = text(&artifact, "path") {
            let dir = &scope.context().module_dir;
            let path = crate::files::normal(&dir.join(path));
            artifact = artifact.with("path", Value::string(&*path.to_string_lossy()));
        }
        if field(&artifact, "url").is_some() && artifact.get("sha256").is_some_and(Value::is_null) {
            let d = Diagnostic::error(format!("Artifact `{name}` has no `sha256`"))
                .because(
                    "What is fetched by a URL is run on the host, so it must be known what it is.",
                )
                .help("Add `sha256 = \"...\"`, as `sha256sum FILE` prints it.");
            problems.push(scope.context().sources.point(d, span));
        }
        out.insert(name.clone(), artifact);
    }
    Value::object(out)
}

/// Reports a block that does not have exactly one of some attributes.
pub(super) fn one_of(
    value: &Value,
    names: &[&str],
    what: &str,
    span: &Span,
    scope: &dyn Scope,
    problems: &mut Vec<Diagnostic>,
) {
    let set: Vec<&str> = names
        .iter()
        .copied()
        .filter(|n| field(value, n).is_some())
        .collect();
    if set.len() == 1 {
        return;
    }
    let title = crate::hints::sentence(what);
    let names = names
        .iter()
        .map(|n| format!("`{n}`"))
        .collect::<Vec<_>>()
        .join(", ");
    let d = match set.as_slice() {
        [] => Diagnostic::error(format!("{title} says nothing of what it is"))
            .help(format!("Set one of {names}.")),
        set => Diagnostic::error(format!("{title} has both {}", crate::hints::join(set)))
            .because("Each says what it is.")
            .help(format!("Set one of {names}.")),
    };
    problems.push(scope.context().sources.point(d, span));
}

fn files(
    given: &Given<'_>,
    scope: &dyn Scope,
    problems: &mut Vec<Diagnostic>,
) -> Result<Value, NodeId> {
    let blocks = match expand(&given.pod.body, "file", 1, scope, problems)? {
        Expansion::Known(blocks) => blocks,
        Expansion::Unknown(_) => return Ok(Value::unknown(Type::Dynamic)),
    };
    let mut out: BTreeMap<Arc<str>, Value> = BTreeMap::new();
    for block in &blocks {
        let path = block.labels.first().cloned().unwrap_or_default();
        let value = block.in_scope(scope, |scope| file(given, &path, block, scope, problems))?;
        if out.insert(path.clone(), value).is_some() {
            let d = Diagnostic::error(format!(
                "There are two files `{path}` in pod `{}`",
                given.pod.name
            ))
            .because("A path is written once.")
            .help("Remove one of them, or give it another path.");
            problems.push(scope.context().sources.point(d, &block.span));
        }
    }
    Ok(Value::object(out))
}

fn file(
    given: &Given<'_>,
    path: &str,
    block: &Expanded<'_>,
    scope: &dyn Scope,
    problems: &mut Vec<Diagnostic>,
) -> Result<Value, NodeId> {
    let value = decode(block.body, &SHAPES.file, &block.span, scope, problems)?;
    let what = format!("file `{path}`");
    if path.is_empty() || path.split('/').any(|part| part == "..") {
        let d = Diagnostic::error(format!("{path:?} can't be the path of a file")).because(
            "A path leads down: from the pod's directory, or from `/` where it begins with one.",
        ).help("Write it without `..`.");
        problems.push(scope.context().sources.point(d, &block.span));
    }
    one_of(
        &value,
        &["template", "content", "source"],
        &what,
        &block.span,
        scope,
        problems,
    );
    let span_of = |name: &str| {
        block
            .body
            .attribute(name)
            .map_or(&block.span, |a| &a.expr.span)
    };
    if field(&value, "vars").is_some() && field(&value, "template").is_none() {
        let d = Diagnostic::error(format!("File `{path}` has `vars`, but no `template`"))
            .because("Only a template knows what to do with them.")
            .help("Name the template: `template = \"NAME\"`, or remove `vars`.");
        problems.push(scope.context().sources.point(d, span_of("vars")));
    }
    let content = if let Some(template) = field(&value, "template") {
        let names = Names {
            vars: value.get("vars").cloned().unwrap_or_else(Value::null),
            own: given.instance.own(),
            service: given.service_value.clone(),
            cluster: given.cluster.clone(),
        };
        match (template.is_unknown(), template.as_str()) {
            (true, _) => Ok(Value::unknown(Type::String)),
            (_, name) => template::render(name.unwrap_or_default(), &names, block, scope.context()),
        }
    } else if let Some(source) = field(&value, "source") {
        match source.as_str() {
            Some(source) => read(source, span_of("source"), scope),
            None => Ok(Value::unknown(Type::String)),
        }
    } else {
        Ok(value.get("content").cloned().unwrap_or_else(Value::null))
    };
    let content = content.unwrap_or_else(|d| {
        problems.push(*d);
        Value::unknown(Type::String)
    });
    let or = |name: &str, otherwise: &str| {
        field(&value, name)
            .cloned()
            .unwrap_or_else(|| Value::string(otherwise))
    };
    let keep = |name: &str| value.get(name).cloned().unwrap_or_else(Value::null);
    Ok(Value::object([
        ("content", content),
        ("mode", or("mode", FILE_MODE)),
        ("owner", keep("owner")),
        ("group", keep("group")),
        ("on_change", or("on_change", "restart")),
    ]))
}

/// The text of a file that is copied as it is.
fn read(source: &str, span: &Span, scope: &dyn Scope) -> Result<Value, Box<Diagnostic>> {
    let context = scope.context();
    let path: PathBuf = crate::files::normal(&context.module_dir.join(Path::new(source)));
    let files = context.files.as_ref();
    let result = files
        .map(|f| f.read(&path))
        .unwrap_or_else(|| Err(std::io::Error::from(std::io::ErrorKind::PermissionDenied)));
    result.map(Value::string).map_err(|error| {
        let d = Diagnostic::error(format!("File `{source}` can't be read"));
        let d = match error.kind() {
            std::io::ErrorKind::InvalidData => d
                .because("It is not text in UTF-8.")
                .help("Send it as an `artifact` with `path`: those may hold anything."),
            std::io::ErrorKind::NotFound => d
                .because(format!("There is no file `{}`.", path.display()))
                .help("`source` is relative to the module's folder."),
            _ => d.because(format!("{error}.")),
        };
        Box::new(context.sources.point(d, span))
    })
}
