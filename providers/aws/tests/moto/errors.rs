//! What people read when EC2 refuses: a file each in `errors/`, which `WEIR_REGENERATE=1` writes.
//! The answers are those of EC2, given by the proxy: the emulator accepts most of what EC2 does not.

use crate::{
    conformance::provider_config,
    proxy::{Proxy, Way},
    server::{Moto, texts},
};
use serde_json::{Value as Json, json};
use std::time::Duration;
use weir_aws::{AwsProvider, Pacing};
use weir_core::{Diagnostics, Known, Type, Value, plan::Op};
use weir_provider::{
    ApplyRequest, NoProgress, PlanRequest, Provider, Token, conformance::body, proposed,
};

/// More often than anything is tried.
const ALWAYS: usize = 1_000_000;

pub async fn provider(proxy: &Proxy) -> AwsProvider {
    let provider = AwsProvider::new(Pacing {
        backoff: Duration::from_millis(10),
        budget: Duration::from_millis(300),
        consistency: Duration::from_millis(50),
        poll: Duration::from_millis(20),
    });
    let config = provider_config(&proxy.address, &provider.schema().provider.block);
    provider.configure(&config).await.unwrap();
    provider
}

pub fn request(op: Op, kind: &str) -> ApplyRequest {
    ApplyRequest {
        type_name: kind.into(),
        address: format!("{kind}.this"),
        op,
        prior: None,
        planned: None,
        config: None,
        private: Vec::new(),
        token: Token {
            lineage: "errors".into(),
            epoch: 1,
            step: 1,
        },
    }
}

async fn create(provider: &AwsProvider, kind: &str, config: &Json) -> Diagnostics {
    let schema = &provider.schema().resources[kind];
    let config = body(&schema.block, config);
    let plan = PlanRequest {
        type_name: kind.into(),
        address: format!("{kind}.this"),
        prior: None,
        proposed: proposed::merge(schema, None, &config),
        config: config.clone(),
        private: Vec::new(),
    };
    let planned = provider.plan(plan).await.unwrap().planned;
    let request = ApplyRequest {
        planned: Some(planned),
        config: Some(config),
        ..request(Op::Create, kind)
    };
    provider.apply(request, &NoProgress).await.diagnostics
}

/// As people see it, without what the emulator draws.
fn shown(diagnostics: &Diagnostics) -> String {
    let ids = regex::Regex::new(r"\b(vpc|subnet|sg|eni|igw)-[0-9a-f]{8,17}\b").unwrap();
    let mut text = String::new();
    for d in diagnostics.clone() {
        text += &format!("Error: {}\n", d.summary);
        if !d.detail.is_empty() {
            text += &format!("  {}\n", d.detail);
        }
        if let Some(help) = &d.help {
            text += &format!("  help: {help}\n");
        }
        if let Some(shortage) = d.shortage() {
            text += &format!("  short of: {shortage:?}\n");
        }
    }
    ids.replace_all(&text, "$1-ID").into_owned()
}

fn golden(name: &str, diagnostics: &Diagnostics) -> Result<(), String> {
    let file = format!(
        "{}/tests/moto/errors/{name}.txt",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = shown(diagnostics);
    if std::env::var_os("WEIR_REGENERATE").is_some() {
        std::fs::write(&file, &text).unwrap();
    }
    let stored = std::fs::read_to_string(&file).unwrap_or_default();
    match stored == text && !text.is_empty() {
        true => Ok(()),
        false => Err(format!("{name}: it says\n{text}and {file} has\n{stored}")),
    }
}

#[tokio::test]
async fn refusals_say_what_to_do() {
    let Some(moto) = Moto::start() else { return };
    let vpc = json!({ "cidr_block": "10.0.0.0/16" });
    let machine = |kind: &str| json!({ "ami": "ami-0123456789abcdef0", "instance_type": kind });
    let cases = [
        (
            "bad_credentials",
            "aws_vpc",
            "DescribeTags",
            401,
            "AuthFailure",
            "AWS was not able to validate the provided access credentials",
            vpc.clone(),
        ),
        (
            "expired_session",
            "aws_vpc",
            "DescribeTags",
            400,
            "RequestExpired",
            "Request has expired.",
            vpc.clone(),
        ),
        (
            "wrong_region",
            "aws_vpc",
            "DescribeTags",
            401,
            "OptInRequired",
            "You are not subscribed to this service. Please go to http://aws.amazon.com to subscribe.",
            vpc.clone(),
        ),
        (
            "not_allowed",
            "aws_vpc",
            "CreateVpc",
            403,
            "UnauthorizedOperation",
            "You are not authorized to perform this operation.",
            vpc.clone(),
        ),
        (
            "too_many_networks",
            "aws_vpc",
            "CreateVpc",
            400,
            "VpcLimitExceeded",
            "The maximum number of VPCs has been reached.",
            vpc.clone(),
        ),
        (
            "throttled",
            "aws_vpc",
            "CreateVpc",
            503,
            "RequestLimitExceeded",
            "Request limit exceeded.",
            vpc,
        ),
        (
            "unknown_type",
            "aws_instance",
            "RunInstances",
            400,
            "InvalidParameterValue",
            "Invalid value 't9.huge' for InstanceType.",
            machine("t9.huge"),
        ),
        (
            "quota",
            "aws_instance",
            "RunInstances",
            400,
            "VcpuLimitExceeded",
            "You have requested more vCPU capacity than your current vCPU limit of 32 allows for the instance bucket that the specified instance type belongs to.",
            machine("m5.24xlarge"),
        ),
        (
            "no_capacity",
            "aws_instance",
            "RunInstances",
            500,
            "InsufficientInstanceCapacity",
            "We currently do not have sufficient m5.24xlarge capacity in the Availability Zone you requested (eu-central-1a).",
            machine("m5.24xlarge"),
        ),
        (
            "no_image",
            "aws_instance",
            "RunInstances",
            400,
            "InvalidAMIID.NotFound",
            "The image id '[ami-0123456789abcdef0]' does not exist",
            machine("t3.micro"),
        ),
    ];
    let mut differ = Vec::new();
    for (name, kind, action, status, code, words, config) in cases {
        let proxy = Proxy::start(&moto.address());
        let refused = Way::Refused(status, code.into(), words.into());
        proxy.answer(action, refused, ALWAYS);
        let found = create(&provider(&proxy).await, kind, &config).await;
        differ.extend(golden(name, &found).err());
    }
    let proxy = Proxy::start(&moto.address());
    let found = delete_with_dependents(&provider(&proxy).await, &moto).await;
    differ.extend(golden("network_in_use", &found).err());
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

/// A network that has a subnet, deleted by someone with little patience.
async fn delete_with_dependents(provider: &AwsProvider, moto: &Moto) -> Diagnostics {
    let made = moto.ask("CreateVpc", &[("CidrBlock", "10.0.0.0/16")]);
    let vpc = texts(&made, "vpcId").remove(0);
    let subnet = [("VpcId", vpc.as_str()), ("CidrBlock", "10.0.0.0/24")];
    moto.ask("CreateSubnet", &subnet);
    let found = provider.import("aws_vpc", &vpc).await.unwrap().remove(0);
    let patience = Value::object([("delete", Value::from("1ms"))]);
    let prior = found.value.value().clone().with("timeouts", patience);
    let request = ApplyRequest {
        prior: Some(Known::new(prior).unwrap()),
        ..request(Op::Delete, "aws_vpc")
    };
    provider.apply(request, &NoProgress).await.diagnostics
}

/// Nothing is said of keys and of what is sensitive, whoever repeats them.
#[tokio::test]
async fn nobody_reads_secrets() {
    let Some(moto) = Moto::start() else { return };
    let proxy = Proxy::start(&moto.address());
    proxy.answer("RunInstances", Way::Repeated, ALWAYS);
    let provider = provider(&proxy).await;
    let kind = "aws_instance";
    let schema = &provider.schema().resources[kind];
    let secret = Value::from("hunter2-hunter2").mark(weir_core::value::Marks::SENSITIVE);
    let tags = Value::map(Type::String, [("password", secret)]);
    let given = json!({ "ami": "ami-0123456789abcdef0", "instance_type": "t3.micro" });
    let config = body(&schema.block, &given).with("tags", tags);
    let plan = PlanRequest {
        type_name: kind.into(),
        address: "aws_instance.this".into(),
        prior: None,
        proposed: proposed::merge(schema, None, &config),
        config: config.clone(),
        private: Vec::new(),
    };
    let planned = provider.plan(plan).await.unwrap().planned;
    let request = ApplyRequest {
        planned: Some(planned),
        config: Some(config),
        ..request(Op::Create, kind)
    };
    let told = shown(&provider.apply(request, &NoProgress).await.diagnostics);
    assert!(told.contains("(sensitive)"), "{told}");
    assert!(!told.contains("hunter2"), "{told}");
    assert!(!told.contains("weir-secret"), "{told}");
}
