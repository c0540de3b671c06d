//! The test files of a stack.

use crate::{TestFile, syntax};
use std::path::{Path, PathBuf};
use weir_core::{Diagnostic, Diagnostics};
use weir_lang::{Files, Sources, automatic_files, files::EntryKind};

/// The test files of a stack, parsed.
#[derive(Debug)]
pub struct Suite {
    /// By path, in order.
    pub files: Vec<TestFile>,
    pub(crate) sources: Sources,
    /// The folder of tests.
    directory: String,
}

/// Which files are run.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// The folder of tests, below the stack's.
    pub directory: String,
    /// Paths of files; all where empty.
    pub filter: Vec<String>,
}

impl Suite {
    /// Finds and reads the files of a stack: those in its folder and in that of its tests.
    ///
    /// # Errors
    /// All that is wrong with them.
    pub fn read(files: &dyn Files, selection: &Selection) -> Result<Suite, Diagnostics> {
        let directory = selection.directory.trim_end_matches('/');
        let mut paths = names(files, "");
        if !directory.is_empty() && directory != "." {
            paths.extend(names(files, directory));
        }
        paths.sort();
        let mut found = Diagnostics::new();
        let wanted = |path: &&String| {
            selection.filter.is_empty() || selection.filter.iter().any(|f| plain(f) == **path)
        };
        for name in &selection.filter {
            if !paths.iter().any(|p| p == plain(name)) {
                found.push(
                    Diagnostic::error("Unknown test file")
                        .because(format!(
                            "The specified test file, {name}, could not be found."
                        ))
                        .help("Name it as the output does: relative to the stack's folder."),
                );
            }
        }
        let mut suite = Suite {
            files: Vec::new(),
            sources: Sources::new(),
            directory: directory.to_owned(),
        };
        for path in paths.iter().filter(wanted) {
            match syntax::read(files, path, &mut suite.sources) {
                Ok(file) => suite.files.push(file),
                Err(errors) => found.extend(errors),
            }
        }
        match found.has_errors() {
            true => Err(found),
            false => Ok(suite),
        }
    }

    /// The texts of the files, to point into.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// The files of variables that a test file has beyond what the stack is planned with: those
    /// that lie in the folder of tests with it.
    pub(crate) fn variables_of(&self, file: &TestFile, files: &dyn Files) -> Vec<PathBuf> {
        let folder = Path::new(&*file.path).parent();
        match folder == Some(Path::new(&self.directory)) && !self.directory.is_empty() {
            true => automatic_files(files, Path::new(&self.directory)),
            false => Vec::new(),
        }
    }

    /// How many runs there are.
    pub fn runs(&self) -> usize {
        self.files.iter().map(|f| f.runs.len()).sum()
    }
}

/// How names of test files end.
pub(crate) const ENDS: [&str; 4] = [".tftest.hcl", ".tftest.json", ".test.hcl", ".test.json"];

fn plain(path: &str) -> &str {
    path.strip_prefix("./").unwrap_or(path)
}

fn names(files: &dyn Files, folder: &str) -> Vec<String> {
    let entries = files.list(Path::new(folder)).unwrap_or_default();
    entries
        .iter()
        .filter(|e| e.kind == EntryKind::File && ENDS.iter().any(|end| e.name.ends_with(end)))
        .map(|e| match folder {
            "" => e.name.clone(),
            folder => format!("{folder}/{}", e.name),
        })
        .collect()
}
