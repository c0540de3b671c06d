//! Values of the root module's variables: where they come from, which one wins, their types.

use crate::{
    config::{
        Module, NodeKind,
        blocks::{TextForm, Variable},
        reader::{Report, constant},
    },
    eval::Context,
    files::{EntryKind, Files},
    hints,
    inputs::{Inputs, VarSource},
    ir::Expr,
    parse,
    sources::Sources,
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};
use weir_core::{Diagnostic, Diagnostics, Marks, Span, Type, Value, convert::convert};

/// A value as some source gives it.
pub(crate) struct Given {
    name: String,
    raw: Raw,
    from: Origin,
}

/// How a value was written.
enum Raw {
    /// In a file of variables.
    Expr(Expr),
    /// By another evaluation.
    Value(Value),
    /// On the command line or in the environment: read by the variable's type.
    Text(Arc<str>),
}

/// Who gave a value: decides what happens where no variable wants it.
enum Origin {
    Environment(String),
    File(PathBuf, Span),
    Flag,
    Run,
}

impl Origin {
    fn title(&self) -> String {
        match self {
            Origin::Environment(name) => format!("the environment variable {name}"),
            Origin::File(path, _) => path.display().to_string(),
            Origin::Flag => "-var".to_owned(),
            Origin::Run => "the test".to_owned(),
        }
    }
}

/// Reads all sources, in order of rising priority. Files become part of the sources.
pub(crate) fn read(
    inputs: &Inputs,
    files: &dyn Files,
    sources: &mut Sources,
    problems: &mut Diagnostics,
) -> Vec<Given> {
    let mut reader = FileReader {
        files,
        sources,
        problems,
        given: Vec::new(),
    };
    for source in &inputs.vars {
        match source {
            VarSource::Environment(vars) => {
                for prefix in ["TF_VAR_", "WEIR_VAR_"] {
                    for (key, text) in vars {
                        let Some(name) = key.strip_prefix(prefix) else {
                            continue;
                        };
                        reader.given.push(Given {
                            name: name.to_owned(),
                            raw: Raw::Text(text.as_str().into()),
                            from: Origin::Environment(key.clone()),
                        });
                    }
                }
            }
            VarSource::Value { name, value } => reader.given.push(Given {
                name: name.clone(),
                raw: Raw::Value(value.clone()),
                from: Origin::Run,
            }),
            VarSource::Automatic => {
                let paths = automatic_files(files, Path::new(""));
                paths.iter().for_each(|path| reader.file(path));
            }
            VarSource::File(path) => reader.file(path),
            VarSource::Unset | VarSource::Unknown => {}
            VarSource::Flag { name, text } => {
                let text: Arc<str> = text.as_str().into();
                reader.sources.add(flag_name(name), text.clone());
                let (raw, from) = (Raw::Text(text), Origin::Flag);
                reader.given.push(Given {
                    name: name.clone(),
                    raw,
                    from,
                });
            }
        }
    }
    reader.given
}

/// Only the values that the root module declares variables for.
pub(crate) fn declared(given: Vec<Given>, root: &Module) -> Vec<Given> {
    let wanted = |g: &Given| root.names.variables.contains_key(g.name.as_str());
    given.into_iter().filter(wanted).collect()
}

/// All values that the sources give, whether a variable wants them or not. Text is read as an
/// expression where it is one.
///
/// # Errors
/// What is wrong with files of variables.
pub fn given_values(
    files: &dyn Files,
    inputs: &Inputs,
) -> Result<BTreeMap<String, Value>, Diagnostics> {
    let (mut sources, mut problems) = (Sources::new(), Diagnostics::new());
    let given = read(inputs, files, &mut sources, &mut problems);
    if problems.has_errors() {
        return Err(problems);
    }
    let context = Context::of_constants(sources);
    let value = |raw: Raw| match raw {
        Raw::Value(value) => value,
        Raw::Expr(expr) => constant(&expr, &context, "a variable")
            .unwrap_or_else(|_| Value::unknown(Type::Dynamic)),
        Raw::Text(text) => parse::parse_expr("value".into(), &text)
            .and_then(|expr| constant(&expr, &context, "a variable"))
            .unwrap_or_else(|_| Value::string(text)),
    };
    Ok(given.into_iter().map(|g| (g.name, value(g.raw))).collect())
}

/// What a value on the command line is called as a source.
fn flag_name(name: &str) -> Arc<str> {
    format!("-var {name}").into()
}

/// The files of variables in a folder that load by themselves, in order of rising priority.
pub fn automatic_files(files: &dyn Files, folder: &Path) -> Vec<PathBuf> {
    let names: Vec<String> = files
        .configuration(folder)
        .unwrap_or_default()
        .iter()
        .filter(|e| e.kind == EntryKind::File)
        .map(|e| e.name.clone())
        .collect();
    let fixed = [
        "terraform.tfvars",
        "terraform.tfvars.json",
        "weir.vars.hcl",
        "weir.vars.hcl.json",
    ];
    let auto = [
        ".auto.tfvars",
        ".auto.tfvars.json",
        ".auto.vars.hcl",
        ".auto.vars.hcl.json",
    ];
    let first = fixed
        .iter()
        .filter(|f| names.iter().any(|n| n == *f))
        .map(|f| folder.join(f));
    let then = names
        .iter()
        .filter(|n| auto.iter().any(|end| n.ends_with(end)))
        .map(|n| folder.join(n));
    first.chain(then).collect()
}

struct FileReader<'a> {
    files: &'a dyn Files,
    sources: &'a mut Sources,
    problems: &'a mut Diagnostics,
    given: Vec<Given>,
}

impl FileReader<'_> {
    fn file(&mut self, path: &Path) {
        let name: Arc<str> = path.to_string_lossy().into();
        let text = match self.files.read(path) {
            Ok(text) => text,
            Err(error) => {
                let d = Diagnostic::error(format!("The file of variables {name} can't be read"))
                    .because(format!("{error}."))
                    .help("A path after `-var-file` is relative to the stack's folder.");
                return self.problems.push(d);
            }
        };
        self.sources.add(name.clone(), text.clone());
        let (body, problems) = if name.ends_with(".json") {
            parse::json::parse_variables(name, &text)
        } else {
            parse::parse_body(name, &text)
        };
        self.problems.extend(problems);
        for block in &body.blocks {
            let d = Diagnostic::error(format!(
                "A file of variables can't hold the block `{}`",
                block.ident
            ))
            .because("It holds values alone: `name = value`.")
            .help(format!(
                "Write a value, `{} = ...`, or move the block to a file of the stack.",
                block.ident
            ));
            self.problems.push(self.sources.point(d, &block.span));
        }
        for a in body.attributes {
            self.given.push(Given {
                name: a.name.to_string(),
                raw: Raw::Expr(a.expr),
                from: Origin::File(path.to_owned(), a.name_span),
            });
        }
    }
}

/// The value of every variable of the root module. Values no variable wants are reported as
/// Terraform does: an error on the command line, a warning in a file, nothing in the environment.
pub(crate) fn values(
    root: &Module,
    (inputs, given): (&Inputs, Vec<Given>),
    context: &Context,
    report: &mut Report<'_>,
) -> BTreeMap<Arc<str>, Value> {
    let mut chosen: BTreeMap<String, Given> = BTreeMap::new();
    let (declared, unwanted): (Vec<Given>, Vec<Given>) = given
        .into_iter()
        .partition(|g| root.names.variables.contains_key(g.name.as_str()));
    chosen.extend(declared.into_iter().map(|g| (g.name.clone(), g)));
    // A name counts once, as the source that wins gives it.
    let unwanted: BTreeMap<&str, &Given> = unwanted.iter().map(|g| (&*g.name, g)).collect();
    let mut in_files = 0;
    for g in unwanted.into_values() {
        if let Origin::File(..) = g.from {
            in_files += 1;
            if in_files > SHOWN_UNDECLARED {
                continue;
            }
        }
        undeclared(root, g, report);
    }
    if in_files > SHOWN_UNDECLARED {
        let more = in_files - SHOWN_UNDECLARED;
        let plural = if more == 1 { "" } else { "s" };
        report.diagnostics.push(
            Diagnostic::warning(format!(
                "{more} more value{plural} for variables that the stack does not have"
            ))
            .because("Files set them, and they are not used.")
            .help("Remove them, or give values that several stacks share in the environment: there nothing is said of those a stack does not have."),
        );
    }
    let checking = inputs.vars.contains(&VarSource::Unknown);
    let asking = !inputs.vars.contains(&VarSource::Unset);
    let mut values = BTreeMap::new();
    for node in &root.nodes {
        let NodeKind::Variable(variable) = &node.kind else {
            continue;
        };
        let value = match chosen.remove(&*variable.name) {
            Some(given) => given_value(variable, &given, context, report),
            None if checking || !asking && variable.default.is_none() => None,
            None => default_value(variable, report),
        };
        // An error stands for itself; unknown keeps what refers to it from failing too.
        let value = value.unwrap_or_else(|| Value::unknown(variable.ty.clone()));
        values.insert(variable.name.clone(), marked(variable, value));
    }
    values
}

/// The value of one variable of the root module; `None` where it has none, or a wrong one.
pub(crate) fn value_of(
    variable: &Variable,
    given: &[Given],
    context: &Context,
    report: &mut Report<'_>,
) -> Option<Value> {
    match given.iter().rfind(|g| *g.name == *variable.name) {
        Some(given) => given_value(variable, given, context, report),
        None => variable.default.clone(),
    }
}

/// The value with the marks its variable declares.
pub(crate) fn marked(variable: &Variable, mut value: Value) -> Value {
    if variable.sensitive {
        value = value.mark(Marks::SENSITIVE);
    }
    if variable.ephemeral {
        value = value.mark(Marks::EPHEMERAL);
    }
    value
}

/// How many values in files are named that no variable wants: files may be shared by many stacks.
const SHOWN_UNDECLARED: usize = 2;

fn undeclared(root: &Module, given: &Given, report: &mut Report<'_>) {
    let name = &given.name;
    let help = hints::suggest(
        name,
        root.names.variables.keys().map(|k| &**k),
        str::to_owned,
    );
    match &given.from {
        Origin::Environment(_) | Origin::Run => {}
        Origin::Flag => {
            let mut d = Diagnostic::error(format!("The stack has no variable `{name}`"))
                .because("A value for it was given with `-var`.");
            d.help = help.or_else(|| Some(format!("Declare it: `variable \"{name}\" {{}}`.")));
            report.diagnostics.push(d);
        }
        Origin::File(path, span) => {
            let mut d = Diagnostic::warning(format!("The stack has no variable `{name}`")).because(
                format!("{} sets a value for it, which is not used.", path.display()),
            );
            d.help = help;
            report.push(d, span);
        }
    }
}

fn default_value(variable: &Variable, report: &mut Report<'_>) -> Option<Value> {
    let Some(value) = &variable.default else {
        let name = &variable.name;
        let d = Diagnostic::error(format!("Variable `{name}` has no value"))
            .because("It has no default, so it must be given.")
            .help(format!(
                "Give it with `-var {name}=...`, in a file `weir.vars.hcl`, or in the environment as WEIR_VAR_{name}."
            ));
        report.push(d, &variable.span);
        return None;
    };
    Some(value.clone())
}

fn given_value(
    variable: &Variable,
    given: &Given,
    context: &Context,
    report: &mut Report<'_>,
) -> Option<Value> {
    let name = &variable.name;
    let origin = given.from.title();
    let (value, span) = match &given.raw {
        Raw::Value(value) => (value.clone(), None),
        Raw::Text(text) if variable.form == TextForm::Literal => {
            (Value::string(text.clone()), None)
        }
        Raw::Text(text) => {
            let file = flag_name(name);
            let parsed = parse::parse_expr(file, text).and_then(|expr| {
                constant(&expr, context, &format!("the value of variable `{name}`"))
            });
            match parsed {
                Ok(value) => (value, None),
                Err(problem) => {
                    let d =
                        Diagnostic::error(format!("The value of variable `{name}` can't be read"))
                            .because(match variable.sensitive {
                                true => format!("It was given by {origin}, and is not shown."),
                                false => {
                                    format!("It was given by {origin}, and {}.", problem.summary)
                                }
                            })
                            .help(format!(
                                "Its type is `{}`: write an expression of the language.",
                                variable.ty
                            ));
                    report.diagnostics.push(d);
                    return None;
                }
            }
        }
        Raw::Expr(expr) => {
            match constant(expr, context, &format!("the value of variable `{name}`")) {
                Ok(value) => (value, Some(&expr.span)),
                Err(d) if variable.sensitive => {
                    let at = d.span.as_ref().map_or(0, |s| s.line);
                    let d =
                        Diagnostic::error(format!("The value of variable `{name}` can't be read"))
                            .because(format!(
                                "It was given by {origin}, line {at}, and is not shown."
                            ))
                            .help("Correct it there: a value stands by itself, without names.");
                    report.push(d, &variable.span);
                    return None;
                }
                Err(d) => {
                    report.diagnostics.push(*d);
                    return None;
                }
            }
        }
    };
    if value.is_null() && !variable.nullable {
        return match &variable.default {
            Some(_) => default_value(variable, report),
            None => {
                let d = Diagnostic::error(format!("Variable `{name}` is null"))
                    .because(format!(
                        "It says `nullable = false`; the null comes from {origin}."
                    ))
                    .help("Give it a value.");
                report.push(d, span.unwrap_or(&variable.span));
                None
            }
        };
    }
    match convert(&variable.defaults.apply(&value), &variable.ty) {
        Ok(value) => Some(value),
        Err(error) => {
            let why = if variable.sensitive {
                "its value is (sensitive)".to_owned()
            } else {
                error.to_string()
            };
            let d = Diagnostic::error(format!("The value of variable `{name}` is not of its type"))
                .because(format!(
                    "Its type is `{}`, and {origin} says otherwise: {why}.",
                    variable.ty
                ))
                .help(format!("The variable is declared at {}.", variable.span));
            // The line that gives it would show it.
            let span = span.filter(|_| !variable.sensitive);
            report.push(d, span.unwrap_or(&variable.span));
            None
        }
    }
}
