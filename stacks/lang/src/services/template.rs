//! Files made from minijinja templates.

use crate::{
    decode::Expanded,
    eval::Context,
    files::{EntryKind, Files, MemoryFiles, normal},
    hints,
    sources::snippet,
};
use minijinja::{Environment, ErrorKind, UndefinedBehavior, Value as Jinja, syntax::SyntaxConfig};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};
use weir_core::{Diagnostic, Entries, Kind, Marks, Span, Type, Value};

/// What a template knows.
pub(super) struct Names {
    /// The names of `vars`.
    pub(super) vars: Value,
    /// `self`
    pub(super) own: Value,
    /// `service`
    pub(super) service: Value,
    /// `cluster`
    pub(super) cluster: Value,
}

/// The folder of a module that holds its templates.
const FOLDER: &str = "templates";

/// The text of a template: unknown where something it uses is, sensitive likewise.
///
/// # Errors
/// The template is not there, is no template, or uses what is not defined.
pub(super) fn render(
    name: &str,
    names: &Names,
    block: &Expanded<'_>,
    context: &Context,
) -> Result<Value, Box<Diagnostic>> {
    let at = |attribute: &str| {
        block
            .body
            .attribute(attribute)
            .map_or_else(|| block.span.clone(), |a| a.expr.span.clone())
    };
    // Where no file may be read, there is no template.
    let files = context.files.clone();
    let files = files.unwrap_or_else(|| Arc::new(MemoryFiles::default()));
    let (path, text) = find(&*files, &context.module_dir, name)
        .map_err(|d| Box::new(context.sources.point(d, &at("template"))))?;
    let all = all_names(names).map_err(|d| Box::new(context.sources.point(d, &at("vars"))))?;

    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(
        SyntaxConfig::builder()
            .keep_trailing_newline(true)
            .build()
            .unwrap_or_default(),
    );
    environment.set_debug(true);
    // Files of any kind are written as the template says: escaping is asked for (`|escape`,
    // `|tojson`), never guessed from the file's name.
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    let (loader_files, dir) = (files.clone(), context.module_dir.clone());
    environment.set_loader(move |name| {
        Ok(find(&*loader_files, &dir, name)
            .ok()
            .map(|(_, t)| t.to_string()))
    });
    let problem = |error: &minijinja::Error| {
        Box::new(explain(
            error,
            name,
            (&path, &text),
            &all,
            &at("template"),
            &*files,
        ))
    };
    let main = path.to_string_lossy().into_owned();
    if let Err(error) = environment.add_template_owned(main.clone(), text.to_string()) {
        return Err(problem(&error));
    }
    let template = environment.get_template(&main).map_err(|e| problem(&e))?;

    // Only what the template (or one it includes) may use counts: an address that is not known
    // yet hides nothing from a file that does not hold it.
    let used = template.undeclared_variables(false);
    let includes = ["include", "import", "extends"]
        .iter()
        .any(|w| text.contains(w));
    // `self` is never listed: Jinja itself gives it a meaning, in blocks.
    let own_used = text.contains("self");
    let mut marks = Marks::NONE;
    let mut context_values: BTreeMap<String, Jinja> = BTreeMap::new();
    for (name, value) in &all {
        let is_used = used.contains(&**name) || (&**name == "self" && own_used);
        if !includes && !is_used {
            continue;
        }
        if !value.is_wholly_known() {
            return Ok(Value::unknown(Type::String).mark(sensitivity(&all)));
        }
        marks = marks.union(value.marks_deep());
        context_values.insert(name.to_string(), jinja(value));
    }
    let rendered = template.render(context_values).map_err(|e| problem(&e))?;
    Ok(Value::string(rendered).mark(marks))
}

fn sensitivity(all: &Entries) -> Marks {
    all.values()
        .fold(Marks::NONE, |m, v| m.union(v.marks_deep()))
}

fn all_names(names: &Names) -> Result<Entries, Diagnostic> {
    let mut all = Entries::new();
    let own = [
        ("self", &names.own),
        ("service", &names.service),
        ("cluster", &names.cluster),
    ];
    match names.vars.kind() {
        Kind::Null(_) => {}
        Kind::Object(m) | Kind::Map(_, m) => {
            for (name, value) in m.iter() {
                if own.iter().any(|(n, _)| **n == **name) {
                    return Err(Diagnostic::error(format!("`vars` can't hold `{name}`"))
                        .because("A template knows something else by that name.")
                        .help("Choose another name for it."));
                }
                all.insert(name.clone(), value.clone().mark(names.vars.marks()));
            }
        }
        Kind::Unknown(..) => {}
        _ => {
            return Err(Diagnostic::error(format!(
                "`vars` is {}",
                crate::decode::article(&names.vars.ty())
            ))
            .because("It must be an object: the names the template knows.")
            .help("Write `vars = { name = value }`."));
        }
    }
    all.extend(own.map(|(name, value)| (Arc::from(name), value.clone())));
    Ok(all)
}

/// The template's file: in the module's folder of templates, or in the module's folder itself.
fn find(files: &dyn Files, dir: &Path, name: &str) -> Result<(PathBuf, Arc<str>), Diagnostic> {
    let places = [
        normal(&dir.join(FOLDER).join(name)),
        normal(&dir.join(name)),
    ];
    for place in &places {
        match files.read(place) {
            Ok(text) => return Ok((place.clone(), text)),
            Err(e) if e.kind() == std::io::ErrorKind::InvalidData => {
                return Err(Diagnostic::error(format!("Template `{name}` is not text"))
                    .because(format!("{} is not UTF-8.", place.display())).help("Save it as UTF-8; for a file that is not text, use `source` in place of `template`."));
            }
            Err(_) => {}
        }
    }
    let there: Vec<String> = files
        .list(&dir.join(FOLDER))
        .unwrap_or_default()
        .iter()
        .filter(|e| e.kind == EntryKind::File)
        .map(|e| e.name.clone())
        .collect();
    let d = Diagnostic::error(format!("There is no template `{name}`")).because(format!(
        "Neither `{}` nor `{}` can be read.",
        places[0].display(),
        places[1].display()
    ));
    let help =
        hints::suggest(name, there.iter().map(String::as_str), str::to_owned).or_else(|| {
            Some("Templates lie in the folder `templates` of the module that uses them.".to_owned())
        });
    Err(Diagnostic { help, ..d })
}

/// The error of a template, in the template.
fn explain(
    error: &minijinja::Error,
    name: &str,
    (path, text): (&Path, &Arc<str>),
    all: &Entries,
    used_at: &Span,
    files: &dyn Files,
) -> Diagnostic {
    // The error may lie in a template that this one includes.
    let main = path.to_string_lossy();
    let (file, text): (Arc<str>, Arc<str>) = match error.name() {
        Some(other) if *other != *main => {
            let dir = path.parent().unwrap_or(Path::new(""));
            let included = normal(&dir.join(other));
            match files.read(&included) {
                Ok(text) => (included.to_string_lossy().into(), text),
                Err(_) => (other.into(), Arc::from("")),
            }
        }
        _ => ((*main).into(), text.clone()),
    };
    let line = error.line().unwrap_or(1).max(1);
    let span = span(&file, &text, line, error.range());
    let shown = error
        .range()
        .and_then(|r| text.get(r))
        .map(str::trim)
        .filter(|t| !t.is_empty());
    let summary = match (error.kind(), shown) {
        (ErrorKind::UndefinedError, Some(what)) => {
            format!("Template `{name}` uses `{what}`, which is not defined")
        }
        (ErrorKind::UndefinedError, None) => {
            format!("Template `{name}` uses something that is not defined")
        }
        _ => format!("Template `{name}` can't be rendered"),
    };
    let mut d = Diagnostic::error(summary);
    d.detail = match (error.kind(), error.detail()) {
        (ErrorKind::UndefinedError, _) => format!("The template is used at {used_at}."),
        (kind, Some(detail)) => format!("{kind}: {detail}. The template is used at {used_at}."),
        (kind, None) => format!("{kind}. The template is used at {used_at}."),
    };
    if error.kind() == ErrorKind::UndefinedError {
        let wanted = shown.map(|s| s.split(['.', '[', '|', ' ']).next().unwrap_or(s));
        let near = wanted.and_then(|w| hints::closest(w, all.keys().map(|k| &**k)));
        let listed = format!("Defined are {}.", hints::join(all.keys()));
        d.help = Some(match near {
            Some(near) if Some(near) != wanted => format!("Did you mean `{near}`? {listed}"),
            Some(near) => all
                .get(near)
                .and_then(|v| fields(near, v))
                .unwrap_or(listed),
            None => format!("{listed} Add what is missing to `vars`."),
        });
    }
    if d.help.is_none() {
        d.help = Some("Correct the template; its language is that of Jinja.".to_owned());
    }
    d.snippet = snippet(&text, &span);
    d.at(span)
}

/// What an object holds, for an undefined attribute of it.
fn fields(name: &str, value: &Value) -> Option<String> {
    let fields = value.as_entries()?;
    Some(format!("`{name}` has {}.", hints::join(fields.keys())))
}

fn span(file: &Arc<str>, text: &str, line: usize, range: Option<std::ops::Range<usize>>) -> Span {
    let start_of_line: usize = text
        .split_inclusive('\n')
        .take(line - 1)
        .map(str::len)
        .sum();
    let length = text[start_of_line..].lines().next().unwrap_or("").len();
    let whole = start_of_line..start_of_line + length;
    let range = range
        .filter(|r| r.start >= start_of_line && text.get(r.clone()).is_some())
        .unwrap_or(whole);
    let column = text
        .get(start_of_line..range.start)
        .map_or(0, |t| t.chars().count());
    Span {
        file: file.clone(),
        start: range.start,
        end: range.end,
        line: u32::try_from(line).unwrap_or(u32::MAX),
        column: u32::try_from(column + 1).unwrap_or(1),
    }
}

/// A value as a template sees it. Numbers that fit are integers; others are floats.
fn jinja(value: &Value) -> Jinja {
    match value.kind() {
        Kind::Null(_) | Kind::Unknown(..) => Jinja::from(()),
        Kind::Bool(b) => Jinja::from(*b),
        Kind::Number(n) => match n.as_i64() {
            Some(i) => Jinja::from(i),
            None => Jinja::from(n.to_f64()),
        },
        Kind::String(s) => Jinja::from(&**s),
        Kind::List(_, items) | Kind::Tuple(items) => items.iter().map(jinja).collect(),
        Kind::Set(_, items) => items.iter().map(jinja).collect(),
        Kind::Map(_, m) | Kind::Object(m) => m
            .iter()
            .map(|(k, v)| (k.to_string(), jinja(v)))
            .collect::<BTreeMap<_, _>>()
            .into(),
    }
}
