//! The model as HCL, one `main.tf` for each module.

use super::model::{
    Call, Condition, Expr, Ignore, Item, Lifecycle, Module, Note, Pick, Repeat, Resource, Step,
};
use std::{collections::BTreeMap, fmt::Write as _};

/// The files of a step, by path.
pub(super) fn files(step: &Step) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    module(&step.root, "", &mut out);
    out
}

fn module(module: &Module, folder: &str, out: &mut BTreeMap<String, String>) {
    let text: String = (module.items.iter().map(|i| item(i, module)))
        .chain(module.notes.iter().map(note))
        .collect();
    out.insert(format!("{folder}main.tf"), text);
    for call in module.calls() {
        self::module(&call.module, &format!("{folder}{}/", call.folder), out);
    }
}

fn item(item: &Item, scope: &Module) -> String {
    match item {
        Item::Variable {
            name,
            default,
            refused: None,
        } => format!("variable \"{name}\" {{ default = {default} }}\n"),
        Item::Variable {
            name,
            default,
            refused: Some(refused),
        } => {
            let operator = if *refused { "<" } else { ">=" };
            format!(
                "variable \"{name}\" {{\n  default = {default}\n  validation {{\n    \
                 condition = var.{name} {operator} 0\n    \
                 error_message = \"It is as it should not be.\"\n  }}\n}}\n"
            )
        }
        Item::Local { name, value } => {
            format!("locals {{ {name} = {} }}\n", expr(value, scope))
        }
        Item::Resource(r) => resource(r, scope),
        Item::Call(c) => call(c, scope),
        Item::Output {
            name,
            value,
            sensitive,
            condition,
        } => {
            let mut body = format!("  value = {}\n", expr(value, scope));
            if *sensitive {
                body.push_str("  sensitive = true\n");
            }
            if let Some(c) = condition {
                body.push_str(&self::condition("precondition", c, scope, "  "));
            }
            format!("output \"{name}\" {{\n{body}}}\n")
        }
        Item::Check { asserts, .. } if asserts.is_empty() => String::new(),
        Item::Check { name, asserts } => {
            let body: String = (asserts.iter())
                .map(|c| condition("assert", c, scope, "  "))
                .collect();
            format!("check \"{name}\" {{\n{body}}}\n")
        }
    }
}

fn resource(r: &Resource, scope: &Module) -> String {
    let mut body = repeat(&r.repeat, scope);
    for (name, value) in [("input", &r.input), ("triggers_replace", &r.triggers)] {
        if let Some(value) = value {
            let _ = writeln!(body, "  {name} = {}", expr(value, scope));
        }
    }
    body.push_str(&depends_on(&r.depends_on));
    body.push_str(&lifecycle(&r.lifecycle, &r.repeat, scope));
    format!("resource \"terraform_data\" \"{}\" {{\n{body}}}\n", r.name)
}

fn call(c: &Call, scope: &Module) -> String {
    let mut body = format!("  source = \"./{}\"\n", c.folder);
    body.push_str(&repeat(&c.repeat, scope));
    for (name, value) in &c.inputs {
        let _ = writeln!(body, "  {name} = {}", expr(value, scope));
    }
    body.push_str(&depends_on(&c.depends_on));
    format!("module \"{}\" {{\n{body}}}\n", c.name)
}

fn repeat(repeat: &Repeat, scope: &Module) -> String {
    match repeat {
        Repeat::One => String::new(),
        Repeat::Count(n) => format!("  count = {n}\n"),
        Repeat::Keys(keys) => {
            let keys: Vec<String> = keys.iter().map(|k| format!("\"{k}\"")).collect();
            format!("  for_each = toset([{}])\n", keys.join(", "))
        }
        Repeat::Like(name, _) => format!("  for_each = terraform_data.{name}\n"),
        Repeat::Map(pairs) => {
            let pairs: Vec<String> = (pairs.iter())
                .map(|(k, v)| format!("{k} = {}", expr(v, scope)))
                .collect();
            format!("  for_each = {{ {} }}\n", pairs.join(", "))
        }
    }
}

fn depends_on(on: &[String]) -> String {
    match on {
        [] => String::new(),
        on => format!("  depends_on = [{}]\n", on.join(", ")),
    }
}

fn lifecycle(l: &Lifecycle, own: &Repeat, scope: &Module) -> String {
    let mut body = String::new();
    for (name, on) in [
        ("create_before_destroy", l.create_before_destroy),
        ("prevent_destroy", l.prevent_destroy),
    ] {
        if on {
            let _ = writeln!(body, "    {name} = true");
        }
    }
    body.push_str(match l.ignore {
        Ignore::Nothing => "",
        Ignore::Input => "    ignore_changes = [input]\n",
        Ignore::Triggers => "    ignore_changes = [triggers_replace]\n",
        Ignore::All => "    ignore_changes = all\n",
        Ignore::Inside => "    ignore_changes = [input.p, triggers_replace[0]]\n",
    });
    if !l.triggered_by.is_empty() {
        let by: Vec<String> = (l.triggered_by.iter())
            .filter_map(|t| {
                let r = scope.resources().find(|r| r.name == t.resource)?;
                let keys = r.repeat.keys();
                let is_keyed =
                    |r: &Repeat| matches!(r, Repeat::Keys(_) | Repeat::Map(_) | Repeat::Like(..));
                let key = match t.nth {
                    _ if t.same && is_keyed(own) && is_keyed(&r.repeat) => "[each.key]".to_owned(),
                    _ if t.same
                        && matches!((own, &r.repeat), (Repeat::Count(_), Repeat::Count(_))) =>
                    {
                        "[count.index]".to_owned()
                    }
                    Some(n) => keys.get(n % keys.len().max(1))?.clone(),
                    None => String::new(),
                };
                let whole = key.is_empty() && r.repeat != Repeat::One;
                let attribute = t.attribute.filter(|_| !whole);
                let attribute = attribute.map_or(String::new(), |a| format!(".{a}"));
                Some(format!("terraform_data.{}{key}{attribute}", t.resource))
            })
            .collect();
        let _ = writeln!(body, "    replace_triggered_by = [{}]", by.join(", "));
    }
    for (kind, c) in [("precondition", &l.pre), ("postcondition", &l.post)] {
        if let Some(c) = c {
            body.push_str(&condition(kind, c, scope, "    "));
        }
    }
    match body.is_empty() {
        true => body,
        false => format!("  lifecycle {{\n{body}  }}\n"),
    }
}

fn condition(kind: &str, c: &Condition, scope: &Module, indent: &str) -> String {
    let operator = if c.fails { "==" } else { "!=" };
    let subject = expr(&c.subject, scope);
    format!(
        "{indent}{kind} {{\n{indent}  condition = {subject} {operator} \"never\"\n\
         {indent}  error_message = \"It is as it should not be.\"\n{indent}}}\n"
    )
}

fn note(note: &Note) -> String {
    match note {
        Note::Moved { from, to } => format!("moved {{\n  from = {from}\n  to = {to}\n}}\n"),
        Note::Removed { from, destroy } => format!(
            "removed {{\n  from = {from}\n  lifecycle {{\n    destroy = {destroy}\n  }}\n}}\n"
        ),
        Note::ImportEach { block, keys } => {
            let keys: Vec<String> = keys.iter().map(|k| format!("\"{k}\"")).collect();
            format!(
                "import {{\n  for_each = toset([{}])\n  to = {block}[each.key]\n  \
                 id = \"imported-${{each.value}}\"\n}}\n",
                keys.join(", ")
            )
        }
        Note::Import { to, id } => format!("import {{\n  to = {to}\n  id = \"{id}\"\n}}\n"),
    }
}

/// What is repeated, picked from: `rest` is what follows, such as `.output`.
fn picked(what: &str, repeat: &Repeat, pick: Pick, rest: &str) -> String {
    let keys = repeat.keys();
    match (pick, repeat) {
        (_, Repeat::One) => format!("{what}{rest}"),
        (Pick::All, Repeat::Count(_)) => format!("{what}[*]{rest}"),
        (Pick::All, _) => format!("{{ for k, v in {what} : k => v{rest} }}"),
        (Pick::Nth(n), _) if !keys.is_empty() => {
            format!("{what}{}{rest}", keys[n % keys.len()])
        }
        (Pick::Nth(_), _) => "\"none\"".to_owned(),
    }
}

fn expr(e: &Expr, scope: &Module) -> String {
    match e {
        Expr::Int(n) => n.to_string(),
        Expr::Text(s) => format!("\"{s}\""),
        Expr::Null => "null".to_owned(),
        Expr::Resource {
            name,
            attribute,
            pick,
        } => {
            let repeat = scope.resources().find(|r| r.name == *name);
            let rest = attribute.map_or(String::new(), |a| format!(".{a}"));
            let repeat = repeat.map_or(&Repeat::One, |r| &r.repeat);
            picked(&format!("terraform_data.{name}"), repeat, *pick, &rest)
        }
        Expr::Module { name, output, pick } => {
            let repeat = scope.calls().find(|c| c.name == *name);
            let repeat = repeat.map_or(&Repeat::One, |c| &c.repeat);
            picked(
                &format!("module.{name}"),
                repeat,
                *pick,
                &format!(".{output}"),
            )
        }
        Expr::Variable(name) => format!("var.{name}"),
        Expr::Local(name) => format!("local.{name}"),
        Expr::EachKey => "each.key".to_owned(),
        Expr::EachValue => "each.value".to_owned(),
        Expr::CountIndex => "count.index".to_owned(),
        Expr::Own(attribute) => format!("self.{attribute}"),
        Expr::Sensitive(inner) => format!("sensitive({})", expr(inner, scope)),
        Expr::Template(inner) => format!("jsonencode({})", expr(inner, scope)),
        Expr::Object(pairs) => {
            let pairs: Vec<String> = (pairs.iter())
                .map(|(k, v)| format!("{k} = {}", expr(v, scope)))
                .collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        Expr::Tuple(items) => {
            let items: Vec<String> = items.iter().map(|i| expr(i, scope)).collect();
            format!("[{}]", items.join(", "))
        }
    }
}
