//! Stacks on the fake of Azure, and every way to sign in.

use crate::fake::{Fake, SECRET, openssl};
use serde_json::json;
use std::os::unix::fs::PermissionsExt as _;

pub const SUBSCRIPTION: &str = "11111111-2222-3333-4444-555555555555";

/// Something that needs a token and makes nothing.
const ASKS: &str = r#"stack "asks" {}
provider "azurerm" {
  features {}
}
data "azurerm_subscription" "here" {}
output "state" {
  value = data.azurerm_subscription.here.state
}
"#;

#[test]
fn a_stack_of_every_type_lives_and_ends() {
    let mut azure = Fake::azure(include_str!("stacks/azure.hcl"));
    azure.env.insert("ARM_CLIENT_SECRET", SECRET.into());
    azure.converge("");
    azure.keeps_no(SECRET);
    let first = azure.output("machines");

    let larger = "-var size=Standard_B2s";
    let plan = azure.weir(2, &format!("plan -detailed-exitcode -no-color {larger}"));
    let told = "0 to add, 2 to change, 0 to destroy";
    assert!(plan.out.contains(told), "{}", plan.out);
    azure.converge(larger);
    assert_eq!(azure.output("machines"), first);
    let deletions = || {
        let all = azure.requests().into_iter();
        all.filter(|r| r.operation == "VirtualMachines_Delete")
            .count()
    };
    assert_eq!(deletions(), 0);

    // Other user data: other machines, and what hangs on them is made again.
    let other = format!("{larger} -var data=#cloud-config2");
    azure.converge(&other);
    assert!(deletions() >= 2, "{}", deletions());

    let less = format!("{other} -var machines=1");
    azure.converge(&less);
    assert_eq!(azure.output("addresses").as_array().unwrap().len(), 1);

    let group = format!(
        "/subscriptions/{SUBSCRIPTION}/resourceGroups/weir/providers/Microsoft.Network/networkSecurityGroups/found"
    );
    azure.put(
        &format!("{group}?api-version=2024-05-01"),
        &json!({ "location": "westeurope", "properties": {}, "tags": { "a": "b" } }),
    );
    azure.stack.write(
        "found.hcl",
        &format!(
            r#"import {{
  to = azurerm_network_security_group.found
  id = "{group}"
}}
resource "azurerm_network_security_group" "found" {{
  name                = "found"
  resource_group_name = azurerm_resource_group.main.name
  location            = azurerm_resource_group.main.location
  tags                = {{ a = "b" }}
}}
"#
        ),
    );
    let imported = azure.converge(&less);
    assert!(imported.out.contains("1 imported"), "{}", imported.out);

    azure.weir(0, "destroy -auto-approve -no-color");
    let path = format!("/subscriptions/{SUBSCRIPTION}/resourcegroups?api-version=2024-03-01");
    assert_eq!(azure.get(&path)["value"], json!([]));
}

/// Signed in so, the stack is applied with this token, and no secret is told or kept.
#[track_caller]
fn signs_in(azure: &Fake, token: &str) {
    azure.weir(0, "apply -auto-approve -no-color");
    assert_eq!(azure.output("state"), "Enabled");
    assert!(azure.tokens().contains(token), "{:?}", azure.tokens());
    for secret in [SECRET, token] {
        azure.keeps_no(secret);
    }
}

const OF_A_CLIENT: &str = "weir-clouds.token";

#[test]
fn a_secret_signs_in() {
    let mut azure = Fake::azure(ASKS);
    azure.stack.write("secret", SECRET);
    azure.env.insert("ARM_CLIENT_SECRET", SECRET.into());
    azure.weir(0, "apply -auto-approve -no-color");
    assert!(azure.tokens().contains(OF_A_CLIENT));
    azure.env.remove("ARM_CLIENT_SECRET");
    azure
        .env
        .insert("ARM_CLIENT_SECRET_FILE_PATH", "secret".into());
    azure.weir(0, "apply -auto-approve -no-color");
    // A wrong one is refused in Microsoft's words, and not told.
    azure.env.insert("ARM_CLIENT_SECRET", "wrong".into());
    let told = azure.weir(1, "apply -auto-approve -no-color");
    assert!(told.err.contains("AADSTS7000215"), "{}", told.err);
}

#[test]
fn a_certificate_signs_in() {
    let mut azure = Fake::azure(ASKS);
    let folder = tempfile::tempdir().unwrap();
    let make =
        "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=weir";
    let pack =
        format!("pkcs12 -export -inkey key.pem -in cert.pem -passout pass:{SECRET} -out both.pfx");
    if !(openssl(folder.path(), make) && openssl(folder.path(), &pack)) {
        return;
    }
    let path = folder.path().join("both.pfx").display().to_string();
    azure.env.insert("ARM_CLIENT_CERTIFICATE_PATH", path);
    azure
        .env
        .insert("ARM_CLIENT_CERTIFICATE_PASSWORD", SECRET.into());
    signs_in(&azure, OF_A_CLIENT);
}

#[test]
fn tokens_of_other_issuers_sign_in() {
    let mut azure = Fake::azure(ASKS);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, format!("head.{SECRET}.signature\n")).unwrap();
    azure.env.insert("ARM_USE_OIDC", "true".into());
    azure
        .env
        .insert("AZURE_FEDERATED_TOKEN_FILE", file.display().to_string());
    signs_in(&azure, OF_A_CLIENT);

    // As in GitHub's actions: it is asked for.
    azure.env.remove("AZURE_FEDERATED_TOKEN_FILE");
    azure.answer(
        "/oidc",
        &json!({ "value": format!("head.{SECRET}.signature") }),
    );
    azure.env.insert(
        "ACTIONS_ID_TOKEN_REQUEST_URL",
        format!("{}/oidc?x=y", azure.at),
    );
    azure
        .env
        .insert("ACTIONS_ID_TOKEN_REQUEST_TOKEN", SECRET.into());
    signs_in(&azure, OF_A_CLIENT);
    assert!(azure.requests().iter().any(|r| r.path == "/oidc"));
}

#[test]
fn managed_identities_sign_in() {
    let of_machine = "weir-clouds.identity";
    let mut azure = Fake::azure(ASKS);
    azure.env.insert("ARM_USE_MSI", "true".into());
    azure.env.remove("ARM_CLIENT_ID");
    let identity = format!("{}/metadata/identity/oauth2/token", azure.at);
    azure.env.insert("ARM_MSI_ENDPOINT", identity.clone());
    signs_in(&azure, of_machine);

    // An app service says where it is asked.
    azure.env.remove("ARM_MSI_ENDPOINT");
    azure.env.insert("IDENTITY_ENDPOINT", identity);
    azure.env.insert("IDENTITY_HEADER", SECRET.into());
    signs_in(&azure, of_machine);
}

#[test]
fn the_azure_cli_signs_in() {
    let mut azure = Fake::azure(ASKS);
    let folder = tempfile::tempdir().unwrap();
    let az = folder.path().join("az");
    let script = format!(
        r#"#!/bin/sh
case "$*" in
  "account show"*) echo {SUBSCRIPTION} ;;
  *get-access-token*) echo '{{"accessToken": "token-of-az", "expiresOn": "2099-01-01 00:00:00.000000", "expires_on": 4070908800, "subscription": "{SUBSCRIPTION}", "tenant": "t", "tokenType": "Bearer"}}' ;;
  *) exit 1 ;;
esac
"#
    );
    std::fs::write(&az, script).unwrap();
    std::fs::set_permissions(&az, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = std::env::var("PATH").unwrap();
    azure
        .env
        .insert("PATH", format!("{}:{path}", folder.path().display()));
    for name in ["ARM_CLIENT_ID", "ARM_SUBSCRIPTION_ID", "ARM_TENANT_ID"] {
        azure.env.remove(name);
    }
    signs_in(&azure, "token-of-az");
}
