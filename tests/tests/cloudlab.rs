//! A machine that a cloud's API makes, moto's EC2 here, is a host of the lab for as long as the API
//! has it, and is what its user data and key pair make of it.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test may panic as the test may"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use weir_tests::cloudlab::ec2::{self, Moto};
use weir_tests::cloudlab::{Api, Bridge, Image, Power};
use weir_tests::lab::Lab;
use weir_tests::wait::eventually;

/// Bounds a broken test, measures nothing.
const LIMIT: Duration = Duration::from_secs(120);

const REGION: &str = "eu-central-1";

/// A new key pair's private file, and its public line.
fn key(folder: &Path, name: &str) -> (PathBuf, String) {
    let file = folder.join(name);
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", name, "-f"])
        .arg(&file)
        .status();
    assert!(made.unwrap().success());
    let public = fs::read_to_string(file.with_extension("pub")).unwrap();
    (file, public.trim().to_owned())
}

/// Runs a command over SSH as root: with this key, and where the host shows the pinned key alone.
fn ssh(folder: &Path, address: &str, host_key: &str, command: &str) -> Result<String, String> {
    let known = folder.join("known_hosts");
    fs::write(&known, format!("{address} {host_key}\n")).unwrap();
    let output = Command::new("ssh")
        .args([
            "-o",
            "IdentitiesOnly=yes",
            "-o",
            "StrictHostKeyChecking=yes",
        ])
        .args([
            "-o",
            "BatchMode=yes",
            "-o",
            "ConnectTimeout=5",
            "-o",
            "LogLevel=ERROR",
        ])
        .arg("-o")
        .arg(format!("UserKnownHostsFile={}", known.display()))
        .arg("-i")
        .arg(folder.join("login"))
        .args([&format!("root@{address}"), command])
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    match output.status.success() {
        true => Ok(text(&output.stdout)),
        false => Err(text(&output.stderr)),
    }
}

#[test]
fn an_instance_is_a_host_for_as_long_as_the_api_has_it() {
    let Some(lab) = Lab::up(0) else { return };
    let lab = Arc::new(lab);
    let Some(moto) = Moto::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (_, login) = key(folder, "login");
    let (host_file, host_key) = key(folder, "host");
    let base64 = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    let user_data = serde_json::json!({
        "hostname": "web",
        "disable_root": false,
        "ssh_deletekeys": true,
        "ssh_keys": {
            "ed25519_private": fs::read_to_string(host_file).unwrap(),
            "ed25519_public": &host_key,
        },
        "write_files": [{ "path": "/etc/given", "content": "given\n" }],
        "runcmd": ["cat /etc/given /etc/hostname > /root/ran"],
    });
    let user_data = format!("#cloud-config\n{user_data}");
    let call = |form: &[(&str, &str)]| ec2::call(&moto.address, REGION, form).unwrap();
    call(&[
        ("Action", "ImportKeyPair"),
        ("KeyName", "login"),
        ("PublicKeyMaterial", &base64(&login)),
    ]);
    let api = Api::Ec2 {
        address: moto.address.clone(),
        region: REGION.to_owned(),
    };
    let before = api.objects().unwrap();
    let bridge = Bridge::begin(&lab, "aws", api.clone(), Image::CloudInit);
    assert_eq!(bridge.settled(), []);
    call(&[
        ("Action", "RunInstances"),
        ("ImageId", "ami-0d000000000000012"),
        ("InstanceType", "t3.small"),
        ("KeyName", "login"),
        ("UserData", &base64(&user_data)),
        ("MinCount", "1"),
        ("MaxCount", "1"),
    ]);

    // It lets in whom the key pair says, shows the key that it was given, and did as it was told.
    let [twin] = &bridge.settled()[..] else {
        panic!("one machine")
    };
    let id = &twin.machine.id;
    let public = twin.machine.public_address.as_deref().unwrap();
    let ran = eventually("it has done as it was told", LIMIT, || {
        ssh(folder, public, &host_key, "cat /root/ran")
    });
    assert_eq!(ran, "given\nweb");
    let addresses = lab.enter(&twin.host, "ip -4 -o addr show dev eth0");
    for address in [public, &twin.machine.address] {
        assert!(addresses.contains(&format!(" {address}/")), "{addresses}");
    }
    assert!(
        lab.ssh(&twin.host, "true").is_err(),
        "the lab's key is not its key"
    );

    // Stopped and started it is the same machine.
    call(&[("Action", "StopInstances"), ("InstanceId.1", id)]);
    let [stopped] = &bridge.settled()[..] else {
        panic!("one machine")
    };
    assert_eq!(stopped.machine.power, Power::Stopped);
    assert!(ssh(folder, public, &host_key, "true").is_err());
    call(&[("Action", "StartInstances"), ("InstanceId.1", id)]);
    let [started] = &bridge.settled()[..] else {
        panic!("one machine")
    };
    assert_eq!(
        (&started.host, started.machine.power),
        (&twin.host, Power::Running)
    );
    let public = started.machine.public_address.as_deref().unwrap();
    eventually("it is back", LIMIT, || {
        ssh(folder, public, &host_key, "cat /root/ran")
    });

    // Terminated it leaves nothing.
    call(&[("Action", "TerminateInstances"), ("InstanceId.1", id)]);
    assert_eq!(bridge.settled(), []);
    assert_eq!(lab.hosts(), Vec::<String>::new());
    let left = api.objects().unwrap();
    assert_eq!(
        left.difference(&before).collect::<Vec<_>>(),
        Vec::<&String>::new()
    );
}
