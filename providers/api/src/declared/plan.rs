//! What would become of an object, by the rules of its type.

use super::{Entry, Rule, Rules, Vendor, is_zero};
use weir_core::{
    Diagnostic, Diagnostics, Path, Value,
    schema::{Absent, Attribute, Block, NestedBlock, Nesting, SetBy},
};

/// What is planned of an object by the rules alone, from the configuration and what it proposes.
/// `prior` is `None` at creation.
pub fn plan(entry: &Entry, prior: Option<&Value>, config: &Value, proposed: &Value) -> Value {
    let (block, rules) = (&entry.schema.block, &entry.rules);
    of_block(block, rules, "", (config, proposed), prior.is_none())
}

/// The paths that differ and can't be changed in place.
pub fn replaced(entry: &Entry, prior: &Value, config: &Value, planned: &Value) -> Vec<Path> {
    let mut out = Vec::new();
    let values = (prior, config, planned);
    of_changes(&entry.schema.block, &entry.rules, values, &mut out);
    out
}

fn at(path: &str, name: &str) -> String {
    match path {
        "" => name.to_owned(),
        _ => format!("{path}.{name}"),
    }
}

fn of_block(
    block: &Block,
    rules: &Rules,
    path: &str,
    (config, proposed): (&Value, &Value),
    is_new: bool,
) -> Value {
    if config.is_null() || config.is_unknown() {
        return proposed.clone();
    }
    let attributes = block.attributes.iter().map(|(name, a)| {
        let null = Value::null_of(a.ty.clone());
        let (config, proposed) = (
            config.get(name).unwrap_or(&null),
            proposed.get(name).unwrap_or(&null),
        );
        let rule = rules.get(&at(path, name));
        (
            name.clone(),
            of_attribute(a, rule, (config, proposed), is_new),
        )
    });
    let blocks = block.blocks.iter().map(|(name, nested)| {
        let null = Value::null_of(nested.block.ty());
        let pair = (
            config.get(name).unwrap_or(&null),
            proposed.get(name).unwrap_or(&null),
        );
        let path = at(path, name);
        (name.clone(), of_nested(nested, rules, &path, pair, is_new))
    });
    Value::object(attributes.chain(blocks)).mark(config.marks())
}

fn of_attribute(
    a: &Attribute,
    rule: Option<&Rule>,
    (config, proposed): (&Value, &Value),
    is_new: bool,
) -> Value {
    if !config.is_null() && a.set_by != SetBy::Computed {
        return config.clone();
    }
    if let Some(default) = rule.and_then(|r| r.default.as_ref()) {
        return default.clone();
    }
    match a.set_by {
        SetBy::Computed | SetBy::OptionalComputed if is_new || proposed.is_unknown() => {
            match proposed.is_null() {
                true => Value::unknown(a.ty.clone()),
                false => proposed.clone(),
            }
        }
        SetBy::Computed | SetBy::OptionalComputed => proposed.clone(),
        SetBy::Optional | SetBy::Required => config.clone(),
    }
}

fn of_nested(
    nested: &NestedBlock,
    rules: &Rules,
    path: &str,
    (config, proposed): (&Value, &Value),
    is_new: bool,
) -> Value {
    if config.is_null() && nested.absent == Absent::Provider {
        let ty = match nested.nesting {
            Nesting::Set => weir_core::Type::set(nested.block.ty()),
            _ => weir_core::Type::list(nested.block.ty()),
        };
        return match (proposed.is_null(), is_new) {
            (true, true) => Value::unknown(ty),
            (true, false) => Value::null_of(ty),
            _ => proposed.clone(),
        };
    }
    if config.is_null() || config.is_unknown() {
        return config.clone();
    }
    let one = |config: &Value, proposed: &Value| {
        // What has no counterpart in state is new, whatever the object around it is.
        let is_new = is_new || proposed == config;
        of_block(&nested.block, rules, path, (config, proposed), is_new)
    };
    let Some(items) = config.elements() else {
        return one(config, proposed);
    };
    let theirs = proposed.elements().unwrap_or_default();
    let pairs = items.iter().enumerate().map(|(i, config)| {
        let paired = match nested.nesting {
            Nesting::Set => theirs.iter().find(|p| comes_of(config, p)),
            _ => theirs.get(i),
        };
        one(config, paired.copied().unwrap_or(config))
    });
    match nested.nesting {
        Nesting::Set => Value::set(nested.block.ty(), pairs),
        _ => Value::list(nested.block.ty(), pairs.collect()),
    }
}

/// Whether the proposed element is the configured one and what the provider added to it.
fn comes_of(config: &Value, proposed: &Value) -> bool {
    let fields = config.as_entries().into_iter().flatten();
    fields.into_iter().all(|(k, v)| {
        v.is_null()
            || v.as_entries().is_some()
            || v.elements().is_some()
            || proposed.get(k) == Some(v)
    })
}

fn of_changes(
    block: &Block,
    rules: &Rules,
    (prior, config, planned): (&Value, &Value, &Value),
    out: &mut Vec<Path>,
) {
    let differs = |name: &str| {
        let null = Value::null();
        let (was, is) = (
            prior.get(name).unwrap_or(&null),
            planned.get(name).unwrap_or(&null),
        );
        // What the provider finds out anew is not asked for.
        let left_open = is.is_unknown() && config.get(name).is_none_or(Value::is_null);
        was != is && !left_open && !(is_zero(was) && is_zero(is))
    };
    for name in block.attributes.keys().chain(block.blocks.keys()) {
        if !differs(name) {
            continue;
        }
        let way = Path::root().key(name);
        if rules.get(name.as_str()).is_some_and(|r| r.replaces) {
            out.push(way);
        } else if let Some(nested) = block.blocks.get(name) {
            of_nested_changes(
                nested,
                rules,
                name,
                (prior.get(name), planned.get(name)),
                &way,
                out,
            );
        }
    }
}

/// Attributes of a block that is there before and after.
fn of_nested_changes(
    nested: &NestedBlock,
    rules: &Rules,
    path: &str,
    (prior, planned): (Option<&Value>, Option<&Value>),
    way: &Path,
    out: &mut Vec<Path>,
) {
    let (Some(prior), Some(planned)) = (
        prior.and_then(Value::elements),
        planned.and_then(Value::elements),
    ) else {
        return;
    };
    if nested.nesting != Nesting::List {
        return;
    }
    for (i, (was, is)) in prior.iter().zip(&planned).enumerate() {
        let names = nested.block.attributes.keys();
        for name in names.chain(nested.block.blocks.keys()) {
            let path = at(path, name);
            if was.get(name) == is.get(name) {
                continue;
            }
            let way = way.index(i).key(name);
            if rules.get(&path).is_some_and(|r| r.replaces) {
                out.push(way);
            } else if let Some(inner) = nested.block.blocks.get(name) {
                let values = (was.get(name), is.get(name));
                of_nested_changes(inner, rules, &path, values, &way, out);
            }
        }
    }
}

/// Refuses what the rules refuse.
pub fn refuse(vendor: Vendor, entry: &Entry, config: &Value, out: &mut Diagnostics) {
    refuse_in(vendor, &entry.schema.block, (&entry.rules, ""), config, out);
}

fn refuse_in(
    vendor: Vendor,
    block: &Block,
    (rules, path): (&Rules, &str),
    config: &Value,
    out: &mut Diagnostics,
) {
    for name in block.attributes.keys().chain(block.blocks.keys()) {
        let Some(value) = config.get(name).filter(|v| !v.is_null()) else {
            continue;
        };
        let way = at(path, name);
        let rule = rules.get(&way);
        let by_default = rule.and_then(|r| r.default.as_ref()) == Some(value);
        let none = value.elements().is_some_and(|e| e.is_empty());
        if rule.is_some_and(|r| r.refused) && !none && !by_default {
            let Vendor { name, page, .. } = vendor;
            out.push(
                Diagnostic::error(format!("`{way}` can't be set yet"))
                    .because(format!("weir's provider for {name} does not serve it, and will not do half of what is asked."))
                    .help(format!("Leave it out; {page} says what each type serves.")),
            );
        } else if let Some(nested) = block.blocks.get(name) {
            for each in value.elements().unwrap_or_else(|| vec![value]) {
                refuse_in(vendor, &nested.block, (rules, &way), each, out);
            }
        }
    }
}
