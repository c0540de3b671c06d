//! What the machines of a plan cost.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use weir_core::{
    Known, Type, Value,
    address::ProviderRef,
    change::{Action, Change, ReplaceOrder},
};
use weir_plan::{Cost, cost};

fn object<const N: usize>(fields: [(&str, &str); N]) -> Value {
    Value::object(fields.map(|(name, text)| {
        let value = match text {
            "?" => Value::unknown(Type::String),
            text => Value::from(text),
        };
        (name, value)
    }))
}

fn aws(ty: &str, zone: &str) -> Value {
    object([("instance_type", ty), ("availability_zone", zone)])
}

fn change(
    address: &str,
    provider: &str,
    action: Action,
    [before, after]: [Option<Value>; 2],
) -> Change {
    Change {
        before: before.map(|b| Known::new(b).unwrap()),
        after,
        provider: ProviderRef::new(provider),
        ..common::change(&address.parse().unwrap(), action)
    }
}

/// Of these changes, with the provider `aws` in us-east-1: before, after and what is not known.
fn of<const N: usize>(changes: [Change; N]) -> Option<(String, String, Vec<String>)> {
    let changes: BTreeMap<_, _> = changes
        .into_iter()
        .map(|c| (c.address.clone(), c))
        .collect();
    let regions = [(ProviderRef::new("aws"), "us-east-1".to_owned())];
    let Cost {
        before,
        after,
        unknown,
    } = cost(&changes, &regions.into())?;
    let unknown = unknown.iter().map(ToString::to_string).collect();
    Some((before.to_string(), after.to_string(), unknown))
}

fn is(before: &str, after: &str, unknown: &[&str]) -> Option<(String, String, Vec<String>)> {
    let unknown = unknown.iter().map(|u| (*u).to_owned()).collect();
    Some((before.to_owned(), after.to_owned(), unknown))
}

#[test]
fn a_plan_without_machines_costs_nothing_that_is_known() {
    let vpc = object([("cidr_block", "10.0.0.0/16")]);
    let made = change("aws_vpc.a", "aws", Action::Create, [None, Some(vpc)]);
    assert_eq!(of([made]), None);
    // A data source of that name is no machine that is paid for.
    let read = aws("m5.large", "us-east-1a");
    let read = change(
        "data.aws_instance.a",
        "aws",
        Action::Read,
        [None, Some(read)],
    );
    assert_eq!(of([read]), None);
}

#[test]
fn each_action_counts_what_is_there_before_and_after() {
    let small = || Some(aws("t3.micro", "eu-central-1b"));
    let large = || Some(aws("m5.large", "eu-central-1b"));
    let (none, micro, m5) = ("0.0000", "0.0120", "0.1150");
    let replaced = Action::Replace(ReplaceOrder::DeleteFirst);
    for (action, sides, before, after) in [
        (Action::Create, [None, small()], none, micro),
        (Action::NoOp, [small(), small()], micro, micro),
        (Action::Update, [small(), large()], micro, m5),
        (replaced, [large(), small()], m5, micro),
        (Action::Delete, [large(), None], m5, none),
        // It runs on, whoever looks after it.
        (Action::Forget, [large(), None], m5, m5),
    ] {
        let found = of([change("aws_instance.a", "aws", action, sides)]);
        assert_eq!(found, is(before, after, &[]), "{action:?}");
    }
}

#[test]
fn every_cloud_says_in_its_own_way_where_a_machine_stands() {
    let azure = |location| object([("size", "Standard_B2s"), ("location", location)]);
    let google = |ty, zone| object([("machine_type", ty), ("zone", zone)]);
    let link = "https://www.googleapis.com/compute/v1/projects/p/zones/z/machineTypes/e2-micro";
    for (ty, provider, value, price) in [
        // Yet to be made: the provider's region.
        ("aws_instance", "aws", aws("t3.micro", "?"), "0.0104"),
        (
            "aws_instance",
            "aws",
            aws("t3.micro", "eu-central-1a"),
            "0.0120",
        ),
        (
            "azurerm_linux_virtual_machine",
            "azurerm",
            azure("West Europe"),
            "0.0480",
        ),
        (
            "azurerm_linux_virtual_machine",
            "azurerm",
            azure("eastus"),
            "0.0416",
        ),
        (
            "google_compute_instance",
            "google",
            google("e2-micro", "us-central1-a"),
            "0.008376",
        ),
        (
            "google_compute_instance",
            "google",
            google(link, "us-central1-f"),
            "0.008376",
        ),
    ] {
        let address = format!("module.m[0].{ty}.a[\"x\"]");
        let made = change(&address, provider, Action::Create, [None, Some(value)]);
        assert_eq!(of([made]), is("0.0000", price, &[]), "{ty}");
    }
}

#[test]
fn what_is_not_known_is_in_neither_sum() {
    let known = aws("t3.micro", "us-east-1a");
    let made = |address: &str, provider: &str, value: Value| {
        change(address, provider, Action::Create, [None, Some(value)])
    };
    let dedicated = object([
        ("instance_type", "m5.large"),
        ("availability_zone", "us-east-1a"),
        ("tenancy", "dedicated"),
    ]);
    let grown = [
        Some(aws("t3.micro", "us-east-1a")),
        Some(aws("?", "us-east-1a")),
    ];
    let found = of([
        made("aws_instance.known", "aws", known),
        made("aws_instance.type", "aws", aws("m99.large", "us-east-1a")),
        made("aws_instance.region", "other", aws("t3.micro", "?")),
        made("aws_instance.place", "aws", aws("t3.micro", "mars-1a")),
        made("aws_instance.tenancy", "aws", dedicated),
        change("aws_instance.grown", "aws", Action::Update, grown),
    ]);
    let unknown = [
        "aws_instance.grown",
        "aws_instance.place",
        "aws_instance.region",
        "aws_instance.tenancy",
        "aws_instance.type",
    ];
    assert_eq!(found, is("0.0000", "0.0104", &unknown));
}
