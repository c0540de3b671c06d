//! `weir state list -unsettled`: operations of which nobody knows yet what became.

use super::super::{Context, Result, run};
use super::list::List;
use crate::{error::Outcome, stores::States};

/// Whether the holder of a lease is at work still, as far as can be seen from here.
fn is_alive(lease: &weir_state::LeaseRecord) -> bool {
    let here = weir_state::Holder::this_process("", "").host;
    let process = std::path::PathBuf::from(format!("/proc/{}", lease.holder.pid));
    let gone = lease.holder.host == here && !process.exists();
    lease.ended.is_none() && lease.expires > std::time::SystemTime::now() && !gone
}

/// What is begun and not over.
pub(super) async fn unsettled(args: &List, context: &Context) -> Result {
    let targets = run::targets(&args.addresses)?;
    let Some(store) = States::here(&context.env)?.open_existing().await? else {
        return Ok(Outcome::Done);
    };
    let leases = store.leases().await?;
    // What a run is doing right now is not left over from it.
    let held = leases.iter().find(|l| is_alive(l)).map(|l| l.epoch);
    let open = store.open_entries().await?;
    let chosen: Vec<_> = open
        .iter()
        .filter(|e| held != Some(e.epoch))
        .filter(|e| targets.is_empty() || targets.iter().any(|t| t.names(&e.begin.address)))
        .map(|e| {
            let by = leases.iter().find(|l| l.epoch == e.epoch);
            let what = match (e.begin.target, e.begin.op) {
                (weir_state::Target::Deposed, _) => "deletion of the object put aside",
                (_, weir_core::plan::Op::Create) => "creation",
                (_, weir_core::plan::Op::Update) => "update",
                (_, weir_core::plan::Op::Delete) => "deletion",
                _ => "operation",
            };
            (e, what, by.map(|l| l.holder.to_string()))
        })
        .collect();
    if args.json {
        let row = |(e, what, by): &(&weir_state::Entry, &str, Option<String>)| {
            serde_json::json!({
                "address": e.begin.address.to_string(),
                "operation": what,
                "entry": e.id.0,
                "begun": crate::clock::rfc3339(e.begun),
                "by": by,
                "error": e.message,
            })
        };
        let rows: Vec<_> = chosen.iter().map(row).collect();
        context
            .ui
            .data(&format!("{:#}\n", serde_json::json!(rows)))?;
        return Ok(Outcome::Done);
    }
    for (e, what, by) in &chosen {
        let by = by.as_ref().map_or(String::new(), |b| format!(" by {b}"));
        let why = e
            .message
            .as_ref()
            .map_or(String::new(), |m| format!(": {m}"));
        context.ui.data(&format!(
            "{}: {what}, begun {}{by}{why}\n",
            e.begin.address,
            crate::clock::rfc3339(e.begun)
        ))?;
    }
    if chosen.is_empty() {
        context.ui.tell("Everything is settled.");
    } else {
        context.ui.tell(
            "The next `weir plan` or `weir apply` asks the provider what became of each. Where it \
             can't be told, nothing more is done to the object: bring back what can't be reached, \
             or `weir state rm` what is known to be gone.",
        );
    }
    Ok(Outcome::Done)
}
