//! Expressions beside Terraform: values, types and refusals are equal.
//!
//! `expressions/*.txt` holds one expression per line (`\n` outside quotes stands for a line end in
//! a heredoc line). `expressions/expected.json` holds what Terraform 1.11 makes of each. Where the
//! `terraform` binary is on the path it is asked again, and the stored answers must be its own;
//! `WEIR_REGENERATE=1` writes them.

#![allow(clippy::unwrap_used)] // helpers of tests

use serde_json::{Value as Json, json};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};
use weir_core::{Marks, Type, Value, json::type_to_json};
use weir_lang::{
    eval::{Context, EvalError, Resolved, Scope, eval},
    functions::Registry,
    ir::Reference,
    parse,
    sources::Sources,
};

/// Where both sides differ on purpose, and why.
const DELIBERATE: &[(&str, &str)] = &[
    (
        "1.1 * 1.1",
        "decimals are exact, where Terraform has a 2 in the 154th place",
    ),
    (
        "12345678901234567890.12345678901234567890 * 12345678901234567890.12345678901234567890",
        "decimals are exact, where Terraform has a 2 in the 154th place",
    ),
    (
        "1/4096/4096/4096",
        "Terraform's state rounds the digits off that a double needs none of",
    ),
    (
        "1 % 0",
        "Terraform gives 1; a remainder by zero is refused as a division by it is",
    ),
    (
        "cidrsubnet(\"10.1.2.0/24\", 4, -1)",
        "Terraform gives 0.0.0.16/28, outside the network",
    ),
    ("toset([1, null])", "the order of a null in a set differs"),
    (
        "issensitive(false && sensitive(true))",
        "the right side is not evaluated",
    ),
    ("jsonencode(-0)", "a zero has no sign"),
    (
        "yamlencode({\"a: b\" = 1, \"\" = 2, \"\\n\" = 3})",
        "a key with a line end is quoted",
    ),
    (
        "yamldecode(\"\\ta: 1\")",
        "a tab before a key at the top is no indentation",
    ),
    (
        "yamldecode(\"%YAML 1.2\\n---\\na: 1\\n\")",
        "the version directive is taken",
    ),
    (
        "cidrhost(\"2001:db8::/32\", 79228162514264337593543950336)",
        "Terraform's is outside",
    ),
    (
        "cidrhost(\"::ffff:10.0.0.0/120\", 1)",
        "Terraform's is outside the network",
    ),
    (
        "cidrsubnet(\"10.0.0.0/8\", -1, 0)",
        "Terraform widens the network",
    ),
    (
        "templatestring(\"a\", {})",
        "any text is taken, not a reference alone",
    ),
    ("format(\"%v\", null)", "Terraform gives an unknown value"),
    ("format(\"%s\", null)", "Terraform gives an unknown value"),
];

struct Nothing(Context);

impl Scope for Nothing {
    fn resolve(&self, reference: &Reference) -> Result<Resolved, EvalError> {
        Err(weir_core::Diagnostic::error(format!("there is no `{reference}`")).into())
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

/// What weir makes of an expression: its type and value, or null where it is refused.
fn ours(source: &str) -> Json {
    let text: Arc<str> = source.into();
    let mut sources = Sources::new();
    sources.add("test".into(), text.clone());
    let scope = Nothing(Context {
        sources: Arc::new(sources),
        functions: Arc::new(Registry::standard()),
        files: None,
        module_dir: PathBuf::new(),
        root_dir: PathBuf::new(),
        home: None,
        now: None,
        settled: None,
    });
    let Ok(expr) = parse::parse_expr("test".into(), &text) else {
        return Json::Null;
    };
    match eval(&expr, &scope) {
        Ok(value) if value.marks_deep().contains(Marks::SENSITIVE) => json!("sensitive"),
        Ok(value) => json!({"type": type_to_json(&value.ty()), "value": plain(&value)}),
        Err(_) => Json::Null,
    }
}

fn plain(value: &Value) -> Json {
    if value.is_unknown() {
        return json!("(unknown)");
    }
    match value.ty() {
        Type::Number => serde_json::from_str(&value.to_string()).unwrap(),
        Type::String | Type::Bool => match (value.as_str(), value.as_bool()) {
            (Some(s), _) => json!(s),
            (_, Some(b)) => json!(b),
            _ => Json::Null,
        },
        _ if value.is_null() => Json::Null,
        _ => match value.as_entries() {
            Some(entries) => entries
                .iter()
                .map(|(k, v)| (k.to_string(), plain(v)))
                .collect(),
            None => value.children().map(plain).collect(),
        },
    }
}

/// What Terraform makes of them; `None` where it is not there. Each that weir can't parse is asked
/// alone, as an open quote would swallow those after it.
fn terraforms(sources: &[String]) -> Option<BTreeMap<String, Json>> {
    if Command::new("terraform").arg("version").output().is_err() {
        return None;
    }
    let parses = |s: &&String| parse::parse_expr("test".into(), &s.as_str().into()).is_ok();
    let (sound, broken): (Vec<&String>, Vec<&String>) = sources.iter().partition(parses);
    let mut answers = ask(&sound);
    for source in broken {
        answers.extend(ask(&[source]));
    }
    Some(answers)
}

/// One run over all of them, and again without those that are refused before evaluation.
fn ask(sources: &[&String]) -> BTreeMap<String, Json> {
    let folder = tempfile::tempdir().unwrap();
    let mut answers = BTreeMap::new();
    let mut asked: Vec<usize> = (0..sources.len()).collect();
    while !asked.is_empty() {
        let mut config = String::new();
        let mut lines = BTreeMap::new();
        for i in &asked {
            let start = config.matches('\n').count() + 1;
            let source = sources[*i];
            config.push_str(&format!(
                "output \"t{i}\" {{\n  value = [try({source}, \"(refused)\")]\n}}\n"
            ));
            for line in start..=config.matches('\n').count() {
                lines.insert(line, *i);
            }
        }
        fs::write(folder.path().join("main.tf"), config).unwrap();
        let run = Command::new("terraform")
            .args(["apply", "-auto-approve", "-json"])
            .current_dir(folder.path())
            .output()
            .unwrap();
        if run.status.success() {
            break;
        }
        let stdout = String::from_utf8_lossy(&run.stdout);
        let mut refused = refused(&stdout, &lines);
        if let [only] = asked.as_slice() {
            refused.push(*only);
        }
        let errors = || {
            stdout
                .lines()
                .filter(|l| l.contains("\"error\""))
                .collect::<Vec<_>>()
        };
        assert!(
            !refused.is_empty(),
            "{:?} {}",
            errors(),
            String::from_utf8_lossy(&run.stderr)
        );
        for i in asked.extract_if(.., |i| refused.contains(i)) {
            answers.insert(sources[i].clone(), Json::Null);
        }
    }
    if asked.is_empty() {
        return answers;
    }
    let run = Command::new("terraform")
        .args(["output", "-json"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let outputs: BTreeMap<String, Json> = serde_json::from_slice(&run.stdout).unwrap();
    for i in asked {
        let output = outputs
            .get(&format!("t{i}"))
            .unwrap_or_else(|| panic!("terraform has no answer to {}", sources[i]));
        let value = output["value"][0].clone();
        let answer = if value == json!("(refused)") {
            Json::Null
        } else {
            json!({"type": output["type"][1][0], "value": value})
        };
        answers.insert(sources[i].clone(), answer);
    }
    answers
}

/// Which are refused: those a diagnostic points at, and those that divide by zero, where Terraform
/// computes an infinity that it can't store.
fn refused(stdout: &str, lines: &BTreeMap<usize, usize>) -> Vec<usize> {
    let mut refused: Vec<usize> = stdout
        .lines()
        .filter_map(|line| serde_json::from_str::<Json>(line).ok())
        .filter_map(|m| m["diagnostic"]["range"]["start"]["line"].as_u64())
        .filter_map(|line| lines.get(&usize::try_from(line).ok()?).copied())
        .collect();
    for after in stdout.split("output value \\\"t").skip(1) {
        refused.extend(
            after
                .split('\\')
                .next()
                .and_then(|n| n.parse::<usize>().ok()),
        );
    }
    refused
}

#[test]
fn equal_to_terraform() {
    let sources = expressions();
    let stored = folder().join("expected.json");
    let live = terraforms(&sources);
    if live.is_none() {
        println!("SKIPPED in part: terraform is not on the path, the stored answers are used");
    }
    if let Some(live) = &live
        && std::env::var_os("WEIR_REGENERATE").is_some()
    {
        fs::write(&stored, serde_json::to_string_pretty(live).unwrap() + "\n").unwrap();
    }
    let expected: BTreeMap<String, Json> =
        serde_json::from_str(&fs::read_to_string(&stored).unwrap()).unwrap();
    if let Some(live) = &live {
        assert_eq!(
            *live, expected,
            "stored answers differ from terraform's: WEIR_REGENERATE=1"
        );
    }
    let mut failures = Vec::new();
    for source in &sources {
        let Some(theirs) = expected.get(source) else {
            failures.push(format!(
                "{source}\n  has no stored answer: WEIR_REGENERATE=1"
            ));
            continue;
        };
        let ours = ours(source);
        let deliberate = DELIBERATE.iter().any(|(s, _)| s == source);
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
