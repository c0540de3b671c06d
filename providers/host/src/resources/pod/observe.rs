//! What is on the host, as the attributes that would ask for it: where the two
//! differ, the next plan shows it.

use std::sync::Arc;

use weir_agent::wire::{
    ArtifactState, FileState, HostReport, PodSpec, PodStatus, TaskState, TaskStatus,
};
use weir_core::{Entries, Kind, Type, Value};

use crate::attributes::{Attributes, Faults, mode};

/// A task that restarts within this time is counted as running: its agent mends
/// it before anybody could.
const RESTARTS_SOON_MS: u64 = 5_000;

/// What the report says of a pod.
pub(crate) fn pod_of<'a>(
    report: &'a HostReport,
    scope: &str,
    address: &str,
) -> Option<&'a PodStatus> {
    report.scopes.get(scope)?.pods.get(address)
}

/// The value with what differs on the host.
pub(crate) fn observe(value: &Value, status: &PodStatus) -> Value {
    let value = with(value.clone(), "packages", |v| packages(v, status));
    let value = with(value, "files", |v| files(v, status));
    let value = with(value, "artifacts", |v| artifacts(v, status));
    computed(value, status)
}

/// The value with its computed attributes as they are on the host.
fn computed(value: Value, status: &PodStatus) -> Value {
    let tasks = status.tasks.iter();
    let tasks = tasks.map(|(name, task)| (name.as_str(), Value::string(task_text(task))));
    located(value, status).with("status", Value::map(Type::String, tasks))
}

/// The value a successful change leaves: what was planned, and where it is. The agent has seen
/// every task at its goal; what happens after that is the next plan's to find.
pub(crate) fn achieved(planned: Value, status: &PodStatus) -> Value {
    match planned.get("status").is_some_and(Value::is_wholly_known) {
        true => located(planned, status),
        false => computed(planned, status),
    }
}

fn located(value: Value, status: &PodStatus) -> Value {
    value.with("directory", super::super::text_or_null(&status.directory))
}

/// Whether the pod has what it was told, and was told what this value says.
pub(crate) fn is_settled(address: &str, value: &Value, status: &PodStatus) -> bool {
    let asked = super::spec::pod(address, value, &mut Faults::default());
    status.settled && status.error.is_none() && bare(asked) == bare(status.spec.clone())
}

/// The goal in the form in which two are compared: a file that is sensitive is
/// the same file, and the order of packages means nothing.
fn bare(mut spec: PodSpec) -> PodSpec {
    for file in &mut spec.files {
        file.sensitive = false;
    }
    spec.packages.sort();
    spec
}

/// The `status` of a pod whose every task does what its goal asks; `None` while the tasks are not
/// known.
pub(crate) fn goals(value: &Value) -> Option<Value> {
    if !value.get("tasks")?.is_wholly_known() {
        return None;
    }
    let goals = Attributes::root(value).items("tasks").into_iter();
    let goals = goals.filter_map(|task| {
        let goal = match task.text("goal") {
            Some("finish" | "once") => "finished",
            _ => "running",
        };
        Some((task.text("name")?.to_owned(), Value::string(goal)))
    });
    Some(Value::map(Type::String, goals))
}

/// A task's state in one or a few words.
pub(crate) fn task_text(task: &TaskStatus) -> String {
    match &task.state {
        TaskState::Running { .. } => "running".into(),
        TaskState::Finished { .. } => "finished".into(),
        TaskState::Stopped => "stopped".into(),
        TaskState::Waiting => "waiting".into(),
        TaskState::Backoff { next_in_ms } if *next_in_ms <= RESTARTS_SOON_MS => "running".into(),
        TaskState::Backoff { .. } => match task.last_exit {
            Some(exit) => format!("failed: keeps ending with {exit}"),
            None => "failed: keeps ending".into(),
        },
        TaskState::Failed { message } => format!("failed: {message}"),
    }
}

/// One attribute changed, its marks kept; absent and null ones stay.
fn with(value: Value, name: &str, change: impl FnOnce(&Value) -> Option<Value>) -> Value {
    let changed = value
        .get(name)
        .and_then(|old| Some(change(old)?.mark(old.marks())));
    match changed {
        Some(new) => value.with(name, new),
        None => value,
    }
}

fn packages(value: &Value, status: &PodStatus) -> Option<Value> {
    let wanted = value.elements()?;
    let found = wanted.into_iter().filter_map(|package| {
        let text = package.as_str()?;
        let (name, version) = match text.split_once('=') {
            Some((name, version)) => (name, Some(version)),
            None => (text, None),
        };
        match status.packages.get(name) {
            // Not looked at: as it was.
            None => Some(package.clone()),
            Some(None) => None,
            Some(Some(installed)) => Some(match version {
                Some(version) if version != installed => {
                    Value::string(format!("{name}={installed}"))
                }
                _ => package.clone(),
            }),
        }
    });
    Some(Value::set(Type::String, found))
}

/// The entries of a map with some changed (`Some`) or gone (`None`).
fn entries(value: &Value, mut change: impl FnMut(&str, &Value) -> Option<Value>) -> Option<Value> {
    let Kind::Map(element, old) = value.kind() else {
        return None;
    };
    let new: Entries = old
        .iter()
        .filter_map(|(key, entry)| Some((Arc::clone(key), change(key, entry)?)))
        .collect();
    Some(Value::map(element.clone(), new))
}

fn files(value: &Value, status: &PodStatus) -> Option<Value> {
    let user = status.spec.user.as_deref();
    entries(value, |path, file| {
        let found = status.files.iter().find(|f| f.path == path);
        match found.map(|f| &f.state) {
            None | Some(FileState::Same) => Some(file.clone()),
            Some(FileState::Missing) => None,
            Some(state) => Some(other_file(file, state, user)),
        }
    })
}

fn other_file(file: &Value, state: &FileState, user: Option<&str>) -> Value {
    let FileState::Differs {
        sha256,
        mode: found_mode,
        owner,
        group,
        content,
        changed: _,
    } = state
    else {
        return file.clone();
    };
    let a = Attributes::root(file);
    let mut new = file.clone();
    let was = a.text("content").unwrap_or_default();
    let now = match content {
        Some(text) => text.clone(),
        None if *sha256 == sha256_of(was) => was.to_owned(),
        None => format!("(sha256 {sha256})"),
    };
    let mut differs = now != was;
    if differs {
        let marks = file.get("content").map(Value::marks).unwrap_or_default();
        new = new.with("content", Value::string(now).mark(marks));
    }
    let asked_mode = a.text("mode").and_then(|text| mode(text).ok());
    if asked_mode.unwrap_or(0o644) != *found_mode {
        new = new.with("mode", Value::string(format!("{found_mode:04o}")));
        differs = true;
    }
    // Who owns a file that names nobody is known where the pod has a user; if
    // not, an owner is at fault only where nothing else is.
    let asked_owner = a.text("owner").or(user);
    if asked_owner.is_some_and(|asked| asked != owner) {
        new = new.with("owner", Value::string(owner.as_str()));
        differs = true;
    }
    if a.text("group").is_some_and(|asked| asked != group) {
        new = new.with("group", Value::string(group.as_str()));
        differs = true;
    }
    if differs {
        return new;
    }
    new.with("owner", Value::string(owner.as_str()))
        .with("group", Value::string(group.as_str()))
}

fn sha256_of(text: &str) -> String {
    use sha2::{Digest, Sha256};
    crate::host::hex(&Sha256::digest(text.as_bytes()))
}

fn artifacts(value: &Value, status: &PodStatus) -> Option<Value> {
    entries(value, |name, artifact| {
        let found = status.artifacts.iter().find(|a| a.name == name);
        match found.map(|a| &a.state) {
            None | Some(ArtifactState::Same) => Some(artifact.clone()),
            Some(ArtifactState::Missing) => None,
            Some(ArtifactState::Differs { sha256 }) => Some(
                artifact
                    .clone()
                    .with("sha256", Value::string(sha256.as_str())),
            ),
        }
    })
}
