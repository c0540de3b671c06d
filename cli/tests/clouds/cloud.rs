//! The three clouds: moto's EC2, and the fakes of Azure and Google, each behind a gate.

use crate::gate::Gate;
use base64::Engine as _;
use serde_json::{Value as Json, json};
use std::{
    collections::BTreeSet,
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::Duration,
};
use weir_clouds::{Clouds, Options, Pace};

/// Which of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Aws,
    Azure,
    Google,
}

/// Why there are no machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shortage {
    Capacity,
    Quota,
    /// Of Amazon alone.
    Price,
}

/// Debian's account at Amazon: whoever asks moto is it, so that its image is found as Debian's.
const DEBIAN: &str = "136693071363";

const SUBSCRIPTION: &str = "11111111-2222-3333-4444-555555555555";

/// What EC2 lists: the call, and what the ids in its answer are called.
const LISTS: [(&str, &str); 9] = [
    ("DescribeVpcs", "vpcId"),
    ("DescribeSubnets", "subnetId"),
    ("DescribeInternetGateways", "internetGatewayId"),
    ("DescribeRouteTables", "routeTableId"),
    ("DescribeSecurityGroups", "groupId"),
    ("DescribeSecurityGroupRules", "securityGroupRuleId"),
    ("DescribeKeyPairs", "keyPairId"),
    ("DescribeVolumes", "volumeId"),
    ("DescribeNetworkInterfaces", "networkInterfaceId"),
];

#[derive(Debug)]
enum Server {
    Moto(Child),
    Fake { _clouds: Clouds },
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Server::Moto(child) = self {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A cloud, for as long as it lives.
#[derive(Debug)]
pub struct Cloud {
    pub kind: Kind,
    pub gate: Gate,
    door: Door,
    /// What was there before anything was made.
    before: BTreeSet<String>,
    _server: Server,
}

/// Where a cloud answers.
#[derive(Debug, Clone)]
pub struct Door {
    kind: Kind,
    address: SocketAddr,
}

/// A machine that runs, as its cloud says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    pub id: String,
    /// Its zone or region; empty where it does not matter.
    pub place: String,
    pub address: String,
    pub user_data: String,
}

impl Cloud {
    /// Starts one; `None`, said aloud, where moto is not installed.
    pub fn start(kind: Kind) -> Option<Cloud> {
        let (server, address) = match kind {
            Kind::Aws => moto()?,
            Kind::Azure | Kind::Google => fake(kind),
        };
        let door = Door { kind, address };
        if kind == Kind::Aws {
            door.prepare();
        }
        Some(Cloud {
            kind,
            gate: Gate::open(&address.to_string()),
            before: door.objects(),
            door,
            _server: server,
        })
    }

    /// Where it answers, past the gate.
    pub fn door(&self) -> Door {
        self.door.clone()
    }

    /// The provider block that leads to the gate.
    pub fn provider(&self) -> String {
        let gate = &self.gate.address;
        match self.kind {
            Kind::Aws => format!(
                r#"provider "aws" {{
  region     = "eu-central-1"
  access_key = "weir"
  secret_key = "weir-secret"
  endpoints {{
    ec2 = "http://{gate}"
    sts = "http://{gate}"
  }}
}}
"#
            ),
            Kind::Azure => format!(
                r#"provider "azurerm" {{
  subscription_id = "{SUBSCRIPTION}"
  tenant_id       = "72f988bf-0000-4000-8000-2d7cd011db47"
  client_id       = "22222222-2222-3333-4444-555555555555"
  client_secret   = "weir-secret"
  metadata_host   = "http://{gate}"
  features {{}}
}}
"#
            ),
            Kind::Google => format!(
                r#"provider "google" {{
  project                 = "weir"
  access_token            = "ya29.weir"
  compute_custom_endpoint = "http://{gate}/compute/v1/"
}}
"#
            ),
        }
    }

    /// Its provider, and its offer of a pool.
    pub fn name(&self) -> &'static str {
        match self.kind {
            Kind::Aws => "aws",
            Kind::Azure => "azurerm",
            Kind::Google => "google",
        }
    }

    /// Its offer of a pool.
    pub fn offer(&self) -> String {
        let name = self.name();
        let region = match self.kind {
            Kind::Aws => "eu-central-1",
            Kind::Azure => "westeurope",
            Kind::Google => "europe-west4",
        };
        format!("offer \"{name}\" {{\n  provider = {name}\n  region = \"{region}\"\n}}\n")
    }

    /// What there is now and was not before anything was made.
    pub fn made(&self) -> BTreeSet<String> {
        self.door
            .objects()
            .difference(&self.before)
            .cloned()
            .collect()
    }

    /// The next machines, so many, can't be made.
    pub fn run_out(&self, shortage: Shortage, times: usize) {
        let operation = match (self.kind, shortage) {
            (Kind::Aws, Shortage::Capacity) => {
                return self.refuse(
                    "Action=RunInstances&",
                    "InsufficientInstanceCapacity",
                    times,
                );
            }
            (Kind::Aws, Shortage::Quota) => {
                return self.refuse("Action=RunInstances&", "VcpuLimitExceeded", times);
            }
            (Kind::Aws, Shortage::Price) => {
                return self.refuse("Action=RunInstances&", "SpotMaxPriceTooLow", times);
            }
            (Kind::Azure, _) => "VirtualMachines_CreateOrUpdate",
            (Kind::Google, _) => "compute.instances.insert",
        };
        let answer = match shortage {
            Shortage::Capacity => "capacity",
            Shortage::Quota => "quota",
            Shortage::Price => unreachable!("only Amazon has a word for it"),
        };
        self.fault(&json!({ "operation": operation, "answer": answer, "times": times }));
    }

    /// The next machines in a zone of Google, so many, can't be made.
    pub fn run_out_in(&self, zone: &str, times: usize) {
        self.fault(&json!({
            "operation": "compute.instances.insert", "path": format!("/zones/{zone}/"),
            "answer": "capacity", "times": times,
        }));
    }

    fn fault(&self, fault: &Json) {
        let sent = ureq::post(self.door.url("/_faults")).send(fault.to_string());
        sent.unwrap();
    }

    /// The next calls of EC2 with the words, so many, are refused with a code, as it does where it
    /// is short of something.
    pub fn refuse(&self, words: &str, code: &str, times: usize) {
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>{code}</Code><Message>There is none left.</Message></Error></Errors><RequestID>weir</RequestID></Response>"
        );
        let answer = format!(
            "HTTP/1.1 500 Refused\r\nContent-Type: text/xml\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        self.gate.refuse(words, answer, times);
    }

    /// There are machines again.
    pub fn refill(&self) {
        match self.kind {
            Kind::Aws => self.gate.refuse_no_more(),
            _ => drop(ureq::delete(self.door.url("/_faults")).call().unwrap()),
        }
    }
}

impl Door {
    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The machines that run.
    pub fn running(&self) -> Vec<Running> {
        if self.kind == Kind::Aws {
            return self.instances();
        }
        let machines = get(&self.url("/_machines"));
        let machines = machines.as_array().unwrap().iter();
        let text = |v: &Json| v.as_str().unwrap_or_default().to_owned();
        let machines = machines.map(|m| Running {
            id: text(&m["id"]),
            place: text(&m["place"]),
            address: text(&m["public_address"]),
            user_data: text(&m["user_data"]),
        });
        machines.collect()
    }

    fn instances(&self) -> Vec<Running> {
        let text = self.ask("DescribeInstances", &[]);
        let xml = roxmltree::Document::parse(&text).unwrap();
        let ids = xml
            .descendants()
            .filter(|n| n.tag_name().name() == "instanceId");
        let items = ids.filter_map(|id| {
            let item = id.parent()?;
            let child = |name: &str| item.children().find(|n| n.tag_name().name() == name);
            let state = child("instanceState")?;
            let mut state = state.children();
            let state = state.find(|n| n.tag_name().name() == "name")?.text()?;
            let runs = matches!(state, "running" | "pending");
            let address = child("ipAddress").and_then(|n| n.text());
            runs.then(|| Running {
                id: id.text().unwrap_or_default().to_owned(),
                place: String::new(),
                address: address.unwrap_or_default().to_owned(),
                user_data: String::new(),
            })
        });
        let mut found: Vec<Running> = items.collect();
        for machine in &mut found {
            let attribute = [("InstanceId", &*machine.id), ("Attribute", "userData")];
            let text = self.ask("DescribeInstanceAttribute", &attribute);
            let data = one(&text, "value").unwrap_or_default();
            let data = base64::engine::general_purpose::STANDARD.decode(data.trim());
            machine.user_data = String::from_utf8(data.unwrap()).unwrap();
        }
        found
    }

    /// All that there is.
    fn objects(&self) -> BTreeSet<String> {
        if self.kind != Kind::Aws {
            let all = get(&self.url("/_objects"));
            let all = all.as_array().unwrap().iter();
            let all = all.map(|o| o.as_str().unwrap().to_owned());
            // A project of Google has a network when it is first looked at.
            return all.filter(|o| !o.ends_with("/default")).collect();
        }
        let mut all: BTreeSet<String> = self.instances().into_iter().map(|m| m.id).collect();
        for (action, tag) in LISTS {
            let text = self.ask(action, &[]);
            let xml = roxmltree::Document::parse(&text).unwrap();
            let ids = xml.descendants().filter(|n| n.tag_name().name() == tag);
            all.extend(ids.filter_map(|n| n.text().map(str::to_owned)));
        }
        all
    }

    /// The image that machines boot.
    fn prepare(&self) {
        let image = [
            ("Name", "debian-12-amd64-20250101-1"),
            ("Architecture", "x86_64"),
            ("RootDeviceName", "/dev/xvda"),
            ("VirtualizationType", "hvm"),
        ];
        self.ask("RegisterImage", &image);
    }

    /// The XML that answers an action of EC2.
    fn ask(&self, action: &str, parameters: &[(&str, &str)]) -> String {
        let credential = "AWS4-HMAC-SHA256 Credential=weir/20200101/eu-central-1/ec2/aws4_request, SignedHeaders=host, Signature=0";
        let known = [("Action", action), ("Version", "2016-11-15")];
        let form = known.iter().chain(parameters).copied();
        let mut answer = ureq::post(self.url("/"))
            .header("Authorization", credential)
            .send_form(form)
            .unwrap();
        answer.body_mut().read_to_string().unwrap()
    }
}

fn get(url: &str) -> Json {
    let mut answer = ureq::get(url).call().unwrap();
    serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap()
}

fn one(xml: &str, tag: &str) -> Option<String> {
    let xml = roxmltree::Document::parse(xml).unwrap();
    let found = xml.descendants().find(|n| n.tag_name().name() == tag)?;
    found.text().map(str::to_owned)
}

#[allow(clippy::print_stdout)] // what is skipped is told
fn moto() -> Option<(Server, SocketAddr)> {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let server = Command::new("moto_server")
        .args(["-H", "127.0.0.1", "-p", &address.port().to_string()])
        .env("MOTO_ACCOUNT_ID", DEBIAN)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let server = match server {
        Ok(server) => Server::Moto(server),
        Err(e) => {
            println!("SKIPPED: moto_server is not installed (PyPI: moto[ec2,server]): {e}");
            return None;
        }
    };
    for _ in 0..3000 {
        if TcpStream::connect(address).is_ok() {
            return Some((server, address));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("moto never came");
}

fn fake(kind: Kind) -> (Server, SocketAddr) {
    let any = Some(([127, 0, 0, 1], 0).into());
    let clouds = Clouds::start(&Options {
        google: any.filter(|_| kind == Kind::Google),
        azure: any.filter(|_| kind == Kind::Azure),
        pace: Pace {
            slow: Duration::from_millis(30),
            blind: Duration::ZERO,
        },
        ..Options::default()
    });
    let clouds = clouds.unwrap();
    let address = clouds.google.or(clouds.azure).unwrap();
    (Server::Fake { _clouds: clouds }, address)
}
