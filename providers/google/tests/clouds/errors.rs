//! Errors as people see them. `WEIR_REGENERATE=1` writes `golden/errors.txt` again.

use crate::{
    conformance::base,
    server::{Google, quick},
};
use serde_json::{Value as Json, json};
use std::{
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use weir_core::{Diagnostics, Known, Value, plan::Op};
use weir_google::{GoogleProvider, Pacing};
use weir_provider::{
    ApplyRequest, NoProgress, PlanRequest, Provider, Token, conformance::body, proposed,
};

const GOLDEN: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/clouds/golden/errors.txt"
);

static STEP: AtomicU64 = AtomicU64::new(1);

fn request(op: Op, type_name: &str) -> ApplyRequest {
    ApplyRequest {
        type_name: type_name.into(),
        address: format!("{type_name}.a"),
        op,
        prior: None,
        planned: None,
        config: None,
        private: Vec::new(),
        token: Token {
            lineage: "errors".into(),
            epoch: 1,
            // Each its own: Google does the same operation once.
            step: STEP.fetch_add(1, Ordering::Relaxed),
        },
    }
}

/// What a check, a plan and a creation end with.
async fn failed(provider: &GoogleProvider, type_name: &str, given: &Json) -> Diagnostics {
    let schema = &provider.schema().resources[type_name];
    let config = body(&schema.block, given);
    let refused = provider.validate(type_name, &config).await;
    if refused.has_errors() {
        return refused;
    }
    let plan = PlanRequest {
        type_name: type_name.into(),
        address: format!("{type_name}.a"),
        prior: None,
        config: config.clone(),
        proposed: proposed::merge(schema, None, &config),
        private: Vec::new(),
    };
    let planned = match provider.plan(plan).await {
        Ok(plan) => plan.planned,
        Err(d) => return d,
    };
    let request = ApplyRequest {
        planned: Some(planned),
        config: Some(config),
        ..request(Op::Create, type_name)
    };
    provider.apply(request, &NoProgress).await.diagnostics
}

/// A provider whose block says this too.
async fn with(
    google: &Google,
    more: Json,
    pacing: Pacing,
) -> Result<Arc<GoogleProvider>, Diagnostics> {
    let mut settings = google.settings();
    let more = more.as_object().unwrap().clone();
    settings.as_object_mut().unwrap().extend(more);
    let provider = GoogleProvider::new(pacing);
    let config = body(&provider.schema().provider.block, &settings);
    provider.configure(&config).await?;
    Ok(Arc::new(provider))
}

/// The deletion of something that others need, by someone with little patience.
async fn deleted(provider: &GoogleProvider, type_name: &str, id: &str) -> Diagnostics {
    let found = provider.import(type_name, id).await.unwrap().remove(0);
    let patience = Value::object([("delete", Value::from("1ms"))]);
    let prior = found.value.value().clone().with("timeouts", patience);
    let request = ApplyRequest {
        prior: Some(Known::new(prior).unwrap()),
        ..request(Op::Delete, type_name)
    };
    provider.apply(request, &NoProgress).await.diagnostics
}

fn machine(more: &Json) -> Json {
    let mut all = json!({
        "name": "vm", "machine_type": "e2-medium",
        "boot_disk": [{ "initialize_params": [{ "image": "debian-12" }] }],
        "network_interface": [{ "subnetwork": "sub" }],
    });
    let more = more.as_object().unwrap().clone();
    all.as_object_mut().unwrap().extend(more);
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[allow(clippy::too_many_lines)] // a table
async fn errors_are_as_stored() {
    let google = Google::start();
    base(&google);
    let (vm, disk) = ("google_compute_instance", "google_compute_disk");
    let small = json!({ "name": "disk", "size": 10 });
    let mut told = String::new();
    let mut tell = |title: &str, d: &Diagnostics| {
        assert!(d.has_errors(), "{title}: nothing went wrong");
        let _ = writeln!(told, "== {title}");
        for d in &d.0 {
            let help = d.help.as_deref().unwrap_or("-");
            let _ = writeln!(told, "{}\n  why: {}\n  help: {help}", d.summary, d.detail);
            if let Some(shortage) = d.shortage() {
                let _ = writeln!(told, "  short of: {shortage:?}");
            }
        }
        let _ = writeln!(told);
    };

    let expired = with(&google, json!({ "access_token": "expired" }), quick());
    let expired = expired.await.unwrap();
    tell(
        "a token that has expired",
        &failed(&expired, disk, &small).await,
    );
    for (title, key) in [
        ("a key that is no JSON", "{ \"private_key\": \"hunter2\""),
        ("a key of no known type", "{ \"type\": \"secret\" }"),
    ] {
        let block = json!({ "access_token": null, "credentials": key });
        match with(&google, block, quick()).await {
            Ok(provider) => tell(title, &failed(&provider, disk, &small).await),
            Err(d) => tell(title, &d),
        }
    }

    let provider = google.provider().await;
    let there = |more: Json| {
        let mut all = small.clone();
        all.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        all
    };
    tell(
        "an unknown zone",
        &failed(&provider, disk, &there(json!({ "zone": "europe-west9-z" }))).await,
    );
    let address = json!({ "name": "ip", "region": "atlantis-1" });
    tell(
        "an unknown region",
        &failed(&provider, "google_compute_address", &address).await,
    );
    tell(
        "an unknown machine type",
        &failed(
            &provider,
            vm,
            &machine(&json!({ "machine_type": "e9-huge" })),
        )
        .await,
    );
    let boot =
        json!({ "boot_disk": [{ "initialize_params": [{ "image": "debian-cloud/debian-99" }] }] });
    tell(
        "an image that does not exist",
        &failed(&provider, vm, &machine(&boot)).await,
    );
    let nowhere = json!({ "network_interface": [{ "subnetwork": "none" }] });
    let hasty = Pacing {
        budget: Duration::from_millis(100),
        ..quick()
    };
    tell(
        "a subnetwork that does not exist",
        &failed(&provider, vm, &machine(&nowhere)).await,
    );
    let arm = |operation: &str, times: u64, answer: Json| {
        let fault = json!({ "operation": operation, "times": times, "answer": answer });
        google.tell("/_faults", &fault);
    };
    arm("compute.instances.insert", 1, json!("quota"));
    tell("quota", &failed(&provider, vm, &machine(&json!({}))).await);
    arm("compute.instances.insert", 1, json!("capacity"));
    tell(
        "no capacity",
        &failed(&provider, vm, &machine(&json!({}))).await,
    );
    let forbidden = json!({ "error": { "code": 403, "message": "Required 'compute.disks.create' permission for 'projects/weir/zones/europe-west1-b/disks/disk'", "errors": [{ "reason": "forbidden" }] } });
    arm(
        "compute.disks.insert",
        1,
        json!({ "reply": { "status": 403, "body": forbidden } }),
    );
    tell(
        "a role that is missing",
        &failed(&provider, disk, &small).await,
    );
    tell(
        "a name that is taken",
        &failed(&provider, disk, &json!({ "name": "spare", "size": 10 })).await,
    );
    tell(
        "a network with dependents",
        &deleted(&provider, "google_compute_network", "base").await,
    );
    let slow = with(&google, json!({}), hasty).await.unwrap();
    arm("compute.disks.get", 1000, json!("throttle"));
    tell(
        "throttled beyond the budget",
        &failed(&slow, disk, &small).await,
    );
    let nowhere = with(&google, json!({ "project": null }), quick());
    if std::env::var_os("GOOGLE_PROJECT").is_none() {
        let nowhere = nowhere.await.unwrap();
        tell("no project", &failed(&nowhere, disk, &small).await);
    }

    if std::env::var_os("WEIR_REGENERATE").is_some() {
        std::fs::write(GOLDEN, &told).unwrap();
    }
    let stored = std::fs::read_to_string(GOLDEN).unwrap_or_default();
    assert!(told == stored, "{told}");
}
