//! A stack as HCL.

use super::model::{Attribute, Block, Home, How, Kind, Note, Repeat, Stack, Use};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

/// What only the run knows.
pub(crate) struct Context<'a> {
    /// The provider's settings, as HCL.
    pub(crate) settings: &'a str,
    /// Whether a second provider is configured with an ephemeral value.
    pub(crate) ephemeral: bool,
    /// Objects that nobody has.
    pub(crate) strays: &'a [String],
}

/// The files of a stack, by path.
pub(crate) fn files(stack: &Stack, context: &Context<'_>) -> BTreeMap<String, String> {
    let settings = context.settings;
    let mut root = format!("provider \"fake\" {{\n{settings}\n}}\n");
    if context.ephemeral {
        let _ = write!(
            root,
            "ephemeral \"fake_token\" \"t\" {{ name = \"t\" }}\n\
             provider \"fake\" {{\n  alias = \"lent\"\n  latency_ms = \
             ephemeral.fake_token.t.token == \"\" ? 9999 : 0\n{settings}\n}}\n"
        );
    }
    root.push_str(&blocks(stack, Home::Root, context));
    // One object becomes one instance: what a second `import` of it would make of that is nobody's
    // promise.
    let mut taken: BTreeSet<usize> = BTreeSet::new();
    for note in &stack.notes {
        if let Note::Import { which, .. } = note
            && !taken.insert(usize::from(*which) % context.strays.len().max(1))
        {
            continue;
        }
        root.push_str(&self::note(note, stack, context));
    }
    let mut out = BTreeMap::new();
    for m in 0..2 {
        let home = Home::Module(m);
        if !stack.blocks.iter().any(|b| b.home == home) {
            continue;
        }
        root.push_str(&call(stack, m, context));
        out.insert(format!("m{m}/main.weir.hcl"), module(stack, home, context));
    }
    for b in &stack.blocks {
        let value = seen(stack, b, Home::Root, Attribute::Id, None);
        let _ = writeln!(root, "output \"r{}\" {{ value = {value} }}", b.label);
    }
    out.insert("main.weir.hcl".into(), root);
    out
}

fn blocks(stack: &Stack, home: Home, context: &Context<'_>) -> String {
    let mine = stack.blocks.iter().filter(|b| b.home == home);
    mine.map(|b| block(stack, b, context)).collect()
}

/// What a module is handed: the variable, and the block it stands for.
fn handed(stack: &Stack, m: usize) -> BTreeMap<String, (u8, Attribute, Option<u8>)> {
    let home = Home::Module(m);
    let mine = stack.blocks.iter().filter(|b| b.home == home);
    let foreign = |u: &&Use| stack.get(u.label).is_some_and(|b| b.home != home);
    mine.flat_map(|b| b.uses.iter().filter(foreign))
        .map(|u| (variable(u), (u.label, u.attribute, u.nth)))
        .chain(
            stack
                .blocks
                .iter()
                .filter(|b| b.home == home)
                .flat_map(|b| {
                    let other = |l: &u8| stack.get(*l).is_some_and(|b| b.home != home);
                    (b.after.iter().copied().filter(other))
                        .map(|l| (format!("after_{l}"), (l, Attribute::Id, None)))
                        .collect::<Vec<_>>()
                }),
        )
        .collect()
}

fn variable(u: &Use) -> String {
    let nth = u.nth.map_or("all".to_owned(), |n| n.to_string());
    format!("v{}_{nth}_{:?}", u.label, u.attribute).to_lowercase()
}

fn module(stack: &Stack, home: Home, context: &Context<'_>) -> String {
    let Home::Module(m) = home else {
        return String::new();
    };
    let mut text = "variable \"prefix\" {}\n".to_owned();
    if context.ephemeral {
        text.push_str(
            "terraform {\n  required_providers {\n    fake = {\n      source = \"fake\"\n      \
             configuration_aliases = [fake.lent]\n    }\n  }\n}\n",
        );
    }
    for name in handed(stack, m).keys() {
        let _ = writeln!(text, "variable \"{name}\" {{}}");
    }
    text.push_str(&blocks(stack, home, context));
    for b in stack.blocks.iter().filter(|b| b.home == home) {
        for (attribute, suffix) in [(Attribute::Id, "id"), (Attribute::Endpoint, "endpoint")] {
            let value = inside(b, attribute, None);
            let _ = writeln!(
                text,
                "output \"r{}_{suffix}\" {{ value = {value} }}",
                b.label
            );
        }
    }
    text
}

fn call(stack: &Stack, m: usize, context: &Context<'_>) -> String {
    let repeat = stack.modules[m];
    let mut text = format!("module \"m{m}\" {{\n  source = \"./m{m}\"\n");
    text.push_str(&repetition(repeat));
    let _ = writeln!(text, "  prefix = {}", prefix(&format!("m{m}-"), repeat));
    if context.ephemeral {
        text.push_str("  providers = {\n    fake = fake\n    fake.lent = fake.lent\n  }\n");
    }
    for (name, (label, attribute, nth)) in handed(stack, m) {
        if let Some(b) = stack.get(label) {
            let value = seen(stack, b, Home::Root, attribute, nth);
            let _ = writeln!(text, "  {name} = {value}");
        }
    }
    if let Some(b) = stack.module_after[m].and_then(|l| stack.get(l)) {
        let _ = writeln!(text, "  depends_on = [{}]", b.local());
    }
    text + "}\n"
}

fn repetition(repeat: Repeat) -> String {
    match repeat {
        Repeat::One => String::new(),
        Repeat::Count(n) => format!("  count = {n}\n"),
        Repeat::Keys(bits) => {
            let keys: Vec<String> = (0..3)
                .filter(|i| bits >> i & 1 == 1)
                .map(|i| format!("\"k{i}\""))
                .collect();
            format!("  for_each = toset([{}])\n", keys.join(", "))
        }
    }
}

/// A text that tells instances apart.
fn prefix(text: &str, repeat: Repeat) -> String {
    match repeat {
        Repeat::One => format!("\"{text}\""),
        Repeat::Count(_) => format!("\"{text}${{count.index}}\""),
        Repeat::Keys(_) => format!("\"{text}${{each.key}}\""),
    }
}

fn block(stack: &Stack, b: &Block, context: &Context<'_>) -> String {
    let name = format!("r{}_{}", b.label, b.name);
    let used = |u: &Use| {
        stack
            .get(u.label)
            .map_or("\"none\"".to_owned(), |t| value(stack, t, b, u))
    };
    if b.kind == Kind::Lookup {
        let thing = b.uses.first().and_then(|u| stack.get(u.label));
        let of = thing.map_or("\"none\"".to_owned(), |t| format!("{}.name", t.local()));
        return format!("data \"fake_lookup\" \"{name}\" {{\n  name = {of}\n}}\n");
    }
    let mut body = repetition(b.repeat);
    if b.kind == Kind::Thing {
        body.push_str(&thing(b, &used, context));
    } else {
        let of = |how: fn(How) -> bool| -> Vec<String> {
            let uses = b.uses.iter().filter(|u| how(u.how));
            uses.map(|u| format!("tostring({})", used(u))).collect()
        };
        let inputs = of(|h| h != How::Zone);
        let triggers = of(|h| h == How::Zone);
        let _ = writeln!(
            body,
            "  input = \"{}-${{join(\",\", [{}])}}\"",
            b.size,
            inputs.join(", ")
        );
        let _ = writeln!(
            body,
            "  triggers_replace = [{}, {}]",
            b.zone,
            triggers.join(", ")
        );
    }
    let mut after: Vec<String> = Vec::new();
    for t in b.after.iter().filter_map(|l| stack.get(*l)) {
        after.push(match t.home == b.home {
            true => t.local(),
            // From another module it comes by way of a variable or of the module.
            false => match (b.home, t.home) {
                (Home::Root, Home::Module(m)) => format!("module.m{m}"),
                _ => format!("var.after_{}", t.label),
            },
        });
    }
    // All of a module may stand after what asks for it: one by one only.
    after.retain(|a| !a.starts_with("module."));
    if !after.is_empty() {
        let _ = writeln!(body, "  depends_on = [{}]", after.join(", "));
    }
    let _ = writeln!(
        body,
        "  lifecycle {{\n    create_before_destroy = {}",
        b.create_first
    );
    let triggers: Vec<String> = (b.triggers.iter())
        .filter_map(|l| stack.get(*l))
        .map(Block::local)
        .collect();
    if !triggers.is_empty() {
        let _ = writeln!(body, "    replace_triggered_by = [{}]", triggers.join(", "));
    }
    if b.ignore_tags {
        let what = if b.kind == Kind::Thing {
            "tags"
        } else {
            "input"
        };
        let _ = writeln!(body, "    ignore_changes = [{what}]");
    }
    format!("resource \"{}\" \"{name}\" {{\n{body}  }}\n}}\n", b.ty())
}

fn thing(b: &Block, used: &dyn Fn(&Use) -> String, context: &Context<'_>) -> String {
    let outer = match b.home {
        Home::Root => "",
        Home::Module(_) => "${var.prefix}",
    };
    let mut body = String::new();
    let named = prefix(&format!("{outer}r{}-", b.label), b.repeat);
    let _ = writeln!(body, "  name = {named}");
    let of = |how: How| b.uses.iter().filter(move |u| u.how == how);
    let zone: Vec<String> = of(How::Zone)
        .map(|u| format!("-${{{}}}", used(u)))
        .collect();
    let _ = writeln!(body, "  zone = \"z{}{}\"", b.zone, zone.concat());
    let size: Vec<String> = of(How::Size)
        .map(|u| format!(" + length({})", used(u)))
        .collect();
    let _ = writeln!(body, "  size = {}{}", b.size, size.concat());
    let tags: Vec<String> = (of(How::Tag).enumerate())
        .map(|(i, u)| format!("    u{i} = {}\n", used(u)))
        .collect();
    let _ = writeln!(body, "  tags = {{\n{}  }}", tags.concat());
    if b.borrowed && context.ephemeral {
        body.push_str("  provider = fake.lent\n");
    }
    body
}

/// What a block reads of another.
fn value(stack: &Stack, target: &Block, user: &Block, u: &Use) -> String {
    match user.home {
        Home::Module(_) if target.home != user.home => format!("var.{}", variable(u)),
        home if target.home == home => {
            // Instance by instance where both are repeated alike.
            let own = match (target.repeat, user.repeat) {
                (Repeat::Count(a), Repeat::Count(b)) if b <= a && u.nth.is_some() => {
                    Some("[count.index]")
                }
                (Repeat::Keys(a), Repeat::Keys(b)) if b & !a == 0 && u.nth.is_some() => {
                    Some("[each.key]")
                }
                _ => None,
            };
            match own {
                Some(key) => format!("{}{key}.{}", target.local(), attribute(target, u.attribute)),
                None => inside(target, u.attribute, u.nth),
            }
        }
        home => seen(stack, target, home, u.attribute, u.nth),
    }
}

fn attribute(b: &Block, attribute: Attribute) -> &'static str {
    match (b.kind, attribute) {
        (_, Attribute::Id) => "id",
        (Kind::Thing | Kind::Lookup, Attribute::Endpoint) => "endpoint",
        (Kind::Data, Attribute::Endpoint) => "output",
    }
}

/// A block from within its module, as one text.
fn inside(b: &Block, wanted: Attribute, nth: Option<u8>) -> String {
    let (local, attribute) = (b.local(), attribute(b, wanted));
    let keys = b.repeat.keys();
    match (b.repeat, nth) {
        (Repeat::One, _) => format!("{local}.{attribute}"),
        (_, Some(n)) if !keys.is_empty() => {
            format!("{local}{}.{attribute}", keys[usize::from(n) % keys.len()])
        }
        (Repeat::Count(_), _) => format!("join(\",\", {local}[*].{attribute})"),
        (Repeat::Keys(_), _) => format!("join(\",\", [for v in {local} : v.{attribute}])"),
    }
}

/// A block from the root module.
fn seen(stack: &Stack, b: &Block, from: Home, wanted: Attribute, nth: Option<u8>) -> String {
    let Home::Module(m) = b.home else {
        return inside(b, wanted, nth);
    };
    if from == b.home {
        return inside(b, wanted, nth);
    }
    let suffix = match wanted {
        Attribute::Id => "id",
        Attribute::Endpoint => "endpoint",
    };
    let output = format!("r{}_{suffix}", b.label);
    let keys = stack.modules[m].keys();
    match (stack.modules[m], nth) {
        (Repeat::One, _) => format!("module.m{m}.{output}"),
        (_, Some(n)) if !keys.is_empty() => {
            format!("module.m{m}{}.{output}", keys[usize::from(n) % keys.len()])
        }
        _ => format!("join(\",\", [for m in module.m{m} : m.{output}])"),
    }
}

fn note(note: &Note, stack: &Stack, context: &Context<'_>) -> String {
    match note {
        Note::Moved { from, to } => format!("moved {{\n  from = {from}\n  to = {to}\n}}\n"),
        Note::Removed { from, destroy } => format!(
            "removed {{\n  from = {from}\n  lifecycle {{\n    destroy = {destroy}\n  }}\n}}\n"
        ),
        Note::Import { label, which } => {
            let count = context.strays.len().max(1);
            let stray = context.strays.get(usize::from(*which) % count);
            match (stray, stack.get(*label)) {
                (Some(id), Some(b)) if b.home == Home::Root && b.repeat == Repeat::One => {
                    format!("import {{\n  to = {}\n  id = \"{id}\"\n}}\n", b.local())
                }
                _ => String::new(),
            }
        }
    }
}
