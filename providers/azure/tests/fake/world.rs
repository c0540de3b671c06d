//! The fake cloud, and what stands in it before a test begins.

use serde_json::{Value as Json, json};
use std::{sync::Arc, time::Duration};
use weir_azure::{AzureProvider, Pacing};
use weir_clouds::{
    Clouds, Options,
    desk::{ASIDE, Desk},
};
use weir_core::Value;
use weir_provider::{Provider, conformance::body};

pub(crate) const SUBSCRIPTION: &str = "11111111-2222-3333-4444-555555555555";
pub(crate) const TENANT: &str = "72f988bf-0000-4000-8000-2d7cd011db47";
pub(crate) const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK0wmN/Cr3JXqmLW7u+g9pTh+wyqDHpSQEIQczXkVx9q weir";

/// A cloud of its own.
pub(crate) struct World {
    clouds: Clouds,
    pub(crate) at: String,
}

/// Nothing waits long: the fake is quick.
pub(crate) fn quick() -> Pacing {
    Pacing {
        backoff: Duration::from_millis(20),
        budget: Duration::from_secs(20),
        consistency: Duration::from_millis(400),
        poll: Duration::from_millis(40),
    }
}

impl World {
    pub(crate) fn start() -> World {
        let options = Options {
            azure: Some(([127, 0, 0, 1], 0).into()),
            ..Options::default()
        };
        // It has a runtime of its own, which can't be started on one of a test.
        let clouds = std::thread::spawn(move || Clouds::start(&options));
        let clouds = clouds.join().unwrap().unwrap();
        let at = format!("http://{}", clouds.azure.unwrap());
        World { clouds, at }
    }

    /// A group with a network, two subnets, two security groups and an interface.
    pub(crate) fn with_network() -> World {
        let world = World::start();
        let place = json!("westeurope");
        world.put("", &json!({ "location": place }));
        let network = "/providers/Microsoft.Network";
        let subnet = |n: u8| json!({ "name": format!("s{n}"), "properties": { "addressPrefix": format!("10.0.{n}.0/24") } });
        world.put(
            &format!("{network}/virtualNetworks/net"),
            &json!({ "location": place, "properties": {
                "addressSpace": { "addressPrefixes": ["10.0.0.0/16"] },
                "subnets": [subnet(1), subnet(2)],
            }}),
        );
        for name in ["sec", "sec2"] {
            let path = format!("{network}/networkSecurityGroups/{name}");
            world.put(&path, &json!({ "location": place, "properties": {} }));
        }
        world.put(
            &format!("{network}/publicIPAddresses/ip"),
            &json!({ "location": place, "sku": { "name": "Standard" }, "properties": { "publicIPAllocationMethod": "Static" } }),
        );
        for name in ["nic", "nic2", "nic3"] {
            world.put(
                &format!("{network}/networkInterfaces/{name}"),
                &json!({ "location": place, "properties": { "ipConfigurations": [{
                    "name": "main", "properties": { "subnet": { "id": world.id("Microsoft.Network/virtualNetworks/net/subnets/s1") } },
                }]}}),
            );
        }
        world
    }

    /// The id of something in the group.
    pub(crate) fn id(&self, rest: &str) -> String {
        let group = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/lab");
        match rest {
            "" => group,
            rest => format!("{group}/providers/{rest}"),
        }
    }

    fn url(&self, path: &str) -> String {
        match path.starts_with("/subscriptions") {
            true => format!("{}{path}?api-version=2024-05-01", self.at),
            false => format!("{}{}{path}?api-version=2024-05-01", self.at, self.id("")),
        }
    }

    /// PUTs something (a path below the group, or an id), and waits until it is made.
    pub(crate) fn put(&self, path: &str, body: &Json) {
        let answer = ureq::put(self.url(path))
            .config()
            .http_status_as_error(false)
            .build()
            .header("authorization", "Bearer test")
            .header(ASIDE, "1")
            .header("content-type", "application/json")
            .send(body.to_string());
        let mut answer = answer.unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        assert!(answer.status().is_success(), "{path}: {text}");
        self.wait(|| {
            let now = self.get(path).unwrap();
            let state = now["properties"]["provisioningState"]
                .as_str()
                .map(str::to_owned);
            state.is_none_or(|s| s == "Succeeded")
        });
    }

    /// What is there.
    pub(crate) fn get(&self, path: &str) -> Option<Json> {
        let mut answer = ureq::get(self.url(path))
            .config()
            .http_status_as_error(false)
            .build()
            .header("authorization", "Bearer test")
            .header(ASIDE, "1")
            .call()
            .unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        let body = serde_json::from_str(&text).unwrap();
        answer.status().is_success().then_some(body)
    }

    /// Deletes something, and waits until it is gone.
    pub(crate) fn delete(&self, path: &str) {
        let answer = ureq::delete(self.url(path))
            .config()
            .http_status_as_error(false)
            .build()
            .header("authorization", "Bearer test")
            .header(ASIDE, "1")
            .call();
        let mut answer = answer.unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        assert!(answer.status().is_success(), "{path}: {text}");
        self.wait(|| self.get(path).is_none());
    }

    fn wait(&self, over: impl Fn() -> bool) {
        for _ in 0..200 {
            if over() {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("it takes too long");
    }

    /// All of a list.
    pub(crate) fn list(&self, path: &str) -> Vec<Json> {
        let mut all = Vec::new();
        let mut next = self.get(path);
        while let Some(page) = next.take() {
            all.extend(page["value"].as_array().cloned().unwrap_or_default());
            if let Some(link) = page["nextLink"].as_str() {
                let answer = ureq::get(link)
                    .header("authorization", "Bearer test")
                    .header(ASIDE, "1")
                    .call();
                let text = answer.unwrap().body_mut().read_to_string().unwrap();
                next = serde_json::from_str(&text).ok();
            }
        }
        all
    }

    /// Where faults are armed.
    pub(crate) fn desk(&self) -> &Desk {
        self.clouds.desk("azure").unwrap()
    }

    /// Speaks to the fake itself: `/_faults`, `/_pace`.
    pub(crate) fn control(&self, path: &str, body: &Json) {
        ureq::post(format!("{}{path}", self.at))
            .send(body.to_string())
            .unwrap();
    }

    /// The requests that came so far.
    pub(crate) fn requests(&self) -> Vec<Json> {
        let answer = ureq::get(format!("{}/_requests", self.at)).call();
        let text = answer.unwrap().body_mut().read_to_string().unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// The provider block that leads here.
    pub(crate) fn block(&self, more: &Json) -> Value {
        let provider = AzureProvider::new(quick());
        let mut block = json!({
            "subscription_id": SUBSCRIPTION, "tenant_id": TENANT,
            "client_id": "22222222-2222-3333-4444-555555555555", "client_secret": "weir-secret",
            "metadata_host": self.at, "features": [{}],
        });
        let more = more.as_object().unwrap().clone();
        block.as_object_mut().unwrap().extend(more);
        body(&provider.schema().provider.block, &block)
    }

    /// A provider that is configured for it.
    pub(crate) async fn provider(&self, more: &Json) -> Arc<AzureProvider> {
        let provider = AzureProvider::new(quick());
        provider.configure(&self.block(more)).await.unwrap();
        Arc::new(provider)
    }
}

/// A configuration of a type.
pub(crate) fn config(type_name: &str, given: &Json) -> Value {
    let provider = AzureProvider::new(quick());
    body(&provider.schema().resources[type_name].block, given)
}
