//! Tasks on a real agent: goals, checks, restarts, ports, logs.

mod host;

use std::fs;
use std::net::TcpListener;
use std::time::Duration;

use host::{Host, POD, SCOPE, eventually, exec_check, host_spec, pod};
use weir_agent::client::LogsRequest;
use weir_agent::wire::{Action, Check, Exit, Goal, Limits, Probe, TaskExec, TaskSpec, TaskState};

fn logs(lines: u64, follow: bool) -> LogsRequest {
    LogsRequest {
        scope: SCOPE.into(),
        pod: POD.into(),
        task: "main".into(),
        lines,
        follow,
    }
}

#[tokio::test]
async fn a_killed_task_comes_back() {
    let host = Host::start().await;
    host.apply(host_spec(
        1,
        pod([TaskSpec::command("main", "sleep 7002 & exec sleep 7002")]),
    ))
    .await;
    let pid = host.pid("main").await;
    host::signal(pid, "KILL");
    let next = eventually("another process runs", async || {
        let next = host.pid("main").await;
        (next != pid).then_some(next)
    })
    .await;
    assert!(host::is_alive(next));
    let report = host.status().await;
    let status = host::pod_of(&report).tasks["main"].clone();
    assert_eq!(status.restarts, 1);
    if !report.host.systemd {
        // systemd forgets how a process ended once the next one runs.
        assert_eq!(status.last_exit, Some(Exit::Signal(9)));
    }
    eventually("what the killed one left behind is gone", async || {
        (host::processes_with("sleep\x007002") == 2).then_some(())
    })
    .await;
}

#[tokio::test]
async fn once_finish_and_running_have_their_own_goals() {
    let host = Host::start().await;
    let spec = |config: &str| {
        let mut once = TaskSpec::command("format", "echo x >> formatted");
        once.goal = Goal::Once;
        let mut finish = TaskSpec::command("migrate", "echo $CONFIG >> migrated");
        finish.goal = Goal::Finish;
        let main = TaskSpec::command("main", "test -e migrated && exec sleep 1000");
        let mut spec = pod([once, finish, main]);
        spec.env.insert("CONFIG".into(), config.into());
        spec
    };
    let applied = host.apply(host_spec(1, spec("a"))).await;
    assert_eq!(
        applied.changes(),
        [
            "task format: finished",
            "task migrate: finished",
            "task main: started"
        ]
    );
    assert_eq!(
        applied.pod().tasks["format"].state,
        TaskState::Finished { code: 0 }
    );
    assert_eq!(host.apply(host_spec(2, spec("a"))).await.events, []);
    let changed = host.apply(host_spec(3, spec("b"))).await;
    assert_eq!(
        changed.changes(),
        ["task migrate: finished", "task main: restarted"]
    );
    let dir = host.pod_dir().await;
    assert_eq!(fs::read_to_string(dir.join("formatted")).unwrap(), "x\n");
    assert_eq!(fs::read_to_string(dir.join("migrated")).unwrap(), "a\nb\n");
}

#[tokio::test]
async fn a_failed_task_tells_its_code_and_its_log() {
    let host = Host::start().await;
    let mut task = TaskSpec::command("migrate", "echo the table is locked; exit 3");
    task.goal = Goal::Finish;
    let error = host
        .apply(host_spec(
            1,
            pod([task, TaskSpec::command("main", "exec sleep 1000")]),
        ))
        .await;
    assert_eq!(
        error.error(),
        "task migrate: it ended with exit code 3; its log ends with:\n  the table is locked"
    );
    assert_eq!(
        error.pod().tasks["main"].state,
        TaskState::Stopped,
        "its turn never came"
    );
    // Mended, the same apply goes through.
    let mut task = TaskSpec::command("migrate", "true");
    task.goal = Goal::Finish;
    let mended = host
        .apply(host_spec(
            2,
            pod([task, TaskSpec::command("main", "exec sleep 1000")]),
        ))
        .await;
    assert_eq!(mended.pod().error, None);
}

#[tokio::test]
async fn a_command_that_does_not_stay_up_fails_its_pod() {
    let host = Host::start().await;
    let applied = host
        .apply(host_spec(
            1,
            pod([TaskSpec::command("main", "no-such-program-7003")]),
        ))
        .await;
    let error = applied.error();
    assert!(
        error.starts_with("task main: it ended right after its start with exit code 127"),
        "{error}"
    );
    assert!(
        error.contains("no-such-program-7003"),
        "the log is in it: {error}"
    );
}

#[tokio::test]
async fn ready_gates_the_next_task() {
    let host = Host::start().await;
    let mut first = TaskSpec::command("first", "sleep 0.2; touch up; exec sleep 1000");
    first.ready = Some(exec_check("test -e up", 30_000));
    let second = TaskSpec::command("second", "test -e up && exec sleep 1000");
    let applied = host.apply(host_spec(1, pod([first, second]))).await;
    assert_eq!(applied.pod().error, None);
}

#[tokio::test]
async fn a_ready_timeout_tells_the_last_answer_and_the_log() {
    let host = Host::start().await;
    // Bound and closed again: nobody listens there.
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let mut task = TaskSpec::command("main", "echo waiting for a miracle; exec sleep 1000");
    task.ready = Some(Check {
        every_ms: 50,
        timeout_ms: 500,
        ..Check::new(Probe::Http {
            url: format!("http://{closed}/ready"),
        })
    });
    let error = host.apply(host_spec(1, pod([task]))).await.error();
    assert_eq!(
        error,
        format!(
            "task main: not ready within 500ms: GET http://{closed}/ready: Connection refused; its log ends with:\n  waiting for a miracle"
        )
    );
    // It stays supervised: what it waits for may come.
    assert!(matches!(
        host.pod().await.tasks["main"].state,
        TaskState::Running { ready: false, .. }
    ));
}

#[tokio::test]
async fn a_task_that_is_not_alive_is_restarted() {
    let host = Host::start().await;
    let mut task = TaskSpec::command("main", "touch alive; exec sleep 1000");
    task.alive = Some(Check {
        failures: 2,
        ..exec_check("test -e alive", 5_000)
    });
    host.apply(host_spec(1, pod([task]))).await;
    let pid = host.pid("main").await;
    fs::remove_file(host.pod_dir().await.join("alive")).unwrap();
    eventually("it was restarted", async || {
        (host.pid("main").await != pid).then_some(())
    })
    .await;
    assert!(!host::is_alive(pid));
}

#[tokio::test]
async fn a_taken_port_names_its_holder() {
    let host = Host::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut spec = pod([TaskSpec::command("main", "exec sleep 1000")]);
    spec.ports.insert("http".into(), port);
    let error = host.apply(host_spec(1, spec.clone())).await.error();
    let pid = std::process::id();
    assert!(
        error.starts_with(&format!("task main: port {port} is taken by "))
            && error.contains(&format!("(pid {pid})")),
        "{error}"
    );
    drop(listener);
    assert_eq!(host.apply(host_spec(2, spec)).await.pod().error, None);
}

#[tokio::test]
async fn a_stubborn_task_is_killed_after_its_grace() {
    let host = Host::start().await;
    let mut task = TaskSpec::command("main", "trap '' TERM; while :; do sleep 0.1; done");
    task.kill_grace_ms = 300;
    host.apply(host_spec(1, pod([task]))).await;
    let pid = host.pid("main").await;
    host.apply(host::removal(2)).await;
    assert!(!host::is_alive(pid));
}

#[tokio::test]
async fn tasks_are_stopped_and_started_by_request() {
    let host = Host::start().await;
    let spec = pod([TaskSpec::command("main", "exec sleep 1000")]);
    host.apply(host_spec(1, spec.clone())).await;
    let pid = host.pid("main").await;
    let mut client = host.client().await;
    client
        .control(SCOPE, POD, "main", Action::Restart)
        .await
        .unwrap();
    let second = eventually("it was restarted", async || {
        let next = host.pid("main").await;
        (next != pid).then_some(next)
    })
    .await;
    client
        .control(SCOPE, POD, "main", Action::Stop)
        .await
        .unwrap();
    assert!(!host::is_alive(second));
    assert_eq!(host.pod().await.tasks["main"].state, TaskState::Stopped);
    assert_eq!(
        host.apply(host_spec(2, spec)).await.events,
        [],
        "it stays stopped"
    );
    client
        .control(SCOPE, POD, "main", Action::Start)
        .await
        .unwrap();
    host.pid("main").await;
    let unknown = client.control(SCOPE, POD, "nope", Action::Stop).await;
    assert!(unknown.unwrap_err().to_string().contains("task \"nope\""));
}

#[tokio::test]
async fn an_essential_task_takes_the_others_with_it() {
    let host = Host::start().await;
    let mut essential = TaskSpec::command("db", "exec sleep 1000");
    essential.essential = true;
    host.apply(host_spec(
        1,
        pod([essential, TaskSpec::command("main", "exec sleep 1000")]),
    ))
    .await;
    let (db, main) = (host.pid("db").await, host.pid("main").await);
    host::signal(db, "KILL");
    eventually("both were restarted", async || {
        (host.pid("db").await != db && host.pid("main").await != main).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_task_that_is_no_longer_named_ends() {
    let host = Host::start().await;
    let tasks = ["main", "side"].map(|name| TaskSpec::command(name, "exec sleep 1000"));
    host.apply(host_spec(1, pod(tasks.clone()))).await;
    let (main, side) = (host.pid("main").await, host.pid("side").await);
    let applied = host.apply(host_spec(2, pod([tasks[0].clone()]))).await;
    assert_eq!(applied.changes(), ["task side: stopped"]);
    assert!(host::is_alive(main) && !host::is_alive(side));
}

#[tokio::test]
async fn logs_are_read_and_followed() {
    let host = Host::start().await;
    let run = "for n in 1 2 3; do echo line $n; done; while [ ! -e go ]; do sleep 0.05; done; echo more; exec sleep 1000";
    host.apply(host_spec(1, pod([TaskSpec::command("main", run)])))
        .await;
    let mut client = host.client().await;
    eventually("three lines are there", async || {
        let mut text = String::new();
        client
            .logs(logs(2, false), |piece| text.push_str(&piece))
            .await
            .unwrap();
        (text == "line 2\nline 3\n").then_some(())
    })
    .await;
    let dir = host.pod_dir().await;
    let (out, mut pieces) = tokio::sync::mpsc::unbounded_channel();
    let following = tokio::spawn(async move {
        client
            .logs(logs(1, true), move |piece| out.send(piece).unwrap())
            .await
    });
    assert_eq!(pieces.recv().await.unwrap(), "line 3\n");
    fs::write(dir.join("go"), "").unwrap();
    assert_eq!(pieces.recv().await.unwrap(), "more\n");
    host.apply(host::removal(2)).await;
    let ended = tokio::time::timeout(Duration::from_secs(60), following).await;
    ended.expect("the log ends with its pod").unwrap().unwrap();
}

#[tokio::test]
async fn secrets_reach_the_task_and_nothing_else() {
    let host = Host::start().await;
    let mut spec = pod([TaskSpec::command(
        "main",
        "test \"${#TOKEN}\" = 9 && exec sleep 1000",
    )]);
    spec.env.insert("TOKEN".into(), "hush-7004".into());
    let shown = format!("{spec:?}");
    let applied = host.apply(host_spec(1, spec)).await;
    assert_eq!(applied.pod().error, None);
    assert!(!shown.contains("hush-7004") && shown.contains("TOKEN"));
    assert!(!format!("{:?}", applied.events).contains("hush-7004"));
    assert!(!format!("{:?}", applied.report).contains("hush-7004"));
    let arguments = fs::read(format!("/proc/{}/cmdline", host.pid("main").await)).unwrap();
    assert!(!String::from_utf8_lossy(&arguments).contains("hush-7004"));
}

#[tokio::test]
async fn limits_hold_or_the_host_says_they_do_not() {
    let host = Host::start().await;
    let mut spec = pod([TaskSpec::command("main", "exec sleep 1000")]);
    spec.limits = Limits {
        cpus: Some(0.5),
        memory_bytes: Some(64 << 20),
    };
    let applied = host.apply(host_spec(1, spec)).await;
    assert_eq!(applied.pod().error, None);
    let told = applied.events.iter().any(|event| {
        event.step == "limits" && format!("{event:?}").contains("not enforced on this host")
    });
    let pid = host.pid("main").await;
    if applied.report.host.systemd {
        println!("skipped: systemd holds the limits here; what it is told is tested elsewhere");
        return;
    }
    let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
    let held = groups.contains("/weir/");
    assert_ne!(told, held, "either one or the other: {groups}");
}

#[tokio::test]
async fn a_unit_needs_systemd() {
    let host = Host::start().await;
    let task = TaskSpec {
        exec: TaskExec::Unit {
            name: "no-such-unit-7005".into(),
        },
        ..TaskSpec::command("main", "")
    };
    let error = host.apply(host_spec(1, pod([task]))).await.error();
    assert!(error.starts_with("task main: "), "{error}");
    assert!(
        error.contains("systemd") || error.contains("no-such-unit-7005"),
        "{error}"
    );
}
