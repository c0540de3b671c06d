//! The states of other stacks, for the data source `terraform_remote_state`: weir's own and
//! Terraform's, in every place that a stack can keep its state in. They are looked at and never
//! changed.

use super::{States, keys_for, place::Place, terraforms_file};
use crate::{env::Env, tfstate};
use async_trait::async_trait;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};
use weir_core::{Diagnostic, Diagnostics, Known, Span, Value};
use weir_fake::terraform::{Asked, States as Reader};
use weir_lang::{StackSettings, StateSettings};
use weir_state::{Backend, SqliteBackend, StateError, Store, Workspace};

/// How a file of SQLite begins.
const SQLITE: &[u8] = b"SQLite format 3\0";

/// Places of Terraform's that weir keeps no state in.
const TERRAFORMS: [&str; 8] = [
    "remote",
    "cloud",
    "azurerm",
    "gcs",
    "consul",
    "cos",
    "kubernetes",
    "oss",
];

type Outputs = BTreeMap<String, Known>;

/// Reads the states of other stacks.
pub(crate) struct OtherStates {
    env: Env,
}

impl OtherStates {
    pub(crate) fn new(env: Env) -> OtherStates {
        OtherStates { env }
    }

    /// Those of weir in this place. Keys are those of this stack, as far as the environment says
    /// them, and what lies beside the state.
    fn backend(&self, place: Place) -> Box<dyn Backend> {
        let here = States::here(&self.env);
        let here = here.map(|states| states.encryption().clone());
        let encryption = keys_for(&place, &here.unwrap_or_default());
        place.backend(&encryption)
    }

    async fn in_file(&self, config: &Value, workspace: &Workspace) -> Result<Outputs, Diagnostic> {
        let text = |name: &str| setting(config, name);
        known(config, "local", &["path", "workspace_dir"])?;
        let path = text("path")?.map(PathBuf::from);
        let own = path.as_deref().map(SqliteBackend::new);
        // A file of weir's has those of other workspaces beside it.
        if let (Some(path), Some(own)) = (&path, own)
            && begins(&own.file(workspace)) == Some(Begins::Sqlite)
        {
            return self.of_weir(Place::Sqlite(path.clone()), workspace).await;
        }
        let file = match (path, workspace.is_default()) {
            (Some(path), true) => path,
            (None, true) => terraforms_file(workspace),
            (_, false) => match text("workspace_dir")? {
                Some(folder) => Path::new(&folder)
                    .join(workspace.as_str())
                    .join("terraform.tfstate"),
                None => terraforms_file(workspace),
            },
        };
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Err(absent(&file.display().to_string(), workspace));
            }
            Err(e) => {
                return Err(Diagnostic::error(format!(
                    "The state in {} can't be read",
                    file.display()
                ))
                .because(format!("{e}."))
                .help("Name a state file of Terraform, or the file of a weir state."));
            }
        };
        of_terraform(&text, &file.display().to_string())
    }

    async fn of_weir(&self, place: Place, workspace: &Workspace) -> Result<Outputs, Diagnostic> {
        let is_web = matches!(place, Place::Http(_));
        let backend = self.backend(place);
        let name = backend.describe(workspace);
        let failed = |e: StateError| unreadable(&name, &e);
        // An address of the web holds one or the other, a bucket and a database may have both.
        if is_web && let Some(text) = backend.terraforms(workspace).await.map_err(failed)? {
            return of_terraform(&text, &name);
        }
        if let Some(store) = backend.open_existing(workspace).await.map_err(failed)? {
            let store: &dyn Store = &*store;
            return Ok(store.snapshot().await.map_err(failed)?.outputs);
        }
        match backend.terraforms(workspace).await.map_err(failed)? {
            Some(text) => of_terraform(&text, &name),
            None => Err(absent(&name, workspace)),
        }
    }

    /// The place that these settings name, as a stack would that keeps its state there.
    fn place(&self, asked: &Asked) -> Result<Place, Diagnostic> {
        let mut settings: BTreeMap<String, Value> = entries(&asked.config).collect();
        let stack = settings.remove("stack");
        if asked.backend == "sqlite" && !settings.contains_key("path") {
            return Err(
                Diagnostic::error("The state in a file of SQLite is not named")
                    .because("This stack has its own where none is named.")
                    .help("Write `config = { path = \"../network/.weir/state.db\" }`."),
            );
        }
        // Nothing is locked to be looked at.
        if asked.backend == "http" && !settings.contains_key("lock_address") {
            settings.extend(
                settings
                    .get("address")
                    .cloned()
                    .map(|a| ("lock_address".into(), a)),
            );
        }
        // It is nowhere: what is wrong is told of the data source.
        let span = Span {
            file: "".into(),
            start: 0,
            end: 0,
            line: 1,
            column: 1,
        };
        let name = match stack.as_ref().map(|s| s.as_str()) {
            Some(Some(name)) => Some(name.to_owned()),
            Some(None) => return Err(Diagnostic::error("`stack` of the config must be a text")),
            None if asked.backend == "postgres" => {
                return Err(Diagnostic::error("The stack whose state it is is not named")
                    .because("A database has the states of many stacks, by the names in their `stack` blocks.")
                    .help("Write `config = { url = \"postgres://...\", stack = \"network\" }`."));
            }
            None => None,
        };
        let stack = StackSettings {
            state: Some(StateSettings {
                backend: asked.backend.clone(),
                settings: Value::object(settings),
                span: span.clone(),
            }),
            encryption: None,
            history: weir_lang::HistorySettings::default(),
            span: name.is_some().then_some(span),
            name: name.unwrap_or_default(),
        };
        Place::of(&stack, &self.env).map_err(|mut d| {
            // It speaks of a block, which is elsewhere.
            d.span = None;
            d.help(format!(
                "`config` takes what the block `backend {:?}` of that stack says.",
                asked.backend
            ))
        })
    }
}

#[async_trait]
impl Reader for OtherStates {
    async fn outputs(&self, asked: Asked) -> Result<Outputs, Diagnostics> {
        let workspace: Workspace = match &asked.workspace {
            Some(name) => name.parse().map_err(|e| {
                Diagnostic::error(format!("{name:?} is no name of a workspace"))
                    .because(format!("{e}."))
                    .help("Correct `workspace`, or leave it out for the default one.")
            })?,
            None => Workspace::default(),
        };
        let read = match asked.backend.as_str() {
            "local" => self.in_file(&asked.config, &workspace).await,
            "sqlite" | "postgres" | "pg" | "s3" | "http" => match self.place(&asked) {
                Ok(place) => self.of_weir(place, &workspace).await,
                Err(d) => Err(d),
            },
            other if TERRAFORMS.contains(&other) => Err(Diagnostic::error(format!(
                "The state of backend {other:?} can't be read"
            ))
            .because("weir reads `local`, `sqlite`, `s3`, `postgres`, `pg` and `http`.")
            .help("Save it with `terraform state pull > FILE`, and read that with `backend = \"local\"`.")),
            other => Err(Diagnostic::error(format!("There is no backend {other:?}"))
                .help("There are `local`, `sqlite`, `s3`, `postgres`, `pg` and `http`.")),
        };
        Ok(read?)
    }
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Begins {
    Sqlite,
    Otherwise,
}

fn begins(file: &Path) -> Option<Begins> {
    use std::io::Read as _;
    let mut start = Vec::new();
    let file = fs::File::open(file).ok()?;
    file.take(SQLITE.len() as u64)
        .read_to_end(&mut start)
        .ok()?;
    Some(match start == SQLITE {
        true => Begins::Sqlite,
        false => Begins::Otherwise,
    })
}

fn entries(config: &Value) -> impl Iterator<Item = (String, Value)> + '_ {
    let entries = config.as_entries().into_iter().flatten();
    let said = entries.filter(|(_, value)| !value.is_null());
    said.map(|(name, value)| (name.to_string(), value.clone()))
}

fn known(config: &Value, backend: &str, names: &[&str]) -> Result<(), Diagnostic> {
    match entries(config).find(|(name, _)| !names.contains(&name.as_str())) {
        Some((other, _)) => Err(Diagnostic::error(format!(
            "`config` of backend {backend:?} has no setting `{other}`"
        ))
        .help(format!("Its settings are: {}.", names.join(", ")))),
        None => Ok(()),
    }
}

fn setting(config: &Value, name: &str) -> Result<Option<String>, Diagnostic> {
    match config.get(name).filter(|v| !v.is_null()) {
        None => Ok(None),
        Some(value) => match value.as_str().filter(|text| !text.is_empty()) {
            Some(text) => Ok(Some(text.to_owned())),
            None => Err(
                Diagnostic::error(format!("`{name}` of the config must be a text"))
                    .help("Write `config = { path = \"../network/terraform.tfstate\" }`."),
            ),
        },
    }
}

fn absent(name: &str, workspace: &Workspace) -> Diagnostic {
    let summary = match workspace.is_default() {
        true => format!("There is no state in {name}"),
        false => format!("There is no state of workspace {workspace} in {name}"),
    };
    Diagnostic::error(summary)
        .because("Nothing was applied there yet, or it is kept elsewhere.")
        .help("Apply that stack first, or correct `config` and `workspace`. A path begins in the folder that weir runs in.")
}

fn unreadable(name: &str, error: &StateError) -> Diagnostic {
    Diagnostic::error(format!("The state in {name} can't be read"))
        .because(format!("{error}."))
        .help("Give this stack a `fallback` key that opens it, or correct `config`, if that is what is wrong.")
}

fn of_terraform(text: &str, name: &str) -> Result<Outputs, Diagnostic> {
    tfstate::outputs(text).map_err(|cause| {
        Diagnostic::error(format!("The state in {name} can't be read"))
            .because(format!("{cause}."))
            .help("Name a state file of Terraform, of format 4, or a state of weir.")
    })
}
