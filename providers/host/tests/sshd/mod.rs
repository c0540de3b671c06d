//! A real sshd on a loopback port, with keys, files and users of its own.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use weir_host::ssh::{AgentUse, Endpoint, Hop, HostKeyPolicy, PublicKey, Timing};

const SSHD: &str = "/usr/sbin/sshd";

/// Whether the tools are there; says so on stderr where they are not.
pub(crate) fn available() -> bool {
    let missing: Vec<_> = [SSHD, "/usr/bin/ssh-keygen", "/usr/bin/ssh-agent"]
        .into_iter()
        .filter(|tool| !Path::new(tool).exists())
        .collect();
    if missing.is_empty() {
        return true;
    }
    // Past the harness, which swallows what a passing test prints.
    let _ = writeln!(
        std::io::stderr(),
        "SKIPPED: {} missing; install openssh-server and openssh-client to run this test",
        missing.join(" and ")
    );
    false
}

/// The login name of whoever runs the tests.
pub(crate) fn me() -> String {
    let output = Command::new("id").arg("-un").output().expect("id runs");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Runs a program to its end.
pub(crate) fn run(program: &str, args: &[&str], env: &[(&str, &Path)]) {
    let output = Command::new(program)
        .args(args)
        .envs(env.iter().copied())
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {args:?}: {stderr}");
}

/// Makes a key pair and returns the path of its private half.
pub(crate) fn keygen(folder: &Path, name: &str, kind: &str, passphrase: &str) -> PathBuf {
    let path = folder.join(name);
    let file = path.to_str().expect("a text path");
    run(
        "ssh-keygen",
        &["-q", "-t", kind, "-N", passphrase, "-C", name, "-f", file],
        &[],
    );
    path
}

/// The public half of a private key file.
pub(crate) fn public(path: &Path) -> PublicKey {
    let text = std::fs::read_to_string(path.with_extension("pub")).expect("a public key");
    PublicKey::from_openssh(&text).expect("a public key")
}

/// `ssh-ed25519 AAAA...` of a private key file.
pub(crate) fn public_line(path: &Path) -> String {
    let text = std::fs::read_to_string(path.with_extension("pub")).expect("a public key");
    text.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

/// How sshd is run.
#[derive(Debug, Clone, Copy)]
enum Program {
    Plain,
    Isolated,
}

impl Program {
    fn command(self) -> Command {
        if let Self::Plain = self {
            return Command::new(SSHD);
        }
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"])
            .args(["sh", "-c", ISOLATE, SSHD]);
        command
    }
}

/// `$0` is sshd.
const ISOLATE: &str = r#"set -e
for d in /var/lib /usr/local/lib /run; do mount -t tmpfs -o mode=755 tmpfs "$d"; done
mkdir /run/sshd
exec "$0" "$@""#;

/// A running server. Dropping it ends it.
pub(crate) struct Sshd {
    child: Child,
    pub(crate) folder: TempDir,
    pub(crate) port: u16,
    /// A user key it lets in.
    pub(crate) user_key: PathBuf,
    /// Its ed25519 host key.
    pub(crate) host_key: PathBuf,
}

impl Sshd {
    /// A server with one ed25519 host key.
    pub(crate) fn start() -> Self {
        Self::start_with(|_| String::new())
    }

    /// A server with more lines of configuration, made once its folder stands.
    pub(crate) fn start_with(extra: impl Fn(&Path) -> String) -> Self {
        Self::launch(Program::Plain, extra)
    }

    /// A server in a world of its own, with empty folders where root's things
    /// go and no systemd; all it has started ends with it. Needs root.
    pub(crate) fn start_isolated(extra: &str) -> Self {
        Self::launch(Program::Isolated, |_| extra.to_owned())
    }

    fn launch(program: Program, extra: impl Fn(&Path) -> String) -> Self {
        let folder = TempDir::new().expect("a folder");
        let user_key = keygen(folder.path(), "user", "ed25519", "");
        let host_key = keygen(folder.path(), "host", "ed25519", "");
        std::fs::copy(
            user_key.with_extension("pub"),
            folder.path().join("authorized"),
        )
        .expect("authorized keys");
        // sshd run by root wants its folder for separated privileges.
        let _ = std::fs::DirBuilder::new().mode(0o755).create("/run/sshd");
        let extra = extra(folder.path());
        for _ in 0..20 {
            if let Some((child, port)) = Self::try_start(program, folder.path(), &host_key, &extra)
            {
                return Self {
                    child,
                    folder,
                    port,
                    user_key,
                    host_key,
                };
            }
        }
        let log = std::fs::read_to_string(folder.path().join("log")).unwrap_or_default();
        panic!("sshd did not start: {log}");
    }

    /// One try on a free port; another process may take it first.
    fn try_start(
        program: Program,
        folder: &Path,
        host_key: &Path,
        extra: &str,
    ) -> Option<(Child, u16)> {
        let probe = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = probe.local_addr().expect("an address").port();
        drop(probe);
        let config = format!(
            "{extra}\nPort {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\n\
             PidFile none\nUsePAM no\nStrictModes no\nPasswordAuthentication no\n\
             KbdInteractiveAuthentication no\nPermitRootLogin yes\nLogLevel VERBOSE\n\
             MaxStartups 200\nPrintMotd no\n",
            host_key.display(),
            folder.join("authorized").display(),
        );
        std::fs::write(folder.join("sshd_config"), config).expect("a config");
        let log = std::fs::File::create(folder.join("log")).expect("a log");
        let mut child = program
            .command()
            .arg("-D")
            .arg("-e")
            .arg("-f")
            .arg(folder.join("sshd_config"))
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("sshd starts");
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(20) {
            if child.try_wait().expect("a child").is_some() {
                return None;
            }
            if speaks_ssh(port) {
                return Some((child, port));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = child.kill();
        let _ = child.wait();
        None
    }

    /// The way to it, with its host key pinned.
    pub(crate) fn hop(&self) -> Hop {
        Hop {
            address: "127.0.0.1".into(),
            port: self.port,
            user: me(),
            keys: vec![self.user_key.clone()],
            key: None,
            agent: AgentUse::EncryptedFilesOnly,
            host_key: HostKeyPolicy::Pinned(vec![public(&self.host_key)]),
        }
    }

    /// The way to it with a `known_hosts` file of this text, in which `HOST`
    /// stands for its name and `KEY` for its key.
    pub(crate) fn hop_known_by(&self, text: &str) -> Hop {
        let file = self.folder.path().join("known_hosts");
        let text = text
            .replace("HOST", &format!("[127.0.0.1]:{}", self.port))
            .replace("KEY", &public_line(&self.host_key));
        std::fs::write(&file, text).expect("known_hosts");
        Hop {
            host_key: HostKeyPolicy::KnownHosts { files: vec![file] },
            ..self.hop()
        }
    }

    /// Makes it read its configuration and keys again, and waits for that.
    pub(crate) fn reload(&self) {
        let restarts = || self.log().matches("Server listening on").count();
        let before = restarts();
        run("kill", &["-HUP", &self.child.id().to_string()], &[]);
        let start = Instant::now();
        while restarts() == before || !speaks_ssh(self.port) {
            assert!(
                start.elapsed() < Duration::from_secs(20),
                "no reload: {}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A direct way with the usual limits.
pub(crate) fn direct(target: Hop) -> Endpoint {
    Endpoint {
        target,
        bastions: Vec::new(),
        timing: Timing::default(),
    }
}

fn speaks_ssh(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else {
        return false;
    };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
    let mut banner = [0; 4];
    stream.read_exact(&mut banner).is_ok() && &banner == b"SSH-"
}

/// A running `ssh-agent`. Dropping it ends it.
pub(crate) struct Agent {
    child: Child,
    pub(crate) socket: PathBuf,
}

impl Agent {
    /// An agent that holds no key.
    pub(crate) fn start(folder: &Path) -> Self {
        let socket = folder.join("agent.sock");
        let child = Command::new("ssh-agent")
            .arg("-D")
            .arg("-a")
            .arg(&socket)
            .stdout(Stdio::null())
            .spawn()
            .expect("ssh-agent starts");
        let start = Instant::now();
        while !socket.exists() {
            assert!(start.elapsed() < Duration::from_secs(20), "no agent socket");
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { child, socket }
    }

    /// Gives it a key without a passphrase.
    pub(crate) fn add(&self, key: &Path) {
        let file = key.to_str().expect("a text path");
        run(
            "ssh-add",
            &["-q", file],
            &[("SSH_AUTH_SOCK", self.socket.as_path())],
        );
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
