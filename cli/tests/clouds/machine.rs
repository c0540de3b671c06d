//! A machine that a cloud says is running: an SSH server at its address, with the keys that
//! cloud-init would put there, in a world of its own in which an agent can live as root.

use serde_json::Value as Json;
use std::{
    fs,
    net::TcpStream,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};
use tempfile::TempDir;

const SSHD: &str = "/usr/sbin/sshd";

/// `$0` is sshd. Root's things go where no other machine sees them; there is no systemd.
const ISOLATE: &str = r#"set -e
for d in /var/lib /usr/local/lib /run; do mount -t tmpfs -o mode=755 tmpfs "$d"; done
mkdir /run/sshd
exec "$0" "$@""#;

/// A machine, for as long as it lives.
#[derive(Debug)]
pub struct Machine {
    server: Child,
    folder: TempDir,
}

impl Machine {
    /// Boots one at the address with its user data.
    pub fn boot(address: &str, user_data: &str) -> Machine {
        let folder = tempfile::tempdir().unwrap();
        let data = user_data.strip_prefix("#cloud-config\n");
        let data: Json = serde_json::from_str(data.expect("user data of cloud-init")).unwrap();
        let text = |v: &Json| v.as_str().unwrap().to_owned();
        let put = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            path.display().to_string()
        };
        let host_key = put("host", &text(&data["ssh_keys"]["ed25519_private"]));
        put("host.pub", &text(&data["ssh_keys"]["ed25519_public"]));
        let keys = data["ssh_authorized_keys"].as_array().unwrap().iter();
        let keys: Vec<String> = keys.map(text).collect();
        let authorized = put("authorized", &keys.join("\n"));
        let root = data["write_files"][0]["content"].as_str().unwrap();
        let config = format!(
            "{root}ListenAddress {address}:22\nHostKey {host_key}\nAuthorizedKeysFile {authorized}\n\
             PidFile none\nUsePAM no\nStrictModes no\nPasswordAuthentication no\n\
             KbdInteractiveAuthentication no\nMaxStartups 200\nPrintMotd no\n"
        );
        let config = put("sshd_config", &config);
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let server = Command::new("unshare")
            .args(["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"])
            .args(["sh", "-c", ISOLATE, SSHD, "-D", "-e", "-f", &config])
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let machine = Machine { server, folder };
        for _ in 0..600 {
            if TcpStream::connect((address, 22)).is_ok() {
                return machine;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let log = machine.folder().join("log");
        panic!("{address}: {}", fs::read_to_string(log).unwrap());
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
