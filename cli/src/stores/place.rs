//! Where the state of a stack is: what its settings say, and the store that is there.

use super::{Read, http, s3};
use crate::env::Env;
use std::path::{Path, PathBuf};
use weir_core::{Diagnostic, Value};
use weir_lang::{StackSettings, StateSettings};
use weir_state::{
    Backend, Encryption, HttpBackend, HttpSettings, Options, PostgresBackend, PostgresSettings,
    S3Backend, S3Settings, SettingsError, SqliteBackend,
};

/// Where state is where the stack does not say.
const STATE: &str = ".weir/state.db";

/// The name of a state in Terraform's `pg`, which has one stack in a schema, without a name.
const UNNAMED: &str = "terraform";

/// Where the states of a stack are.
#[derive(Debug, Clone)]
pub(super) enum Place {
    /// In and around this file.
    Sqlite(PathBuf),
    /// In a database, under this name.
    Postgres(Box<PostgresSettings>, String),
    /// In a bucket.
    S3(Box<S3Settings>),
    /// At an address of the web.
    Http(Box<HttpSettings>),
}

impl Default for Place {
    fn default() -> Place {
        Place::Sqlite(STATE.into())
    }
}

impl Place {
    /// Where the states of this stack are.
    pub(super) fn of(stack: &StackSettings, env: &Env) -> Read<Place> {
        let Some(state) = &stack.state else {
            return Ok(Place::default());
        };
        match state.backend.as_str() {
            "sqlite" => sqlite(state),
            "http" => {
                let read = http::read(state, env)?;
                Ok(read.map_or_else(Place::default, |s| Place::Http(Box::new(s))))
            }
            "postgres" => postgres(state, &OWN, stack.name.clone(), env),
            "pg" => {
                let name = stack.span.as_ref().map(|_| stack.name.clone());
                let name = name.unwrap_or_else(|| UNNAMED.into());
                postgres(state, &TERRAFORMS, name, env)
            }
            "s3" => {
                let settings = s3::read(state, env)?;
                Ok(settings.map_or_else(Place::default, |s| Place::S3(Box::new(s))))
            }
            other => {
                let summary = format!("State {other:?} is not a store weir has");
                Err(wrong(state, summary)
                    .because("This version of weir keeps state in SQLite, in Postgres, in S3 and at addresses of the web."))
            }
        }
    }

    /// The place of that name: a connection string, an address of a bucket, or a file.
    pub(super) fn named(
        name: &str,
        schema: &str,
        stack: &str,
        env: &Env,
    ) -> Result<Place, SettingsError> {
        if name.starts_with("s3://") {
            let settings = S3Settings::from_address(name, &|name| env.variable(name))?;
            return Ok(Place::S3(Box::new(settings)));
        }
        if name.starts_with("http://") || name.starts_with("https://") {
            // The rest as the environment has it for Terraform; a lock as GitLab has it otherwise.
            let setting = |setting: &str| (setting == "address").then(|| name.to_owned());
            let variable = |variable: &str| {
                env.variable(variable).or_else(|| match variable {
                    "TF_HTTP_LOCK_ADDRESS" => Some(format!("{name}/lock")),
                    "TF_HTTP_LOCK_METHOD" => Some("POST".to_owned()),
                    "TF_HTTP_UNLOCK_METHOD" => Some("DELETE".to_owned()),
                    _ => None,
                })
            };
            let settings = HttpSettings::new(&setting, &variable)?;
            return Ok(Place::Http(Box::new(settings)));
        }
        let schemes = [
            "postgres://",
            "postgresql://",
            "host=",
            "service=",
            "dbname=",
        ];
        if !schemes.iter().any(|scheme| name.starts_with(scheme)) {
            return Ok(Place::Sqlite(name.into()));
        }
        let settings = PostgresSettings::new(name, &|name| env.variable(name))?;
        let settings = settings.with_schema(schema)?;
        Ok(Place::Postgres(Box::new(settings), stack.to_owned()))
    }

    /// The file, where it is one.
    pub(super) fn file(&self) -> Option<&Path> {
        match self {
            Place::Sqlite(path) => Some(path),
            Place::Postgres(..) | Place::S3(_) | Place::Http(_) => None,
        }
    }

    /// The states there. Nothing is opened yet.
    pub(super) fn backend(self, encryption: &Encryption) -> Box<dyn Backend> {
        let options = Options {
            encryption: encryption.clone(),
            ..Options::default()
        };
        match self {
            Place::Sqlite(path) => Box::new(SqliteBackend::new(path).encrypted(options.encryption)),
            Place::Postgres(settings, stack) => {
                Box::new(PostgresBackend::new(*settings, stack, options))
            }
            Place::S3(settings) => Box::new(S3Backend::new(*settings, options)),
            Place::Http(settings) => Box::new(HttpBackend::new(*settings, options)),
        }
    }
}

pub(super) fn wrong(state: &StateSettings, summary: String) -> Diagnostic {
    let mut d = Diagnostic::error(summary).help(
        "Write `state \"sqlite\" { path = \"...\" }`, `state \"postgres\" { url = \"...\" }` or `state \"s3\" { bucket = \"...\" }`, or leave the block out.",
    );
    // The line that it points at is shown.
    if !has_password(state) {
        d.span = Some(state.span.clone());
    }
    d
}

/// Whether a connection string that is written out has a password in it, or a key is written out.
fn has_password(state: &StateSettings) -> bool {
    let has = |name: &&str| written(state, name).is_some();
    if ["secret_key", "token"].iter().any(has) {
        return true;
    }
    [OWN.url, TERRAFORMS.url].iter().any(|name| {
        let url = state.settings.get(name).and_then(Value::as_str);
        url.is_some_and(|url| {
            url.contains("password") || url.contains('@') && url.matches(':').count() > 1
        })
    })
}

/// A setting that is not read would put state elsewhere than the stack says.
pub(super) fn refuse_others(state: &StateSettings, known: &[&str]) -> Result<(), Diagnostic> {
    let settings = state.settings.as_entries();
    match settings.and_then(|s| s.keys().find(|name| !known.contains(&&***name))) {
        Some(other) => {
            let summary = format!("State {:?} has no setting `{other}`", state.backend);
            let mut d = wrong(state, summary);
            d.help = Some(format!("Its settings are: {}.", known.join(", ")));
            Err(d)
        }
        None => Ok(()),
    }
}

/// A setting as it is written. What is not known while a configuration is checked for whatever
/// values counts as not written: no state is opened then.
pub(super) fn written<'s>(state: &'s StateSettings, name: &str) -> Option<&'s Value> {
    let value = state.settings.get(name)?;
    (!value.is_null() && !value.is_unknown()).then_some(value)
}

pub(super) fn text(state: &StateSettings, name: &str) -> Result<Option<String>, Diagnostic> {
    match written(state, name) {
        None => Ok(None),
        Some(value) => text_of(state, value, name).map(Some),
    }
}

/// A value that must be a text.
pub(super) fn text_of(
    state: &StateSettings,
    value: &Value,
    name: &str,
) -> Result<String, Diagnostic> {
    match value.as_str() {
        Some(text) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err(wrong(
            state,
            format!("The {name} of the state must be a text"),
        )),
    }
}

pub(super) fn flag(
    state: &StateSettings,
    name: &str,
    variable: Option<String>,
) -> Result<bool, Diagnostic> {
    match written(state, name) {
        None => Ok(variable.is_some_and(|v| v == "1" || v.eq_ignore_ascii_case("true"))),
        Some(value) => value.as_bool().ok_or_else(|| {
            wrong(
                state,
                format!("The {name} of the state must be true or false"),
            )
        }),
    }
}

fn sqlite(state: &StateSettings) -> Result<Place, Diagnostic> {
    refuse_others(state, &["path"])?;
    let path = text(state, "path")?.map(PathBuf::from);
    Ok(path.map_or_else(Place::default, Place::Sqlite))
}

/// What the settings of a database are called.
struct Names {
    url: &'static str,
    schema: &'static str,
    usual_schema: &'static str,
    flags: [&'static str; 3],
    variables: [&'static str; 4],
}

/// Those of `state "postgres"`.
const OWN: Names = Names {
    url: "url",
    schema: "schema",
    usual_schema: "weir",
    flags: [
        "skip_schema_creation",
        "skip_table_creation",
        "skip_index_creation",
    ],
    variables: [""; 4],
};

/// Those of Terraform's `backend "pg"`.
const TERRAFORMS: Names = Names {
    url: "conn_str",
    schema: "schema_name",
    usual_schema: "terraform_remote_state",
    variables: [
        "PG_CONN_STR",
        "PG_SCHEMA_NAME",
        "PG_SKIP_SCHEMA_CREATION",
        "PG_SKIP_TABLE_CREATION",
    ],
    ..OWN
};

fn postgres(
    state: &StateSettings,
    names: &Names,
    stack: String,
    env: &Env,
) -> Result<Place, Diagnostic> {
    let [schemas, tables, indexes] = names.flags;
    refuse_others(state, &[names.url, names.schema, schemas, tables, indexes])?;
    let open = [names.url, names.schema];
    if open
        .iter()
        .any(|n| state.settings.get(n).is_some_and(Value::is_unknown))
    {
        return Ok(Place::default());
    }
    let unusable = |e: SettingsError| {
        let summary = format!("The state's database can't be used: {e}");
        let mut d = wrong(state, summary);
        d.help = Some(format!(
            "Write `{} = \"postgres://USER@HOST/DATABASE\"`; the password is best given with PGPASSWORD or ~/.pgpass.",
            names.url
        ));
        d
    };
    let [url, schema, no_schemas, no_tables] = names.variables.map(|v| env.variable(v));
    let url = text(state, names.url)?.or(url).unwrap_or_default();
    let schema = text(state, names.schema)?.or(schema);
    let no_schemas = flag(state, schemas, no_schemas)?;
    let no_tables = flag(state, tables, no_tables)?;
    let settings = PostgresSettings::new(&url, &|name| env.variable(name))
        .and_then(|s| s.with_schema(schema.as_deref().unwrap_or(names.usual_schema)))
        .map_err(unusable)?
        .with_creation(!no_schemas, !no_tables);
    Ok(Place::Postgres(Box::new(settings), stack))
}
