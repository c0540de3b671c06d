//! What a project finds: regions, zones, machine types, public images.

use super::route::{Key, LINKS, Scope};
use serde_json::{Value as Json, json};

/// Regions, the letters of their zones, and the third octet of their part of auto-mode networks.
pub const REGIONS: [(&str, &str, u8); 7] = [
    ("asia-east1", "abc", 140),
    ("europe-north1", "abc", 166),
    ("europe-west1", "bcd", 132),
    ("europe-west3", "abc", 156),
    ("europe-west4", "abc", 164),
    ("us-central1", "abcf", 128),
    ("us-east1", "bcd", 142),
];

/// Machine types: name, CPUs, memory in MiB, architecture.
const MACHINES: [(&str, u32, u32, &str); 16] = [
    ("c3-standard-4", 4, 16384, "X86_64"),
    ("e2-highcpu-2", 2, 2048, "X86_64"),
    ("e2-medium", 2, 4096, "X86_64"),
    ("e2-micro", 2, 1024, "X86_64"),
    ("e2-small", 2, 2048, "X86_64"),
    ("e2-standard-2", 2, 8192, "X86_64"),
    ("e2-standard-4", 4, 16384, "X86_64"),
    ("e2-standard-8", 8, 32768, "X86_64"),
    ("f1-micro", 1, 614, "X86_64"),
    ("g1-small", 1, 1740, "X86_64"),
    ("n1-standard-1", 1, 3840, "X86_64"),
    ("n2-standard-2", 2, 8192, "X86_64"),
    ("n2-standard-4", 4, 16384, "X86_64"),
    ("n2d-standard-2", 2, 8192, "X86_64"),
    ("t2a-standard-1", 1, 4096, "ARM64"),
    ("t2d-standard-1", 1, 4096, "X86_64"),
];

/// Images: project, family, name, architecture, disk size in GB; older ones before newer.
const IMAGES: [(&str, &str, &str, &str, u32); 11] = [
    (
        "debian-cloud",
        "debian-11",
        "debian-11-bullseye-v20250610",
        "X86_64",
        10,
    ),
    (
        "debian-cloud",
        "debian-12",
        "debian-12-bookworm-v20250311",
        "X86_64",
        10,
    ),
    (
        "debian-cloud",
        "debian-12",
        "debian-12-bookworm-v20250610",
        "X86_64",
        10,
    ),
    (
        "debian-cloud",
        "debian-12-arm64",
        "debian-12-bookworm-arm64-v20250610",
        "ARM64",
        10,
    ),
    (
        "debian-cloud",
        "debian-13",
        "debian-13-trixie-v20250909",
        "X86_64",
        10,
    ),
    (
        "ubuntu-os-cloud",
        "ubuntu-2204-lts",
        "ubuntu-2204-jammy-v20250606",
        "X86_64",
        10,
    ),
    (
        "ubuntu-os-cloud",
        "ubuntu-2404-lts-amd64",
        "ubuntu-2404-noble-amd64-v20250606",
        "X86_64",
        10,
    ),
    (
        "ubuntu-os-cloud",
        "ubuntu-2404-lts-arm64",
        "ubuntu-2404-noble-arm64-v20250606",
        "ARM64",
        10,
    ),
    (
        "rocky-linux-cloud",
        "rocky-linux-8",
        "rocky-linux-8-v20250610",
        "X86_64",
        20,
    ),
    (
        "rocky-linux-cloud",
        "rocky-linux-9",
        "rocky-linux-9-v20250610",
        "X86_64",
        20,
    ),
    (
        "rocky-linux-cloud",
        "rocky-linux-9-arm64",
        "rocky-linux-9-arm64-v20250610",
        "ARM64",
        20,
    ),
];

/// Types of disks: name, and the smallest size in GB.
pub const DISK_TYPES: [(&str, u64); 5] = [
    ("hyperdisk-balanced", 4),
    ("pd-balanced", 10),
    ("pd-extreme", 500),
    ("pd-ssd", 10),
    ("pd-standard", 10),
];

/// A number for an id that is always the same for the same name.
fn number(text: &str) -> String {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| {
        (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)
    });
    (hash >> 2).to_string()
}

const BEGAN: &str = "1969-12-31T16:00:00.000-08:00";

/// Whether there is such a zone.
pub fn has_zone(zone: &str) -> bool {
    REGIONS.iter().any(|(region, letters, _)| {
        zone.strip_prefix(*region).is_some_and(|rest| {
            rest.strip_prefix('-')
                .is_some_and(|l| l.len() == 1 && letters.contains(l))
        })
    })
}

/// Whether there is such a region.
pub fn has_region(region: &str) -> bool {
    REGIONS.iter().any(|(name, ..)| *name == region)
}

/// The region as the API shows it.
pub fn region(project: &str, name: &str, quotas: Json) -> Option<Json> {
    let (_, letters, _) = REGIONS.iter().find(|(n, ..)| *n == name)?;
    let links = format!("{LINKS}projects/{project}");
    let zones: Vec<String> = (letters.chars())
        .map(|l| format!("{links}/zones/{name}-{l}"))
        .collect();
    Some(json!({
        "kind": "compute#region", "id": number(name), "name": name, "description": name,
        "creationTimestamp": BEGAN, "status": "UP", "zones": zones, "quotas": quotas,
        "selfLink": format!("{links}/regions/{name}"),
    }))
}

/// All zones as the API shows them.
pub fn zones(project: &str) -> Vec<Json> {
    let links = format!("{LINKS}projects/{project}");
    let of_region = |(region, letters, _): &(&str, &str, u8)| {
        let (region, links) = ((*region).to_owned(), links.clone());
        let letters: Vec<char> = letters.chars().collect();
        letters.into_iter().map(move |l| {
            let name = format!("{region}-{l}");
            json!({
                "kind": "compute#zone", "id": number(&name), "name": name, "description": name,
                "creationTimestamp": BEGAN, "status": "UP",
                "region": format!("{links}/regions/{region}"),
                "selfLink": format!("{links}/zones/{name}"),
                "availableCpuPlatforms": ["Intel Skylake", "Intel Broadwell", "Ampere Altra"],
            })
        })
    };
    REGIONS.iter().flat_map(of_region).collect()
}

/// All machine types of a zone.
pub fn machine_types(project: &str, zone: &str) -> Vec<Json> {
    let one = |(name, cpus, memory, architecture): &(&str, u32, u32, &str)| {
        json!({
            "kind": "compute#machineType", "id": number(name), "name": name,
            "creationTimestamp": BEGAN,
            "description": format!("{cpus} vCPUs, {memory} MB RAM"),
            "guestCpus": cpus, "memoryMb": memory, "imageSpaceGb": 0,
            "maximumPersistentDisks": 128, "maximumPersistentDisksSizeGb": "263168",
            "zone": zone, "isSharedCpu": name.starts_with("e2-m") || name.contains("1-micro"),
            "architecture": architecture,
            "selfLink": format!("{LINKS}projects/{project}/zones/{zone}/machineTypes/{name}"),
        })
    };
    MACHINES.iter().map(one).collect()
}

/// How many CPUs a machine type has.
pub fn cpus(machine_type: &str) -> Option<u32> {
    let name = machine_type.rsplit('/').next()?;
    let found = MACHINES.iter().find(|(n, ..)| *n == name);
    found.map(|(_, cpus, ..)| *cpus)
}

/// The public images of a project.
pub fn images(project: &str) -> Vec<Json> {
    let of_project = IMAGES.iter().filter(|(p, ..)| *p == project);
    let mut all: Vec<Json> = of_project
        .map(|(project, family, name, architecture, size)| {
            let date = &name[name.len() - 8..];
            let (year, month, day) = (&date[..4], &date[4..6], &date[6..]);
            json!({
                "kind": "compute#image", "id": number(name), "name": name, "family": family,
                "creationTimestamp": format!("{year}-{month}-{day}T12:00:00.000-07:00"),
                "description": format!("{family}, {architecture} built on {date}"),
                "sourceType": "RAW", "status": "READY", "architecture": architecture,
                "archiveSizeBytes": "1270344768", "diskSizeGb": size.to_string(),
                "labelFingerprint": "42WmSpB8rSM=", "storageLocations": ["us"],
                "licenses": [format!("{LINKS}projects/{project}/global/licenses/{family}")],
                "guestOsFeatures": [{"type": "UEFI_COMPATIBLE"}, {"type": "VIRTIO_SCSI_MULTIQUEUE"}],
                "selfLink": format!("{LINKS}projects/{project}/global/images/{name}"),
            })
        })
        .collect();
    // All but the newest of a family are deprecated.
    let families: Vec<Json> = all.iter().map(|i| i["family"].clone()).collect();
    for (at, image) in all.iter_mut().enumerate() {
        if families[at + 1..].contains(&image["family"]) {
            image["deprecated"] = json!({"state": "DEPRECATED"});
        }
    }
    all
}

/// An image by name or `family/NAME`.
pub fn image(key: &Key) -> Option<Json> {
    if key.scope != Scope::Global {
        return None;
    }
    let all = images(&key.project);
    let mut newest_first = all.into_iter().rev();
    match key.name.strip_prefix("family/") {
        Some(family) => newest_first.find(|i| i["family"] == family),
        None => newest_first.find(|i| i["name"] == *key.name),
    }
}
