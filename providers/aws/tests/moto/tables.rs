//! The tables of the folder `schema` against the provider they were extracted from.

use std::{
    process::{Command, Stdio},
    time::Duration,
};
use weir_aws::{AwsProvider, Pacing};
use weir_core::schema::{Block, OnChange};
use weir_provider::{Provider as _, conformance::body};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schema");

/// Where an installed provider lies, as in a mirror; `WEIR_TERRAFORM_MIRROR` names another.
fn mirror() -> String {
    std::env::var("WEIR_TERRAFORM_MIRROR").unwrap_or_else(|_| "/opt/tf-plugins".into())
}

#[test]
fn the_table_is_what_terraforms_provider_says() {
    let folder = tempfile::tempdir().unwrap();
    let config = "terraform {\n  required_providers {\n    aws = {\n      source  = \"hashicorp/aws\"\n      version = \"5.100.0\"\n    }\n  }\n}\n";
    std::fs::write(folder.path().join("main.tf"), config).unwrap();
    let mirror = format!(
        "provider_installation {{\n  filesystem_mirror {{\n    path = {:?}\n  }}\n}}\n",
        mirror()
    );
    let rc = folder.path().join("rc");
    std::fs::write(&rc, mirror).unwrap();
    let script = format!(
        "terraform init -input=false >init.log && terraform providers schema -json | python3 {FOLDER}/extract.py"
    );
    let run = Command::new("sh")
        .args(["-c", &script])
        .current_dir(folder.path())
        .env("TF_CLI_CONFIG_FILE", &rc)
        .env("CHECKPOINT_DISABLE", "1")
        .stderr(Stdio::null())
        .output();
    let said = run.map(|o| String::from_utf8(o.stdout).unwrap());
    let Some(said) = said.ok().filter(|s| !s.is_empty()) else {
        println!("SKIPPED: terraform with hashicorp/aws 5.100.0 is not installed");
        return;
    };
    let stored = std::fs::read_to_string(format!("{FOLDER}/terraform.txt")).unwrap();
    assert!(
        said == stored,
        "schema/terraform.txt is not what {FOLDER}/extract.py writes"
    );
}

/// Every line of both tables is understood, and names something that is there.
#[test]
fn the_rules_are_about_what_there_is() {
    let provider = AwsProvider::new(Pacing::default());
    let schema = provider.schema();
    let rules = std::fs::read_to_string(format!("{FOLDER}/rules.txt")).unwrap();
    let mut of: Option<&Block> = None;
    let mut checked = 0;
    for line in rules.lines().filter(|l| !l.starts_with('#')) {
        let Some(rule) = line.strip_prefix("  ") else {
            of = schema.resources.get(line).map(|s| &s.block);
            assert!(of.is_some(), "there is no type {line}");
            continue;
        };
        let (path, word) = rule.split_once(' ').unwrap();
        let (block, name) =
            within(of.unwrap(), path).unwrap_or_else(|| panic!("no {path}: {line}"));
        let is_there = block.attributes.contains_key(name) || block.blocks.contains_key(name);
        assert!(is_there, "there is no {path}: {line}");
        if let (Some(a), "new") = (block.attributes.get(name), word) {
            assert_eq!(a.on_change, OnChange::Replace, "{line}");
        }
        let words = ["new", "provider", "computed", "refused"];
        let known = words.contains(&word) || word.starts_with("default ");
        assert!(known, "what is {word:?}: {line}");
        checked += 1;
    }
    assert!(checked > 100, "only {checked} rules are there");
}

fn within<'a>(block: &'a Block, path: &'a str) -> Option<(&'a Block, &'a str)> {
    match path.split_once('.') {
        None => Some((block, path)),
        Some((first, rest)) => within(&block.blocks.get(first)?.block, rest),
    }
}

/// What the schema offers is there: no type is known by its name alone.
#[tokio::test]
async fn every_type_is_served() {
    let provider = AwsProvider::new(Pacing {
        budget: Duration::ZERO,
        ..Pacing::default()
    });
    let config = serde_json::json!({
        "region": "eu-central-1",
        "access_key": "weir",
        "secret_key": "weir",
        "endpoints": [{ "ec2": "http://127.0.0.1:1", "sts": "http://127.0.0.1:1" }],
    });
    let config = body(&provider.schema().provider.block, &config);
    provider.configure(&config).await.unwrap();
    for name in provider.schema().resources.keys() {
        let found = provider.import(name, "").await.unwrap_err().to_string();
        assert!(!found.contains("has no resource type"), "{name}: {found}");
    }
    assert_eq!(provider.schema().resources.len(), 20);
}
