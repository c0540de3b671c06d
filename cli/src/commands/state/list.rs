//! `weir state list`

use super::super::{Context, Result, run};
use super::{legacy::StateFile, rows::Rows, unsettled};
use crate::{
    compose,
    error::Outcome,
    render::json::{self, Form, Secrets},
    tfstate,
};
use serde_json::{Value as Json, json};
use weir_core::{
    Address,
    snapshot::{Resource, Snapshot, Status},
};

/// Flags of `state list`.
#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// Only these resources, modules or services, and what is in them; `*` stands for any text.
    pub(super) addresses: Vec<String>,
    /// Operations that an earlier run began, and of which nobody knows yet what became.
    #[arg(long, conflicts_with_all = ["id", "state"])]
    pub(super) unsettled: bool,
    /// Only objects with this id.
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// Print a JSON array: of each instance its type, provider, id, and whether it is tainted.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    file: StateFile,
}

/// Lists what is in state.
pub(super) async fn cmd_list(args: &List, context: &Context) -> Result {
    if args.unsettled {
        return unsettled::unsettled(args, context).await;
    }
    let snapshot = args.file.snapshot(context).await?;
    let rows = Rows::of(snapshot.as_ref());
    let targets = run::targets(&args.addresses)?;
    rows.all_named(&targets)?;
    let has_id = |r: Option<&Resource>| match &args.id {
        None => true,
        Some(id) => r.and_then(self::id).as_deref() == Some(id),
    };
    let named = |a: &Address| targets.is_empty() || targets.iter().any(|t| t.names(a));
    let chosen = rows
        .addresses()
        .filter(|a| named(a) && has_id(rows.current(a)));
    let text = match (args.json, &snapshot) {
        (true, Some(snapshot)) => {
            let registry = compose::registry(&context.env);
            let form = Form {
                secrets: Secrets::Redacted,
                schemas: &registry,
                config: None,
            };
            let all: Vec<Json> = chosen.map(|a| row(snapshot, a, &form)).collect();
            format!("{:#}\n", json!(all))
        }
        (true, None) => "[]\n".to_owned(),
        (false, _) => chosen.map(|a| format!("{a}\n")).collect(),
    };
    context.ui.data(&text)?;
    Ok(Outcome::Done)
}

/// The object's `id`, where it has one.
fn id(resource: &Resource) -> Option<String> {
    let id = resource.value.value().get("id")?;
    match id.is_sensitive() {
        true => None,
        false => id.as_str().map(str::to_owned),
    }
}

/// An instance as the array has it. All fields are always there; `deposed` lists the keys of
/// objects that a replacement has put aside, and where there are only such, `current` is false.
fn row(snapshot: &Snapshot, address: &Address, form: &Form<'_>) -> Json {
    let current = snapshot.resources.get(address);
    let deposed = snapshot.deposed.get(address);
    let of = current.or_else(|| deposed?.values().next());
    let place = json::resource(address);
    let part = |name: &str| place.get(name).cloned().unwrap_or(Json::Null);
    let keys = deposed.into_iter().flat_map(|d| d.keys());
    json!({
        "address": address.to_string(),
        "module": address.module.to_string(),
        "mode": part("mode"),
        "type": part("type"),
        "name": part("name"),
        "index": part("index"),
        "provider": of.map(|r| r.provider.to_string()),
        "provider_name": of.map(tfstate::source),
        "schema_version": of.map_or_else(|| form.schema_version(&address.object), |r| r.schema_version),
        "id": current.and_then(id),
        "current": current.is_some(),
        "tainted": current.is_some_and(|r| r.status == Status::Tainted),
        "deposed": keys.map(|k| k.to_string()).collect::<Vec<_>>(),
    })
}
