//! The machines of pools as text.

use super::style::{Ink, Paint};
use std::fmt::Write;
use weir_lang::{
    MachineOffer, MachinePool, Prefer,
    machines::{Burstable, Candidate, Catalogue, Choice, Cloud, Machine, Misfit, PassedOver, Wish},
};

/// How many types that fit, and how many cheaper ones that do not, are shown unless all are.
const SHOWN: usize = 5;

/// What each offer of each pool would make.
pub(crate) fn types(pools: &[MachinePool], all: bool, paint: Paint) -> String {
    if pools.is_empty() {
        return "No pool of the stack has a `machine`.\n".to_owned();
    }
    let mut out = String::new();
    for (i, pool) in pools.iter().enumerate() {
        if i > 0 {
            out.push('\n');
        }
        let _ = writeln!(out, "{}: {}", paint.strong(&pool.address()), wanted(pool));
        let ranked: Vec<&str> = pool.ranked().iter().map(|o| &*o.name).collect();
        for offer in &pool.offers {
            let place = ranked.iter().position(|name| *name == &*offer.name);
            out += &one(offer, place, all, paint);
        }
        out += &cost(pool);
    }
    out
}

/// `3 machines with 4 cpus and 16 GiB, amd64, disk 40 GiB, image debian-12`
fn wanted(pool: &MachinePool) -> String {
    let machines = match pool.count {
        None => "machines (how many is not known yet)".to_owned(),
        Some(1) => "1 machine".to_owned(),
        Some(n) => format!("{n} machines"),
    };
    let Some(has) = &pool.requirement else {
        return format!("{machines}; what each needs is not known yet");
    };
    let mut text = format!(
        "{machines} with {} and {}, {}",
        cpus(has.cpus),
        memory(has.memory_mib),
        has.arch
    );
    if has.gpus > 0 {
        let model = has.gpu_model.as_deref().unwrap_or("GPU");
        let _ = write!(text, ", {} x {model}", has.gpus);
    }
    if has.burstable == Burstable::No {
        text += ", not burstable";
    }
    let _ = write!(text, ", disk {} GiB", pool.disk_gib);
    if let Some(image) = &pool.image {
        let _ = write!(text, ", image {image}");
    }
    text
}

fn one(offer: &MachineOffer, place: Option<usize>, all: bool, paint: Paint) -> String {
    let mut out = String::new();
    let place = match place {
        Some(n) => format!("{}. ", n + 1),
        None => "-  ".to_owned(),
    };
    let _ = write!(out, "\n{place}offer {}: {}", offer.name, offer.provider);
    let Some(wish) = &offer.wish else {
        return out + ", not all of it is known yet\n";
    };
    let _ = write!(out, ", {}, {}", wish.region, wish.market.as_str());
    if !offer.zones.is_empty() {
        let _ = write!(out, ", zones {}", offer.zones.join(", "));
    }
    out.push('\n');
    if let Some(Ok(image)) = &offer.image {
        let _ = writeln!(out, "   image: {image}");
    }
    match &offer.choice {
        Some(Ok(choice)) => out + &chosen(choice, wish, all, paint) + &origin(offer.cloud),
        Some(Err(_)) | None => out + "   no type fits\n",
    }
}

/// The types that fit, the first of them marked, and why cheaper ones do not.
fn chosen(choice: &Choice, wish: &Wish, all: bool, paint: Paint) -> String {
    let mut out = String::new();
    let shown = if all { usize::MAX } else { SHOWN };
    let widest = choice.fitting.iter().take(shown).map(|c| c.name.len());
    let passed: Vec<&PassedOver> = choice
        .passed_over
        .iter()
        .filter(|p| all || is_near(p, choice.best(), wish))
        .collect();
    let passed = &passed[passed.len().saturating_sub(shown)..];
    let names = passed.iter().map(|p| p.machine.name.len());
    let width = widest.chain(names).max().unwrap_or_default();
    for (i, candidate) in choice.fitting.iter().take(shown).enumerate() {
        let text = format!("{:width$}  {}", candidate.name, fitting(candidate));
        let line = match i {
            0 => paint.ink(Ink::Good, &format!("=> {text}")),
            _ => format!("   {text}"),
        };
        let _ = writeln!(out, "   {}", line.trim_end());
    }
    let more = choice.fitting.len().saturating_sub(shown);
    if more > 0 {
        let _ = writeln!(out, "      and {more} more that fit");
    }
    for p in passed {
        let lacks: Vec<String> = p.lacks.iter().map(Misfit::to_string).collect();
        let price = p.price.map_or_else(String::new, |p| p.to_string());
        let text = format!(
            "{:width$}  {}  {price:>8}  {}",
            p.machine.name,
            size(&p.machine),
            lacks.join(", ")
        );
        let _ = writeln!(out, "    - {}", paint.ink(Ink::Dim, &text));
    }
    out
}

/// Whether somebody may ask why it was not taken: it is cheaper, and lacks one thing alone.
fn is_near(passed: &PassedOver, best: &Candidate, wish: &Wish) -> bool {
    let is_named = wish.types.contains(&passed.machine.name);
    let cheaper = passed.price.is_some() && (best.price.is_none() || passed.price < best.price);
    is_named || (cheaper && passed.lacks.len() == 1)
}

fn fitting(candidate: &Candidate) -> String {
    let Some(machine) = &candidate.machine else {
        return "taken as it is named: the catalogue does not know it".to_owned();
    };
    let mut text = size(machine);
    match candidate.price {
        Some(price) => {
            // As text, so that it is padded as a whole.
            let hour = price.to_string();
            let _ = write!(text, "  {hour:>8} an hour, {} a month", price.per_month());
        }
        None => text += "  price not known",
    }
    if machine.burstable == Burstable::Yes {
        text += ", burstable";
    }
    text
}

fn size(machine: &Machine) -> String {
    let mut text = format!(
        "{:>8} {:>9}  {}",
        cpus(machine.cpus),
        memory(machine.memory_mib),
        machine.arch
    );
    if machine.gpus.count > 0 {
        let _ = write!(text, "  {} x {}", machine.gpus.count, machine.gpus.model);
    }
    text
}

fn cpus(n: u32) -> String {
    match n {
        1 => "1 cpu".to_owned(),
        n => format!("{n} cpus"),
    }
}

/// `16 GiB`, `3.75 GiB`
fn memory(mib: u64) -> String {
    format!("{} GiB", (mib as f64 / 1024.0 * 100.0).round() / 100.0)
}

fn origin(cloud: Cloud) -> String {
    let catalogue = Catalogue::of(cloud);
    format!(
        "   US dollars on demand of {}, from {}\n",
        catalogue.date(),
        catalogue.source()
    )
}

fn cost(pool: &MachinePool) -> String {
    let by = match pool.prefer {
        Prefer::Order => "in the order they are written",
        Prefer::Price => "by price",
    };
    let Some(first) = pool.ranked().first().map(|o| o.name.clone()) else {
        return "\nNo offer has a machine that fits.\n".to_owned();
    };
    let cost = match pool.cost() {
        Some(cost) => format!(
            "the pool costs {cost} US dollars an hour, {} a month",
            cost.per_month()
        ),
        None => "what the pool costs is not known".to_owned(),
    };
    format!("\nOffers are tried {by}; with `{first}` {cost}.\n")
}

/// The regions of the catalogues, with how many types have prices there.
pub(crate) fn regions() -> String {
    let mut out = String::new();
    for cloud in Cloud::ALL {
        let catalogue = Catalogue::of(cloud);
        let _ = writeln!(out, "{}, prices of {}", cloud.provider(), catalogue.date());
        let width = catalogue.regions().iter().map(String::len).max();
        let width = width.unwrap_or_default();
        for region in catalogue.regions() {
            let types = catalogue.types_in(region).into_iter().flatten();
            let priced = types.filter(|(_, price)| price.is_some()).count();
            let _ = writeln!(out, "  {region:width$}  {priced} types");
        }
    }
    out
}
