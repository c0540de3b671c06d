//! Whole states in and out, in Terraform's format: `pull`, `push`, `import`.

use super::super::{Context, Result};
use super::edit::{EditArgs, record};
use crate::{
    compose,
    error::{CommandError, Outcome},
    stores::States,
    tfstate::{self, Taken},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::Read as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};
use weir_core::{
    Address, Diagnostic, Diagnostics, Object,
    plan::Op,
    references::References,
    snapshot::{DeposedKey, Resource, Serial, Snapshot},
};
use weir_engine::Registry;
use weir_lang::Schemas as _;
use weir_state::{Begin, Content, Entry, EntryId, Lease, Store, Target};

/// Flags of `state import`.
#[derive(Debug, clap::Args)]
pub(crate) struct Import {
    /// The state file; `-` for stdin. Without one, the state that Terraform keeps where the stack
    /// has its own.
    file: Option<PathBuf>,
    /// Let what the file has replace what state has under the same address or name.
    #[arg(long)]
    force: bool,
    /// Say what would come, and change nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    edit: EditArgs,
}

/// Flags of `state push`.
#[derive(Debug, clap::Args)]
pub(crate) struct Push {
    /// The state file; `-` for stdin.
    file: PathBuf,
    /// Take it though it is of another lineage, or older.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    edit: EditArgs,
}

/// Prints the state.
pub(super) async fn pull(context: &Context) -> Result {
    let Some(store) = States::here(&context.env)?.open_existing().await? else {
        return Ok(Outcome::Done);
    };
    let (state, history) = (store.snapshot().await?, store.history().await?);
    let checks = history.into_iter().rev().find_map(|a| a.record.checks);
    let registry = compose::registry(&context.env);
    let json = tfstate::write(&state, checks.as_deref(), &registry);
    context.ui.data(&format!("{json:#}\n"))?;
    Ok(Outcome::Done)
}

/// Puts a state file in place of the state.
pub(super) async fn push(args: &Push, context: &Context) -> Result {
    let taken = read(&args.file, context)?;
    let what = format!("state push {}", args.file.display());
    let held = Held::take(what, args.edit, context).await?;
    let now = &held.snapshot;
    let empty = held.is_empty();
    let refused = if empty || args.force {
        None
    } else if taken.lineage != now.lineage {
        Some(
            CommandError::failed(format!(
                "the file is of lineage {}, and the state of lineage {}: it is another stack's",
                taken.lineage, now.lineage
            ))
            .hint("-force puts it in place of the state, which keeps its lineage."),
        )
    } else if taken.serial < now.serial {
        Some(
            CommandError::failed(format!(
                "the file is of serial {}, and the state has come to serial {}: it is older",
                taken.serial, now.serial
            ))
            .hint("`weir state pull` gives the present state; -force takes the older one."),
        )
    } else if taken.serial == now.serial && !same(&taken, now) {
        Some(
            CommandError::failed(format!(
                "the file and the state are both of serial {}, and not the same",
                now.serial
            ))
            .hint("Raise `serial` in the file if it is what was edited; -force takes it as it is."),
        )
    } else {
        None
    };
    if let Some(error) = refused {
        held.leave().await?;
        return Err(error);
    }
    let mut content = held.content(&taken, Past::Matched);
    // What is on hosts belongs to the lineage: a state with something in it keeps its own.
    if !empty {
        content.lineage = now.lineage.clone();
    }
    let before = now.serial;
    let serial = held.replace(content, taken.checks.clone()).await?;
    let text = match serial == before {
        true => "The state is that of the file already.\n".to_owned(),
        false => format!(
            "The state is that of the file now: {}, serial {serial}.\n",
            counted(&taken.resources, taken.deposed.len(), taken.outputs.len())
        ),
    };
    context.ui.data(&text)?;
    strangers(&taken.resources, context);
    Ok(Outcome::Done)
}

/// Takes what a state file has beside what is there.
pub(super) async fn import(args: &Import, context: &Context) -> Result {
    let (name, taken) = match &args.file {
        Some(file) => (file.display().to_string(), read(file, context)?),
        None => terraforms(context).await?,
    };
    let what = format!("state import {name}");
    let held = Held::take(what, args.edit, context).await?;
    if !args.force
        && let Some(error) = conflicts(&taken, &held.snapshot)
    {
        held.leave().await?;
        return Err(error);
    }
    let counted = counted(&taken.resources, taken.deposed.len(), taken.outputs.len());
    let from = format!("lineage {}, serial {}", taken.lineage, taken.serial);
    if args.dry_run {
        held.leave().await?;
        context
            .ui
            .data(&format!("Would import {counted} ({from}).\n"))?;
        return Ok(Outcome::Done);
    }
    let content = match held.is_empty() {
        true => held.content(&taken, Past::Matched),
        false => {
            let mut content = held.content(&taken, Past::Kept);
            let now = &held.snapshot;
            content.lineage = now.lineage.clone();
            content.serial = Serial(0);
            for (address, resource) in &now.resources {
                let place = content.resources.entry(address.clone());
                place.or_insert_with(|| resource.clone());
            }
            for (name, value) in &now.outputs {
                let place = content.outputs.entry(name.clone());
                place.or_insert_with(|| value.clone());
            }
            let list = |a: &Address| {
                let from = match taken.resources.contains_key(a) {
                    true => &taken.references,
                    false => &now.references,
                };
                from.behind(&(a.clone(), None)).into_iter().collect()
            };
            let lists = content.resources.keys().map(|a| (a.clone(), list(a)));
            content.references = References::of_lists(&lists.collect());
            content
        }
    };
    let before = held.snapshot.serial;
    let serial = held.replace(content, taken.checks.clone()).await?;
    let text = match serial == before {
        true => format!("State has all of it already: {counted} ({from}).\n"),
        false => format!("Imported {counted} ({from}). State is at serial {serial}.\n"),
    };
    context.ui.data(&text)?;
    strangers(&taken.resources, context);
    Ok(Outcome::Done)
}

/// Reads a state file of Terraform's; `-` is stdin.
///
/// # Errors
/// It can't be read, or something in it would be lost.
pub(in crate::commands) fn read(
    file: &Path,
    context: &Context,
) -> std::result::Result<Taken, CommandError> {
    let mut text = String::new();
    let name = file.display();
    let found = match file.as_os_str() == "-" {
        true => std::io::stdin().read_to_string(&mut text).map(drop),
        false => std::fs::read_to_string(file).map(|found| text = found),
    };
    found.map_err(|e| CommandError::failed(format!("{name} can't be read: {e}")))?;
    let registry = compose::registry(&context.env);
    tfstate::read(&text, &registry).map_err(|problems| refused(file, problems))
}

/// The state that Terraform keeps where the stack has its own.
async fn terraforms(context: &Context) -> std::result::Result<(String, Taken), CommandError> {
    let states = States::here(&context.env)?;
    let Some((name, text)) = states.terraforms().await? else {
        return Err(
            CommandError::failed("Terraform has no state where this stack has its own")
                .hint("Name the state file: `weir state import FILE`."),
        );
    };
    let registry = compose::registry(&context.env);
    let taken = tfstate::read(&text, &registry);
    let taken = taken.map_err(|problems| refused(Path::new(&name), problems))?;
    Ok((name, taken))
}

/// Puts what a file holds into a store that was just made. It keeps the file's lineage and serial.
pub(in crate::commands) async fn fill(
    store: Arc<dyn Store>,
    taken: &Taken,
    what: String,
    args: EditArgs,
    context: &Context,
) -> std::result::Result<(), CommandError> {
    let held = Held::of(store, what, args, context).await?;
    let content = held.content(taken, Past::Matched);
    held.replace(content, taken.checks.clone()).await?;
    context.ui.tell(&format!(
        "It has what is in the file: {}.",
        counted(&taken.resources, taken.deposed.len(), taken.outputs.len())
    ));
    strangers(&taken.resources, context);
    Ok(())
}

fn refused(file: &Path, problems: Vec<String>) -> CommandError {
    let name = file.display();
    let found: Diagnostics = match problems.as_slice() {
        [only] => Diagnostic::error(format!("{name} can't be taken"))
            .because(format!("{only}."))
            .into(),
        several => Diagnostic::error(format!(
            "{name} can't be taken: {} things in it would be lost",
            several.len()
        ))
        .because(several.join("\n"))
        .into(),
    };
    found.into()
}

/// What both the file and the state have, where it is not the same.
fn conflicts(taken: &Taken, now: &Snapshot) -> Option<CommandError> {
    let resources = taken.resources.iter().filter_map(|(a, r)| {
        let there = now.resources.get(a)?;
        (!alike(there, r)).then(|| a.to_string())
    });
    let outputs = taken.outputs.iter().filter_map(|(name, v)| {
        let there = now.outputs.get(name)?;
        (there != v).then(|| format!("output {name:?}"))
    });
    let all: Vec<String> = resources.chain(outputs).collect();
    let (first, more) = all.split_first()?;
    let more = match more.len() {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    Some(
        CommandError::failed(format!(
            "state has {first}{more}, and the file has something else under that name: nothing \
             was imported"
        ))
        .hint(
            "-force lets the file's take the place. `weir state mv` or `weir state rm` makes room.",
        ),
    )
}

/// Whether they are of one object in one form; what leads to it may differ.
fn alike(a: &Resource, b: &Resource) -> bool {
    (a.provider == b.provider && a.value == b.value && a.private == b.private)
        && a.status == b.status
}

fn same(taken: &Taken, now: &Snapshot) -> bool {
    let deposed = now.deposed.values().map(BTreeMap::len).sum::<usize>();
    taken.outputs == now.outputs
        && taken.deposed.len() == deposed
        && taken.resources.len() == now.resources.len()
        && taken.resources.iter().all(|(address, resource)| {
            let there = now.resources.get(address);
            there.is_some_and(|there| {
                alike(there, resource) && there.schema_version == resource.schema_version
            })
        })
}

fn counted(resources: &BTreeMap<Address, Resource>, deposed: usize, outputs: usize) -> String {
    let is_data = |a: &&Address| matches!(a.object, Object::Data { .. });
    let data = resources.keys().filter(is_data).count();
    let mut parts = vec![super::count(resources.len() - data, "resource instance")];
    for (n, what) in [
        (data, "data source"),
        (deposed, "deposed object"),
        (outputs, "output"),
    ] {
        if n > 0 {
            parts.push(super::count(n, what));
        }
    }
    parts.join(", ")
}

/// Says which providers of what came are not at hand.
fn strangers(resources: &BTreeMap<Address, Resource>, context: &Context) {
    let registry: Registry = compose::registry(&context.env);
    let mut missing: BTreeMap<&str, usize> = BTreeMap::new();
    for (address, resource) in resources {
        let ty = address.object.type_name();
        let known = registry.resource(ty).is_some() || registry.data(ty).is_some();
        if !known {
            *missing.entry(&resource.provider.name).or_default() += 1;
        }
    }
    for (name, n) in missing {
        context.ui.tell(&format!(
            "Provider {name:?} is not part of this weir: {} of it stay as they came. They can be \
             listed, shown, moved and pulled; a plan needs the provider.",
            super::count(n, "object")
        ));
    }
}

/// Which objects put aside stay.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Past {
    /// Those that the file has as well.
    Matched,
    /// All.
    Kept,
}

/// A store that a whole state goes into, under its lease.
struct Held {
    store: Arc<dyn Store>,
    lease: Lease,
    snapshot: Snapshot,
    entries: Vec<Entry>,
    what: String,
    who: String,
    started: SystemTime,
}

impl Held {
    /// The state of the stack in the current folder.
    async fn take(
        what: String,
        args: EditArgs,
        context: &Context,
    ) -> std::result::Result<Held, CommandError> {
        let store = States::here(&context.env)?.open().await?;
        Held::of(store, what, args, context).await
    }

    async fn of(
        store: Arc<dyn Store>,
        what: String,
        args: EditArgs,
        context: &Context,
    ) -> std::result::Result<Held, CommandError> {
        let waiting = |holder| {
            context
                .ui
                .tell(&format!("Waiting for the state, locked by {holder} ..."));
        };
        let lease =
            compose::lease(&*store, &context.env, &what, args.lock_timeout, waiting).await?;
        Ok(Held {
            snapshot: store.snapshot().await?,
            entries: store.open_entries().await?,
            store,
            lease,
            what,
            who: context.env.user(),
            started: SystemTime::now(),
        })
    }

    fn is_empty(&self) -> bool {
        let now = &self.snapshot;
        now.resources.is_empty() && now.outputs.is_empty() && self.entries.is_empty()
    }

    async fn leave(self) -> std::result::Result<(), CommandError> {
        Ok(self.store.release(self.lease).await?)
    }

    /// What the file has, as the whole state.
    fn content(&self, taken: &Taken, past: Past) -> Content {
        let entry = |address: &Address, key: &DeposedKey| {
            let of = self
                .entries
                .iter()
                .filter(|e| e.begin.target == Target::Deposed && e.begin.address == *address);
            of.into_iter()
                .find(|e| e.id.deposed_key() == *key || e.begin.token == key.0)
        };
        let mut kept: BTreeSet<EntryId> = BTreeSet::new();
        if past == Past::Kept {
            let put_aside = |e: &&Entry| e.begin.target == Target::Deposed;
            kept.extend(self.entries.iter().filter(put_aside).map(|e| e.id));
        }
        let mut deposed = Vec::new();
        for (address, key, resource) in &taken.deposed {
            match entry(address, key) {
                Some(entry) => drop(kept.insert(entry.id)),
                None => deposed.push(put_aside(address, key, resource)),
            }
        }
        Content {
            lineage: taken.lineage.clone(),
            serial: taken.serial,
            resources: taken.resources.clone(),
            outputs: taken.outputs.clone(),
            references: taken.references.clone(),
            kept,
            deposed,
        }
    }

    async fn replace(
        self,
        content: Content,
        checks: Option<Vec<weir_core::checks::CheckResult>>,
    ) -> std::result::Result<Serial, CommandError> {
        let record = weir_state::ApplyRecord {
            checks,
            ..record(self.who, self.started, self.what)
        };
        Ok(self.store.replace(self.lease, content, record).await?)
    }
}

/// The journal's entry for an object that another program put aside: its deletion. The key by
/// which that program knows it stands where the token of a call would.
fn put_aside(address: &Address, key: &DeposedKey, resource: &Resource) -> Begin {
    Begin {
        address: address.clone(),
        op: Op::Delete,
        target: Target::Deposed,
        provider: resource.provider.clone(),
        type_name: address.object.type_name().to_owned(),
        schema_version: resource.schema_version,
        token: key.0.clone(),
        step: 0,
        planned: None,
        prior: Some(resource.value.clone()),
        private: resource.private.clone(),
        dependencies: resource.dependencies.clone(),
        foreign: resource.foreign.clone(),
    }
}
