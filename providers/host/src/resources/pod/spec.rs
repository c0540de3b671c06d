//! A pod's attributes as the goal its agent understands.

use weir_agent::wire::{
    Artifact, ArtifactSource, Backoff, Check, DirSpec, Env, FileSpec, Goal, Limits, OnChange,
    PodSpec, Probe, Reload, TaskSpec,
};
use weir_core::{Path, Value};

use crate::attributes::{Attributes, Faults, duration_ms, mode};

/// The goal of the pod at `address`.
///
/// Unknown attributes are left out, so that `validate` can find faults in what
/// is known; `apply` is only handed what is known wholly.
pub(crate) fn pod(address: &str, value: &Value, faults: &mut Faults) -> PodSpec {
    let a = Attributes::root(value);
    let mut spec = PodSpec::new(address, a.text("slug").unwrap_or_default());
    check_slug(&a, faults);
    spec.user = a.owned("user");
    spec.packages = a.texts("packages").into_iter().map(str::to_owned).collect();
    spec.env = env(&a);
    for (name, artifact) in a.entries("artifacts") {
        spec.artifacts
            .extend(self::artifact(name, &artifact, faults));
    }
    for (path, file) in a.entries("files") {
        spec.files.push(self::file(path, &file, faults));
    }
    for (path, directory) in a.entries("directories") {
        spec.directories
            .push(self::directory(path, &directory, faults));
    }
    for (name, volume) in a.entries("volumes") {
        // A volume without a path lies below the pod's directory, by its name.
        let path = volume.text("path").unwrap_or(name);
        spec.volumes.push(DirSpec::new(path));
    }
    for (name, port) in a
        .get("ports")
        .and_then(Value::as_entries)
        .into_iter()
        .flatten()
    {
        let number = port.as_i64().and_then(|n| u16::try_from(n).ok());
        match number.filter(|&n| n > 0) {
            Some(number) => drop(spec.ports.insert(name.to_string(), number)),
            None if port.is_unknown() => {}
            None => faults.push(
                &a.place("ports").key(&**name),
                format!("{port} is not a port; ports are 1 to 65535"),
            ),
        }
    }
    spec.limits = Limits {
        cpus: a.double("cpus"),
        memory_bytes: whole(&a, "memory", faults),
    };
    for task in a.items("tasks") {
        spec.tasks.extend(self::task(&task, faults));
    }
    check_task_names(&a, &spec, faults);
    spec
}

/// The blobs a pod's agent must have before: sha256 and the file on this
/// machine that holds it, by the artifact's name.
pub(crate) fn uploads(value: &Value) -> Vec<(String, String)> {
    let artifacts = Attributes::root(value).entries("artifacts");
    let uploads = artifacts.into_iter().filter_map(|(_, artifact)| {
        let path = artifact.text("path")?;
        Some((sha256(&artifact)?, path.to_owned()))
    });
    uploads.collect()
}

fn sha256(artifact: &Attributes<'_>) -> Option<String> {
    artifact.text("sha256").map(str::to_ascii_lowercase)
}

fn check_slug(a: &Attributes<'_>, faults: &mut Faults) {
    let Some(slug) = a.text("slug") else { return };
    let sound = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if slug.is_empty() || slug.len() > 64 || !slug.chars().all(sound) {
        faults.push(
            &a.place("slug"),
            format!("{slug:?} must be 1 to 64 of a-z, 0-9 and `-`"),
        );
    }
}

fn check_task_names(a: &Attributes<'_>, spec: &PodSpec, faults: &mut Faults) {
    for (index, task) in spec.tasks.iter().enumerate() {
        if spec.tasks[..index].iter().any(|t| t.name == task.name) {
            let cause = format!("two tasks are named {:?}", task.name);
            faults.push(&a.place("tasks").index(index).key("name"), cause);
        }
    }
}

fn env(a: &Attributes<'_>) -> Env {
    a.text_map("env").collect()
}

fn artifact(name: &str, a: &Attributes<'_>, faults: &mut Faults) -> Option<Artifact> {
    let unknown = ["url", "path", "sha256"].iter().any(|n| a.is_unknown(n));
    let source = match (a.text("url"), a.text("path")) {
        _ if unknown => return None,
        (Some(url), None) => ArtifactSource::Url(url.to_owned()),
        (None, Some(_)) => ArtifactSource::Blob,
        _ => {
            faults.push(a.path(), "an artifact needs either `url` or `path`");
            return None;
        }
    };
    let Some(sha256) = sha256(a) else {
        let cause = "an artifact needs the sha256 of what is fetched; `sha256sum FILE` prints it";
        faults.push(a.path(), cause);
        return None;
    };
    if sha256.len() != 64 || !sha256.chars().all(|c| c.is_ascii_hexdigit()) {
        let cause = format!("{sha256:?} is not a sha256: 64 hexadecimal digits");
        faults.push(&a.place("sha256"), cause);
        return None;
    }
    Some(Artifact {
        name: name.to_owned(),
        source,
        sha256,
        unpack: a.flag("unpack"),
        dest: a.text("dest").unwrap_or(name).to_owned(),
    })
}

fn file(path: &str, a: &Attributes<'_>, faults: &mut Faults) -> FileSpec {
    if a.value().get("content").is_none_or(Value::is_null) {
        faults.push(a.path(), "a file needs `content`");
    }
    let content = a.get("content");
    let mut spec = FileSpec::new(path, content.and_then(Value::as_str).unwrap_or_default());
    // A mark on any level above the content is a mark on the content.
    spec.sensitive = a.value().is_sensitive() || content.is_some_and(Value::is_sensitive);
    if let Some(mode) = mode_of(a, faults) {
        spec.mode = mode;
    }
    spec.owner = a.owned("owner");
    spec.group = a.owned("group");
    spec.on_change = match a.text("on_change") {
        None | Some("restart") => OnChange::Restart,
        Some("reload") => OnChange::Reload,
        Some("nothing") => OnChange::Nothing,
        Some(other) => {
            let cause = format!("{other:?} is none of `restart`, `reload`, `nothing`");
            faults.push(&a.place("on_change"), cause);
            OnChange::Restart
        }
    };
    spec
}

fn directory(path: &str, a: &Attributes<'_>, faults: &mut Faults) -> DirSpec {
    let mut spec = DirSpec::new(path);
    if let Some(mode) = mode_of(a, faults) {
        spec.mode = mode;
    }
    spec.owner = a.owned("owner");
    spec.group = a.owned("group");
    spec
}

fn mode_of(a: &Attributes<'_>, faults: &mut Faults) -> Option<u32> {
    let text = a.text("mode")?;
    faults.keep(&a.place("mode"), mode(text))
}

fn whole(a: &Attributes<'_>, name: &str, faults: &mut Faults) -> Option<u64> {
    let number = a.whole(name)?;
    faults.keep(&a.place(name), number)
}

fn time(a: &Attributes<'_>, name: &str, faults: &mut Faults) -> Option<u64> {
    let text = a.text(name)?;
    faults.keep(&a.place(name), duration_ms(text))
}

fn task(a: &Attributes<'_>, faults: &mut Faults) -> Option<TaskSpec> {
    if ["name", "run", "unit"].iter().any(|n| a.is_unknown(n)) {
        return None;
    }
    let Some(name) = a.text("name") else {
        faults.push(a.path(), "a task needs `name`");
        return None;
    };
    let mut spec = match (a.text("run"), a.text("unit")) {
        (Some(run), None) => TaskSpec::command(name, run),
        (None, Some(unit)) => TaskSpec::unit(name, unit),
        _ => {
            let cause = format!("task {name:?} needs either `run` or `unit`");
            faults.push(a.path(), cause);
            return None;
        }
    };
    spec.goal = match a.text("goal") {
        None | Some("running") => Goal::Running,
        Some("finish") => Goal::Finish,
        Some("once") => Goal::Once,
        Some(other) => {
            let cause = format!("{other:?} is none of `running`, `finish`, `once`");
            faults.push(&a.place("goal"), cause);
            Goal::Running
        }
    };
    if a.text("unit").is_some() && spec.goal != Goal::Running {
        let cause = "a systemd unit's goal is always `running`";
        faults.push(&a.place("goal"), cause);
    }
    spec.env = env(a);
    spec.ready = a.object("ready").and_then(|c| check(&c, faults));
    spec.alive = a.object("alive").and_then(|c| check(&c, faults));
    if let Some(backoff) = a.object("backoff") {
        let usual = Backoff::default();
        spec.backoff = Backoff {
            initial_ms: time(&backoff, "initial", faults).unwrap_or(usual.initial_ms),
            max_ms: time(&backoff, "max", faults).unwrap_or(usual.max_ms),
        };
    }
    if let Some(grace) = time(a, "kill_grace", faults) {
        spec.kill_grace_ms = grace;
    }
    if let Some(text) = a.text("kill_signal")
        && let Some(signal) = faults.keep(&a.place("kill_signal"), signal(text))
    {
        spec.kill_signal = signal;
    }
    spec.reload = a.text("reload").map(reload);
    spec.essential = a.flag("essential");
    Some(spec)
}

fn check(a: &Attributes<'_>, faults: &mut Faults) -> Option<Check> {
    if ["http", "tcp", "exec"].iter().any(|n| a.is_unknown(n)) {
        return None;
    }
    let probe = match (a.text("http"), a.text("tcp"), a.text("exec")) {
        (Some(url), None, None) => Probe::Http { url: url.into() },
        (None, Some(address), None) => Probe::Tcp {
            address: tcp_address(address),
        },
        (None, None, Some(run)) => Probe::Exec { run: run.into() },
        _ => {
            faults.push(a.path(), "a check needs one of `http`, `tcp`, `exec`");
            return None;
        }
    };
    check_url(&probe, &a.place("http"), faults);
    let mut check = Check::new(probe);
    if let Some(every) = time(a, "every", faults) {
        check.every_ms = every;
    }
    if let Some(timeout) = time(a, "timeout", faults) {
        check.timeout_ms = timeout;
    }
    if let Some(failures) = whole(a, "failures", faults) {
        check.failures = u32::try_from(failures).unwrap_or(u32::MAX);
    }
    Some(check)
}

fn check_url(probe: &Probe, path: &Path, faults: &mut Faults) {
    if let Probe::Http { url } = probe
        && !url.starts_with("http://")
    {
        let cause = format!("{url:?} does not begin with `http://`; use `exec` for anything else");
        faults.push(path, cause);
    }
}

/// A port alone is one of the host itself.
fn tcp_address(text: &str) -> String {
    match text.parse::<u16>() {
        Ok(port) => format!("127.0.0.1:{port}"),
        Err(_) => text.to_owned(),
    }
}

/// A signal's name, with or without `SIG`.
fn signal(text: &str) -> Result<String, String> {
    let name = text.strip_prefix("SIG").unwrap_or(text);
    if !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
    {
        return Ok(name.to_owned());
    }
    Err(format!(
        "{text:?} is not a signal; write it as `TERM` or `HUP`"
    ))
}

/// A signal's name reloads by that signal, anything else is a command.
fn reload(text: &str) -> Reload {
    match signal(text) {
        Ok(name) => Reload::Signal(name),
        Err(_) => Reload::Command { run: text.into() },
    }
}
