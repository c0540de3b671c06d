//! What must hold of every run: the invariants of the architecture.

use super::{
    case::Fault,
    model::{Home, Kind, Repeat, Stack},
    run::{Life, Ran},
};
use std::collections::{BTreeMap, BTreeSet};
use weir_core::{
    Address, Kind as ValueKind, Known, Value,
    change::{Action, ReplaceOrder},
    plan::Op,
    snapshot::{Resource, Snapshot},
};
use weir_engine::{NodeResult, Planned, Report, Status};
use weir_fake::cloud::Entry;

type Checked = Result<(), String>;

/// The id of a thing in the cloud.
pub(crate) fn id(resource: &Resource) -> Option<String> {
    thing_id(&resource.value)
}

fn thing_id(value: &Known) -> Option<String> {
    let id = value.value().get("id")?.as_str()?;
    id.starts_with("thing-").then(|| id.to_owned())
}

/// The label of the block that an address is of.
fn label(address: &str) -> Option<u8> {
    let (_, rest) = address.rsplit_once(".r")?;
    rest.split('_').next()?.parse().ok()
}

/// The ids in the values that a person wrote.
fn mentions(value: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let tags = value.get("tags").into_iter().flat_map(Value::children);
    for text in tags.chain(value.get("zone")).filter_map(Value::as_str) {
        let starts = text.match_indices("thing-").map(|(i, _)| &text[i..]);
        found.extend(starts.filter_map(|s| s.get(..10)).map(str::to_owned));
    }
    found
}

/// What was before a run.
pub(crate) struct Witness {
    before: Snapshot,
    /// The entries of the cloud's log so far.
    seen: usize,
}

/// An operation that the cloud wrote down.
struct Did {
    op: Op,
    address: String,
    id: String,
    value: Option<Known>,
}

impl Witness {
    pub(crate) async fn new(life: &Life<'_>, _: &Planned) -> Witness {
        Witness {
            before: life.snapshot().await,
            seen: life.cloud.log().unwrap().len(),
        }
    }

    pub(crate) async fn check(
        self,
        life: &mut Life<'_>,
        planned: &Planned,
        ran: &Ran,
        faults: &BTreeMap<String, Fault>,
    ) -> Checked {
        let log = life.cloud.log().unwrap();
        let did: Vec<Did> = log[self.seen..].iter().filter_map(did).collect();
        for d in &did {
            let line = format!("  did {:?} {} {}", d.op, d.address, d.id);
            life.story.push(line);
        }
        self.strays(life, planned).await;
        self.order(&log, planned, &life.stack, faults)?;
        let Ran::Ended(report) = ran else {
            return Ok(());
        };
        self.contained(life, planned, report, faults)?;
        shown(planned, report, &did, faults)?;
        let crashed = faults.values().any(|f| *f == Fault::Crash);
        match crashed {
            true => Ok(()),
            false => life.whole().await,
        }
    }

    /// What the plan forgot is nobody's; what it imported is somebody's again.
    async fn strays(&self, life: &mut Life<'_>, planned: &Planned) {
        let after = life.snapshot().await;
        let there = life.cloud.objects().unwrap();
        let known: BTreeSet<String> = (after.resources.values())
            .chain(after.deposed.values().flat_map(BTreeMap::values))
            .filter_map(id)
            .collect();
        let forgets = |change: &&weir_core::change::Change| change.action == Action::Forget;
        let forgotten = planned.plan.changes.values().filter(forgets);
        let gone = forgotten.filter_map(|c| thing_id(c.before.as_ref()?));
        life.strays.extend(gone);
        life.strays
            .retain(|i| there.contains_key(i) && !known.contains(i));
    }

    /// Nothing goes while something that stays uses it, and nothing is written that names what
    /// is gone.
    fn order(
        &self,
        log: &[Entry],
        planned: &Planned,
        stack: &Stack,
        faults: &BTreeMap<String, Fault>,
    ) -> Checked {
        let drifted = log.iter().any(|e| {
            matches!(
                e,
                Entry::Deleted {
                    operation: None,
                    ..
                } | Entry::Updated {
                    operation: None,
                    ..
                }
            )
        });
        let ignores = stack.blocks.iter().any(|b| b.ignore_tags);
        let changes = &planned.plan.changes;
        let deletes_first =
            (changes.values()).any(|c| c.action == Action::Replace(ReplaceOrder::DeleteFirst));
        let lies = faults.values().any(|f| *f == Fault::Lie);
        // A lookup by name may find the object that is about to go.
        let looks = stack.blocks.iter().any(|b| b.kind == Kind::Lookup);
        let free = drifted || ignores || lies || looks || !planned.plan.complete;
        // Whose object it was before the run.
        let owners: BTreeMap<String, &Address> = (self.before.resources.iter())
            .filter_map(|(a, r)| Some((id(r)?, a)))
            .collect();
        let depends = |user: &Address, on: &Address| {
            let of = |a: &Address| self.before.resources.get(a).map(|r| &r.dependencies);
            let mut open = vec![user];
            let mut seen = BTreeSet::new();
            while let Some(a) = open.pop() {
                for d in of(a).into_iter().flatten() {
                    if on.is_in(d) {
                        return true;
                    }
                    let members = self.before.resources.keys().filter(|k| k.is_in(d));
                    open.extend(members.filter(|k| seen.insert(*k)));
                }
            }
            false
        };
        let mut living: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (at, entry) in log.iter().enumerate() {
            let now = at >= self.seen;
            match entry {
                Entry::Created { id, value, .. } | Entry::Updated { id, value, .. } => {
                    let value = weir_core::json::decode(value).map_err(|e| e.to_string())?;
                    let mentioned = mentions(&value);
                    let dead = mentioned.iter().find(|m| !living.contains_key(*m));
                    if let Some(dead) = dead
                        && now
                        && !free
                    {
                        return Err(format!("{id} was written with {dead}, which is gone"));
                    }
                    living.insert(id.clone(), mentioned);
                }
                Entry::Deleted { id, .. } => {
                    living.remove(id);
                    let Some(owner) = owners.get(id).filter(|_| now) else {
                        continue;
                    };
                    for (other, uses) in &living {
                        let Some(user) = owners.get(other) else {
                            continue;
                        };
                        let left = changes.get(*user).map(|c| c.action) == Some(Action::Forget);
                        if left {
                            continue;
                        }
                        let goes = |a: &Address| {
                            changes.get(a).is_some_and(|c| c.action == Action::Delete)
                        };
                        if goes(user) && goes(owner) && depends(user, owner) {
                            return Err(format!(
                                "{owner} was deleted before {user}, which uses it"
                            ));
                        }
                        let direct = self.before.resources.get(*user);
                        let direct =
                            direct.is_some_and(|r| r.dependencies.iter().any(|d| owner.is_in(d)));
                        if uses.contains(id) && direct && !free && !deletes_first {
                            return Err(format!("{owner} went while {user} used {id}"));
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// What failed stops what depends on it, and nothing else.
    fn contained(
        &self,
        life: &Life<'_>,
        planned: &Planned,
        report: &Report,
        faults: &BTreeMap<String, Fault>,
    ) -> Checked {
        let nodes = &planned.plan.nodes;
        let mut results = report.nodes.iter();
        let mut bad = vec![false; nodes.len()];
        let mut told: Vec<Option<&NodeResult>> = Vec::new();
        for n in nodes {
            told.push(
                (n.op != Op::Join)
                    .then(|| results.next())
                    .flatten()
                    .map(|r| &r.result),
            );
        }
        // Nodes may stand in any order: until nothing changes.
        loop {
            let mut changed = false;
            for (i, n) in nodes.iter().enumerate() {
                let blocked = n.after.iter().any(|b| bad[b.0]);
                let failed = matches!(told[i], Some(NodeResult::Failed));
                let now = blocked || failed;
                changed |= now != bad[i];
                bad[i] = now;
            }
            if !changed {
                break;
            }
        }
        let crashed = life.case.batch && faults.values().any(|f| *f == Fault::Crash);
        let groups = related(&life.stack, &self.before);
        let stopped = report.status == Status::Interrupted
            || told.contains(&Some(&NodeResult::Skipped(None)));
        for (i, n) in nodes.iter().enumerate() {
            let Some(result) = told[i] else { continue };
            let blocked = n.after.iter().any(|b| bad[b.0]);
            let address = n.address.to_string();
            match result {
                NodeResult::Done if blocked => {
                    return Err(format!("{address} was done though what it needs failed"));
                }
                // Of a batch that crashed nobody knows anything.
                NodeResult::Failed if crashed || life.blind => {}
                NodeResult::Failed if !faults.contains_key(&address) => {
                    return Err(format!(
                        "{address} failed by itself: {}",
                        report.diagnostics
                    ));
                }
                NodeResult::Skipped(Some(_)) if !blocked && !stopped => {
                    return Err(format!("{address} was skipped and nothing it needs failed"));
                }
                NodeResult::Skipped(Some(because)) => {
                    let group = |a: &str| label(a).and_then(|l| groups.get(&l));
                    if group(&address) != group(&because.to_string()) {
                        return Err(format!("{address} was skipped because of {because}"));
                    }
                }
                NodeResult::Skipped(None) if !life.stopped => {
                    return Err(format!("{address} was skipped and nobody stopped the run"));
                }
                _ => {}
            }
        }
        let failed = told.contains(&Some(&NodeResult::Failed));
        let status_fits = match report.status {
            Status::Succeeded => !failed && !stopped,
            Status::Failed => failed || !report.deposed.is_empty(),
            Status::Interrupted => !failed,
        };
        match status_fits {
            true => Ok(()),
            false => Err(format!("{:?}: {}", report.status, report.diagnostics)),
        }
    }
}

fn did(entry: &Entry) -> Option<Did> {
    let (op, id, operation, value) = match entry {
        Entry::Created {
            id,
            operation,
            value,
            ..
        } => (Op::Create, id, Some(operation), Some(value)),
        Entry::Updated {
            id,
            operation,
            value,
            ..
        } => (Op::Update, id, operation.as_ref(), Some(value)),
        Entry::Deleted { id, operation, .. } => (Op::Delete, id, operation.as_ref(), None),
        _ => return None,
    };
    let (_, address) = operation?.split_once(' ')?;
    let value = value.and_then(|v| Known::new(weir_core::json::decode(v).ok()?).ok());
    Some(Did {
        op,
        address: address.to_owned(),
        id: id.clone(),
        value,
    })
}

/// Blocks that have to do with each other, by any way, as the least label among them.
fn related(stack: &Stack, before: &Snapshot) -> BTreeMap<u8, u8> {
    let mut pairs: Vec<(u8, u8)> = Vec::new();
    for b in &stack.blocks {
        pairs.push((b.label, b.label));
        pairs.extend(stack.needs(b).into_iter().map(|n| (b.label, n)));
        pairs.extend(stack.beside(b).into_iter().map(|n| (b.label, n)));
    }
    for (address, resource) in &before.resources {
        let of = |a: &Address| label(&a.to_string());
        let Some(own) = of(address) else { continue };
        pairs.push((own, own));
        pairs.extend(
            resource
                .dependencies
                .iter()
                .filter_map(of)
                .map(|d| (own, d)),
        );
    }
    let mut group: BTreeMap<u8, u8> = pairs
        .iter()
        .flat_map(|p| [p.0, p.1])
        .map(|l| (l, l))
        .collect();
    loop {
        let mut changed = false;
        for (a, b) in &pairs {
            let least = group[a].min(group[b]);
            changed |= group[a] != least || group[b] != least;
            group.insert(*a, least);
            group.insert(*b, least);
        }
        if !changed {
            return group;
        }
    }
}

/// What was done is what was shown: each operation once, nothing else, as planned.
fn shown(
    planned: &Planned,
    report: &Report,
    did: &[Did],
    faults: &BTreeMap<String, Fault>,
) -> Checked {
    let old: BTreeSet<String> = (planned.plan.deposed.iter())
        .filter_map(|d| thing_id(&d.before))
        .collect();
    let planned_ops: BTreeSet<(String, Op)> = (planned.plan.nodes.iter())
        .map(|n| (n.address.to_string(), n.op))
        .collect();
    for d in did {
        let on_show = planned_ops.contains(&(d.address.clone(), d.op));
        let is_old = d.op == Op::Delete && old.contains(&d.id);
        if !on_show && !is_old {
            return Err(format!("{:?} of {} was never shown", d.op, d.address));
        }
    }
    for node in &report.nodes {
        let address = node.address.to_string();
        let is = |d: &&Did| d.op == node.op && d.address == address && !old.contains(&d.id);
        let mine: Vec<&Did> = did.iter().filter(is).collect();
        let change = &planned.plan.changes[&node.address];
        if !address.contains("fake_thing")
            || !matches!(node.op, Op::Create | Op::Update | Op::Delete)
        {
            continue;
        }
        let gone = change.before.as_ref().and_then(thing_id);
        let most = match node.result {
            NodeResult::Skipped(_) => 0,
            _ => 1,
        };
        let least = match (&node.result, node.op) {
            // An object that is gone already needs no deletion.
            (NodeResult::Done, Op::Create | Op::Update) => 1,
            _ => 0,
        };
        if mine.len() < least || mine.len() > most {
            let n = mine.len();
            return Err(format!("{:?} of {address} was done {n} times", node.op));
        }
        for d in mine {
            if node.op != Op::Create && Some(&d.id) != gone.as_ref() {
                return Err(format!("{:?} of {address} was done to {}", node.op, d.id));
            }
            if let (Some(value), Some(after)) = (&d.value, &change.after)
                && !faults.contains_key(&address)
                && !refines(after, value.value())
            {
                return Err(format!(
                    "{address} was planned as {after:?} and is {value:?}"
                ));
            }
        }
    }
    Ok(())
}

/// Whether what is completes what was planned.
fn refines(planned: &Value, real: &Value) -> bool {
    if planned.is_unknown() {
        return true;
    }
    match (planned.kind(), real.kind()) {
        (ValueKind::Object(_) | ValueKind::Map(..), _) => {
            match (planned.as_entries(), real.as_entries()) {
                (Some(p), Some(r)) => p.iter().all(|(k, v)| match r.get(k) {
                    Some(now) => refines(v, now),
                    None => false,
                }),
                _ => false,
            }
        }
        _ => {
            let (p, r): (Vec<&Value>, Vec<&Value>) =
                (planned.children().collect(), real.children().collect());
            match p.is_empty() {
                true => planned.kind() == real.kind(),
                false => p.len() == r.len() && p.iter().zip(r).all(|(p, r)| refines(p, r)),
            }
        }
    }
}

/// Where there is nothing left to do, state is what the configuration says: its instances and no
/// others, each with its direct dependencies and no others, each there.
pub(crate) async fn converged(life: &Life<'_>) -> Checked {
    let snapshot = life.snapshot().await;
    let stack = &life.stack;
    let managed = stack.blocks.iter().filter(|b| b.kind != Kind::Lookup);
    let wanted: BTreeSet<String> = managed.flat_map(|b| stack.instances(b)).collect();
    let have: BTreeSet<String> = snapshot.resources.keys().map(Address::to_string).collect();
    if wanted != have {
        return Err(format!("state has {have:?} and not {wanted:?}"));
    }
    let there = life.cloud.objects().unwrap();
    let ids: Vec<String> = snapshot.resources.values().filter_map(id).collect();
    if let Some(gone) = ids.iter().find(|i| !there.contains_key(*i)) {
        return Err(format!("{gone} is in state and nowhere else"));
    }
    if !snapshot.deposed.is_empty() {
        return Err("an old object is left".into());
    }
    for (address, resource) in &snapshot.resources {
        let text = address.to_string();
        let Some(block) = label(&text).and_then(|l| stack.get(l)) else {
            return Err(format!("{address} is of no block"));
        };
        let recorded: BTreeSet<u8> = (resource.dependencies.iter())
            .filter_map(|d| label(&d.to_string()))
            .collect();
        // What a module gives out comes with what the module waits for.
        let through = block.uses.iter().filter_map(|u| stack.get(u.label));
        let through = through.filter_map(|b| match b.home {
            Home::Module(m) if b.home != block.home => stack.module_after[m],
            _ => None,
        });
        let direct: BTreeSet<u8> = (stack.needs(block).into_iter())
            .chain(through)
            .filter_map(|l| stack.get(l))
            // Behind a lookup stands the thing that it looks up.
            .map(|b| match b.kind {
                Kind::Lookup => b.uses.first().and_then(|u| stack.get(u.label)).unwrap_or(b),
                _ => b,
            })
            .filter(|b| !stack.instances(b).is_empty())
            .filter(|b| {
                b.home == Home::Root || block.home != Home::Root || uses(stack, block, b.label)
            })
            .map(|b| b.label)
            .collect();
        // All of a repeated module is read by whoever reads one output of all of its instances.
        let beside: BTreeSet<u8> = (stack.blocks.iter())
            .filter(|b| match b.home {
                Home::Module(m) => {
                    b.home != block.home
                        && stack.modules[m] != Repeat::One
                        && stack
                            .needs(block)
                            .iter()
                            .any(|l| stack.get(*l).is_some_and(|used| used.home == b.home))
                }
                Home::Root => false,
            })
            .flat_map(|b| [Some(b.label), b.uses.first().map(|u| u.label)])
            .flatten()
            .collect();
        let more = recorded.difference(&direct).any(|l| !beside.contains(l));
        if more || !direct.is_subset(&recorded) {
            return Err(format!(
                "{address} is recorded to need {recorded:?} and needs {direct:?}"
            ));
        }
    }
    Ok(())
}

/// Whether the block reads it, by itself or by a lookup.
fn uses(stack: &Stack, block: &super::model::Block, label: u8) -> bool {
    block.uses.iter().any(|u| {
        u.label == label
            || stack
                .get(u.label)
                .is_some_and(|l| l.kind == Kind::Lookup && l.uses.iter().any(|u| u.label == label))
    })
}
