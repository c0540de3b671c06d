//! Functions of providers, through the registry. Those of the provider `terraform` are compared
//! with Terraform 1.11: its answers are stored in `functions/terraform.json`, and
//! `WEIR_REGENERATE=1 cargo test -p weir-engine --test functions` asks it again.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test may panic as the test may"
)]

use serde_json::{Value as Json, json};
use std::{collections::BTreeMap, fs, io::Write as _, path::Path, process, sync::Arc};
use weir_core::{Diagnostics, Kind, Marks, Type, Value};
use weir_engine::Registry;
use weir_fake::{FakeProvider, TerraformProvider};
use weir_lang::{Evaluator, Inputs, MemoryFiles, Next, NoCatalog, load, parse};

const REQUIRED: &str = r#"
terraform {
  required_providers {
    tf = { source = "terraform.io/builtin/terraform" }
  }
}
"#;

fn evaluator(config: &str) -> Evaluator {
    let files = MemoryFiles([("main.tf".into(), config.as_bytes().to_vec())].into());
    let loaded = load(Arc::new(files), &NoCatalog, &Inputs::default()).unwrap();
    let registry = Registry::new()
        .with("terraform", || Arc::new(TerraformProvider::new()))
        .with("fake", || Arc::new(FakeProvider::new()));
    Evaluator::new(loaded.config, Arc::new(registry))
}

fn ask(evaluator: &mut Evaluator, source: &str) -> Result<Value, Diagnostics> {
    let expr =
        parse::parse_expr("test".into(), &source.into()).map_err(|d| Diagnostics(vec![*d]))?;
    evaluator.value_of(&expr)
}

fn ours(evaluator: &mut Evaluator, source: &str) -> Json {
    match ask(evaluator, &format!("jsonencode([{source}])")) {
        Ok(value) if value.marks_deep().contains(Marks::SENSITIVE) => json!("(sensitive value)"),
        Ok(value) => serde_json::from_str(value.as_str().unwrap()).unwrap(),
        Err(_) => Json::Null,
    }
}

/// What Terraform says to each.
fn terraforms(sources: &[&str]) -> BTreeMap<String, Json> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("main.tf"), REQUIRED).unwrap();
    let terraform = |args: &[&str], input: &str| {
        let mut child = process::Command::new("terraform")
            .args(args)
            .current_dir(folder.path())
            .env("CHECKPOINT_DISABLE", "1")
            .stdin(process::Stdio::piped())
            .stdout(process::Stdio::piped())
            .stderr(process::Stdio::null())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        child.wait_with_output().unwrap()
    };
    assert!(terraform(&["init"], "").status.success());
    let answer = |source: &str| {
        let run = terraform(&["console"], &format!("jsonencode([{source}])\n"));
        let text = String::from_utf8(run.stdout).unwrap();
        match text.trim() {
            _ if !run.status.success() => Json::Null,
            "(sensitive value)" => json!("(sensitive value)"),
            quoted => {
                let text: String = serde_json::from_str(quoted).unwrap();
                serde_json::from_str(&text).unwrap()
            }
        }
    };
    sources
        .iter()
        .map(|s| ((*s).to_owned(), answer(s)))
        .collect()
}

#[test]
fn those_of_terraform_equal_terraforms() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/functions");
    let sources = fs::read_to_string(folder.join("terraform.txt")).unwrap();
    let sources: Vec<&str> = sources.lines().filter(|l| !l.is_empty()).collect();
    let stored = folder.join("terraform.json");
    if std::env::var_os("WEIR_REGENERATE").is_some() {
        let text = serde_json::to_string_pretty(&terraforms(&sources)).unwrap();
        fs::write(&stored, text + "\n").unwrap();
    }
    let expected: BTreeMap<String, Json> =
        serde_json::from_str(&fs::read_to_string(&stored).unwrap()).unwrap();
    let mut evaluator = evaluator(REQUIRED);
    let mut failures = Vec::new();
    for source in sources {
        let (weir, theirs) = (ours(&mut evaluator, source), &expected[source]);
        if weir != *theirs {
            failures.push(format!(
                "{source}\n  weir      {weir}\n  terraform {theirs}"
            ));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn what_a_provider_does_not_see() {
    let mut ev = evaluator(
        r#"
variable "secret" {
  default   = "hunter2"
  sensitive = true
}
resource "terraform_data" "open" {}
locals { open = terraform_data.open.id }
"#,
    );
    while let Ok(next) = ev.next() {
        match next {
            Next::Instance(i) => {
                let id = Value::unknown(Type::String);
                ev.supply(&i.address, i.config.clone().with("id", id));
            }
            Next::Done => break,
            _ => {}
        }
    }
    let joined = ask(&mut ev, r#"provider::fake::join("-", "a", 1, true)"#).unwrap();
    assert_eq!(joined.as_str(), Some("a-1-true"));
    let secret = ask(&mut ev, r#"provider::fake::join(var.secret, "a", "b")"#).unwrap();
    assert!(secret.is_sensitive());
    let open = ask(&mut ev, r#"provider::fake::join("-", local.open)"#).unwrap();
    assert!(open.is_unknown() && open.ty() == Type::String, "{open}");
    let open = ask(&mut ev, "provider::terraform::encode_expr([local.open])").unwrap();
    let Kind::Unknown(Type::String, known) = open.kind() else {
        panic!("{open}");
    };
    assert!(known.not_null && known.prefix.as_deref() == Some("["));
    assert!(
        ask(&mut ev, "provider::terraform::decode_tfvars(local.open)")
            .unwrap()
            .is_unknown()
    );
}

#[test]
fn refusals() {
    let table = [
        (
            r#"provider::fake::join()"#,
            "takes at least 1 argument, and got 0",
            "join(separator, words...)",
        ),
        (
            r#"provider::fake::join(null)"#,
            "argument `separator` of `provider::fake::join` is wrong",
            "null",
        ),
        (
            r#"provider::fake::join("-", null)"#,
            "argument `words` of",
            "null",
        ),
        (
            r#"provider::fake::join("-", [])"#,
            "argument `words` of",
            "String",
        ),
        (
            r#"provider::fake::refuse("argument")"#,
            "argument `how` of",
            "taste",
        ),
        (
            r#"provider::fake::refuse("call")"#,
            "the call of `provider::fake::refuse` failed",
            "told to fail",
        ),
        (
            r#"provider::fake::refuse("type")"#,
            "the call of",
            "something else than it says",
        ),
        (
            r#"provider::fake::refuse("panic")"#,
            "the call of",
            "told to",
        ),
        (
            r#"provider::fake::refuse(sensitive("argument"))"#,
            "argument `how` of",
            "sensitive value",
        ),
        (
            r#"provider::fake::jion("-")"#,
            "provider `fake` has no function `jion`",
            "Did you mean `provider::fake::join`?",
        ),
        (
            r#"provider::tff::encode_expr(1)"#,
            "no provider `tff`",
            "Did you mean `provider::tf::encode_expr`?",
        ),
        (
            r#"provider::aws::arn_parse("x")"#,
            "no provider `aws`",
            "required_providers",
        ),
        (
            r#"provider::fake()"#,
            "does not name a function",
            "provider::NAME::FUNCTION",
        ),
        (
            r#"aws::arn_parse("x")"#,
            "no namespace `aws`",
            "provider::NAME::FUNCTION",
        ),
    ];
    let mut ev = evaluator(REQUIRED);
    for (source, summary, more) in table {
        let found = ask(&mut ev, source).unwrap_err();
        let d = &found.0[0];
        let rest = format!("{} {}", d.detail, d.help.as_deref().unwrap_or_default());
        assert!(d.summary.contains(summary), "{source}: {}", d.summary);
        assert!(
            rest.to_lowercase().contains(&more.to_lowercase()),
            "{source}: {rest}"
        );
    }
}
