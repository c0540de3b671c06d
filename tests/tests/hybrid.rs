//! `examples/hybrid` where all of its machines are real: three that exist, and two that a cloud's
//! API makes and the lab boots. Each of the three clouds serves, from nothing to nothing.
//!
//! Needs root and the lab, moto for AWS, and a `weir` with all three clouds
//! (`cargo build -p weir-cli --features aws,azure,google`); says SKIPPED where something is missing.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test may panic as the test may"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value as Json;
use weir_clouds::{Clouds, Options};
use weir_tests::cli::Stack;
use weir_tests::cloudlab::ec2::{self, Moto};
use weir_tests::cloudlab::{Api, Bridge, Image, Twin};
use weir_tests::lab::Lab;
use weir_tests::wait::eventually;

/// When this is set, a weir without clouds, or a machine without moto, fails the test.
const REQUIRE: &str = "WEIR_REQUIRE_CLOUDS";

/// Limits the test to one of `aws`, `google` and `azurerm`.
const ONLY: &str = "WEIR_CLOUD";

/// Bounds a broken test, measures nothing.
const LIMIT: Duration = Duration::from_secs(60);

/// One at a time: two emulators hand out the same public addresses, which one machine has once.
static ONE_LAB: Mutex<()> = Mutex::new(());

const ON_PREM: [&str; 3] = ["onprem1", "onprem2", "onprem3"];

/// A cloud that answers as long as this lives, and how the example's offer names it.
struct Cloud {
    provider: &'static str,
    region: &'static str,
    /// Its provider block.
    block: String,
    api: Api,
    image: Image,
    _server: Server,
}

enum Server {
    Moto { _moto: Moto },
    Fake { _clouds: Clouds },
}

impl Cloud {
    fn aws() -> Option<Self> {
        let moto = Moto::start()?;
        let (address, region) = (moto.address.clone(), "eu-central-1");
        let block = format!(
            r#"provider "aws" {{
  region     = "{region}"
  access_key = "lab"
  secret_key = "lab"

  endpoints {{
    ec2 = "http://{address}"
    sts = "http://{address}"
  }}
}}
"#
        );
        Some(Self {
            provider: "aws",
            region,
            block,
            api: Api::Ec2 {
                address,
                region: region.to_owned(),
            },
            image: Image::CloudInit,
            _server: Server::Moto { _moto: moto },
        })
    }

    fn google() -> Self {
        let clouds = Clouds::start(&Options {
            google: Some(([127, 0, 0, 1], 0).into()),
            ..Options::default()
        });
        let clouds = clouds.unwrap();
        let address = clouds.google.unwrap().to_string();
        // A project has its default network from its first call on.
        let networks = format!("http://{address}/compute/v1/projects/lab/global/networks");
        let answer = ureq::get(&networks)
            .header("Authorization", "Bearer lab")
            .call();
        assert!(answer.is_ok(), "{answer:?}");
        let block = format!(
            r#"provider "google" {{
  project                 = "lab"
  access_token            = "lab"
  compute_custom_endpoint = "http://{address}/compute/v1/"
}}
"#
        );
        Self {
            provider: "google",
            region: "europe-west3",
            block,
            api: Api::Fake { address },
            // Google's images of Debian have no cloud-init.
            image: Image::StartupScript,
            _server: Server::Fake { _clouds: clouds },
        }
    }

    fn azure() -> Self {
        let clouds = Clouds::start(&Options {
            azure: Some(([127, 0, 0, 1], 0).into()),
            ..Options::default()
        });
        let clouds = clouds.unwrap();
        let address = clouds.azure.unwrap().to_string();
        let block = format!(
            r#"provider "azurerm" {{
  subscription_id = "11111111-2222-3333-4444-555555555555"
  tenant_id       = "72f988bf-0000-4000-8000-2d7cd011db47"
  client_id       = "22222222-2222-3333-4444-555555555555"
  client_secret   = "weir-secret"
  metadata_host   = "http://{address}"

  features {{}}
}}
"#
        );
        Self {
            provider: "azurerm",
            region: "westeurope",
            block,
            api: Api::Fake { address },
            image: Image::CloudInit,
            _server: Server::Fake { _clouds: clouds },
        }
    }
}

/// The example with its offer in this cloud: the lines that its README changes, and no other.
fn example(stack: &Stack, cloud: &Cloud) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/hybrid");
    let text = fs::read_to_string(folder.join("stack.hcl")).unwrap();
    let changes = [
        (
            "provider = aws\n",
            format!("provider = {}\n", cloud.provider),
        ),
        (
            "region   = \"eu-central-1\"",
            format!("region   = \"{}\"", cloud.region),
        ),
        (
            "provider \"aws\" {\n  region = \"eu-central-1\"\n}\n",
            cloud.block.clone(),
        ),
    ];
    let text = changes.iter().fold(text, |text, (before, after)| {
        assert_eq!(text.matches(before).count(), 1, "{before}");
        text.replace(before, after)
    });
    stack.copy_from(&folder).file("stack.hcl", &text);
}

/// The ids of the page's servers on a host: others after a restart.
fn servers(lab: &Lab, host: &str) -> String {
    lab.enter(host, "pgrep -f '^perl server.pl'")
}

/// A stack of somebody who may log in to the hosts that exist and knows their keys, in the files where
/// OpenSSH has both.
fn stack_for(lab: &Lab, hosts: &[&str]) -> Stack {
    let stack = Stack::new();
    let ssh = stack.home().join(".ssh");
    fs::create_dir(&ssh).unwrap();
    fs::copy(lab.key(), ssh.join("id_ed25519")).unwrap();
    fs::set_permissions(ssh.join("id_ed25519"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::copy(lab.known_hosts(), ssh.join("known_hosts")).unwrap();
    let hosts = hosts.iter();
    let hosts = hosts.map(|host| format!("  {host} = \"{}\"\n", lab.address(host)));
    let values = format!(
        "hosts = {{\n{}}}\nssh_from = [\"{}/32\"]\n",
        hosts.collect::<String>(),
        lab.controller(),
    );
    stack.file("lab.auto.vars.hcl", &values);
    stack
}

/// True when `weir` has all three clouds; says so aloud when it has not.
fn has_clouds(stack: &Stack) -> bool {
    let text: String = [
        "aws_vpc",
        "azurerm_resource_group",
        "google_compute_network",
    ]
    .map(|kind| format!("resource \"{kind}\" \"x\" {{ count = 0 }}\n"))
    .concat();
    stack.file("stack.hcl", &text);
    let run = stack.weir(&["validate"]);
    let lacks = run.transcript().contains("This weir was built without it");
    if lacks {
        skipped("this weir has no clouds: cargo build -p weir-cli --features aws,azure,google");
    }
    !lacks
}

fn skipped(why: &str) {
    assert!(
        std::env::var_os(REQUIRE).is_none(),
        "{REQUIRE} is set and {why}"
    );
    // Not `eprintln!`, which the test harness hides when a test passes.
    let _ = writeln!(
        std::io::stderr(),
        "SKIPPED, examples/hybrid in the lab: {why}"
    );
}

/// What a host that exists has, but for what changes by itself.
fn files(lab: &Lab, host: &str) -> BTreeSet<String> {
    let listed = lab.must_ssh(
        host,
        "find /etc /home /opt /root /run/weir /srv /usr /var/lib /var/tmp -xdev \
         -path /var/lib/systemd -prune -o -print 2>/dev/null; \
         ps -eo args= | grep -E '[w]eir-agent|[p]erl'; ss -Hltn | awk '{ print $4 }'",
    );
    listed.lines().map(str::to_owned).collect()
}

/// The page at an address, as somebody on the host sees it.
fn page(lab: &Lab, host: &str, address: &str) -> String {
    lab.enter(host, &format!("curl -sSf -m 10 http://{address}:8480/"))
}

#[test]
fn hosts_that_exist_and_machines_of_each_cloud_serve_one_page() {
    let _one = ONE_LAB.lock();
    let Some(lab) = Lab::up(3) else { return };
    let lab = Arc::new(lab);
    if !has_clouds(&stack_for(&lab, &ON_PREM)) {
        return;
    }
    let Some(aws) = Cloud::aws() else {
        return skipped("moto is not installed");
    };
    let untouched = ON_PREM.map(|host| files(&lab, host));
    let only = std::env::var(ONLY).ok();
    let wanted = |c: &Cloud| only.as_ref().is_none_or(|only| only == c.provider);
    let clouds = [aws, Cloud::google(), Cloud::azure()];
    let mut planned = Vec::new();
    for cloud in clouds.into_iter().filter(wanted) {
        planned.push(serves(&lab, &cloud));
        let left = ON_PREM.map(|host| files(&lab, host));
        for (before, after) in untouched.iter().zip(&left) {
            let new: Vec<_> = after.difference(before).collect();
            assert!(new.is_empty(), "{}: left behind: {new:?}", cloud.provider);
        }
    }
    // The cloud is the offer's affair: all else is planned word for word as in the others.
    assert!(
        planned.windows(2).all(|two| two[0] == two[1]),
        "{planned:#?}"
    );
    assert_eq!(planned[0].len(), 8, "3 hosts and 5 pods: {planned:#?}");
}

/// From nothing to a page on each of five machines, and back. What was planned outside of the offer.
fn serves(lab: &Arc<Lab>, cloud: &Cloud) -> BTreeMap<String, Json> {
    let name = cloud.provider;
    let stack = stack_for(lab, &ON_PREM);
    example(&stack, cloud);
    let before = cloud.api.objects().unwrap();
    let bridge = Bridge::begin(lab, name, cloud.api.clone(), cloud.image);

    stack.weir(&["plan", "-out=plan"]).expect_success();
    let shown = stack.weir(&["show", "-json", "plan"]).expect_success();
    let planned = outside(&serde_json::from_str(&shown.stdout).unwrap());
    stack.weir(&["apply", "plan"]).expect_success();

    let twins = bridge.settled();
    assert_eq!(twins.len(), 2, "{name}: {twins:#?}");
    let output = stack
        .weir(&["output", "-json", "addresses"])
        .expect_success();
    let addresses: BTreeMap<String, String> = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(addresses.len(), 5, "{name}: {addresses:?}");
    for host in ON_PREM {
        // Asked by its neighbour at the address that weir has for it.
        let text = page(lab, "onprem1", &addresses[host]);
        assert!(
            text.contains(&format!("Served by {host}.")),
            "{name}: {text}"
        );
    }
    for Twin { host, machine } in &twins {
        let public = machine.public_address.as_ref().unwrap();
        let known = addresses.iter().find(|(_, a)| *a == public);
        let (known, _) = known.unwrap_or_else(|| panic!("{name}: {public} in {addresses:?}"));
        // Asked by the other machine: the guard admits those, and SSH alone from elsewhere.
        let other = twins.iter().find(|t| t.host != *host).unwrap();
        for address in [public, &machine.address] {
            let text = page(lab, &other.host, address);
            assert!(
                text.contains(&format!("Served by {known}.")),
                "{name}: {text}"
            );
        }
        set_up(lab, host, cloud.image);
    }
    stack.weir(&["plan", "-detailed-exitcode"]).expect_code(0);

    stack.weir(&["destroy", "-auto-approve"]).expect_success();
    assert_eq!(stack.weir(&["state", "list"]).expect_success().stdout, "");
    assert_eq!(bridge.settled(), [], "{name}: machines are left in the lab");
    assert_eq!(lab.hosts(), ON_PREM, "{name}: hosts are left in the lab");
    let left = cloud.api.objects().unwrap();
    let left: Vec<_> = left.difference(&before).collect();
    assert!(left.is_empty(), "{name}: left in the cloud: {left:?}");
    eventually("the agents have gone", LIMIT, || {
        let agents =
            ON_PREM.map(|host| lab.must_ssh(host, "ps -eo args= | grep '[w]eir-agent' || true"));
        match agents.iter().all(String::is_empty) {
            true => Ok(()),
            false => Err(format!("{agents:?}")),
        }
    });
    planned
}

/// The machine was set up by what sets machines up in that cloud, and without a fault.
fn set_up(lab: &Lab, host: &str, image: Image) {
    match image {
        Image::CloudInit => {
            let status = lab.enter(host, "cloud-init status --wait");
            assert_eq!(
                status.trim_start_matches('.').trim(),
                "status: done",
                "{host}"
            );
        }
        Image::StartupScript => {
            let unit = "google-startup-scripts.service";
            let state = lab.enter(host, &format!("systemctl show -P Result {unit}"));
            assert_eq!(state, "success", "{host}");
        }
    }
}

/// What is planned for all that the offer does not make, by address.
fn outside(plan: &Json) -> BTreeMap<String, Json> {
    let changes = plan["resource_changes"].as_array().unwrap();
    let address = |c: &Json| c["address"].as_str().unwrap().to_owned();
    let others = changes.iter().filter(|c| !address(c).contains(".offer."));
    others.map(|c| (address(c), c["change"].clone())).collect()
}

#[test]
fn a_machine_that_went_is_made_again_and_the_pool_moves_to_another_cloud() {
    let _one = ONE_LAB.lock();
    let Some(lab) = Lab::up(1) else { return };
    let lab = Arc::new(lab);
    let stack = stack_for(&lab, &["onprem1"]);
    if !has_clouds(&stack) {
        return;
    }
    let Some(aws) = Cloud::aws() else {
        return skipped("moto is not installed");
    };
    let bridge = Bridge::begin(&lab, aws.provider, aws.api.clone(), aws.image);
    example(&stack, &aws);
    stack.weir(&["apply", "-auto-approve"]).expect_success();
    let here = servers(&lab, "onprem1");

    // The cloud takes a machine away: it, its host and its pod are made again, and nothing else.
    let [gone, stays] = &bridge.settled()[..] else {
        panic!("two machines")
    };
    let Api::Ec2 { address, region } = &aws.api else {
        panic!("moto")
    };
    let terminate = [
        ("Action", "TerminateInstances"),
        ("InstanceId.1", &gone.machine.id),
    ];
    ec2::call(address, region, &terminate).unwrap();
    assert_eq!(bridge.settled().len(), 1);
    let there = servers(&lab, &stays.host);
    let run = stack.weir(&["apply", "-auto-approve"]).expect_success();
    let twins = bridge.settled();
    assert_eq!(twins.len(), 2, "{}", run.transcript());
    assert!(twins.iter().any(|t| t.host == stays.host), "{twins:?}");
    assert_eq!(
        (servers(&lab, "onprem1"), servers(&lab, &stays.host)),
        (here.clone(), there)
    );
    for Twin { host, machine } in &twins {
        let text = page(&lab, host, &machine.address);
        assert!(text.contains("Served by main-cloud-"), "{text}");
    }
    stack.weir(&["plan", "-detailed-exitcode"]).expect_code(0);

    // The offer's provider is another: the machines of one cloud go, those of the other come, and
    // what runs on the host that exists runs on.
    let google = Cloud::google();
    let other = Bridge::begin(&lab, google.provider, google.api.clone(), google.image);
    let text = fs::read_to_string(stack.path().join("stack.hcl")).unwrap();
    let text = text
        .replace("provider = aws\n", "provider = google\n")
        .replace(
            "region   = \"eu-central-1\"",
            &format!("region   = \"{}\"", google.region),
        );
    stack.file("stack.hcl", &format!("{text}\n{}", google.block));
    stack.weir(&["apply", "-auto-approve"]).expect_success();
    assert_eq!(bridge.settled(), []);
    assert_eq!(other.settled().len(), 2);
    assert_eq!(servers(&lab, "onprem1"), here);
    for Twin { host, machine } in &other.settled() {
        let text = page(&lab, host, &machine.address);
        assert!(text.contains("Served by main-cloud-"), "{text}");
    }
    stack.weir(&["plan", "-detailed-exitcode"]).expect_code(0);
    stack.weir(&["destroy", "-auto-approve"]).expect_success();
    assert_eq!(other.settled(), []);
}
