//! What a run hands in beside the files: values of variables and the facts of the run.

use std::{collections::BTreeMap, path::PathBuf};
use weir_core::Value;

/// What the caller hands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inputs {
    /// Where values of the root module's variables come from, in order of rising priority.
    pub vars: Vec<VarSource>,
    /// The workspace: `terraform.workspace`.
    pub workspace: String,
    /// The absolute path of the stack's folder: `path.root` is `.`, `path.cwd` and `abspath`
    /// start here.
    pub root_dir: PathBuf,
    /// The user's home, for `~` in paths.
    pub home: Option<PathBuf>,
    /// The time of the plan in RFC 3339, for `plantimestamp()`; unknown to expressions where `None`.
    pub now: Option<String>,
}

/// A source of variables' values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VarSource {
    /// The environment: `WEIR_VAR_name` and `TF_VAR_name` are taken, the rest is ignored.
    Environment(BTreeMap<String, String>),
    /// The files that load by themselves: `terraform.tfvars`, `weir.vars.hcl`, then
    /// `*.auto.tfvars` and `*.auto.vars.hcl` by name.
    Automatic,
    /// `-var-file=PATH`, relative to the stack's folder.
    File(PathBuf),
    /// `-var NAME=TEXT`
    Flag {
        /// The variable.
        name: String,
        /// The value as it was written; parsed by the variable's type.
        text: String,
    },
    /// Nobody: a variable that has no value and no default is unknown, of its type.
    Unset,
    /// Nobody, not even its default: a variable that has no value is unknown, of its type. What
    /// only checks a configuration is right whatever the values will be.
    Unknown,
    /// A value that another evaluation made.
    Value {
        /// The variable.
        name: String,
        /// Its value, marks included.
        value: Value,
    },
}

impl Inputs {
    /// The environment, then the automatic files: what every run has.
    pub fn new(environment: BTreeMap<String, String>) -> Inputs {
        Inputs {
            vars: vec![VarSource::Environment(environment), VarSource::Automatic],
            workspace: "default".into(),
            root_dir: PathBuf::from("."),
            home: None,
            now: None,
        }
    }
    /// With one more `-var-file`.
    pub fn file(mut self, path: impl Into<PathBuf>) -> Inputs {
        self.vars.push(VarSource::File(path.into()));
        self
    }
    /// Without asking for values that nobody gives: they are unknown.
    pub fn asking_nothing(mut self) -> Inputs {
        self.vars.push(VarSource::Unset);
        self
    }
    /// To check a configuration for whatever values it will be given: only those of flags are
    /// used; all others are unknown, also where the environment, a file that loads by itself or a
    /// default has one.
    pub fn checking(mut self) -> Inputs {
        let by_itself =
            |source: &VarSource| matches!(source, VarSource::Environment(_) | VarSource::Automatic);
        self.vars.retain(|source| !by_itself(source));
        self.vars.push(VarSource::Unknown);
        self
    }
    /// With one more `-var`.
    pub fn var(mut self, name: impl Into<String>, text: impl Into<String>) -> Inputs {
        self.vars.push(VarSource::Flag {
            name: name.into(),
            text: text.into(),
        });
        self
    }
}

impl Default for Inputs {
    fn default() -> Self {
        Inputs::new(BTreeMap::new())
    }
}
