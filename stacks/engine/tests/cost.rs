//! A plan knows the regions of its providers, so that the price of a machine that is yet to be made
//! can be told.
#![allow(clippy::unwrap_used)]

mod common;

use async_trait::async_trait;
use common::World;
use std::sync::Arc;
use weir_core::{
    Diagnostic, Diagnostics, Known, Type, Value,
    schema::{Attribute, SetBy},
};
use weir_engine::{Engine, Planned, Registry};
use weir_fake::FakeProvider;
use weir_plan::cost;
use weir_provider::{
    ApplyRequest, ApplyResponse, Imported, PlanRequest, PlanResponse, Progress, Provider,
    ProviderSchema, ReadRequest, ReadResponse, Settled,
};

/// A provider that plans machines, and makes none.
struct Machines {
    schema: ProviderSchema,
}

impl Machines {
    fn new() -> Machines {
        let mut schema = ProviderSchema::default();
        let region = Attribute::new(Type::String, SetBy::Optional);
        schema
            .provider
            .block
            .attributes
            .insert("region".into(), region);
        let machine = schema.resources.entry("aws_instance".into()).or_default();
        for (name, set_by) in [
            ("instance_type", SetBy::Required),
            ("availability_zone", SetBy::OptionalComputed),
        ] {
            let attribute = Attribute::new(Type::String, set_by);
            machine.block.attributes.insert(name.into(), attribute);
        }
        Machines { schema }
    }
}

fn refused() -> Diagnostics {
    Diagnostic::error("this provider only plans").into()
}

#[async_trait]
impl Provider for Machines {
    fn schema(&self) -> &ProviderSchema {
        &self.schema
    }
    async fn configure(&self, _config: &Value) -> Result<(), Diagnostics> {
        Ok(())
    }
    async fn validate(&self, _ty: &str, _config: &Value) -> Diagnostics {
        Diagnostics::new()
    }
    async fn plan(&self, request: PlanRequest) -> Result<PlanResponse, Diagnostics> {
        let mut planned = request.proposed;
        if planned.get("availability_zone").is_none_or(Value::is_null) {
            planned = planned.with("availability_zone", Value::unknown(Type::String));
        }
        Ok(PlanResponse {
            planned,
            requires_replace: Vec::new(),
            private: Vec::new(),
            batch: None,
            warnings: Diagnostics::new(),
        })
    }
    async fn apply(&self, _request: ApplyRequest, _progress: &dyn Progress) -> ApplyResponse {
        ApplyResponse {
            value: None,
            private: Vec::new(),
            diagnostics: refused(),
        }
    }
    async fn read(&self, _request: ReadRequest) -> Result<ReadResponse, Diagnostics> {
        Err(refused())
    }
    async fn import(&self, _ty: &str, _id: &str) -> Result<Vec<Imported>, Diagnostics> {
        Err(refused())
    }
    async fn data(&self, _ty: &str, _config: &Value) -> Result<Known, Diagnostics> {
        Err(refused())
    }
    async fn settle(&self, _request: ApplyRequest) -> Settled {
        Settled::NotDone
    }
    async fn upgrade(&self, _ty: &str, _version: u32, value: Known) -> Result<Known, Diagnostics> {
        Ok(value)
    }
}

async fn plan(world: &World, text: &str) -> Planned {
    let registry = Registry::new()
        .with("aws", || Arc::new(Machines::new()))
        .with("fake", || Arc::new(FakeProvider::new()));
    let engine = Engine::new(
        world.store.clone(),
        Arc::new(registry),
        world.events.clone(),
    );
    engine.plan(&world.input(text), None).await.unwrap()
}

#[tokio::test]
async fn a_machine_costs_what_it_costs_in_the_region_of_its_provider() {
    let text = r#"
        variable "west" {
          default   = "us-west-2"
          sensitive = true
        }
        provider "aws" { region = "eu-${"central"}-1" }
        provider "aws" {
          alias  = "secret"
          region = var.west
        }
        provider "aws" { alias = "environment" }
        resource "aws_instance" "here" {
          count         = 2
          instance_type = "t3.micro"
        }
        resource "aws_instance" "elsewhere" {
          instance_type     = "t3.micro"
          availability_zone = "us-east-1a"
        }
        resource "aws_instance" "secret" {
          provider      = aws.secret
          instance_type = "t3.micro"
        }
        resource "aws_instance" "unsaid" {
          provider      = aws.environment
          instance_type = "t3.micro"
        }
    "#;
    let planned = plan(&World::new(), text).await;
    let regions: Vec<&str> = planned.regions.values().map(String::as_str).collect();
    assert_eq!(regions, ["eu-central-1"], "a secret one is not told");
    let cost = cost(&planned.plan.plan().changes, &planned.regions).unwrap();
    assert_eq!(cost.before.to_string(), "0.0000");
    // Two at 0.012 and one at 0.0104.
    assert_eq!(cost.after.to_string(), "0.0344");
    let unknown: Vec<String> = cost.unknown.iter().map(ToString::to_string).collect();
    assert_eq!(unknown, ["aws_instance.secret", "aws_instance.unsaid"]);
}
