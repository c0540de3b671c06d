//! `weir validate`

use super::{Context, Result, walk};
use crate::{
    args::VarArgs,
    compose,
    error::{CommandError, ErrorKind, Outcome},
    render::json::diagnostic,
};
use clap::ArgAction;
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};
use weir_core::{Diagnostic, Diagnostics};
use weir_lang::{Sources, evaluator::is_not_known_yet, parse};

/// Flags of `validate`.
#[derive(Debug, clap::Args)]
pub(crate) struct Validate {
    #[command(flatten)]
    vars: VarArgs,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Leave out the files of tests.
    #[arg(long, value_name = "BOOL", default_value_t = false, num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    no_tests: bool,
    /// The folder of tests, beside those in the stack's own.
    #[arg(long, value_name = "DIR", default_value = "tests")]
    test_directory: PathBuf,
}

/// Checks the configuration: syntax, names, types, and what providers refuse. Nothing is looked
/// up and nothing is reached; a variable without a value is unknown, and so is what follows from
/// it.
pub(crate) async fn cmd_validate(args: &Validate, context: &Context) -> Result {
    let (mut found, objects) = match check(args, context).await {
        Ok((found, objects)) => (found, objects),
        Err(error) if error.kind == ErrorKind::Failed => (error.source, 0),
        Err(error) => return Err(error),
    };
    if !args.no_tests {
        found.extend(tests(&args.test_directory));
    }
    if args.json {
        context
            .ui
            .data(&format!("{:#}\n", diagnostic::validation(&found)))?;
    } else {
        context.ui.diagnostics(&found);
        if !found.has_errors() {
            let plural = if objects == 1 { "" } else { "s" };
            let text = format!("The configuration is valid: {objects} instance{plural}.\n");
            context.ui.data(&text)?;
        }
    }
    Ok(if found.has_errors() {
        Outcome::Failed
    } else {
        Outcome::Done
    })
}

async fn check(
    args: &Validate,
    context: &Context,
) -> std::result::Result<(Diagnostics, usize), CommandError> {
    let inputs = compose::inputs(&args.vars, &context.env)?.checking();
    let loaded = compose::load(&inputs, &context.env)?;
    let walked = walk::check(&loaded.config, compose::registry(&context.env)).await;
    let mut found = loaded.warnings;
    let relevant = walked.diagnostics.into_iter();
    found.0.extend(relevant.filter(|d| !is_not_known_yet(d)));
    Ok((found, walked.instances.len()))
}

/// What is wrong with the syntax of the files of tests. A folder that is not there holds none.
fn tests(folder: &Path) -> Diagnostics {
    let mut found = Diagnostics::new();
    for folder in [Path::new("."), folder] {
        let mut files: Vec<PathBuf> = match fs::read_dir(folder) {
            Ok(entries) => entries.filter_map(|e| Some(e.ok()?.path())).collect(),
            Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
            Err(e) => {
                found.push(
                    Diagnostic::error(format!(
                        "The folder {} can't be read: {e}",
                        folder.display()
                    ))
                    .help("Check that you may read it, or leave tests out with `-no-tests`."),
                );
                continue;
            }
        };
        files.sort();
        for file in files {
            let name = file.strip_prefix(".").unwrap_or(&file).to_string_lossy();
            if name.ends_with(".tftest.hcl") || name.ends_with(".test.hcl") {
                found.extend(syntax(&file, &name));
            }
        }
    }
    found
}

fn syntax(file: &Path, name: &str) -> Diagnostics {
    let text: Arc<str> = match fs::read_to_string(file) {
        Ok(text) => text.into(),
        Err(e) => {
            return Diagnostic::error(format!("{name} can't be read: {e}"))
                .help("Check that it is text in UTF-8, and that you may read it.")
                .into();
        }
    };
    let (_, problems) = parse::parse_body(name.into(), &text);
    let mut sources = Sources::new();
    sources.add(name.into(), text);
    let pointed = problems.into_iter().map(|d| match d.span.clone() {
        Some(span) => sources.point(d, &span),
        None => d,
    });
    Diagnostics(pointed.collect())
}
