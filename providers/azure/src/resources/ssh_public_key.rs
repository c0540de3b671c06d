//! `azurerm_ssh_public_key`

use crate::{
    client::Azure,
    resource::{Arm, COMPUTE, Found, Place, fields},
};
use serde_json::{Value as Json, json};
use weir_core::{Diagnostic, Diagnostics, Value};
use weir_provider::declared::Fields as _;

pub(super) struct SshPublicKey;

impl Arm for SshPublicKey {
    fn name(&self) -> &'static str {
        "azurerm_ssh_public_key"
    }
    fn place(&self) -> Place {
        Place {
            namespace: "Microsoft.Compute",
            parts: &[("sshPublicKeys", "name")],
            version: COMPUTE,
            calls: "SshPublicKeys",
        }
    }
    fn validate(&self, config: &Value, out: &mut Diagnostics) {
        check_key(config, "public_key", out);
    }
    fn body(&self, _azure: &Azure, planned: &Value, _now: Option<&Json>) -> Json {
        json!({ "properties": { "publicKey": planned.text("public_key") } })
    }
    fn found(&self, body: &Json, known: &Value) -> Found {
        let key = body["properties"]["publicKey"].as_str().unwrap_or_default();
        // Azure may leave out the line's end that files have.
        let known = known.text("public_key").filter(|k| k.trim() == key.trim());
        fields(json!({ "public_key": known.as_deref().unwrap_or(key) }))
    }
}

/// Refuses what is no public key of OpenSSH that Azure takes.
pub(super) fn check_key(config: &Value, key: &str, out: &mut Diagnostics) {
    let Some(text) = config.text(key) else {
        return;
    };
    let kind = text
        .split_whitespace()
        .next()
        .unwrap_or_default()
        .to_owned();
    if !["ssh-rsa", "ssh-ed25519"].contains(&kind.as_str()) || text.split_whitespace().count() < 2 {
        out.push(
            Diagnostic::error(format!("`{key}` is no public key that Azure takes"))
                .because("It is a line of OpenSSH that begins with ssh-rsa (2048 bits or more) or ssh-ed25519.")
                .help("Make one with `ssh-keygen -t ed25519`."),
        );
    }
}
