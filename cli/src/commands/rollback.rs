//! `weir rollback` and `weir diff`: states of the past.

use super::{Context, Result, apply, run};
use crate::{
    args::{ApproveArgs, PlanArgs},
    clock,
    compose::Catalogue,
    error::{CommandError, Outcome},
    stores::States,
};
use std::sync::Arc;
use weir_core::{
    Value,
    json::to_json,
    snapshot::{Serial, Snapshot},
};
use weir_engine::{Mode, planfile::unbundle};
use weir_state::{Applied, Store};

/// Flags of `rollback`.
#[derive(Debug, clap::Args)]
pub(crate) struct Rollback {
    /// The serial, as `weir state history` has it: `@12`.
    #[arg(value_parser = serial)]
    serial: Serial,
    #[command(flatten)]
    plan: PlanArgs,
    #[command(flatten)]
    approve: ApproveArgs,
}

/// Flags of `diff`.
#[derive(Debug, clap::Args)]
pub(crate) struct Diff {
    /// A serial, as `weir state history` has it: `@12`.
    #[arg(value_parser = serial)]
    from: Serial,
    /// Another one; the present state where it is left out.
    #[arg(value_parser = serial)]
    to: Option<Serial>,
}

/// Reads `@12`, or `12`.
pub(crate) fn serial(text: &str) -> std::result::Result<Serial, String> {
    let digits = text.strip_prefix('@').unwrap_or(text);
    let wrong = |_| format!("{text:?} is no serial: write `@12`");
    digits.parse().map(Serial).map_err(wrong)
}

/// The store of the current folder; an error where it has none.
pub(super) async fn store(context: &Context) -> std::result::Result<Arc<dyn Store>, CommandError> {
    let store = States::here(&context.env)?.open_existing().await?;
    store.ok_or_else(|| {
        CommandError::failed("there is no state here")
            .hint("`weir apply` makes it; `-chdir=DIR` works in another folder.")
    })
}

/// Plans the way back to the configuration of a serial, and goes it where it is approved.
pub(crate) async fn cmd_rollback(args: &Rollback, context: &Context) -> Result {
    if !args.plan.vars.0.is_empty() {
        return Err(CommandError::usage(
            "the configuration of a serial has its variables already: leave -var and -var-file out",
        ));
    }
    let store = store(context).await?;
    let latest = store.snapshot().await?.serial;
    if args.serial > latest {
        return Err(weir_state::StateError::NoSuchSerial {
            asked: args.serial,
            latest,
        }
        .into());
    }
    let history = store.history().await?;
    // The apply in which the serial was written; for an edit by hand, the one before.
    let kept = |a: &&Applied| a.record.bundle.is_some();
    let of = history.iter().find(|a| a.serial >= args.serial);
    let mut before = history.iter().filter(|a| a.serial < args.serial);
    let found = of.filter(kept).or_else(|| before.rfind(kept));
    let found = found.and_then(|a| Some((a, a.record.bundle.clone()?)));
    let missing = || {
        CommandError::failed(format!(
            "the configuration of serial {} is not kept",
            args.serial
        ))
        .hint("`weir state history -json` says of which serials it is (`config`).")
    };
    let (applied, digest) = found.ok_or_else(missing)?;
    let bundle = store.bundle(&digest).await?.ok_or_else(missing)?;
    context.ui.tell(&format!(
        "The configuration is that of serial {}, which {} applied at {}.",
        applied.serial,
        applied.record.who,
        clock::rfc3339(applied.finished)
    ));
    drop(store);
    let (config, inputs) = unbundle(&bundle, Some(clock::now()), &Catalogue)?;
    let stack = run::Stack {
        config,
        inputs,
        ahead: crate::stores::Ahead::default(),
    };
    let request = apply::Request {
        plan: &args.plan,
        approve: args.approve,
        mode: Mode::Apply,
        operation: "rollback",
        style: run::Style::Human,
    };
    apply::apply_stack(&stack, &request, context).await
}

/// Says in what two states differ.
pub(crate) async fn cmd_diff(args: &Diff, context: &Context) -> Result {
    let store = store(context).await?;
    let from = store.snapshot_at(args.from).await?;
    let to = match args.to {
        Some(serial) => store.snapshot_at(serial).await?,
        None => store.snapshot().await?,
    };
    let text = differences(&from, &to);
    context.ui.data(&match text.is_empty() {
        true => format!(
            "Serial {} and serial {} are the same.\n",
            from.serial, to.serial
        ),
        false => text,
    })?;
    Ok(Outcome::Done)
}

/// `+` what came, `-` what went, `~` what changed, with the attributes that did.
fn differences(from: &Snapshot, to: &Snapshot) -> String {
    let mut out = String::new();
    let mut addresses: Vec<_> = from.resources.keys().chain(to.resources.keys()).collect();
    addresses.sort();
    addresses.dedup();
    for address in addresses {
        match (from.resources.get(address), to.resources.get(address)) {
            (None, Some(_)) => out.push_str(&format!("+ {address}\n")),
            (Some(_), None) => out.push_str(&format!("- {address}\n")),
            (Some(a), Some(b)) => {
                let mut lines = changed(a.value.value(), b.value.value());
                if a.status != b.status {
                    lines.push_str(&format!("    (status): {:?} -> {:?}\n", a.status, b.status));
                }
                if a.provider != b.provider {
                    lines.push_str(&format!(
                        "    (provider): {} -> {}\n",
                        a.provider, b.provider
                    ));
                }
                if !lines.is_empty() {
                    out.push_str(&format!("~ {address}\n{lines}"));
                }
            }
            (None, None) => {}
        }
    }
    let mut names: Vec<_> = from.outputs.keys().chain(to.outputs.keys()).collect();
    names.sort();
    names.dedup();
    let none = Value::null();
    for name in names {
        let of = |s: &Snapshot| s.outputs.get(name).map(|v| v.value().clone());
        let (a, b) = (of(from), of(to));
        let line = || {
            let (a, b) = (a.as_ref().unwrap_or(&none), b.as_ref().unwrap_or(&none));
            format!("output {name}: {} -> {}\n", shown(a), shown(b))
        };
        match (&a, &b) {
            (None, Some(_)) => out.push_str(&format!("+ {}", line())),
            (Some(_), None) => out.push_str(&format!("- {}", line())),
            (a, b) if a != b => out.push_str(&format!("~ {}", line())),
            _ => {}
        }
    }
    out
}

fn changed(a: &Value, b: &Value) -> String {
    let fields = |v: &Value| -> Vec<String> {
        let entries = v.as_entries().into_iter().flatten();
        entries.map(|(k, _)| k.to_string()).collect()
    };
    let mut names: Vec<String> = fields(a).into_iter().chain(fields(b)).collect();
    names.sort();
    names.dedup();
    let none = Value::null();
    let mut out = String::new();
    for name in names {
        let (x, y) = (a.get(&name).unwrap_or(&none), b.get(&name).unwrap_or(&none));
        if x != y {
            out.push_str(&format!("    {name}: {} -> {}\n", shown(x), shown(y)));
        }
    }
    out
}

fn shown(value: &Value) -> String {
    match value.marks_deep().is_empty() {
        true => to_json(value).to_string(),
        false => "(sensitive value)".to_owned(),
    }
}
