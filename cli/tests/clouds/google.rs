//! Stacks on the fake of Google, and every way to sign in.

use crate::fake::{Fake, SECRET, openssl};
use base64::Engine as _;
use serde_json::{Value as Json, json};
use std::path::PathBuf;

/// Something that needs a token and makes nothing.
const ASKS: &str = r#"stack "asks" {}
provider "google" {
  region = "europe-west1"
}
data "google_compute_zones" "here" {}
output "zones" {
  value = data.google_compute_zones.here.names
}
"#;

#[test]
fn a_stack_of_every_type_lives_and_ends() {
    let mut google = Fake::google(include_str!("stacks/google.hcl"));
    google
        .env
        .insert("GOOGLE_OAUTH_ACCESS_TOKEN", SECRET.into());
    let before = left(&google);
    google.converge("");
    google.keeps_no(SECRET);
    let zones = json!(["europe-west1-b", "europe-west1-c", "europe-west1-d"]);
    assert_eq!(google.output("zones"), zones);
    let first = google.output("machines");

    let larger = "-var kind=e2-medium";
    google.converge(larger);
    assert_eq!(
        google.output("machines"),
        first,
        "they were stopped and started"
    );

    // Another disk: another machine, and what hangs on it is made again.
    let other = format!("{larger} -var disk=30");
    google.converge(&other);
    assert_ne!(google.output("machines"), first);

    let less = format!("{other} -var machines=1");
    google.converge(&less);
    assert_eq!(google.output("addresses").as_array().unwrap().len(), 1);

    google.put(
        "/compute/v1/projects/weir/zones/europe-west1-b/disks",
        &json!({ "name": "found", "sizeGb": "10", "labels": { "team": "platform" } }),
    );
    google.stack.write(
        "found.hcl",
        r#"import {
  to = google_compute_disk.found
  id = "found"
}
resource "google_compute_disk" "found" {
  name = "found"
  size = 10
}
"#,
    );
    let imported = google.converge(&less);
    assert!(imported.out.contains("1 imported"), "{}", imported.out);

    google.weir(0, "destroy -auto-approve -no-color");
    assert_eq!(left(&google), before);
}

/// What there is, by kind.
fn left(google: &Fake) -> Vec<Json> {
    let kinds = [
        "global/networks",
        "global/firewalls",
        "global/instanceTemplates",
        "regions/europe-west1/subnetworks",
        "regions/europe-west1/addresses",
        "regions/europe-west1/routers",
        "zones/europe-west1-b/disks",
        "zones/europe-west1-b/instances",
    ];
    let list =
        |kind: &str| google.get(&format!("/compute/v1/projects/weir/{kind}"))["items"].clone();
    kinds.into_iter().map(list).collect()
}

/// Signed in so, the stack is applied, with a token that fits, and no secret is told or kept.
#[track_caller]
fn signs_in(google: &Fake, fits: impl Fn(&str) -> bool) {
    google.weir(0, "apply -auto-approve -no-color");
    let tokens = google.tokens();
    let token = tokens.iter().find(|t| fits(t));
    let token = token.unwrap_or_else(|| panic!("{tokens:?}"));
    for secret in [SECRET, token] {
        google.keeps_no(secret);
    }
}

/// A key of the user's, as gcloud writes it.
fn of_user(google: &Fake) -> Json {
    json!({
        "type": "authorized_user", "client_id": "weir.apps.googleusercontent.com",
        "client_secret": SECRET, "refresh_token": SECRET, "token_uri": format!("{}/token", google.at),
    })
}

fn write(folder: &tempfile::TempDir, name: &str, key: &Json) -> String {
    let path: PathBuf = folder.path().join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, key.to_string()).unwrap();
    path.display().to_string()
}

const OF_A_KEY: &str = "ya29.token-of-a-key";

#[test]
fn what_gcloud_left_signs_in() {
    let mut google = Fake::google(ASKS);
    let home = tempfile::tempdir().unwrap();
    let key = of_user(&google);
    write(
        &home,
        ".config/gcloud/application_default_credentials.json",
        &key,
    );
    google.env.insert("HOME", home.path().display().to_string());
    signs_in(&google, |t| t == OF_A_KEY);
}

#[test]
fn keys_of_the_provider_block_sign_in() {
    let mut google = Fake::google(ASKS);
    let folder = tempfile::tempdir().unwrap();
    let key = of_user(&google);
    google.env.insert("GOOGLE_CREDENTIALS", key.to_string());
    signs_in(&google, |t| t == OF_A_KEY);
    let path = write(&folder, "key.json", &key);
    google.env.insert("GOOGLE_CREDENTIALS", path);
    signs_in(&google, |t| t == OF_A_KEY);
}

/// A service account signs its own tokens: no one is asked.
#[test]
fn a_service_account_signs_in() {
    let mut google = Fake::google(ASKS);
    let folder = tempfile::tempdir().unwrap();
    let make = "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out key.pem";
    if !openssl(folder.path(), make) {
        return;
    }
    let pem = std::fs::read_to_string(folder.path().join("key.pem")).unwrap();
    let email = "deploy@weir.iam.gserviceaccount.com";
    let key = json!({
        "type": "service_account", "project_id": "weir", "private_key_id": "1234", "private_key": pem,
        "client_email": email, "client_id": "1", "token_uri": format!("{}/token", google.at),
    });
    let path = write(&folder, "key.json", &key);
    google.env.insert("GOOGLE_APPLICATION_CREDENTIALS", path);
    signs_in(&google, |token| {
        let claims = token.split('.').nth(1).and_then(|part| {
            let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
            serde_json::from_slice::<Json>(&engine.decode(part).ok()?).ok()
        });
        claims.is_some_and(|c| {
            c["iss"] == email && c["scope"] == "https://www.googleapis.com/auth/cloud-platform"
        })
    });
    google.keeps_no(pem.lines().nth(1).unwrap());
}

#[test]
fn a_machine_of_google_signs_in() {
    let mut google = Fake::google(ASKS);
    let host = google.at.trim_start_matches("http://").to_owned();
    google.env.insert("GCE_METADATA_HOST", host);
    signs_in(&google, |t| t == "ya29.token-of-a-machine");
}

#[test]
fn who_acts_as_another_signs_in() {
    let mut google = Fake::google(ASKS);
    let folder = tempfile::tempdir().unwrap();
    let account = "deploy@weir.iam.gserviceaccount.com";
    let key = json!({
        "type": "impersonated_service_account", "delegates": [],
        "service_account_impersonation_url":
            format!("{}/v1/projects/-/serviceAccounts/{account}:generateAccessToken", google.at),
        "source_credentials": of_user(&google),
    });
    let path = write(&folder, "key.json", &key);
    google.env.insert("GOOGLE_APPLICATION_CREDENTIALS", path);
    signs_in(&google, |t| t == "ya29.token-of-another");
}

#[test]
fn nobody_is_told_what_a_wrong_key_has() {
    let mut google = Fake::google(ASKS);
    google
        .env
        .insert("GOOGLE_CREDENTIALS", format!("{{ \"type\": \"{SECRET}\""));
    let told = google.weir(1, "apply -auto-approve -no-color");
    assert!(told.err.contains("can't be read"), "{}", told.err);
    google
        .env
        .insert("GOOGLE_CREDENTIALS", "{\"type\": \"something\"}".into());
    let told = google.weir(1, "apply -auto-approve -no-color");
    assert!(told.err.contains("something"), "{}", told.err);
    google.env.insert("GOOGLE_CREDENTIALS", String::new());
    google
        .env
        .insert("GOOGLE_OAUTH_ACCESS_TOKEN", "expired".into());
    let told = google.weir(1, "apply -auto-approve -no-color");
    assert!(told.err.contains("authError"), "{}", told.err);
}
