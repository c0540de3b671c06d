//! A stack in a temporary folder, and the built `weir` on it.

#![allow(dead_code)] // each test file uses a part of it

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};
use tempfile::TempDir;

/// Three things on a cloud of one file; the size of the second is a variable.
pub(crate) const THINGS: &str = r#"
stack "things" {}

variable "size" {
  type    = number
  default = 1
}
variable "zone" {
  type    = string
  default = "z1"
}
variable "latency" {
  type    = number
  default = 0
}
variable "faults" {
  type    = number
  default = 0
}
variable "password" {
  type      = string
  default   = "hush-hush"
  sensitive = true
}

provider "fake" {
  path       = "${path.root}/cloud"
  latency_ms = var.latency
  faults {
    seed                = 1
    partial_create_rate = var.faults
  }
}

resource "fake_thing" "base" {
  name   = "base"
  zone   = var.zone
  secret = var.password
}

resource "fake_thing" "web" {
  count = 2
  name  = "web-${count.index}"
  size  = var.size
  tags  = { base = fake_thing.base.id }
}

output "endpoint" {
  value = fake_thing.base.endpoint
}

output "password" {
  value     = var.password
  sensitive = true
}
"#;

/// A folder with a stack in it.
pub(crate) struct Stack {
    root: TempDir,
}

/// What a run ended with.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Stack {
    pub(crate) fn new(text: &str) -> Stack {
        let root = tempfile::tempdir().unwrap();
        for folder in ["stack", "home"] {
            std::fs::create_dir(root.path().join(folder)).unwrap();
        }
        let stack = Stack { root };
        stack.write("main.hcl", text);
        stack
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.root.path().join("stack")
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap()
    }

    /// The command, in the stack's folder, with a clean environment.
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
        command
            .args(line.split(' ').filter(|a| !a.is_empty()))
            .current_dir(self.path())
            .env_clear()
            .env("HOME", self.root.path().join("home"))
            .env("USER", "ann")
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .stdin(Stdio::null());
        command
    }

    /// Runs the command to its end.
    pub(crate) fn weir(&self, line: &str) -> Ended {
        ended(self.command(line).output().unwrap())
    }

    /// Runs the command, which must end with this code.
    #[track_caller]
    pub(crate) fn expect(&self, code: i32, line: &str) -> Ended {
        let ended = self.weir(line);
        assert_eq!(ended.code, Some(code), "weir {line}: {ended:#?}");
        ended
    }

    pub(crate) fn spawn(&self, line: &str) -> Child {
        let mut command = self.command(line);
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Entries of this kind in the cloud's log.
    pub(crate) fn log(&self, kind: &str) -> usize {
        let text = std::fs::read_to_string(self.path().join("cloud")).unwrap_or_default();
        text.lines()
            .filter(|l| l.starts_with(&format!("{{\"{kind}\"")))
            .count()
    }

    /// Waits until the cloud has so many entries of this kind.
    #[track_caller]
    pub(crate) fn until(&self, kind: &str, count: usize) {
        let begun = std::time::Instant::now();
        while self.log(kind) < count {
            assert!(
                begun.elapsed().as_secs() < 60,
                "{count} x {kind} never came"
            );
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
}

pub(crate) fn ended(output: Output) -> Ended {
    Ended {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Sends a signal, as `kill` does.
pub(crate) fn kill(child: &Child, signal: &str) {
    let status = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status()
        .unwrap();
    assert!(status.success());
}

/// Every line of JSON.
pub(crate) fn json_lines(text: &str) -> Vec<serde_json::Value> {
    text.lines()
        .map(|l| serde_json::from_str(l).unwrap_or_else(|e| panic!("{e}: {l}")))
        .collect()
}

/// The permission bits of a file.
pub(crate) fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}
