//! EC2's machines, and moto, which plays EC2.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base64::Engine as _;
use roxmltree::{Document, Node};
use tempfile::TempDir;

use super::{Machine, Power, SshKey};
use crate::wait::eventually;

/// The API's version, as every request names it.
const VERSION: &str = "2016-11-15";

/// How long moto may take to come: bounds a broken test.
const LIMIT: Duration = Duration::from_secs(120);

/// The images that moto offers: Debian 12 as Debian publishes it. Those that it brings are others.
const IMAGES: &str = r#"[{
  "ami_id": "ami-0d000000000000012", "state": "available", "public": true, "owner_id": "136693071363",
  "image_location": "amazon/debian-12-amd64-20250316-2053", "name": "debian-12-amd64-20250316-2053",
  "description": "Debian 12 (20250316-2053)", "sriov": "simple", "architecture": "x86_64",
  "root_device_type": "ebs", "root_device_name": "/dev/xvda", "image_type": "machine", "platform": null,
  "virtualization_type": "hvm", "hypervisor": "xen"
}]"#;

/// All machines that run or are stopped, with what they were given.
///
/// # Errors
/// What the API said, or that it could not be reached.
pub fn machines(address: &str, region: &str) -> Result<Vec<Machine>, String> {
    let api = Ec2 { address, region };
    let text = api.call(&[("Action", "DescribeInstances")])?;
    let document = parsed(&text)?;
    let mut machines = Vec::new();
    for node in items(document.root_element(), "instancesSet") {
        let state = text_at(node, &["instanceState", "name"]).unwrap_or_default();
        let power = match state.as_str() {
            "running" => Power::Running,
            "stopping" | "stopped" => Power::Stopped,
            _ => continue,
        };
        machines.push(api.machine(node, power)?);
    }
    Ok(machines)
}

/// What there can be: the call that lists it, the list, and an item's id. Not network interfaces: moto
/// keeps those of machines that were terminated.
const KINDS: [(&str, &str, &str); 11] = [
    ("DescribeVpcs", "vpcSet", "vpcId"),
    ("DescribeSubnets", "subnetSet", "subnetId"),
    (
        "DescribeInternetGateways",
        "internetGatewaySet",
        "internetGatewayId",
    ),
    ("DescribeRouteTables", "routeTableSet", "routeTableId"),
    ("DescribeSecurityGroups", "securityGroupInfo", "groupId"),
    ("DescribeKeyPairs", "keySet", "keyPairId"),
    ("DescribeVolumes", "volumeSet", "volumeId"),
    ("DescribeAddresses", "addressesSet", "allocationId"),
    ("DescribeNatGateways", "natGatewaySet", "natGatewayId"),
    (
        "DescribeLaunchTemplates",
        "launchTemplates",
        "launchTemplateId",
    ),
    ("DescribeInstances", "instancesSet", "instanceId"),
];

/// The ids of everything that the region has, but for machines that were terminated.
///
/// # Errors
/// What the API said, or that it could not be reached.
pub fn objects(address: &str, region: &str) -> Result<BTreeSet<String>, String> {
    let api = Ec2 { address, region };
    let mut objects = BTreeSet::new();
    for (action, list, id) in KINDS {
        let text = api.call(&[("Action", action)])?;
        let document = parsed(&text)?;
        let there = |n: &Node<'_, '_>| {
            text_at(*n, &["instanceState", "name"]).is_none_or(|state| state != "terminated")
        };
        let all = items(document.root_element(), list).filter(there);
        objects.extend(all.filter_map(|n| text_at(n, &[id])));
    }
    Ok(objects)
}

/// Calls the API as anybody: the action first, then its parameters. The answer's XML.
///
/// # Errors
/// As [`machines`].
pub fn call(address: &str, region: &str, form: &[(&str, &str)]) -> Result<String, String> {
    Ec2 { address, region }.call(form)
}

/// Who is asked.
struct Ec2<'a> {
    address: &'a str,
    region: &'a str,
}

impl Ec2<'_> {
    fn call(&self, form: &[(&str, &str)]) -> Result<String, String> {
        let url = format!("http://{}/", self.address);
        let name = form.first().map_or("", |(_, action)| action);
        // moto looks at who asks and in which region, and at no signature.
        let who = format!(
            "AWS4-HMAC-SHA256 Credential=lab/20260101/{}/ec2/aws4_request, SignedHeaders=host, Signature=0",
            self.region
        );
        let form = form.iter().copied().chain([("Version", VERSION)]);
        let request = ureq::post(&url).header("Authorization", &who);
        // What a refusal says is in its body.
        let request = request.config().http_status_as_error(false);
        let request = request.timeout_global(Some(super::PATIENCE)).build();
        let answer = request.send_form(form);
        let mut answer = answer.map_err(|e| format!("{name}: {e}"))?;
        let text = answer.body_mut().read_to_string();
        let text = text.map_err(|e| format!("{name}: {e}"))?;
        match answer.status().is_success() {
            true => Ok(text),
            false => Err(format!("{name}: {}: {text}", answer.status())),
        }
    }

    fn machine(&self, node: Node<'_, '_>, power: Power) -> Result<Machine, String> {
        let id = text_at(node, &["instanceId"]).ok_or("an instance without an id")?;
        let metadata: BTreeMap<String, String> = items(node, "tagSet")
            .filter_map(|t| Some((text_at(t, &["key"])?, text_at(t, &["value"])?)))
            .collect();
        let ssh_keys = match text_at(node, &["keyName"]) {
            Some(name) => vec![SshKey {
                user: String::new(),
                key: self.key(&name)?,
            }],
            None => Vec::new(),
        };
        Ok(Machine {
            name: metadata.get("Name").cloned().unwrap_or_else(|| id.clone()),
            address: text_at(node, &["privateIpAddress"]).unwrap_or_default(),
            public_address: text_at(node, &["ipAddress"]),
            power,
            ssh_keys,
            user_data: self.user_data(&id)?,
            metadata,
            id,
        })
    }

    fn key(&self, name: &str) -> Result<String, String> {
        let text = self.call(&[
            ("Action", "DescribeKeyPairs"),
            ("KeyName.1", name),
            ("IncludePublicKey", "true"),
        ])?;
        let document = parsed(&text)?;
        let key = items(document.root_element(), "keySet").next();
        let key = key.and_then(|k| text_at(k, &["publicKey"]));
        key.ok_or_else(|| format!("the key pair {name} has no public key: {text}"))
    }

    fn user_data(&self, id: &str) -> Result<Option<String>, String> {
        let text = self.call(&[
            ("Action", "DescribeInstanceAttribute"),
            ("InstanceId", id),
            ("Attribute", "userData"),
        ])?;
        let document = parsed(&text)?;
        let Some(data) = text_at(document.root_element(), &["userData", "value"]) else {
            return Ok(None);
        };
        let bytes = base64::engine::general_purpose::STANDARD.decode(&data);
        let bytes = bytes.map_err(|e| format!("the user data of {id}: {e}"))?;
        let data = String::from_utf8(bytes).map_err(|e| format!("the user data of {id}: {e}"))?;
        Ok(Some(data))
    }
}

fn parsed(text: &str) -> Result<Document<'_>, String> {
    Document::parse(text).map_err(|e| format!("{e}: {text}"))
}

/// The items of the lists by this name, however deep they are.
fn items<'a, 'i: 'a>(node: Node<'a, 'i>, list: &'a str) -> impl Iterator<Item = Node<'a, 'i>> {
    let lists = node.descendants().filter(move |n| n.has_tag_name_of(list));
    lists.flat_map(|l| l.children().filter(|c| c.has_tag_name_of("item")))
}

/// What the element says that these names lead to, where it says something.
fn text_at(node: Node<'_, '_>, path: &[&str]) -> Option<String> {
    let child = |node: Node<'_, '_>, name: &&str| {
        let mut children = node.children();
        children.find(|c| c.has_tag_name_of(name)).map(|c| c.id())
    };
    let end = path.iter().try_fold(node, |node, name| {
        child(node, name).and_then(|id| node.document().get_node(id))
    })?;
    end.text()
        .map(str::trim)
        .filter(|t| !t.is_empty())
        .map(str::to_owned)
}

/// Names without the name space, which every answer of EC2 has.
trait Named {
    fn has_tag_name_of(&self, name: &str) -> bool;
}

impl Named for Node<'_, '_> {
    fn has_tag_name_of(&self, name: &str) -> bool {
        self.is_element() && self.tag_name().name() == name
    }
}

/// A server of moto's, until it is dropped.
#[derive(Debug)]
pub struct Moto {
    server: Child,
    _images: TempDir,
    /// Where it answers, as `127.0.0.1:PORT`.
    pub address: String,
}

impl Moto {
    /// Starts one that offers Debian's image; `None`, said aloud, where moto is not installed.
    ///
    /// # Panics
    /// When it is installed and does not come.
    #[track_caller]
    pub fn start() -> Option<Self> {
        let images = tempfile::tempdir().expect("a folder for the list of images");
        let list = images.path().join("images.json");
        std::fs::write(&list, IMAGES).expect("a file in a new folder can be written");
        let free = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr());
        let address = free.expect("loopback has a free port");
        let server = Command::new("moto_server")
            .args(["-H", "127.0.0.1", "-p", &address.port().to_string()])
            .env("MOTO_AMIS_PATH", &list)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let server = match server {
            Ok(server) => server,
            Err(e) => {
                let _ = writeln!(
                    std::io::stderr(),
                    "SKIPPED: moto_server is not installed (PyPI: moto[ec2,server]): {e}"
                );
                return None;
            }
        };
        let moto = Self {
            server,
            _images: images,
            address: address.to_string(),
        };
        eventually("moto answers", LIMIT, || TcpStream::connect(address));
        Some(moto)
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        // Both fail on a server that ended by itself.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
