//! What machines and templates of machines have in common: schedule, accounts, metadata, tags.

use crate::body::{field, number};
use serde_json::{Map, Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use weir_core::{Diagnostic, Diagnostics, Value};
use weir_provider::declared::{Fields as _, checks};

/// The key under which a start script stands in the metadata.
const STARTUP: &str = "startup-script";

/// Refuses what Google would refuse of a schedule, an account and the metadata.
pub(super) fn check(config: &Value, out: &mut Diagnostics) {
    super::check_labels(config, out);
    if config.labels("metadata").contains_key(STARTUP)
        && config.text("metadata_startup_script").is_some()
    {
        out.push(
            Diagnostic::error(
                "`metadata_startup_script` and the metadata \"startup-script\" are both set",
            )
            .because("Each of them stands for the other.")
            .help("Remove one of them."),
        );
    }
    let Some(s) = config.row("scheduling") else {
        return;
    };
    checks::choice(s, "on_host_maintenance", &["MIGRATE", "TERMINATE"], out);
    checks::choice(
        s,
        "provisioning_model",
        &["STANDARD", "SPOT", "FLEX_START", "RESERVATION_BOUND"],
        out,
    );
    checks::choice(s, "instance_termination_action", &["STOP", "DELETE"], out);
    let restarts = s.flag("automatic_restart") != Some(false) && known(s, "automatic_restart");
    let spot = s.text("provisioning_model").as_deref() == Some("SPOT");
    if (spot || s.is_on("preemptible")) && restarts {
        out.push(
            Diagnostic::error("`scheduling.automatic_restart` must be false for a spot machine")
                .because("A machine that may be taken away at any time is not restarted.")
                .help("Set `automatic_restart = false`."),
        );
    }
    if spot && !s.is_on("preemptible") && known(s, "preemptible") {
        out.push(
            Diagnostic::error("`scheduling.preemptible` must be true for a spot machine")
                .because("Google calls a spot machine preemptible too.")
                .help("Set `preemptible = true`."),
        );
    }
}

fn known(of: &Value, key: &str) -> bool {
    of.get(key).is_none_or(|v| !v.is_unknown())
}

/// The schedule as the API takes it.
pub(super) fn scheduling(of: &Value) -> Json {
    let Some(s) = of.row("scheduling") else {
        return Json::Null;
    };
    let affinities = s.rows("node_affinities").into_iter();
    let affinity = |a: &Value| json!({"key": field(a, "key"), "operator": field(a, "operator"), "values": field(a, "values")});
    let run = s.row("max_run_duration").map(|d| {
        let seconds = d.get("seconds").and_then(Value::as_i64).unwrap_or(0);
        json!({"seconds": seconds.to_string(), "nanos": field(d, "nanos")})
    });
    json!({
        "automaticRestart": field(s, "automatic_restart"),
        "availabilityDomain": s.int("availability_domain").filter(|n| *n > 0),
        "instanceTerminationAction": field(s, "instance_termination_action"),
        "maxRunDuration": run,
        "minNodeCpus": s.int("min_node_cpus").filter(|n| *n > 0),
        "nodeAffinities": affinities.map(affinity).collect::<Vec<_>>(),
        "onHostMaintenance": field(s, "on_host_maintenance"),
        "preemptible": field(s, "preemptible"),
        "provisioningModel": field(s, "provisioning_model"),
    })
}

/// The schedule as the schema has it.
pub(super) fn scheduling_found(s: &Json) -> Vec<Json> {
    if s.is_null() {
        return Vec::new();
    }
    let affinities = s["nodeAffinities"].as_array().into_iter().flatten();
    let affinities = affinities
        .map(|a| json!({"key": a["key"], "operator": a["operator"], "values": a["values"]}));
    let run = &s["maxRunDuration"];
    let runs = match run.is_null() {
        true => Vec::new(),
        false => vec![json!({"seconds": number(&run["seconds"]), "nanos": run["nanos"]})],
    };
    vec![json!({
        "automatic_restart": s["automaticRestart"].as_bool().unwrap_or(false),
        "availability_domain": s["availabilityDomain"],
        "instance_termination_action": s["instanceTerminationAction"],
        "max_run_duration": runs,
        "min_node_cpus": s["minNodeCpus"],
        "node_affinities": affinities.collect::<Vec<_>>(),
        "on_host_maintenance": s["onHostMaintenance"],
        "preemptible": s["preemptible"].as_bool().unwrap_or(false),
        "provisioning_model": s["provisioningModel"],
    })]
}

/// Metadata, with the start script in it.
pub(super) fn metadata(of: &Value) -> Json {
    let mut all: BTreeMap<String, String> = of.labels("metadata");
    if let Some(script) = of.text("metadata_startup_script") {
        all.insert(STARTUP.into(), script);
    }
    let items = all
        .into_iter()
        .map(|(key, value)| json!({"key": key, "value": value}));
    json!({ "items": items.collect::<Vec<_>>() })
}

/// Metadata as the schema has it, and the start script where it was written by itself.
pub(super) fn metadata_found(found: &Json, known: &Value) -> (Json, Json) {
    let items = found["items"].as_array().into_iter().flatten();
    let pairs = items.filter_map(|i| Some((i["key"].as_str()?.to_owned(), i["value"].clone())));
    let mut all: Map<String, Json> = pairs.collect();
    let script = match known.text("metadata_startup_script") {
        Some(_) => all.remove(STARTUP).unwrap_or(Json::Null),
        None => Json::Null,
    };
    (Json::Object(all), script)
}

/// Short names of what a machine may do.
const SCOPES: [(&str, &str); 12] = [
    ("bigquery", "bigquery"),
    ("cloud-platform", "cloud-platform"),
    ("compute-ro", "compute.readonly"),
    ("compute-rw", "compute"),
    ("datastore", "datastore"),
    ("logging-write", "logging.write"),
    ("monitoring", "monitoring"),
    ("monitoring-write", "monitoring.write"),
    ("pubsub", "pubsub"),
    ("storage-full", "devstorage.full_control"),
    ("storage-ro", "devstorage.read_only"),
    ("storage-rw", "devstorage.read_write"),
];

const AUTH: &str = "https://www.googleapis.com/auth/";

fn scope(text: &str) -> String {
    match SCOPES.iter().find(|(short, _)| *short == text) {
        Some((_, scope)) => format!("{AUTH}{scope}"),
        None if text == "userinfo-email" => format!("{AUTH}userinfo.email"),
        None => text.to_owned(),
    }
}

/// The service account as the API takes it.
pub(super) fn accounts(of: &Value) -> Json {
    let account = |a: &Value| {
        let scopes = a.texts("scopes").unwrap_or_default();
        let scopes: Vec<String> = scopes.iter().map(|s| scope(s)).collect();
        let email = a.text("email").unwrap_or_else(|| "default".into());
        json!({"email": email, "scopes": scopes})
    };
    Json::Array(
        of.rows("service_account")
            .into_iter()
            .map(account)
            .collect(),
    )
}

/// The service account as the schema has it, with scopes as they were written.
pub(super) fn accounts_found(found: &Json, known: &Value) -> Vec<Json> {
    let written = known
        .row("service_account")
        .and_then(|a| a.texts("scopes"))
        .unwrap_or_default();
    let said = known.row("service_account").and_then(|a| a.text("email"));
    let account = |a: &Json| {
        let scopes = a["scopes"].as_array().into_iter().flatten().map(|s| {
            let text = s.as_str().unwrap_or_default();
            let own = written.iter().find(|w| scope(w) == text);
            own.cloned().unwrap_or_else(|| text.to_owned())
        });
        // The project's own account is there where none was named.
        let email = a["email"].as_str().unwrap_or_default();
        let own = email.ends_with("-compute@developer.gserviceaccount.com");
        let email = match said.as_deref() {
            Some("default") if own => "default",
            None if own => "",
            _ => email,
        };
        json!({"email": email, "scopes": scopes.collect::<Vec<_>>()})
    };
    found
        .as_array()
        .into_iter()
        .flatten()
        .map(account)
        .collect()
}

/// The planned account with scopes as they are recorded, where they mean the same.
pub(super) fn same_scopes(was: &Value, is: Value) -> Value {
    let scopes = |of: &Value| {
        let all = of.texts("scopes").unwrap_or_default();
        let all: BTreeSet<String> = all.iter().map(|s| scope(s)).collect();
        all
    };
    match was.get("scopes") {
        Some(recorded) if scopes(was) == scopes(&is) => is.with("scopes", recorded.clone()),
        _ => is,
    }
}

/// What keeps a machine's firmware honest.
pub(super) fn shielded(of: &Value) -> Json {
    match of.row("shielded_instance_config") {
        None => Json::Null,
        Some(s) => json!({
            "enableIntegrityMonitoring": field(s, "enable_integrity_monitoring"),
            "enableSecureBoot": field(s, "enable_secure_boot"),
            "enableVtpm": field(s, "enable_vtpm"),
        }),
    }
}

/// The same as the schema has it.
pub(super) fn shielded_found(s: &Json) -> Vec<Json> {
    match s.is_null() {
        true => Vec::new(),
        false => vec![json!({
            "enable_integrity_monitoring": s["enableIntegrityMonitoring"] == true,
            "enable_secure_boot": s["enableSecureBoot"] == true,
            "enable_vtpm": s["enableVtpm"] == true,
        })],
    }
}

/// What a machine's processor can be asked for.
pub(super) fn advanced(of: &Value) -> Json {
    match of.row("advanced_machine_features") {
        None => Json::Null,
        Some(a) => json!({
            "enableNestedVirtualization": field(a, "enable_nested_virtualization"),
            "enableUefiNetworking": field(a, "enable_uefi_networking"),
            "performanceMonitoringUnit": field(a, "performance_monitoring_unit"),
            "threadsPerCore": a.int("threads_per_core").filter(|n| *n > 0),
            "turboMode": field(a, "turbo_mode"),
            "visibleCoreCount": a.int("visible_core_count").filter(|n| *n > 0),
        }),
    }
}

/// The same as the schema has it.
pub(super) fn advanced_found(a: &Json) -> Vec<Json> {
    match a.is_null() {
        true => Vec::new(),
        false => vec![json!({
            "enable_nested_virtualization": a["enableNestedVirtualization"],
            "enable_uefi_networking": a["enableUefiNetworking"],
            "performance_monitoring_unit": a["performanceMonitoringUnit"],
            "threads_per_core": a["threadsPerCore"],
            "turbo_mode": a["turboMode"],
            "visible_core_count": a["visibleCoreCount"],
        })],
    }
}

/// A machine whose memory is encrypted.
pub(super) fn confidential(of: &Value) -> Json {
    match of.row("confidential_instance_config") {
        None => Json::Null,
        Some(c) => json!({
            "enableConfidentialCompute": field(c, "enable_confidential_compute"),
            "confidentialInstanceType": field(c, "confidential_instance_type"),
        }),
    }
}

/// The same as the schema has it.
pub(super) fn confidential_found(c: &Json) -> Vec<Json> {
    match c.is_null() {
        true => Vec::new(),
        false => vec![json!({
            "enable_confidential_compute": c["enableConfidentialCompute"],
            "confidential_instance_type": c["confidentialInstanceType"],
        })],
    }
}

/// Accelerators: of machines by a link of their zone, of templates by name.
pub(super) fn accelerators(of: &Value, prefix: &str) -> Json {
    let one = |a: &Value| {
        let kind = a.text("type").unwrap_or_default();
        let kind = match kind.contains('/') || prefix.is_empty() {
            true => kind,
            false => format!("{prefix}/acceleratorTypes/{kind}"),
        };
        json!({"acceleratorCount": field(a, "count"), "acceleratorType": kind})
    };
    let all = of.rows("guest_accelerator").into_iter();
    Json::Array(all.filter(|a| a.int("count") != Some(0)).map(one).collect())
}

/// The same as the schema has it.
pub(super) fn accelerators_found(found: &Json, known: &Value) -> Vec<Json> {
    let written = known.rows("guest_accelerator");
    let all = found.as_array().into_iter().flatten().enumerate();
    all.map(|(i, a)| {
        let kind = written.get(i).and_then(|w| w.get("type"));
        json!({"count": a["acceleratorCount"], "type": crate::body::keep_link(kind, &a["acceleratorType"])})
    })
    .collect()
}
