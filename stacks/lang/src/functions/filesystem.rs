//! Files and paths. Files are read through [`crate::files::Files`] alone.

use super::{
    Function, FunctionError, Outcome, Unknowns,
    fileset::fileset,
    signature::{any, string},
    text,
};
use crate::{
    eval::{self, Context},
    files::{EntryKind, Files, normal},
    parse,
    sources::Sources,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::{
    borrow::Cow,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};
use weir_core::{Entries, Type, Value};

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
            [any("template"), any("vars").typed()],
            templatestring,
        )
        .gives(Type::String)
        .on_unknowns(Unknowns::Shallow),
        of("abspath", |a, c| {
            Ok(show(&normal(&c.root_dir.join(c.module_dir.join(text(a, 0))))).into())
        }),
        of("pathexpand", |a, c| Ok(show(&home(text(a, 0), c)?).into())),
        of("basename", |a, _| Ok(basename(text(a, 0)).into())),
        of("dirname", |a, _| Ok(dirname(text(a, 0)).into())),
    ]
}

pub(super) fn files(context: &Context) -> Outcome<&Arc<dyn Files>> {
    context
        .files
        .as_ref()
        .ok_or_else(|| FunctionError::call("files can't be read in this place"))
}

/// The path a function was given, below the module's folder and made shortest: one file has one
/// name, whatever links lie on the way.
fn path(args: &[Value], context: &Context) -> Outcome<PathBuf> {
    let written = home(text(args, 0), context)?;
    Ok(normal(&context.module_dir.join(written)))
}

/// The path with `~` replaced by the home folder of the user.
fn home<'a>(path: &'a str, context: &'a Context) -> Outcome<Cow<'a, Path>> {
    let Some(rest) = path.strip_prefix('~') else {
        return Ok(Path::new(path).into());
    };
    let of_another = !rest.is_empty() && !rest.starts_with(['/', '\\']);
    if of_another {
        let why = "cannot expand user-specific home dir";
        return Err(FunctionError::Argument(0, why.into()));
    }
    let home = context.home.as_ref().ok_or_else(|| {
        FunctionError::Argument(0, "the home folder of the user is not known".into())
    })?;
    Ok(normal(&home.join(rest.trim_start_matches('/'))).into())
}

/// The bytes of the file the first argument names.
pub(super) fn bytes(args: &[Value], context: &Context) -> Outcome<Arc<[u8]>> {
    let path = path(args, context)?;
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
    let path = path(args, context)?;
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
    render(show(&path(args, context)?), source, args, context)
}

fn templatestring(args: &[Value], context: &Context) -> Outcome {
    refuse_nested("templatestring", context)?;
    // A number would not be a template that somebody wrote.
    let template = args.first().and_then(Value::as_str).ok_or_else(|| {
        FunctionError::Argument(0, "invalid template value: a string is required".into())
    })?;
    render(
        "<templatestring>".to_owned(),
        template.to_owned(),
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
    let variables: Entries = args
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
    let result = eval::render(&template, &variables, &context)
        .map_err(|e| FunctionError::Eval(Box::new(e)))?;
    match result.is_null() {
        true => Err(FunctionError::call("the result of the template is null")),
        false => Ok(result),
    }
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
    let cleaned = show(&normal(Path::new(&path[..=cut])));
    if cleaned.is_empty() {
        ".".into()
    } else {
        cleaned
    }
}
