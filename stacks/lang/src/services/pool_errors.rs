//! What is wrong with a pool whose machines a cloud makes, in words.

use super::pools::{MachineOffer, MachinePool};
use crate::{
    hints,
    machines::{Arch, Catalogue, Cloud, Misfit, NoImage, PassedOver, Spent, Wish, images},
};
use std::{cmp::Reverse, collections::BTreeMap};
use weir_core::Diagnostic;

/// How many types that come close are shown.
const CLOSEST: usize = 3;

pub(super) fn no_machine(pool: &str, what: &str) -> Diagnostic {
    Diagnostic::error(format!("{pool} has `{what}`, and no `machine`"))
        .because("Machines are made by what they must have.")
        .help("Add `machine { ... }` with `cpus` and `memory`.")
}

pub(super) fn both(pool: &str) -> Diagnostic {
    Diagnostic::error(format!("{pool} has hosts and a `machine`"))
        .because("Its machines exist already, or a cloud makes them.")
        .help("Make it two pools: one with `site` and `hosts`, one with `machine` and its offers.")
}

pub(super) fn no_count(pool: &str) -> Diagnostic {
    Diagnostic::error(format!("{pool} does not say how many machines it wants"))
        .because("Every machine is paid for.")
        .help("Add `count = 1`, or another number; 0 makes none.")
}

pub(super) fn no_offer(pool: &str) -> Diagnostic {
    Diagnostic::error(format!("{pool} has a `machine`, and no offer"))
        .because("An offer says which cloud makes the machines.")
        .help("Add `offer \"name\" { provider = ... }`, of `aws`, `azurerm` or `google`.")
}

pub(super) fn two_offers(pool: &str, name: &str) -> Diagnostic {
    Diagnostic::error(format!("{pool} has two offers `{name}`"))
        .because("An offer is known by its name within its pool.")
        .help("Rename one of them, or remove it.")
}

pub(super) fn two_pools(cluster: &str, name: &str) -> Diagnostic {
    Diagnostic::error(format!("Cluster `{cluster}` has two pools `{name}`"))
        .because("What is made for a pool goes by the pool's name.")
        .help("Rename one of them, or remove it.")
}

pub(super) fn secret(what: &str, attribute: &str) -> Diagnostic {
    Diagnostic::error(format!(
        "`{attribute}` of {what} must not be sensitive or ephemeral"
    ))
    .because("What machines are made, where, and what they cost is shown.")
    .help("Wrap what may be shown in `nonsensitive(...)`.")
}

pub(super) fn no_cloud(offer: &str, provider: &str) -> Diagnostic {
    let clouds = Cloud::ALL.map(Cloud::provider);
    let d = Diagnostic::error(format!(
        "Provider `{provider}` of offer `{offer}` makes no machines"
    ))
    .because("weir knows the machines of the providers `aws`, `azurerm` and `google`.");
    Diagnostic {
        help: hints::suggest(provider, clouds, str::to_owned),
        ..d
    }
}

pub(super) fn no_region(offer: &MachineOffer) -> Diagnostic {
    let because = match offer.cloud {
        Cloud::Azure => "A provider `azurerm` is for all regions.".to_owned(),
        _ => format!(
            "Provider `{}` has no `region` in this module that it could take.",
            offer.provider
        ),
    };
    let regions = Catalogue::of(offer.cloud).regions();
    let example = regions.iter().find(|r| r.contains("west"));
    Diagnostic::error(format!(
        "Offer `{}` does not say in which region its machines stand",
        offer.name
    ))
    .because(because)
    .help(format!(
        "Add `region = \"{}\"`, or another one.",
        example.map_or("", String::as_str)
    ))
}

pub(super) fn unknown_region(catalogue: &Catalogue, region: &str) -> Diagnostic {
    let provider = catalogue.cloud().provider();
    let regions = catalogue.regions().iter().map(String::as_str);
    let help = match hints::closest(region, regions) {
        Some(close) => format!("Did you mean `{close}`?"),
        None => {
            "Take a region that `weir pool types -regions` lists, or say yourself what there is: `type \"NAME\" { ... }` with its price."
                .to_owned()
        }
    };
    Diagnostic::error(format!(
        "No prices of {provider} in region `{region}` are known"
    ))
    .because(format!(
        "The catalogue of {} has {} regions of it.",
        catalogue.date(),
        catalogue.regions().len()
    ))
    .help(help)
}

pub(super) fn other_region(offer: &MachineOffer, own: &str, works: &str) -> Diagnostic {
    Diagnostic::error(format!(
        "Offer `{}` can't make machines in region `{own}`",
        offer.name
    ))
    .because(format!(
        "Its provider `{}` works in `{works}`, and in no other region.",
        offer.provider
    ))
    .help(format!(
        "Leave `region` out, or name another provider: a block `provider \"aws\"` with an `alias` and `region = \"{own}\"`."
    ))
}

pub(super) fn foreign_zone(offer: &MachineOffer, zone: &str, region: &str) -> Diagnostic {
    let d = Diagnostic::error(format!(
        "Zone `{zone}` of offer `{}` is not in region `{region}`",
        offer.name
    ));
    match offer.cloud {
        Cloud::Aws => d
            .because("A zone of AWS is named by its region and a letter.")
            .help(format!("Write such as `{region}a`, or leave out `zones`.")),
        Cloud::Azure => d
            .because("A zone of Azure is a number within its region.")
            .help("Write `1`, `2` or `3` as text, or leave out `zones`."),
        Cloud::Google => d
            .because("A zone of Google Cloud is named by its region and a letter.")
            .help(format!("Write such as `{region}-b`, or leave out `zones`.")),
    }
}

pub(super) fn no_image(offer: &MachineOffer, image: &str, arch: Arch, why: &NoImage) -> Diagnostic {
    let provider = offer.cloud.provider();
    match why {
        NoImage::Unknown => {
            let d = Diagnostic::error(format!("There is no image `{image}`"))
                .because("Images go by names that mean the same in every cloud.");
            Diagnostic {
                help: hints::suggest(image, images(), str::to_owned),
                ..d
            }
        }
        NoImage::Arch(archs) => {
            let archs: Vec<&str> = archs.iter().map(|a| a.as_str()).collect();
            Diagnostic::error(format!("{provider} has no image `{image}` for {arch}"))
                .because(format!("It has it for {}.", hints::join(&archs)))
                .help("Take another image, or another `arch`.")
        }
        NoImage::Cloud(clouds) => {
            let clouds: Vec<&str> = clouds.iter().map(|c| c.provider()).collect();
            Diagnostic::error(format!("{provider} has no image `{image}`"))
                .because(format!("It is there in {}.", hints::join(&clouds)))
                .help("Take another image, or another offer.")
        }
    }
}

pub(super) fn nothing_fits(offer: &MachineOffer, wish: &Wish, passed: &[PassedOver]) -> Diagnostic {
    let mut close: Vec<&PassedOver> = passed.iter().collect();
    // Stable: of those that lack as little the cheapest first; of those too small the largest.
    close.sort_by_key(|p| {
        let small = [Misfit::Cpus, Misfit::Memory];
        let is_small = p.lacks.iter().any(|l| small.contains(l));
        let size = is_small.then_some((p.machine.cpus, p.machine.memory_mib));
        (p.lacks.len(), is_small, Reverse(size))
    });
    let close: Vec<String> = close
        .into_iter()
        .take(CLOSEST)
        .map(|p| {
            let lacks: Vec<String> = p.lacks.iter().map(ToString::to_string).collect();
            format!("`{}` ({})", p.machine.name, lacks.join(", "))
        })
        .collect();
    let because = match close.is_empty() {
        true => format!("Nothing is known of {}.", wish.region),
        false => format!("The closest in {}: {}.", wish.region, close.join("; ")),
    };
    Diagnostic::error(format!(
        "No machine type of offer `{}` has what the pool needs",
        offer.name
    ))
    .because(because)
    .help("Ask for less or pay more, or name a type with its price: `type \"NAME\" { ... }`. `weir pool types` shows what each type lacks.")
}

/// How many machines, in words.
fn machines(count: u64) -> String {
    match count {
        1 => "1 machine".to_owned(),
        n => format!("{n} machines"),
    }
}

/// An offer that a `dynamic` block makes, or whose name can't stand in an address.
pub(crate) fn not_written_out(offer: &MachineOffer) -> Diagnostic {
    Diagnostic::error(format!("Offer `{}` can't make machines", offer.name))
        .because(
            "What it makes goes by the names of its pool and of itself, and by its provider: they \
             must be written out, and be names.",
        )
        .help("Write `pool \"NAME\"` and `offer \"NAME\"` without `dynamic`.")
}

pub(crate) fn not_known(offer: &MachineOffer) -> Diagnostic {
    Diagnostic::error(format!(
        "What offer `{}` is to make is not known yet",
        offer.name
    ))
    .because("Types are chosen while planning, and something they depend on is made by the apply.")
    .help("Use values for `machine` and the offer that are known before anything is made.")
}

pub(crate) fn from_nowhere(pool: &MachinePool) -> Diagnostic {
    Diagnostic::error(format!(
        "Pool `{}` of {} lets nobody reach its machines",
        pool.name, pool.cluster
    ))
    .because("weir reaches them by SSH, and `ssh_from` is empty, or not known yet.")
    .help(
        "Write `ssh_from = [\"203.0.113.7/32\"]` with the addresses of the machines that run weir, \
         leave it out, and weir finds out its own, or give each offer `security_groups` of your own.",
    )
}

/// No offer is left.
pub(crate) fn exhausted(
    pool: &MachinePool,
    missing: u64,
    spent: &BTreeMap<String, Spent>,
) -> Diagnostic {
    let each = spent.iter().flat_map(|(offer, spent)| {
        let zones = spent.zones.iter();
        let zones = zones.map(move |(zone, why)| format!("{offer}, {zone}: {why}"));
        let whole = spent.whole.iter().map(move |why| format!("{offer}: {why}"));
        zones.chain(whole)
    });
    let each: Vec<String> = each.collect();
    Diagnostic::error(format!(
        "No offer of pool `{}` of {} can make {} now",
        pool.name,
        pool.cluster,
        machines(missing)
    ))
    .because(format!("{}.", each.join("; ")))
    .help(
        "Add an offer in another region or of another cloud, let it have more `types`, or apply \
         again later. What was made is recorded and stays.",
    )
}
