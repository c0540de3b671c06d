//! What goes wrong on the way: throttling, answers that are lost, capacity, quota, things of others.

use crate::{conformance::base, server::Google};
use serde_json::{Value as Json, json};
use weir_core::{Known, Shortage, Value, plan::Op};
use weir_google::GoogleProvider;
use weir_provider::{
    ApplyRequest, ApplyResponse, NoProgress, PlanRequest, PlanResponse, Provider as _, Settled,
    Token, conformance::body, proposed,
};

fn request(type_name: &str, config: Value, planned: Value, step: u64) -> ApplyRequest {
    ApplyRequest {
        type_name: type_name.into(),
        address: format!("{type_name}.a"),
        op: Op::Create,
        prior: None,
        planned: Some(planned),
        config: Some(config),
        private: Vec::new(),
        token: Token {
            lineage: "l".into(),
            epoch: 1,
            step,
        },
    }
}

async fn planned(
    provider: &GoogleProvider,
    type_name: &str,
    given: &Json,
    step: u64,
) -> ApplyRequest {
    let schema = &provider.schema().resources[type_name];
    let config = body(&schema.block, given);
    let plan = provider
        .plan(PlanRequest {
            type_name: type_name.into(),
            address: format!("{type_name}.a"),
            prior: None,
            config: config.clone(),
            proposed: proposed::merge(schema, None, &config),
            private: Vec::new(),
        })
        .await
        .unwrap();
    request(type_name, config, plan.planned, step)
}

async fn create(
    provider: &GoogleProvider,
    type_name: &str,
    given: &Json,
    step: u64,
) -> ApplyResponse {
    let request = planned(provider, type_name, given, step).await;
    provider.apply(request, &NoProgress).await
}

fn vm() -> Json {
    json!({
        "name": "vm", "machine_type": "e2-medium",
        "boot_disk": [{ "initialize_params": [{ "image": "debian-12" }] }],
        "network_interface": [{ "subnetwork": "sub" }],
    })
}

fn fault(google: &Google, operation: &str, times: u64, answer: &Json) {
    let fault = json!({"operation": operation, "times": times, "answer": answer});
    google.tell("/_faults", &fault);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_google_is_short_of_is_told_and_leaves_nothing() {
    let google = Google::start();
    base(&google);
    let provider = google.provider().await;
    for (step, answer, shortage, code) in [
        (
            1,
            "capacity",
            Shortage::Capacity,
            "ZONE_RESOURCE_POOL_EXHAUSTED",
        ),
        (2, "quota", Shortage::Quota, "QUOTA_EXCEEDED"),
    ] {
        fault(&google, "compute.instances.insert", 1, &json!(answer));
        let end = create(&provider, "google_compute_instance", &vm(), step).await;
        assert!(end.value.is_none(), "nothing was made");
        let first = end.diagnostics.into_iter().next().unwrap();
        assert_eq!(first.shortage(), Some(shortage));
        assert!(first.to_string().contains(code), "{first}");
    }
    let end = create(&provider, "google_compute_instance", &vm(), 3).await;
    assert!(!end.diagnostics.has_errors(), "{}", end.diagnostics);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_for_now_or_lost_on_the_way_is_made_once() {
    let google = Google::start();
    let provider = google.provider().await;
    let unavailable = json!({"reply": {"status": 503, "body": {"error": {"code": 503, "message": "Later.", "errors": [{"reason": "backendError"}]}}}});
    let answers = [json!("conflict"), json!("lost"), json!("cut"), unavailable];
    for (step, answer) in (1..).zip(answers) {
        let name = format!("disk-{step}");
        fault(&google, "compute.disks.insert", 2, &answer);
        let given = json!({"name": name, "size": 10});
        let end = create(&provider, "google_compute_disk", &given, step).await;
        assert!(
            !end.diagnostics.has_errors(),
            "{answer}: {}",
            end.diagnostics
        );
    }
    let log = google.ask("/_requests");
    let inserts = log
        .as_array()
        .unwrap()
        .iter()
        .filter(|r| r["operation"] == "compute.disks.insert");
    assert!(inserts.count() >= 12, "each was tried three times");
    assert_eq!(google.list("zones/europe-west1-b/disks").len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_else_has_made_is_never_taken_over() {
    let google = Google::start();
    google.make(
        "zones/europe-west1-b/disks",
        &json!({"name": "theirs", "sizeGb": "10"}),
    );
    let provider = google.provider().await;
    let given = json!({"name": "theirs", "size": 10});
    let end = create(&provider, "google_compute_disk", &given, 1).await;
    assert!(end.value.is_none());
    let told = format!("{:?}", end.diagnostics);
    assert!(
        told.contains("already exists") && told.contains("Import it"),
        "{told}"
    );
    let request = planned(&provider, "google_compute_disk", &given, 1).await;
    let settled = provider.settle(request).await;
    assert!(matches!(settled, Settled::NotDone), "{settled:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn images_and_labels_and_links_come_to_what_was_written() {
    let google = Google::start();
    base(&google);
    let provider = google.provider().await;
    let mut given = vm();
    given["labels"] = json!({"a": "b"});
    let end = create(&provider, "google_compute_instance", &given, 1).await;
    assert!(!end.diagnostics.has_errors(), "{}", end.diagnostics);
    let value = end.value.unwrap();
    let text = |key: &str| {
        value
            .value()
            .get(key)
            .map(ToString::to_string)
            .unwrap_or_default()
    };
    assert!(
        text("boot_disk").contains("debian-12"),
        "{}",
        text("boot_disk")
    );
    assert!(
        text("effective_labels").contains("team"),
        "the provider block's label"
    );
    assert!(!text("labels").contains("team"));
    let sent = google.list("zones/europe-west1-b/instances");
    let vm = sent.iter().find(|i| i["name"] == "vm").unwrap();
    assert_eq!(vm["labels"], json!({"a": "b", "team": "weir"}));
}

/// Plans a change of what was made.
async fn change(
    provider: &GoogleProvider,
    type_name: &str,
    prior: &Known,
    given: &Json,
) -> (Value, PlanResponse) {
    let schema = &provider.schema().resources[type_name];
    let config = body(&schema.block, given);
    let request = PlanRequest {
        type_name: type_name.into(),
        address: format!("{type_name}.a"),
        prior: Some(prior.clone()),
        config: config.clone(),
        proposed: proposed::merge(schema, Some(prior.value()), &config),
        private: Vec::new(),
    };
    (config, provider.plan(request).await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_is_kept_while_it_is_protected() {
    let google = Google::start();
    base(&google);
    let provider = google.provider().await;
    let kind = "google_compute_instance";
    let mut given = vm();
    given["deletion_protection"] = json!(true);
    let made = create(&provider, kind, &given, 1).await.value.unwrap();
    let delete = |prior: &Known, step: u64| ApplyRequest {
        op: Op::Delete,
        prior: Some(prior.clone()),
        planned: None,
        config: None,
        ..request(kind, Value::null(), Value::null(), step)
    };
    let kept = provider.apply(delete(&made, 2), &NoProgress).await;
    assert!(kept.value.is_some());
    let told = format!("{:?}", kept.diagnostics);
    assert!(told.contains("deletion_protection = false"), "{told}");
    let (config, plan) = change(&provider, kind, &made, &vm()).await;
    let update = ApplyRequest {
        op: Op::Update,
        prior: Some(made.clone()),
        ..request(kind, config, plan.planned, 3)
    };
    let changed = provider.apply(update, &NoProgress).await;
    assert!(!changed.diagnostics.has_errors(), "{}", changed.diagnostics);
    let gone = provider
        .apply(delete(&changed.value.unwrap(), 4), &NoProgress)
        .await;
    assert!(gone.value.is_none(), "{}", gone.diagnostics);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_image_is_another_machine() {
    let google = Google::start();
    base(&google);
    let provider = google.provider().await;
    let kind = "google_compute_instance";
    let made = create(&provider, kind, &vm(), 1).await.value.unwrap();
    for (params, replaces) in [
        (json!({ "image": "debian-12" }), None),
        (
            json!({ "image": "projects/debian-cloud/global/images/family/debian-12" }),
            None,
        ),
        (json!({ "image": "debian-11" }), Some("image")),
        (json!({ "image": "debian-12", "size": 40 }), Some("size")),
        (
            json!({ "image": "debian-12", "type": "pd-ssd" }),
            Some("type"),
        ),
        (
            json!({ "image": "debian-12", "labels": { "a": "b" } }),
            Some("labels"),
        ),
    ] {
        let mut given = vm();
        given["boot_disk"] = json!([{ "initialize_params": [params] }]);
        let (_, plan) = change(&provider, kind, &made, &given).await;
        let paths: Vec<String> = plan
            .requires_replace
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            paths.is_empty(),
            replaces.is_none(),
            "{replaces:?}: {paths:?}"
        );
        assert!(
            paths
                .iter()
                .all(|p| p.starts_with("boot_disk[0].initialize_params")),
            "{paths:?}"
        );
    }
}
