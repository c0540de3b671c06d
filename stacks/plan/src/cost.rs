//! What the machines of a plan cost, before it is applied and after.

use std::collections::BTreeMap;
use weir_core::{
    Address, Object, Value,
    address::ProviderRef,
    change::{Action, Change},
};
use weir_lang::machines::{Catalogue, Cloud, Price};

/// What the machines of a plan cost an hour on demand. Disks, addresses and traffic are not in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cost {
    /// Those that are there.
    pub before: Price,
    /// Those that will be there.
    pub after: Price,
    /// Machines whose price is not known, before or after: they are in neither sum. Sorted.
    pub unknown: Vec<Address>,
}

/// What the machines among these changes cost; `None` where there is none. A machine is what the
/// providers of the clouds call so; its price is that of its type in its region, by the catalogue
/// that is built in. `regions` are those that the configurations of providers name: a machine of
/// AWS that is yet to be made says none of its own.
pub fn cost(
    changes: &BTreeMap<Address, Change>,
    regions: &BTreeMap<ProviderRef, String>,
) -> Option<Cost> {
    let mut sum: Option<Cost> = None;
    for change in changes.values() {
        let Some(machine) = Kind::of(&change.address) else {
            continue;
        };
        let sum = sum.get_or_insert_default();
        let region = regions.get(&change.provider).map(String::as_str);
        let price = |value: Option<&Value>| match value {
            Some(value) if !value.is_null() => machine.price(value, region),
            _ => Some(Price::default()),
        };
        let before = change.before.as_ref().map(|b| b.value());
        let after = match change.action {
            // It leaves state and runs on.
            Action::Forget => before,
            _ => change.after.as_ref(),
        };
        match (price(before), price(after)) {
            (Some(before), Some(after)) => {
                sum.before = [sum.before, before].into_iter().sum();
                sum.after = [sum.after, after].into_iter().sum();
            }
            _ => sum.unknown.push(change.address.clone()),
        }
    }
    sum
}

/// A type of resource that is a machine.
#[derive(Clone, Copy)]
struct Kind {
    cloud: Cloud,
    /// The attribute that names the machine's type.
    machine: &'static str,
    /// The one that says where it stands.
    place: &'static str,
}

impl Kind {
    fn of(address: &Address) -> Option<Kind> {
        let Object::Managed { ty, .. } = &address.object else {
            return None;
        };
        let (cloud, machine, place) = match ty.as_str() {
            "aws_instance" => (Cloud::Aws, "instance_type", "availability_zone"),
            "azurerm_linux_virtual_machine" => (Cloud::Azure, "size", "location"),
            "google_compute_instance" => (Cloud::Google, "machine_type", "zone"),
            _ => return None,
        };
        Some(Kind {
            cloud,
            machine,
            place,
        })
    }

    /// The price of the machine of such a value; `None` where it is not known.
    fn price(self, value: &Value, region: Option<&str>) -> Option<Price> {
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        let place = text(self.place).and_then(|place| self.region_of(place));
        let region = place.or_else(|| region.map(str::to_owned))?;
        // Google takes the address of a type in place of its name.
        let machine = text(self.machine)?.rsplit('/').next()?;
        // Another tenancy has other prices.
        if text("tenancy").is_some_and(|t| t != "default") {
            return None;
        }
        let mut types = Catalogue::of(self.cloud).types_in(&region)?;
        types.find(|(m, _)| m.name == machine)?.1
    }

    /// The region of a zone, or of what Azure calls a location: `West Europe` is `westeurope`.
    fn region_of(self, place: &str) -> Option<String> {
        let place = place.rsplit('/').next()?;
        match self.cloud {
            Cloud::Aws => Some(
                place
                    .trim_end_matches(|c: char| c.is_ascii_lowercase())
                    .to_owned(),
            ),
            Cloud::Google => Some(place.rsplit_once('-')?.0.to_owned()),
            Cloud::Azure => Some(place.replace(' ', "").to_ascii_lowercase()),
        }
    }
}
