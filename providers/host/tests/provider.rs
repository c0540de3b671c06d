//! The provider against real agents on this machine.

#[allow(dead_code, reason = "each test program uses its part")]
mod driver;

use std::path::Path;
use std::time::{Duration, Instant};

use driver::{APP, World, agent_bytes, app, local_host};
use serde_json::{Value as Json, json};
use weir_core::plan::Op;
use weir_core::{Marks, Type, Value};
use weir_provider::{ApplyRequest, Provider, Settled};

const HOST: &str = r#"site.here.host["me"]"#;

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
async fn drift_of_a_file_is_told_with_its_time_and_owner() {
    let mut world = enrolled().await;
    let made = world.apply(APP, "weir_pod", app("right")).await;
    made.expect("a pod");
    let recorded = world.state[APP].clone();
    let file = directory(&world, APP).join("app.conf");
    let asked = |world: &World, found: Option<weir_core::Known>| weir_provider::ChangedRequest {
        type_name: "weir_pod".into(),
        address: APP.into(),
        recorded: recorded.value.clone(),
        found: found.or_else(|| Some(world.state[APP].value.clone())),
        private: recorded.private.clone(),
    };
    // Nothing differs, so nobody changed anything.
    let request = asked(&world, None);
    let told = world.provider.changed_by(request).await.expect("an answer");
    assert_eq!(told, None);

    // An old time of the content does not hide when it was written.
    std::fs::write(&file, "wrong").expect("written");
    let old = std::time::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let handle = std::fs::File::options().write(true).open(&file);
    handle.and_then(|f| f.set_modified(old)).expect("set back");
    world.next_run();
    world.refresh().await.expect("a look");
    let request = asked(&world, None);
    let told = world.provider.changed_by(request).await.expect("an answer");
    let told = told.expect("it is known");
    let metadata = std::fs::metadata(&file).expect("a file");
    let changed = std::os::unix::fs::MetadataExt::ctime(&metadata);
    let changed = Duration::from_secs(u64::try_from(changed).expect("after 1970"));
    assert_eq!(told.when, Some(std::time::UNIX_EPOCH + changed));
    let how = told.how.expect("which file");
    assert!(how.starts_with("app.conf, owned by "), "{how}");
    // Who owns it need not be who wrote it.
    assert_eq!(told.who, None);

    // What is gone tells nothing.
    std::fs::remove_file(&file).expect("removed");
    world.next_run();
    world.refresh().await.expect("a look");
    let request = asked(&world, None);
    let told = world.provider.changed_by(request).await.expect("an answer");
    assert_eq!(told, None);
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
    let object = &world.state[APP];
    let agent = world
        .provider
        .pod_agent(APP, &object.value, &object.private)
        .await;
    let mut agent = agent.expect("an agent");
    assert_eq!(agent.host(), "here/me");
    let stop = weir_agent::wire::Action::Stop;
    agent.control("main", stop).await.expect("stopped");
    let status = agent.status().await.expect("an answer").expect("the pod");
    assert_eq!(
        status.tasks["main"].state,
        weir_agent::wire::TaskState::Stopped
    );
    let error = agent
        .logs("nope", (1, false), |_| ())
        .await
        .expect_err("no such task");
    assert!(error.to_string().contains("nope"), "{error}");

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
async fn logs_are_read_from_the_agent() {
    let mut world = enrolled().await;
    let mut pod = app("x");
    pod["tasks"][0]["run"] = json!("echo first; echo second >data/said; exec sleep 1000");
    world.apply(APP, "weir_pod", pod).await.expect("a pod");
    let object = &world.state[APP];
    let agent = world
        .provider
        .pod_agent(APP, &object.value, &object.private)
        .await;
    let mut text = String::new();
    let logs = agent
        .expect("an agent")
        .logs("main", (10, false), |t| text += &t)
        .await;
    logs.expect("a log");
    assert_eq!(text, "first\n");
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
        (
            "d",
            pod("d", no_file),
            "host here/me can't be given what it needs",
        ),
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
async fn steps_that_have_nothing_to_do_with_each_other_come_in_any_order() {
    let mut world = enrolled().await;
    let (older, newer) = (world.token(), world.token());
    let mut requests = Vec::new();
    for (name, token) in [("a", newer), ("b", older)] {
        let mut pod = app("x");
        pod["slug"] = json!(format!("web-{name}-0"));
        let address = format!("service.web.pod.{name}[\"0\"]");
        let config = world.config("weir_pod", &pod);
        let plan = world
            .plan(&address, "weir_pod", &config)
            .await
            .expect("a creation");
        requests.push(ApplyRequest {
            type_name: "weir_pod".into(),
            address,
            op: Op::Create,
            prior: None,
            planned: Some(plan.planned),
            config: Some(config),
            private: plan.private,
            token,
        });
    }
    let apply = |request: &ApplyRequest| {
        let (provider, request) = (world.provider.clone(), request.clone());
        async move { provider.apply(request, &weir_provider::NoProgress).await }
    };
    let (first, second) = tokio::join!(apply(&requests[0]), apply(&requests[1]));
    for response in [first, second] {
        assert!(response.diagnostics.is_empty(), "{}", response.diagnostics);
    }
    world.next_run();
    for request in requests {
        let settled = world.provider.settle(request).await;
        assert!(
            matches!(settled, Settled::Done { value: Some(_), .. }),
            "{settled:?}"
        );
    }
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

#[tokio::test]
async fn an_artifact_of_this_machine_is_uploaded_once_and_checked() {
    let mut world = enrolled().await;
    let tool = world.folder.path().join("tool.sh");
    std::fs::write(&tool, "#!/bin/sh\necho hello\n").expect("written");
    let with = |sha256: &str| {
        let mut pod = app("x");
        let artifact = json!({"path": tool, "dest": "bin/tool", "sha256": sha256});
        pod["artifacts"] = json!({ "tool": artifact });
        pod
    };
    let error = world
        .apply(APP, "weir_pod", with(&"0".repeat(64)))
        .await
        .expect_err("another file");
    let help = error.0[0].help.clone().expect("a next step");
    let right = help.split('"').nth(1).expect("the right sha256").to_owned();
    assert!(error.to_string().contains("the stack says 0000"), "{error}");
    assert!(world.state.is_empty() || !world.state.contains_key(APP));

    world
        .apply(APP, "weir_pod", with(&right))
        .await
        .expect("a pod");
    let made = directory(&world, APP).join("bin/tool");
    assert_eq!(
        std::fs::read(&made).expect("a file"),
        std::fs::read(&tool).expect("a file")
    );

    std::fs::write(&made, "echo evil").expect("written");
    world.next_run();
    world.refresh().await.expect("a look");
    assert_ne!(
        world.attribute(APP, "artifacts")["tool"]["sha256"],
        json!(right)
    );
    assert!(
        world
            .apply(APP, "weir_pod", with(&right))
            .await
            .expect("mended")
    );
    assert_eq!(
        std::fs::read(&made).expect("a file"),
        std::fs::read(&tool).expect("a file")
    );
}
