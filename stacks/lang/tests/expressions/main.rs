//! Expressions beside Terraform: values, types, unknowns with what is known of them, sensitive paths
//! and refusals are equal.
//!
//! `*.txt` holds one expression per line (`\n` outside quotes stands for a line end). They may use the
//! names in `names.rs`, some of which are unknown or sensitive, and the files in `fixtures.rs`. `expected.json` holds what Terraform
//! 1.11 plans for each. `WEIR_REGENERATE=1` asks the `terraform` binary for those that have no answer
//! yet, `WEIR_REGENERATE=all` for all of them. Where the binary is on the path, a part of the stored
//! answers is compared with it in every run.

#![allow(clippy::unwrap_used)] // helpers of tests

mod answer;
mod fixtures;
mod names;
mod plan_file;
mod terraform;

use answer::Answer;
use serde_json::{Value as Json, json};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};
use weir_core::{Marks, Value};
use weir_lang::{
    DiskFiles,
    eval::{Context, EvalError, Resolved, Scope, eval},
    functions::Registry,
    ir::{RefStep, Reference},
    parse,
    sources::Sources,
};

/// Where both sides differ on purpose, and why.
const DELIBERATE: &[(&str, &[&str])] = &[
    (
        "decimals are exact, where Terraform has a 2 in the 154th place",
        &[
            "1.1 * 1.1",
            "range(0, 1, 0.3)",
            "12345678901234567890.12345678901234567890 * 12345678901234567890.12345678901234567890",
        ],
    ),
    (
        "a division by zero is refused where it stands, and a remainder too",
        &["1 % 0", "try(1 / 0, \"d\")", "try(1 / 0, 2)", "can(1 / 0)"],
    ),
    (
        "Terraform leaves the network",
        &[
            "cidrsubnet(\"10.1.2.0/24\", 4, -1)",
            "cidrsubnet(\"10.0.0.0/8\", -1, 0)",
            "cidrsubnet(\"10.0.0.0/8\", -1, 2)",
            "cidrsubnet(\"10.0.0.0/8\", 8, -1)",
            "cidrhost(\"2001:db8::/32\", 79228162514264337593543950336)",
            "cidrhost(\"::ffff:10.0.0.0/120\", 1)",
            "cidrhost(\"::ffff:1.2.3.4/120\", 1)",
        ],
    ),
    ("a zero has no sign", &["jsonencode(-0)"]),
    (
        "YAML that is correct where Terraform's is not",
        &[
            "yamlencode({\"a: b\" = 1, \"\" = 2, \"\\n\" = 3})",
            "yamldecode(\"\\ta: 1\")",
            "yamldecode(\"<<: [{a: 1}, {b: 2}]\")",
            "yamldecode(\"%YAML 1.2\\n---\\na: 1\\n\")",
        ],
    ),
    (
        "a null that can't be formatted is refused, where Terraform's result is never known",
        &[
            "format(\"%v\", null)",
            "format(\"%#v\", null)",
            "format(\"%s\", null)",
            "format(\"%s-%d\", null, 3)",
            "format(\"%s-%d\", \"a\", null)",
            "formatlist(\"%s-%s\", null, \"x\")",
            "formatlist(\"%s-%s\", [\"a\",\"b\"], null)",
        ],
    ),
    (
        "what will be refused when it is applied is refused while it is planned",
        &[
            "bcrypt(\"a\", 40)",
            "bcrypt(\"a\", 4, 5)",
            "bcrypt(\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\", 4)",
            "bcrypt(\"x\", 1.5)",
            "flatten(tomap({a=local.us}))",
            "flatten({a=local.us})",
            "\"x${local.ul}\"",
            "\"x${local.uo}\"",
            "merge(local.ud, [1])",
            "merge(local.ud, [[1], [\"a\"]])",
        ],
    ),
    (
        "Terraform refuses while it validates, when it does not know the type yet",
        &[
            "distinct([toset([]), local.ul])",
            "tolist([[\"a\", 1], local.ul])",
            "tolist([local.ul, [\"a\", 1]])",
            "tolist([local.uo, tomap({})])",
            "toset([[], local.ul])",
            "toset([local.uo, {}])",
            "toset([toset([1]), local.ul])",
            "toset([{ a = \"x\", b = null }, local.uo])",
        ],
    ),
    (
        "what is not known yet stays unknown, where Terraform decides too early",
        &[
            "matchkeys([\"a\",\"b\"], [\"x\",\"y\"], tolist([\"a\",local.us]))",
            "matchkeys([\"a\",\"b\"], [\"x\",\"y\"], [local.us])",
            "reverse(toset([\"a\",local.us]))",
        ],
    ),
    (
        "the right side of `&&` is not looked at where the left one decides",
        &[
            "issensitive(false && sensitive(true))",
            "ephemeralasnull(false && local.eb)",
            "ephemeralasnull(true || local.eb)",
        ],
    ),
    (
        "what is known of a list that holds unknown values is said",
        &["alltrue([local.ub, false])"],
    ),
    (
        "a name is given to one group of a pattern",
        &["regex(\"(?P<a>x)(?P<a>y)\", \"xy\")"],
    ),
    (
        "keys are normalised as values are, where Terraform says that its own JSON is malformed",
        &["jsondecode(\"{\\\"e\\\\u0301\\\": 1}\")"],
    ),
    (
        "that a secret is null is secret",
        &["merge({a = 1}, sensitive(null))"],
    ),
    (
        "an element picked by a secret is one, in objects too",
        &[
            "local.map[sensitive(\"a\")]",
            "{x = 1}[local.es]",
            "ephemeralasnull({x = 1}[local.es])",
        ],
    ),
];

/// A value that is not known yet stays sensitive here, where Terraform forgets it in many places.
fn stricter(ours: &Json, theirs: &Json) -> bool {
    let unknown = ours["value"].to_string().contains("\"(unknown)\"");
    unknown
        && theirs.get("sensitive").is_none()
        && ours["sensitive"] == json!(["$"])
        && (&ours["type"], &ours["value"]) == (&theirs["type"], &theirs["value"])
}

/// One side of `&&` or `||` decides here, whatever is known of the other.
fn decided(source: &str, ours: &Json, theirs: &Json) -> bool {
    let logical = source.contains("&&") || source.contains("||");
    let open = theirs.is_null() || theirs["value"].get("(unknown)").is_some();
    let secret = theirs["sensitive"] == json!(["$"]) && theirs["value"] == ours["value"];
    logical && ours["value"].is_boolean() && (open || secret)
}

struct Names(Context);

impl Scope for Names {
    fn resolve(&self, reference: &Reference) -> Result<Resolved, EvalError> {
        let local = match (&*reference.root, reference.steps.first()) {
            ("local", Some(RefStep::Attr(name))) => names::local(name),
            ("path", Some(RefStep::Attr(name))) => {
                matches!(&**name, "module" | "root").then(|| ".".into())
            }
            _ => None,
        };
        let missing = || weir_core::Diagnostic::error(format!("there is no `{reference}`"));
        let value = local.ok_or_else(missing)?;
        Ok(Resolved { value, consumed: 1 })
    }
    fn context(&self) -> &Context {
        &self.0
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expressions")
}

fn expressions() -> Vec<String> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder())
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "txt"))
        .collect();
    files.sort();
    files
        .iter()
        .flat_map(|f| {
            let text = fs::read_to_string(f).unwrap();
            text.lines()
                .filter(|l| !l.is_empty() && !l.starts_with('#'))
                .map(|l| {
                    if !l.contains('"') || l.contains("<<") {
                        l.replace("\\n", "\n")
                    } else {
                        l.to_owned()
                    }
                })
                .collect::<Vec<_>>()
        })
        .collect()
}

/// A folder with the files that expressions may name; each run has one.
fn fixed_files() -> &'static Path {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        fixtures::write(folder.path());
        folder
    });
    folder.path()
}

/// What weir makes of an expression; null where it is refused.
fn ours(source: &str) -> Json {
    let text: Arc<str> = source.into();
    let mut sources = Sources::new();
    sources.add("test".into(), text.clone());
    let scope = Names(Context {
        sources: Arc::new(sources),
        functions: Arc::new(Registry::standard()),
        files: Some(Arc::new(DiskFiles::new(fixed_files()))),
        module_dir: PathBuf::new(),
        root_dir: PathBuf::from("/stack"),
        home: Some(names::HOME.into()),
        now: None,
        settled: None,
    });
    let Ok(expr) = parse::parse_expr("test".into(), &text) else {
        return Json::Null;
    };
    match eval(&expr, &scope) {
        // No argument of a resource takes it.
        Ok(value) if is_ephemeral(&value) => Json::Null,
        Ok(value) => Answer::of(&value).json(),
        Err(_) => Json::Null,
    }
}

/// Whether anything in a value is ephemeral.
fn is_ephemeral(value: &Value) -> bool {
    value.marks().contains(Marks::EPHEMERAL) || value.children().any(is_ephemeral)
}

/// What Terraform makes of them. Each that weir can't parse is asked alone, as an open quote would
/// swallow those after it.
fn theirs(sources: &[&str]) -> BTreeMap<String, Json> {
    let parses = |s: &&str| parse::parse_expr("test".into(), &(*s).into()).is_ok();
    let (sound, broken): (Vec<&str>, Vec<&str>) = sources.iter().partition(|s| parses(s));
    let mut answers = terraform::answers(&sound);
    for source in broken {
        terraform::ask(&[source], &mut answers);
    }
    answers
}

/// The stored answers, after those asked for by the environment have been fetched.
fn expected(sources: &[String]) -> BTreeMap<String, Json> {
    let path = folder().join("expected.json");
    let text = fs::read_to_string(&path).unwrap_or_else(|_| "{}".to_owned());
    let mut stored: BTreeMap<String, Json> = serde_json::from_str(&text).unwrap();
    if let Some(which) = std::env::var_os("WEIR_REGENERATE") {
        if which == "all" {
            stored.clear();
        }
        stored.retain(|s, _| sources.contains(s));
        let missing: Vec<&str> = sources
            .iter()
            .map(String::as_str)
            .filter(|s| !stored.contains_key(*s))
            .collect();
        stored.extend(theirs(&missing));
        let lines: Vec<String> = stored
            .iter()
            .map(|(k, v)| format!("{}: {v}", Json::from(k.as_str())))
            .collect();
        fs::write(&path, format!("{{\n{}\n}}\n", lines.join(",\n"))).unwrap();
    }
    stored
}

#[test]
fn equal_to_terraform() {
    let sources = expressions();
    let expected = expected(&sources);
    let mut failures = Vec::new();
    for source in &sources {
        let Some(theirs) = expected.get(source) else {
            failures.push(format!(
                "{source}\n  has no stored answer: WEIR_REGENERATE=1"
            ));
            continue;
        };
        let ours = ours(source);
        if stricter(&ours, theirs) || decided(source, &ours, theirs) {
            continue;
        }
        let deliberate = DELIBERATE
            .iter()
            .any(|(_, all)| all.contains(&source.as_str()));
        if (ours == *theirs) == deliberate {
            failures.push(format!(
                "{source}\n  weir      {ours}\n  terraform {theirs}"
            ));
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {} differ\n{}",
        failures.len(),
        sources.len(),
        failures.join("\n")
    );
}

#[test]
fn stored_answers_are_terraforms() {
    if !terraform::is_there() {
        println!("SKIPPED: terraform is not on the path");
        return;
    }
    let sources = expressions();
    let stored = expected(&sources);
    // Every expression is asked in some run of the suite's history; a part will do each time.
    let part: Vec<&str> = sources.iter().map(String::as_str).step_by(10).collect();
    for (source, live) in theirs(&part) {
        assert_eq!(
            stored.get(&source),
            Some(&live),
            "{source}: WEIR_REGENERATE=all"
        );
    }
}
