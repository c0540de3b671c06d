//! What the conformance kit does not ask.

use crate::world::{KEY, TENANT, World, config, quick};
use serde_json::{Value as Json, json};
use weir_azure::AzureProvider;
use weir_core::{Known, Value, diag::Shortage, plan::Op};
use weir_provider::{
    ApplyRequest, ApplyResponse, Completeness, NoProgress, PlanRequest, Provider, ReadRequest,
    Settled, Token, conformance::body, proposed,
};

/// A planned creation, with a token of its own.
async fn creation(
    provider: &AzureProvider,
    type_name: &str,
    given: &Json,
    step: u64,
) -> ApplyRequest {
    let config = config(type_name, given);
    let schema = provider.schema().resources[type_name].clone();
    let request = PlanRequest {
        type_name: type_name.into(),
        address: format!("{type_name}.a"),
        prior: None,
        config: config.clone(),
        proposed: proposed::merge(&schema, None, &config),
        private: Vec::new(),
    };
    let planned = provider.plan(request).await.unwrap().planned;
    ApplyRequest {
        type_name: type_name.into(),
        address: format!("{type_name}.a"),
        op: Op::Create,
        prior: None,
        planned: Some(planned),
        config: Some(config),
        private: Vec::new(),
        token: Token {
            lineage: "behaviour".into(),
            epoch: 1,
            step,
        },
    }
}

/// Plans and applies a creation.
async fn create(
    provider: &AzureProvider,
    type_name: &str,
    given: &Json,
    step: u64,
) -> ApplyResponse {
    let request = creation(provider, type_name, given, step).await;
    provider.apply(request, &NoProgress).await
}

async fn made(provider: &AzureProvider, type_name: &str, given: &Json, step: u64) -> Known {
    let response = create(provider, type_name, given, step).await;
    assert!(
        !response.diagnostics.has_errors(),
        "{}",
        response.diagnostics
    );
    response.value.unwrap()
}

async fn delete(provider: &AzureProvider, type_name: &str, value: &Known) -> ApplyResponse {
    let request = ApplyRequest {
        type_name: type_name.into(),
        address: format!("{type_name}.a"),
        op: Op::Delete,
        prior: Some(value.clone()),
        planned: None,
        config: None,
        private: Vec::new(),
        token: Token {
            lineage: "behaviour".into(),
            epoch: 1,
            step: 999,
        },
    };
    provider.apply(request, &NoProgress).await
}

fn text<'a>(value: &'a Known, key: &str) -> &'a str {
    value.value().get(key).and_then(Value::as_str).unwrap()
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

const VM: &str = "azurerm_linux_virtual_machine";

/// No capacity, told at the end of the operation: classed, recorded, and taken away by the next.
#[tokio::test(flavor = "multi_thread")]
async fn a_machine_without_room_is_recorded_and_classed() {
    let world = World::with_network();
    let provider = world.provider(&json!({})).await;
    world.control(
        "/_faults",
        &json!({ "operation": "VirtualMachines_CreateOrUpdate", "answer": "capacity" }),
    );
    let response = create(&provider, VM, &machine(&world, &json!({ "zone": "1" })), 1).await;
    let d = response.diagnostics.0.first().unwrap();
    assert!(d.to_string().contains("ZonalAllocationFailed"), "{d}");
    assert_eq!(d.shortage(), Some(Shortage::Capacity));
    let half = response.value.unwrap();
    let gone = delete(&provider, VM, &half).await;
    assert!(
        !gone.diagnostics.has_errors() && gone.value.is_none(),
        "{}",
        gone.diagnostics
    );
    let rest = world.list("/providers/Microsoft.Compute/disks");
    assert!(rest.is_empty(), "the machine's disk goes with it: {rest:?}");
}

/// weir dies while Azure fails to make a machine: it is there, and is known to be no good.
#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_failed_behind_a_crash_is_tainted() {
    let world = World::with_network();
    let provider = world.provider(&json!({})).await;
    world.control(
        "/_faults",
        &json!({ "operation": "VirtualMachines_CreateOrUpdate", "answer": "capacity" }),
    );
    let request = creation(&provider, VM, &machine(&world, &json!({})), 1).await;
    let struck = async {
        while world.desk().struck() == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    };
    tokio::select! {
        _ = provider.apply(request.clone(), &NoProgress) => {}
        () = struck => {}
    }
    let next = world.provider(&json!({})).await;
    let value = match next.settle(request).await {
        Settled::Done {
            value: Some(value),
            completeness: Completeness::Partial,
            ..
        } => value,
        other => panic!("settle says {other:?}"),
    };
    let gone = delete(&next, VM, &value).await;
    assert!(gone.value.is_none(), "{}", gone.diagnostics);
    let rest = world.list("/providers/Microsoft.Compute/virtualMachines");
    assert!(rest.is_empty(), "{rest:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn quota_and_missing_sizes_are_classed() {
    let world = World::with_network();
    let provider = world.provider(&json!({})).await;
    world.control(
        "/_faults",
        &json!({ "operation": "VirtualMachines_CreateOrUpdate", "answer": "quota" }),
    );
    let response = create(&provider, VM, &machine(&world, &json!({})), 1).await;
    let d = response.diagnostics.0.first().unwrap();
    assert_eq!(d.shortage(), Some(Shortage::Quota), "{d}");
    assert!(response.value.is_none());
    let ip = json!({ "name": "another", "resource_group_name": "lab", "location": "westeurope", "allocation_method": "Static" });
    world.control(
        "/_faults",
        &json!({ "operation": "PublicIPAddresses_CreateOrUpdate", "answer": "quota" }),
    );
    let response = create(&provider, "azurerm_public_ip", &ip, 2).await;
    let d = response.diagnostics.0.first().unwrap();
    assert_eq!(d.shortage(), Some(Shortage::Quota), "{d}");
}

/// Throttling, a cut connection and a lost answer cost nothing and make nothing twice.
#[tokio::test(flavor = "multi_thread")]
async fn faults_on_the_way_are_overcome() {
    let world = World::with_network();
    let provider = world.provider(&json!({})).await;
    for (step, fate) in ["throttle", "cut", "lost", "conflict"]
        .into_iter()
        .enumerate()
    {
        for operation in [
            "NetworkSecurityGroups_CreateOrUpdate",
            "NetworkSecurityGroups_Get",
        ] {
            world.control(
                "/_faults",
                &json!({ "operation": operation, "answer": fate }),
            );
        }
        let name = format!("g{step}");
        let given = json!({ "name": name, "resource_group_name": "lab", "location": "westeurope" });
        let value = made(
            &provider,
            "azurerm_network_security_group",
            &given,
            step as u64,
        )
        .await;
        assert!(text(&value, "id").ends_with(&name));
    }
}

/// What is there under the name and is not ours is never taken.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_adopted() {
    let world = World::with_network();
    let provider = world.provider(&json!({})).await;
    let given = json!({ "name": "sec", "resource_group_name": "lab", "location": "westeurope" });
    let response = create(&provider, "azurerm_network_security_group", &given, 1).await;
    let d = format!("{:?}", response.diagnostics);
    assert!(
        d.contains("is there already") && d.contains("weir import"),
        "{d}"
    );
    assert!(response.value.is_none());
    let subnet = json!({ "name": "s1", "resource_group_name": "lab", "virtual_network_name": "net", "address_prefixes": ["10.0.9.0/24"] });
    let response = create(&provider, "azurerm_subnet", &subnet, 2).await;
    assert!(
        response
            .diagnostics
            .to_string()
            .contains("is there already")
    );
}

/// A group with what others have made is kept, unless the provider block says otherwise.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_group_is_kept() {
    let world = World::start();
    let provider = world.provider(&json!({})).await;
    let group = "azurerm_resource_group";
    let given = json!({ "name": "lab", "location": "westeurope" });
    let value = made(&provider, group, &given, 1).await;
    world.put(
        "/providers/Microsoft.Network/networkSecurityGroups/theirs",
        &json!({ "location": "westeurope", "properties": {} }),
    );
    let response = delete(&provider, group, &value).await;
    let d = response.diagnostics.to_string();
    assert!(d.contains("networkSecurityGroups/theirs"), "{d}");
    assert!(response.value.is_some());
    let features = json!({ "features": [{ "resource_group": [{ "prevent_deletion_if_contains_resources": false }] }] });
    let provider = world.provider(&features).await;
    let response = delete(&provider, group, &value).await;
    assert!(response.value.is_none(), "{}", response.diagnostics);
    assert!(world.get("").is_none());
}

/// Four subnets of one network at once: Azure takes one after the other.
#[tokio::test(flavor = "multi_thread")]
async fn changes_of_one_network_take_turns() {
    let world = World::with_network();
    let provider = world.provider(&json!({})).await;
    let subnet = |n: u64| json!({ "name": format!("t{n}"), "resource_group_name": "lab", "virtual_network_name": "net", "address_prefixes": [format!("10.0.{}.0/24", 10 + n)] });
    let (a, b, c, d) = (subnet(1), subnet(2), subnet(3), subnet(4));
    let ty = "azurerm_subnet";
    tokio::join!(
        made(&provider, ty, &a, 1),
        made(&provider, ty, &b, 2),
        made(&provider, ty, &c, 3),
        made(&provider, ty, &d, 4),
    );
    let busy = world
        .requests()
        .into_iter()
        .filter(|r| r["status"] == 409)
        .count();
    assert_eq!(busy, 0, "nothing ran into another");
}

/// A change of a subnet leaves its security group, and a change of a group its rules.
#[tokio::test(flavor = "multi_thread")]
async fn what_others_have_set_stays() {
    let world = World::with_network();
    let provider = world.provider(&json!({})).await;
    let given = json!({ "name": "t", "resource_group_name": "lab", "virtual_network_name": "net", "address_prefixes": ["10.0.20.0/24"] });
    let value = made(&provider, "azurerm_subnet", &given, 1).await;
    let group = world.id("Microsoft.Network/networkSecurityGroups/sec");
    let guard = json!({ "subnet_id": text(&value, "id"), "network_security_group_id": group });
    made(
        &provider,
        "azurerm_subnet_network_security_group_association",
        &guard,
        2,
    )
    .await;
    let mut changed = given.clone();
    changed["service_endpoints"] = json!(["Microsoft.Storage"]);
    update(&provider, "azurerm_subnet", &value, &changed).await;
    let now = world.get(text(&value, "id")).unwrap();
    assert_eq!(
        now["properties"]["networkSecurityGroup"]["id"],
        json!(group)
    );
    assert_eq!(
        now["properties"]["serviceEndpoints"][0]["service"],
        "Microsoft.Storage"
    );
}

async fn update(provider: &AzureProvider, type_name: &str, prior: &Known, given: &Json) -> Known {
    let config = config(type_name, given);
    let schema = provider.schema().resources[type_name].clone();
    let request = PlanRequest {
        type_name: type_name.into(),
        address: format!("{type_name}.a"),
        prior: Some(prior.clone()),
        config: config.clone(),
        proposed: proposed::merge(&schema, Some(prior.value()), &config),
        private: Vec::new(),
    };
    let plan = provider.plan(request).await.unwrap();
    assert_eq!(plan.requires_replace, Vec::new());
    let request = ApplyRequest {
        type_name: type_name.into(),
        address: format!("{type_name}.a"),
        op: Op::Update,
        prior: Some(prior.clone()),
        planned: Some(plan.planned),
        config: Some(config),
        private: Vec::new(),
        token: Token {
            lineage: "behaviour".into(),
            epoch: 1,
            step: 500,
        },
    };
    let response = provider.apply(request, &NoProgress).await;
    assert!(
        !response.diagnostics.has_errors(),
        "{}",
        response.diagnostics
    );
    response.value.unwrap()
}

/// Import of an id in other capitals, then a read that changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn imports_are_read_whole() {
    let world = World::with_network();
    let provider = world.provider(&json!({})).await;
    let id = world.id("Microsoft.Network/virtualNetworks/net");
    for written in [
        id.clone(),
        id.replace("resourceGroups", "RESOURCEGROUPS")
            .replace("Microsoft", "microsoft"),
    ] {
        let found = provider
            .import("azurerm_virtual_network", &written)
            .await
            .unwrap()
            .remove(0);
        assert_eq!(text(&found.value, "id"), id);
        assert_eq!(text(&found.value, "resource_group_name"), "lab");
        let request = ReadRequest {
            type_name: "azurerm_virtual_network".into(),
            address: "a".into(),
            prior: found.value.clone(),
            private: Vec::new(),
        };
        let read = provider.read(request).await.unwrap().value.unwrap();
        assert_eq!(read, found.value);
    }
    let wrong = provider
        .import("azurerm_virtual_network", "net")
        .await
        .unwrap_err();
    assert!(
        wrong.to_string().contains("/virtualNetworks/NAME"),
        "{wrong}"
    );
    let other = world.id("Microsoft.Network/networkInterfaces/nic");
    assert!(
        provider
            .import("azurerm_virtual_network", &other)
            .await
            .is_err()
    );
    let none = world.id("Microsoft.Network/virtualNetworks/none");
    let none = provider
        .import("azurerm_virtual_network", &none)
        .await
        .unwrap_err();
    assert!(none.to_string().contains("does not exist"), "{none}");
}

#[tokio::test(flavor = "multi_thread")]
async fn data_sources_tell_what_is() {
    let world = World::with_network();
    let provider = world.provider(&json!({})).await;
    let data = async |name: &str, given: Json| {
        let block = &provider.schema().data[name].block;
        provider.data(name, &body(block, &given)).await
    };
    let image = json!({ "location": "West Europe", "publisher": "Debian", "offer": "debian-12", "sku": "12-gen2" });
    let newest = data("azurerm_platform_image", image.clone()).await.unwrap();
    assert_eq!(text(&newest, "version"), "0.20250814.2204");
    let mut old = image.clone();
    old["version"] = json!("0.20240102.1614");
    let old = data("azurerm_platform_image", old).await.unwrap();
    assert!(text(&old, "id").ends_with("/Versions/0.20240102.1614"));
    let group = data("azurerm_resource_group", json!({ "name": "lab" }))
        .await
        .unwrap();
    assert_eq!(text(&group, "location"), "westeurope");
    let missing = data("azurerm_resource_group", json!({ "name": "none" }))
        .await
        .unwrap_err();
    assert!(
        missing.to_string().contains("no resource group \"none\""),
        "{missing}"
    );
    let place = data("azurerm_location", json!({ "location": "west europe" }))
        .await
        .unwrap();
    assert_eq!(text(&place, "display_name"), "West Europe");
    let who = data("azurerm_client_config", json!({})).await.unwrap();
    assert_eq!(text(&who, "tenant_id"), TENANT);
    let subscription = data("azurerm_subscription", json!({})).await.unwrap();
    assert_eq!(text(&subscription, "state"), "Enabled");
}

/// A token of another issuer, from a file; a certificate's are tested beside their making.
#[tokio::test(flavor = "multi_thread")]
async fn a_federated_token_signs_in() {
    let world = World::with_network();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "head.claims.signature\n").unwrap();
    let ways = json!({ "client_secret": null, "use_oidc": true, "oidc_token_file_path": file.path().to_str().unwrap() });
    let provider = world.provider(&ways).await;
    let block = &provider.schema().data["azurerm_resource_group"].block;
    let group = body(block, &json!({ "name": "lab" }));
    provider
        .data("azurerm_resource_group", &group)
        .await
        .unwrap();
    std::fs::write(file.path(), "wrong").unwrap();
    let provider = world.provider(&ways).await;
    let e = provider
        .data("azurerm_resource_group", &group)
        .await
        .unwrap_err();
    assert!(e.to_string().contains("AADSTS7000215"), "{e}");
}

/// Nothing of the provider block's secrets is in what it prints of itself.
#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_not_shown() {
    let world = World::with_network();
    let provider = AzureProvider::new(quick());
    let block = world.block(&json!({ "client_secret": "top-secret-word" }));
    provider.configure(&block).await.unwrap();
    let data = body(
        &provider.schema().data["azurerm_client_config"].block,
        &json!({}),
    );
    provider.data("azurerm_client_config", &data).await.unwrap();
    assert!(!format!("{provider:?}").contains("top-secret-word"));
}
