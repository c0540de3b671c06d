//! One project: the SDK's clients, and what all types have in common.

use crate::{data, failure, labels, resources, schema, settings::Settings};
use async_trait::async_trait;
use google_cloud_compute_v1::client::{
    Addresses, Disks, Firewalls, GlobalOperations, Images, InstanceTemplates, Instances,
    MachineTypes, Networks, RegionOperations, Routers, Subnetworks, ZoneOperations, Zones,
};
use google_cloud_gax::error::Error;
use serde_json::Value as Json;
use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
};
use weir_core::{Diagnostics, Value, schema::Schema};
use weir_provider::{
    cloud::{Again, Call, Cloud, Failure, Pacing, Resource},
    declared::{Catalog, Found, Vendor},
};

/// One project.
#[derive(Debug)]
pub struct Google {
    pub(crate) clients: Clients,
    pub(crate) settings: Settings,
    pub(crate) pacing: Pacing,
    /// How creations of this run ended that had made something: by the operation's name.
    pub(crate) ended: Mutex<BTreeMap<String, Option<Failure>>>,
    /// Routers are read and written whole: one at a time.
    pub(crate) routers: tokio::sync::Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

/// The SDK's clients, with its own retries off.
#[derive(Debug)]
pub(crate) struct Clients {
    pub(crate) addresses: Addresses,
    pub(crate) disks: Disks,
    pub(crate) firewalls: Firewalls,
    pub(crate) global_operations: GlobalOperations,
    pub(crate) images: Images,
    pub(crate) instance_templates: InstanceTemplates,
    pub(crate) instances: Instances,
    pub(crate) machine_types: MachineTypes,
    pub(crate) networks: Networks,
    pub(crate) region_operations: RegionOperations,
    pub(crate) routers: Routers,
    pub(crate) subnetworks: Subnetworks,
    pub(crate) zone_operations: ZoneOperations,
    pub(crate) zones: Zones,
}

impl Google {
    pub(crate) fn new(clients: Clients, settings: Settings, pacing: Pacing) -> Google {
        Google {
            clients,
            settings,
            pacing,
            ended: Mutex::default(),
            routers: tokio::sync::Mutex::default(),
        }
    }

    /// Makes a call: all may be made again, as reads change nothing and what changes something
    /// carries the id of its request. The answer is JSON by the API's names.
    ///
    /// # Errors
    /// Why it failed, after all tries.
    pub(crate) async fn call<T, F>(&self, what: &str, f: impl Fn() -> F) -> Result<Json, Failure>
    where
        F: Future<Output = Result<T, Error>>,
        T: serde::Serialize,
    {
        let answer = self.raw(what, f).await?;
        serde_json::to_value(answer).map_err(|e| Failure::new(what, e.to_string()))
    }

    /// As [`Google::call`], as the SDK has it.
    ///
    /// # Errors
    /// As [`Google::call`].
    pub(crate) async fn raw<T, F>(&self, what: &str, f: impl Fn() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let call = || async { f().await.map_err(|e| failure::of(what, &e)) };
        self.pacing.attempt(Again::Harmless, call).await
    }

    fn setting(said: Option<String>, own: Option<&String>, name: &str) -> Result<String, Failure> {
        let found = said.or_else(|| own.cloned());
        found.ok_or_else(|| {
            let mut failure = Failure::new(&format!("finding the {name}"), "none is set");
            failure.help = Some(
                "Set it in the resource, in the provider block, or in GOOGLE_PROJECT, GOOGLE_REGION and GOOGLE_ZONE.",
            );
            failure
        })
    }

    /// The project: as said, or the provider block's.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn project_of(&self, said: Option<String>) -> Result<String, Failure> {
        Google::setting(said, self.settings.project.as_ref(), "project")
    }

    /// The region: as said, or the provider block's.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn region_of(&self, said: Option<String>) -> Result<String, Failure> {
        Google::setting(said, self.settings.region().as_ref(), "region")
    }

    /// The zone: as said, or the provider block's.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn zone_of(&self, said: Option<String>) -> Result<String, Failure> {
        Google::setting(said, self.settings.zone.as_ref(), "zone")
    }

    /// Keeps how the creation of this name ended.
    pub(crate) fn keep_end(&self, token: &str, failure: Option<Failure>) {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.insert(token.to_owned(), failure);
    }

    /// How the creation of this name ended, if it was of this run.
    pub(crate) fn take_end(&self, token: &str) -> Option<Option<Failure>> {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.remove(token)
    }

    /// The lock of what is read and written whole.
    pub(crate) async fn lock_of(&self, id: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut locks = self.routers.lock().await;
        Arc::clone(locks.entry(id.to_owned()).or_default())
    }
}

#[async_trait]
impl Cloud for Google {
    type Settings = Settings;
    type Kind = ();
    const VENDOR: Vendor = Vendor {
        provider: "google",
        name: failure::VENDOR,
        page: "docs/google.md",
    };

    fn catalog() -> &'static Catalog {
        schema::catalog()
    }

    fn resource(type_name: &str) -> Option<&'static dyn Resource<Google>> {
        resources::by_name(type_name)
    }

    fn settings(block: &Value) -> Result<Settings, Diagnostics> {
        Settings::read(block)
    }

    async fn connect(settings: &Settings, pacing: Pacing) -> Result<Google, Diagnostics> {
        settings.connect(pacing).await
    }

    fn pacing(&self) -> Pacing {
        self.pacing
    }

    fn place(&self) -> String {
        let project = self.settings.project.as_deref();
        format!("project {}", project.unwrap_or("(none)"))
    }

    async fn data(
        &self,
        type_name: &str,
        _schema: &Schema,
        config: &Value,
    ) -> Result<Found, Failure> {
        data::read(self, type_name, config).await
    }

    fn validate_data(type_name: &str, config: &Value, out: &mut Diagnostics) {
        data::validate(type_name, config, out);
    }

    fn plan_all(cloud: Option<&Google>, type_name: &str, config: &Value, planned: Value) -> Value {
        let planned = labels::plan(cloud, config, planned);
        resources::place(cloud, type_name, planned)
    }

    fn read_all(&self, found: &mut Found, known: &Value) {
        labels::read(self, found, known);
    }

    async fn update_all(
        _cx: &Call<'_, Google>,
        _id: &str,
        _prior: &Value,
        _planned: &Value,
    ) -> Result<(), Failure> {
        Ok(())
    }
}
