//! The files of a folder within the stack's, as a stack's own.

use serde_json::{Value as Json, json};
use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};
use weir_lang::{
    Files,
    files::{Entry, EntryKind},
};

/// Where the stack's modules are installed, and what tells of them.
const INSTALLED: &str = ".weir/modules";
const MANIFEST: &str = ".weir/modules/modules.json";

/// The files below a folder. Modules are installed in one place of the stack: those that what is
/// here calls are told of as if it were a stack's root.
pub(crate) struct Below {
    pub(crate) files: Arc<dyn Files>,
    pub(crate) folder: PathBuf,
    /// The path of the call that leads here: those of the calls in it begin with it.
    pub(crate) key: String,
}

impl Below {
    fn place(&self, path: &Path) -> PathBuf {
        match path.starts_with(INSTALLED) {
            true => path.to_owned(),
            false => self.folder.join(path),
        }
    }
}

impl Files for Below {
    fn read_bytes(&self, path: &Path) -> io::Result<Arc<[u8]>> {
        let bytes = self.files.read_bytes(&self.place(path))?;
        match path == Path::new(MANIFEST) {
            true => Ok(below(&bytes, &self.key).unwrap_or(bytes)),
            false => Ok(bytes),
        }
    }
    fn list(&self, folder: &Path) -> io::Result<Arc<[Entry]>> {
        self.files.list(&self.place(folder))
    }
    fn kind(&self, path: &Path) -> io::Result<EntryKind> {
        self.files.kind(&self.place(path))
    }
    fn configuration(&self, folder: &Path) -> io::Result<Arc<[Entry]>> {
        self.files.configuration(&self.place(folder))
    }
}

/// The manifest of what is installed below a call.
fn below(manifest: &[u8], key: &str) -> Option<Arc<[u8]>> {
    let manifest: Json = serde_json::from_slice(manifest).ok()?;
    let prefix = format!("{key}.");
    let modules = manifest.get("Modules")?.as_array()?.iter();
    let modules = modules.filter_map(|module| {
        let mut module = module.clone();
        let key = module.get("Key")?.as_str()?.strip_prefix(&prefix)?;
        module["Key"] = json!(key);
        Some(module)
    });
    let modules: Vec<Json> = modules.collect();
    serde_json::to_vec(&json!({ "Modules": modules }))
        .ok()
        .map(Arc::from)
}
