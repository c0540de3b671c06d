//! Each data source on moto: what it finds, and what it says where it finds none or too many.

use crate::{
    conformance::{provider_config, quick},
    server::{Moto, texts},
};
use serde_json::{Value as Json, json};
use weir_aws::AwsProvider;
use weir_core::json::to_json;
use weir_provider::{Provider as _, conformance::body};

struct World {
    provider: AwsProvider,
    vpc: String,
    subnets: [String; 2],
}

async fn world(moto: &Moto) -> World {
    let one = |action: &str, parameters: &[(&str, &str)], tag: &str| {
        texts(&moto.ask(action, parameters), tag).remove(0)
    };
    let vpc = one("CreateVpc", &[("CidrBlock", "10.7.0.0/16")], "vpcId");
    let subnet = |range: &str, zone: &str, name: &str| {
        let id = one(
            "CreateSubnet",
            &[
                ("VpcId", &vpc),
                ("CidrBlock", range),
                ("AvailabilityZone", zone),
            ],
            "subnetId",
        );
        moto.ask(
            "CreateTags",
            &[
                ("ResourceId.1", &id),
                ("Tag.1.Key", "Name"),
                ("Tag.1.Value", name),
            ],
        );
        id
    };
    let subnets = [
        subnet("10.7.0.0/24", "eu-central-1a", "front"),
        subnet("10.7.1.0/24", "eu-central-1b", "back"),
    ];
    let provider = AwsProvider::new(quick());
    let config = provider_config(&moto.address(), &provider.schema().provider.block);
    provider.configure(&config).await.unwrap();
    World {
        provider,
        vpc,
        subnets,
    }
}

impl World {
    /// What the source finds, or what it says.
    async fn ask(&self, kind: &str, config: Json) -> Result<Json, String> {
        let block = &self.provider.schema().data[kind].block;
        let found = self.provider.data(kind, &body(block, &config)).await;
        let value = found.map_err(|d| d.to_string())?;
        Ok(to_json(value.value()))
    }

    async fn found(&self, kind: &str, config: Json) -> Json {
        self.ask(kind, config).await.unwrap()
    }

    /// The source refuses it in words that say this.
    async fn refuses(&self, kind: &str, config: Json, words: &str) {
        let said = self.ask(kind, config).await.unwrap_err();
        assert!(said.contains(words), "{kind}: {said}");
    }
}

#[tokio::test]
async fn networks_are_found() {
    let Some(moto) = Moto::start() else { return };
    let w = world(&moto).await;
    let (vpc, [front, back]) = (&w.vpc, &w.subnets);

    let by_id = w.found("aws_vpc", json!({ "id": vpc })).await;
    assert_eq!(by_id["cidr_block"], "10.7.0.0/16");
    assert_eq!(by_id["default"], false);
    assert_eq!(
        by_id["cidr_block_associations"][0]["cidr_block"],
        "10.7.0.0/16"
    );
    let by_range = w
        .found("aws_vpc", json!({ "cidr_block": "10.7.0.0/16" }))
        .await;
    assert_eq!(by_range["id"], json!(vpc));
    let default = w.found("aws_vpc", json!({ "default": true })).await;
    assert_eq!(default["default"], true);
    w.refuses("aws_vpc", json!({}), "VPCs fit it, and it must be one")
        .await;
    w.refuses("aws_vpc", json!({ "id": "vpc-0123456789abcdef0" }), "VPC")
        .await;

    let filter = json!([{ "name": "vpc-id", "values": [vpc] }]);
    let all = w.found("aws_subnets", json!({ "filter": filter })).await;
    let mut ids = [front.clone(), back.clone()];
    ids.sort();
    assert_eq!(all["ids"], json!(ids));
    let named = w
        .found("aws_subnets", json!({ "tags": { "Name": "back" } }))
        .await;
    assert_eq!(named["ids"], json!([back]));
    let none = w
        .found("aws_subnets", json!({ "tags": { "Name": "nobody" } }))
        .await;
    assert_eq!(none["ids"], json!([]));

    let one = w
        .found(
            "aws_subnet",
            json!({ "vpc_id": vpc, "availability_zone": "eu-central-1b" }),
        )
        .await;
    assert_eq!(one["id"], json!(back));
    assert_eq!(one["tags"], json!({ "Name": "back" }));
    assert_eq!(one["cidr_block"], "10.7.1.0/24");
    assert_eq!(one["available_ip_address_count"], 251);
    w.refuses(
        "aws_subnet",
        json!({ "vpc_id": vpc }),
        "2 subnets fit it, and it must be one",
    )
    .await;
    w.refuses(
        "aws_subnet",
        json!({ "vpc_id": vpc, "cidr_block": "10.9.0.0/24" }),
        "no subnet fits it",
    )
    .await;
}

#[tokio::test]
async fn images_and_types_are_found() {
    let Some(moto) = Moto::start() else { return };
    let w = world(&moto).await;

    let filter = json!([{ "name": "name", "values": ["amzn-ami-hvm-*"] }]);
    let latest = json!({ "owners": ["amazon"], "most_recent": true, "filter": filter });
    let image = w.found("aws_ami", latest).await;
    let (id, date) = (
        image["id"].clone(),
        image["creation_date"].as_str().unwrap().to_owned(),
    );
    assert!(id.as_str().unwrap().starts_with("ami-"), "{image}");
    // None of those that fit is newer.
    let all = moto.ask(
        "DescribeImages",
        &[
            ("Owner.1", "amazon"),
            ("Filter.1.Name", "name"),
            ("Filter.1.Value.1", "amzn-ami-hvm-*"),
        ],
    );
    let dates = texts(&all, "creationDate");
    assert!(dates.len() > 1, "{all}");
    assert!(
        dates.iter().all(|d| *d <= date),
        "{date} is not the last of {dates:?}"
    );
    w.refuses(
        "aws_ami",
        json!({ "owners": ["amazon"], "filter": filter }),
        "must be one",
    )
    .await;
    w.refuses(
        "aws_ami",
        json!({ "owners": ["amazon"], "name_regex": "^no-such-image$" }),
        "fits it",
    )
    .await;

    let small = w
        .found(
            "aws_ec2_instance_type",
            json!({ "instance_type": "t3.small" }),
        )
        .await;
    assert_eq!(small["default_vcpus"], 2);
    assert_eq!(small["memory_size"], 2048);
    assert_eq!(small["burstable_performance_supported"], true);
    w.refuses(
        "aws_ec2_instance_type",
        json!({ "instance_type": "t3.enormous" }),
        "t3.enormous",
    )
    .await;
    let filter = json!([{ "name": "instance-type", "values": ["t3.small", "t3.large"] }]);
    let types = w
        .found("aws_ec2_instance_types", json!({ "filter": filter }))
        .await;
    let mut names: Vec<&str> = types["instance_types"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Json::as_str)
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["t3.large", "t3.small"]);
}

#[tokio::test]
async fn places_and_callers_are_found() {
    let Some(moto) = Moto::start() else { return };
    let w = world(&moto).await;

    let me = w.found("aws_caller_identity", json!({})).await;
    assert_eq!(me["account_id"], "123456789012");
    assert_eq!(me["arn"], "arn:aws:sts::123456789012:user/moto");

    let here = w.found("aws_region", json!({})).await;
    assert_eq!(here["name"], "eu-central-1");
    assert_eq!(here["description"], "Europe (Frankfurt)");
    assert_eq!(here["endpoint"], "ec2.eu-central-1.amazonaws.com");
    let there = w.found("aws_region", json!({ "name": "us-east-1" })).await;
    assert_eq!(there["endpoint"], "ec2.us-east-1.amazonaws.com");
    w.refuses(
        "aws_region",
        json!({ "name": "mars-north-1" }),
        "there is no region mars-north-1",
    )
    .await;

    let zones = w
        .found("aws_availability_zones", json!({ "state": "available" }))
        .await;
    let names = ["eu-central-1a", "eu-central-1b", "eu-central-1c"];
    assert_eq!(zones["names"], json!(names));
    assert_eq!(zones["zone_ids"].as_array().unwrap().len(), 3);
    let fewer = w
        .found(
            "aws_availability_zones",
            json!({ "exclude_names": ["eu-central-1b"] }),
        )
        .await;
    assert_eq!(fewer["names"], json!([names[0], names[2]]));
}

/// A source that the tests above leave out is told.
#[test]
fn every_source_is_asked() {
    let asked = include_str!("data.rs");
    let provider = AwsProvider::new(quick());
    for kind in provider.schema().data.keys() {
        assert!(asked.contains(&format!("\"{kind}\"")), "{kind}");
    }
}
