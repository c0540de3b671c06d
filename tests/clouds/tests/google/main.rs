//! The fake of Google Compute: driven by Google's own Python client, checked against Google's own
//! description of the API, and by hand where a client can't see what happens.

#![expect(clippy::unwrap_used, reason = "a helper of a test may panic as it may")]

mod python;

use http::Method;
use serde_json::{Value as Json, json};
use std::{
    net::{Ipv4Addr, SocketAddr},
    process::Command,
    time::Duration,
};
use weir_clouds::{
    Clouds, Options, Pace,
    google::{discovery::Discovery, route::Route},
    http::Request,
};

struct Google {
    _clouds: Clouds,
    at: String,
    agent: ureq::Agent,
}

impl Google {
    fn start(options: Options) -> Google {
        let clouds = Clouds::start(&Options {
            google: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
            ..options
        })
        .unwrap();
        let config = ureq::Agent::config_builder().http_status_as_error(false);
        Google {
            at: format!("http://{}", clouds.google.unwrap()),
            _clouds: clouds,
            agent: config.build().into(),
        }
    }

    fn ask(&self, path: &str) -> (u16, Json) {
        let mut reply = self.agent.get(format!("{}{path}", self.at)).call().unwrap();
        let text = reply.body_mut().read_to_string().unwrap();
        (
            reply.status().as_u16(),
            serde_json::from_str(&text).unwrap_or_default(),
        )
    }

    fn tell(&self, path: &str, body: &Json) -> Result<(u16, Json), ureq::Error> {
        let mut reply = self
            .agent
            .post(format!("{}{path}", self.at))
            .send(body.to_string())?;
        let text = reply.body_mut().read_to_string()?;
        Ok((
            reply.status().as_u16(),
            serde_json::from_str(&text).unwrap_or_default(),
        ))
    }

    /// Begins something and waits for its end.
    fn run(&self, path: &str, body: &Json) -> Json {
        let (status, operation) = self.tell(path, body).unwrap();
        assert_eq!(status, 200, "{operation}");
        let link = operation["selfLink"].as_str().unwrap();
        let path = link.trim_start_matches("https://www.googleapis.com");
        self.tell(&format!("{path}/wait"), &json!({})).unwrap().1
    }
}

#[test]
fn googles_own_client_finds_an_api_that_it_knows() {
    let Some(python) = python::with("googleapiclient") else {
        return;
    };
    let google = Google::start(Options {
        discovery: Some(python.discovery()),
        ..Options::default()
    });
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/google/life.py");
    let output = Command::new(&python.path)
        .args([script, &google.at])
        .output()
        .unwrap();
    let out = String::from_utf8_lossy(&output.stdout);
    let log = google.ask("/_requests").1;
    let last = log
        .as_array()
        .and_then(|l| l.last().cloned())
        .unwrap_or_default();
    assert!(
        output.status.success(),
        "{out}\n{}\nlast request: {last:#}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(out.matches("held:").count(), 13, "{out}");
}

/// The names that calls have here are those of Google's description.
#[test]
fn every_path_has_the_name_that_google_gives_it() {
    let Some(python) = python::with("googleapiclient") else {
        return;
    };
    let served = [
        "networks",
        "subnetworks",
        "firewalls",
        "addresses",
        "globalAddresses",
        "disks",
        "instances",
        "routers",
        "instanceTemplates",
        "images",
        "zones",
        "regions",
        "machineTypes",
        "globalOperations",
        "regionOperations",
        "zoneOperations",
    ];
    let discovery = Discovery::read(&python.discovery()).unwrap();
    let mut checked = 0;
    for (id, method, path) in discovery.methods() {
        let kind = id.split('.').nth(1).unwrap();
        // Reads of a part of a thing, and the bulk methods, are no part of the fake.
        let parts = path.matches('/').count();
        let item = if path.contains("/global/") || path.contains("/aggregated/") {
            4
        } else {
            5
        };
        let is_part = method == "GET" && parts > item - 1
            || path.contains("/bulk")
            || path.contains("/stopGroup");
        if !served.contains(&kind) || is_part && !id.ends_with("getFromFamily") {
            continue;
        }
        let request = Request {
            method: Method::from_bytes(method.as_bytes()).unwrap(),
            path: format!("/compute/v1/{path}"),
            query: Vec::new(),
            headers: http::HeaderMap::new(),
            body: bytes::Bytes::new(),
            origin: String::new(),
        };
        let found = Route::of(&request).map(|r| r.operation());
        assert_eq!(found.as_deref(), Some(id), "{method} {path}");
        checked += 1;
    }
    assert!(checked > 120, "{checked} methods");
}

const MACHINES: &str = "/compute/v1/projects/p/zones/europe-west1-b/instances";

fn machine(name: &str) -> Json {
    json!({
        "name": name, "machineType": "zones/europe-west1-b/machineTypes/e2-small",
        "disks": [{"boot": true, "autoDelete": true, "initializeParams": {"sourceImage": "projects/debian-cloud/global/images/family/debian-12"}}],
        "networkInterfaces": [{"network": "global/networks/default", "accessConfigs": [{"type": "ONE_TO_ONE_NAT"}]}],
        "metadata": {"items": [{"key": "ssh-keys", "value": "weir:ssh-ed25519 AAAA one\nroot:ssh-ed25519 BBBB two"}, {"key": "user-data", "value": "#cloud-config"}]},
    })
}

#[test]
fn a_machine_that_runs_is_told_with_all_that_makes_it_real() {
    let google = Google::start(Options::default());
    google.run(MACHINES, &machine("vm"));
    let machines = google.ask("/_machines").1;
    let vm = &machines[0];
    assert_eq!(machines.as_array().unwrap().len(), 1);
    assert_eq!(
        (&vm["name"], &vm["place"]),
        (&json!("vm"), &json!("europe-west1-b"))
    );
    assert_eq!(vm["address"], "10.132.0.2");
    assert!(vm["public_address"].as_str().unwrap().starts_with("34."));
    assert_eq!(
        vm["ssh_keys"][1],
        json!({"user": "root", "key": "ssh-ed25519 BBBB two"})
    );
    assert_eq!(vm["user_data"], "#cloud-config");
    assert_eq!(vm["power"], "running");
    google.run(&format!("{MACHINES}/vm/stop"), &json!({}));
    assert_eq!(google.ask("/_machines").1, json!([]));
    let all = google.ask("/_machines?all=true").1;
    assert_eq!(
        (&all[0]["id"], &all[0]["power"]),
        (&vm["id"], &json!("stopped"))
    );
    let objects = google.ask("/_objects").1;
    let has = |end: &str| {
        objects
            .as_array()
            .unwrap()
            .iter()
            .any(|o| o.as_str().unwrap().ends_with(end))
    };
    assert!(has("/instances/vm") && has("/disks/vm"), "{objects}");
}

#[test]
fn faults_are_told_as_google_tells_them() {
    let google = Google::start(Options::default());
    let fault = |answer: &str| {
        let fault = json!({"operation": "compute.instances.insert", "answer": answer});
        assert_eq!(google.tell("/_faults", &fault).unwrap().0, 204);
    };
    for (answer, code, status) in [
        ("capacity", "ZONE_RESOURCE_POOL_EXHAUSTED", 503),
        ("quota", "QUOTA_EXCEEDED", 403),
    ] {
        fault(answer);
        let ended = google.run(MACHINES, &machine("vm"));
        assert_eq!(ended["error"]["errors"][0]["code"], code);
        assert_eq!(ended["httpErrorStatusCode"], status);
        assert_eq!(google.ask(&format!("{MACHINES}/vm")).0, 404);
    }
    fault("throttle");
    let (status, body) = google.tell(MACHINES, &machine("vm")).unwrap();
    assert_eq!(
        (status, &body["error"]["errors"][0]["reason"]),
        (429, &json!("rateLimitExceeded"))
    );
    fault("conflict");
    let (status, body) = google.tell(MACHINES, &machine("vm")).unwrap();
    assert_eq!(
        (status, &body["error"]["errors"][0]["reason"]),
        (400, &json!("resourceNotReady"))
    );
    // What is lost on the way back was done all the same.
    fault("lost");
    assert!(google.tell(MACHINES, &machine("vm")).is_err());
    assert_eq!(google.tell(MACHINES, &machine("vm")).unwrap().0, 409);
    fault("cut");
    assert!(google.tell(MACHINES, &machine("other")).is_err());
    assert_eq!(google.ask(&format!("{MACHINES}/other")).0, 404);
}

#[test]
fn new_things_are_invisible_for_a_while() {
    let google = Google::start(Options {
        pace: Pace {
            slow: Duration::ZERO,
            blind: Duration::from_secs(3600),
        },
        ..Options::default()
    });
    google.run(MACHINES, &machine("vm"));
    assert_eq!(google.ask(&format!("{MACHINES}/vm")).0, 404);
    assert_eq!(google.ask(MACHINES).1.get("items"), None);
    assert_eq!(google.tell(MACHINES, &machine("vm")).unwrap().0, 409);
}
