//! The files of a folder within the stack's, as a stack's own.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};
use weir_lang::{Files, files::Entry};

/// The files below a folder.
pub(crate) struct Below {
    pub(crate) files: Arc<dyn Files>,
    pub(crate) folder: PathBuf,
}

impl Files for Below {
    fn read_bytes(&self, path: &Path) -> io::Result<Arc<[u8]>> {
        self.files.read_bytes(&self.folder.join(path))
    }
    fn list(&self, folder: &Path) -> io::Result<Vec<Entry>> {
        self.files.list(&self.folder.join(folder))
    }
}
