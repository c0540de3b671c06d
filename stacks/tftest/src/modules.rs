//! Modules that are run in place of the stack: where they are, and which of them are fetched.

use crate::{RunBlock, Suite, TestFile, below::Below, syntax::ModuleSource};
use std::{path::PathBuf, sync::Arc};
use weir_core::{Diagnostic, Diagnostics};
use weir_lang::{
    Catalog, Files, Inputs, InstalledModule, InstalledModules, RemoteCall, Sources, is_remote,
};

/// The path under which the module of a run is installed: `test.tests.main.setup` for run "setup"
/// of `tests/main.tftest.hcl`.
fn key_of(file: &TestFile, run: &RunBlock) -> String {
    let stem = crate::suite::ENDS
        .iter()
        .find_map(|end| file.path.strip_suffix(end))
        .unwrap_or(&file.path);
    format!("test.{}.{}", stem.replace('/', "."), run.name)
}

/// The files of the module of a run.
///
/// # Errors
/// It is not installed.
pub(crate) fn files_of(
    (file, run, module): (&TestFile, &RunBlock, &ModuleSource),
    files: &Arc<dyn Files>,
    sources: &Sources,
) -> Result<Below, Diagnostics> {
    let key = key_of(file, run);
    let folder = match is_remote(&module.source) {
        false => PathBuf::from(&module.source),
        true => {
            let installed = InstalledModules::read(&**files);
            let refused = |why: String| {
                let d = Diagnostic::error("The module of this run is not installed")
                    .because(why)
                    .help("Run `weir init`.");
                Diagnostics::from(sources.point(d, &module.span))
            };
            let found = installed.0.get(&key).ok_or_else(|| {
                refused("Its source is fetched before the tests are run.".to_owned())
            })?;
            if found.source != module.source {
                return Err(refused(format!(
                    "What is installed was fetched from \"{}\".",
                    found.source
                )));
            }
            if found.constraint != module.version {
                return Err(refused("Another `version` of it is installed.".to_owned()));
            }
            PathBuf::from(&found.dir)
        }
    };
    Ok(Below {
        files: files.clone(),
        folder,
        key,
    })
}

/// The modules that the runs of a suite need fetched, as far as `installed` lets them be followed.
///
/// # Errors
/// All that keeps their files from being read.
pub fn remote_calls(
    suite: &Suite,
    files: &Arc<dyn Files>,
    (catalog, inputs): (&dyn Catalog, &Inputs),
    installed: &InstalledModules,
) -> Result<Vec<RemoteCall>, Diagnostics> {
    let mut calls = Vec::new();
    for file in &suite.files {
        for run in &file.runs {
            let Some(module) = &run.module else {
                continue;
            };
            let key = key_of(file, run);
            let mut folder = PathBuf::from(&module.source);
            if is_remote(&module.source) {
                calls.push(RemoteCall {
                    key: key.clone(),
                    source: module.source.clone(),
                    version: module.version.clone(),
                    span: module.span.clone(),
                });
                match installed.0.get(&key) {
                    Some(found) => folder = PathBuf::from(&found.dir),
                    None => continue,
                }
            }
            let below = Below {
                files: files.clone(),
                folder,
                key: key.clone(),
            };
            let prefix = format!("{key}.");
            let inside = installed.0.iter().filter_map(|(key, module)| {
                let key = key.strip_prefix(&prefix)?.to_owned();
                let module = InstalledModule {
                    key: key.clone(),
                    ..module.clone()
                };
                Some((key, module))
            });
            let inside = InstalledModules(inside.collect());
            let mut inputs = inputs.clone();
            inputs.vars.clear();
            let (found, _) = weir_lang::remote_calls(Arc::new(below), catalog, &inputs, inside)?;
            calls.extend(found.into_iter().map(|call| RemoteCall {
                key: format!("{prefix}{}", call.key),
                ..call
            }));
        }
    }
    Ok(calls)
}
