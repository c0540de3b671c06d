//! `google_compute_router`

use crate::{
    body::{compact, field, keep, model},
    calls::{self, routers, run},
    client::Google,
    name::Name,
    resource::{Call, Failure, Found, Minutes, Resource},
};
use async_trait::async_trait;
use google_cloud_compute_v1::model::Router as Model;
use serde_json::{Value as Json, json};
use weir_core::{Diagnostic, Diagnostics, Path, Value};
use weir_provider::declared::{Fields as _, checks, object};

pub(super) struct Router;

const KIND: crate::name::Kind = routers::KIND;

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
    let Some(mut router) = routers::get(cx.cloud, name).await? else {
        let mut failure = Failure::new(
            "routers.update",
            format!("the router {} is not there", name.name),
        );
        failure.cause = weir_provider::cloud::Cause::Gone;
        return Err(failure);
    };
    change(&mut router)?;
    let body: Model = model("routers.update", compact(router))?;
    let routers = &cx.cloud.clients.routers;
    run!(
        cx,
        "routers.update",
        key,
        &name.project,
        routers
            .update()
            .set_region(&name.place)
            .set_router(&name.name)
            .set_body(body.clone())
    )
}

#[async_trait]
impl Resource<Google> for Router {
    fn name(&self) -> &'static str {
        "google_compute_router"
    }
    fn minutes(&self) -> Minutes {
        (20, 20, 20)
    }

    fn validate(&self, config: &Value, out: &mut Diagnostics) {
        super::check_name(config, "name", out);
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

    fn plan(
        &self,
        _cloud: Option<&Google>,
        _config: &Value,
        prior: Option<&Value>,
        planned: Value,
    ) -> (Value, Vec<Path>) {
        (super::same_links(prior, planned, &["network"]), Vec::new())
    }

    async fn create(&self, cx: &Call<'_>, planned: &Value) -> Result<String, Failure> {
        let name = super::name_of(cx.cloud, KIND, planned)?;
        let body = json!({
            "name": name.name,
            "description": field(planned, "description"),
            "network": super::link(planned, "network", &name, "global/networks"),
            "bgp": bgp(planned),
            "encryptedInterconnectRouter": field(planned, "encrypted_interconnect_router"),
        });
        routers::insert(cx, &name, body).await?;
        Ok(KIND.id(&name))
    }

    async fn find(&self, cx: &Call<'_>, planned: &Value) -> Result<Option<String>, Failure> {
        let name = super::name_of(cx.cloud, KIND, planned)?;
        let there = routers::get(cx.cloud, &name).await?.is_some();
        Ok((there && calls::is_ours(cx, KIND, &name).await?).then(|| KIND.id(&name)))
    }

    async fn ready(&self, cx: &Call<'_>, id: &str) -> Result<(), Failure> {
        calls::made(cx, KIND, &KIND.parse(cx.cloud, id)?).await
    }

    async fn read(
        &self,
        google: &Google,
        id: &str,
        known: &Value,
    ) -> Result<Option<Found>, Failure> {
        let name = KIND.parse(google, id)?;
        let Some(r) = routers::get(google, &name).await? else {
            return Ok(None);
        };
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
        Ok(Some(object(json!({
            "id": KIND.id(&name),
            "name": r["name"],
            "project": name.project,
            "region": name.place,
            "description": r["description"],
            "network": keep(known, "network", &r["network"]),
            "bgp": bgps,
            "encrypted_interconnect_router": r["encryptedInterconnectRouter"].as_bool().unwrap_or(false),
            "creation_timestamp": r["creationTimestamp"],
            "self_link": r["selfLink"],
        }))))
    }

    async fn update(
        &self,
        cx: &Call<'_>,
        id: &str,
        _prior: &Value,
        planned: &Value,
    ) -> Result<Option<String>, Failure> {
        let name = KIND.parse(cx.cloud, id)?;
        rewrite(cx, &name, "update", |router| {
            router["bgp"] = bgp(planned);
            router["description"] = field(planned, "description");
            Ok(())
        })
        .await?;
        Ok(None)
    }

    async fn delete(&self, cx: &Call<'_>, id: &str, _prior: &Value) -> Result<(), Failure> {
        routers::delete(cx, &KIND.parse(cx.cloud, id)?).await
    }
}
