//! Real hosts for a test: `tests/lab/lab` behind a value that cleans up after itself.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::golden::Filters;
use crate::wait::eventually;

/// When this environment variable is set, a machine that can't run the lab fails the tests that
/// need it instead of skipping them.
pub const REQUIRE: &str = "WEIR_REQUIRE_LAB";

/// The site of hosts made by [`Lab::up`].
pub const SITE: &str = "onprem";

/// How long a host may take to come back.
const BOOT_LIMIT: Duration = Duration::from_secs(90);

/// What the hosts of a lab are like.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The size of each host's disk, such as `"256m"`; the machine's own disk without it. Needed by
    /// [`Lab::fill`].
    pub disk: Option<String>,
    /// A layer over the base image, such as `"w10"`.
    pub layer: Option<String>,
}

/// A host that is what its seed makes of it, as a machine of a cloud is: the lab puts no key of its own
/// there.
#[derive(Debug, Clone, Copy)]
pub struct Extra<'a> {
    /// The layer over the base image; empty for none.
    pub layer: &'a str,
    /// A folder that is laid over its disk before it boots.
    pub seed: &'a Path,
    /// An address that this machine and every site reach it at, beside the lab's own.
    pub public: Option<&'a str>,
    /// An address with its network's bits that its own site alone reaches it at.
    pub private: &'a str,
}

/// A lab of running hosts with a name of its own; it goes down when dropped, also by a panic.
///
/// Hosts are named `onprem1`, `onprem2`, ... and are reached as root. Every method panics when the
/// lab refuses, with what it said: a fault that was not injected would make the test a lie.
#[derive(Debug)]
pub struct Lab {
    name: String,
    folder: PathBuf,
}

impl Lab {
    /// Boots `hosts` hosts at the site `onprem`. Returns `None`, having said why, on a machine that
    /// can't run them.
    ///
    /// # Panics
    /// When the machine should be able to and the lab fails, or when it can't and
    /// `WEIR_REQUIRE_LAB` is set.
    #[track_caller]
    pub fn up(hosts: u32) -> Option<Self> {
        Self::up_with(hosts, &Options::default())
    }

    /// As [`Lab::up`], with options.
    ///
    /// # Panics
    /// As [`Lab::up`].
    #[track_caller]
    pub fn up_with(hosts: u32, options: &Options) -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        if let Err(reason) = available() {
            assert!(
                std::env::var_os(REQUIRE).is_none(),
                "{REQUIRE} is set and {reason}"
            );
            // Not `eprintln!`, which the test harness hides when a test passes.
            let _ = writeln!(std::io::stderr(), "SKIPPED, no lab of real hosts: {reason}");
            return None;
        }
        sweep();
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("t{}n{count}", std::process::id());
        let folder = root().join("labs").join(&name);
        // Made before anything runs, so that a failing `up` is cleaned as well.
        let lab = Self { name, folder };
        let mut command = lab.command(&["up", &format!("{SITE}:{hosts}")]);
        for (variable, value) in [("LAB_DISK", &options.disk), ("LAB_LAYERS", &options.layer)] {
            match value {
                Some(value) => command.env(variable, value),
                None => command.env_remove(variable),
            };
        }
        expect_success("lab up", &run(&mut command));
        Some(lab)
    }

    /// The lab's name, as `LAB_NAME`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The names of all hosts.
    pub fn hosts(&self) -> Vec<String> {
        let listed = self.lab(&["hosts"]);
        let names = listed.lines().filter_map(|line| line.split(' ').next());
        names.map(str::to_owned).collect()
    }

    /// A host's IPv4 address.
    #[track_caller]
    pub fn address(&self, host: &str) -> String {
        self.read(&format!("hosts/{host}/ip"))
    }

    /// This machine's address, as the hosts at [`SITE`] and all that have public addresses see it.
    #[track_caller]
    pub fn controller(&self) -> String {
        format!("10.{}.1.1", self.read("net"))
    }

    /// A host's public key, as `site` blocks and known_hosts files write it.
    #[track_caller]
    pub fn host_key(&self, host: &str) -> String {
        let line = self.read(&format!("hosts/{host}/known_host"));
        line.split_once(' ')
            .expect("a known_hosts line has an address and a key")
            .1
            .to_owned()
    }

    /// The file of all hosts' public keys.
    pub fn known_hosts(&self) -> PathBuf {
        self.folder.join("known_hosts")
    }

    /// The private key that every host admits as root.
    pub fn key(&self) -> PathBuf {
        self.folder.join("id_lab")
    }

    /// A `site` block with these hosts, their keys pinned.
    #[track_caller]
    pub fn site(&self, name: &str, hosts: &[impl AsRef<str>]) -> String {
        let mut block = format!(
            "site \"{name}\" {{\n  ssh {{\n    user             = \"root\"\n    private_key_file = \"{}\"\n  }}\n",
            self.key().display()
        );
        for host in hosts.iter().map(AsRef::as_ref) {
            block += &format!(
                "  host \"{host}\" {{\n    address  = \"{}\"\n    host_key = \"{}\"\n  }}\n",
                self.address(host),
                self.host_key(host)
            );
        }
        block + "}\n"
    }

    /// Filters for golden files: this lab's addresses, keys and paths.
    pub fn filters(&self) -> Filters {
        let network = self.read("net");
        Filters::none()
            .literal(&self.folder.to_string_lossy(), "[LAB]")
            .pattern(
                &format!(r"\b10\.{network}\.(\d+)\.(\d+)\b"),
                "10.0.${1}.${2}",
            )
            .pattern(r"AAAAC3[A-Za-z0-9+/=]{20,}", "[KEY]")
            .pattern(r"SHA256:[A-Za-z0-9+/]{43}", "SHA256:[FINGERPRINT]")
    }

    /// One more host at `onprem`, running.
    pub fn add(&self, host: &str) {
        self.lab(&["add", host, SITE]);
    }

    /// One more host at a site of any name, booting: nobody waits for its sshd.
    ///
    /// # Errors
    /// What the lab said when it refused.
    pub fn add_with(&self, host: &str, site: &str, extra: &Extra<'_>) -> Result<(), String> {
        let mut command = self.command(&["add", host, site]);
        command
            .env("LAB_LAYERS", extra.layer)
            .env("LAB_SEED", extra.seed)
            .env("LAB_PUBLIC", extra.public.unwrap_or("-"))
            .env("LAB_PRIVATE", extra.private)
            .env_remove("LAB_DISK");
        success(&format!("lab add {host}"), &run(&mut command))
    }

    /// Any command of the lab, such as `["remove", "aws-1"]`; its standard output, trimmed.
    ///
    /// # Errors
    /// What the lab said when it refused.
    pub fn try_lab(&self, arguments: &[&str]) -> Result<String, String> {
        let output = run(&mut self.command(arguments));
        success(&format!("lab {}", arguments.join(" ")), &output)?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Powers a host on that was stopped or crashed, and waits for its sshd.
    pub fn start(&self, host: &str) {
        self.lab(&["start", host]);
    }

    /// A clean shutdown.
    pub fn stop(&self, host: &str) {
        self.lab(&["stop", host]);
    }

    /// Power loss: every process gone at once; the disk stays.
    pub fn crash(&self, host: &str) {
        self.lab(&["crash", host]);
    }

    /// Reboots a host from within and waits until it is back.
    pub fn reboot(&self, host: &str) {
        let before = self.boot_id(host).expect("a running host has a boot id");
        // The connection may end before its answer does.
        let _ = self.ssh(host, "systemctl reboot");
        eventually(
            &format!("{host} is back after a reboot"),
            BOOT_LIMIT,
            || match self.boot_id(host) {
                Ok(now) if now != before => Ok(()),
                Ok(_) => Err("it has not gone down yet".to_owned()),
                Err(error) => Err(error),
            },
        );
    }

    /// A number that changes with every boot of a host.
    ///
    /// # Errors
    /// What ssh said when the host can't be reached.
    pub fn boot_id(&self, host: &str) -> Result<String, String> {
        // The kernel's own boot_id is the machine's; nspawn gives each boot of a host another one.
        self.ssh(host, "cat /proc/sys/kernel/random/boot_id")
    }

    /// The host is replaced by an empty one: same name and address, another host key.
    pub fn wipe(&self, host: &str) {
        self.lab(&["wipe", host]);
    }

    /// Every process of the host stops where it is: connections stay open and nothing answers.
    pub fn freeze(&self, host: &str) {
        self.lab(&["freeze", host]);
    }

    /// Ends [`Lab::freeze`].
    pub fn thaw(&self, host: &str) {
        self.lab(&["thaw", host]);
    }

    /// Pulls the host's network cable.
    pub fn cut(&self, host: &str) {
        self.lab(&["cut", host]);
    }

    /// Ends [`Lab::cut`].
    pub fn heal(&self, host: &str) {
        self.lab(&["heal", host]);
    }

    /// Packets to and from the host vanish without an answer.
    pub fn drop_packets(&self, host: &str) {
        self.lab(&["drop", host]);
    }

    /// Ends [`Lab::drop_packets`].
    pub fn pass_packets(&self, host: &str) {
        self.lab(&["undrop", host]);
    }

    /// Fills the host's disk to the last byte; needs [`Options::disk`].
    pub fn fill(&self, host: &str) {
        self.lab(&["fill", host]);
    }

    /// Ends [`Lab::fill`].
    pub fn unfill(&self, host: &str) {
        self.lab(&["unfill", host]);
    }

    /// Limits the memory of a whole host, in bytes; 0 lifts the limit.
    pub fn limit_memory(&self, host: &str, bytes: u64) {
        self.lab(&["mem", host, &bytes.to_string()]);
    }

    /// Runs a shell command on a host over ssh and returns its standard output, trimmed.
    ///
    /// # Errors
    /// What it said on standard error when it failed or the host can't be reached.
    pub fn ssh(&self, host: &str, command: &str) -> Result<String, String> {
        let output = run(&mut self.command(&["ssh", host, command]));
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        } else {
            Err(format!(
                "{host}: `{command}`: {}: {}",
                output.status,
                String::from_utf8_lossy(&output.stderr).trim()
            ))
        }
    }

    /// As [`Lab::ssh`], for a command that must succeed.
    ///
    /// # Panics
    /// When it fails.
    #[track_caller]
    pub fn must_ssh(&self, host: &str, command: &str) -> String {
        self.ssh(host, command)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// Runs a shell command inside a host without the network, so that it works on one that is cut
    /// off; returns its standard output, trimmed.
    ///
    /// # Panics
    /// When it fails.
    #[track_caller]
    pub fn enter(&self, host: &str, command: &str) -> String {
        self.lab(&["sh", host, command])
    }

    #[track_caller]
    fn lab(&self, arguments: &[&str]) -> String {
        self.try_lab(arguments)
            .unwrap_or_else(|refused| panic!("{refused}"))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(script("lab"));
        command.args(arguments).env("LAB_NAME", &self.name);
        command
    }

    #[track_caller]
    fn read(&self, file: &str) -> String {
        let path = self.folder.join(file);
        fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
            .trim()
            .to_owned()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let output = run(&mut self.command(&["down"]));
        if !output.status.success() && !std::thread::panicking() {
            panic!(
                "lab down failed: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
    }
}

/// Whether this machine can run a lab.
///
/// # Errors
/// Why it can't, and what to do about it, in plain words.
pub fn available() -> Result<(), String> {
    let output = run(Command::new(script("setup")).arg("--check"));
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(said.trim().trim_start_matches("lab: ").to_owned())
}

/// Takes down the labs of tests that were killed before they could do it themselves.
fn sweep() {
    let Ok(labs) = fs::read_dir(root().join("labs")) else {
        return;
    };
    for name in labs
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
    {
        if owner(&name).is_some_and(|pid| !Path::new("/proc").join(pid.to_string()).exists()) {
            run(Command::new(script("lab"))
                .arg("down")
                .env("LAB_NAME", &name));
        }
    }
}

/// The process that made a lab, when a test made it: `t1234n0` belongs to 1234.
fn owner(lab: &str) -> Option<u32> {
    lab.strip_prefix('t')?.split_once('n')?.0.parse().ok()
}

/// The folder of all labs, as the scripts have it.
fn root() -> PathBuf {
    std::env::var_os("WEIR_LAB").map_or_else(|| PathBuf::from("/var/tmp/weir-lab"), PathBuf::from)
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("lab").join(name)
}

#[track_caller]
fn run(command: &mut Command) -> Output {
    command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: can't be started: {error}"))
}

#[track_caller]
fn expect_success(what: &str, output: &Output) {
    success(what, output).unwrap_or_else(|failed| panic!("{failed}"));
}

fn success(what: &str, output: &Output) -> Result<(), String> {
    if output.status.success() {
        return Ok(());
    }
    Err(format!(
        "{what}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr),
        String::from_utf8_lossy(&output.stdout)
    ))
}

#[cfg(test)]
mod tests;
