//! What a goal must look like before anything is touched.

use std::collections::BTreeSet;

use weir_agent::wire::{AgentError, Check, HostSpec, PodSpec, Probe, Reload, TaskExec, TaskSpec};

use super::ledger::Ledger;
use super::proc::parse_signal;

const NAME_LIMIT: usize = 64;

/// # Errors
/// Names the pod and what is wrong with it.
pub(crate) fn check(spec: &HostSpec, ledger: &Ledger) -> Result<(), AgentError> {
    let refuse = |pod: &str, message: String| {
        Err(AgentError::InvalidSpec {
            pod: pod.to_owned(),
            message,
        })
    };
    if spec.scope.is_empty() {
        return refuse("", "the spec names no scope".to_owned());
    }
    let mut names = BTreeSet::new();
    for pod in &spec.set {
        if !names.insert(&pod.name) || spec.remove.contains(&pod.name) {
            return refuse(&pod.name, "the spec names this pod twice".to_owned());
        }
        if let Err(message) = check_pod(pod) {
            return refuse(&pod.name, message);
        }
        if let Some(old) = ledger.pods.get(&pod.name)
            && old.spec.slug != pod.slug
        {
            return refuse(
                &pod.name,
                format!(
                    "its slug can't change from {:?} to {:?} while it lives",
                    old.spec.slug, pod.slug
                ),
            );
        }
        let taken = ledger
            .pods
            .values()
            .map(|record| &record.spec)
            .chain(&spec.set)
            .find(|other| {
                other.slug == pod.slug
                    && other.name != pod.name
                    && !spec.remove.contains(&other.name)
            });
        if let Some(other) = taken {
            return refuse(
                &pod.name,
                format!("its slug {:?} is taken by {}", pod.slug, other.name),
            );
        }
    }
    Ok(())
}

fn is_safe(name: &str) -> bool {
    (1..=NAME_LIMIT).contains(&name.len())
        && !name.starts_with('-')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte))
}

fn check_pod(pod: &PodSpec) -> Result<(), String> {
    if pod.name.is_empty() {
        return Err("a pod has no name".to_owned());
    }
    if !is_safe(&pod.slug) {
        return Err(format!(
            "slug {:?} must be 1 to {NAME_LIMIT} of a-z, 0-9, - and _",
            pod.slug
        ));
    }
    if let Some(user) = &pod.user
        && (user.is_empty()
            || user.len() > 32
            || user.starts_with('-')
            || user.contains([':', '/', ' ', '\n']))
    {
        return Err(format!("user {user:?} is not a user name"));
    }
    for package in &pod.packages {
        let plain =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        if !plain(package) || package.starts_with('-') {
            return Err(format!("package {package:?} is not a package name"));
        }
    }
    for artifact in &pod.artifacts {
        let hex = artifact
            .sha256
            .bytes()
            .all(|byte| b"0123456789abcdef".contains(&byte));
        if artifact.sha256.len() != 64 || !hex {
            return Err(format!(
                "artifact {:?}: {:?} is not a sha256 (64 lowercase hex digits)",
                artifact.name, artifact.sha256
            ));
        }
        check_path(&artifact.dest)?;
    }
    unique(
        "artifact",
        pod.artifacts.iter().map(|artifact| &artifact.name),
    )?;
    unique("file", pod.files.iter().map(|file| &file.path))?;
    unique("task", pod.tasks.iter().map(|task| &task.name))?;
    for path in pod.files.iter().map(|file| &file.path) {
        check_path(path)?;
    }
    for dir in pod.directories.iter().chain(&pod.volumes) {
        check_path(&dir.path)?;
    }
    if pod
        .limits
        .cpus
        .is_some_and(|cpus| !cpus.is_finite() || cpus <= 0.0)
    {
        return Err("its cpus limit must be more than 0".to_owned());
    }
    for name in pod
        .env
        .keys()
        .chain(pod.tasks.iter().flat_map(|task| task.env.keys()))
    {
        let first = name
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
        let rest = name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !first || !rest {
            return Err(format!("{name:?} is not a name of an environment variable"));
        }
    }
    for value in pod
        .env
        .values()
        .chain(pod.tasks.iter().flat_map(|task| task.env.values()))
    {
        if value.contains('\0') {
            return Err("a value of its environment holds a zero byte".to_owned());
        }
    }
    pod.tasks.iter().try_for_each(|task| {
        check_task(task).map_err(|message| format!("task {:?}: {message}", task.name))
    })
}

fn unique<'a>(what: &str, names: impl Iterator<Item = &'a String>) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(format!("{what} {name:?} is named twice"));
        }
    }
    Ok(())
}

fn check_path(path: &str) -> Result<(), String> {
    let climbs = path.split('/').any(|part| part == "..");
    if path.is_empty() || climbs || path.contains('\0') {
        return Err(format!(
            "{path:?} is not a path; it may not be empty or hold `..`"
        ));
    }
    Ok(())
}

fn check_task(task: &TaskSpec) -> Result<(), String> {
    if !is_safe(&task.name) {
        return Err(format!(
            "its name must be 1 to {NAME_LIMIT} of a-z, 0-9, - and _"
        ));
    }
    match &task.exec {
        TaskExec::Command { run } if run.trim().is_empty() || run.contains('\0') => {
            return Err("its command is empty".to_owned());
        }
        TaskExec::Unit { name }
            if name.is_empty() || name.starts_with('-') || name.contains(['/', ' ', '\n']) =>
        {
            return Err(format!("{name:?} is not a name of a systemd unit"));
        }
        _ => {}
    }
    parse_signal(&task.kill_signal)?;
    if let Some(Reload::Signal(signal)) = &task.reload {
        parse_signal(signal)?;
    }
    task.ready
        .iter()
        .chain(&task.alive)
        .try_for_each(check_probe)
}

fn check_probe(check: &Check) -> Result<(), String> {
    match &check.probe {
        Probe::Http { url } if !url.starts_with("http://") => Err(format!(
            "{url:?} can't be probed: only http:// can; use a tcp check, or an exec check with curl, for https"
        )),
        Probe::Tcp { address } if !address.contains(':') => {
            Err(format!("{address:?} can't be probed: it is not host:port"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl FnOnce(&mut PodSpec)) -> String {
        let mut pod = PodSpec::new("service.web.pod.app[\"0\"]", "web-app-0");
        pod.tasks.push(TaskSpec::command("main", "sleep 1"));
        change(&mut pod);
        let spec = HostSpec {
            scope: "s".into(),
            generation: 1,
            set: vec![pod],
            remove: Vec::new(),
        };
        match check(&spec, &Ledger::new("s".into())) {
            Ok(()) => String::new(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(refused(|_| {}), "");
        type Change = fn(&mut PodSpec);
        let cases: [(Change, &str); 8] = [
            (|pod| pod.slug = "../x".into(), "slug"),
            (|pod| pod.packages = vec!["-o".into()], "package"),
            (
                |pod| pod.files = vec![weir_agent::wire::FileSpec::new("a/../../b", "")],
                "`..`",
            ),
            (|pod| pod.tasks[0].kill_signal = "WINK".into(), "SIGWINK"),
            (|pod| pod.tasks.push(pod.tasks[0].clone()), "named twice"),
            (|pod| pod.limits.cpus = Some(0.0), "cpus"),
            (
                |pod| {
                    pod.env.insert("A B".into(), "1".into());
                },
                "environment variable",
            ),
            (
                |pod| pod.tasks[0].exec = TaskExec::Unit { name: "-a".into() },
                "systemd unit",
            ),
        ];
        for (change, expected) in cases {
            let message = refused(change);
            assert!(message.contains(expected), "{message:?} lacks {expected:?}");
        }
    }
}
