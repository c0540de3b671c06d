//! `google_compute_router_nat`: an entry of a router, which is read and written whole.

use super::router::rewrite;
use crate::{
    body::{field, keep_all},
    calls::{self, Calls as _, routers},
    client::Google,
    name::{Kind, Name, last, same_link},
    resource::{Call, Failure, Found, Minutes, Resource},
};
use async_trait::async_trait;
use serde_json::{Value as Json, json};
use weir_core::{Diagnostic, Diagnostics, Path, Type, Value};
use weir_provider::declared::{Fields as _, checks, object};

pub(super) struct RouterNat;

const KIND: Kind = routers::All::KIND;

/// The router, and the entry's name.
fn ends(google: &Google, value: &Value) -> Result<(Name, String), Failure> {
    let router = value.text("router").unwrap_or_default();
    let router = Name {
        project: google.project_of(value.text("project"))?,
        place: google.region_of(value.text("region"))?,
        name: last(&router).to_owned(),
    };
    Ok((router, value.text("name").unwrap_or_default()))
}

fn id_of(router: &Name, nat: &str) -> String {
    let Name {
        project,
        place,
        name,
    } = router;
    format!("{project}/{place}/{name}/{nat}")
}

fn parse(google: &Google, id: &str) -> Result<(Name, String), Failure> {
    match id.rsplit_once('/') {
        Some((router, nat)) => Ok((KIND.parse(google, router)?, nat.to_owned())),
        None => {
            let why = format!(
                "{id:?} is none of PROJECT/REGION/ROUTER/NAME, REGION/ROUTER/NAME, ROUTER/NAME"
            );
            Err(Failure::new("import", why))
        }
    }
}

async fn entry(google: &Google, router: &Name, nat: &str) -> Result<Option<Json>, Failure> {
    let found = routers::All::get(google, router).await?;
    let nats = found.and_then(|r| r["nats"].as_array().cloned());
    Ok(nats.into_iter().flatten().find(|n| n["name"] == *nat))
}

fn body(router: &Name, of: &Value) -> Json {
    let links = |key: &str, path: &str| {
        let all = of.texts(key).unwrap_or_default().into_iter();
        let link = |text: String| match text.contains('/') {
            true => text,
            false => format!(
                "projects/{}/regions/{}/{path}/{text}",
                router.project, router.place
            ),
        };
        Json::Array(all.map(|t| json!(link(t))).collect())
    };
    let subnetworks = of.rows("subnetwork").into_iter().map(|s| {
        json!({
            "name": super::link(s, "name", router, &format!("regions/{}/subnetworks", router.place)),
            "sourceIpRangesToNat": field(s, "source_ip_ranges_to_nat"),
            "secondaryIpRangeNames": field(s, "secondary_ip_range_names"),
        })
    });
    json!({
        "name": field(of, "name"),
        "type": field(of, "type"),
        "autoNetworkTier": field(of, "auto_network_tier"),
        "drainNatIps": links("drain_nat_ips", "addresses"),
        "enableDynamicPortAllocation": field(of, "enable_dynamic_port_allocation"),
        "enableEndpointIndependentMapping": field(of, "enable_endpoint_independent_mapping"),
        "endpointTypes": field(of, "endpoint_types"),
        "icmpIdleTimeoutSec": field(of, "icmp_idle_timeout_sec"),
        "maxPortsPerVm": field(of, "max_ports_per_vm"),
        "minPortsPerVm": field(of, "min_ports_per_vm"),
        "natIpAllocateOption": field(of, "nat_ip_allocate_option"),
        "natIps": links("nat_ips", "addresses"),
        "sourceSubnetworkIpRangesToNat": field(of, "source_subnetwork_ip_ranges_to_nat"),
        "subnetworks": subnetworks.collect::<Vec<_>>(),
        "tcpEstablishedIdleTimeoutSec": field(of, "tcp_established_idle_timeout_sec"),
        "tcpTimeWaitTimeoutSec": field(of, "tcp_time_wait_timeout_sec"),
        "tcpTransitoryIdleTimeoutSec": field(of, "tcp_transitory_idle_timeout_sec"),
        "udpIdleTimeoutSec": field(of, "udp_idle_timeout_sec"),
        "logConfig": of.row("log_config").map(|l| json!({"enable": l.is_on("enable"), "filter": field(l, "filter")})),
    })
}

/// The router's entries without the one of this name, and with another in its place.
fn put(router: &mut Json, name: &str, entry: Option<Json>) {
    let mut nats = router["nats"].as_array().cloned().unwrap_or_default();
    let at = nats.iter().position(|n| n["name"] == *name);
    match (at, entry) {
        (Some(at), Some(entry)) => nats[at] = entry,
        (Some(at), None) => drop(nats.remove(at)),
        (None, Some(entry)) => nats.push(entry),
        (None, None) => {}
    }
    router["nats"] = Json::Array(nats);
}

/// Subnetworks by the links that are recorded, where they mean the same.
fn subnetworks(prior: &Value, planned: Value) -> Value {
    let was = prior.rows("subnetwork");
    let set = planned.get("subnetwork").filter(|s| s.is_wholly_known());
    let Some(Type::Set(ty)) = set.map(Value::ty) else {
        return planned;
    };
    let recorded = |row: &&Value| {
        let same = |w: &&&Value| super::same_links(Some(w), (*row).clone(), &["name"]) == ***w;
        was.iter()
            .find(same)
            .map_or_else(|| (*row).clone(), |w| (*w).clone())
    };
    let all: Vec<Value> = planned.rows("subnetwork").iter().map(recorded).collect();
    planned.with("subnetwork", Value::set((*ty).clone(), all))
}

#[async_trait]
impl Resource<Google> for RouterNat {
    fn name(&self) -> &'static str {
        "google_compute_router_nat"
    }
    fn minutes(&self) -> Minutes {
        (20, 20, 20)
    }

    fn validate(&self, config: &Value, out: &mut Diagnostics) {
        super::check_name(config, "name", out);
        checks::choice(
            config,
            "nat_ip_allocate_option",
            &["MANUAL_ONLY", "AUTO_ONLY"],
            out,
        );
        let sources = [
            "ALL_SUBNETWORKS_ALL_IP_RANGES",
            "ALL_SUBNETWORKS_ALL_PRIMARY_IP_RANGES",
            "LIST_OF_SUBNETWORKS",
        ];
        let key = "source_subnetwork_ip_ranges_to_nat";
        checks::choice(config, key, &sources, out);
        checks::choice(config, "type", &["PUBLIC", "PRIVATE"], out);
        let listed = config.text(key).map(|s| s == "LIST_OF_SUBNETWORKS");
        let has = checks::is_set(config, "subnetwork");
        let known = config.get("subnetwork").is_none_or(|s| !s.is_unknown());
        if listed.is_some_and(|l| l != has) && known {
            out.push(
                Diagnostic::error(
                    "`subnetwork` and `source_subnetwork_ip_ranges_to_nat` do not agree",
                )
                .because("Subnetworks are listed for LIST_OF_SUBNETWORKS, and for it alone.")
                .help("Add `subnetwork` blocks, or choose another source."),
            );
        }
        if config.text("nat_ip_allocate_option").as_deref() == Some("AUTO_ONLY")
            && checks::is_set(config, "nat_ips")
        {
            out.push(
                Diagnostic::error("`nat_ips` does not go with AUTO_ONLY")
                    .because("Google chooses the addresses itself then.")
                    .help("Remove `nat_ips`, or choose MANUAL_ONLY."),
            );
        }
        if let Some(log) = config.row("log_config") {
            checks::choice(
                log,
                "filter",
                &["ERRORS_ONLY", "TRANSLATIONS_ONLY", "ALL"],
                out,
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
        let planned = super::same_links(prior, planned, &["router"]);
        let Some(prior) = prior else {
            return (planned, Vec::new());
        };
        let planned = super::same_link_sets(prior, planned, &["drain_nat_ips", "nat_ips"]);
        (subnetworks(prior, planned), Vec::new())
    }

    async fn create(&self, cx: &Call<'_>, planned: &Value) -> Result<String, Failure> {
        let (router, name) = ends(cx.cloud, planned)?;
        // With the same name for the request as in `find`.
        rewrite(cx, &router, "insert", |body_of_router| {
            let nats = body_of_router["nats"].as_array().into_iter().flatten();
            if nats.into_iter().any(|n| n["name"] == *name) {
                let why = format!("the router {} has a NAT {name} already", router.name);
                let mut failure = Failure::new("routers.update", why);
                failure.help = Some("Import it (`weir import`), or choose another name.");
                return Err(failure);
            }
            put(body_of_router, &name, Some(body(&router, planned)));
            Ok(())
        })
        .await?;
        Ok(id_of(&router, &name))
    }

    async fn ready(&self, cx: &Call<'_>, id: &str) -> Result<(), Failure> {
        calls::made(cx, KIND, &parse(cx.cloud, id)?.0).await
    }

    async fn find(&self, cx: &Call<'_>, planned: &Value) -> Result<Option<String>, Failure> {
        let (router, name) = ends(cx.cloud, planned)?;
        let there = entry(cx.cloud, &router, &name).await?.is_some();
        Ok((there && calls::is_ours(cx, KIND, &router).await?).then(|| id_of(&router, &name)))
    }

    async fn read(
        &self,
        google: &Google,
        id: &str,
        known: &Value,
    ) -> Result<Option<Found>, Failure> {
        let (router, name) = parse(google, id)?;
        let Some(n) = entry(google, &router, &name).await? else {
            return Ok(None);
        };
        let written: Vec<String> = (known.rows("subnetwork").into_iter())
            .filter_map(|s| s.text("name"))
            .collect();
        let subnetworks = n["subnetworks"].as_array().into_iter().flatten().map(|s| {
            let link = s["name"].as_str().unwrap_or_default();
            let own = written.iter().find(|w| same_link(w, link));
            json!({
                "name": own.map_or(link, String::as_str),
                "source_ip_ranges_to_nat": s["sourceIpRangesToNat"],
                "secondary_ip_range_names": s["secondaryIpRangeNames"],
            })
        });
        let log = &n["logConfig"];
        let logs = match log["filter"].as_str() {
            Some(filter) => vec![json!({"enable": log["enable"] == true, "filter": filter})],
            None => Vec::new(),
        };
        let or = |field: &str, default: i64| n[field].as_i64().unwrap_or(default);
        let or_empty = |field: &str| n[field].as_array().cloned().unwrap_or_default();
        let named = match known.text("router") {
            Some(text) if last(&text) == router.name => text,
            _ => router.name.clone(),
        };
        Ok(Some(object(json!({
            "id": id_of(&router, &name),
            "name": n["name"],
            "project": router.project,
            "region": router.place,
            "router": named,
            "type": n["type"].as_str().unwrap_or("PUBLIC"),
            "auto_network_tier": n["autoNetworkTier"].as_str().unwrap_or_default(),
            "drain_nat_ips": keep_all(known, "drain_nat_ips", &json!(or_empty("drainNatIps"))),
            "enable_dynamic_port_allocation": n["enableDynamicPortAllocation"].as_bool().unwrap_or(false),
            "enable_endpoint_independent_mapping": n["enableEndpointIndependentMapping"].as_bool().unwrap_or(false),
            "endpoint_types": or_empty("endpointTypes"),
            "icmp_idle_timeout_sec": or("icmpIdleTimeoutSec", 30),
            "max_ports_per_vm": or("maxPortsPerVm", 0),
            "min_ports_per_vm": or("minPortsPerVm", 0),
            "nat_ip_allocate_option": n["natIpAllocateOption"],
            "nat_ips": keep_all(known, "nat_ips", &json!(or_empty("natIps"))),
            "source_subnetwork_ip_ranges_to_nat": n["sourceSubnetworkIpRangesToNat"],
            "subnetwork": subnetworks.collect::<Vec<_>>(),
            "tcp_established_idle_timeout_sec": or("tcpEstablishedIdleTimeoutSec", 1200),
            "tcp_time_wait_timeout_sec": or("tcpTimeWaitTimeoutSec", 120),
            "tcp_transitory_idle_timeout_sec": or("tcpTransitoryIdleTimeoutSec", 30),
            "udp_idle_timeout_sec": or("udpIdleTimeoutSec", 30),
            "log_config": logs,
        }))))
    }

    async fn update(
        &self,
        cx: &Call<'_>,
        id: &str,
        _prior: &Value,
        planned: &Value,
    ) -> Result<Option<String>, Failure> {
        let (router, name) = parse(cx.cloud, id)?;
        rewrite(cx, &router, "update", |r| {
            put(r, &name, Some(body(&router, planned)));
            Ok(())
        })
        .await?;
        Ok(None)
    }

    async fn delete(&self, cx: &Call<'_>, id: &str, _prior: &Value) -> Result<(), Failure> {
        let (router, name) = parse(cx.cloud, id)?;
        rewrite(cx, &router, "delete", |r| {
            put(r, &name, None);
            Ok(())
        })
        .await
    }
}
