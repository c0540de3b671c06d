//! A real agent on a temporary home, and a client to drive it with.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::net::UnixStream;
use weir_agent::Client;
use weir_agent::wire::{
    Check, Event, EventKind, HostReport, HostSpec, PodSpec, PodStatus, Probe, TaskSpec, TaskState,
};

pub(crate) const SCOPE: &str = "2c1f5a9e-stack";
pub(crate) const POD: &str = "service.web.pod.app[\"0\"]";
const PATIENCE: Duration = Duration::from_secs(60);

/// An agent in the foreground, as a child of the test. Whatever it started ends with it.
pub(crate) struct Host {
    pub(crate) dir: TempDir,
    agent: Child,
}

impl Host {
    pub(crate) async fn start() -> Self {
        let dir = tempfile::Builder::new()
            .prefix("weir-agent-")
            .tempdir()
            .expect("a temporary directory can be made");
        let agent = spawn(&dir.path().join("home"));
        let host = Self { dir, agent };
        host.client().await;
        host
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.home().join("agent.sock")
    }

    /// A path outside the agent's home.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) async fn client(&self) -> Client<UnixStream> {
        eventually("the agent answers", async || {
            let stream = UnixStream::connect(self.socket()).await.ok()?;
            Client::connect(stream).await.ok()
        })
        .await
    }

    /// `kill -9`, then a new agent on the same home.
    pub(crate) async fn crash_and_restart(&mut self) {
        self.agent.kill().expect("it is our child");
        self.agent.wait().expect("it is our child");
        self.agent = spawn(&self.home());
        self.client().await;
    }

    pub(crate) fn crash(&mut self) {
        self.agent.kill().expect("it is our child");
        self.agent.wait().expect("it is our child");
    }

    pub(crate) async fn restart(&mut self) {
        self.agent = spawn(&self.home());
        self.client().await;
    }

    pub(crate) async fn apply(&self, spec: HostSpec) -> Applied {
        let mut events = Vec::new();
        let report = self
            .client()
            .await
            .apply(spec, |event| events.push(event))
            .await
            .expect("the agent accepts the spec");
        Applied { report, events }
    }

    pub(crate) async fn status(&self) -> HostReport {
        let mut client = self.client().await;
        client.status(Some(SCOPE)).await.expect("the agent answers")
    }

    pub(crate) async fn pod(&self) -> PodStatus {
        pod_of(&self.status().await)
    }

    /// The directory of the pod with this slug.
    pub(crate) async fn pod_dir(&self) -> PathBuf {
        PathBuf::from(self.pod().await.directory)
    }

    /// Waits until the pod's task is in a wanted state, and gives what `look` makes of it.
    pub(crate) async fn task<T>(&self, task: &str, look: impl Fn(&TaskState) -> Option<T>) -> T {
        eventually(&format!("task {task} comes into the state"), async || {
            look(&self.pod().await.tasks.get(task)?.state)
        })
        .await
    }

    pub(crate) async fn pid(&self, task: &str) -> u32 {
        self.task(task, |state| match state {
            TaskState::Running { pid, ready: true } => Some(*pid),
            _ => None,
        })
        .await
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let socket = self.socket();
        // A runtime of its own: this may run inside the test's.
        let stopped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .ok()?;
            runtime.block_on(async {
                let stream = UnixStream::connect(socket).await.ok()?;
                let mut client = Client::connect(stream).await.ok()?;
                let report = client.status(None).await.ok()?;
                for scope in report.scopes.keys() {
                    client.forget(scope, drop).await.ok()?;
                }
                client.shutdown(false).await.ok()
            })
        })
        .join();
        if stopped.ok().flatten().is_none() {
            let _ = self.agent.kill();
        }
        let _ = self.agent.wait();
    }
}

/// Begun by somebody who ignores signals, as `nohup` and some runners of CI do: no task must notice.
fn spawn(home: &Path) -> Child {
    Command::new("/bin/sh")
        .args(["-c", "trap '' HUP QUIT USR1 USR2; exec \"$0\" \"$@\""])
        .arg(env!("CARGO_BIN_EXE_weir-agent"))
        .args(["run", "--home"])
        .arg(home)
        .stdin(Stdio::null())
        .spawn()
        .expect("the agent is built")
}

pub(crate) struct Applied {
    pub(crate) report: HostReport,
    pub(crate) events: Vec<Event>,
}

impl Applied {
    pub(crate) fn pod(&self) -> PodStatus {
        pod_of(&self.report)
    }

    /// What was changed, as `step: what`.
    pub(crate) fn changes(&self) -> Vec<String> {
        let changed = |event: &Event| match &event.kind {
            EventKind::Changed { what } => Some(format!("{}: {what}", event.step)),
            _ => None,
        };
        self.events.iter().filter_map(changed).collect()
    }

    /// The pod's error, as `step: message`.
    pub(crate) fn error(&self) -> String {
        let error = self.pod().error.expect("the pod failed");
        format!("{}: {}", error.step, error.message)
    }
}

pub(crate) fn pod_of(report: &HostReport) -> PodStatus {
    report.scopes[SCOPE].pods[POD].clone()
}

pub(crate) fn host_spec(generation: u64, pod: PodSpec) -> HostSpec {
    HostSpec {
        scope: SCOPE.into(),
        generation,
        set: vec![pod],
        remove: Vec::new(),
    }
}

pub(crate) fn removal(generation: u64) -> HostSpec {
    HostSpec {
        scope: SCOPE.into(),
        generation,
        set: Vec::new(),
        remove: vec![POD.into()],
    }
}

/// A pod with these tasks.
pub(crate) fn pod(tasks: impl IntoIterator<Item = TaskSpec>) -> PodSpec {
    let mut pod = PodSpec::new(POD, "web-app-0");
    pod.tasks = tasks.into_iter().collect();
    pod
}

/// A check by a command, asked often.
pub(crate) fn exec_check(run: &str, timeout_ms: u64) -> Check {
    Check {
        every_ms: 50,
        timeout_ms,
        ..Check::new(Probe::Exec { run: run.into() })
    }
}

pub(crate) async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "not within {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub(crate) fn is_alive(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
        !stat
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .starts_with(" Z")
    })
}

/// How many processes have this text in their command line.
pub(crate) fn processes_with(text: &str) -> usize {
    std::fs::read_dir("/proc")
        .expect("/proc is mounted")
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| is_alive(*pid))
        .filter_map(|pid| std::fs::read(format!("/proc/{pid}/cmdline")).ok())
        .filter(|line| String::from_utf8_lossy(line).contains(text))
        .count()
}

pub(crate) fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill")
        .args(["-s", name, &pid.to_string()])
        .status()
        .expect("kill can be run");
    assert!(sent.success());
}
