//! `google_compute_firewall`

use crate::{
    body::{compact, field, keep, model},
    calls::{self, firewalls, run},
    client::Google,
    name::Name,
    resource::{Call, Failure, Found, Minutes, Resource},
};
use async_trait::async_trait;
use serde_json::{Value as Json, json};
use weir_core::{Diagnostic, Diagnostics, Path, Value};
use weir_provider::declared::{Fields as _, checks, object};

pub(super) struct Firewall;

const KIND: crate::name::Kind = firewalls::KIND;

fn rules(of: &Value, key: &str) -> Json {
    let rule = |r: &Value| json!({"IPProtocol": field(r, "protocol"), "ports": field(r, "ports")});
    Json::Array(of.rows(key).into_iter().map(rule).collect())
}

fn body(name: &Name, of: &Value) -> Json {
    let network = of.text("network").unwrap_or_default();
    let network = match network.contains('/') {
        true => network,
        false => format!("projects/{}/global/networks/{network}", name.project),
    };
    let log = match of.row("log_config") {
        Some(log) => json!({"enable": true, "metadata": field(log, "metadata")}),
        None => json!({"enable": of.is_on("enable_logging")}),
    };
    compact(json!({
        "name": name.name,
        "description": field(of, "description"),
        "network": network,
        "direction": field(of, "direction"),
        "priority": field(of, "priority"),
        "disabled": of.is_on("disabled"),
        "allowed": rules(of, "allow"),
        "denied": rules(of, "deny"),
        "sourceRanges": field(of, "source_ranges"),
        "destinationRanges": field(of, "destination_ranges"),
        "sourceTags": field(of, "source_tags"),
        "targetTags": field(of, "target_tags"),
        "sourceServiceAccounts": field(of, "source_service_accounts"),
        "targetServiceAccounts": field(of, "target_service_accounts"),
        "logConfig": log,
    }))
}

#[async_trait]
impl Resource<Google> for Firewall {
    fn name(&self) -> &'static str {
        "google_compute_firewall"
    }
    fn minutes(&self) -> Minutes {
        (20, 20, 20)
    }

    fn validate(&self, config: &Value, out: &mut Diagnostics) {
        super::check_name(config, "name", out);
        checks::choice(config, "direction", &["INGRESS", "EGRESS"], out);
        checks::within(config, "priority", 0..=65535, out);
        checks::one_of(config, &["allow", "deny"], out);
        checks::at_most_one(config, &["allow", "deny"], out);
        let known = |key: &str| config.get(key).is_none_or(Value::is_wholly_known);
        let sources = ["source_ranges", "source_tags", "source_service_accounts"];
        let is_egress = config.text("direction").as_deref() == Some("EGRESS");
        if !is_egress && known("direction") && sources.iter().all(|s| known(s)) {
            checks::one_of(config, &sources, out);
        }
        for source in sources
            .iter()
            .filter(|s| is_egress && checks::is_set(config, s))
        {
            out.push(
                Diagnostic::error(format!("`{source}` does not go with EGRESS"))
                    .because("A rule for what leaves looks at where it goes.")
                    .help("Use `destination_ranges`, or the direction INGRESS."),
            );
        }
        if checks::is_set(config, "source_tags") || checks::is_set(config, "target_tags") {
            for accounts in ["source_service_accounts", "target_service_accounts"] {
                checks::not_both(config, "source_tags", accounts, out);
                checks::not_both(config, "target_tags", accounts, out);
            }
        }
        for rule in config.rows("allow").into_iter().chain(config.rows("deny")) {
            let protocol = rule.text("protocol").unwrap_or_default().to_lowercase();
            let has_ports = matches!(
                protocol.as_str(),
                "tcp" | "udp" | "sctp" | "6" | "17" | "132"
            );
            if !protocol.is_empty() && !has_ports && rule.texts("ports").is_some() {
                out.push(
                    Diagnostic::error(format!(
                        "`ports` can't be set for the protocol {protocol:?}"
                    ))
                    .because("Only tcp, udp and sctp have ports.")
                    .help("Remove `ports`, or choose another protocol."),
                );
            }
        }
    }

    fn plan(
        &self,
        _cloud: Option<&Google>,
        config: &Value,
        prior: Option<&Value>,
        planned: Value,
    ) -> (Value, Vec<Path>) {
        let mut planned = super::same_links(prior, planned, &["network"]);
        if config.get("enable_logging").is_none_or(Value::is_null) {
            let logs = planned.row("log_config").is_some();
            planned = planned.with("enable_logging", Value::from(logs));
        }
        (planned, Vec::new())
    }

    async fn create(&self, cx: &Call<'_>, planned: &Value) -> Result<String, Failure> {
        let name = super::name_of(cx.cloud, KIND, planned)?;
        firewalls::insert(cx, &name, body(&name, planned)).await?;
        Ok(KIND.id(&name))
    }

    async fn find(&self, cx: &Call<'_>, planned: &Value) -> Result<Option<String>, Failure> {
        let name = super::name_of(cx.cloud, KIND, planned)?;
        let there = firewalls::get(cx.cloud, &name).await?.is_some();
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
        let Some(f) = firewalls::get(google, &name).await? else {
            return Ok(None);
        };
        // Protocols come back in lower case; what was written stays.
        let rules = |theirs: &str, ours: &str| -> Vec<Json> {
            let written: Vec<String> = (known.rows(ours).into_iter())
                .filter_map(|r| r.text("protocol"))
                .collect();
            let all = f[theirs].as_array().into_iter().flatten();
            all.map(|r| {
                let protocol = r["IPProtocol"].as_str().unwrap_or_default();
                let own = written.iter().find(|w| w.eq_ignore_ascii_case(protocol));
                let ports = r["ports"].as_array().cloned().unwrap_or_default();
                let ports = if ports.is_empty() {
                    Json::Null
                } else {
                    Json::Array(ports)
                };
                json!({"protocol": own.map_or(protocol, String::as_str), "ports": ports})
            })
            .collect()
        };
        let log = &f["logConfig"];
        let logs = log["enable"] == true;
        let log_config: Vec<Json> = match (logs, log["metadata"].as_str()) {
            (true, Some(metadata)) => vec![json!({ "metadata": metadata })],
            _ => Vec::new(),
        };
        Ok(Some(object(json!({
            "id": KIND.id(&name),
            "name": f["name"],
            "project": name.project,
            "description": f["description"],
            "network": keep(known, "network", &f["network"]),
            "direction": f["direction"],
            "priority": f["priority"],
            "disabled": f["disabled"].as_bool().unwrap_or(false),
            "allow": rules("allowed", "allow"),
            "deny": rules("denied", "deny"),
            "source_ranges": f["sourceRanges"],
            "destination_ranges": f["destinationRanges"],
            "source_tags": f["sourceTags"],
            "target_tags": f["targetTags"],
            "source_service_accounts": f["sourceServiceAccounts"],
            "target_service_accounts": f["targetServiceAccounts"],
            "enable_logging": logs,
            "log_config": log_config,
            "creation_timestamp": f["creationTimestamp"],
            "self_link": f["selfLink"],
        }))))
    }

    async fn update(
        &self,
        cx: &Call<'_>,
        id: &str,
        _prior: &Value,
        planned: &Value,
    ) -> Result<Option<String>, Failure> {
        // The whole rule is given: what is left out of a patch would stay.
        let name = KIND.parse(cx.cloud, id)?;
        let body: google_cloud_compute_v1::model::Firewall =
            model("firewalls.update", body(&name, planned))?;
        let firewalls = &cx.cloud.clients.firewalls;
        run!(
            cx,
            "firewalls.update",
            &name.project,
            firewalls
                .update()
                .set_firewall(&name.name)
                .set_body(body.clone())
        )?;
        Ok(None)
    }

    async fn delete(&self, cx: &Call<'_>, id: &str, _prior: &Value) -> Result<(), Failure> {
        firewalls::delete(cx, &KIND.parse(cx.cloud, id)?).await
    }
}
