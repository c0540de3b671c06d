//! The wire's form: what an agent of this version must always understand and say.

use serde_json::{Value, json};
use weir_agent::wire::frame::{self, FrameError, MAX_FRAME};
use weir_agent::wire::{
    AgentError, Event, EventKind, FileSpec, FileState, HostSpec, PodSpec, Reply, Request, TaskSpec,
    WIRE_VERSION,
};

#[test]
fn the_smallest_spec_is_filled_with_defaults() {
    let text = r#"{"Apply":{"scope":"s","generation":3,"set":[{"name":"p","slug":"p",
        "files":[{"path":"a","content":"b"}],"volumes":[{"path":"data"}],
        "tasks":[{"name":"main","exec":{"Command":{"run":"x"}},
            "ready":{"probe":{"Tcp":{"address":"h:1"}}}}]}]}}"#;
    let Request::Apply(spec) = serde_json::from_str(text).expect("it is a request") else {
        panic!("it is an apply");
    };
    let pod = &spec.set[0];
    assert_eq!((pod.files[0].mode, pod.volumes[0].mode), (0o644, 0o755));
    let task = &pod.tasks[0];
    assert_eq!(
        (task.kill_grace_ms, task.kill_signal.as_str()),
        (10_000, "TERM")
    );
    assert_eq!(
        (task.backoff.initial_ms, task.backoff.max_ms),
        (500, 60_000)
    );
    let ready = task.ready.as_ref().expect("it was given");
    assert_eq!(
        (ready.every_ms, ready.timeout_ms, ready.failures),
        (1_000, 60_000, 3)
    );
}

#[test]
fn messages_keep_their_form() {
    assert_eq!(WIRE_VERSION, 1, "another form needs another version");
    let cases: [(Value, Value); 5] = [
        (
            to_json(&Request::Status { scope: None }),
            json!({"Status": {"scope": null}}),
        ),
        (
            to_json(&Reply::Error(AgentError::OlderGeneration {
                have: 2,
                got: 1,
            })),
            json!({"Error": {"OlderGeneration": {"have": 2, "got": 1}}}),
        ),
        (
            to_json(&Reply::Event(Event {
                pod: "p".into(),
                step: "file a".into(),
                kind: EventKind::Changed {
                    what: "content".into(),
                },
            })),
            json!({"Event": {"pod": "p", "step": "file a", "kind": {"Changed": {"what": "content"}}}}),
        ),
        (to_json(&Reply::Done), json!("Done")),
        (
            to_json(&TaskSpec::command("main", "x")),
            json!({
                "name": "main", "exec": {"Command": {"run": "x"}}, "goal": "Running", "env": {},
                "ready": null, "alive": null, "backoff": {"initial_ms": 500, "max_ms": 60_000},
                "kill_grace_ms": 10_000, "kill_signal": "TERM", "reload": null, "essential": false
            }),
        ),
    ];
    for (got, expected) in cases {
        assert_eq!(got, expected);
    }
}

fn to_json(message: &impl serde::Serialize) -> Value {
    serde_json::to_value(message).expect("messages are plain data")
}

#[test]
fn debug_shows_no_secret() {
    let mut pod = PodSpec::new("p", "p");
    pod.env.insert("TOKEN".into(), "hush".into());
    pod.files.push(FileSpec {
        sensitive: true,
        ..FileSpec::new("key", "hush")
    });
    pod.files.push(FileSpec::new("page", "hello"));
    let shown = format!("{pod:?}");
    assert!(!shown.contains("hush"), "{shown}");
    assert!(
        shown.contains("TOKEN") && shown.contains("hello"),
        "{shown}"
    );
    let state = FileState::Differs {
        sha256: String::new(),
        mode: 0o600,
        owner: "root".into(),
        group: "root".into(),
        content: Some("hush".into()),
        changed: None,
    };
    assert!(!format!("{state:?}").contains("hush"));
}

#[tokio::test]
async fn frames_are_whole_or_an_error() {
    let spec = HostSpec {
        scope: "s".into(),
        ..HostSpec::default()
    };
    let mut bytes = Vec::new();
    frame::write(&mut bytes, &spec).await.expect("it fits");
    let read = frame::read::<HostSpec, _>(&mut bytes.as_slice()).await;
    assert_eq!(read.expect("it is whole"), Some(spec));
    let nothing = frame::read::<HostSpec, _>(&mut &b""[..]).await;
    assert_eq!(nothing.expect("the end between frames is no error"), None);
    for cut in [2, bytes.len() - 1] {
        let read = frame::read::<HostSpec, _>(&mut &bytes[..cut]).await;
        assert!(matches!(read, Err(FrameError::Io(_))), "cut at {cut}");
    }
    let long = (MAX_FRAME + 1).to_be_bytes();
    let read = frame::read::<HostSpec, _>(&mut long.as_slice()).await;
    assert!(matches!(read, Err(FrameError::TooLong(_))));
}
