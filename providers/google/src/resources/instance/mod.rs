//! `google_compute_instance`

mod change;
mod found;
mod request;

use super::{interface, machine};
use crate::{
    calls::{self, instances},
    client::Google,
    resource::{Call, Failure, Found, Minutes, Resource},
};
use async_trait::async_trait;
use weir_core::{Diagnostic, Diagnostics, Path, Type, Value};
use weir_provider::declared::{Fields as _, changed, checks};

pub(super) struct Instance;

const KIND: crate::name::Kind = instances::KIND;

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
impl Resource<Google> for Instance {
    fn name(&self) -> &'static str {
        "google_compute_instance"
    }
    fn minutes(&self) -> Minutes {
        (20, 20, 20)
    }

    fn validate(&self, config: &Value, out: &mut Diagnostics) {
        super::check_name(config, "name", out);
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

    fn plan(
        &self,
        _cloud: Option<&Google>,
        _config: &Value,
        prior: Option<&Value>,
        planned: Value,
    ) -> (Value, Vec<Path>) {
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

    async fn create(&self, cx: &Call<'_>, planned: &Value) -> Result<String, Failure> {
        let name = super::name_of(cx.cloud, KIND, planned)?;
        let body = request::body(cx.cloud, &name, planned).await?;
        instances::insert(cx, &name, body).await?;
        Ok(KIND.id(&name))
    }

    async fn find(&self, cx: &Call<'_>, planned: &Value) -> Result<Option<String>, Failure> {
        let name = super::name_of(cx.cloud, KIND, planned)?;
        let there = instances::get(cx.cloud, &name).await?.is_some();
        Ok((there && calls::is_ours(cx, KIND, &name).await?).then(|| KIND.id(&name)))
    }

    async fn ready(&self, cx: &Call<'_>, id: &str) -> Result<(), Failure> {
        calls::made(cx, KIND, &KIND.parse(cx.cloud, id)?).await
    }

    async fn finish(&self, cx: &Call<'_>, id: &str, planned: &Value) -> Result<(), Failure> {
        match planned.text("desired_status").as_deref() {
            Some("TERMINATED") => {
                change::power(cx, &KIND.parse(cx.cloud, id)?, "stop", "stop").await
            }
            _ => Ok(()),
        }
    }

    async fn read(
        &self,
        google: &Google,
        id: &str,
        known: &Value,
    ) -> Result<Option<Found>, Failure> {
        let name = KIND.parse(google, id)?;
        let Some(found) = instances::get(google, &name).await? else {
            return Ok(None);
        };
        found::attributes(google, &name, &found, known)
            .await
            .map(Some)
    }

    async fn update(
        &self,
        cx: &Call<'_>,
        id: &str,
        prior: &Value,
        planned: &Value,
    ) -> Result<Option<String>, Failure> {
        let name = KIND.parse(cx.cloud, id)?;
        change::update(cx, &name, prior, planned).await?;
        Ok(None)
    }

    async fn delete(&self, cx: &Call<'_>, id: &str, prior: &Value) -> Result<(), Failure> {
        if prior.is_on("deletion_protection") {
            let mut failure = Failure::new("instances.delete", "it is protected against deletion");
            failure.help =
                Some("Set `deletion_protection = false`, apply that, and delete it then.");
            return Err(failure);
        }
        instances::delete(cx, &KIND.parse(cx.cloud, id)?).await
    }
}
