//! `google_compute_router`

use crate::{
    body::{compact, field, keep},
    calls::{Calls as _, change, routers},
    name::{Kind, Name},
    resource::{Call, Failure, Found},
    thing::{At, Thing},
};
use async_trait::async_trait;
use serde_json::{Value as Json, json};
use weir_core::{Diagnostic, Diagnostics, Path, Value};
use weir_provider::declared::{Fields as _, checks, object};

pub(super) struct Router;

const KIND: Kind = routers::All::KIND;

fn bgp(of: &Value) -> Json {
    let Some(bgp) = of.row("bgp") else {
        return Json::Null;
    };
    let ranges = bgp.rows("advertised_ip_ranges").into_iter();
    let range =
        |r: &Value| json!({"range": field(r, "range"), "description": field(r, "description")});
    json!({
        "asn": field(bgp, "asn"),
        "advertiseMode": field(bgp, "advertise_mode"),
        "advertisedGroups": field(bgp, "advertised_groups"),
        "advertisedIpRanges": ranges.map(range).collect::<Vec<_>>(),
        "keepaliveInterval": field(bgp, "keepalive_interval"),
    })
}

/// Reads a router, changes it, and writes it back whole, one at a time: what is left out of a
/// patch would stay.
pub(super) async fn rewrite(
    cx: &Call<'_>,
    name: &Name,
    key: &str,
    change: impl Fn(&mut Json) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let lock = cx.cloud.lock_of(&KIND.id(name)).await;
    let _held = lock.lock().await;
    let Some(mut router) = routers::All::get(cx.cloud, name).await? else {
        let mut failure = Failure::new(
            "routers.update",
            format!("the router {} is not there", name.name),
        );
        failure.cause = weir_provider::cloud::Cause::Gone;
        return Err(failure);
    };
    change(&mut router)?;
    change!(
        cx,
        name,
        "routers.update" as key,
        routers.update(set_region = place, set_router = name),
        Router,
        compact(router)
    )
}

#[async_trait]
impl Thing for Router {
    const NAME: &'static str = "google_compute_router";
    type Calls = routers::All;

    fn validate(&self, config: &Value, out: &mut Diagnostics) {
        let Some(bgp) = config.row("bgp") else { return };
        checks::choice(bgp, "advertise_mode", &["DEFAULT", "CUSTOM"], out);
        let asn = bgp.get("asn").and_then(Value::as_i64);
        let private = |n: &i64| {
            (64512..=65534).contains(n)
                || (4_200_000_000..=4_294_967_294).contains(n)
                || *n == 16550
        };
        if let Some(asn) = asn.filter(|n| !private(n)) {
            out.push(
                Diagnostic::error(format!("`bgp.asn` can't be {asn}"))
                    .because("A router has a private number of RFC 6996: 64512 to 65534, or 4200000000 to 4294967294.")
                    .help("Write such a number."),
            );
        }
    }

    fn plan(&self, _config: &Value, prior: Option<&Value>, planned: Value) -> (Value, Vec<Path>) {
        (super::same_links(prior, planned, &["network"]), Vec::new())
    }

    async fn body(&self, at: At<'_>, planned: &Value) -> Result<Json, Failure> {
        let body = json!({
            "description": field(planned, "description"),
            "network": super::link(planned, "network", at.name, "global/networks"),
            "bgp": bgp(planned),
            "encryptedInterconnectRouter": field(planned, "encrypted_interconnect_router"),
        });
        Ok(body)
    }

    async fn found(&self, _at: At<'_>, r: &Json, known: &Value) -> Result<Found, Failure> {
        let bgp = &r["bgp"];
        let ranges = bgp["advertisedIpRanges"].as_array().into_iter().flatten();
        let ranges = ranges.map(|r| json!({"range": r["range"], "description": r["description"]}));
        let bgps = match bgp.is_null() {
            true => Vec::new(),
            false => vec![json!({
                "asn": bgp["asn"],
                "advertise_mode": bgp["advertiseMode"],
                "advertised_groups": bgp["advertisedGroups"],
                "advertised_ip_ranges": ranges.collect::<Vec<_>>(),
                "keepalive_interval": bgp["keepaliveInterval"],
                "identifier_range": bgp["identifierRange"].as_str().unwrap_or_default(),
            })],
        };
        Ok(object(json!({
            "network": keep(known, "network", &r["network"]),
            "bgp": bgps,
            "encrypted_interconnect_router": r["encryptedInterconnectRouter"].as_bool().unwrap_or(false),
        })))
    }

    async fn change(
        &self,
        cx: &Call<'_>,
        name: &Name,
        _prior: &Value,
        planned: &Value,
    ) -> Result<(), Failure> {
        rewrite(cx, name, "update", |router| {
            router["bgp"] = bgp(planned);
            router["description"] = field(planned, "description");
            Ok(())
        })
        .await?;
        Ok(())
    }
}
