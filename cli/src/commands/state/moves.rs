//! Which instances a move by hand moves, and where to.

use crate::error::CommandError;
use std::collections::{BTreeMap, BTreeSet};
use weir_core::{
    Address, Key, ModulePath, Object,
    address::members,
    snapshot::{Resource, Snapshot},
};
use weir_plan::Target;

/// From where to where, in order of addresses.
pub(super) type Moves = Vec<(Address, Address)>;

/// The moves that `state mv SOURCE... DESTINATION` asks for. One source goes to the destination,
/// and becomes what that names; several, a pattern, and a resource that a module is named for, go
/// into it and keep their names.
///
/// # Errors
/// They do not fit together, there is nothing to move, or something is in the way.
pub(super) fn moves(snapshot: &Snapshot, from: &[String], to: &str) -> Result<Moves, CommandError> {
    let read = |text: &str| {
        text.parse::<Target>()
            .map_err(|e| CommandError::usage(format!("{e}")))
    };
    let sources = from.iter().map(|text| read(text));
    let sources = sources.collect::<Result<Vec<Target>, CommandError>>()?;
    let found = match (sources.as_slice(), read(to)?) {
        ([Target::Block(a)], Target::Block(b)) => blocks(snapshot, a, &b)?,
        ([Target::Module(a)], Target::Module(b)) => modules(snapshot, a, &b)?,
        (sources, Target::Module(module)) => into(snapshot, sources, &module)?,
        ([Target::Pattern(_)] | [_, _, ..], to) => {
            return Err(CommandError::usage(format!(
                "{to} is no module, and what is named may be several things"
            ))
            .hint(
                "Several resources and modules move into a module: \
                 `weir state mv SOURCE... module.net`.",
            ));
        }
        ([from], to) => return Err(unlike(from, &to)),
        ([], _) => return Err(CommandError::usage("nothing is named that would move")),
    };
    if found.is_empty() {
        return Err(CommandError::failed(format!(
            "{} matches nothing in state: nothing was moved",
            from.join(", ")
        ))
        .hint("`weir state list` lists what is there."));
    }
    free(snapshot, &found)?;
    Ok(found)
}

fn unlike(from: &Target, to: &Target) -> CommandError {
    CommandError::usage(format!(
        "{from} can't be moved to {to}: they are not of one kind"
    ))
    .hint(
        "A resource moves to a resource of its type, or into a module; a module to a module. What \
         runs on hosts keeps its address, as the hosts know it by that.",
    )
}

/// Whether every object finds its new place free, and has it for itself.
fn free(snapshot: &Snapshot, moves: &Moves) -> Result<(), CommandError> {
    let leaving: BTreeSet<&Address> = moves.iter().map(|(a, _)| a).collect();
    let mut places: BTreeMap<&Address, &Address> = BTreeMap::new();
    for (from, to) in moves {
        let there = snapshot.resources.contains_key(to) || snapshot.deposed.contains_key(to);
        if there && !leaving.contains(to) {
            return Err(CommandError::failed(format!(
                "{from} can't be moved to {to}: that is in state"
            ))
            .hint(format!("`weir state rm '{to}'` drops it from state first.")));
        }
        if let Some(other) = places.insert(to, from) {
            return Err(CommandError::failed(format!(
                "both {other} and {from} would be {to}: nothing was moved"
            ))
            .hint("Move them one by one, each under a name of its own."));
        }
    }
    Ok(())
}

/// All instances, those included of which only objects put aside are left.
fn instances(snapshot: &Snapshot) -> BTreeSet<&Address> {
    let current = snapshot.resources.keys();
    current.chain(snapshot.deposed.keys()).collect()
}

/// Several things into a module: each keeps its name and its keys.
fn into(
    snapshot: &Snapshot,
    sources: &[Target],
    module: &ModulePath,
) -> Result<Moves, CommandError> {
    let all = instances(snapshot);
    let mut moves: BTreeMap<Address, Address> = BTreeMap::new();
    for source in sources {
        let named: Vec<&Address> = all.iter().copied().filter(|a| source.names(a)).collect();
        if named.is_empty() {
            return Err(CommandError::failed(format!(
                "{source} matches nothing in state: nothing was moved"
            ))
            .hint("`weir state list` lists what is there."));
        }
        if matches!(source, Target::Service(..) | Target::Site(..)) {
            return Err(unlike(source, &Target::Module(module.clone())));
        }
        for address in named {
            if on_hosts(address) {
                return Err(stays(address));
            }
            let mut path = module.0.clone();
            path.extend_from_slice(&address.module.0[kept_from(source, address)..]);
            let to = Address {
                module: ModulePath(path),
                ..address.clone()
            };
            moves.insert(address.clone(), to);
        }
    }
    let moves: Moves = moves.into_iter().filter(|(a, b)| a != b).collect();
    match moves.is_empty() {
        true => Err(CommandError::usage(format!(
            "all of it is in {module} already"
        ))),
        false => Ok(moves),
    }
}

/// From which step of its module's path on an instance keeps the path, where what is named goes
/// into another module.
fn kept_from(source: &Target, address: &Address) -> usize {
    let steps = &address.module.0;
    match source {
        Target::Module(path) => path.0.len().saturating_sub(1),
        // The outermost module that is named goes as a whole.
        Target::Pattern(_) => (1..=steps.len())
            .find(|&n| {
                let module = ModulePath(steps[..n].to_vec());
                source.is_text_of(&module.to_string())
            })
            .map_or(steps.len(), |n| n - 1),
        Target::Block(_) | Target::Service(..) | Target::Site(..) => steps.len(),
    }
}

fn on_hosts(address: &Address) -> bool {
    matches!(address.object, Object::Host { .. } | Object::Pod { .. })
}

fn stays(address: &Address) -> CommandError {
    CommandError::failed(format!("{address} can't be moved"))
        .hint("What runs on hosts keeps its address, as the hosts know it by that.")
}

fn blocks(snapshot: &Snapshot, from: &Address, to: &Address) -> Result<Moves, CommandError> {
    if !of_one_kind(&from.object, &to.object) {
        return Err(CommandError::usage(format!(
            "{from} can't be moved to {to}: its type would change"
        ))
        .hint("Only the name, the key and the module of a resource can change."));
    }
    if from == to {
        return Err(CommandError::usage(format!("{from} is there already")));
    }
    let all = instances(snapshot);
    let instances: Vec<&Address> = all.iter().copied().filter(|a| a.is_in(from)).collect();
    if instances.is_empty() {
        return Ok(Moves::new());
    }
    // A whole resource keeps the keys of its instances; a single instance goes where it is told.
    let single = matches!(instances.as_slice(), [one] if one.key == from.key);
    if to.key != Key::None && !single {
        return Err(CommandError::usage(format!(
            "{from} has {} instances, and {to} is one",
            instances.len()
        ))
        .hint(format!("Move them one by one, or all to {}.", to.block())));
    }
    let leaves = |a: &Address| a.is_in(from);
    let there = (snapshot.resources.keys()).find(|a| a.is_in(to) && !leaves(a));
    if let Some(there) = there.filter(|_| !single) {
        return Err(CommandError::failed(format!(
            "{from} can't be moved to {to}: {there} is in state"
        ))
        .hint("Move its instances one by one, each to a key that is free."));
    }
    let moved = |a: &Address| Address {
        key: if single {
            to.key.clone()
        } else {
            a.key.clone()
        },
        ..to.clone()
    };
    Ok(instances.iter().map(|a| ((*a).clone(), moved(a))).collect())
}

fn of_one_kind(a: &Object, b: &Object) -> bool {
    match (a, b) {
        (Object::Managed { ty: a, .. }, Object::Managed { ty: b, .. })
        | (Object::Data { ty: a, .. }, Object::Data { ty: b, .. }) => a == b,
        _ => false,
    }
}

fn modules(snapshot: &Snapshot, from: &ModulePath, to: &ModulePath) -> Result<Moves, CommandError> {
    let (Some(((_, from_key), from_parents)), Some(((to_name, to_key), to_parents))) =
        (from.0.split_last(), to.0.split_last())
    else {
        return Err(CommandError::usage("the root module stays where it is"));
    };
    if from == to {
        return Err(CommandError::usage(format!("{from} is there already")));
    }
    let target = Target::Module(from.clone());
    let depth = from.0.len();
    let all = instances(snapshot);
    let inside: Vec<&Address> = (all.iter().copied())
        .filter(|a| target.names(a) && a.module.0.starts_with(from_parents))
        .collect();
    let single = inside.iter().all(|a| a.module.0[depth - 1].1 == *from_key);
    if *to_key != Key::None && !single {
        return Err(
            CommandError::usage(format!("{from} has several instances, and {to} is one"))
                .hint("Move them one by one."),
        );
    }
    if let Some(pod) = inside.iter().find(|a| on_hosts(a)) {
        return Err(stays(pod));
    }
    let moved = |a: &Address| {
        let key = if single {
            to_key.clone()
        } else {
            a.module.0[depth - 1].1.clone()
        };
        let mut path = to_parents.to_vec();
        path.push((to_name.clone(), key));
        path.extend_from_slice(&a.module.0[depth..]);
        Address {
            module: ModulePath(path),
            ..a.clone()
        }
    };
    Ok(inside.iter().map(|a| ((*a).clone(), moved(a))).collect())
}

/// The rows that a move changes: what is moved, and what depends on it.
pub(super) fn rows(snapshot: &Snapshot, moves: &Moves) -> Vec<(Address, Option<Resource>)> {
    let to: BTreeMap<&Address, &Address> = moves.iter().map(|(a, b)| (a, b)).collect();
    let mut rows: BTreeMap<Address, Option<Resource>> =
        moves.iter().map(|(a, _)| (a.clone(), None)).collect();
    for (address, resource) in &snapshot.resources {
        let place = to.get(address).copied().unwrap_or(address);
        let dependencies: BTreeSet<Address> = resource
            .dependencies
            .iter()
            .flat_map(|d| turned(snapshot, &to, d))
            .collect();
        if place != address || dependencies != resource.dependencies {
            let resource = Resource {
                dependencies,
                ..resource.clone()
            };
            rows.insert(place.clone(), Some(resource));
        }
    }
    rows.into_iter().collect()
}

/// A dependency after the move. One on a block goes on with what stays in it, and follows what
/// leaves.
fn turned(
    snapshot: &Snapshot,
    to: &BTreeMap<&Address, &Address>,
    dependency: &Address,
) -> BTreeSet<Address> {
    let mut out = BTreeSet::new();
    let (mut stay, mut went) = (0, BTreeSet::new());
    for (member, _) in members(&snapshot.resources, dependency) {
        match to.get(member) {
            Some(place) => drop(went.insert((*place).clone())),
            None => stay += 1,
        }
    }
    if stay > 0 || went.is_empty() {
        out.insert(dependency.clone());
    }
    let blocks: BTreeSet<Address> = went.iter().map(Address::block).collect();
    match dependency.key {
        // The whole block went to another: so does what is said of the whole.
        Key::None if stay == 0 && blocks.len() == 1 => out.extend(blocks),
        _ => out.extend(went),
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_core::{
        Known, Value,
        address::ProviderRef,
        snapshot::{Lineage, Removal, Status},
    };

    fn state(addresses: &[(&str, &[&str])]) -> Snapshot {
        let mut snapshot = Snapshot::empty(Lineage("l".into()));
        let at = |text: &str| text.parse::<Address>().expect("an address");
        for (address, on) in addresses {
            let resource = Resource {
                provider: "fake".parse::<ProviderRef>().expect("a provider"),
                schema_version: 0,
                value: Known::new(Value::from(*address)).expect("known"),
                private: Vec::new(),
                dependencies: on.iter().map(|d| at(d)).collect(),
                status: Status::Ready,
                removal: Removal::default(),
                foreign: None,
            };
            snapshot.resources.insert(at(address), resource);
        }
        snapshot
    }

    fn sample() -> Snapshot {
        state(&[
            ("t.a", &[]),
            ("t.b[0]", &["t.a"]),
            ("t.b[1]", &["t.a"]),
            ("module.m.t.c", &["t.b"]),
            ("module.n[0].t.c", &[]),
            ("module.n[1].module.o.t.c", &["t.a"]),
            ("service.web.pod.app[\"0\"]", &[]),
        ])
    }

    #[test]
    fn moves_that_are_possible() {
        let table: &[(&str, &str, &[&str])] = &[
            ("t.a", "t.z", &["t.a > t.z"]),
            ("t.a", "t.z[\"k\"]", &["t.a > t.z[\"k\"]"]),
            ("t.a", "module.x.t.a", &["t.a > module.x.t.a"]),
            ("t.b", "t.z", &["t.b[0] > t.z[0]", "t.b[1] > t.z[1]"]),
            ("t.b[1]", "t.z", &["t.b[1] > t.z"]),
            ("t.b[1]", "t.b[7]", &["t.b[1] > t.b[7]"]),
            ("module.m", "module.x", &["module.m.t.c > module.x.t.c"]),
            (
                "module.m",
                "module.x[0]",
                &["module.m.t.c > module.x[0].t.c"],
            ),
            (
                "module.n",
                "module.x",
                &[
                    "module.n[0].t.c > module.x[0].t.c",
                    "module.n[1].module.o.t.c > module.x[1].module.o.t.c",
                ],
            ),
            (
                "module.n[1].module.o",
                "module.o",
                &["module.n[1].module.o.t.c > module.o.t.c"],
            ),
            (
                "module.m",
                "module.m.module.m",
                &["module.m.t.c > module.m.module.m.t.c"],
            ),
            // Into a module: what is named keeps its name.
            ("t.a", "module.x", &["t.a > module.x.t.a"]),
            (
                "t.b[1] t.a",
                "module.x[0]",
                &["t.a > module.x[0].t.a", "t.b[1] > module.x[0].t.b[1]"],
            ),
            (
                "t.*",
                "module.m",
                &[
                    "t.a > module.m.t.a",
                    "t.b[0] > module.m.t.b[0]",
                    "t.b[1] > module.m.t.b[1]",
                ],
            ),
            (
                "module.n[1] t.a module.m",
                "module.x",
                &[
                    "t.a > module.x.t.a",
                    "module.m.t.c > module.x.module.m.t.c",
                    "module.n[1].module.o.t.c > module.x.module.n[1].module.o.t.c",
                ],
            ),
            (
                "module.n[*]",
                "module.x",
                &[
                    "module.n[0].t.c > module.x.module.n[0].t.c",
                    "module.n[1].module.o.t.c > module.x.module.n[1].module.o.t.c",
                ],
            ),
            (
                "module.n[1].module.*",
                "module.x",
                &["module.n[1].module.o.t.c > module.x.module.o.t.c"],
            ),
            (
                "t.a t.b",
                "module.x",
                &[
                    "t.a > module.x.t.a",
                    "t.b[0] > module.x.t.b[0]",
                    "t.b[1] > module.x.t.b[1]",
                ],
            ),
        ];
        for (from, to, expected) in table {
            let from: Vec<String> = from.split(' ').map(str::to_owned).collect();
            let found = moves(&sample(), &from, to).expect("a move");
            let text: Vec<String> = found.iter().map(|(a, b)| format!("{a} > {b}")).collect();
            assert_eq!(text, *expected, "{from:?} to {to}");
        }
    }

    #[test]
    fn moves_that_are_not() {
        let table = [
            ("t.a", "u.a", "its type would change"),
            ("t.a", "data.t.a", "its type would change"),
            ("t.a", "t.a", "there already"),
            ("t.a", "t.b[0]", "that is in state"),
            ("t.b", "t.z[0]", "has 2 instances"),
            ("t.b", "t.a", "t.a is in state"),
            ("t.nothing", "t.z", "matches nothing"),
            ("module.m", "t.a", "not of one kind"),
            ("module.m", "module.m", "there already"),
            ("t.a t.b", "t.z", "is no module"),
            ("t.*", "t.z", "is no module"),
            (
                "module.*.t.c",
                "module.x",
                "both module.m.t.c and module.n[0].t.c would be",
            ),
            ("t.a t.nothing", "module.x", "t.nothing matches nothing"),
            ("u.*", "module.x", "matches nothing"),
            ("module.m.t.c", "module.m", "already"),
            ("*", "module.x", "can't be moved"),
            ("t.a service.web", "module.x", "not of one kind"),
            ("module.n", "module.x[0]", "several instances"),
            ("service.web", "service.shop", "not of one kind"),
        ];
        for (from, to, why) in table {
            let from: Vec<String> = from.split(' ').map(str::to_owned).collect();
            let error = moves(&sample(), &from, to).expect_err("no move");
            let text = error.source.to_string();
            assert!(text.contains(why), "{from:?} to {to}: {text}");
        }
    }

    /// What an instance depends on after a move.
    fn after(from: &str, to: &str, instance: &str) -> String {
        let mut snapshot = sample();
        let found = moves(&snapshot, &[from.to_owned()], to).expect("a move");
        for (address, resource) in rows(&snapshot, &found) {
            match resource {
                Some(r) => snapshot.resources.insert(address, r),
                None => snapshot.resources.remove(&address),
            };
        }
        snapshot.verify().expect("a sound state");
        let resource = &snapshot.resources[&instance.parse::<Address>().expect("an address")];
        let names: Vec<String> = resource
            .dependencies
            .iter()
            .map(|d| d.to_string())
            .collect();
        names.join(" ")
    }

    #[test]
    fn what_depends_on_it_depends_on_it_where_it_is_now() {
        let table = [
            ("t.a", "t.z", "t.b[0]", "t.z"),
            ("t.a", "t.z", "module.m.t.c", "t.b"),
            ("t.a", "t.z", "module.n[1].module.o.t.c", "t.z"),
            ("t.b", "t.z", "module.m.t.c", "t.z"),
            ("t.b[0]", "t.z", "module.m.t.c", "t.b t.z"),
            ("module.m", "module.x", "module.x.t.c", "t.b"),
        ];
        for (from, to, instance, expected) in table {
            assert_eq!(after(from, to, instance), expected, "{from} to {to}");
        }
    }
}
