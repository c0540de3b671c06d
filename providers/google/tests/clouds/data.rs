//! What the data sources tell.

use crate::server::Google;
use serde_json::{Value as Json, json};
use weir_core::{Known, Value};
use weir_google::GoogleProvider;
use weir_provider::{Provider, conformance::body};

async fn read(provider: &GoogleProvider, name: &str, given: &Json) -> Result<Known, String> {
    let config = body(&provider.schema().data[name].block, given);
    let refused = provider.validate(name, &config).await;
    if refused.has_errors() {
        return Err(refused.to_string());
    }
    let found = provider.data(name, &config).await;
    found.map_err(|d| d.to_string())
}

fn text<'a>(value: &'a Known, key: &str) -> &'a str {
    value.value().get(key).and_then(Value::as_str).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn images_are_found_in_every_way() {
    let google = Google::start();
    let provider = google.provider().await;
    let image = async |given: Json| read(&provider, "google_compute_image", &given).await;
    let newest = "debian-12-bookworm-v20250610";
    let debian = |more: Json| {
        let mut all = json!({ "project": "debian-cloud" });
        all.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        all
    };
    let found = image(debian(json!({ "family": "debian-12" })))
        .await
        .unwrap();
    assert_eq!(text(&found, "name"), newest);
    assert_eq!(
        text(&found, "id"),
        format!("projects/debian-cloud/global/images/{newest}")
    );
    assert!(text(&found, "self_link").ends_with(newest));
    assert_eq!(
        found.value().get("disk_size_gb").and_then(Value::as_i64),
        Some(10)
    );
    let older = "debian-12-bookworm-v20250311";
    let found = image(debian(json!({ "name": older }))).await.unwrap();
    assert_eq!(
        (text(&found, "name"), text(&found, "family")),
        (older, "debian-12")
    );
    let filter = "family = debian-12";
    let found = image(debian(json!({ "filter": filter, "most_recent": true })))
        .await
        .unwrap();
    assert_eq!(text(&found, "name"), newest);
    let many = image(debian(json!({ "filter": filter })))
        .await
        .unwrap_err();
    assert!(many.contains("images fit the filter"), "{many}");
    let none = image(debian(json!({ "family": "debian-99" })))
        .await
        .unwrap_err();
    assert!(none.contains("debian-cloud has no such image"), "{none}");
    for (wrong, why) in [
        (json!({}), "filter"),
        (json!({ "name": "a", "family": "b" }), "family"),
        (
            json!({ "name": "a", "most_recent": true }),
            "`most_recent` goes with `filter`",
        ),
    ] {
        let told = image(wrong).await.unwrap_err();
        assert!(told.contains(why), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn zones_and_machine_types_are_listed() {
    let google = Google::start();
    let provider = google.provider().await;
    let zones = async |given: Json| {
        let found = read(&provider, "google_compute_zones", &given)
            .await
            .unwrap();
        let names = found.value().get("names").unwrap().elements().unwrap();
        let names = names.into_iter().filter_map(Value::as_str);
        names.map(str::to_owned).collect::<Vec<_>>()
    };
    let here = ["europe-west1-b", "europe-west1-c", "europe-west1-d"];
    assert_eq!(zones(json!({})).await, here);
    let there = [
        "us-central1-a",
        "us-central1-b",
        "us-central1-c",
        "us-central1-f",
    ];
    assert_eq!(
        zones(json!({ "region": "us-central1", "status": "UP" })).await,
        there
    );
    assert!(zones(json!({ "status": "DOWN" })).await.is_empty());
    let wrong = read(
        &provider,
        "google_compute_zones",
        &json!({ "status": "ASLEEP" }),
    )
    .await;
    assert!(wrong.unwrap_err().contains("status"));

    let types = async |given: Json| {
        let found = read(&provider, "google_compute_machine_types", &given)
            .await
            .unwrap();
        let all = found.value().get("machine_types").unwrap().clone();
        let all = all.elements().unwrap().into_iter().map(|t| {
            let number = |key: &str| t.get(key).and_then(Value::as_i64).unwrap();
            let name = t.get("name").and_then(Value::as_str).unwrap().to_owned();
            (name, number("guest_cpus"), number("memory_mb"))
        });
        all.collect::<Vec<_>>()
    };
    let all = types(json!({})).await;
    assert!(all.len() > 10, "{all:?}");
    assert!(all.contains(&("e2-medium".into(), 2, 4096)), "{all:?}");
    let one = types(json!({ "zone": "us-central1-a", "filter": "name = e2-small" })).await;
    assert_eq!(one, [("e2-small".into(), 2, 2048)]);
}
