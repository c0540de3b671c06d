//! What an expression can see: names, functions, files.

use crate::{files::Files, functions::Registry, ir::Reference, sources::Sources};
use sha2::{Digest, Sha256};
use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
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
    /// The time of the plan in RFC 3339, for `plantimestamp`, which is unknown where it is `None`.
    /// A plan and what is applied of it agree on it.
    pub now: Option<Arc<str>>,
    /// What `timestamp`, `uuid` and `bcrypt` draw from; `None` while planning, so that they are
    /// unknown there.
    pub settled: Option<Arc<Settled>>,
}

impl Context {
    /// Around expressions that use neither functions nor files.
    pub fn of_constants(sources: Sources) -> Context {
        Context {
            sources: Arc::new(sources),
            functions: Arc::new(Registry::default()),
            files: None,
            module_dir: PathBuf::new(),
            root_dir: PathBuf::new(),
            home: None,
            now: None,
            settled: None,
        }
    }
}

/// The time of an apply, and its randomness: what a plan must not depend on. The caller draws the
/// seed; everything else follows from it and from the order of evaluation.
#[derive(Debug)]
pub struct Settled {
    time: Arc<str>,
    seed: [u8; 32],
    drawn: AtomicU64,
}

impl Settled {
    /// At this time in RFC 3339, with a seed that is drawn anew for each run.
    pub fn new(time: impl Into<Arc<str>>, seed: [u8; 32]) -> Settled {
        Settled {
            time: time.into(),
            seed,
            drawn: AtomicU64::new(0),
        }
    }

    /// The time.
    pub(crate) fn time(&self) -> &Arc<str> {
        &self.time
    }

    /// Sixteen random bytes, others at each call.
    pub(crate) fn draw(&self) -> [u8; 16] {
        let drawn = self.drawn.fetch_add(1, Ordering::Relaxed);
        let digest = Sha256::new()
            .chain_update(self.seed)
            .chain_update(drawn.to_be_bytes())
            .finalize();
        std::array::from_fn(|i| digest[i])
    }
}
