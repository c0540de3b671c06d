//! Errors as people see them. `WEIR_REGENERATE=1` writes `golden/errors.txt` again.

use crate::world::{KEY, World, config};
use serde_json::{Value as Json, json};
use std::fmt::Write as _;
use weir_core::{Diagnostics, plan::Op};
use weir_provider::{ApplyRequest, NoProgress, PlanRequest, Provider, Token, proposed};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fake/golden/errors.txt");

/// What a plan and a creation end with.
async fn failed(provider: &dyn Provider, type_name: &str, given: &Json) -> Diagnostics {
    let config = config(type_name, given);
    let refused = provider.validate(type_name, &config).await;
    if refused.has_errors() {
        return refused;
    }
    let schema = provider.schema().resources[type_name].clone();
    let address = format!("{type_name}.a");
    let request = PlanRequest {
        type_name: type_name.into(),
        address: address.clone(),
        prior: None,
        config: config.clone(),
        proposed: proposed::merge(&schema, None, &config),
        private: Vec::new(),
    };
    let planned = match provider.plan(request).await {
        Ok(plan) => plan.planned,
        Err(d) => return d,
    };
    let request = ApplyRequest {
        type_name: type_name.into(),
        address,
        op: Op::Create,
        prior: None,
        planned: Some(planned),
        config: Some(config),
        private: Vec::new(),
        token: Token {
            lineage: "errors".into(),
            epoch: 1,
            step: 1,
        },
    };
    provider.apply(request, &NoProgress).await.diagnostics
}

fn machine(world: &World, more: &Json) -> Json {
    let mut all = json!({
        "name": "vm", "resource_group_name": "lab", "location": "westeurope",
        "size": "Standard_B1s", "admin_username": "weir",
        "network_interface_ids": [world.id("Microsoft.Network/networkInterfaces/nic")],
        "admin_ssh_key": [{ "username": "weir", "public_key": KEY }],
        "os_disk": [{ "caching": "ReadWrite", "storage_account_type": "Standard_LRS" }],
        "source_image_reference": [{ "publisher": "Debian", "offer": "debian-12", "sku": "12-gen2", "version": "latest" }],
    });
    all.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    all
}

#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::too_many_lines)] // a table
async fn errors_are_as_stored() {
    let world = World::with_network();
    let vm = "azurerm_linux_virtual_machine";
    let group = json!({ "name": "g", "location": "westeurope" });
    let mut told = String::new();
    let mut tell = |title: &str, d: &Diagnostics| {
        assert!(d.has_errors(), "{title}: nothing went wrong");
        let _ = writeln!(told, "== {title}");
        for d in &d.0 {
            let help = d.help.as_deref().unwrap_or("-");
            let _ = writeln!(told, "{}\n  why: {}\n  help: {help}", d.summary, d.detail);
        }
        let _ = writeln!(told);
    };

    let wrong = world.provider(&json!({ "client_secret": "wrong" })).await;
    tell(
        "a wrong secret",
        &failed(&*wrong, "azurerm_resource_group", &group).await,
    );
    let tenant = world
        .provider(&json!({ "tenant_id": "00000000-0000-0000-0000-000000000000" }))
        .await;
    tell(
        "an unknown tenant",
        &failed(&*tenant, "azurerm_resource_group", &group).await,
    );
    let other = json!({ "subscription_id": "ffffffff-ffff-ffff-ffff-ffffffffffff" });
    let other = world.provider(&other).await;
    tell(
        "an unknown subscription",
        &failed(&*other, "azurerm_resource_group", &group).await,
    );

    let azure = world.provider(&json!({})).await;
    let atlantis = json!({ "name": "g", "location": "atlantis" });
    tell(
        "an unknown location",
        &failed(&*azure, "azurerm_resource_group", &atlantis).await,
    );
    tell(
        "an unknown size",
        &failed(
            &*azure,
            vm,
            &machine(&world, &json!({ "size": "Standard_Z9" })),
        )
        .await,
    );
    let image = json!({ "source_image_reference": [{ "publisher": "Debian", "offer": "debian-99", "sku": "99", "version": "latest" }] });
    tell(
        "an image that does not exist",
        &failed(&*azure, vm, &machine(&world, &image)).await,
    );
    let fault =
        |answer: &str| json!({ "operation": "VirtualMachines_CreateOrUpdate", "answer": answer });
    world.control("/_faults", &fault("quota"));
    tell(
        "quota",
        &failed(&*azure, vm, &machine(&world, &json!({}))).await,
    );
    world.control("/_faults", &fault("capacity"));
    tell(
        "no capacity",
        &failed(&*azure, vm, &machine(&world, &json!({ "name": "full" }))).await,
    );
    let taken = json!({ "name": "sec", "resource_group_name": "lab", "location": "westeurope" });
    tell(
        "a name that is taken",
        &failed(&*azure, "azurerm_network_security_group", &taken).await,
    );
    tell(
        "a password and no switch",
        &failed(
            &*azure,
            vm,
            &machine(&world, &json!({ "admin_password": "hunter2-Hunter2" })),
        )
        .await,
    );

    let id = world.id("Microsoft.Network/virtualNetworks/net/subnets/s1");
    let subnet = azure
        .import("azurerm_subnet", &id)
        .await
        .unwrap()
        .remove(0)
        .value;
    let request = ApplyRequest {
        type_name: "azurerm_subnet".into(),
        address: "azurerm_subnet.a".into(),
        op: Op::Delete,
        prior: Some(subnet),
        planned: None,
        config: None,
        private: Vec::new(),
        token: Token {
            lineage: "errors".into(),
            epoch: 1,
            step: 2,
        },
    };
    tell(
        "a subnet with dependents",
        &azure.apply(request, &NoProgress).await.diagnostics,
    );

    let mut pacing = crate::world::quick();
    pacing.budget = std::time::Duration::from_millis(200);
    let hasty = weir_azure::AzureProvider::new(pacing);
    hasty.configure(&world.block(&json!({}))).await.unwrap();
    world.control(
        "/_faults",
        &json!({ "path": "resourceGroups", "answer": "throttle", "times": 1000 }),
    );
    tell(
        "throttled beyond the budget",
        &failed(&hasty, "azurerm_resource_group", &group).await,
    );

    let half = json!({ "client_id": null });
    let problem = weir_azure::AzureProvider::new(crate::world::quick());
    let d = problem.configure(&world.block(&half)).await.unwrap_err();
    tell("credentials that are not whole", &d);
    let named = problem
        .configure(&world.block(&json!({ "subscription_id": "production" })))
        .await
        .unwrap_err();
    tell("a subscription by name", &named);

    if std::env::var_os("WEIR_REGENERATE").is_some() {
        std::fs::write(GOLDEN, &told).unwrap();
    }
    let stored = std::fs::read_to_string(GOLDEN).unwrap_or_default();
    assert!(told == stored, "{told}");
}
