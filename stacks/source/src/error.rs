//! What can go wrong while a package is brought.

use std::path::PathBuf;

/// A package can't be had.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The address means nothing.
    #[error("{why}")]
    Address {
        /// What is wrong with it.
        why: String,
        /// What to write instead.
        help: Option<String>,
    },
    /// A kind of source that is known and not had.
    #[error("weir can't fetch from {what}")]
    Refused {
        /// The kind, in words.
        what: &'static str,
    },
    /// The package differs from what is pinned.
    #[error("{what}")]
    Changed {
        /// What differs.
        what: String,
    },
    /// The package holds something that is not taken.
    #[error("the package is refused: {why}")]
    Unsafe {
        /// What it holds.
        why: String,
    },
    /// The package, or the registry, can't be reached, or does not hold what is asked for.
    #[error("{what}: {why}")]
    Fetch {
        /// What was done.
        what: String,
        /// What went wrong.
        why: String,
    },
    /// A folder or a file can't be read or written.
    #[error("{path}: {error}", path = .path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system says.
        #[source]
        error: std::io::Error,
    },
    /// A file that weir wrote can't be read.
    #[error("{path} can't be read: {why}", path = .path.display())]
    Broken {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

impl SourceError {
    pub(crate) fn address(why: impl Into<String>) -> SourceError {
        SourceError::Address {
            why: why.into(),
            help: None,
        }
    }
    pub(crate) fn refused(why: impl Into<String>) -> SourceError {
        SourceError::Unsafe { why: why.into() }
    }
    pub(crate) fn fetch(what: impl Into<String>, why: impl ToString) -> SourceError {
        SourceError::Fetch {
            what: what.into(),
            why: why.to_string(),
        }
    }
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> SourceError {
        let path = path.into();
        move |error| SourceError::Io { path, error }
    }

    /// The way out, where there is one.
    pub fn help(&self) -> Option<String> {
        match self {
            SourceError::Address { help, .. } => help.clone(),
            SourceError::Changed { .. } => Some(
                "Find out why it changed; `weir init -upgrade` takes what is there now and pins it."
                    .into(),
            ),
            SourceError::Refused { .. } => Some(
                "Use git, an archive over HTTPS, a registry or a local folder.".into(),
            ),
            SourceError::Broken { .. } => Some("Remove the file and run `weir init` again.".into()),
            _ => None,
        }
    }
}
