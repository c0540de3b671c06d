//! A Python that has a package: the clouds' own clients are written in it.

use std::{path::PathBuf, process::Command};

/// One that has it.
pub(crate) struct Python {
    /// Its executable.
    pub(crate) path: PathBuf,
}

/// The first that has the package: of `WEIR_CLOUDS_PYTHON`, of the place where tests/run puts one, or
/// on the path. Where none has it, that is said aloud.
pub(crate) fn with(package: &str) -> Option<Python> {
    let said = std::env::var_os("WEIR_CLOUDS_PYTHON").map(PathBuf::from);
    let usual = ["/var/tmp/weir-clouds/bin/python3", "python3"].map(PathBuf::from);
    let has = |path: &PathBuf| {
        let import = Command::new(path)
            .args(["-c", &format!("import {package}")])
            .output();
        import.is_ok_and(|o| o.status.success())
    };
    let found = said.into_iter().chain(usual).find(has);
    if found.is_none() {
        #[allow(clippy::print_stdout)] // what is skipped is told
        {
            println!(
                "SKIPPED: no Python has the package {package} (PyPI: google-api-python-client)"
            );
        }
    }
    found.map(|path| Python { path })
}

impl Python {
    /// Google's description of compute, inside its client.
    pub(crate) fn discovery(&self) -> PathBuf {
        let say =
            "import os, googleapiclient.discovery_cache as d; print(os.path.dirname(d.__file__))";
        let output = Command::new(&self.path).args(["-c", say]).output().unwrap();
        let folder = String::from_utf8(output.stdout).unwrap();
        PathBuf::from(folder.trim()).join("documents/compute.v1.json")
    }
}
