//! What a machine's request is refused for.

use crate::azure::{
    error::{ArmError, Outcome},
    kinds::{AVAILABILITY_SET, INTERFACE, PLACEMENT_GROUP, Put},
    network, places, small,
};
use base64::Engine as _;
use serde_json::{Value as Json, json};

/// Names that no administrator may have.
const RESERVED: [&str; 12] = [
    "administrator",
    "admin",
    "user",
    "user1",
    "test",
    "root",
    "guest",
    "sys",
    "backup",
    "console",
    "david",
    "support",
];

/// That the subscription may have no more cores: limit, used, wanted.
pub(in crate::azure) fn no_quota(what: &str, (limit, used, more): (u32, u32, u32)) -> ArmError {
    let message = format!(
        "Operation could not be completed as it results in exceeding approved {what} quota. Additional details - Deployment Model: Resource Manager, Location: westeurope, Current Limit: {limit}, Current Usage: {used}, Additional Required: {more}, (Minimum) New Limit Required: {}. Submit a request for Quota increase at https://aka.ms/ProdportalCRP.",
        used + more
    );
    ArmError::conflict("OperationNotAllowed", message)
}

/// That there is no room for it, as the operation ends with.
pub(super) fn no_capacity(body: &Json) -> ArmError {
    let zone = body["zones"].get(0).and_then(Json::as_str);
    match zone {
        Some(_) => ArmError::conflict(
            "ZonalAllocationFailed",
            "Allocation failed. We do not have sufficient capacity for the requested VM size in this zone. Read more about improving likelihood of allocation success at http://aka.ms/allocation-guidance",
        ),
        None => ArmError::conflict(
            "AllocationFailed",
            "Allocation failed. We do not have sufficient capacity for the requested VM size in this region. Read more about improving likelihood of allocation success at http://aka.ms/allocation-guidance",
        ),
    }
}

pub(super) fn size(put: &Put<'_>) -> Outcome<()> {
    let name = put.body["properties"]["hardwareProfile"]["vmSize"]
        .as_str()
        .unwrap_or_default();
    let location = put.body["location"].as_str().unwrap_or_default();
    let size = places::size_of(name).ok_or_else(|| {
        let all: Vec<&str> = places::SIZES.iter().map(|s| s.name).collect();
        let message = format!(
            "The value {name} provided for the VM size is not valid. The valid sizes in the current region are: {}. Find out more on the valid VM sizes in each region at https://aka.ms/azure-regions.",
            all.join(",")
        );
        ArmError::parameter("vmSize", message)
    })?;
    if places::is_restricted(size, location) {
        let message = format!(
            "The requested VM size for resource 'Following SKUs have failed for Capacity Restrictions: {}' is currently not available in location '{location}'. Please try another size or deploy to a different location or different zone. See https://aka.ms/azureskunotavailable for details.",
            size.name
        );
        return Err(ArmError::conflict("SkuNotAvailable", message));
    }
    let used: u32 = super::cores(put.world, location)
        .iter()
        .map(|(_, n)| n)
        .sum();
    let old = put
        .old
        .and_then(|o| o["properties"]["hardwareProfile"]["vmSize"].as_str());
    let had = old.and_then(places::size_of).map_or(0, |s| s.cores);
    if used - had + size.cores > places::CORES {
        return Err(no_quota(
            "Total Regional Cores",
            (places::CORES, used, size.cores),
        ));
    }
    Ok(())
}

/// Zones, availability sets, placement groups.
pub(super) fn place(put: &Put<'_>) -> Outcome<()> {
    places::check_zones(&put.body)?;
    let p = &put.body["properties"];
    let zonal = put.body["zones"].as_array().is_some_and(|z| !z.is_empty());
    let set = put.refers(&p["availabilitySet"], &AVAILABILITY_SET)?;
    put.refers(&p["proximityPlacementGroup"], &PLACEMENT_GROUP)?;
    if set.is_some() && zonal {
        let message = "The use of a Virtual Machine's availability set together with availability zones is not supported.";
        return Err(ArmError::bad("BadRequest", message));
    }
    if set
        .as_ref()
        .is_some_and(|s| s.body["sku"]["name"] != "Aligned")
    {
        let message = "Addition of a VM with managed disks to non-managed Availability Set or addition of a VM with blob based disks to managed Availability Set is not supported. Please create an Availability Set with 'managed' property set in order to add a VM with managed disks to it.";
        return Err(ArmError::conflict("OperationNotAllowed", message));
    }
    if put.body["zones"].as_array().is_some_and(|z| z.len() > 1) {
        let message = "A virtual machine can be in one zone only.";
        return Err(ArmError::bad("InvalidParameter", message));
    }
    Ok(())
}

/// What was settled when it was made.
pub(super) fn unchanged(put: &Put<'_>) -> Outcome<()> {
    for pointer in [
        "/zones",
        "/plan",
        "/properties/availabilitySet",
        "/properties/priority",
        "/properties/osProfile/computerName",
        "/properties/osProfile/adminUsername",
        "/properties/osProfile/adminPassword",
        "/properties/osProfile/customData",
        "/properties/osProfile/linuxConfiguration/disablePasswordAuthentication",
        "/properties/osProfile/linuxConfiguration/ssh",
        "/properties/storageProfile/imageReference/publisher",
        "/properties/storageProfile/imageReference/offer",
        "/properties/storageProfile/imageReference/sku",
        "/properties/storageProfile/osDisk/name",
        "/properties/storageProfile/osDisk/createOption",
        "/properties/storageProfile/osDisk/diffDiskSettings",
        "/properties/securityProfile/securityType",
    ] {
        put.stays(pointer)?;
    }
    let zones = |body: &Json| body["zones"].as_array().cloned().unwrap_or_default();
    if put.old.is_some_and(|o| zones(o) != zones(&put.body)) {
        let message = "Changing property 'zones' is not allowed.";
        return Err(ArmError::conflict("PropertyChangeNotAllowed", message));
    }
    Ok(())
}

/// Who may log in, and how.
pub(super) fn login(put: &mut Put<'_>) -> Outcome<()> {
    let name = put.id.name().to_owned();
    let os = &mut put.body["properties"]["osProfile"];
    if os.is_null() {
        let message = "Required parameter 'osProfile' is missing (null).";
        return Err(ArmError::parameter("osProfile", message));
    }
    if os["computerName"].is_null() {
        os["computerName"] = json!(name);
    }
    let host = os["computerName"].as_str().unwrap_or_default();
    let fits = host
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.');
    if !fits || host.is_empty() || host.len() > 64 {
        let message = format!(
            "Linux host name '{host}' cannot exceed 64 characters in length or contain the following characters: ` ~ ! @ # $ % ^ & * ( ) = + _ [ ] {{ }} \\ | ; : ' \" , < > / ?."
        );
        return Err(ArmError::parameter("linuxHostName", message));
    }
    let user = os["adminUsername"].as_str().unwrap_or_default().to_owned();
    if user.is_empty() {
        let message = "Required parameter 'adminUsername' is missing (null).";
        return Err(ArmError::parameter("adminUsername", message));
    }
    if RESERVED.contains(&user.to_lowercase().as_str()) {
        let message = "The Admin Username specified is not allowed.";
        return Err(ArmError::parameter("adminUsername", message));
    }
    if let Some(data) = os["customData"].as_str() {
        let decoded = base64::engine::general_purpose::STANDARD.decode(data);
        if decoded.is_err() || data.len() > 87_380 {
            let message = "Custom data in OSProfile must be in Base64 encoding and with a maximum length of 87380 characters.";
            return Err(ArmError::parameter("customData", message));
        }
    }
    let password = os["adminPassword"].as_str().map(str::to_owned);
    let linux = &os["linuxConfiguration"];
    let by_key = linux["disablePasswordAuthentication"] == true;
    let keys = linux["ssh"]["publicKeys"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    for key in &keys {
        let path = format!("/home/{user}/.ssh/authorized_keys");
        if key["path"] != path.as_str() {
            let message = format!(
                "Destination path for SSH public keys is currently limited to its default value {path} due to a known issue in Linux provisioning agent."
            );
            return Err(ArmError::parameter(
                "linuxConfiguration.ssh.publicKeys.path",
                message,
            ));
        }
        if !small::is_key(key["keyData"].as_str().unwrap_or_default()) {
            let message =
                "The value of parameter linuxConfiguration.ssh.publicKeys.keyData is invalid.";
            return Err(ArmError::parameter(
                "linuxConfiguration.ssh.publicKeys.keyData",
                message,
            ));
        }
    }
    if put.old.is_some() {
        return Ok(());
    }
    match password {
        None if keys.is_empty() => {
            let message = "Authentication using either SSH or by user name and password must be enabled in Linux profile.";
            Err(ArmError::parameter("linuxConfiguration", message))
        }
        None if !by_key => {
            let message = "Required parameter 'adminPassword' is missing (null).";
            Err(ArmError::parameter("adminPassword", message))
        }
        Some(p) if !is_strong(&p) => {
            let message = "The supplied password must be between 6-72 characters long and must satisfy at least 3 of password complexity requirements from the following: Contains an uppercase character, a lowercase character, a numeric digit, a special character.";
            Err(ArmError::parameter("adminPassword", message))
        }
        _ => Ok(()),
    }
}

fn is_strong(password: &str) -> bool {
    let has = |f: fn(char) -> bool| u32::from(password.chars().any(f));
    let kinds = has(|c| c.is_ascii_uppercase())
        + has(|c| c.is_ascii_lowercase())
        + has(|c| c.is_ascii_digit())
        + has(|c| !c.is_ascii_alphanumeric());
    (6..=72).contains(&password.len()) && kinds >= 3
}

/// Its interfaces: there, free, in its place.
pub(super) fn interfaces(put: &Put<'_>) -> Outcome<()> {
    let nics = put.body["properties"]["networkProfile"]["networkInterfaces"].as_array();
    let nics: Vec<Json> = nics.cloned().unwrap_or_default();
    if nics.is_empty() {
        let message = "Virtual machine must have at least one network interface.";
        return Err(ArmError::parameter("networkProfile", message));
    }
    let primaries = nics
        .iter()
        .filter(|n| n["properties"]["primary"] == true)
        .count();
    if nics.len() > 1 && primaries != 1 {
        let message = "Virtual machine has more than one network interface, and one of them has to be primary.";
        return Err(ArmError::bad(
            "VirtualMachineMustHaveOneNetworkInterfaceAsPrimary",
            message,
        ));
    }
    for nic in &nics {
        let Some(found) = put.refers(nic, &INTERFACE)? else {
            continue;
        };
        network::made(&found, put.id)?;
        if found.body["location"] != put.body["location"] {
            let message = format!(
                "Resource {} is not in the region of the virtual machine.",
                found.id.text()
            );
            return Err(ArmError::bad("InvalidResourceReference", message));
        }
        let owner = super::with_interface(put.world, &found.id.text());
        if let Some(owner) = owner.filter(|o| o.id.key() != put.id.key()) {
            let message = format!(
                "Network Interface {} is used by existing resource {}. In order to use it, it must be dissociated from the resource.",
                found.id.text(),
                owner.id.text()
            );
            return Err(ArmError::bad("NicInUse", message));
        }
    }
    let ids = |body: &Json| {
        let all = body["properties"]["networkProfile"]["networkInterfaces"].as_array();
        let all = all.into_iter().flatten();
        all.filter_map(|n| n["id"].as_str().map(str::to_lowercase))
            .collect::<Vec<_>>()
    };
    let runs = |o: &Json| o["properties"][super::POWER] == "running";
    if put.old.is_some_and(|o| runs(o) && ids(o) != ids(&put.body)) {
        let message =
            "Network interfaces of a virtual machine can be changed only while it is deallocated.";
        return Err(ArmError::conflict("OperationNotAllowed", message));
    }
    Ok(())
}

/// Spot and on-demand.
pub(super) fn market(put: &mut Put<'_>) -> Outcome<()> {
    put.default("priority", json!("Regular"));
    let p = &put.body["properties"];
    let spot = p["priority"] != "Regular";
    if spot && !p["availabilitySet"].is_null() {
        let message = "Spot virtual machines are not supported in availability sets.";
        return Err(ArmError::bad("BadRequest", message));
    }
    if !spot && (!p["evictionPolicy"].is_null() || !p["billingProfile"]["maxPrice"].is_null()) {
        let message =
            "Eviction policy and max price can be set only for Azure Spot virtual machines.";
        return Err(ArmError::parameter("evictionPolicy", message));
    }
    if spot {
        put.default("evictionPolicy", json!("Deallocate"));
    }
    Ok(())
}
