//! The environment: the one place that reads it. Nothing else in weir does.
//!
//! | variable | meaning |
//! |---|---|
//! | `NO_COLOR` | set and not empty: print without colour |
//! | `WEIR_VAR_name`, `TF_VAR_name` | value of the variable `name` |
//! | `WEIR_IN_AUTOMATION` | set and not empty: leave out hints about the next command |
//! | `WEIR_WORKSPACE`, `TF_WORKSPACE` | the workspace, whichever is selected |
//! | `WEIR_ADDRESS_ECHO` | the web address that tells where this machine's connections come from |
//! | `USER`, `LOGNAME` | who is named as the holder of the lease |
//! | `HOME` | where `~` in paths leads |
//! | `XDG_STATE_HOME` | where the history of the console is kept; `~/.local/state` |
//! | `SSH_AUTH_SOCK` | the socket of the ssh-agent |
//! | `GIT_SSH_COMMAND` | the command by which git reaches repositories over SSH |
//! | `TF_CLI_CONFIG_FILE` | Terraform's configuration file; `~/.terraformrc` where it is not set |
//! | `TF_TOKEN_host` | the token for a registry; `.` in the host is `_`, `-` is `__` |
//! | `PGHOST`, `PGUSER`, `PGPASSWORD`, `PGPASSFILE`, `PGSERVICE`, `PGSSLMODE`, ... | how the database of state is reached, as `psql` has it |
//! | `AWS_REGION`, `AWS_PROFILE`, `AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT_URL_S3` and the rest of AWS's | settings of `state "s3"` that are not written |
//! | `PG_CONN_STR`, `PG_SCHEMA_NAME`, `PG_SKIP_SCHEMA_CREATION`, `PG_SKIP_TABLE_CREATION` | settings of `backend "pg"` that are not written |

use std::{collections::BTreeMap, path::PathBuf};

/// What weir takes from the environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Env {
    all: BTreeMap<String, String>,
}

impl Env {
    /// The environment of this process. Names and values that are not UTF-8 are left out.
    pub(crate) fn of_process() -> Env {
        let text = |(k, v): (std::ffi::OsString, std::ffi::OsString)| {
            Some((k.into_string().ok()?, v.into_string().ok()?))
        };
        Env {
            all: std::env::vars_os().filter_map(text).collect(),
        }
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.all
            .get(name)
            .map(String::as_str)
            .filter(|v| !v.is_empty())
    }

    /// Who tells where this machine's connections come from, where it is not Amazon.
    pub(crate) fn address_echo(&self) -> Option<&str> {
        self.get("WEIR_ADDRESS_ECHO")
    }

    /// A variable of Postgres's or of a backend's, by its name.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        self.get(name).map(str::to_owned)
    }

    /// Whether `NO_COLOR` asks for plain text.
    pub(crate) fn no_color(&self) -> bool {
        self.get("NO_COLOR").is_some() || self.dumb()
    }

    /// Whether the terminal can do no more than print lines.
    pub(crate) fn dumb(&self) -> bool {
        self.get("TERM") == Some("dumb")
    }

    /// Whether a program, not a person, reads what is printed.
    pub(crate) fn in_automation(&self) -> bool {
        self.get("WEIR_IN_AUTOMATION").is_some() || self.get("TF_IN_AUTOMATION").is_some()
    }

    /// Who runs this.
    pub(crate) fn user(&self) -> String {
        self.get("USER")
            .or(self.get("LOGNAME"))
            .unwrap_or("unknown")
            .into()
    }

    /// The workspace, and the variable that says so.
    pub(crate) fn workspace(&self) -> Option<(&'static str, &str)> {
        let of = |name: &'static str| Some((name, self.get(name)?));
        of("WEIR_WORKSPACE").or_else(|| of("TF_WORKSPACE"))
    }

    /// The user's home.
    pub(crate) fn home(&self) -> Option<PathBuf> {
        self.get("HOME").map(PathBuf::from)
    }

    /// The user's folder for what programs keep between runs.
    pub(crate) fn state_home(&self) -> Option<PathBuf> {
        self.get("XDG_STATE_HOME")
            .map(PathBuf::from)
            .or_else(|| Some(self.home()?.join(".local/state")))
    }

    /// The socket of the ssh-agent.
    pub(crate) fn ssh_auth_sock(&self) -> Option<PathBuf> {
        self.get("SSH_AUTH_SOCK").map(PathBuf::from)
    }

    /// The user's command for SSH.
    pub(crate) fn git_ssh_command(&self) -> Option<String> {
        self.get("GIT_SSH_COMMAND").map(str::to_owned)
    }

    /// Terraform's configuration file.
    pub(crate) fn terraform_config(&self) -> Option<PathBuf> {
        match self.get("TF_CLI_CONFIG_FILE") {
            Some(path) => Some(path.into()),
            None => self.home().map(|h| h.join(".terraformrc")),
        }
    }

    /// Tokens of registries, by host.
    pub(crate) fn registry_tokens(&self) -> BTreeMap<String, String> {
        let host = |name: &str| name.replace("__", "-").replace('_', ".").to_lowercase();
        let tokens = self.all.iter().filter_map(|(name, token)| {
            let name = name.strip_prefix("TF_TOKEN_")?;
            Some((host(name), token.clone()))
        });
        tokens.collect()
    }

    /// The variables that set values, under their full names.
    pub(crate) fn variables(&self) -> BTreeMap<String, String> {
        let sets = |name: &str| name.starts_with("WEIR_VAR_") || name.starts_with("TF_VAR_");
        self.all
            .iter()
            .filter(|(k, _)| sets(k))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect()
    }
}
