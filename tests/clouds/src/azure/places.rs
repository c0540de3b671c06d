//! Where machines can be, of what sizes, from which images, and how many: a small extract of what
//! Azure has.

use super::error::{ArmError, Outcome};
use crate::{Call, http::Reply};
use serde_json::{Value as Json, json};

/// The tenant of every subscription.
pub(super) const TENANT: &str = "72f988bf-0000-4000-8000-2d7cd011db47";

/// Name, name as people write it, number of zones.
pub(super) const LOCATIONS: [(&str, &str, u32); 8] = [
    ("eastus", "East US", 3),
    ("germanywestcentral", "Germany West Central", 3),
    ("japaneast", "Japan East", 3),
    ("northeurope", "North Europe", 3),
    ("uksouth", "UK South", 3),
    ("westeurope", "West Europe", 3),
    ("westus", "West US", 0),
    ("westus2", "West US 2", 3),
];

/// Names of the locations alone.
pub(super) const NAMES: [&str; 8] = [
    "eastus",
    "germanywestcentral",
    "japaneast",
    "northeurope",
    "uksouth",
    "westeurope",
    "westus",
    "westus2",
];

/// A size of machines.
pub(super) struct Size {
    pub(super) name: &'static str,
    pub(super) family: &'static str,
    pub(super) cores: u32,
    /// In MB.
    pub(super) memory: u32,
    pub(super) disks: u32,
    pub(super) arch: &'static str,
}

const fn size(
    name: &'static str,
    family: &'static str,
    (cores, memory, disks): (u32, u32, u32),
    arch: &'static str,
) -> Size {
    Size {
        name,
        family,
        cores,
        memory,
        disks,
        arch,
    }
}

pub(super) static SIZES: [Size; 12] = [
    size("Standard_B1s", "standardBSFamily", (1, 1024, 2), "x64"),
    size("Standard_B2s", "standardBSFamily", (2, 4096, 4), "x64"),
    size(
        "Standard_B2ts_v2",
        "standardBsv2Family",
        (2, 1024, 4),
        "x64",
    ),
    size(
        "Standard_B2pls_v2",
        "standardBpsv2Family",
        (2, 4096, 4),
        "Arm64",
    ),
    size("Standard_D2s_v5", "standardDSv5Family", (2, 8192, 4), "x64"),
    size(
        "Standard_D4s_v5",
        "standardDSv5Family",
        (4, 16384, 8),
        "x64",
    ),
    size(
        "Standard_D8s_v5",
        "standardDSv5Family",
        (8, 32768, 16),
        "x64",
    ),
    size(
        "Standard_D2ps_v5",
        "standardDPSv5Family",
        (2, 8192, 4),
        "Arm64",
    ),
    size(
        "Standard_E2s_v5",
        "standardESv5Family",
        (2, 16384, 4),
        "x64",
    ),
    size("Standard_F2s_v2", "standardFSv2Family", (2, 4096, 4), "x64"),
    size("Standard_F4s_v2", "standardFSv2Family", (4, 8192, 8), "x64"),
    size(
        "Standard_NC24ads_A100_v4",
        "StandardNCADSA100v4Family",
        (24, 225_280, 8),
        "x64",
    ),
];

/// Cores that a subscription may have in a location.
pub(super) const CORES: u32 = 200;

/// The size of that name.
pub(super) fn size_of(name: &str) -> Option<&'static Size> {
    SIZES.iter().find(|s| s.name.eq_ignore_ascii_case(name))
}

/// Whether there is none of the size to be had in the location.
pub(super) fn is_restricted(size: &Size, location: &str) -> bool {
    size.name.contains("_NC") && location != "westeurope" && location != "eastus"
}

/// The location's name, of however it is written.
pub(super) fn location(text: &str) -> Option<&'static str> {
    let plain: String = text.split_whitespace().collect::<String>().to_lowercase();
    NAMES.into_iter().find(|n| *n == plain)
}

/// How many zones a location has.
pub(super) fn zones(location: &str) -> u32 {
    let found = LOCATIONS.iter().find(|(n, ..)| *n == location);
    found.map_or(0, |(.., zones)| *zones)
}

/// Refuses zones that the location does not have.
pub(super) fn check_zones(body: &Json) -> Outcome<()> {
    let all = zones(body["location"].as_str().unwrap_or_default());
    for zone in body["zones"].as_array().into_iter().flatten() {
        let number = zone.as_str().and_then(|z| z.parse::<u32>().ok());
        if number.is_none_or(|n| n < 1 || n > all) {
            let message = format!(
                "The zone(s) '{}' for resource is not supported. The supported zones for location '{}' are '{}'.",
                zone.as_str().unwrap_or_default(),
                body["location"].as_str().unwrap_or_default(),
                (1..=all)
                    .map(|z| z.to_string())
                    .collect::<Vec<_>>()
                    .join(",")
            );
            return Err(ArmError::bad("InvalidAvailabilityZone", message));
        }
    }
    Ok(())
}

/// Publisher, offer, SKU, architecture and versions of images.
pub(super) static IMAGES: [(&str, &str, &str, &str, &[&str]); 7] = [
    (
        "Canonical",
        "ubuntu-24_04-lts",
        "server",
        "x64",
        &["24.04.202404230", "24.04.202510010"],
    ),
    (
        "Canonical",
        "ubuntu-24_04-lts",
        "server-arm64",
        "Arm64",
        &["24.04.202510010"],
    ),
    (
        "Canonical",
        "0001-com-ubuntu-server-jammy",
        "22_04-lts-gen2",
        "x64",
        &["22.04.202401010", "22.04.202509120"],
    ),
    (
        "Debian",
        "debian-12",
        "12-gen2",
        "x64",
        &["0.20240102.1614", "0.20250814.2204"],
    ),
    (
        "Debian",
        "debian-12",
        "12-arm64",
        "Arm64",
        &["0.20250814.2204"],
    ),
    (
        "Debian",
        "debian-13",
        "13-gen2",
        "x64",
        &["0.20250911.2232"],
    ),
    (
        "resf",
        "rockylinux-x86_64",
        "9-base",
        "x64",
        &["9.5.20241118"],
    ),
];

/// The version of an image that a reference to it means, and the image's architecture.
///
/// # Errors
/// That there is none.
pub(super) fn image(reference: &Json) -> Outcome<(&'static str, &'static str)> {
    let text = |key: &str| reference[key].as_str().unwrap_or_default();
    let (publisher, offer, sku) = (text("publisher"), text("offer"), text("sku"));
    let version = text("version");
    let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
    let found = IMAGES
        .iter()
        .find(|(p, o, s, ..)| same(p, publisher) && same(o, offer) && same(s, sku));
    let found = found.and_then(|(.., arch, versions)| {
        let one = match same(version, "latest") {
            true => versions.last(),
            false => versions.iter().find(|v| **v == version),
        };
        one.map(|v| (*v, *arch))
    });
    found.ok_or_else(|| {
        let message = format!(
            "The platform image '{publisher}:{offer}:{sku}:{version}' is not available. Verify that all fields in the storage profile are correct. For more details about storage profile information, please refer to https://aka.ms/storageprofile"
        );
        ArmError::new(404, "PlatformImageNotFound", message)
    })
}

fn size_view(size: &Size) -> Json {
    json!({
        "name": size.name, "numberOfCores": size.cores, "osDiskSizeInMB": 1_047_552,
        "resourceDiskSizeInMB": 0, "memoryInMB": size.memory, "maxDataDiskCount": size.disks,
    })
}

fn sku_view(size: &Size, location: &str) -> Json {
    let zones: Vec<String> = (1..=zones(location)).map(|z| z.to_string()).collect();
    let capability = |name: &str, value: String| json!({ "name": name, "value": value });
    let restrictions = match is_restricted(size, location) {
        true => json!([{
            "type": "Location", "values": [location], "reasonCode": "NotAvailableForSubscription",
            "restrictionInfo": { "locations": [location] },
        }]),
        false => json!([]),
    };
    json!({
        "resourceType": "virtualMachines", "name": size.name, "tier": "Standard",
        "size": size.name.trim_start_matches("Standard_"), "family": size.family,
        "locations": [location],
        "locationInfo": [{ "location": location, "zones": zones, "zoneDetails": [] }],
        "capabilities": [
            capability("vCPUs", size.cores.to_string()),
            capability("MemoryGB", (f64::from(size.memory) / 1024.0).to_string()),
            capability("MaxDataDiskCount", size.disks.to_string()),
            capability("CpuArchitectureType", size.arch.to_owned()),
            capability("PremiumIO", "True".into()),
            capability("LowPriorityCapable", "True".into()),
        ],
        "restrictions": restrictions,
    })
}

/// All SKUs of compute, or those of one location (`$filter=location eq 'westeurope'`).
pub(super) fn skus(call: &Call<'_>) -> Reply {
    let filter = call.request.query("$filter").unwrap_or_default();
    let only = filter.split('\'').nth(1).and_then(location);
    let places = NAMES.iter().filter(|n| only.is_none_or(|o| o == **n));
    let all = places.flat_map(|place| SIZES.iter().map(|s| sku_view(s, place)));
    super::arm::page(call, all.collect())
}

/// What compute has in a location: sizes, images, usages.
pub(super) fn regional(
    call: &Call<'_>,
    subscription: &str,
    place: &str,
    rest: &[String],
    used: impl Fn(&str) -> Vec<(&'static str, u32)>,
) -> Outcome<Reply> {
    let place = location(place).ok_or_else(|| {
        let message = format!("No registered resource provider found for location '{place}'.");
        ArmError::bad("NoRegisteredProviderFound", message)
    })?;
    let words: Vec<&str> = rest.iter().map(String::as_str).collect();
    let base = format!(
        "/Subscriptions/{subscription}/Providers/Microsoft.Compute/Locations/{place}/Publishers"
    );
    match words.as_slice() {
        ["vmSizes"] => {
            let all: Vec<Json> = SIZES.iter().map(size_view).collect();
            Ok(Reply::json(200, &json!({ "value": all })))
        }
        ["usages"] => Ok(usages(&used(place))),
        ["publishers", rest @ ..] => images(call, place, &base, rest),
        _ => {
            let message = format!("The resource type '{}' could not be found.", rest.join("/"));
            Err(ArmError::new(404, "InvalidResourceType", message))
        }
    }
}

fn usages(used: &[(&'static str, u32)]) -> Reply {
    let total: u32 = used.iter().map(|(_, n)| n).sum();
    let view = |value: &str, name: &str, now: u32, limit: u32| {
        json!({
            "unit": "Count", "currentValue": now, "limit": limit,
            "name": { "value": value, "localizedValue": name },
        })
    };
    let mut all = vec![view("cores", "Total Regional vCPUs", total, CORES)];
    for (family, cores) in used {
        all.push(view(family, family, *cores, CORES / 2));
    }
    Reply::json(200, &json!({ "value": all }))
}

/// `publishers[/P/artifacttypes/vmimage/offers[/O/skus[/S/versions[/V]]]]`
fn images(call: &Call<'_>, place: &str, base: &str, rest: &[&str]) -> Outcome<Reply> {
    let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
    let wanted: Vec<&str> = match rest {
        [] => Vec::new(),
        [publisher, _, _, "offers"] => vec![publisher],
        [publisher, _, _, "offers", offer, "skus"] => vec![publisher, offer],
        [publisher, _, _, "offers", offer, "skus", sku, "versions"] => vec![publisher, offer, sku],
        [
            publisher,
            _,
            _,
            "offers",
            offer,
            "skus",
            sku,
            "versions",
            version,
        ] => {
            vec![publisher, offer, sku, version]
        }
        _ => {
            return Err(ArmError::new(
                404,
                "InvalidResourceType",
                "No such list of images.",
            ));
        }
    };
    let mut names: Vec<&str> = Vec::new();
    for (publisher, offer, sku, arch, versions) in &IMAGES {
        let way = [*publisher, offer, sku];
        let fits = way.iter().zip(&wanted).all(|(a, b)| same(a, b));
        if !fits {
            continue;
        }
        match wanted.as_slice() {
            [_, _, _, version] if versions.contains(version) => {
                return Ok(Reply::json(
                    200,
                    &json!({
                        "location": place, "name": version,
                        "id": format!("{base}/{publisher}/ArtifactTypes/VMImage/Offers/{offer}/Skus/{sku}/Versions/{version}"),
                        "properties": {
                            "osDiskImage": { "operatingSystem": "Linux", "sizeInGb": 30 },
                            "dataDiskImages": [], "hyperVGeneration": "V2", "architecture": arch,
                        },
                    }),
                ));
            }
            [_, _, _, _] => {}
            [_, _, _] => names.extend(versions.iter()),
            _ => names.push(way[wanted.len()]),
        }
    }
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        let message = format!("Artifact: VMImage was not found: {}.", wanted.join(":"));
        return Err(ArmError::new(404, "NotFound", message));
    }
    if call.request.query("$orderby") == Some("name desc") {
        names.reverse();
    }
    let top = call.request.query("$top").and_then(|t| t.parse().ok());
    names.truncate(top.unwrap_or(usize::MAX));
    // An id has the words between the names that the path has.
    let words = ["ArtifactTypes/VMImage/Offers", "Skus", "Versions"];
    let mut around = base.to_owned();
    for (name, word) in wanted.iter().zip(words) {
        around.push_str(&format!("/{name}/{word}"));
    }
    let all = names
        .iter()
        .map(|n| json!({ "location": place, "name": n, "id": format!("{around}/{n}") }));
    Ok(Reply::json(200, &Json::Array(all.collect())))
}
