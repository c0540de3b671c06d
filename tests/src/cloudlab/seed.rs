//! What a new machine finds on its disk: what its cloud would have put there, or told it.
//!
//! - [`Image::CloudInit`]: the image has Debian's cloud-init; user data, name and keys are a seed of
//!   its datasource NoCloud. What is done with them is cloud-init's doing, as in the cloud.
//! - [`Image::StartupScript`]: Google's Debian images have no cloud-init. Its guest agent makes the
//!   host keys at the first boot and runs the metadata's start script at every boot, when the network
//!   and the SSH server are up; two units do so here.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use serde_json::json;

use super::Machine;

/// What a machine boots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Image {
    /// A system with cloud-init.
    CloudInit,
    /// A system without, whose start script is run at every boot.
    StartupScript,
}

impl Image {
    /// The lab's layer that has it; empty for the base.
    pub fn layer(self) -> &'static str {
        match self {
            Self::CloudInit => "cloud",
            Self::StartupScript => "",
        }
    }
}

const HOST_KEYS: &str = "[Unit]
Before=ssh.service
ConditionPathExists=!/etc/ssh/ssh_host_ed25519_key
[Service]
Type=oneshot
ExecStart=/usr/bin/ssh-keygen -A
[Install]
WantedBy=multi-user.target
";

const START_SCRIPT: &str = "[Unit]
After=network-online.target ssh.service
Wants=network-online.target
[Service]
Type=oneshot
RemainAfterExit=true
ExecStart=/var/lib/google/startup-script
[Install]
WantedBy=multi-user.target
";

/// Writes it into an empty folder, which is laid over the root of the machine's disk.
///
/// # Errors
/// A file can't be written.
pub fn write(folder: &Path, machine: &Machine, image: Image) -> io::Result<()> {
    match image {
        Image::CloudInit => cloud_init(folder, machine),
        Image::StartupScript => startup_script(folder, machine),
    }
}

fn cloud_init(folder: &Path, machine: &Machine) -> io::Result<()> {
    let keys = machine.ssh_keys.iter().map(|k| k.key.as_str());
    let about = json!({
        "instance-id": machine.id.to_ascii_lowercase(),
        "local-hostname": machine.name,
        "public-keys": keys.collect::<Vec<_>>(),
    });
    let seed = "var/lib/cloud/seed/nocloud";
    // JSON is YAML.
    file(
        folder,
        &format!("{seed}/meta-data"),
        &about.to_string(),
        0o600,
    )?;
    let data = machine.user_data.as_deref().unwrap_or_default();
    file(folder, &format!("{seed}/user-data"), data, 0o600)?;
    let named = machine.ssh_keys.iter().find(|k| !k.user.is_empty());
    if let Some(key) = named {
        let user = json!({ "system_info": { "default_user": { "name": key.user } } });
        file(
            folder,
            "etc/cloud/cloud.cfg.d/95_user.cfg",
            &user.to_string(),
            0o644,
        )?;
    }
    Ok(())
}

fn startup_script(folder: &Path, machine: &Machine) -> io::Result<()> {
    unit(folder, "google-host-keys.service", HOST_KEYS)?;
    if let Some(script) = machine.metadata.get("startup-script") {
        file(folder, "var/lib/google/startup-script", script, 0o700)?;
        unit(folder, "google-startup-scripts.service", START_SCRIPT)?;
    }
    Ok(())
}

fn unit(folder: &Path, name: &str, text: &str) -> io::Result<()> {
    file(folder, &format!("etc/systemd/system/{name}"), text, 0o644)?;
    let wants = folder.join("etc/systemd/system/multi-user.target.wants");
    fs::create_dir_all(&wants)?;
    symlink(format!("../{name}"), wants.join(name))
}

fn file(folder: &Path, path: &str, text: &str, mode: u32) -> io::Result<()> {
    let path = folder.join(path);
    if let Some(above) = path.parent() {
        fs::create_dir_all(above)?;
    }
    fs::write(&path, text)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(mode))
}
