//! Whole configurations, planned from nothing by weir's language and by Terraform.
//!
//! Each `configurations/NAME.tf` is a stack; `# file: PATH` begins another file of it. What
//! Terraform 1.11 made of it (its plan in short, or that it refuses it) is stored in
//! `configurations/expected.json`, so that this runs without it. `WEIR_REGENERATE=1` asks the
//! `terraform` on the PATH for those that have no answer yet, `WEIR_REGENERATE=all` for all of them,
//! and writes the file. Where weir is meant to differ, the stack says so:
//! `# weir refuses: WHY`, `# weir accepts: WHY`.

use serde_json::{Map, Value as Json, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex},
};
use weir_core::{
    Diagnostics, Kind, Type, Value,
    schema::{Attribute, Block, Schema, SetBy},
};
use weir_lang::{CheckStatus, Evaluator, Inputs, MemoryFiles, Next, NoCatalog, Schemas, load};

/// The built-in provider `terraform` with its one resource.
struct Builtin {
    data: Schema,
    none: Schema,
    remote: Schema,
}

impl Builtin {
    fn new() -> Builtin {
        let any = |set_by| Attribute::new(Type::Dynamic, set_by);
        let block = |attributes: Vec<(&str, Attribute)>| Schema {
            version: 0,
            block: Block {
                attributes: attributes
                    .into_iter()
                    .map(|(k, a)| (k.to_owned(), a))
                    .collect(),
                blocks: BTreeMap::new(),
            },
        };
        Builtin {
            data: block(vec![
                ("input", any(SetBy::Optional)),
                ("output", any(SetBy::Computed)),
                ("triggers_replace", any(SetBy::Optional)),
                ("id", Attribute::new(Type::String, SetBy::Computed)),
            ]),
            none: Schema::default(),
            remote: block(vec![
                ("backend", Attribute::new(Type::String, SetBy::Required)),
                ("outputs", any(SetBy::Computed)),
            ]),
        }
    }
}

impl Schemas for Builtin {
    fn resource(&self, ty: &str) -> Option<&Schema> {
        (ty == "terraform_data").then_some(&self.data)
    }
    fn data(&self, ty: &str) -> Option<&Schema> {
        (ty == "terraform_remote_state").then_some(&self.remote)
    }
    fn provider(&self, name: &str) -> Option<&Schema> {
        (name == "terraform").then_some(&self.none)
    }
    fn provider_of(&self, _ty: &str) -> Option<&str> {
        None
    }
}

/// The files of a stack.
fn files(text: &str) -> Vec<(String, String)> {
    let mut out = vec![("main.tf".to_owned(), String::new())];
    for line in text.lines() {
        match line.strip_prefix("# file: ") {
            Some(path) => out.push((path.trim().to_owned(), String::new())),
            None => {
                if let Some((_, file)) = out.last_mut() {
                    file.push_str(line);
                    file.push('\n');
                }
            }
        }
    }
    out
}

/// A value as JSON, with what is not known as text; and whether anything in it is sensitive.
fn plain(value: &Value) -> Json {
    match value.kind() {
        Kind::Unknown(..) => json!("(unknown)"),
        Kind::Null(_) => Json::Null,
        Kind::Bool(b) => json!(b),
        Kind::Number(n) => serde_json::from_str(&n.to_string()).expect("a number is JSON"),
        Kind::String(s) => json!(&**s),
        Kind::List(..) | Kind::Tuple(_) | Kind::Set(..) => {
            let items = value.elements().unwrap_or_default();
            items.into_iter().map(plain).collect()
        }
        Kind::Map(_, m) | Kind::Object(m) => {
            let entries = m.iter().map(|(k, v)| (k.to_string(), plain(v)));
            Json::Object(entries.collect::<Map<_, _>>())
        }
    }
}

/// The same of Terraform's `after` and `after_unknown`.
fn merged(after: &Json, unknown: &Json) -> Json {
    match (after, unknown) {
        (_, Json::Bool(true)) => json!("(unknown)"),
        (Json::Object(a), Json::Object(u)) => {
            let keys: BTreeSet<&String> = a.keys().chain(u.keys()).collect();
            let entry = |k: &String| {
                let of = |m: &Map<String, Json>| m.get(k).cloned().unwrap_or(Json::Null);
                (k.clone(), merged(&of(a), &of(u)))
            };
            Json::Object(keys.into_iter().map(entry).collect())
        }
        (Json::Array(a), Json::Array(u)) => {
            let at = |i: usize| u.get(i).cloned().unwrap_or(Json::Null);
            (0..a.len()).map(|i| merged(&a[i], &at(i))).collect()
        }
        _ => after.clone(),
    }
}

fn any_true(json: &Json) -> bool {
    match json {
        Json::Bool(b) => *b,
        Json::Array(items) => items.iter().any(any_true),
        Json::Object(m) => m.values().any(any_true),
        _ => false,
    }
}

/// What weir makes of a stack.
fn ours(text: &str) -> Result<Json, Diagnostics> {
    let files = files(text);
    let memory = MemoryFiles::of(files.iter().map(|(p, t)| (p.as_str(), t.as_str())));
    let loaded = load(Arc::new(memory), &NoCatalog, &Inputs::default())?;
    let mut evaluator = Evaluator::new(loaded.config, Arc::new(Builtin::new()));
    let mut resources = Map::new();
    loop {
        match evaluator.next()? {
            Next::Instance(i) => {
                let field = |name: &str| i.config.get(name).cloned().unwrap_or_else(Value::null);
                let row = |name: &str| plain(&field(name));
                let sensitive =
                    field("input").is_sensitive() || field("triggers_replace").is_sensitive();
                resources.insert(
                    i.address.to_string(),
                    json!({
                        "input": row("input"),
                        "triggers_replace": row("triggers_replace"),
                        "sensitive": sensitive,
                        "import": i.import.as_ref().and_then(|i| i.id.as_str()),
                    }),
                );
                let output = match field("input").is_null() {
                    true => Value::null(),
                    false => Value::unknown(field("input").ty()),
                };
                let value = i
                    .config
                    .clone()
                    .with("output", output)
                    .with("id", Value::unknown(Type::String));
                evaluator.supply(&i.address, value);
            }
            Next::Done => break,
            Next::Waiting => panic!("it waits, and everything was supplied"),
            _ => {}
        }
    }
    let found = evaluator.take_diagnostics();
    if found.has_errors() {
        return Err(found);
    }
    let outputs: Map<String, Json> = evaluator
        .outputs()
        .into_iter()
        .filter(|(_, o)| !o.value.is_null())
        .map(|(name, o)| {
            (
                name,
                json!({"value": plain(&o.value), "sensitive": o.sensitive}),
            )
        })
        .collect();
    let mut checks = Map::new();
    for check in evaluator.checks() {
        let status = |s: CheckStatus| match s {
            CheckStatus::Pass => "pass",
            CheckStatus::Unknown => "unknown",
            CheckStatus::Fail => "fail",
            CheckStatus::Error => "error",
        };
        let instances: Map<String, Json> = check
            .instances
            .iter()
            .map(|i| {
                (
                    i.address.clone(),
                    json!({"status": status(i.status), "problems": i.problems}),
                )
            })
            .collect();
        let module = check.module.to_string();
        let dot = if module.is_empty() { "" } else { "." };
        checks.insert(
            format!("{module}{dot}{}", check.name),
            json!({"status": status(check.status), "instances": instances}),
        );
    }
    Ok(json!({"resources": resources, "outputs": outputs, "checks": checks}))
}

/// What Terraform makes of it.
fn terraforms(text: &str, folder: &Path) -> Json {
    for (path, text) in files(text) {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().expect("it lies in the folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    let run = |args: &[&str]| {
        let mut command = Command::new("terraform");
        command
            .args(args)
            .current_dir(folder)
            .env("TF_CLI_CONFIG_FILE", "/dev/null")
            .env("CHECKPOINT_DISABLE", "1");
        let out = command.output().expect("terraform runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (out.status.success(), text(&out.stdout), text(&out.stderr))
    };
    let refused = |said: &str| {
        let reason = |l: &str| {
            let (_, reason) = l.split_once("Error: ")?;
            (!reason.contains("problems during initialisation")).then(|| reason.to_owned())
        };
        let line = said.lines().find_map(reason);
        json!({"refused": line.expect("a refusal says why")})
    };
    for step in [
        &["init", "-no-color", "-input=false"][..],
        &["plan", "-no-color", "-input=false", "-out=p"],
    ] {
        let (ok, _, said) = run(step);
        if !ok {
            return refused(&said);
        }
    }
    let (_, shown, _) = run(&["show", "-json", "p"]);
    let plan: Json = serde_json::from_str(&shown).expect("a plan in JSON");
    short(&plan)
}

/// A plan in short, of its documented JSON.
fn short(plan: &Json) -> Json {
    let none = Map::new();
    let mut resources = Map::new();
    for r in plan["resource_changes"].as_array().into_iter().flatten() {
        let change = &r["change"];
        let row = |name: &str| merged(&change["after"][name], &change["after_unknown"][name]);
        let marks = &change["after_sensitive"];
        resources.insert(
            r["address"].as_str().expect("an address").to_owned(),
            json!({
                "input": row("input"),
                "triggers_replace": row("triggers_replace"),
                "sensitive": any_true(&marks["input"]) || any_true(&marks["triggers_replace"]),
                "import": change["importing"]["id"],
            }),
        );
    }
    let mut outputs = Map::new();
    for (name, change) in plan["output_changes"].as_object().unwrap_or(&none) {
        let value = merged(&change["after"], &change["after_unknown"]);
        if !value.is_null() {
            let sensitive = any_true(&change["after_sensitive"]);
            outputs.insert(
                name.clone(),
                json!({"value": value, "sensitive": sensitive}),
            );
        }
    }
    let mut checks = Map::new();
    for check in plan["checks"].as_array().into_iter().flatten() {
        let name = |of: &Json| {
            of["address"]["to_display"]
                .as_str()
                .expect("a name")
                .to_owned()
        };
        let instances: Map<String, Json> = check["instances"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|i| {
                let problems: Vec<&Json> = i["problems"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|p| &p["message"])
                    .collect();
                (
                    name(i),
                    json!({"status": i["status"], "problems": problems}),
                )
            })
            .collect();
        checks.insert(
            name(check),
            json!({"status": check["status"], "instances": instances}),
        );
    }
    json!({"resources": resources, "outputs": outputs, "checks": checks})
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/configurations")
}

fn stacks() -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder()).expect("the folder is there");
    entries
        .map(|e| e.expect("an entry").path())
        .filter(|p| p.extension().is_some_and(|e| e == "tf"))
        .map(|p| {
            let name = p
                .file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            (name, fs::read_to_string(p).expect("text"))
        })
        .collect()
}

fn regenerate(stacks: &BTreeMap<String, String>) {
    let all = std::env::var_os("WEIR_REGENERATE").is_some_and(|which| which == "all");
    let mut stored = match fs::read_to_string(folder().join("expected.json")) {
        Ok(text) if !all => serde_json::from_str(&text).expect("JSON"),
        _ => Map::new(),
    };
    stored.retain(|name, _| stacks.contains_key(name));
    let missing: Vec<_> = stacks
        .iter()
        .filter(|(name, _)| !stored.contains_key(*name))
        .collect();
    let todo = Mutex::new(missing.into_iter());
    let found = Mutex::new(stored);
    let work = tempfile::tempdir().expect("a folder");
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                loop {
                    let next = todo.lock().expect("not poisoned").next();
                    let Some((name, text)) = next else { break };
                    let answer = terraforms(text, &work.path().join(name));
                    found
                        .lock()
                        .expect("not poisoned")
                        .insert(name.clone(), answer);
                }
            });
        }
    });
    let found = found.into_inner().expect("not poisoned");
    let text = format!("{:#}\n", Json::Object(found));
    fs::write(folder().join("expected.json"), text).expect("it is written");
}

#[test]
fn configurations_are_terraforms() {
    let stacks = stacks();
    assert!(stacks.len() > 100);
    if std::env::var_os("WEIR_REGENERATE").is_some() {
        regenerate(&stacks);
    }
    let stored = fs::read_to_string(folder().join("expected.json")).expect("stored answers");
    let stored: Map<String, Json> = serde_json::from_str(&stored).expect("JSON");
    let mut wrong = Vec::new();
    for (name, text) in &stacks {
        let Some(theirs) = stored.get(name) else {
            wrong.push(format!("{name} has no stored answer: WEIR_REGENERATE=1"));
            continue;
        };
        let refuses = text.contains("# weir refuses: ");
        let accepts = text.contains("# weir accepts: ");
        match (ours(text), theirs.get("refused")) {
            (Ok(_), Some(why)) if !accepts => {
                wrong.push(format!("{name}: Terraform refuses it: {why}"))
            }
            (Err(errors), None) if !refuses => {
                wrong.push(format!("{name}: Terraform takes it:\n{errors}"));
            }
            (Ok(plan), None) if plan != *theirs => {
                wrong.push(format!("{name}:\nours   {plan}\ntheirs {theirs}"));
            }
            (Ok(_), None) if refuses => wrong.push(format!("{name}: it is not refused")),
            (Err(_), Some(_)) if accepts => wrong.push(format!("{name}: it is refused")),
            _ => {}
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        stacks.len(),
        wrong.join("\n")
    );
}
