//! Files and paths. Files are read through [`crate::files::Files`] alone.

use super::{
    Function, FunctionError, Outcome, Unknowns,
    signature::{any, string},
    text,
};
use crate::{
    eval::{self, Context},
    files::{EntryKind, Files},
    parse,
    sources::Sources,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::{
    collections::BTreeMap,
    io,
    path::{Component, Path, PathBuf},
    sync::Arc,
};
use weir_core::{Type, Value};

pub(super) fn functions() -> Vec<Function> {
    let of = |name, body| Function::new(name, [string("path")], body).gives(Type::String);
    vec![
        of("file", |a, c| Ok(Value::string(parse::nfc(&utf8(a, c)?)))),
        of("filebase64", |a, c| {
            Ok(STANDARD.encode(bytes(a, c)?).into())
        }),
        Function::new("fileexists", [string("path")], exists).gives(Type::Bool),
        Function::new("fileset", [string("path"), string("pattern")], fileset)
            .gives(Type::set(Type::String)),
        Function::new("templatefile", [string("path"), any("vars")], templatefile)
            .on_unknowns(Unknowns::Shallow),
        Function::new(
            "templatestring",
            [string("template"), any("vars").typed()],
            templatestring,
        )
        .gives(Type::String)
        .on_unknowns(Unknowns::Shallow),
        of("abspath", |a, c| {
            Ok(show(&clean(&c.root_dir.join(c.module_dir.join(text(a, 0))))).into())
        }),
        of("pathexpand", |a, c| pathexpand(text(a, 0), c)),
        of("basename", |a, _| Ok(basename(text(a, 0)).into())),
        of("dirname", |a, _| Ok(dirname(text(a, 0)).into())),
    ]
}

fn files(context: &Context) -> Outcome<&Arc<dyn Files>> {
    context
        .files
        .as_ref()
        .ok_or_else(|| FunctionError::call("files can't be read in this place"))
}

/// The path a function was given, below the module's folder.
fn path(args: &[Value], context: &Context) -> PathBuf {
    let written = text(args, 0);
    match (written.strip_prefix("~/"), &context.home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => context.module_dir.join(written),
    }
}

/// The bytes of the file the first argument names.
pub(super) fn bytes(args: &[Value], context: &Context) -> Outcome<Arc<[u8]>> {
    let path = path(args, context);
    files(context)?
        .read_bytes(&path)
        .map_err(|e| unreadable(text(args, 0), &e))
}

fn unreadable(path: &str, error: &io::Error) -> FunctionError {
    FunctionError::Argument(
        0,
        match error.kind() {
            io::ErrorKind::NotFound => format!(
                "no file exists at {path:?}; it must exist before the run, and cannot be one a resource makes"
            ),
            _ => format!("failed to read {path:?}: {error}"),
        },
    )
}

fn utf8(args: &[Value], context: &Context) -> Outcome<String> {
    String::from_utf8(bytes(args, context)?.to_vec()).map_err(|_| {
        FunctionError::Argument(
            0,
            format!(
                "contents of {:?} are not valid UTF-8; use the filebase64 function to obtain the Base64 encoded contents",
                text(args, 0)
            ),
        )
    })
}

fn exists(args: &[Value], context: &Context) -> Outcome {
    let path = path(args, context);
    let what = match files(context)?.kind(&path) {
        Ok(EntryKind::File) => return Ok(Value::bool(true)),
        Ok(EntryKind::Dangling) => return Ok(Value::bool(false)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Value::bool(false)),
        Ok(EntryKind::Folder) => "is a folder, not a file".to_owned(),
        Ok(EntryKind::Special) => "is a device, pipe or socket, not a regular file".to_owned(),
        Err(e) => format!("can't be looked at: {e}"),
    };
    Err(FunctionError::Argument(
        0,
        format!("{:?} {what}", text(args, 0)),
    ))
}

fn templatefile(args: &[Value], context: &Context) -> Outcome {
    refuse_nested("templatefile", context)?;
    let source = utf8(args, context)?;
    render(show(&path(args, context)), source, args, context)
}

fn templatestring(args: &[Value], context: &Context) -> Outcome {
    refuse_nested("templatestring", context)?;
    render(
        "<templatestring>".to_owned(),
        text(args, 0).to_owned(),
        args,
        context,
    )
}

fn refuse_nested(name: &str, context: &Context) -> Outcome<()> {
    match context.functions.in_template {
        true => Err(FunctionError::call(format!(
            "cannot recursively call {name} from inside another template function"
        ))),
        false => Ok(()),
    }
}

/// A template with the variables of the second argument.
fn render(name: String, source: String, args: &[Value], context: &Context) -> Outcome {
    let variables: BTreeMap<Arc<str>, Value> = args
        .get(1)
        .and_then(Value::as_entries)
        .cloned()
        .ok_or_else(|| FunctionError::Argument(1, "invalid vars value: must be a map".into()))?;
    if let Some(name) = variables
        .keys()
        .find(|k| !weir_core::address::is_identifier(k))
    {
        return Err(FunctionError::Argument(
            1,
            format!(
                "invalid template variable name {name:?}: must start with a letter, followed by \
                 zero or more letters, digits, and underscores"
            ),
        ));
    }
    let (name, source): (Arc<str>, Arc<str>) = (name.into(), source.into());
    let template = parse::parse_template(name.clone(), &source)
        .map_err(|d| FunctionError::Eval(Box::new(eval::EvalError::Diagnostic(d))))?;
    let mut sources = Sources::clone(&context.sources);
    sources.add(name, source);
    let context = Context {
        sources: Arc::new(sources),
        functions: Arc::new(context.functions.of_template()),
        ..context.clone()
    };
    eval::render(&template, &variables, &context).map_err(|e| FunctionError::Eval(Box::new(e)))
}

/// The most folders deep `fileset` looks.
const FILESET_DEPTH: usize = 64;

fn fileset(args: &[Value], context: &Context) -> Outcome {
    let root = path(args, context);
    let pattern = Pattern::parse(text(args, 1))?;
    let mut found = Vec::new();
    walk(
        &**files(context)?,
        &root,
        &mut Vec::new(),
        &pattern,
        &mut found,
    )
    .map_err(|e| FunctionError::Argument(0, format!("failed to list files: {e}")))?;
    Ok(Value::set(Type::String, found.into_iter().map(Value::from)))
}

fn walk(
    files: &dyn Files,
    root: &Path,
    below: &mut Vec<String>,
    pattern: &Pattern,
    found: &mut Vec<String>,
) -> io::Result<()> {
    let folder = root.join(below.iter().collect::<PathBuf>());
    let entries = match files.list(&folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(e),
    };
    for entry in entries.iter() {
        below.push(entry.name.clone());
        match entry.kind {
            EntryKind::File if pattern.matches(below) => found.push(below.join("/")),
            EntryKind::Folder if below.len() < FILESET_DEPTH => {
                walk(files, root, below, pattern, found)?;
            }
            _ => {}
        }
        below.pop();
    }
    Ok(())
}

/// A pattern such as `**/*.{json,yaml}`, one matcher per folder.
struct Pattern(Vec<Option<regex::Regex>>);

impl Pattern {
    fn parse(text: &str) -> Outcome<Pattern> {
        let wrong = || FunctionError::Argument(1, format!("{text:?} is not a pattern"));
        let parts = text.split('/').filter(|p| !p.is_empty() && *p != ".");
        parts
            .map(|part| {
                if part == "**" {
                    return Ok(None);
                }
                regex::Regex::new(&translate(part).ok_or_else(wrong)?)
                    .map(Some)
                    .map_err(|_| wrong())
            })
            .collect::<Outcome<_>>()
            .map(Pattern)
    }
    fn matches(&self, path: &[String]) -> bool {
        fn go(pattern: &[Option<regex::Regex>], path: &[String]) -> bool {
            match (pattern.split_first(), path.split_first()) {
                (None, None) => true,
                (Some((None, rest)), _) => {
                    go(rest, path) || path.split_first().is_some_and(|(_, p)| go(pattern, p))
                }
                (Some((Some(one), rest)), Some((name, path))) => {
                    one.is_match(name) && go(rest, path)
                }
                _ => false,
            }
        }
        go(&self.0, path)
    }
}

/// One folder's pattern as a regular expression; `None` where a bracket is not closed.
fn translate(part: &str) -> Option<String> {
    let mut out = String::from("(?s)^");
    let mut chars = part.chars();
    let mut braces = 0u32;
    while let Some(c) = chars.next() {
        match c {
            '*' => out.push_str(".*"),
            '?' => out.push('.'),
            '{' => {
                braces += 1;
                out.push_str("(?:");
            }
            '}' if braces > 0 => {
                braces -= 1;
                out.push(')');
            }
            ',' if braces > 0 => out.push('|'),
            '[' => {
                out.push('[');
                let mut inside = chars.by_ref().take_while(|c| *c != ']').peekable();
                if matches!(inside.peek(), Some('!' | '^')) {
                    inside.next();
                    out.push('^');
                }
                for c in inside {
                    match c {
                        '-' => out.push('-'),
                        c => out.push_str(&regex::escape(&c.to_string())),
                    }
                }
                out.push(']');
            }
            '\\' => out.push_str(&regex::escape(&chars.next()?.to_string())),
            c => out.push_str(&regex::escape(&c.to_string())),
        }
    }
    out.push('$');
    (braces == 0).then_some(out)
}

fn pathexpand(path: &str, context: &Context) -> Outcome {
    let Some(rest) = path.strip_prefix('~') else {
        return Ok(path.into());
    };
    let home = context.home.as_ref().ok_or_else(|| {
        FunctionError::Argument(0, "the home folder of the user is not known".into())
    })?;
    match rest.strip_prefix('/') {
        None if rest.is_empty() => Ok(show(home).into()),
        Some(rest) => Ok(show(&clean(&home.join(rest))).into()),
        None => Err(FunctionError::Argument(
            0,
            "cannot expand user-specific home dir".into(),
        )),
    }
}

/// The path without `.` and `..`, where that can be told from its text.
fn clean(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                if !out.pop() {
                    out.push("..");
                }
            }
            other => out.push(other),
        }
    }
    out
}

fn show(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn basename(path: &str) -> &str {
    let trimmed = path.trim_end_matches('/');
    match trimmed.rsplit('/').next() {
        _ if path.is_empty() => ".",
        Some("") | None => "/",
        Some(name) => name,
    }
}

fn dirname(path: &str) -> String {
    let Some(cut) = path.rfind('/') else {
        return ".".into();
    };
    let cleaned = show(&clean(Path::new(&path[..=cut])));
    if cleaned.is_empty() {
        ".".into()
    } else {
        cleaned
    }
}
