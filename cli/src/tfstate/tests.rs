//! State files there and back.

#![allow(clippy::unwrap_used)]

use super::*;
use serde_json::json;
use std::{collections::BTreeMap, io::Read as _};
use weir_core::{
    Address,
    schema::Schema,
    snapshot::{Snapshot, Status},
};
use weir_lang::Schemas;

/// 212 resources of Terraform's own aws provider, made by `tests/tests/tfstate.rs`.
const AWS: &[u8] = include_bytes!("../../tests/tfstate/aws.tfstate.gz");

struct Nothing;

impl Schemas for Nothing {
    fn resource(&self, _: &str) -> Option<&Schema> {
        None
    }
    fn data(&self, _: &str) -> Option<&Schema> {
        None
    }
    fn provider(&self, _: &str) -> Option<&Schema> {
        None
    }
    fn provider_of(&self, _: &str) -> Option<&str> {
        None
    }
}

fn registry() -> weir_engine::Registry {
    crate::compose::registry(&crate::env::Env::default())
}

fn aws() -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(AWS)
        .read_to_string(&mut text)
        .unwrap();
    text
}

fn state(taken: Taken) -> (Snapshot, Option<Vec<weir_core::checks::CheckResult>>) {
    let checks = taken.checks.clone();
    let state = taken.into_snapshot();
    state.verify().unwrap();
    (state, checks)
}

fn there_and_back(text: &str, schemas: &dyn Schemas) -> Json {
    let (state, checks) = state(read(text, schemas).unwrap());
    write(&state, checks.as_deref(), schemas)
}

/// Lists every field in which two documents differ.
fn differences(a: &Json, b: &Json, at: &str, found: &mut Vec<String>) {
    match (a, b) {
        (Json::Object(a), Json::Object(b)) => {
            let names = a.keys().chain(b.keys().filter(|k| !a.contains_key(*k)));
            for name in names {
                let (a, b) = (a.get(name), b.get(name));
                let at = format!("{at}.{name}");
                match (a, b) {
                    (Some(a), Some(b)) => differences(a, b, &at, found),
                    _ => found.push(format!("{at}: {a:?} {b:?}")),
                }
            }
        }
        (Json::Array(a), Json::Array(b)) if a.len() == b.len() => {
            for (i, (a, b)) in a.iter().zip(b).enumerate() {
                differences(a, b, &format!("{at}[{i}]"), found);
            }
        }
        (a, b) if a == b => {}
        (a, b) => found.push(format!("{at}: {a} {b}")),
    }
}

#[test]
fn every_field_of_a_real_state_comes_back() {
    let text = aws();
    let given: Json = serde_json::from_str(&text).unwrap();
    let registry = registry();
    for schemas in [&registry as &dyn Schemas, &Nothing] {
        let mut found = Vec::new();
        let got = there_and_back(&text, schemas);
        differences(&given, &got, "", &mut found);
        assert!(found.is_empty(), "{found:#?}");
    }
    let taken = read(&text, &registry).unwrap();
    assert!(taken.resources.len() >= 200, "{}", taken.resources.len());
}

fn at(text: &str) -> Address {
    text.parse().unwrap()
}

#[test]
fn direct_dependencies_are_told_from_those_behind() {
    let taken = read(&aws(), &Nothing).unwrap();
    let on = |text: &str| -> Vec<String> {
        let on = &taken.resources[&at(text)].dependencies;
        on.iter().map(Address::to_string).collect()
    };
    assert_eq!(
        on("aws_sns_topic_subscription.s[3]"),
        ["aws_sns_topic.t", "aws_sqs_queue.q"]
    );
    assert_eq!(
        on("module.net[\"eu\"].aws_security_group_rule.in[\"db\"]"),
        [
            "module.net[\"eu\"].aws_security_group.g",
            "module.net[\"us.east\"].aws_security_group.g"
        ]
    );
}

#[test]
fn secrets_stay_marked() {
    let text = aws();
    for schemas in [&registry() as &dyn Schemas, &Nothing] {
        let taken = read(&text, schemas).unwrap();
        // Terraform itself writes the output of a `terraform_data` as if it were no secret.
        for text in [
            "aws_ssm_parameter.p[1]",
            "aws_s3_object.o[0]",
            "aws_secretsmanager_secret_version.v[2]",
        ] {
            let shown = format!("{:?}", taken.resources[&at(text)]);
            assert!(!shown.contains("hush-hush"), "{text}: {shown}");
        }
        assert!(taken.outputs["password"].value().is_sensitive());
    }
}

/// A file with these instances of one block.
fn file(instances: Json) -> String {
    let block = json!({
        "mode": "managed",
        "type": "acme_thing",
        "name": "a",
        "provider": "provider[\"example.com/corp/acme\"].west",
        "instances": instances,
    });
    blocks(json!([block]))
}

fn blocks(resources: Json) -> String {
    json!({
        "version": 4,
        "terraform_version": "1.11.4",
        "serial": 7,
        "lineage": "0b9b3c1e-aaaa-bbbb-cccc-0123456789ab",
        "outputs": {},
        "resources": resources,
        "check_results": null,
    })
    .to_string()
}

fn instance(more: Json) -> Json {
    let mut row = json!({
        "schema_version": 0,
        "attributes": { "id": "i-1" },
        "sensitive_attributes": [],
    });
    for (name, value) in more.as_object().unwrap() {
        row[name] = value.clone();
    }
    row
}

#[test]
fn what_a_state_may_hold_comes_back() {
    let open = json!({ "value": { "k": [1, "a"] }, "type": ["object", { "k": ["tuple", ["number", "string"]] }] });
    let table = [
        instance(json!({ "status": "tainted" })),
        instance(json!({ "index_key": 7 })),
        instance(json!({ "index_key": "a.b[\"c\"] ${x}" })),
        instance(json!({ "private": "AP8B" })),
        instance(json!({ "create_before_destroy": true })),
        instance(json!({ "identity_schema_version": 1, "identity": { "arn": "x" } })),
        instance(json!({ "dependencies": ["data.x.gone", "module.m.acme_thing.gone"] })),
        instance(
            json!({ "attributes": { "n": 12345678901234567890u64, "f": 1.5, "e": [], "o": {}, "z": null } }),
        ),
        instance(json!({ "attributes": { "manifest": open } })),
        // Not a value with its type, though it looks like one.
        instance(json!({ "attributes": { "rule": { "value": "x", "type": "CNAME" } } })),
        instance(json!({ "attributes": { "rule": { "value": "x", "type": "number" } } })),
        instance(json!({
            "attributes": { "m": { "a": "1" }, "l": [{ "p": "2" }], "manifest": open },
            "sensitive_attributes": [
                [{ "type": "get_attr", "value": "m" }, { "type": "index", "value": { "value": "a", "type": "string" } }],
                [{ "type": "get_attr", "value": "l" }, { "type": "index", "value": { "value": 0, "type": "number" } }, { "type": "get_attr", "value": "p" }],
                [{ "type": "get_attr", "value": "manifest" }, { "type": "get_attr", "value": "k" }],
                [{ "type": "get_attr", "value": "nowhere" }],
            ],
        })),
    ];
    for row in table {
        let text = file(json!([row]));
        let given: Json = serde_json::from_str(&text).unwrap();
        let mut found = Vec::new();
        differences(&given, &there_and_back(&text, &Nothing), "", &mut found);
        assert!(found.is_empty(), "{row}\n{found:#?}");
    }
    // Objects put aside, beside the one in their place and without one.
    let rows = json!([
        instance(json!({ "index_key": 0 })),
        instance(json!({ "index_key": 0, "deposed": "0a1b2c3d" })),
        instance(json!({ "index_key": 1, "deposed": "4e5f6071", "status": "tainted" })),
    ]);
    let text = file(rows);
    let given: Json = serde_json::from_str(&text).unwrap();
    assert_eq!(there_and_back(&text, &Nothing), given);
    let taken = read(&text, &Nothing).unwrap();
    assert_eq!((taken.resources.len(), taken.deposed.len()), (1, 2));
    assert_eq!(taken.deposed[1].2.status, Status::Tainted);
}

#[test]
fn providers_are_known_again() {
    let table = [
        (
            "provider[\"registry.terraform.io/hashicorp/aws\"]",
            "aws",
            None,
        ),
        (
            "provider[\"registry.terraform.io/hashicorp/aws\"].west",
            "aws.west",
            None,
        ),
        (
            "provider[\"example.com/corp/aws\"]",
            "aws",
            Some("example.com/corp/aws"),
        ),
        (
            "provider[\"registry.opentofu.org/hashicorp/aws\"]",
            "aws",
            Some("registry.opentofu.org/hashicorp/aws"),
        ),
        (
            "module.net.provider[\"registry.terraform.io/hashicorp/aws\"].west",
            "module.net.aws.west",
            None,
        ),
        (
            "provider[\"terraform.io/builtin/terraform\"]",
            "terraform",
            None,
        ),
        (
            "provider[\"registry.terraform.io/hashicorp/aws\"].by[\"eu\"]",
            "aws.by[\"eu\"]",
            None,
        ),
    ];
    for (text, name, source) in table {
        let (provider, found) = provider_of(text).unwrap();
        assert_eq!(provider.to_string(), name);
        assert_eq!(found.as_deref(), source, "{text}");
        assert_eq!(provider_text(&provider, source), text);
    }
    let (old, source) = provider_of("provider.aws.west").unwrap();
    assert_eq!((old.to_string().as_str(), source), ("aws.west", None));
    assert_eq!(provider_of("aws"), None);
}

#[test]
fn what_would_be_lost_is_refused() {
    let wrong = |row: Json| file(json!([row]));
    let table: Vec<(String, &str)> = vec![
        ("{".into(), "JSON"),
        ("[]".into(), "no object"),
        ("{}".into(), "no `version`"),
        (r#"{"version":3,"serial":1}"#.into(), "format 3"),
        (r#"{"version":5}"#.into(), "format 5"),
        (
            r#"{"version":4,"encrypted_data":"x"}"#.into(),
            "encrypted by OpenTofu",
        ),
        (
            r#"{"version":4,"lineage":"a","extra":1}"#.into(),
            "`extra` would be lost",
        ),
        (r#"{"version":4,"lineage":""}"#.into(), "lineage"),
        (wrong(instance(json!({ "status": "strange" }))), "strange"),
        (wrong(instance(json!({ "index_key": -1 }))), "index -1"),
        (
            wrong(instance(json!({ "attributes": null }))),
            "no attributes",
        ),
        (
            wrong(instance(json!({ "attributes_flat": { "id": "x" } }))),
            "0.11",
        ),
        (wrong(instance(json!({ "private": "!" }))), "base64"),
        (
            wrong(instance(json!({ "schema_version": "x" }))),
            "schema_version",
        ),
        (
            wrong(instance(json!({ "dependencies": ["?"] }))),
            "no address",
        ),
        (
            file(json!([instance(json!({})), instance(json!({}))])),
            "twice",
        ),
        (
            blocks(
                json!([{ "mode": "managed", "type": "a", "name": "b", "provider": "x", "instances": [{}] }]),
            ),
            "provider x",
        ),
        (
            blocks(
                json!([{ "mode": "magic", "type": "a", "name": "b", "provider": "x", "instances": [] }]),
            ),
            "magic",
        ),
        (
            blocks(
                json!([{ "module": "net", "mode": "data", "type": "a", "name": "b", "provider": "x", "instances": [] }]),
            ),
            "module",
        ),
        (
            blocks(
                json!([{ "mode": "data", "type": "a b", "name": "b", "provider": "provider[\"a/b/c\"]", "instances": [instance(json!({}))] }]),
            ),
            "can't be kept",
        ),
    ];
    for (text, part) in table {
        let problems = read(&text, &Nothing).unwrap_err().join("; ");
        assert!(problems.contains(part), "{text}: {problems}");
    }
    // All of them at once.
    let text = file(json!([
        instance(json!({ "index_key": 0, "status": "x" })),
        instance(json!({ "index_key": 1, "private": "!" })),
    ]));
    assert_eq!(read(&text, &Nothing).unwrap_err().len(), 2);
}

#[test]
fn ways_that_lead_in_circles_are_kept() {
    let a = at("t.a");
    let (b, c) = (at("t.b"), at("t.c"));
    let set = |all: &[&Address]| all.iter().map(|a| (*a).clone()).collect();
    let ways: edges::Ways = BTreeMap::from([
        (a.clone(), set(&[&b, &c])),
        (b.clone(), set(&[&c])),
        (c.clone(), set(&[])),
    ]);
    assert_eq!(edges::direct(&ways[&a], &ways), set(&[&b]));
    assert_eq!(
        edges::closed(&BTreeMap::from([
            (a.clone(), set(&[&b])),
            (b.clone(), set(&[&c])),
            (c.clone(), set(&[])),
        ])),
        ways
    );
    let round: edges::Ways = BTreeMap::from([
        (a.clone(), set(&[&b, &c])),
        (b.clone(), set(&[&c])),
        (c.clone(), set(&[&b])),
    ]);
    assert_eq!(edges::direct(&round[&a], &round), set(&[&b, &c]));
}

/// What a document lists as `depends_on` is what the file has, before any apply.
#[test]
fn what_is_behind_an_instance_is_what_the_file_says() {
    let text = aws();
    let taken = read(&text, &Nothing).unwrap();
    let file: Json = serde_json::from_str(&text).unwrap();
    let mut with_some = 0;
    for block in file["resources"].as_array().unwrap() {
        for instance in block["instances"].as_array().unwrap() {
            let name = |mode: &str| {
                format!(
                    "{mode}{}.{}",
                    block["type"].as_str().unwrap(),
                    block["name"].as_str().unwrap()
                )
            };
            let module = block["module"]
                .as_str()
                .map_or(String::new(), |m| format!("{m}."));
            let mode = if block["mode"] == "data" { "data." } else { "" };
            let key = match &instance["index_key"] {
                Json::Null => String::new(),
                key => format!("[{key}]"),
            };
            let address: Address = format!("{module}{}{key}", name(mode)).parse().unwrap();
            let listed = instance["dependencies"].as_array().into_iter().flatten();
            let mut listed: Vec<&str> = listed.map(|d| d.as_str().unwrap()).collect();
            listed.sort_unstable();
            with_some += usize::from(!listed.is_empty());
            assert_eq!(taken.references.behind(&(address, None)), listed);
        }
    }
    assert!(
        with_some > 20,
        "only {with_some} instances depend on something"
    );
}
