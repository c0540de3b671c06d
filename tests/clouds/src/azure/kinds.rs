//! The kinds of resources, and what each has of its own.

use super::{
    address, disk,
    error::{ArmError, Outcome},
    id::Id,
    interface, machine, network, security, small,
    world::{Thing, World},
};
use crate::Trouble;
use serde_json::Value as Json;
use std::time::Instant;

/// How long a change of one takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Span {
    /// None; the status that its creation is answered with.
    AtOnce { made: u16 },
    /// It goes on in the background; the status that its creation is answered with.
    Long { made: u16 },
}

/// A kind of resource.
pub(super) struct Kind {
    pub(super) namespace: &'static str,
    /// The parts of its type.
    pub(super) path: &'static [&'static str],
    /// What its calls are called after: `VirtualNetworks`.
    pub(super) calls: &'static str,
    /// The models of its bodies.
    pub(super) model: &'static str,
    pub(super) patch: Option<&'static str>,
    pub(super) span: Span,
    /// Whether it has a place and tags.
    pub(super) tracked: bool,
    /// Whether it tells a `provisioningState`.
    pub(super) has_state: bool,
    /// How long its name may be.
    pub(super) name_length: usize,
    pub(super) rules: &'static dyn Rules,
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.calls)
    }
}

impl Kind {
    pub(super) fn is(&self, other: &Kind) -> bool {
        self.calls == other.calls
    }

    /// `Microsoft.Network/virtualNetworks/subnets`
    pub(super) fn type_name(&self) -> String {
        format!("{}/{}", self.namespace, self.path.join("/"))
    }

    /// The kind that it stands below.
    pub(super) fn parent(&self) -> Option<&'static Kind> {
        let (_, above) = self.path.split_last()?;
        by_path(self.namespace, above)
    }

    pub(super) fn name_fits(&self, name: &str) -> bool {
        let inner = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        (1..=self.name_length).contains(&name.len())
            && name.chars().all(inner)
            && name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && name.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
    }

    /// That there may be no more of them.
    pub(super) fn quota(&self) -> ArmError {
        if self.namespace == "Microsoft.Compute" {
            return machine::no_quota("Total Regional Cores", (10, 10, 2));
        }
        let one = self.calls.strip_suffix("es").filter(|c| c.ends_with("ss"));
        let one = one
            .or_else(|| self.calls.strip_suffix('s'))
            .unwrap_or(self.calls);
        let code = format!("{one}CountLimitReached");
        let message = format!(
            "Cannot create more than 10 {} for this subscription in this region.",
            self.calls
        );
        ArmError::bad(&code, message)
    }
}

/// A write of one, before it is kept.
pub(super) struct Put<'a> {
    pub(super) world: &'a mut World,
    pub(super) id: &'a Id,
    /// As it is kept by now.
    pub(super) old: Option<&'a Json>,
    /// As it is to be kept.
    pub(super) body: Json,
    pub(super) trouble: Option<Trouble>,
    pub(super) now: Instant,
}

impl Put<'_> {
    /// Refuses that a property becomes another.
    pub(super) fn stays(&self, pointer: &str) -> Outcome<()> {
        let Some(old) = self.old.and_then(|o| o.pointer(pointer)) else {
            return Ok(());
        };
        let new = self.body.pointer(pointer);
        let same = match (old.as_str(), new.and_then(Json::as_str)) {
            (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
            _ => new == Some(old),
        };
        if same || new.is_none() {
            return Ok(());
        }
        let name = pointer.trim_start_matches("/properties/").replace('/', ".");
        let message = format!("Changing property '{name}' is not allowed.");
        Err(ArmError::conflict("PropertyChangeNotAllowed", message))
    }

    /// Fills in what was left out.
    pub(super) fn default(&mut self, key: &str, value: Json) {
        if self.body["properties"].get(key).is_none() {
            self.body["properties"][key] = value;
        }
    }

    /// Keeps what was, where the request says nothing.
    pub(super) fn keep(&mut self, key: &str) {
        let old = self.old.and_then(|o| o["properties"].get(key)).cloned();
        if let Some(old) = old {
            self.default(key, old);
        }
    }

    /// The thing that a property refers to by id; `Ok(None)` where it says nothing.
    ///
    /// # Errors
    /// That it is not there.
    pub(super) fn refers(&self, reference: &Json, kind: &Kind) -> Outcome<Option<Thing>> {
        let Some(id) = reference["id"].as_str() else {
            return Ok(None);
        };
        let found = self.world.find(id).filter(|t| t.id.kind.is(kind));
        let found = found.ok_or_else(|| {
            let message = format!(
                "Resource {id} referenced by resource {} was not found. Please make sure that the referenced resource exists, and that both resources are in the same region.",
                self.id.text()
            );
            ArmError::bad("InvalidResourceReference", message)
        })?;
        Ok(Some(found.clone()))
    }
}

/// What a kind has of its own.
pub(super) trait Rules: Sync {
    /// Checks and completes what is to be kept. Returns what the operation ends with, where that
    /// is an error.
    fn put(&self, _put: &mut Put<'_>) -> Outcome<Option<ArmError>> {
        Ok(None)
    }
    /// What follows from it, once it is kept.
    fn written(&self, _world: &mut World, _thing: &Thing, _now: Instant) {}
    /// Adds what only the API says.
    fn view(&self, _world: &World, _thing: &Thing, _body: &mut Json) {}
    /// Adds what is asked for with `$expand`.
    fn expand(&self, _world: &World, _thing: &Thing, _what: &str, _body: &mut Json) {}
    /// Refuses that it is deleted while something needs it.
    fn free(&self, _world: &World, _thing: &Thing) -> Outcome<()> {
        Ok(())
    }
    /// What follows from its end.
    fn gone(&self, _world: &mut World, _thing: &Thing) {}
}

const NETWORK: &str = "Microsoft.Network";
const COMPUTE: &str = "Microsoft.Compute";
const LONG: Span = Span::Long { made: 201 };

const fn of_network(
    path: &'static [&'static str],
    calls: &'static str,
    model: &'static str,
    rules: &'static dyn Rules,
) -> Kind {
    Kind {
        namespace: NETWORK,
        path,
        calls,
        model,
        patch: Some("Network.TagsObject"),
        span: LONG,
        tracked: true,
        has_state: true,
        name_length: 80,
        rules,
    }
}

const fn of_compute(
    path: &'static [&'static str],
    calls: &'static str,
    (model, patch): (&'static str, &'static str),
    (span, has_state): (Span, bool),
    rules: &'static dyn Rules,
) -> Kind {
    Kind {
        namespace: COMPUTE,
        path,
        calls,
        model,
        patch: Some(patch),
        span,
        tracked: true,
        has_state,
        name_length: 80,
        rules,
    }
}

pub(super) static VIRTUAL_NETWORK: Kind = of_network(
    &["virtualNetworks"],
    "VirtualNetworks",
    "Network.VirtualNetwork",
    &network::VirtualNetwork,
);
pub(super) static SUBNET: Kind = Kind {
    tracked: false,
    patch: None,
    ..of_network(
        &["virtualNetworks", "subnets"],
        "Subnets",
        "Network.Subnet",
        &network::Subnet,
    )
};
pub(super) static SECURITY_GROUP: Kind = of_network(
    &["networkSecurityGroups"],
    "NetworkSecurityGroups",
    "Network.NetworkSecurityGroup",
    &security::SecurityGroup,
);
pub(super) static SECURITY_RULE: Kind = Kind {
    tracked: false,
    patch: None,
    ..of_network(
        &["networkSecurityGroups", "securityRules"],
        "SecurityRules",
        "Network.SecurityRule",
        &security::SecurityRule,
    )
};
pub(super) static PUBLIC_IP: Kind = of_network(
    &["publicIPAddresses"],
    "PublicIPAddresses",
    "Network.PublicIPAddress",
    &address::PublicIp,
);
pub(super) static INTERFACE: Kind = of_network(
    &["networkInterfaces"],
    "NetworkInterfaces",
    "Network.NetworkInterface",
    &interface::Interface,
);
pub(super) static MACHINE: Kind = Kind {
    name_length: 64,
    ..of_compute(
        &["virtualMachines"],
        "VirtualMachines",
        ("Compute.VirtualMachine", "Compute.VirtualMachineUpdate"),
        (LONG, true),
        &machine::Machine,
    )
};
pub(super) static DISK: Kind = of_compute(
    &["disks"],
    "Disks",
    ("Compute.Disk", "Compute.DiskUpdate"),
    (Span::Long { made: 202 }, true),
    &disk::Disk,
);
pub(super) static SSH_KEY: Kind = of_compute(
    &["sshPublicKeys"],
    "SshPublicKeys",
    (
        "Compute.SshPublicKeyResource",
        "Compute.SshPublicKeyUpdateResource",
    ),
    (Span::AtOnce { made: 201 }, false),
    &small::SshKey,
);
pub(super) static AVAILABILITY_SET: Kind = of_compute(
    &["availabilitySets"],
    "AvailabilitySets",
    ("Compute.AvailabilitySet", "Compute.AvailabilitySetUpdate"),
    (Span::AtOnce { made: 200 }, false),
    &small::AvailabilitySet,
);
pub(super) static PLACEMENT_GROUP: Kind = of_compute(
    &["proximityPlacementGroups"],
    "ProximityPlacementGroups",
    (
        "Compute.ProximityPlacementGroup",
        "Compute.ProximityPlacementGroupUpdate",
    ),
    (Span::AtOnce { made: 201 }, false),
    &small::PlacementGroup,
);

static ALL: [&Kind; 11] = [
    &VIRTUAL_NETWORK,
    &SUBNET,
    &SECURITY_GROUP,
    &SECURITY_RULE,
    &PUBLIC_IP,
    &INTERFACE,
    &MACHINE,
    &DISK,
    &SSH_KEY,
    &AVAILABILITY_SET,
    &PLACEMENT_GROUP,
];

/// The kind of that type.
pub(super) fn by_path(namespace: &str, path: &[&str]) -> Option<&'static Kind> {
    let fits = |k: &&&Kind| {
        let parts = k.path.iter().zip(path);
        k.namespace.eq_ignore_ascii_case(namespace)
            && k.path.len() == path.len()
            && parts.into_iter().all(|(a, b)| a.eq_ignore_ascii_case(b))
    };
    ALL.iter().find(fits).copied()
}

/// All kinds of a namespace.
pub(super) fn of_namespace(namespace: &str) -> impl Iterator<Item = &'static Kind> + use<'_> {
    let here = move |k: &&Kind| k.namespace.eq_ignore_ascii_case(namespace);
    ALL.iter().copied().filter(here)
}
