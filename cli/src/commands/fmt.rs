//! `weir fmt`

use super::{Context, Result};
use crate::{
    error::{CommandError, Outcome},
    format::format,
    render::style::Ink,
};
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
    #[arg(long)]
    check: bool,
    /// Show what changes.
    #[arg(long)]
    diff: bool,
    /// Format folders inside folders too.
    #[arg(long)]
    recursive: bool,
}

const ENDINGS: [&str; 3] = [".hcl", ".tf", ".tfvars"];

/// Formats files in place.
pub(crate) fn cmd_fmt(args: &Fmt, context: &Context) -> Result {
    if args.paths.iter().any(|p| p.as_os_str() == "-") {
        return stdin(args, context);
    }
    let paths = match args.paths.is_empty() {
        true => &[PathBuf::from(".")][..],
        false => &args.paths,
    };
    let mut files = Vec::new();
    for path in paths {
        collect(path, args.recursive, true, &mut files)?;
    }
    let mut found = Diagnostics::new();
    let mut changed = 0;
    for file in &files {
        let name = file.strip_prefix(".").unwrap_or(file).display().to_string();
        match one(args, file, &name, context)? {
            Ok(Formatted::Same) => {}
            Ok(Formatted::Changed) => changed += 1,
            Err(errors) => found.extend(errors),
        }
    }
    if found.has_errors() {
        return Err(found.into());
    }
    Ok(if args.check && changed > 0 {
        Outcome::Unformatted
    } else {
        Outcome::Done
    })
}

#[derive(PartialEq, Eq)]
enum Formatted {
    Same,
    Changed,
}

fn one(
    args: &Fmt,
    file: &Path,
    name: &str,
    context: &Context,
) -> std::result::Result<std::result::Result<Formatted, Diagnostics>, CommandError> {
    let broken = |e: io::Error| CommandError::failed(format!("{name}: {e}"));
    let before = fs::read_to_string(file).map_err(broken)?;
    let after = match formatted(&before, name) {
        Ok(after) => after,
        Err(errors) => return Ok(Err(errors)),
    };
    if before == after {
        return Ok(Ok(Formatted::Same));
    }
    context.ui.data(&format!("{name}\n"))?;
    if args.diff {
        show(name, &before, &after, context)?;
    }
    if !args.check {
        replace(file, &after).map_err(broken)?;
    }
    Ok(Ok(Formatted::Changed))
}

/// The text in canonical form, or what is wrong with it, as every other command says it.
fn formatted(text: &str, name: &str) -> std::result::Result<String, Diagnostics> {
    let (file, source): (Arc<str>, Arc<str>) = (name.into(), text.into());
    let (_, found) = parse::parse_body(file.clone(), &source);
    if found.has_errors() {
        let mut sources = Sources::new();
        sources.add(file, source);
        let pointed = found.into_iter().map(|d| match d.span.clone() {
            Some(span) => sources.point(d, &span),
            None => d,
        });
        return Err(Diagnostics(pointed.collect()));
    }
    format(text).map_err(|e| {
        let summary = format!("{name}:{}: {}", e.line, e.cause);
        Diagnostics::from(Diagnostic::error(summary))
    })
}

fn stdin(args: &Fmt, context: &Context) -> Result {
    let mut before = String::new();
    io::stdin().lock().read_to_string(&mut before)?;
    let after = formatted(&before, "<stdin>")?;
    if args.diff {
        show("<stdin>", &before, &after, context)?;
    } else if !args.check {
        context.ui.data(&after)?;
    }
    Ok(if args.check && before != after {
        Outcome::Unformatted
    } else {
        Outcome::Done
    })
}

fn show(
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
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".weir-fmt");
    let beside = file.with_file_name(name);
    let written = (|| {
        let mut out = fs::File::create(&beside)?;
        out.set_permissions(fs::metadata(file)?.permissions())?;
        out.write_all(text.as_bytes())?;
        out.sync_all()?;
        // Through a link the file it leads to is written.
        fs::rename(&beside, fs::canonicalize(file)?)
    })();
    if written.is_err() {
        // The first error is the one that matters.
        let _ = fs::remove_file(&beside);
    }
    written
}

fn collect(
    path: &Path,
    recursive: bool,
    named: bool,
    files: &mut Vec<PathBuf>,
) -> std::result::Result<(), CommandError> {
    let broken = |e: io::Error| CommandError::failed(format!("{}: {e}", path.display()));
    if !fs::metadata(path).map_err(broken)?.is_dir() {
        let text = path.to_string_lossy();
        if ENDINGS.iter().any(|e| text.ends_with(e)) {
            files.push(path.to_owned());
        } else if named {
            return Err(
                CommandError::usage(format!("{text} is not a configuration file"))
                    .hint(format!("Its name must end with {}.", ENDINGS.join(", "))),
            );
        }
        return Ok(());
    }
    let mut inside: Vec<PathBuf> = fs::read_dir(path)
        .map_err(broken)?
        .map(|e| e.map(|e| e.path()))
        .collect::<io::Result<_>>()
        .map_err(broken)?;
    inside.sort();
    for entry in inside {
        let hidden = entry
            .file_name()
            .is_some_and(|n| n.to_string_lossy().starts_with('.'));
        let folder = fs::metadata(&entry).is_ok_and(|m| m.is_dir());
        if !hidden && (recursive || !folder) {
            collect(&entry, recursive, false, files)?;
        }
    }
    Ok(())
}
