//! What an expression can see: names, functions, files.

use crate::{files::Files, functions::Registry, ir::Reference, sources::Sources};
use std::{path::PathBuf, sync::Arc};
use weir_core::{Diagnostic, Value};

/// Looks names up for an expression.
pub trait Scope {
    /// The value a reference leads to, and how many of its steps lead there; evaluation takes the
    /// remaining ones. No step is [`crate::ir::RefStep::Dynamic`]: an index is evaluated before
    /// it is asked for, so it may be unknown or marked (the marks are added by the caller).
    ///
    /// # Errors
    /// A diagnostic where there is no such name; `NotReady` where it has no value yet.
    fn resolve(&self, reference: &Reference) -> Result<Resolved, EvalError>;

    /// What lies around the expression.
    fn context(&self) -> &Context;
}

/// What a reference leads to.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// The value there.
    pub value: Value,
    /// How many of the reference's steps lead there.
    pub consumed: usize,
}

/// A node of the caller's graph, as the caller counts them; opaque to evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

/// Why an expression has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvalError {
    /// It is wrong.
    #[error("{0}")]
    Diagnostic(Box<Diagnostic>),
    /// It needs something that has no value yet; evaluate again once that is supplied. `try` and
    /// `can` let it through.
    #[error("not ready: waits for node {}", .0.0)]
    NotReady(NodeId),
}

impl From<Diagnostic> for EvalError {
    fn from(d: Diagnostic) -> Self {
        EvalError::Diagnostic(Box::new(d))
    }
}

/// What lies around an expression. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    /// The texts, for snippets in diagnostics.
    pub sources: Arc<Sources>,
    /// The functions there are.
    pub functions: Arc<Registry>,
    /// Files for `file`, `templatefile` and the like; `None` where reading files is refused.
    pub files: Option<Arc<dyn Files>>,
    /// The module's folder, as [`Files`] names it: where relative paths of file functions start.
    pub module_dir: PathBuf,
    /// The absolute path of the folder `Files` stands for, for `abspath`.
    pub root_dir: PathBuf,
    /// The user's home, for `~` in paths; `None` where there is none.
    pub home: Option<PathBuf>,
    /// The time of this run in RFC 3339, for `timestamp` and `plantimestamp`, which are unknown
    /// where it is `None`. It is one time for the whole run, so that a plan and what is applied
    /// of it agree.
    pub now: Option<Arc<str>>,
}
