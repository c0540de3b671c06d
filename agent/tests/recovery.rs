//! What outlives the agent: its tasks, its goal, its generations; and starting it as a daemon.

mod host;

use std::fs;
use std::path::Path;
use std::process::Command;

use host::{Host, SCOPE, eventually, host_spec, pod, removal};
use tokio::net::UnixStream;
use weir_agent::wire::{AgentError, FileSpec, Goal, ShutdownOutcome, TaskSpec, TaskState};
use weir_agent::{Client, ClientError};

#[tokio::test]
async fn running_tasks_are_taken_over_after_a_crash() {
    let mut host = Host::start().await;
    let spec = pod([TaskSpec::command("main", "exec sleep 7010")]);
    host.apply(host_spec(1, spec.clone())).await;
    let pid = host.pid("main").await;
    host.crash_and_restart().await;
    assert_eq!(host.pid("main").await, pid, "it is the same process");
    assert_eq!(
        host.apply(host_spec(2, spec)).await.events,
        [],
        "nothing changed"
    );
    assert_eq!(host::processes_with("sleep\x007010"), 1);
    // It is still supervised.
    host::signal(pid, "KILL");
    eventually("another process runs", async || {
        (host.pid("main").await != pid).then_some(())
    })
    .await;
    // The shell that was started is not the sleep at once.
    eventually("it is the only one", async || {
        (host::processes_with("sleep\x007010") == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn tasks_that_died_with_the_agent_are_started_again() {
    let mut host = Host::start().await;
    host.apply(host_spec(
        1,
        pod([TaskSpec::command("main", "exec sleep 1000")]),
    ))
    .await;
    let pid = host.pid("main").await;
    // As after a reboot: nothing of it runs.
    host.crash();
    host::signal(pid, "KILL");
    host.restart().await;
    // A signal is not obeyed at once: the agent may still find the process there.
    eventually("another process runs", async || {
        (host.pid("main").await != pid).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_interrupted_apply_is_continued() {
    let mut host = Host::start().await;
    let mut slow = TaskSpec::command(
        "migrate",
        "touch begun; while [ ! -e go ]; do sleep 0.05; done",
    );
    slow.goal = Goal::Finish;
    let spec = pod([slow, TaskSpec::command("main", "exec sleep 1000")]);
    let mut client = host.client().await;
    let applying = {
        let spec = host_spec(1, spec.clone());
        tokio::spawn(async move { client.apply(spec, drop).await })
    };
    let dir = eventually("the migration runs", async || {
        let pods = host.status().await.scopes.get(SCOPE)?.pods.clone();
        let dir = pods.values().next()?.directory.clone();
        Path::new(&dir).join("begun").exists().then_some(dir)
    })
    .await;
    host.crash_and_restart().await;
    assert!(
        applying.await.unwrap().is_err(),
        "the client sees the agent go"
    );
    fs::write(Path::new(&dir).join("go"), "").unwrap();
    // With nobody connected: the goal is in the ledger.
    eventually("the pod is settled", async || {
        host.pod().await.settled.then_some(())
    })
    .await;
    host.pid("main").await;
    assert_eq!(
        host.pod().await.tasks["migrate"].state,
        TaskState::Finished { code: 0 }
    );
    assert_eq!(
        host.apply(host_spec(1, spec)).await.events,
        [],
        "the same generation again"
    );
}

#[tokio::test]
async fn an_end_that_nobody_saw_is_known() {
    let mut host = Host::start().await;
    let mut task = TaskSpec::command(
        "job",
        "touch begun; while [ ! -e go ]; do sleep 0.05; done; echo ran >> runs",
    );
    task.goal = Goal::Once;
    let spec = pod([task]);
    let mut client = host.client().await;
    let sent = host_spec(1, spec.clone());
    let applying = tokio::spawn(async move { client.apply(sent, drop).await });
    let dir = eventually("the job runs", async || {
        let pods = host.status().await.scopes.get(SCOPE)?.pods.clone();
        let dir = pods.values().next()?.directory.clone();
        Path::new(&dir).join("begun").exists().then_some(dir)
    })
    .await;
    host.crash();
    assert!(applying.await.unwrap().is_err());
    fs::write(Path::new(&dir).join("go"), "").unwrap();
    let runs = Path::new(&dir).join("runs");
    eventually("the job is through", async || runs.exists().then_some(())).await;
    host.restart().await;
    eventually("the pod is settled", async || {
        host.pod().await.settled.then_some(())
    })
    .await;
    assert_eq!(fs::read_to_string(runs).unwrap(), "ran\n", "it ran once");
}

#[tokio::test]
async fn generations_and_backups_outlive_a_crash() {
    let mut host = Host::start().await;
    let path = host.path("conf");
    fs::write(&path, "before").unwrap();
    let mut spec = pod([]);
    spec.files = vec![FileSpec::new(path.display().to_string(), "ours")];
    host.apply(host_spec(7, spec)).await;
    host.crash_and_restart().await;
    let older = host.client().await.apply(removal(6), drop).await;
    assert!(matches!(
        older,
        Err(ClientError::Agent(AgentError::OlderGeneration {
            have: 7,
            got: 6
        }))
    ));
    host.apply(removal(8)).await;
    assert_eq!(fs::read_to_string(path).unwrap(), "before");
}

#[tokio::test]
async fn a_reaction_is_not_lost_in_a_crash() {
    let mut host = Host::start().await;
    let with = |content: &str| {
        let mut spec = pod([TaskSpec::command("main", "exec sleep 1000")]);
        spec.files = vec![FileSpec::new("conf", content)];
        spec
    };
    host.apply(host_spec(1, with("1"))).await;
    let pid = host.pid("main").await;
    host.crash();
    // As if the agent had been killed between the file and the restart of its task.
    let scopes = host.home().join("scopes");
    let ledger = fs::read_dir(&scopes)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let text = fs::read_to_string(&ledger).unwrap();
    assert!(text.contains("\"pending\":\"Nothing\""));
    fs::write(
        &ledger,
        text.replace("\"pending\":\"Nothing\"", "\"pending\":\"Restart\""),
    )
    .unwrap();
    host.restart().await;
    let applied = host.apply(host_spec(2, with("1"))).await;
    assert_eq!(applied.changes(), ["task main: restarted"]);
    assert_ne!(host.pid("main").await, pid);
}

#[tokio::test]
async fn a_corrupt_ledger_is_told_and_kept() {
    let mut host = Host::start().await;
    let spec = pod([TaskSpec::command("main", "exec sleep 7011")]);
    host.apply(host_spec(1, spec.clone())).await;
    host.crash();
    let scopes = host.home().join("scopes");
    let ledger = fs::read_dir(&scopes)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    fs::write(&ledger, "{\"version\":").unwrap();
    host.restart().await;
    let mut client = host.client().await;
    let refused = client.apply(host_spec(2, spec.clone()), drop).await;
    let Err(ClientError::Agent(AgentError::CorruptLedger { aside, .. })) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(fs::read_to_string(aside).unwrap(), "{\"version\":");
    let taken_over = host.apply(host_spec(2, spec)).await;
    assert_eq!(taken_over.pod().error, None);
    assert_eq!(
        host::processes_with("sleep\x007011"),
        1,
        "nothing runs twice"
    );
}

fn agent(arguments: &[&str]) -> serde_json::Value {
    let output = Command::new(env!("CARGO_BIN_EXE_weir-agent"))
        .args(arguments)
        .output()
        .expect("the agent is built");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&output.stdout).expect("one line of JSON")
}

#[tokio::test]
async fn start_makes_one_daemon() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("home").display().to_string();
    let first = agent(&["start", "--home", &home]);
    assert_eq!(first["changed"], true);
    let again = agent(&["start", "--home", &home]);
    assert_eq!(again["changed"], false, "the same version runs already");
    assert_eq!(first["sha256"], again["sha256"]);
    let socket = first["socket"].as_str().unwrap();

    let second = Command::new(env!("CARGO_BIN_EXE_weir-agent"))
        .args(["run", "--home", &home])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(
        !second.status.success() && said.contains("another agent runs"),
        "{said}"
    );

    // Another build of the agent is replaced, and its tasks are handed over.
    let stream = UnixStream::connect(socket).await.unwrap();
    let mut client = Client::connect(stream).await.unwrap();
    let report = client
        .apply(
            host_spec(1, pod([TaskSpec::command("main", "exec sleep 1000")])),
            drop,
        )
        .await
        .unwrap();
    let pid_of =
        |report: &weir_agent::wire::HostReport| match host::pod_of(report).tasks["main"].state {
            TaskState::Running { pid, .. } => pid,
            ref other => panic!("{other:?}"),
        };
    let pid = pid_of(&report);
    let lock = dir.path().join("home/agent.lock");
    let text = fs::read_to_string(&lock).unwrap();
    let sha256 = first["sha256"].as_str().unwrap();
    fs::write(&lock, text.replace(sha256, &"0".repeat(64))).unwrap();
    assert_eq!(agent(&["start", "--home", &home])["changed"], true);
    let stream = UnixStream::connect(socket).await.unwrap();
    let mut client = Client::connect(stream).await.unwrap();
    let report = eventually("the new agent has taken the task over", async || {
        let report = client.status(None).await.unwrap();
        let running = matches!(
            host::pod_of(&report).tasks["main"].state,
            TaskState::Running { .. }
        );
        running.then_some(report)
    })
    .await;
    assert_eq!(pid_of(&report), pid);
    assert_eq!(report.agent.sha256, sha256);

    client.forget(SCOPE, drop).await.unwrap();
    assert_eq!(
        client.shutdown(true).await.unwrap(),
        ShutdownOutcome::Stopping
    );
    assert!(!host::is_alive(pid));
    eventually("the home is gone", async || {
        (!dir.path().join("home").exists()).then_some(())
    })
    .await;
}

#[tokio::test]
async fn connect_bridges_stdin_and_stdout() {
    let host = Host::start().await;
    let mut bridge = tokio::process::Command::new(env!("CARGO_BIN_EXE_weir-agent"))
        .args(["connect", "--socket"])
        .arg(host.socket())
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let stream = tokio::io::join(bridge.stdout.take().unwrap(), bridge.stdin.take().unwrap());
    let mut client = Client::connect(stream).await.unwrap();
    let report = client.status(None).await.unwrap();
    assert!(!report.host.boot_id.is_empty() && report.scopes.is_empty());
    drop(client);
    assert!(
        bridge.wait().await.unwrap().success(),
        "it ends with its client"
    );
}
