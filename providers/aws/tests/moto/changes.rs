//! What one change alone leads to, beside Terraform's provider: `schema/changes.txt` has, for each
//! attribute of each type, what hashicorp/aws plans. Needs no server and no Terraform.

use serde_json::Value as Json;
use std::{collections::BTreeSet, fmt::Write as _};
use weir_aws::{AwsProvider, Pacing};
use weir_core::{Known, Path, Value, schema::Schema};
use weir_provider::{
    PlanRequest, Provider as _,
    conformance::body,
    declared::{Beside, shape},
    proposed,
};

/// Where weir plans something else on purpose: the type, the change, what it plans, and why.
const APART: &[(&str, &str, &str, &str)] = &[
    (
        "aws_eip",
        r#"{"domain":"standard"}"#,
        "refused",
        "EC2-Classic is no more: AWS refuses it, and so does the plan",
    ),
    (
        "aws_instance",
        r#"{"security_groups":["x"]}"#,
        "refused",
        "beside `vpc_security_group_ids`, AWS refuses it, and so does the plan",
    ),
    (
        "aws_launch_template",
        r#"{"tag_specifications":[{"resource_type":"vpc","tags":{"a":"b"}}]}"#,
        "refused",
        "no machine is made of a VPC: AWS refuses it, and so does the plan",
    ),
    (
        "aws_instance",
        r#"{"ebs_block_device":[{"device_name":"/dev/sdf","volume_size":6}]}"#,
        "update",
        DISKS,
    ),
    (
        "aws_instance",
        r#"{"ebs_block_device":[{"device_name":"/dev/sdf","volume_size":5,"volume_type":"gp3"}]}"#,
        "update",
        DISKS,
    ),
    (
        "aws_instance",
        r#"{"ebs_block_device":[{"device_name":"/dev/sdf","encrypted":true,"volume_size":5}]}"#,
        "replace",
        DISKS,
    ),
    (
        "aws_instance",
        r#"{"ebs_block_device":[{"delete_on_termination":false,"device_name":"/dev/sdf","volume_size":5}]}"#,
        "update",
        DISKS,
    ),
];

/// Why changes of disks are apart.
const DISKS: &str = "Terraform sees no change of a disk that is there already, as its book says";

/// An object of the file, and its changes with what Terraform plans.
struct Object {
    kind: String,
    name: String,
    config: Json,
    state: Json,
    changes: Vec<(Json, String)>,
}

fn objects() -> Vec<Object> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/changes.txt");
    let text = std::fs::read_to_string(file).unwrap();
    let json = |text: &str| serde_json::from_str::<Json>(text).unwrap();
    let mut all: Vec<Object> = Vec::new();
    for line in text.lines() {
        let (word, rest) = line.trim_start().split_once(' ').unwrap();
        match word {
            "object" => {
                let (kind, name) = rest.split_once(' ').unwrap();
                all.push(Object {
                    kind: kind.into(),
                    name: name.into(),
                    config: Json::Null,
                    state: Json::Null,
                    changes: Vec::new(),
                });
            }
            "config" => all.last_mut().unwrap().config = json(rest),
            "state" => all.last_mut().unwrap().state = json(rest),
            _ => {
                let (change, answer) = line.split_once(" => ").unwrap();
                let change = (json(change), answer.to_owned());
                all.last_mut().unwrap().changes.push(change);
            }
        }
    }
    all
}

/// The configuration with the change made.
fn changed(config: &Json, change: &Json) -> Json {
    let mut all = config.as_object().unwrap().clone();
    all.extend(change.as_object().unwrap().clone());
    // Of nested blocks, none are as if they were not mentioned; of attributes, they are none.
    let blocks = ["ebs_block_device", "metadata_options"];
    let left_out = |k: &str, v: &Json| blocks.contains(&k) && *v == serde_json::json!([]);
    all.retain(|k, v| !(v.is_null() || left_out(k, v)));
    Json::Object(all)
}

/// The object as weir has it in state: Terraform's keeps a digest of user data, and tags of disks.
fn recorded(object: &Object, schema: &Schema) -> Known {
    let config = body(&schema.block, &object.config);
    let mut found = object.state.as_object().unwrap().clone();
    found.remove("user_data");
    let disks = found
        .get_mut("ebs_block_device")
        .and_then(Json::as_array_mut);
    for disk in disks.into_iter().flatten() {
        disk.as_object_mut().unwrap().remove("tags");
    }
    Known::new(shape(&schema.block, &found, &config, Beside::Known)).unwrap()
}

/// What weir plans: the word, and the first steps of the paths that replace.
async fn planned(
    provider: &AwsProvider,
    object: &Object,
    prior: &Known,
    config: &Value,
) -> (String, BTreeSet<String>) {
    let refused = provider.validate(&object.kind, config).await;
    if refused.has_errors() {
        return (format!("refused ({refused})"), BTreeSet::new());
    }
    let schema = &provider.schema().resources[&object.kind];
    let request = PlanRequest {
        type_name: object.kind.clone(),
        address: format!("{}.{}", object.kind, object.name),
        prior: Some(prior.clone()),
        config: config.clone(),
        proposed: proposed::merge(schema, Some(prior.value()), config),
        private: Vec::new(),
    };
    let response = provider.plan(request).await.unwrap();
    let was = prior.value();
    let first = |p: &Path| p.to_string().split(['.', '[']).next().unwrap().to_owned();
    let paths: BTreeSet<String> = (response.requires_replace.iter())
        .filter(|p| was.at(p) != response.planned.at(p))
        .map(first)
        .collect();
    let word = match (paths.is_empty(), response.planned == *was) {
        (false, _) => "replace".to_owned(),
        (_, true) => "no-op".to_owned(),
        _ => {
            let differ = was
                .as_entries()
                .into_iter()
                .flatten()
                .filter(|(k, v)| response.planned.get(k) != Some(v));
            differ.fold("update".to_owned(), |mut text, (k, v)| {
                let _ = write!(text, " {k}: {v} -> {}", response.planned.get(k).unwrap());
                text
            })
        }
    };
    (word, paths)
}

#[tokio::test]
async fn each_change_alone_leads_where_terraform_goes() {
    let provider = AwsProvider::new(Pacing::default());
    let config = serde_json::json!({
        "region": "eu-central-1",
        "access_key": "weir",
        "secret_key": "weir-secret",
    });
    let config = body(&provider.schema().provider.block, &config);
    provider.configure(&config).await.unwrap();
    let (mut differ, mut count) = (Vec::new(), 0);
    for object in objects() {
        let Object { kind, name, .. } = &object;
        let schema = &provider.schema().resources[kind];
        let prior = recorded(&object, schema);
        let unchanged = body(&schema.block, &object.config);
        let (word, _) = planned(&provider, &object, &prior, &unchanged).await;
        if word != "no-op" {
            differ.push(format!("{kind}.{name} unchanged: {word}"));
        }
        for (change, theirs) in &object.changes {
            count += 1;
            let config = body(&schema.block, &changed(&object.config, change));
            let (word, paths) = planned(&provider, &object, &prior, &config).await;
            let mut words = theirs.split(' ');
            let theirs_word = words.next().unwrap();
            let theirs_paths: BTreeSet<String> = words
                .map(|w| w.split('.').next().unwrap().to_owned())
                .collect();
            let ours = word.split(' ').next().unwrap();
            let text = change.to_string();
            if let Some((_, _, wanted, _)) = APART.iter().find(|(k, c, ..)| k == kind && *c == text)
            {
                if ours != *wanted {
                    differ.push(format!("{kind}.{name} {text}: no longer apart: {word}"));
                }
                continue;
            }
            if ours != theirs_word || (ours == "replace" && paths != theirs_paths) {
                differ.push(format!(
                    "{kind}.{name} {text}: Terraform {theirs}, weir {word} {paths:?}"
                ));
            }
        }
    }
    assert!(count > 250, "only {count} changes are there");
    assert!(
        differ.is_empty(),
        "of {count}, {} differ:\n{}",
        differ.len(),
        differ.join("\n")
    );
}
