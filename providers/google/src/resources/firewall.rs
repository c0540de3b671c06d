//! `google_compute_firewall`

use crate::{
    body::{compact, field, keep},
    calls::{change, firewalls},
    name::Name,
    resource::{Call, Failure, Found},
    thing::{At, Thing},
};
use async_trait::async_trait;
use serde_json::{Value as Json, json};
use weir_core::{Diagnostic, Diagnostics, Path, Value};
use weir_provider::declared::{Fields as _, checks, object};

pub(super) struct Firewall;

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
impl Thing for Firewall {
    const NAME: &'static str = "google_compute_firewall";
    type Calls = firewalls::All;

    fn validate(&self, config: &Value, out: &mut Diagnostics) {
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

    fn plan(&self, config: &Value, prior: Option<&Value>, planned: Value) -> (Value, Vec<Path>) {
        let mut planned = super::same_links(prior, planned, &["network"]);
        if config.get("enable_logging").is_none_or(Value::is_null) {
            let logs = planned.row("log_config").is_some();
            planned = planned.with("enable_logging", Value::from(logs));
        }
        (planned, Vec::new())
    }

    async fn body(&self, at: At<'_>, planned: &Value) -> Result<Json, Failure> {
        Ok(body(at.name, planned))
    }

    async fn found(&self, _at: At<'_>, f: &Json, known: &Value) -> Result<Found, Failure> {
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
        Ok(object(json!({
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
        })))
    }

    async fn change(
        &self,
        cx: &Call<'_>,
        name: &Name,
        _prior: &Value,
        planned: &Value,
    ) -> Result<(), Failure> {
        // The whole rule is given: what is left out of a patch would stay.
        change!(
            cx,
            name,
            "firewalls.update",
            firewalls.update(set_firewall = name),
            Firewall,
            body(name, planned)
        )
    }
}
