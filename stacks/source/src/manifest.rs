//! What is installed: `.weir/modules/modules.json`, in the form of Terraform's manifest.

use crate::error::SourceError;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs,
    io::{ErrorKind, Write},
    path::Path,
};

/// The folder of installed modules, below the stack's.
pub const MODULES_DIR: &str = ".weir/modules";

const FILE: &str = "modules.json";

/// Installed modules by the path of the call: `net.dns`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest(pub BTreeMap<String, Entry>);

/// An installed module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The path of the call.
    #[serde(rename = "Key")]
    pub key: String,
    /// The source, as the call writes it.
    #[serde(rename = "Source")]
    pub source: String,
    /// The version, where it comes from a registry.
    #[serde(rename = "Version", default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What the call asks of the version.
    #[serde(
        rename = "Constraint",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub constraint: Option<String>,
    /// The module's folder, below the stack's.
    #[serde(rename = "Dir")]
    pub dir: String,
}

#[derive(Serialize, Deserialize)]
struct File {
    #[serde(rename = "Modules")]
    modules: Vec<Entry>,
}

impl Manifest {
    /// Reads the manifest of a stack; one that is not there is empty.
    pub(crate) fn read(stack: &Path) -> Result<Manifest, SourceError> {
        let path = stack.join(MODULES_DIR).join(FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Manifest::default()),
            Err(error) => return Err(SourceError::Io { path, error }),
        };
        // One that can't be read is made anew: it says nothing that init does not find out.
        let file: File = serde_json::from_str(&text).unwrap_or(File {
            modules: Vec::new(),
        });
        let entries = file.modules.into_iter().map(|e| (e.key.clone(), e));
        Ok(Manifest(entries.collect()))
    }

    pub(crate) fn write(&self, stack: &Path) -> Result<(), SourceError> {
        let folder = stack.join(MODULES_DIR);
        let file = File {
            modules: self.0.values().cloned().collect(),
        };
        let text = serde_json::to_string_pretty(&file)
            .map_err(|e| SourceError::fetch("the manifest can't be written", e))?;
        replace(&folder.join(FILE), &format!("{text}\n"))
    }
}

/// Writes a file beside its place and puts it there in one step.
pub(crate) fn replace(path: &Path, text: &str) -> Result<(), SourceError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let mut file = tempfile::Builder::new()
        .prefix(".weir-")
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
        .tempfile_in(folder)
        .map_err(SourceError::io(folder))?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.as_file().sync_all())
        .map_err(SourceError::io(path))?;
    file.persist(path).map(|_| ()).map_err(|e| SourceError::Io {
        path: path.to_owned(),
        error: e.error,
    })
}
