//! `google_compute_instance`

mod change;
mod found;
mod request;

use super::{interface, machine};
use crate::{
    calls::instances,
    name::Name,
    resource::{Call, Failure, Found},
    thing::{At, Thing},
};
use async_trait::async_trait;
use serde_json::Value as Json;
use weir_core::{Diagnostic, Diagnostics, Path, Type, Value};
use weir_provider::declared::{Fields as _, changed, checks};

pub(super) struct Instance;

/// What can be changed only while the machine is off.
const STOPS: [&str; 4] = [
    "machine_type",
    "min_cpu_platform",
    "service_account",
    "shielded_instance_config",
];

/// What of the change needs the machine to be off.
fn needs_stop(prior: &Value, planned: &Value) -> Vec<&'static str> {
    let names = STOPS.into_iter();
    names.filter(|n| changed(prior, planned, n)).collect()
}

#[async_trait]
impl Thing for Instance {
    const NAME: &'static str = "google_compute_instance";
    type Calls = instances::All;

    fn validate(&self, config: &Value, out: &mut Diagnostics) {
        machine::check(config, out);
        interface::check(config, out);
        checks::choice(config, "desired_status", &["RUNNING", "TERMINATED"], out);
        for disk in config.rows("boot_disk") {
            checks::choice(disk, "mode", &["READ_WRITE", "READ_ONLY"], out);
            checks::not_both(disk, "source", "initialize_params", out);
            let open = ["source", "initialize_params"]
                .iter()
                .any(|n| disk.get(n).is_some_and(Value::is_unknown));
            if !open {
                checks::one_of(disk, &["source", "initialize_params"], out);
            }
            for params in disk.rows("initialize_params") {
                checks::within(params, "size", 1..=65536, out);
            }
        }
        for disk in config.rows("attached_disk") {
            checks::choice(disk, "mode", &["READ_WRITE", "READ_ONLY"], out);
        }
        if let Some(host) = config.text("hostname").filter(|h| !h.contains('.')) {
            out.push(
                Diagnostic::error(format!("`hostname` can't be {host:?}"))
                    .because("It is a name with its domain.")
                    .help("Write it whole, as in \"web.example.com\", or leave it out."),
            );
        }
    }

    fn plan(&self, _config: &Value, prior: Option<&Value>, planned: Value) -> (Value, Vec<Path>) {
        let Some(prior) = prior else {
            return (planned, Vec::new());
        };
        let mut planned = super::same_links(Some(prior), planned, &["machine_type"]);
        for (of, fingerprint) in [
            ("effective_labels", "label_fingerprint"),
            ("metadata", "metadata_fingerprint"),
            ("tags", "tags_fingerprint"),
        ] {
            planned = super::new_fingerprint(Some(prior), planned, of, fingerprint);
        }
        let status = planned.text("desired_status");
        let stops = !needs_stop(prior, &planned).is_empty();
        if changed(prior, &planned, "desired_status") && status != prior.text("current_status") {
            planned = planned.with("current_status", Value::unknown(Type::String));
        } else if stops {
            planned = planned.with("cpu_platform", Value::unknown(Type::String));
        }
        (change::interfaces(prior, planned), Vec::new())
    }

    async fn body(&self, at: At<'_>, planned: &Value) -> Result<Json, Failure> {
        let body = request::body(at.google, at.name, planned).await?;
        Ok(body)
    }

    async fn finish(&self, cx: &Call<'_>, name: &Name, planned: &Value) -> Result<(), Failure> {
        match planned.text("desired_status").as_deref() {
            Some("TERMINATED") => change::power(cx, name, "stop", "stop").await,
            _ => Ok(()),
        }
    }

    async fn found(&self, at: At<'_>, found: &Json, known: &Value) -> Result<Found, Failure> {
        found::attributes(at, found, known).await
    }

    async fn change(
        &self,
        cx: &Call<'_>,
        name: &Name,
        prior: &Value,
        planned: &Value,
    ) -> Result<(), Failure> {
        change::update(cx, name, prior, planned).await
    }

    fn kept(&self, prior: &Value) -> Option<Failure> {
        prior.is_on("deletion_protection").then(|| {
            let mut failure = Failure::new("instances.delete", "it is protected against deletion");
            failure.help =
                Some("Set `deletion_protection = false`, apply that, and delete it then.");
            failure
        })
    }
}
