//! `weir pool types`: what is chosen for the pools of a stack, in every way they can be written.

#![allow(clippy::unwrap_used)] // helpers of tests

mod common;

use common::Stack;
use serde_json::Value as Json;

/// A stack with pools, whose provider is not built in and need not be.
const STACK: &str = r#"
variable "cpus" { default = 4 }

provider "aws" {
  alias  = "fra"
  region = "eu-central-1"
}

cluster "main" {
  pool "cloud" {
    count = 2
    machine {
      cpus   = var.cpus
      memory = "16GiB"
      disk   = "40GB"
    }
    offer "spot" {
      provider = aws.fra
      market   = "spot"
      zones    = ["eu-central-1a"]
    }
    offer "ams" {
      provider = azurerm
      region   = "westeurope"
    }
    offer "gcp" {
      provider = google
      region   = "europe-west4"
    }
  }
}
"#;

fn json(stack: &Stack, line: &str) -> Json {
    serde_json::from_str(&stack.expect(0, line).out).unwrap()
}

/// Name, type and price of what each offer takes.
fn chosen(pool: &Json) -> Vec<(String, String, Option<f64>)> {
    let offers = pool["offers"].as_array().unwrap().iter();
    let chosen = offers.map(|o| {
        let text = |v: &Json| v.as_str().unwrap_or_default().to_owned();
        let best = &o["chosen"];
        (
            text(&o["name"]),
            text(&best["type"]),
            best["price_per_hour"].as_f64(),
        )
    });
    chosen.collect()
}

#[test]
fn each_offer_shows_its_type_its_price_and_why() {
    let stack = Stack::new(STACK);
    let shown = stack.expect(0, "pool types").out;
    for line in [
        "cluster.main.pool.cloud: 2 machines with 4 cpus and 16 GiB, amd64, disk 38 GiB, image debian-12",
        "1. offer spot: aws.fra, eu-central-1, spot, zones eu-central-1a",
        "   image: newest of owner 136693071363, name debian-12-amd64-*",
        "   => t3a.xlarge",
        "0.1728 an hour, 126.14 a month",
        "2. offer ams: azurerm, westeurope, on-demand",
        "   image: Debian:debian-12:12-gen2:latest",
        "3. offer gcp: google, europe-west4, on-demand",
        "projects/debian-cloud/global/images/family/debian-12",
        "   US dollars on demand of 2025-03-02, from apache-libcloud 3.9.1",
        "with `spot` the pool costs 0.3456 US dollars an hour, 252.29 a month",
    ] {
        assert!(shown.contains(line), "{line:?} is not in:\n{shown}");
    }
    // What is cheaper and lacks one thing stands there, all the rest with `-all`.
    assert!(shown.contains("other arch"), "{shown}");
    let all = stack.expect(0, "pool types -all cloud").out;
    assert!(all.lines().count() > 500, "{}", all.lines().count());
    assert!(all.contains("too few cpus, too little memory"));
}

#[test]
fn json_has_every_type_and_what_it_lacks() {
    let stack = Stack::new(STACK);
    let shown = json(
        &stack,
        "pool types -json -var=cpus=2 cluster.main.pool.cloud",
    );
    let pool = &shown["pools"][0];
    assert_eq!(shown["format_version"], "1.0");
    assert_eq!(pool["address"], "cluster.main.pool.cloud");
    assert_eq!(pool["machine"]["cpus"], 2);
    assert_eq!(pool["tried"], serde_json::json!(["spot", "ams", "gcp"]));
    let offer = &pool["offers"][0];
    let count = |name: &str| offer[name].as_array().unwrap().len();
    assert!(count("fitting") > 10 && count("passed_over") > 100);
    let prices = offer["fitting"].as_array().unwrap().iter();
    let prices: Vec<f64> = prices
        .filter_map(|c| c["price_per_hour"].as_f64())
        .collect();
    assert!(prices.is_sorted(), "{prices:?}");
    let hour = offer["chosen"]["price_per_hour"].as_f64().unwrap();
    let cost = pool["cost_per_hour"].as_f64().unwrap();
    assert!((cost - 2.0 * hour).abs() < 1e-9, "{cost} {hour}");
}

#[test]
fn an_offer_moves_to_another_cloud_by_its_provider_alone() {
    let of = |provider: &str, region: &str| {
        let stack = Stack::new(&format!(
            "provider \"{provider}\" {{ region = \"{region}\" }}
                 cluster \"c\" {{
                   pool \"p\" {{
                     count = 1
                     machine {{
                       cpus   = 2
                       memory = \"8GiB\"
                     }}
                     offer \"o\" {{ provider = {provider} }}
                   }}
                 }}"
        ));
        chosen(&json(&stack, "pool types -json")["pools"][0])
    };
    let o = |ty: &str, price| vec![("o".to_owned(), ty.to_owned(), Some(price))];
    assert_eq!(of("aws", "us-east-1"), o("t3a.large", 0.0752));
    assert_eq!(of("google", "us-central1"), o("e2-standard-2", 0.067_011));
}

#[test]
fn pools_are_written_in_json_too_and_overridden() {
    let stack = Stack::new("");
    stack.write(
        "main.tf.json",
        r#"{
          "provider": {"aws": {"alias": "fra", "region": "eu-central-1"}},
          "terraform": {"required_providers": {"amazon": {"source": "hashicorp/aws"}}},
          "cluster": {"c": {"pool": {"p": {
            "count": 3,
            "prefer": "price",
            "machine": {"cpus": 2, "memory": "4GiB"},
            "offer": {
              "a": {"provider": "aws.fra", "types": ["m5.large"]},
              "b": {"provider": "amazon", "region": "us-east-1"}
            }
          }}}}
        }"#,
    );
    let pool = &json(&stack, "pool types -json")["pools"][0];
    let found = chosen(pool);
    assert_eq!(found[0], ("a".into(), "m5.large".into(), Some(0.115)));
    assert_eq!(found[1].1, "t3a.medium");
    assert_eq!(pool["tried"], serde_json::json!(["b", "a"]));
    // An override file changes one offer and leaves the other.
    stack.write(
        "override.tf",
        r#"cluster "c" {
             pool "p" {
               offer "a" { types = ["c5.large"] }
             }
           }"#,
    );
    let found = chosen(&json(&stack, "pool types -json")["pools"][0]);
    assert_eq!(found[0], ("a".into(), "c5.large".into(), Some(0.097)));
    assert_eq!(found[1].1, "t3a.medium");
}

#[test]
fn offers_may_be_made_by_dynamic_blocks_and_stand_in_modules() {
    let stack = Stack::new(
        r#"
        provider "aws" {
          alias  = "any"
          region = "us-east-1"
        }
        module "m" {
          source    = "./m"
          providers = { aws = aws.any }
        }
        "#,
    );
    std::fs::create_dir(stack.path().join("m")).unwrap();
    stack.write(
        "m/main.hcl",
        r#"
        terraform {
          required_providers {
            aws = { source = "hashicorp/aws" }
          }
        }
        cluster "c" {
          pool "p" {
            count = 0
            machine {
              cpus   = 2
              memory = "4GiB"
              arch   = "arm64"
            }
            dynamic "offer" {
              for_each = ["eu-central-1", "eu-west-1"]
              labels   = [offer.value]
              content {
                provider = aws
                region   = offer.value
                type "x9.tiny" {
                  cpus   = 2
                  memory = "4GiB"
                  arch   = "arm64"
                  price  = offer.value == "eu-west-1" ? 0.001 : 9
                }
              }
            }
          }
        }
        "#,
    );
    let pool = &json(&stack, "pool types -json")["pools"][0];
    assert_eq!(pool["address"], "module.m.cluster.c.pool.p");
    let found = chosen(pool);
    assert_eq!(found[0].1, "t4g.medium");
    assert_eq!(
        found[1],
        ("eu-west-1".into(), "x9.tiny".into(), Some(0.001))
    );
}

#[test]
fn what_is_wrong_is_said_beside_what_there_is() {
    let stack = Stack::new(STACK);
    // What is not known yet is no error, and no choice.
    let open = STACK.replace("{ default = 4 }", "{}");
    stack.write("main.hcl", &open);
    stack.expect(1, "pool types");
    stack.write("main.hcl", STACK);
    let ended = stack.expect(1, "pool types -var=cpus=999");
    assert!(ended.out.contains("no type fits"), "{ended:#?}");
    assert!(
        ended
            .err
            .contains("No machine type of offer `spot` has what the pool needs"),
        "{ended:#?}"
    );
    let ended = stack.expect(2, "pool types clowd");
    assert!(ended.err.contains("clowd"), "{ended:#?}");
    let none = Stack::new("output \"x\" { value = 1 }");
    let shown = none.expect(0, "pool types").out;
    assert_eq!(shown, "No pool of the stack has a `machine`.\n");
}

#[test]
fn regions_are_listed_without_a_stack() {
    let stack = Stack::new("this is no stack");
    let shown = stack.expect(0, "pool types -regions").out;
    for line in [
        "aws, prices of ",
        "  eu-central-1  ",
        "  westeurope  ",
        "  europe-west4  ",
    ] {
        assert!(shown.contains(line), "{line:?} is not in:\n{shown}");
    }
    let all = json(&stack, "pool types -regions -json");
    assert_eq!(all["clouds"].as_array().unwrap().len(), 3);
}

#[test]
fn machines_that_nobody_could_reach_are_refused_before_anything_is_done() {
    let stack = Stack::new(&STACK.replace("count = 2", "count = 2\n    ssh_from = []"));
    let ended = stack.expect(1, "plan");
    for said in [
        "Pool `cloud` of cluster.main lets nobody reach its machines",
        "Write `ssh_from = [\"203.0.113.7/32\"]`",
    ] {
        assert!(ended.err.contains(said), "{said:?} is not in {ended:#?}");
    }
    stack.expect(1, "apply -auto-approve");
}

#[test]
fn an_offer_of_amazon_that_says_another_region_than_its_provider_is_refused() {
    let elsewhere = STACK.replace(
        "provider = aws.fra",
        "provider = aws.fra\n region = \"eu-west-1\"",
    );
    let elsewhere = elsewhere.replace("zones    = [\"eu-central-1a\"]", "");
    let stack = Stack::new(&elsewhere);
    for command in ["validate", "pool types", "plan"] {
        let ended = stack.expect(1, command);
        for said in [
            "Offer `spot` can't make machines in region `eu-west-1`",
            "Its provider `aws.fra` works in `eu-central-1`, and in no other region.",
        ] {
            let all = format!("{}{}", ended.out, ended.err);
            assert!(
                all.contains(said),
                "{command}: {said:?} is not in {ended:#?}"
            );
        }
    }
}

#[test]
fn a_cloud_that_is_not_built_in_is_named_with_how_to_have_it() {
    let reached = STACK.replace(
        "count = 2",
        "count = 2\n    ssh_from = [\"203.0.113.7/32\"]",
    );
    let stack = Stack::new(&reached);
    let ended = stack.expect(1, "plan");
    for (provider, feature) in [("aws", "aws"), ("azurerm", "azure"), ("google", "google")] {
        let said = format!("There is no provider `{provider}`");
        let help = format!("`cargo build --release --features {feature}`");
        assert!(ended.err.contains(&said), "{said:?} is not in {ended:#?}");
        assert!(ended.err.contains(&help), "{help:?} is not in {ended:#?}");
    }
}
