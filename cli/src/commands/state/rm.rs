//! `weir state rm`

use super::super::{Context, Result, run};
use super::{
    count,
    edit::{Changes, Edit, EditArgs, Row},
    legacy::Legacy,
    rows::Rows,
};
use crate::error::Outcome;
use std::collections::BTreeSet;
use weir_core::{Address, address::members, snapshot::Snapshot};

/// Flags of `state rm`.
#[derive(Debug, clap::Args)]
pub(crate) struct Rm {
    /// What is dropped: instances, resources, modules, services; `*` stands for any text.
    #[arg(required = true)]
    addresses: Vec<String>,
    /// Show what would be dropped, and drop nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    edit: EditArgs,
    #[command(flatten)]
    legacy: Legacy,
}

/// Drops instances from state, with what replacements of them have put aside.
pub(super) async fn cmd_rm(args: &Rm, context: &Context) -> Result {
    args.legacy.check()?;
    let targets = run::targets(&args.addresses)?;
    let what = format!("state rm {}", args.addresses.join(" "));
    let edit = Edit::begin(what, args.edit, context).await?;
    let rows = Rows::of(Some(&edit.snapshot));
    if let Err(error) = rows.all_named(&targets) {
        edit.leave().await?;
        return Err(error);
    }
    let names = |a: &&Address| targets.iter().any(|t| t.names(a));
    let chosen: BTreeSet<Address> = rows.addresses().filter(names).cloned().collect();
    let (verb, done) = match args.dry_run {
        true => ("Would drop", "would be dropped"),
        false => ("Dropped", "dropped"),
    };
    if args.dry_run {
        edit.leave().await?;
    } else {
        let changes = Changes {
            rows: without(&edit.snapshot, &chosen),
            aside: edit
                .put_aside()
                .filter(|e| chosen.contains(&e.begin.address))
                .map(|e| (e.id, None))
                .collect(),
            ..Changes::default()
        };
        edit.commit(changes).await?;
    }
    let lines: String = chosen.iter().map(|a| format!("{verb} {a}\n")).collect();
    let counted = count(chosen.len(), "resource instance");
    context.ui.data(&format!("{lines}\n{counted} {done}.\n"))?;
    Ok(Outcome::Done)
}

/// The rows without these, and without dependencies on them.
fn without(snapshot: &Snapshot, chosen: &BTreeSet<Address>) -> Vec<Row> {
    let mut rows: Vec<Row> = chosen.iter().map(|a| (a.clone(), None)).collect();
    let stays =
        |d: &Address| members(&snapshot.resources, d).any(|(member, _)| !chosen.contains(member));
    for (address, resource) in &snapshot.resources {
        if !chosen.contains(address) && !resource.dependencies.iter().all(stays) {
            let mut resource = resource.clone();
            resource.dependencies.retain(stays);
            rows.push((address.clone(), Some(resource)));
        }
    }
    rows
}
