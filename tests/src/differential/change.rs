//! What a person does to a stack between two runs.

use super::make::{Feature, Maker};
use super::model::{Condition, Expr, Ignore, Item, Module, Note, Repeat, Step};
use super::sound::{self, Scope};

/// The stack's steps: a first configuration, changes of it, and the end of it all.
pub(super) fn steps(maker: &mut Maker, count: usize) -> Vec<Step> {
    let mut root = maker.module(0);
    sound::mend(&mut root);
    let mut steps: Vec<Step> = Vec::new();
    for at in 0..count {
        if at > 0 {
            repair(maker, &mut root);
            let changes = 1 + maker.below(3);
            for _ in 0..changes {
                change(maker, &mut root, 0, &mut Vec::new());
            }
            sound::mend(&mut root);
        }
        let flags = flags(maker, &root, at > 0);
        let step = Step {
            commands: commands(maker, steps.last()),
            root: root.clone(),
            flags,
        };
        steps.push(step);
    }
    release(&mut root);
    steps.push(Step {
        root,
        flags: vec!["-destroy".into()],
        commands: Vec::new(),
    });
    steps
}

/// What fails is mended sooner or later, what was written for one run is taken out.
fn repair(maker: &mut Maker, module: &mut Module) {
    module.notes.retain(|_| maker.chance(60));
    for item in &mut module.items {
        let conditions: Vec<&mut Condition> = match item {
            Item::Resource(r) => (r.lifecycle.pre.iter_mut())
                .chain(&mut r.lifecycle.post)
                .collect(),
            Item::Output { condition, .. } => condition.iter_mut().collect(),
            Item::Check { asserts, .. } => asserts.iter_mut().collect(),
            Item::Call(c) => {
                repair(maker, &mut c.module);
                Vec::new()
            }
            _ => Vec::new(),
        };
        for c in conditions {
            c.fails &= maker.chance(30);
        }
        if let Item::Resource(r) = item {
            r.lifecycle.prevent_destroy &= maker.chance(30);
        }
    }
}

/// Nothing stands in the way of a destroy.
fn release(module: &mut Module) {
    for item in &mut module.items {
        match item {
            Item::Resource(r) => r.lifecycle.prevent_destroy = false,
            Item::Call(c) => release(&mut c.module),
            _ => {}
        }
    }
}

/// Addresses of resources, their instances, and modules.
fn addresses(module: &Module, prefix: &str, out: &mut Vec<String>) {
    for r in module.resources() {
        let block = format!("{prefix}terraform_data.{}", r.name);
        out.extend(r.repeat.keys().iter().map(|k| format!("{block}{k}")));
        out.push(block);
    }
    for c in module.calls() {
        let call = format!("{prefix}module.{}", c.name);
        for key in c.repeat.keys() {
            addresses(&c.module, &format!("{call}{key}."), out);
            out.push(format!("{call}{key}"));
        }
        out.push(call);
    }
}

fn flags(maker: &mut Maker, root: &Module, later: bool) -> Vec<String> {
    let mut flags = Vec::new();
    let mut all = Vec::new();
    addresses(root, "", &mut all);
    if maker.with(Feature::Combined) && maker.chance(20) {
        return combined(maker, &all, later);
    }
    if maker.with(Feature::Options) {
        if maker.chance(12) {
            flags.extend(maker.one(&all).map(|a| format!("-target={a}")));
        } else if later && maker.chance(15) {
            let instances: Vec<String> = (all.iter())
                .filter(|a| {
                    a.rsplit_once('.')
                        .is_some_and(|(p, _)| p.ends_with("terraform_data"))
                })
                .cloned()
                .collect();
            flags.extend(maker.one(&instances).map(|a| format!("-replace={a}")));
        } else if later && maker.chance(4) {
            flags.push("-destroy".into());
        } else if later && maker.chance(5) {
            flags.push("-refresh=false".into());
        }
    }
    if later && flags.is_empty() && maker.with(Feature::RefreshOnly) && maker.chance(5) {
        flags.push("-refresh-only".into());
    }
    flags
}

/// Several options at once.
fn combined(maker: &mut Maker, all: &[String], later: bool) -> Vec<String> {
    let mut flags = Vec::new();
    if later {
        match maker.below(6) {
            0 | 1 => flags.push("-destroy".into()),
            2 => flags.push("-refresh-only".into()),
            _ => {}
        }
        if maker.chance(20) && flags.iter().all(|f| f != "-refresh-only") {
            flags.push("-refresh=false".into());
        }
    }
    for _ in 0..maker.below(3) {
        flags.extend(maker.one(all).map(|a| format!("-target={a}")));
    }
    if later
        && !flags
            .iter()
            .any(|f| f == "-destroy" || f == "-refresh-only")
    {
        for _ in 0..maker.below(3) {
            let instances: Vec<String> = all.iter().filter(|a| is_instance(a)).cloned().collect();
            flags.extend(maker.one(&instances).map(|a| format!("-replace={a}")));
        }
    }
    flags
}

/// Whether an address is one of a resource.
fn is_instance(address: &str) -> bool {
    let last = address.rsplit_once('.');
    last.is_some_and(|(p, _)| p.ends_with("terraform_data"))
}

/// What is done to state by hand after a step.
fn commands(maker: &mut Maker, before: Option<&Step>) -> Vec<Vec<String>> {
    let Some(before) = before.filter(|_| maker.with(Feature::Commands) && maker.chance(40)) else {
        return Vec::new();
    };
    let mut all = Vec::new();
    addresses(&before.root, "", &mut all);
    let resources: Vec<String> = all.iter().filter(|a| is_instance(a)).cloned().collect();
    let mut out = Vec::new();
    for _ in 0..1 + maker.below(2) {
        let (of, words): (&[String], &[&str]) = match maker.below(8) {
            0..=2 => (&resources, &["taint"]),
            3 => (&resources, &["untaint"]),
            4 | 5 => (&all, &["state", "rm"]),
            _ => (&all, &["state", "mv"]),
        };
        let Some(address) = maker.one(of) else { break };
        let mut words: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
        if words[1..] == ["mv"] {
            let other = match maker.chance(50) {
                true => format!(
                    "{}_moved",
                    address.trim_end_matches(']').replace(['[', '"'], "_")
                ),
                false => maker.one(of).unwrap_or_default(),
            };
            words.extend([address, other]);
        } else {
            words.push(address);
        }
        out.push(words);
    }
    out
}

/// One change, of this module or of one it calls. `path` is the way to it.
fn change(maker: &mut Maker, module: &mut Module, depth: usize, path: &mut Vec<String>) {
    let calls: Vec<usize> = (0..module.items.len())
        .filter(|i| matches!(module.items[*i], Item::Call(_)))
        .collect();
    if maker.chance(35)
        && let Some(at) = maker.one(&calls)
        && let Item::Call(c) = &mut module.items[at]
    {
        path.push(c.name.clone());
        return change(maker, &mut c.module, depth + 1, path);
    }
    if module.items.is_empty() || maker.chance(12) {
        let item = maker.item(module, depth);
        import(maker, module, &item, depth);
        // Outputs stay at the end, where they may name everything.
        return module.items.push(item);
    }
    let at = maker.below(module.items.len());
    match maker.below(12) {
        0 => remove(maker, module, at),
        1 if at > 0 => module.items.swap(at - 1, at),
        2 | 3 if maker.with(Feature::Moved) => moved(maker, module, at),
        4 if maker.with(Feature::Moved) => match maker.with(Feature::Wide) && maker.chance(50) {
            true => out_of_module(maker, module),
            false => into_module(maker, module, at),
        },
        _ => alter(maker, module, at, depth),
    }
}

fn remove(maker: &mut Maker, module: &mut Module, at: usize) {
    let gone = module.items.remove(at);
    let from = match gone {
        Item::Resource(r) => format!("terraform_data.{}", r.name),
        Item::Call(c) => format!("module.{}", c.name),
        _ => return,
    };
    if maker.with(Feature::Removed) && maker.chance(50) {
        let destroy = maker.chance(40);
        module.notes.push(Note::Removed { from, destroy });
    }
}

fn import(maker: &mut Maker, module: &mut Module, item: &Item, depth: usize) {
    if let Item::Resource(r) = item
        && depth == 0
        && maker.with(Feature::Import)
        && maker.chance(60)
    {
        let keys = r.repeat.keys();
        if let Repeat::Keys(keys) | Repeat::Like(_, keys) = &r.repeat
            && maker.with(Feature::Wide)
            && maker.chance(60)
            && !keys.is_empty()
        {
            module.notes.push(Note::ImportEach {
                block: format!("terraform_data.{}", r.name),
                keys: keys.clone(),
            });
            return;
        }
        if let Some(key) = maker.one(&keys) {
            module.notes.push(Note::Import {
                to: format!("terraform_data.{}{key}", r.name),
                id: format!("imported-{}", r.name),
            });
        }
    }
}

/// Renames a block or an instance of it, and says so.
fn moved(maker: &mut Maker, module: &mut Module, at: usize) {
    let names: &[&str] = match &module.items[at] {
        Item::Resource(_) => &["a", "b", "c", "d", "e", "f", "g", "h"],
        Item::Call(_) => &["m", "n", "k", "j"],
        _ => return,
    };
    let new = maker.name(names, module);
    let (kind, old, repeat) = match &mut module.items[at] {
        Item::Resource(r) => (
            "terraform_data",
            std::mem::replace(&mut r.name, new.clone()),
            &mut r.repeat,
        ),
        Item::Call(c) => (
            "module",
            std::mem::replace(&mut c.name, new.clone()),
            &mut c.repeat,
        ),
        _ => return,
    };
    let note = |from: String, to: String| Note::Moved {
        from: format!("{kind}.{from}"),
        to: format!("{kind}.{to}"),
    };
    // Of a block with instances, one instance may move alone, or each to a key of its own.
    if let Repeat::Count(n) = repeat
        && *n > 0
        && maker.with(Feature::Wide)
        && maker.chance(40)
    {
        let keys = ["x", "y", "z"];
        for (i, key) in keys.iter().enumerate().take(*n) {
            let (from, to) = (format!("{old}[{i}]"), format!("{new}[\"{key}\"]"));
            module.notes.push(note(from, to));
        }
        *repeat = Repeat::Keys(keys[..(*n).min(3)].to_vec());
        return;
    }
    let note = match repeat {
        Repeat::Count(n) if *n > 0 && maker.chance(40) => {
            let from = format!("{old}[{}]", maker.below(*n));
            *repeat = Repeat::One;
            note(from, new)
        }
        Repeat::One if maker.chance(40) && maker.with(Feature::Repeat) => {
            *repeat = Repeat::Keys(vec!["x", "y"]);
            note(old, format!("{new}[\"x\"]"))
        }
        _ => note(old, new),
    };
    module.notes.push(note);
}

/// Moves a resource into a module that is called.
fn into_module(maker: &mut Maker, module: &mut Module, at: usize) {
    let Item::Resource(_) = &module.items[at] else {
        return;
    };
    let calls: Vec<String> = (module.calls())
        .filter(|c| !c.repeat.keys().is_empty())
        .map(|c| c.name.clone())
        .collect();
    let Some(target) = maker.one(&calls) else {
        return;
    };
    let Item::Resource(mut resource) = module.items.remove(at) else {
        return;
    };
    let from = format!("terraform_data.{}", resource.name);
    for item in &mut module.items {
        if let Item::Call(c) = item
            && c.name == target
        {
            let prefixes = ["a", "b", "c", "d", "e", "f", "g", "h"];
            resource.name = maker.name(&prefixes, &c.module);
            let key = maker.one(&c.repeat.keys()).unwrap_or_default();
            let to = format!("module.{target}{key}.terraform_data.{}", resource.name);
            module.notes.push(Note::Moved { from, to });
            c.module.items.push(Item::Resource(resource));
            return;
        }
    }
}

/// Moves a resource out of a module that is called, or on into another.
fn out_of_module(maker: &mut Maker, module: &mut Module) {
    let mut found: Vec<(usize, usize)> = Vec::new();
    for (at, item) in module.items.iter().enumerate() {
        if let Item::Call(c) = item
            && !c.repeat.keys().is_empty()
        {
            let inside = c.module.items.iter().enumerate();
            found.extend(
                inside
                    .filter(|(_, i)| matches!(i, Item::Resource(_)))
                    .map(|(i, _)| (at, i)),
            );
        }
    }
    let Some((at, inside)) = maker.one(&found) else {
        return;
    };
    let Item::Call(call) = &mut module.items[at] else {
        return;
    };
    let Item::Resource(mut resource) = call.module.items.remove(inside) else {
        return;
    };
    let key = maker.one(&call.repeat.keys()).unwrap_or_default();
    let from = format!("module.{}{key}.terraform_data.{}", call.name, resource.name);
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let others: Vec<usize> = (0..module.items.len())
        .filter(|i| {
            *i != at && matches!(&module.items[*i], Item::Call(c) if !c.repeat.keys().is_empty())
        })
        .collect();
    if let Some(other) = maker.one(&others).filter(|_| maker.chance(50))
        && let Item::Call(c) = &mut module.items[other]
    {
        resource.name = maker.name(&names, &c.module);
        let key = maker.one(&c.repeat.keys()).unwrap_or_default();
        let to = format!("module.{}{key}.terraform_data.{}", c.name, resource.name);
        module.notes.push(Note::Moved { from, to });
        return c.module.items.push(Item::Resource(resource));
    }
    resource.name = maker.name(&names, module);
    let to = format!("terraform_data.{}", resource.name);
    module.notes.push(Note::Moved { from, to });
    module.items.push(Item::Resource(resource));
}

/// Changes something within a block.
fn alter(maker: &mut Maker, module: &mut Module, at: usize, depth: usize) {
    let (before, rest) = module.items.split_at_mut(at);
    let one = Repeat::One;
    let scope = Scope {
        before,
        repeat: &one,
        own: false,
    };
    match &mut rest[0] {
        Item::Variable {
            default, refused, ..
        } => {
            *default = maker.rng.i64(0..9);
            if let Some(refused) = refused {
                *refused = maker.with(Feature::Failures) && maker.chance(30);
            }
        }
        Item::Local { value, .. } => *value = maker.expr(&scope),
        Item::Output {
            value,
            condition,
            sensitive,
            ..
        } => match condition {
            Some(c) if maker.with(Feature::Failures) && maker.chance(30) => c.fails = true,
            _ if depth == 0 && maker.chance(15) && maker.with(Feature::Sensitive) => {
                *sensitive = !*sensitive
            }
            _ => *value = maker.expr(&scope),
        },
        Item::Check { asserts, .. } => {
            asserts.extend(maker.condition(&scope));
            if let Some(last) = asserts.last_mut() {
                last.fails = !last.fails;
            }
        }
        Item::Call(c) => match maker.below(3) {
            0 => c.repeat = maker.repeat(&scope),
            1 => c.depends_on = maker.depends_on(&scope),
            _ => {
                let inside = Scope {
                    repeat: &c.repeat,
                    ..scope
                };
                for (_, value) in &mut c.inputs {
                    *value = maker.expr(&inside);
                }
            }
        },
        Item::Resource(r) => {
            let repeat = r.repeat.clone();
            let inside = Scope {
                repeat: &repeat,
                ..scope
            };
            match maker.below(10) {
                0 | 1 => r.repeat = resized(maker, &repeat, &scope),
                2 | 3 => r.input = Some(maker.expr(&inside)),
                4 => r.triggers = Some(maker.expr(&inside)),
                5 => r.triggers = None,
                6 => r.input = maker.chance(50).then_some(Expr::Int(5)),
                7 => r.depends_on = maker.depends_on(&inside),
                8 if maker.with(Feature::Failures) => {
                    let own = Scope {
                        own: true,
                        ..inside
                    };
                    let (place, scope) = match maker.chance(50) {
                        true => (&mut r.lifecycle.pre, &inside),
                        false => (&mut r.lifecycle.post, &own),
                    };
                    *place = maker
                        .condition(scope)
                        .map(|c| Condition { fails: true, ..c });
                }
                _ if maker.with(Feature::Lifecycle) => match maker.below(4) {
                    0 => {
                        r.lifecycle.create_before_destroy = !r.lifecycle.create_before_destroy;
                    }
                    1 => r.lifecycle.ignore = Ignore::Nothing,
                    2 if maker.with(Feature::Triggers) => {
                        r.lifecycle.triggered_by = maker.trigger(&inside).into_iter().collect();
                    }
                    _ => r.lifecycle = maker.lifecycle(&inside),
                },
                _ => r.input = Some(maker.expr(&inside)),
            }
        }
    }
}

/// More, fewer or other instances.
fn resized(maker: &mut Maker, repeat: &Repeat, scope: &Scope<'_>) -> Repeat {
    match repeat {
        Repeat::Count(_) if maker.chance(60) => Repeat::Count(maker.below(4)),
        Repeat::One if maker.chance(60) && maker.with(Feature::Repeat) => {
            Repeat::Count(1 + maker.below(3))
        }
        _ => maker.repeat(scope),
    }
}
