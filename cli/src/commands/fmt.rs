//! `weir fmt`

use super::{Context, Result};
use crate::{
    error::{CommandError, ErrorKind, Outcome},
    format::format,
    render::style::Ink,
};
use clap::ArgAction;
use similar::TextDiff;
use std::{
    fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
};
use weir_core::{Diagnostic, Diagnostics};
use weir_lang::{Sources, parse};

/// Flags of `fmt`.
#[derive(Debug, clap::Args)]
pub(crate) struct Fmt {
    /// Files and folders; `-` reads stdin and writes stdout. The current folder if none is named.
    paths: Vec<PathBuf>,
    /// Change nothing; end with code 3 where something is not formatted.
    #[arg(long, value_name = "BOOL", default_value_t = false, num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    check: bool,
    /// Show what changes.
    #[arg(long, value_name = "BOOL", default_value_t = false, num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    diff: bool,
    /// Format folders inside folders too.
    #[arg(long, value_name = "BOOL", default_value_t = false, num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    recursive: bool,
    /// Whether to name the files that change.
    #[arg(long, value_name = "BOOL", default_value_t = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    list: bool,
    /// Whether to write the files; where nothing is written, named or shown, their new text is
    /// printed.
    #[arg(long, value_name = "BOOL", default_value_t = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", action = ArgAction::Set)]
    write: bool,
}

const ENDINGS: [&str; 3] = [".hcl", ".tf", ".tfvars"];

/// Formats files in place. A file with errors does not keep the others from being formatted.
pub(crate) fn cmd_fmt(args: &Fmt, context: &Context) -> Result {
    let mut run = Run {
        args,
        context,
        list: args.list,
        write: args.write && !args.check,
        changed: 0,
        found: Diagnostics::new(),
    };
    if args.paths.iter().any(|p| p.as_os_str() == "-") {
        run.list = false;
        run.stdin()?;
        return run.end();
    }
    let paths = match args.paths.is_empty() {
        true => &[PathBuf::from(".")][..],
        false => &args.paths,
    };
    for path in paths {
        let mut files = Vec::new();
        run.collect(path, Named::ByUser, &mut files);
        for file in files {
            run.file(&file)?;
        }
    }
    run.end()
}

/// Who chose a path.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Named {
    ByUser,
    ByFolder,
}

struct Run<'a> {
    args: &'a Fmt,
    context: &'a Context,
    list: bool,
    write: bool,
    changed: usize,
    found: Diagnostics,
}

impl Run<'_> {
    /// As in Terraform: 2 where there was an error, 3 where `-check` found something.
    fn end(self) -> Result {
        if self.found.has_errors() {
            return Err(CommandError {
                kind: ErrorKind::Usage,
                source: self.found,
            });
        }
        Ok(match self.args.check && self.changed > 0 {
            true => Outcome::Unformatted,
            false => Outcome::Done,
        })
    }

    fn broken(&mut self, summary: String) {
        self.found.push(
            Diagnostic::error(summary)
                .help("Check that it exists and that you may read and write it."),
        );
    }

    fn file(&mut self, file: &Path) -> std::result::Result<(), CommandError> {
        let name = file.strip_prefix(".").unwrap_or(file).display().to_string();
        let before = match fs::read_to_string(file) {
            Ok(text) => text,
            Err(e) => {
                self.broken(format!("{name} can't be read: {e}"));
                return Ok(());
            }
        };
        let Some(after) = self.formatted(&before, &name) else {
            return Ok(());
        };
        if before != after {
            self.changed += 1;
            if self.list {
                self.context.ui.data(&format!("{name}\n"))?;
            }
            if self.write
                && let Err(e) = replace(file, &after)
            {
                self.broken(format!("{name} can't be written: {e}"));
                return Ok(());
            }
        }
        self.show(&name, &before, &after)
    }

    fn stdin(&mut self) -> std::result::Result<(), CommandError> {
        let mut before = String::new();
        io::stdin().lock().read_to_string(&mut before)?;
        self.write = false;
        let Some(after) = self.formatted(&before, "<stdin>") else {
            return Ok(());
        };
        self.changed = usize::from(before != after);
        self.show("<stdin>", &before, &after)
    }

    /// What the flags ask to see of a text.
    fn show(&self, name: &str, before: &str, after: &str) -> std::result::Result<(), CommandError> {
        if self.args.diff {
            return diff(name, before, after, self.context);
        }
        if self.args.check || self.list || self.write {
            return Ok(());
        }
        let end = if after.ends_with('\n') { "" } else { "\n" };
        self.context.ui.data(&format!("{after}{end}"))
    }

    /// The text in canonical form; what is wrong with it is said as every other command says it.
    fn formatted(&mut self, text: &str, name: &str) -> Option<String> {
        let (file, source): (Arc<str>, Arc<str>) = (name.into(), text.into());
        let (body, found) = parse::parse_body(file.clone(), &source);
        if found.has_errors() {
            let mut sources = Sources::new();
            sources.add(file, source);
            for d in found {
                self.found.push(match d.span.clone() {
                    Some(span) => sources.point(d, &span),
                    None => d,
                });
            }
            return None;
        }
        match format(text, &body) {
            Ok(text) => Some(text),
            Err(e) => {
                self.found.push(
                    Diagnostic::error(format!("{name}:{}: {}", e.line, e.cause))
                        .help("Correct the file: what is not of the language is not formatted."),
                );
                None
            }
        }
    }

    fn collect(&mut self, path: &Path, named: Named, files: &mut Vec<PathBuf>) {
        let text = path.to_string_lossy();
        let folder = match fs::metadata(path) {
            Ok(m) => m.is_dir(),
            Err(e) => return self.broken(format!("{text} can't be read: {e}")),
        };
        if !folder {
            if ENDINGS.iter().any(|e| text.ends_with(e)) {
                files.push(path.to_owned());
            } else if named == Named::ByUser {
                self.found.push(
                    Diagnostic::error(format!("{text} is not a configuration file in HCL"))
                        .help(format!("Its name must end with {}.", ENDINGS.join(", "))),
                );
            }
            return;
        }
        let inside = fs::read_dir(path).and_then(|entries| {
            entries
                .map(|e| e.map(|e| e.path()))
                .collect::<io::Result<Vec<_>>>()
        });
        let mut inside = match inside {
            Ok(inside) => inside,
            Err(e) => return self.broken(format!("{text} can't be read: {e}")),
        };
        inside.sort();
        for entry in inside {
            let ignored = entry
                .file_name()
                .is_some_and(|n| is_ignored(&n.to_string_lossy()));
            let folder = fs::metadata(&entry).is_ok_and(|m| m.is_dir());
            if !ignored && (self.args.recursive || !folder) {
                self.collect(&entry, Named::ByFolder, files);
            }
        }
    }
}

/// Hidden files, and those that editors leave.
fn is_ignored(name: &str) -> bool {
    name.starts_with('.') || name.ends_with('~') || (name.starts_with('#') && name.ends_with('#'))
}

fn diff(
    name: &str,
    before: &str,
    after: &str,
    context: &Context,
) -> std::result::Result<(), CommandError> {
    let diff = TextDiff::from_lines(before, after);
    let text = diff
        .unified_diff()
        .header(&format!("old/{name}"), &format!("new/{name}"))
        .to_string();
    let ink = |line: &str| match line.as_bytes().first() {
        Some(b'+') => Ink::Good,
        Some(b'-') => Ink::Bad,
        _ => Ink::Normal,
    };
    let lines: String = text
        .lines()
        .map(|l| context.ui.out.ink(ink(l), l) + "\n")
        .collect();
    context.ui.data(&lines)
}

/// Writes beside the file and renames: a reader sees the old text or the new one.
fn replace(file: &Path, text: &str) -> io::Result<()> {
    // Through a link the file it leads to is written.
    let file = fs::canonicalize(file)?;
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".weir-fmt");
    let beside = file.with_file_name(name);
    let written = (|| {
        let mut out = fs::File::create(&beside)?;
        out.set_permissions(fs::metadata(&file)?.permissions())?;
        out.write_all(text.as_bytes())?;
        out.sync_all()?;
        fs::rename(&beside, &file)
    })();
    if written.is_err() {
        // The first error is the one that matters.
        let _ = fs::remove_file(&beside);
    }
    written
}
