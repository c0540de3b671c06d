//! Pods on a real agent: files, artifacts, generations, removal.

mod host;

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;

use host::{Host, POD, SCOPE, host_spec, pod, removal};
use sha2::{Digest, Sha256};
use weir_agent::ClientError;
use weir_agent::wire::{
    AgentError, Artifact, ArtifactSource, ArtifactState, DirSpec, FileSpec, FileState, HostSpec,
    OnChange, PodSpec, ShutdownOutcome, TaskSpec, TaskState,
};

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[tokio::test]
async fn a_pod_is_made_and_made_again_without_a_change() {
    let host = Host::start().await;
    let mut spec = pod([TaskSpec::command("main", "exec sleep 1000")]);
    spec.files.push(FileSpec::new("etc/app.conf", "a = 1\n"));
    spec.files.push(FileSpec {
        mode: 0o600,
        sensitive: true,
        ..FileSpec::new("etc/secret", "hush")
    });
    spec.volumes.push(DirSpec::new("data"));
    let first = host.apply(host_spec(1, spec.clone())).await;
    assert_eq!(first.pod().error, None);
    assert_eq!(
        first.changes(),
        [
            "directory data: created",
            "file etc/app.conf: created",
            "file etc/secret: created",
            "task main: started"
        ]
    );
    let dir = host.pod_dir().await;
    let secret = fs::metadata(dir.join("etc/secret")).unwrap();
    assert_eq!(secret.permissions().mode() & 0o777, 0o600);
    let pid = host.pid("main").await;

    for generation in [1, 2] {
        let again = host.apply(host_spec(generation, spec.clone())).await;
        assert_eq!(again.events, [], "generation {generation} changes nothing");
        assert_eq!(again.report.scopes[SCOPE].generation, generation);
        assert_eq!(
            again.pod().generation,
            1,
            "the pod changed with the first one"
        );
        assert!(again.pod().settled);
    }
    assert_eq!(host.pid("main").await, pid, "nothing was restarted");
}

#[tokio::test]
async fn drift_is_reported_and_mended() {
    let host = Host::start().await;
    let mut spec = pod([]);
    for name in ["content", "mode", "gone", "same"] {
        spec.files.push(FileSpec::new(name, "wanted"));
    }
    spec.files.push(FileSpec {
        sensitive: true,
        ..FileSpec::new("secret", "wanted")
    });
    host.apply(host_spec(1, spec.clone())).await;
    let dir = host.pod_dir().await;
    fs::write(dir.join("content"), "drifted").unwrap();
    fs::write(dir.join("secret"), "drifted").unwrap();
    fs::set_permissions(dir.join("mode"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::remove_file(dir.join("gone")).unwrap();

    let states: Vec<FileState> = host
        .pod()
        .await
        .files
        .into_iter()
        .map(|file| file.state)
        .collect();
    let drifted = |at: usize| match &states[at] {
        FileState::Differs {
            sha256,
            mode,
            content,
            ..
        } => (sha256.clone(), *mode, content.clone()),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        drifted(0),
        (sha256(b"drifted"), 0o644, Some("drifted".into()))
    );
    assert_eq!(
        drifted(1),
        (sha256(b"wanted"), 0o600, Some("wanted".into()))
    );
    assert_eq!(states[2], FileState::Missing);
    assert_eq!(states[3], FileState::Same);
    assert_eq!(drifted(4).2, None, "what is sensitive is never shown");

    let mended = host.apply(host_spec(2, spec)).await;
    assert_eq!(
        mended.changes(),
        [
            "file content: content",
            "file mode: mode 0600 -> 0644",
            "file gone: created",
            "file secret: content"
        ]
    );
    assert!(
        mended
            .pod()
            .files
            .iter()
            .all(|file| file.state == FileState::Same)
    );
}

#[tokio::test]
async fn what_changed_decides_whether_tasks_reload_or_restart() {
    let host = Host::start().await;
    let mut task = TaskSpec::command(
        "main",
        "trap 'echo reloaded >> reloads' HUP; touch listens; while :; do sleep 0.05; done",
    );
    task.reload = Some(weir_agent::wire::Reload::Signal("HUP".into()));
    let with = |page: &str, config: &str, note: &str| {
        let mut spec = pod([task.clone()]);
        let file = |path: &str, content: &str, on_change| FileSpec {
            on_change,
            ..FileSpec::new(path, content)
        };
        spec.files = vec![
            file("page", page, OnChange::Reload),
            file("config", config, OnChange::Restart),
            file("note", note, OnChange::Nothing),
        ];
        spec
    };
    host.apply(host_spec(1, with("1", "1", "1"))).await;
    let pid = host.pid("main").await;
    let dir = host.pod_dir().await;
    host::eventually("the task listens to signals", async || {
        fs::metadata(dir.join("listens")).ok()
    })
    .await;

    let noted = host.apply(host_spec(2, with("1", "1", "2"))).await;
    assert_eq!(noted.changes(), ["file note: content"]);
    let reloaded = host.apply(host_spec(3, with("2", "1", "2"))).await;
    assert_eq!(
        reloaded.changes(),
        ["file page: content", "task main: reloaded"]
    );
    assert_eq!(host.pid("main").await, pid);
    host::eventually("the task has reloaded", async || {
        fs::read_to_string(dir.join("reloads")).ok()
    })
    .await;

    let restarted = host.apply(host_spec(4, with("3", "2", "2"))).await;
    assert_eq!(
        restarted.changes(),
        [
            "file page: content",
            "file config: content",
            "task main: restarted"
        ]
    );
    assert_ne!(host.pid("main").await, pid);
    assert!(!host::is_alive(pid));
}

#[tokio::test]
async fn an_older_generation_is_refused() {
    let host = Host::start().await;
    host.apply(host_spec(5, pod([]))).await;
    let mut client = host.client().await;
    let older = client.apply(host_spec(4, pod([])), drop).await;
    assert!(matches!(
        older,
        Err(ClientError::Agent(AgentError::OlderGeneration {
            have: 5,
            got: 4
        }))
    ));
    let mut other = pod([]);
    other.files.push(FileSpec::new("a", "b"));
    let reused = client.apply(host_spec(5, other), drop).await;
    assert!(matches!(
        reused,
        Err(ClientError::Agent(AgentError::GenerationReused {
            generation: 5
        }))
    ));
    assert_eq!(host.status().await.scopes[SCOPE].generation, 5);
    // Generations of another scope are its own.
    let foreign = HostSpec {
        scope: "another".into(),
        generation: 1,
        ..HostSpec::default()
    };
    client.apply(foreign, drop).await.unwrap();
}

#[tokio::test]
async fn removal_takes_what_we_made_and_leaves_what_was_there() {
    let host = Host::start().await;
    let outside = host.path("etc");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("old.conf"), "before").unwrap();
    fs::write(outside.join("other.conf"), "untouched").unwrap();
    let path = |name: &str| outside.join(name).display().to_string();
    let mut spec = pod([TaskSpec::command(
        "main",
        "setsid sleep 7001 & sleep 7001 & exec sleep 7001",
    )]);
    spec.files = vec![
        FileSpec::new(path("old.conf"), "ours"),
        FileSpec::new(path("deep/er/new.conf"), "ours"),
    ];
    spec.volumes = vec![DirSpec::new(host.path("volume").display().to_string())];
    host.apply(host_spec(1, spec)).await;
    let pid = host.pid("main").await;
    fs::write(host.path("volume").join("data"), "data").unwrap();
    assert_eq!(
        fs::read_to_string(outside.join("old.conf")).unwrap(),
        "ours"
    );

    let removed = host.apply(removal(2)).await;
    assert!(
        removed.report.scopes.is_empty(),
        "the scope is gone with its last pod"
    );
    assert!(!host::is_alive(pid));
    assert_eq!(
        host::processes_with("sleep\x007001"),
        0,
        "nor has it left anything running"
    );
    assert_eq!(
        fs::read_to_string(outside.join("old.conf")).unwrap(),
        "before"
    );
    assert_eq!(
        fs::read_to_string(outside.join("other.conf")).unwrap(),
        "untouched"
    );
    assert!(!outside.join("deep").exists() && !host.path("volume").exists());
    let mut left: Vec<_> = fs::read_dir(host.home())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    assert_eq!(
        left,
        ["agent.lock", "agent.sock", "blobs", "pods", "scopes"]
    );
    for dir in ["blobs", "pods", "scopes"] {
        assert_eq!(
            fs::read_dir(host.home().join(dir)).unwrap().count(),
            0,
            "{dir}"
        );
    }
}

#[tokio::test]
async fn forget_takes_one_scope_and_an_idle_agent_goes_away() {
    let host = Host::start().await;
    host.apply(host_spec(
        1,
        pod([TaskSpec::command("main", "exec sleep 1000")]),
    ))
    .await;
    let pid = host.pid("main").await;
    let mut client = host.client().await;
    let other = HostSpec {
        scope: "other".into(),
        generation: 1,
        set: vec![PodSpec::new("other", "other")],
        remove: Vec::new(),
    };
    client.apply(other, drop).await.unwrap();
    client.forget(SCOPE, drop).await.unwrap();
    assert!(!host::is_alive(pid));
    let busy = ShutdownOutcome::Busy {
        scopes: vec!["other".into()],
    };
    assert_eq!(client.shutdown(true).await.unwrap(), busy);
    client.forget("other", drop).await.unwrap();
    client.forget("other", drop).await.unwrap();
    assert_eq!(
        client.shutdown(true).await.unwrap(),
        ShutdownOutcome::Stopping
    );
    host::eventually("the home is gone", async || {
        (!host.home().exists()).then_some(())
    })
    .await;
}

#[tokio::test]
async fn one_bad_pod_does_not_hold_back_another() {
    let host = Host::start().await;
    fs::write(host.path("plain"), "a file").unwrap();
    let mut bad = PodSpec::new("bad", "bad");
    bad.files = vec![FileSpec::new(
        host.path("plain/below").display().to_string(),
        "x",
    )];
    let mut spec = host_spec(1, pod([TaskSpec::command("main", "exec sleep 1000")]));
    spec.set.insert(0, bad);
    let applied = host.apply(spec).await;
    let pods = &applied.report.scopes[SCOPE].pods;
    let error = pods["bad"].error.clone().expect("a file is no directory");
    assert_eq!(
        error.step,
        format!("file {}", host.path("plain/below").display())
    );
    assert!(
        error.message.contains("not a directory"),
        "{}",
        error.message
    );
    assert_eq!(pods[POD].error, None);
    host.pid("main").await;
}

#[tokio::test]
async fn blobs_are_verified_and_become_artifacts() {
    let host = Host::start().await;
    let mut client = host.client().await;
    let good = sha256(b"#!/bin/sh\necho hi\n");
    assert_eq!(
        client.have_blobs(vec![good.clone()]).await.unwrap(),
        std::slice::from_ref(&good)
    );
    let bad = client.put_blob(&good, 3, &mut &b"bad"[..]).await;
    assert!(
        matches!(bad, Err(ClientError::Agent(AgentError::BadBlob { .. }))),
        "{bad:?}"
    );
    let bytes = b"#!/bin/sh\necho hi\n";
    client
        .put_blob(&good, bytes.len() as u64, &mut &bytes[..])
        .await
        .unwrap();
    assert!(
        client
            .have_blobs(vec![good.clone()])
            .await
            .unwrap()
            .is_empty()
    );

    let artifact = |sha256: &str| Artifact {
        name: "tool".into(),
        source: ArtifactSource::Blob,
        sha256: sha256.into(),
        unpack: false,
        dest: "bin/tool".into(),
    };
    let mut spec = pod([]);
    spec.artifacts = vec![artifact(&good)];
    let applied = host.apply(host_spec(1, spec.clone())).await;
    assert_eq!(applied.pod().artifacts[0].state, ArtifactState::Same);
    let tool = host.pod_dir().await.join("bin/tool");
    assert_eq!(fs::read(&tool).unwrap(), bytes);
    assert_eq!(
        fs::metadata(&tool).unwrap().permissions().mode() & 0o777,
        0o755
    );
    assert_eq!(host.apply(host_spec(2, spec.clone())).await.events, []);

    fs::write(&tool, "changed by hand").unwrap();
    let differs = ArtifactState::Differs {
        sha256: sha256(b"changed by hand"),
    };
    assert_eq!(host.pod().await.artifacts[0].state, differs);
    host.apply(host_spec(3, spec)).await;
    assert_eq!(fs::read(&tool).unwrap(), bytes);
}

/// Serves `body` at every path, and counts the requests.
fn serve(body: Vec<u8>) -> (String, std::sync::Arc<std::sync::atomic::AtomicUsize>) {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("the agent connects");
            let mut head = [0; 2048];
            let length = stream.read(&mut head).expect("the agent stays");
            counter.fetch_add(1, Ordering::Relaxed);
            let first = String::from_utf8_lossy(&head[..length]).into_owned();
            let answer = if first.starts_with("GET /moved") {
                "HTTP/1.1 302 Found\r\nLocation: /app.tar\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned()
            } else {
                format!(
                    "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    body.len()
                )
            };
            stream
                .write_all(answer.as_bytes())
                .expect("the agent stays");
            if !first.starts_with("GET /moved") {
                stream.write_all(&body).expect("the agent stays");
            }
        }
    });
    (url, count)
}

#[tokio::test]
async fn an_artifact_is_fetched_once_and_unpacked() {
    let host = Host::start().await;
    let archive = |files: &[(&str, &str)]| {
        let mut builder = tar::Builder::new(Vec::new());
        for (path, content) in files {
            let mut header = tar::Header::new_ustar();
            header.set_size(content.len() as u64);
            header.set_mode(0o755);
            builder
                .append_data(&mut header, path, content.as_bytes())
                .unwrap();
        }
        builder.into_inner().unwrap()
    };
    let first = archive(&[("bin/run", "one"), ("share/old", "old")]);
    let second = archive(&[("bin/run", "two")]);
    let with = |url: String, bytes: &[u8]| {
        let mut spec = pod([]);
        spec.artifacts = vec![Artifact {
            name: "app".into(),
            source: ArtifactSource::Url(url),
            sha256: sha256(bytes),
            unpack: true,
            dest: "app".into(),
        }];
        spec
    };
    let (url, count) = serve(first.clone());
    let spec = with(format!("{url}/moved"), &first);
    let applied = host.apply(host_spec(1, spec.clone())).await;
    assert_eq!(applied.pod().error, None);
    let dir = host.pod_dir().await.join("app");
    assert_eq!(fs::read_to_string(dir.join("bin/run")).unwrap(), "one");
    let fetched = count.load(std::sync::atomic::Ordering::Relaxed);
    assert_eq!(host.apply(host_spec(2, spec)).await.events, []);
    assert_eq!(count.load(std::sync::atomic::Ordering::Relaxed), fetched);

    let (url, _) = serve(second.clone());
    host.apply(host_spec(3, with(url, &second))).await;
    assert_eq!(fs::read_to_string(dir.join("bin/run")).unwrap(), "two");
    assert!(
        !dir.join("share").exists(),
        "what only the old one had is gone"
    );
    host.apply(host_spec(4, pod([]))).await;
    assert!(!dir.join("bin").exists(), "no one names it any more");
}

#[tokio::test]
async fn a_bad_sha256_names_both() {
    let host = Host::start().await;
    let (url, _) = serve(b"something else".to_vec());
    let expected = sha256(b"what was meant");
    let mut spec = pod([]);
    spec.artifacts = vec![Artifact {
        name: "app".into(),
        source: ArtifactSource::Url(format!("{url}/app?token=hush")),
        sha256: expected.clone(),
        unpack: false,
        dest: "app".into(),
    }];
    let error = host.apply(host_spec(1, spec)).await.error();
    let got = sha256(b"something else");
    assert!(
        error.starts_with(&format!("artifact app: {url}/app has another content than expected: expected sha256 {expected}, got {got}")),
        "{error}"
    );
    assert!(!error.contains("hush"));
    assert!(!host.pod_dir().await.join("app").exists());
}

#[tokio::test]
async fn a_package_needs_a_host_that_has_it() {
    let host = Host::start().await;
    if !std::path::Path::new("/var/lib/dpkg/status").exists() {
        println!("skipped: this host has no dpkg");
        return;
    }
    let mut spec = pod([TaskSpec::command("main", "exec sleep 1000")]);
    spec.packages = vec!["dpkg".into()];
    let applied = host.apply(host_spec(1, spec)).await;
    assert_eq!(
        applied.changes(),
        ["task main: started"],
        "dpkg is installed already"
    );
    assert!(applied.pod().packages["dpkg"].is_some());
    assert!(matches!(
        applied.pod().tasks["main"].state,
        TaskState::Running { ready: true, .. }
    ));
}

#[tokio::test]
async fn a_user_is_made_and_taken_away_with_its_pod() {
    if !nix::unistd::geteuid().is_root() {
        println!("skipped: making a user needs root");
        return;
    }
    let host = Host::start().await;
    let user = format!("weir-t{}", std::process::id());
    let mut spec = pod([TaskSpec::command(
        "main",
        "id -un > whoami; exec sleep 1000",
    )]);
    spec.user = Some(user.clone());
    spec.files = vec![FileSpec::new("etc/conf", "x")];
    // The user must be able to pass through the directories above its own.
    fs::set_permissions(host.dir.path(), fs::Permissions::from_mode(0o711))
        .expect("the directory is ours");
    let applied = host.apply(host_spec(1, spec)).await;
    assert_eq!(applied.pod().error, None);
    assert_eq!(applied.changes()[0], format!("user {user}: created"));
    let dir = host.pod_dir().await;
    host::eventually("the task says who it is", async || {
        let name = fs::read_to_string(dir.join("whoami")).ok()?;
        (name.trim() == user).then_some(())
    })
    .await;
    host.apply(removal(2)).await;
    let passwd = fs::read_to_string("/etc/passwd").unwrap();
    assert!(!passwd.contains(&user), "the user went with the pod");
}
