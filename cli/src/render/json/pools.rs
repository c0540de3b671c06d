//! The machines of pools as JSON.

use serde_json::{Value as Json, json};
use weir_lang::{
    MachineOffer, MachinePool, Prefer,
    machines::{
        Burstable, Candidate, Catalogue, Cloud, Machine, Misfit, NoChoice, PassedOver, Price,
        Requirement, Wish,
    },
};

/// The version of what is printed.
const FORMAT: &str = "1.0";

/// What each offer of each pool would make, with every type that fits or was passed over.
pub(crate) fn types(pools: &[MachinePool]) -> Json {
    let pools: Vec<Json> = pools.iter().map(pool).collect();
    json!({ "format_version": FORMAT, "pools": pools })
}

/// The regions of the catalogues, with how many types have prices there.
pub(crate) fn regions() -> Json {
    let clouds = Cloud::ALL.map(|cloud| {
        let known = Catalogue::of(cloud);
        let regions = known.regions().iter().map(|region| {
            let types = known.types_in(region).into_iter().flatten();
            let priced = types.filter(|(_, price)| price.is_some()).count();
            json!({ "region": region, "types": priced })
        });
        let regions: Vec<Json> = regions.collect();
        json!({ "provider": cloud.provider(), "catalogue": catalogue(cloud), "regions": regions })
    });
    json!({ "format_version": FORMAT, "clouds": clouds })
}

fn pool(pool: &MachinePool) -> Json {
    let ranked: Vec<&str> = pool.ranked().iter().map(|o| &*o.name).collect();
    let offers: Vec<Json> = pool.offers.iter().map(offer).collect();
    let cost = pool.cost();
    json!({
        "address": pool.address(),
        "cluster": pool.cluster,
        "name": &*pool.name,
        "count": pool.count,
        "machine": pool.requirement.as_ref().map(machine_wanted),
        "disk_gib": pool.disk_gib,
        "image": pool.image,
        "prefer": match pool.prefer { Prefer::Order => "order", Prefer::Price => "price" },
        "tried": ranked,
        "offers": offers,
        "cost_per_hour": cost.map(dollars),
        "cost_per_month": cost.and_then(|c| c.per_month().parse::<f64>().ok()),
    })
}

fn machine_wanted(has: &Requirement) -> Json {
    json!({
        "cpus": has.cpus,
        "memory_mib": has.memory_mib,
        "arch": has.arch.as_str(),
        "gpus": has.gpus,
        "gpu_model": has.gpu_model,
        "burstable": has.burstable == Burstable::Yes,
    })
}

fn offer(offer: &MachineOffer) -> Json {
    let (fitting, passed, error) = match &offer.choice {
        None => (&[][..], &[][..], None),
        Some(Ok(choice)) => (&choice.fitting[..], &choice.passed_over[..], None),
        Some(Err(NoChoice::Region)) => (&[][..], &[][..], Some("unknown_region")),
        Some(Err(NoChoice::NothingFits(passed))) => (&[][..], &passed[..], Some("nothing_fits")),
    };
    let fitting: Vec<Json> = fitting.iter().map(candidate).collect();
    let passed: Vec<Json> = passed.iter().map(passed_over).collect();
    let wish = offer.wish.as_ref();
    let image = offer.image.as_ref().and_then(|i| i.as_ref().ok());
    json!({
        "name": &*offer.name,
        "provider": offer.provider,
        "cloud": offer.cloud.provider(),
        "region": wish.map(|w| &w.region),
        "zones": offer.zones,
        "market": wish.map(|w| w.market.as_str()),
        "max_price": wish.and_then(|w: &Wish| w.max_price).map(dollars),
        "image": image.map(ToString::to_string),
        "catalogue": catalogue(offer.cloud),
        "chosen": fitting.first(),
        "error": error,
        "fitting": fitting,
        "passed_over": passed,
    })
}

fn catalogue(cloud: Cloud) -> Json {
    let known = Catalogue::of(cloud);
    json!({ "date": known.date(), "source": known.source(), "currency": "USD" })
}

fn candidate(candidate: &Candidate) -> Json {
    json!({
        "type": candidate.name,
        "price_per_hour": candidate.price.map(dollars),
        "has": candidate.machine.as_ref().map(machine),
    })
}

fn passed_over(passed: &PassedOver) -> Json {
    let lacks: Vec<String> = passed.lacks.iter().map(Misfit::to_string).collect();
    json!({
        "type": passed.machine.name,
        "price_per_hour": passed.price.map(dollars),
        "has": machine(&passed.machine),
        "lacks": lacks,
    })
}

fn machine(machine: &Machine) -> Json {
    json!({
        "cpus": machine.cpus,
        "memory_mib": machine.memory_mib,
        "arch": machine.arch.as_str(),
        "gpus": machine.gpus.count,
        "gpu_model": machine.gpus.model,
        "burstable": machine.burstable == Burstable::Yes,
    })
}

/// A price as a number: millionths of a dollar are exact enough in a float to be printed as they
/// are.
fn dollars(price: Price) -> f64 {
    price.micros() as f64 / 1e6
}
