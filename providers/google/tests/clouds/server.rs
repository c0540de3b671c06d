//! A Google Compute for a test, in this process.

use serde_json::{Value as Json, json};
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::Command,
    sync::Arc,
    time::Duration,
};
use weir_clouds::{
    Clouds, Options, Pace,
    desk::{ASIDE, Desk},
};
use weir_core::{Value, schema::Block};
use weir_google::{GoogleProvider, Pacing};
use weir_provider::{Provider, conformance::body};

pub struct Google {
    clouds: Clouds,
    pub at: String,
    agent: ureq::Agent,
}

/// Google's description of the API, where its client is installed.
#[allow(clippy::print_stdout)] // what is skipped is told
fn discovery() -> Option<PathBuf> {
    let say = "import os, googleapiclient.discovery_cache as d; print(os.path.dirname(d.__file__))";
    let said = std::env::var("WEIR_CLOUDS_PYTHON").ok();
    let usual = ["/var/tmp/weir-clouds/bin/python3", "python3"].map(str::to_owned);
    let found = said.into_iter().chain(usual).find_map(|python| {
        let output = Command::new(python).args(["-c", say]).output().ok()?;
        let folder = String::from_utf8(output.stdout).ok()?;
        let path = PathBuf::from(folder.trim()).join("documents/compute.v1.json");
        (output.status.success() && path.exists()).then_some(path)
    });
    if found.is_none() {
        println!(
            "SKIPPED: requests are not checked against Google's description (PyPI: google-api-python-client)"
        );
    }
    found
}

/// No waiting: the fake is quick.
pub fn quick() -> Pacing {
    Pacing {
        backoff: Duration::from_millis(5),
        budget: Duration::from_secs(20),
        consistency: Duration::from_millis(100),
        poll: Duration::from_millis(20),
    }
}

impl Google {
    pub fn start() -> Google {
        let clouds = Clouds::start(&Options {
            google: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
            discovery: discovery(),
            pace: Pace {
                slow: Duration::from_millis(5),
                blind: Duration::ZERO,
            },
            ..Options::default()
        })
        .unwrap();
        let config = ureq::Agent::config_builder().http_status_as_error(false);
        Google {
            at: format!("http://{}", clouds.google.unwrap()),
            clouds,
            agent: config.build().into(),
        }
    }

    pub fn settings(&self) -> Json {
        json!({
            "project": "weir", "region": "europe-west1", "zone": "europe-west1-b",
            "access_token": "ya29.weir", "compute_custom_endpoint": format!("{}/compute/v1/", self.at),
            "default_labels": { "team": "weir" },
        })
    }

    /// A provider that is configured for it.
    pub async fn provider(&self) -> Arc<GoogleProvider> {
        let provider = GoogleProvider::new(quick());
        let block: &Block = &provider.schema().provider.block;
        let config: Value = body(block, &self.settings());
        provider.configure(&config).await.unwrap();
        Arc::new(provider)
    }

    /// Where faults are armed.
    pub fn desk(&self) -> &Desk {
        self.clouds.desk("google").unwrap()
    }

    pub fn ask(&self, path: &str) -> Json {
        let mut reply = self
            .agent
            .get(format!("{}{path}", self.at))
            .header(ASIDE, "1")
            .call()
            .unwrap();
        serde_json::from_str(&reply.body_mut().read_to_string().unwrap()).unwrap_or_default()
    }

    pub fn tell(&self, path: &str, body: &Json) -> Json {
        let sent = self
            .agent
            .post(format!("{}{path}", self.at))
            .header(ASIDE, "1")
            .send(body.to_string());
        let text = sent.unwrap().body_mut().read_to_string().unwrap();
        serde_json::from_str(&text).unwrap_or_default()
    }

    fn delete(&self, path: &str) -> Json {
        let sent = self
            .agent
            .delete(format!("{}{path}", self.at))
            .header(ASIDE, "1")
            .call();
        let text = sent.unwrap().body_mut().read_to_string().unwrap();
        serde_json::from_str(&text).unwrap_or_default()
    }

    fn ended(&self, operation: &Json) {
        let link = operation["selfLink"]
            .as_str()
            .unwrap_or_else(|| panic!("{operation}"));
        let path = link.trim_start_matches("https://www.googleapis.com");
        let ended = self.tell(&format!("{path}/wait"), &json!({}));
        assert_eq!(ended.get("error"), None, "{ended}");
    }

    /// Makes something at `projects/weir/...` and waits for it.
    pub fn make(&self, path: &str, body: &Json) {
        let operation = self.tell(&format!("/compute/v1/projects/weir/{path}"), body);
        self.ended(&operation);
    }

    /// Puts something at `projects/weir/...` in the place of what is there, and waits for it.
    pub fn replace(&self, path: &str, body: &Json) {
        let to = format!("{}/compute/v1/projects/weir/{path}", self.at);
        let sent = self.agent.put(to).header(ASIDE, "1").send(body.to_string());
        let text = sent.unwrap().body_mut().read_to_string().unwrap();
        self.ended(&serde_json::from_str(&text).unwrap());
    }

    /// Deletes something at `projects/weir/...` and waits until it is gone.
    pub fn unmake(&self, path: &str) {
        let operation = self.delete(&format!("/compute/v1/projects/weir/{path}"));
        self.ended(&operation);
    }

    /// Things of a list.
    pub fn list(&self, path: &str) -> Vec<Json> {
        let found = self.ask(&format!("/compute/v1/projects/weir/{path}"));
        found["items"].as_array().cloned().unwrap_or_default()
    }
}
