//! `google_compute_instance`

mod change;
mod found;
mod request;

use super::{image, interface, machine};
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

/// The hosts that a machine may stand on: another one's.
const AFFINITIES: &str = "scheduling.node_affinities";

/// What of the change needs the machine to be off.
fn needs_stop(prior: &Value, planned: &Value) -> Vec<&'static str> {
    let names = STOPS.into_iter();
    let mut all: Vec<&'static str> = names.filter(|n| changed(prior, planned, n)).collect();
    let null = Value::null();
    let schedule = |v: &Value| v.row("scheduling").unwrap_or(&null).clone();
    if changed(&schedule(prior), &schedule(planned), "node_affinities") {
        all.push(AFFINITIES);
    }
    all
}

/// An address for everyone that nobody chose is another one in another network tier.
fn addresses(config: &Value, prior: &Value, planned: Value) -> Value {
    let written = config.rows("network_interface");
    super::each_row(prior, planned, "network_interface", |at, was, is| {
        let written = written.get(at).and_then(|i| i.row("access_config"));
        super::each_row(was, is, "access_config", |_, was, is| {
            let silent = written.is_none_or(|a| a.get("nat_ip").is_none_or(Value::is_null));
            match silent && changed(was, &is, "network_tier") {
                true => is.with("nat_ip", Value::unknown(Type::String)),
                false => is,
            }
        })
    })
}

/// What means the same as what is recorded as it is recorded: links and images.
fn respelled(prior: &Value, planned: Value) -> Value {
    let planned = super::each_row(prior, planned, "network_interface", |_, was, is| {
        super::same_links(Some(was), is, &["network", "subnetwork"])
    });
    let planned = super::each_row(prior, planned, "boot_disk", |_, was, is| {
        let is = super::same_links(Some(was), is, &["source"]);
        super::each_row(was, is, "initialize_params", |_, was, is| {
            let is = super::same_links(Some(was), is, &["type"]);
            image::respelled(was, is, "image")
        })
    });
    let planned = super::each_row(prior, planned, "service_account", |_, was, is| {
        machine::same_scopes(was, is)
    });
    super::each_row(prior, planned, "attached_disk", |_, was, is| {
        super::same_links(Some(was), is, &["source"])
    })
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

    fn plan(&self, config: &Value, prior: Option<&Value>, planned: Value) -> (Value, Vec<Path>) {
        let Some(prior) = prior else {
            return (planned, Vec::new());
        };
        let planned = super::same_links(Some(prior), planned, &["machine_type"]);
        let mut planned = respelled(prior, planned);
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
        (addresses(config, prior, planned), Vec::new())
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
