//! `azurerm_linux_virtual_machine`

mod change;
mod found;
mod request;

use super::ssh_public_key::check_key;
use crate::{
    client::Azure,
    resource::{Arm, COMPUTE, Call, Failure, Found, Minutes, Place, opens},
};
use async_trait::async_trait;
use serde_json::Value as Json;
use weir_core::{Diagnostic, Diagnostics, Path, Value};
use weir_provider::declared::{Fields as _, checks, is_zero};

pub(super) struct LinuxVirtualMachine;

pub(super) const PLACE: Place = Place {
    namespace: "Microsoft.Compute",
    parts: &[("virtualMachines", "name")],
    version: COMPUTE,
    calls: "VirtualMachines",
};

/// Names that Azure gives no administrator.
const RESERVED: [&str; 18] = [
    "1",
    "123",
    "a",
    "actuser",
    "adm",
    "admin",
    "admin1",
    "administrator",
    "aspnet",
    "backup",
    "console",
    "guest",
    "owner",
    "root",
    "server",
    "sys",
    "test",
    "user",
];

#[async_trait]
impl Arm for LinuxVirtualMachine {
    fn name(&self) -> &'static str {
        "azurerm_linux_virtual_machine"
    }
    fn minutes(&self) -> Minutes {
        (45, 45, 45)
    }
    fn place(&self) -> Place {
        PLACE
    }
    fn turn(&self, id: &str) -> Option<String> {
        Some(id.to_owned())
    }

    fn validate(&self, config: &Value, out: &mut Diagnostics) {
        checks::choice(config, "priority", &["Regular", "Spot"], out);
        checks::choice(config, "eviction_policy", &["Deallocate", "Delete"], out);
        checks::not_both(config, "availability_set_id", "zone", out);
        checks::one_of(config, &["source_image_id", "source_image_reference"], out);
        checks::not_both(config, "source_image_id", "source_image_reference", out);
        for disk in config.rows("os_disk") {
            checks::choice(disk, "caching", &["None", "ReadOnly", "ReadWrite"], out);
            checks::within(disk, "disk_size_gb", 0..=4095, out);
        }
        for key in config.rows("admin_ssh_key") {
            check_key(key, "public_key", out);
        }
        login(config, out);
        market(config, out);
        for key in ["custom_data", "user_data"] {
            base64(config, key, out);
        }
    }

    fn plan(
        &self,
        config: &Value,
        prior: Option<&Value>,
        mut planned: Value,
    ) -> (Value, Vec<Path>) {
        // The machine's own name is its host's, where that is not said.
        let silent = config.get("computer_name").is_none_or(Value::is_null);
        if silent && prior.is_none() {
            let name = planned.get("name").cloned();
            planned = planned.with("computer_name", name.unwrap_or_else(Value::null));
        }
        let size = |v: Option<&Value>| {
            v.and_then(|v| v.row("os_disk"))
                .and_then(|d| d.int("disk_size_gb"))
        };
        let shrinks = size(prior)
            .zip(size(Some(&planned)))
            .is_some_and(|(a, b)| b < a);
        let paths = match shrinks {
            true => vec![Path::root().key("os_disk").index(0).key("disk_size_gb")],
            false => Vec::new(),
        };
        let addresses = [
            "private_ip_address",
            "private_ip_addresses",
            "public_ip_address",
            "public_ip_addresses",
        ];
        let planned = opens(prior, planned, "network_interface_ids", &addresses);
        (identity(prior, planned), paths)
    }

    fn body(&self, azure: &Azure, planned: &Value, _now: Option<&Json>) -> Json {
        request::body(azure, planned)
    }

    fn found(&self, body: &Json, known: &Value) -> Found {
        found::found(body, known)
    }

    async fn more(&self, azure: &Azure, body: &Json, found: &mut Found) -> Result<(), Failure> {
        found::addresses(azure, body, found).await
    }

    async fn change(
        &self,
        cx: &Call<'_>,
        id: &str,
        (prior, planned): (&Value, &Value),
    ) -> Result<(), Failure> {
        change::change(cx, id, prior, planned).await
    }

    async fn before_delete(&self, cx: &Call<'_>, id: &str) -> Result<&'static str, Failure> {
        change::before_delete(cx, id).await
    }
}

fn login(config: &Value, out: &mut Diagnostics) {
    if let Some(user) = config
        .text("admin_username")
        .filter(|u| RESERVED.contains(&u.to_lowercase().as_str()))
    {
        out.push(
            Diagnostic::error(format!("`admin_username` can't be {user:?}"))
                .because("Azure keeps the name for itself.")
                .help("Choose another name."),
        );
    }
    let is_null = |key: &str| config.get(key).is_some_and(Value::is_null);
    if is_null("admin_username") {
        out.push(
            Diagnostic::error("`admin_username` is missing")
                .because("A machine is made with a user who may log in.")
                .help("Set it."),
        );
    }
    let keys = config.get("admin_ssh_key").is_some_and(|k| !is_zero(k));
    let by_password = config.flag("disable_password_authentication") == Some(false);
    if is_null("admin_password") && !keys {
        out.push(
            Diagnostic::error("none of `admin_password` and `admin_ssh_key` is set")
                .because("Nobody could log in.")
                .help("Add an `admin_ssh_key` block."),
        );
    } else if is_null("admin_password") && by_password {
        out.push(
            Diagnostic::error("`admin_password` is missing")
                .because("`disable_password_authentication` is false.")
                .help("Set it, or leave `disable_password_authentication` out."),
        );
    }
    let said = config.get("disable_password_authentication");
    let off = said.is_some_and(|s| s.is_null() || s.as_bool() == Some(true));
    if !is_null("admin_password") && off {
        out.push(
            Diagnostic::error("`admin_password` can't be set")
                .because("`disable_password_authentication` is true, which is the default.")
                .help("Set `disable_password_authentication = false`, or use an `admin_ssh_key` block."),
        );
    }
}

fn market(config: &Value, out: &mut Diagnostics) {
    let unknown = config.get("priority").is_some_and(Value::is_unknown);
    let spot = config.text("priority").as_deref() == Some("Spot");
    let set = |key: &str| checks::is_set(config, key);
    if !spot && !unknown {
        let price = config.get("max_bid_price").and_then(Value::as_i64);
        let named = set("max_bid_price") && price != Some(-1);
        for (key, is_set) in [
            ("eviction_policy", set("eviction_policy")),
            ("max_bid_price", named),
        ] {
            if is_set {
                out.push(
                    Diagnostic::error(format!("`{key}` can't be set"))
                        .because("It is for machines whose `priority` is \"Spot\".")
                        .help("Remove it, or set `priority = \"Spot\"`."),
                );
            }
        }
    }
    if spot && config.get("eviction_policy").is_some_and(Value::is_null) {
        out.push(
            Diagnostic::error("`eviction_policy` is missing")
                .because("A spot machine says what becomes of it when it is evicted.")
                .help("Set it to \"Deallocate\" or \"Delete\"."),
        );
    }
}

fn base64(config: &Value, key: &str, out: &mut Diagnostics) {
    use base64::Engine as _;
    let text = config.text(key);
    let decoded = text.map(|t| base64::engine::general_purpose::STANDARD.decode(t));
    if matches!(decoded, Some(Err(_))) {
        out.push(
            Diagnostic::error(format!("`{key}` is no base64"))
                .because("Azure takes it encoded.")
                .help("Wrap it in `base64encode()`."),
        );
    }
}

/// Another kind of identity has other ids.
fn identity(prior: Option<&Value>, planned: Value) -> Value {
    let ty = |v: &Value| v.row("identity").and_then(|i| i.text("type"));
    let (Some(prior), Some(row)) = (prior, planned.row("identity").cloned()) else {
        return planned;
    };
    if ty(prior) == ty(&planned) {
        return planned;
    }
    let open = || Value::unknown(weir_core::Type::String);
    let row = row.with("principal_id", open()).with("tenant_id", open());
    planned.with("identity", Value::list(row.ty(), vec![row]))
}
