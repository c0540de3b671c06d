//! The data sources.

use crate::{
    client::Azure,
    resource::{COMPUTE, Failure, Found, RESOURCES, fields, location},
    tags,
};
use serde_json::{Value as Json, json};
use weir_core::Value;
use weir_provider::{cloud::Cause, declared::Fields as _};

/// Reads one.
pub(crate) async fn read(azure: &Azure, type_name: &str, config: &Value) -> Result<Found, Failure> {
    match type_name {
        "azurerm_client_config" => Ok(client_config(azure)),
        "azurerm_location" => place(azure, config).await,
        "azurerm_platform_image" => image(azure, config).await,
        "azurerm_resource_group" => group(azure, config).await,
        "azurerm_subscription" => subscription(azure, config).await,
        other => Err(Failure::new(other, "the provider has no such data source")),
    }
}

fn client_config(azure: &Azure) -> Found {
    let client = azure.client_id.clone().unwrap_or_default();
    let tenant = azure.tenant.clone().unwrap_or_default();
    fields(json!({
        "id": format!("{tenant};{};{client}", azure.subscription),
        "client_id": client,
        "object_id": "",
        "subscription_id": azure.subscription,
        "tenant_id": tenant,
    }))
}

fn missing(what: &str, why: String) -> Failure {
    Failure {
        cause: Cause::Gone,
        ..Failure::new(what, why)
    }
}

async fn group(azure: &Azure, config: &Value) -> Result<Found, Failure> {
    let name = config.text("name").unwrap_or_default();
    let id = format!("{}/resourceGroups/{name}", azure.root());
    let found = azure.get("ResourceGroups_Get", &id, RESOURCES).await?;
    let found = found.ok_or_else(|| {
        missing(
            "ResourceGroups_Get",
            format!(
                "there is no resource group {name:?} in subscription {}",
                azure.subscription
            ),
        )
    })?;
    Ok(fields(json!({
        "id": found["id"],
        "name": name,
        "location": found["location"],
        "managed_by": found["managedBy"].as_str().unwrap_or_default(),
        "tags": tags::found(&found),
    })))
}

async fn place(azure: &Azure, config: &Value) -> Result<Found, Failure> {
    let name = config.text("location").unwrap_or_default();
    let path = format!("{}/locations", azure.root());
    let all = azure
        .list("Subscriptions_ListLocations", &path, "2022-12-01")
        .await?;
    let wanted = location(&name);
    let found = all.iter().find(|l| l["name"] == wanted.as_str());
    let found = found.ok_or_else(|| {
        missing(
            "Subscriptions_ListLocations",
            format!("the subscription has no location {name:?}"),
        )
    })?;
    let zones = found["availabilityZoneMappings"]
        .as_array()
        .into_iter()
        .flatten();
    let zones = zones
        .map(|z| json!({ "logical_zone": z["logicalZone"], "physical_zone": z["physicalZone"] }));
    Ok(fields(json!({
        "id": found["id"],
        "display_name": found["displayName"],
        "zone_mappings": zones.collect::<Vec<_>>(),
    })))
}

async fn subscription(azure: &Azure, config: &Value) -> Result<Found, Failure> {
    let id = config
        .text("subscription_id")
        .unwrap_or_else(|| azure.subscription.clone());
    let path = format!("/subscriptions/{id}");
    let found = azure.get("Subscriptions_Get", &path, "2022-12-01").await?;
    let found = found.ok_or_else(|| {
        missing(
            "Subscriptions_Get",
            format!("there is no subscription {id}"),
        )
    })?;
    let policies = &found["subscriptionPolicies"];
    let text = |v: &Json| v.as_str().unwrap_or_default().to_owned();
    Ok(fields(json!({
        "id": path,
        "subscription_id": id,
        "display_name": text(&found["displayName"]),
        "location_placement_id": text(&policies["locationPlacementId"]),
        "quota_id": text(&policies["quotaId"]),
        "spending_limit": text(&policies["spendingLimit"]),
        "state": text(&found["state"]),
        "tenant_id": text(&found["tenantId"]),
    })))
}

/// An image: of the version that is said, or of the newest.
async fn image(azure: &Azure, config: &Value) -> Result<Found, Failure> {
    let text = |key: &str| config.text(key).unwrap_or_default();
    let what = "VirtualMachineImages_List";
    let path = format!(
        "{}/providers/Microsoft.Compute/locations/{}/publishers/{}/artifacttypes/vmimage/offers/{}/skus/{}/versions",
        azure.root(),
        location(&text("location")),
        text("publisher"),
        text("offer"),
        text("sku"),
    );
    let found = azure.get(what, &path, COMPUTE).await?;
    let none = || {
        let names = [text("publisher"), text("offer"), text("sku")].join(":");
        Failure {
            help: Some("Look it up: `az vm image list --all --publisher ... --offer ...`."),
            ..missing(
                what,
                format!("there is no image {names} in {}", text("location")),
            )
        }
    };
    let all = found.and_then(|f| f.as_array().cloned()).ok_or_else(none)?;
    let mut versions: Vec<(Vec<u64>, &Json)> = all
        .iter()
        .map(|v| {
            let name = v["name"].as_str().unwrap_or_default();
            (name.split('.').map(|n| n.parse().unwrap_or(0)).collect(), v)
        })
        .collect();
    versions.sort_by(|a, b| a.0.cmp(&b.0));
    let said = config.text("version").filter(|v| v != "latest");
    let one = match &said {
        Some(version) => versions.iter().find(|(_, v)| v["name"] == version.as_str()),
        None => versions.last(),
    };
    let (_, one) = one.ok_or_else(none)?;
    Ok(fields(json!({ "id": one["id"], "version": one["name"] })))
}
