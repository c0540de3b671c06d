//! The provider against real agents, on this machine and over SSH.

mod driver;
#[allow(dead_code, reason = "each test program uses its part")]
mod sshd;

use std::path::Path;
use std::time::{Duration, Instant};

use driver::{World, agent_bytes, local_host};
use serde_json::{Value as Json, json};
use sshd::{Sshd, me, public_line};
use weir_core::plan::Op;
use weir_core::{Marks, Type, Value};
use weir_provider::{ApplyRequest, Provider, Settled};

const HOST: &str = r#"site.here.host["me"]"#;
const APP: &str = r#"service.web.pod.app["0"]"#;

/// A pod whose task stays, with one file.
fn app(content: &str) -> Json {
    json!({
        "host": "here/me", "address": "127.0.0.1", "slug": "web-app-0",
        "env": {"GREETING": "hello"},
        "directories": {"data": {"mode": "0700"}},
        "files": {"app.conf": {"content": content, "mode": "0640"}},
        "tasks": [{
            "name": "main",
            "run": "echo $GREETING >data/said; exec sleep 1000",
            "ready": {"exec": "test -s data/said", "timeout": "30s", "every": "100ms"},
            "kill_grace": "2s",
        }],
    })
}

/// A world with an agent on this machine.
async fn enrolled() -> World {
    let mut world = World::new();
    let host = local_host(&world);
    assert!(
        world
            .apply(HOST, "weir_host", host)
            .await
            .expect("an agent")
    );
    world
}

async fn eventually(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(60), "never: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn directory(world: &World, address: &str) -> std::path::PathBuf {
    let path = world.attribute(address, "directory");
    path.as_str().expect("a directory").into()
}

/// The process of an app's task, found by its working directory.
fn pids_in(folder: &Path) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").expect("/proc").flatten();
    let pids = processes.filter_map(|entry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        (std::fs::read_link(entry.path().join("cwd")).ok()? == folder).then_some(pid)
    });
    pids.collect()
}

#[tokio::test]
async fn a_host_and_a_pod_live_and_leave_nothing() {
    let mut world = enrolled().await;
    assert_eq!(world.attribute(HOST, "systemd"), json!(false));
    assert!(world.attribute(HOST, "cpus").as_u64() > Some(0));
    assert!(
        world
            .apply(APP, "weir_pod", app("one"))
            .await
            .expect("a pod")
    );
    assert_eq!(world.attribute(APP, "status"), json!({"main": "running"}));
    let folder = directory(&world, APP);
    assert_eq!(
        std::fs::read_to_string(folder.join("app.conf")).expect("a file"),
        "one"
    );
    assert_eq!(
        std::fs::read_to_string(folder.join("data/said")).expect("a file"),
        "hello\n"
    );

    // The next run finds nothing to do, though it looks.
    world.next_run();
    let before = format!("{:?}", world.state);
    world.refresh().await.expect("a look");
    assert_eq!(format!("{:?}", world.state), before);
    let host = local_host(&world);
    assert!(
        !world
            .apply(HOST, "weir_host", host)
            .await
            .expect("no change")
    );
    assert!(
        !world
            .apply(APP, "weir_pod", app("one"))
            .await
            .expect("no change")
    );

    // A change is that change.
    world.lines.0.lock().expect("lines").clear();
    assert!(
        world
            .apply(APP, "weir_pod", app("two"))
            .await
            .expect("a change")
    );
    assert_eq!(
        std::fs::read_to_string(folder.join("app.conf")).expect("a file"),
        "two"
    );
    let lines = world.lines.0.lock().expect("lines").clone();
    assert!(
        lines
            .iter()
            .any(|l| l.starts_with(APP) && l.contains("file app.conf")),
        "{lines:?}"
    );
    assert!(lines.iter().all(|l| !l.contains("directory")), "{lines:?}");

    // It goes without a trace.
    world.next_run();
    world.delete(APP).await.expect("deleted");
    assert!(!folder.exists());
    assert_eq!(pids_in(&folder), Vec::<u32>::new());
    world.delete(HOST).await.expect("deleted");
    eventually("the agent's home goes", || !world.home().exists()).await;
    let left: Vec<_> = std::fs::read_dir(world.folder.path())
        .expect("a folder")
        .flatten()
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn drift_shows_where_it_is_and_is_mended() {
    let mut world = enrolled().await;
    world
        .apply(APP, "weir_pod", app("right"))
        .await
        .expect("a pod");
    let folder = directory(&world, APP);
    let file = folder.join("app.conf");

    std::fs::write(&file, "wrong").expect("written");
    world.next_run();
    world.refresh().await.expect("a look");
    assert_eq!(
        world.attribute(APP, "files")["app.conf"]["content"],
        "wrong"
    );
    assert_eq!(world.attribute(APP, "files")["app.conf"]["mode"], "0640");
    assert!(
        world
            .apply(APP, "weir_pod", app("right"))
            .await
            .expect("mended")
    );
    assert_eq!(std::fs::read_to_string(&file).expect("a file"), "right");

    std::fs::remove_file(&file).expect("removed");
    world.next_run();
    world.refresh().await.expect("a look");
    assert_eq!(world.attribute(APP, "files"), json!({}));
    assert!(
        world
            .apply(APP, "weir_pod", app("right"))
            .await
            .expect("mended")
    );
    assert!(file.exists());

    // A pod the agent doesn't know is made again.
    let request = world.delete_request(APP);
    world.provider.apply(request, &world.lines).await;
    world.next_run();
    world.refresh().await.expect("a look");
    assert!(!world.state.contains_key(APP));
    assert!(
        world
            .apply(APP, "weir_pod", app("right"))
            .await
            .expect("made again")
    );

    world.next_run();
    world.refresh().await.expect("a look");
    assert!(
        !world
            .apply(APP, "weir_pod", app("right"))
            .await
            .expect("no change")
    );
}

#[tokio::test]
async fn a_task_somebody_stopped_is_drift() {
    let mut world = enrolled().await;
    world.apply(APP, "weir_pod", app("x")).await.expect("a pod");
    let scope = world.token().lineage;
    let socket = world.home().join("agent.sock");
    let stream = tokio::net::UnixStream::connect(socket)
        .await
        .expect("a socket");
    let mut client = weir_agent::Client::connect(stream).await.expect("an agent");
    let stop = weir_agent::wire::Action::Stop;
    client
        .control(&scope, APP, "main", stop)
        .await
        .expect("stopped");

    world.next_run();
    world.refresh().await.expect("a look");
    assert_eq!(world.attribute(APP, "status"), json!({"main": "stopped"}));
    assert!(
        world
            .apply(APP, "weir_pod", app("x"))
            .await
            .expect("started")
    );
    assert_eq!(world.attribute(APP, "status"), json!({"main": "running"}));
}

#[tokio::test]
async fn in_a_batch_each_succeeds_or_fails_by_itself() {
    let mut world = enrolled().await;
    let address = |name: &str| format!("service.web.pod.{name}[\"0\"]");
    let pod = |name: &str, rest: Json| {
        let mut pod = json!({
            "host": "here/me", "slug": format!("web-{name}-0"),
            "tasks": [{"name": "main", "run": "exec sleep 1000"}],
        });
        pod.as_object_mut()
            .expect("an object")
            .extend(rest.as_object().expect("an object").clone());
        pod
    };
    let good = [("a", pod("a", json!({}))), ("b", pod("b", json!({})))];
    let unready = json!({"tasks": [{
        "name": "main", "run": "exec sleep 1000",
        "ready": {"exec": "false", "timeout": "300ms", "every": "100ms"},
    }]});
    let no_file = json!({"artifacts": {"x": {
        "path": "/no/such/file", "dest": "x", "sha256": "0".repeat(64),
    }}});
    // The agent finds this one out, we don't.
    let invalid = json!({"env": {"NOT A NAME": "x"}});
    let bad = [
        (
            "c",
            pod("c", unready),
            "step `task main` failed on host here/me",
        ),
        ("d", pod("d", no_file), "host here/me failed"),
        ("e", pod("e", invalid), "host here/me"),
    ];
    let mut wanted = Vec::new();
    let mut addresses = Vec::new();
    for (name, config) in good
        .iter()
        .cloned()
        .chain(bad.iter().map(|b| (b.0, b.1.clone())))
    {
        addresses.push(address(name));
        wanted.push(config);
    }
    let all = addresses
        .iter()
        .zip(wanted)
        .map(|(a, c)| (a.as_str(), "weir_pod", c));
    let results = world.apply_all(all.collect()).await;
    assert!(results[..2].iter().all(|r| *r == Ok(true)), "{results:?}");
    for (result, (name, _, expected)) in results[2..].iter().zip(&bad) {
        let error = result.as_ref().expect_err("an error").to_string();
        assert!(
            error.contains(&address(name)) && error.contains(expected),
            "{error}"
        );
    }
    // What was never begun is not in state; what is half there is.
    assert!(world.state.contains_key(&address("c")));
    assert!(!world.state.contains_key(&address("d")));
    assert!(!world.state.contains_key(&address("e")));
}

#[tokio::test]
async fn after_a_crash_the_agent_tells_what_was_done() {
    let mut world = enrolled().await;
    let config = world.config("weir_pod", &app("x"));
    let plan = world
        .plan(APP, "weir_pod", &config)
        .await
        .expect("a creation");
    let create = ApplyRequest {
        type_name: "weir_pod".into(),
        address: APP.into(),
        op: Op::Create,
        prior: None,
        planned: Some(plan.planned.clone()),
        config: Some(config),
        private: plan.private.clone(),
        token: world.token(),
    };
    let settled = world.provider.settle(create.clone()).await;
    assert!(matches!(settled, Settled::NotDone), "{settled:?}");

    // It is done, and weir dies before it learns.
    let lost = world.provider.apply(create.clone(), &world.lines).await;
    assert!(!lost.diagnostics.has_errors(), "{:?}", lost.diagnostics);
    world.next_run();
    let Settled::Done {
        value: Some(value),
        private,
        ..
    } = world.provider.settle(create.clone()).await
    else {
        panic!("not settled");
    };
    assert_eq!(Some(&value), lost.value.as_ref());

    // An update that never reached the agent was not done.
    let update = ApplyRequest {
        op: Op::Update,
        prior: Some(value.clone()),
        token: world.token(),
        private: private.clone(),
        ..create.clone()
    };
    let settled = world.provider.settle(update).await;
    assert!(matches!(settled, Settled::NotDone), "{settled:?}");

    let object = driver::Object {
        type_name: "weir_pod".into(),
        value,
        private,
    };
    world.state.insert(APP.into(), object);
    assert!(
        !world
            .apply(APP, "weir_pod", app("x"))
            .await
            .expect("no change")
    );
    let delete = world.delete_request(APP);
    let settled = world.provider.settle(delete.clone()).await;
    assert!(matches!(settled, Settled::NotDone), "{settled:?}");
    world.provider.apply(delete.clone(), &world.lines).await;
    world.next_run();
    let settled = world.provider.settle(delete).await;
    assert!(
        matches!(settled, Settled::Done { value: None, .. }),
        "{settled:?}"
    );
}

#[tokio::test]
async fn an_older_agent_is_replaced_and_its_tasks_go_on() {
    // A program doesn't mind what stands after its end.
    let mut older = agent_bytes().to_vec();
    older.extend(b"older");
    let mut world = World::with_agent(older);
    let host = local_host(&world);
    world
        .apply(HOST, "weir_host", host.clone())
        .await
        .expect("an agent");
    world.apply(APP, "weir_pod", app("x")).await.expect("a pod");
    let folder = directory(&world, APP);
    let tasks = pids_in(&folder);
    assert!(!tasks.is_empty());
    let was = world.attribute(HOST, "agent_sha256");

    world.next_run();
    world.refresh().await.expect("a look");
    assert!(
        world
            .apply(HOST, "weir_host", host.clone())
            .await
            .expect("an update")
    );
    assert_ne!(world.attribute(HOST, "agent_sha256"), was);
    assert!(
        !world
            .apply(APP, "weir_pod", app("x"))
            .await
            .expect("no change")
    );
    assert_eq!(pids_in(&folder), tasks, "the task goes on");
    let binaries = std::fs::read_dir(world.folder.path())
        .expect("a folder")
        .flatten();
    let names = binaries.filter(|e| e.file_name().to_string_lossy().starts_with("weir-agent-"));
    assert_eq!(names.count(), 1, "the older binary is gone");

    world.next_run();
    world.refresh().await.expect("a look");
    assert!(
        !world
            .apply(HOST, "weir_host", host)
            .await
            .expect("no change")
    );
}

#[tokio::test]
async fn an_agent_that_has_gone_is_an_update() {
    let mut world = enrolled().await;
    let lock = std::fs::read_to_string(world.home().join("agent.lock")).expect("a lock");
    let identity: Json = serde_json::from_str(&lock).expect("an identity");
    let pid = identity["process"]["pid"].to_string();
    let killed = std::process::Command::new("kill")
        .args(["-9", &pid])
        .status();
    assert!(killed.expect("kill runs").success());

    world.next_run();
    world.refresh().await.expect("a look");
    assert_eq!(world.attribute(HOST, "agent_sha256"), Json::Null);
    let host = local_host(&world);
    assert!(
        world
            .apply(HOST, "weir_host", host.clone())
            .await
            .expect("started again")
    );
    assert!(
        !world
            .apply(HOST, "weir_host", host)
            .await
            .expect("no change")
    );
}

#[tokio::test]
async fn secrets_are_never_shown() {
    let mut world = enrolled().await;
    let secret = "hunter2-0123456789";
    let config = world.config("weir_pod", &app(secret));
    let config = config.transform(&mut |value| match value.as_str() {
        Some(text) if text == secret => value.mark(Marks::SENSITIVE),
        _ => value,
    });
    let plan = world
        .plan(APP, "weir_pod", &config)
        .await
        .expect("a creation");
    let request = ApplyRequest {
        type_name: "weir_pod".into(),
        address: APP.into(),
        op: Op::Create,
        prior: None,
        planned: Some(plan.planned),
        config: Some(config.clone()),
        private: plan.private,
        token: world.token(),
    };
    let response = world.provider.apply(request.clone(), &world.lines).await;
    assert!(!String::from_utf8_lossy(&response.private).contains(secret));
    world.record(&request, response).expect("a pod");
    let file = directory(&world, APP).join("app.conf");
    assert_eq!(std::fs::read_to_string(&file).expect("a file"), secret);

    let other = "correct-horse-battery";
    std::fs::write(&file, other).expect("written");
    world.next_run();
    world.refresh().await.expect("a look");
    let value = world.state[APP].value.value();
    let content = value
        .get("files")
        .and_then(|f| f.get("app.conf"))
        .and_then(|f| f.get("content"));
    let content = content.expect("a content");
    assert!(
        content.is_sensitive(),
        "what is found is as secret as what was asked for"
    );
    assert_ne!(content.as_str(), Some(secret));
    let shown = format!("{:?} {:?}", world.state, world.lines);
    assert!(!shown.contains(secret) && !shown.contains(other), "{shown}");
    assert!(
        world.plan(APP, "weir_pod", &config).await.is_some(),
        "drift"
    );
}

#[tokio::test]
async fn a_plan_takes_unknown_values() {
    let world = World::new();
    let config = world.config("weir_pod", &app("x"));
    let files = Value::unknown(Type::map(Type::Dynamic));
    for config in [
        config.clone().with("files", files),
        config.clone().with("host", Value::unknown(Type::String)),
        config
            .clone()
            .with("tasks", Value::unknown(Type::list(Type::Dynamic))),
        config.clone().transform(&mut |value| match value.as_str() {
            Some(_) => Value::unknown(Type::String),
            None => value,
        }),
    ] {
        let refused = world.provider.validate("weir_pod", &config).await;
        assert!(refused.is_empty(), "{refused}");
    }
    let host = world.config(
        "weir_host",
        &json!({"name": "a", "site": "s", "address": "x"}),
    );
    let host = host.with("address", Value::unknown(Type::String));
    assert!(world.provider.validate("weir_host", &host).await.is_empty());
    assert!(
        world
            .plan("site.s.host[\"a\"]", "weir_host", &host)
            .await
            .is_some()
    );
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_with_its_place() {
    let world = World::new();
    let task = |rest: Json| {
        let mut task = json!({"name": "main", "run": "true"});
        task.as_object_mut()
            .expect("an object")
            .extend(rest.as_object().expect("an object").clone());
        json!({"host": "a/b", "slug": "s", "tasks": [task]})
    };
    let pods = [
        (json!({"host": "a/b", "slug": "Up/.."}), "`slug`"),
        (
            json!({"host": "a/b", "slug": "s", "files": {"f": {}}}),
            "`files.f`",
        ),
        (
            json!({"host": "a/b", "slug": "s", "files": {"f": {"content": "", "mode": "rw"}}}),
            "`files.f.mode`",
        ),
        (
            json!({"host": "a/b", "slug": "s", "files": {"f": {"content": "", "on_change": "x"}}}),
            "`files.f.on_change`",
        ),
        (
            json!({"host": "a/b", "slug": "s", "ports": {"http": 70000}}),
            "`ports.http`",
        ),
        (
            json!({"host": "a/b", "slug": "s", "artifacts": {"a": {"sha256": "0"}}}),
            "`artifacts.a`",
        ),
        (
            json!({"host": "a/b", "slug": "s", "artifacts": {"a": {"url": "http://x", "sha256": "0"}}}),
            "`artifacts.a.sha256`",
        ),
        (task(json!({"run": null})), "`tasks[0]`"),
        (task(json!({"unit": "x"})), "`tasks[0]`"),
        (task(json!({"goal": "sometimes"})), "`tasks[0].goal`"),
        (task(json!({"kill_grace": "soon"})), "`tasks[0].kill_grace`"),
        (
            task(json!({"kill_signal": "please"})),
            "`tasks[0].kill_signal`",
        ),
        (task(json!({"ready": {"every": "1s"}})), "`tasks[0].ready`"),
        (
            task(json!({"alive": {"http": "https://x"}})),
            "`tasks[0].alive.http`",
        ),
    ];
    for (config, place) in pods {
        let refused = world
            .provider
            .validate("weir_pod", &world.config("weir_pod", &config))
            .await;
        assert!(refused.to_string().contains(place), "{config}: {refused}");
    }
    let hosts = [
        (
            json!({"name": "a", "site": "s", "connection": "telnet"}),
            "`connection`",
        ),
        (
            json!({"name": "a", "site": "s", "address": "x", "port": 0}),
            "`port`",
        ),
        (
            json!({"name": "a", "site": "s", "address": "x", "host_key": ["rsa"]}),
            "`host_key[0]`",
        ),
        (json!({"name": "a", "site": "s"}), "address"),
        (
            json!({"name": "a", "site": "s", "address": "x", "bastion": [{"port": 1}]}),
            "`bastion[0]`",
        ),
    ];
    for (config, place) in hosts {
        let refused = world
            .provider
            .validate("weir_host", &world.config("weir_host", &config))
            .await;
        assert!(refused.to_string().contains(place), "{config}: {refused}");
    }
}

/// A host at the end of an SSH connection.
fn remote_host(server: &Sshd) -> Json {
    json!({
        "name": "zrh-1", "site": "zurich", "address": "127.0.0.1", "port": server.port,
        "user": me(), "private_key_file": server.user_key,
        "host_key": [public_line(&server.host_key)],
    })
}

/// Whether a server can be isolated; says so on stderr where not.
fn can_isolate() -> bool {
    if !sshd::available() {
        return false;
    }
    if me() == "root" {
        return true;
    }
    use std::io::Write;
    let _ = writeln!(
        std::io::stderr(),
        "SKIPPED: run as root to test root's agent over SSH"
    );
    false
}

#[tokio::test]
async fn over_ssh_a_look_is_one_login_and_no_command() {
    if !can_isolate() {
        return;
    }
    let server = Sshd::start_isolated("");
    let mut world = World::new();
    let host = r#"site.zurich.host["zrh-1"]"#;
    world
        .apply(host, "weir_host", remote_host(&server))
        .await
        .expect("an agent");
    let addresses: Vec<_> = (0..3)
        .map(|n| format!("service.web.pod.app[\"{n}\"]"))
        .collect();
    let pods = || {
        addresses.iter().enumerate().map(|(n, address)| {
            let mut pod = app("over ssh");
            pod["host"] = json!("zurich/zrh-1");
            pod["slug"] = json!(format!("web-app-{n}"));
            (address.as_str(), "weir_pod", pod)
        })
    };
    let results = world.apply_all(pods().collect()).await;
    assert!(results.iter().all(|r| *r == Ok(true)), "{results:?}");
    let uploads = world
        .lines
        .0
        .lock()
        .expect("lines")
        .iter()
        .filter(|l| l.contains("uploading"))
        .count();
    assert_eq!(uploads, 1);

    let count = |what: &str| server.log().matches(what).count();
    let (logins, commands) = (
        count("Accepted publickey"),
        count("Starting session: command"),
    );
    world.next_run();
    world.refresh().await.expect("a look");
    let changed = world.apply(host, "weir_host", remote_host(&server)).await;
    assert_eq!(changed, Ok(false));
    let results = world.apply_all(pods().collect()).await;
    assert!(results.iter().all(|r| *r == Ok(false)), "{results:?}");
    assert_eq!(count("Accepted publickey"), logins + 1);
    assert_eq!(
        count("Starting session: command"),
        commands,
        "no command on the hot path"
    );

    for address in &addresses {
        world.delete(address).await.expect("deleted");
    }
    world.delete(host).await.expect("deleted");
}

#[tokio::test]
async fn a_server_that_forwards_no_sockets_is_bridged() {
    if !can_isolate() {
        return;
    }
    let server = Sshd::start_isolated("AllowStreamLocalForwarding no");
    let mut world = World::new();
    let host = r#"site.zurich.host["zrh-1"]"#;
    world
        .apply(host, "weir_host", remote_host(&server))
        .await
        .expect("an agent");
    let mut pod = app("bridged");
    pod["host"] = json!("zurich/zrh-1");
    world
        .apply(APP, "weir_pod", pod.clone())
        .await
        .expect("a pod");
    world.next_run();
    world.refresh().await.expect("a look");
    assert_eq!(world.apply(APP, "weir_pod", pod).await, Ok(false));
    world.delete(APP).await.expect("deleted");
    world.delete(host).await.expect("deleted");
}

#[tokio::test]
async fn a_host_that_is_down_is_named() {
    let mut world = World::new();
    let host = r#"site.zurich.host["zrh-1"]"#;
    let probe = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = probe.local_addr().expect("an address").port();
    drop(probe);
    let config = json!({"name": "zrh-1", "site": "zurich", "address": "127.0.0.1", "port": port});
    let error = world
        .apply(host, "weir_host", config)
        .await
        .expect_err("nobody there");
    let text = error.to_string();
    assert!(
        text.contains(&format!("{host}: host zurich/zrh-1 can't be reached")),
        "{text}"
    );
    assert!(text.contains(&format!("127.0.0.1:{port}")), "{text}");
    assert!(world.state.is_empty());
    // Its pods say the same.
    let mut pod = app("x");
    pod["host"] = json!("zurich/zrh-1");
    let error = world
        .apply(APP, "weir_pod", pod)
        .await
        .expect_err("nobody there");
    assert!(
        error
            .to_string()
            .contains("host zurich/zrh-1 can't be reached"),
        "{error}"
    );
}

#[tokio::test]
async fn a_pod_on_a_host_nobody_describes_is_an_error() {
    let mut world = World::new();
    let mut pod = app("x");
    pod["host"] = json!("no/where");
    let error = world
        .apply(APP, "weir_pod", pod)
        .await
        .expect_err("no such host");
    assert!(
        error.to_string().contains("host no/where is not known"),
        "{error}"
    );
}
