//! `fileset`: the files below a folder whose paths match a pattern, as Terraform matches.
//!
//! 1. The pattern is taken below the folder and made shortest: `../x/*` leads out of it.
//! 2. A name without a pattern in it is looked at alone. A folder is listed only where a pattern
//!    stands, and gone into only where the pattern goes on: what a plan keeps of it is no more.
//! 3. What matches and is a file is named by its path from the folder.

use super::{FunctionError, Outcome, glob, text};
use crate::{
    eval::Context,
    files::{EntryKind, Files, normal},
};
use std::{
    collections::BTreeSet,
    io,
    path::{Component, Path, PathBuf},
};
use weir_core::{Type, Value};

/// The most folders deep it looks. Links may lead in a circle.
const DEPTH: usize = 100;

pub(super) fn fileset(args: &[Value], context: &Context) -> Outcome {
    let root = normal(&context.module_dir.join(text(args, 0)));
    let pattern = text(args, 1).trim_start_matches('/');
    let (above, pattern) = shortest(pattern);
    let mut start = root.clone();
    let mut pattern = pattern.as_slice();
    for _ in 0..above {
        start = normal(&start.join(".."));
    }
    // Names that stand before the first pattern.
    while let Some((name, rest)) = pattern.split_first()
        && !glob::is_pattern(name)
    {
        start.push(name);
        pattern = rest;
    }
    let mut search = Search {
        files: &**super::filesystem::files(context)?,
        found: BTreeSet::new(),
    };
    search.at(&start, pattern, 0)?;
    let found = search.found.iter().map(|path| from(&root, path).into());
    Ok(Value::set(Type::String, found))
}

/// The parts of a pattern without `.` and `..`, and how many `..` lead out of the folder.
fn shortest(pattern: &str) -> (usize, Vec<&str>) {
    let (mut above, mut parts) = (0, Vec::new());
    for part in pattern.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if parts.pop().is_none() {
                    above += 1;
                }
            }
            part => parts.push(part),
        }
    }
    (above, parts)
}

/// The path that leads from a folder to a file, with `/` between its names.
fn from(folder: &Path, file: &Path) -> String {
    let (folder, file): (Vec<_>, Vec<_>) =
        (folder.components().collect(), file.components().collect());
    let same = folder.iter().zip(&file).take_while(|(a, b)| a == b).count();
    let up = folder[same..].iter().map(|_| "..".to_owned());
    let down = file[same..].iter().map(|c| match c {
        Component::Normal(name) => name.to_string_lossy().into_owned(),
        other => other.as_os_str().to_string_lossy().into_owned(),
    });
    let names: Vec<String> = up.chain(down).collect();
    match names.is_empty() {
        true => ".".to_owned(),
        false => names.join("/"),
    }
}

struct Search<'a> {
    files: &'a dyn Files,
    found: BTreeSet<PathBuf>,
}

impl Search<'_> {
    /// What matches at or below `path`.
    fn at(&mut self, path: &Path, pattern: &[&str], depth: usize) -> Outcome<()> {
        if depth > DEPTH {
            return Err(FunctionError::Argument(
                0,
                format!(
                    "{} lies more than {DEPTH} folders deep; a link may lead back to where it stands",
                    path.display()
                ),
            ));
        }
        let kind = match self.files.kind(path) {
            Ok(kind) => kind,
            Err(e) => return absent_or(&e, path),
        };
        match pattern.split_first() {
            None => {
                match kind {
                    EntryKind::File => drop(self.found.insert(path.to_owned())),
                    EntryKind::Dangling => return Err(dangling(path)),
                    EntryKind::Folder | EntryKind::Special => {}
                }
                Ok(())
            }
            Some(_) if kind != EntryKind::Folder => Ok(()),
            Some((name, rest)) if !glob::is_pattern(name) => {
                self.at(&path.join(name), rest, depth + 1)
            }
            Some((&"**", rest)) => self.anywhere(path, (pattern, rest), depth),
            Some((name, rest)) => self.matching(path, (name, rest), depth),
        }
    }

    /// What `**` stands for: any folders, and any files where nothing follows.
    fn anywhere(
        &mut self,
        folder: &Path,
        (pattern, rest): (&[&str], &[&str]),
        depth: usize,
    ) -> Outcome<()> {
        for entry in self.list(folder)?.iter() {
            let path = folder.join(&entry.name);
            match entry.kind {
                EntryKind::Folder => self.at(&path, pattern, depth + 1)?,
                EntryKind::File if rest.is_empty() => {
                    self.found.insert(path);
                }
                _ => {}
            }
        }
        match rest.split_first() {
            None => Ok(()),
            Some((name, rest)) => self.matching(folder, (name, rest), depth),
        }
    }

    /// What a pattern for one name stands for.
    fn matching(
        &mut self,
        folder: &Path,
        (name, rest): (&str, &[&str]),
        depth: usize,
    ) -> Outcome<()> {
        for entry in self.list(folder)?.iter() {
            let matches = glob::matches(name, &entry.name).map_err(|e| {
                FunctionError::Argument(1, format!("{name:?} is not a pattern: {e}"))
            })?;
            if !matches {
                continue;
            }
            let path = folder.join(&entry.name);
            match entry.kind {
                EntryKind::File if rest.is_empty() => {
                    self.found.insert(path);
                }
                EntryKind::Folder if !rest.is_empty() => self.at(&path, rest, depth + 1)?,
                EntryKind::Dangling if rest.is_empty() => return Err(dangling(&path)),
                _ => {}
            }
        }
        Ok(())
    }

    fn list(&self, folder: &Path) -> Outcome<std::sync::Arc<[crate::files::Entry]>> {
        self.files.list(folder).map_err(|e| unlistable(&e, folder))
    }
}

/// Nothing lies where nothing is; a name below a file is nothing either.
fn absent_or(error: &io::Error, path: &Path) -> Outcome<()> {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Ok(()),
        _ => Err(unlistable(error, path)),
    }
}

fn dangling(path: &Path) -> FunctionError {
    let path = path.display();
    FunctionError::Argument(
        0,
        format!("{path} matches, and is a link to what is not there"),
    )
}

fn unlistable(error: &io::Error, path: &Path) -> FunctionError {
    FunctionError::Argument(0, format!("{} can't be listed: {error}", path.display()))
}
