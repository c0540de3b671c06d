//! systemd: what its units do (one `systemctl show` for all of them), and the units the agent
//! writes for tasks.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;
use weir_agent::wire::{Goal, TaskExec, TaskSpec};

use super::disk;
use super::home::PodHome;
use super::task::TaskConfig;

const UNIT_DIR: &str = "/etc/systemd/system";
const PROPERTIES: &str = "Id,Names,LoadState,ActiveState,SubState,MainPID,NRestarts,ExecMainCode,ExecMainStatus,UnitFileState,ActiveEnterTimestampMonotonic";

/// Whether systemd runs this host.
pub(crate) fn is_running() -> bool {
    Path::new("/run/systemd/system").is_dir()
}

/// A unit as systemd sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct UnitState {
    pub(crate) load: String,
    pub(crate) active: String,
    pub(crate) sub: String,
    pub(crate) main_pid: u32,
    pub(crate) restarts: u64,
    /// How the main process last ended: 1 exited, 2 or 3 killed.
    pub(crate) exit_code: i32,
    pub(crate) exit_status: i32,
    pub(crate) file_state: String,
    /// Microseconds after boot.
    pub(crate) active_since_us: u64,
}

impl UnitState {
    pub(crate) fn is_active(&self) -> bool {
        matches!(self.active.as_str(), "active" | "reloading" | "activating") && !self.is_waiting()
    }

    /// Between a death and the restart.
    pub(crate) fn is_waiting(&self) -> bool {
        self.sub == "auto-restart"
    }

    pub(crate) fn is_enabled(&self) -> bool {
        !matches!(self.file_state.as_str(), "disabled" | "" | "masked")
    }
}

/// Units by each of their names.
pub(crate) type Units = HashMap<String, UnitState>;

/// A unit's full name.
pub(crate) fn full_name(name: &str) -> String {
    match name.rsplit_once('.') {
        Some((_, "service" | "socket" | "timer" | "target" | "mount" | "path" | "slice")) => {
            name.to_owned()
        }
        _ => format!("{name}.service"),
    }
}

/// The unit of a task on a systemd host.
pub(crate) fn unit_of(task: &TaskSpec, home: &PodHome) -> String {
    match &task.exec {
        TaskExec::Unit { name } => full_name(name),
        TaskExec::Command { .. } => home.unit(&task.name),
    }
}

pub(crate) fn parse_show(text: &str) -> Units {
    let mut units = Units::new();
    for block in text.split("\n\n") {
        let mut unit = UnitState::default();
        let mut names = Vec::new();
        for (key, value) in block.lines().filter_map(|line| line.split_once('=')) {
            match key {
                "Id" => names.push(value.to_owned()),
                "Names" => names.extend(value.split(' ').map(str::to_owned)),
                "LoadState" => value.clone_into(&mut unit.load),
                "ActiveState" => value.clone_into(&mut unit.active),
                "SubState" => value.clone_into(&mut unit.sub),
                "MainPID" => unit.main_pid = value.parse().unwrap_or(0),
                "NRestarts" => unit.restarts = value.parse().unwrap_or(0),
                "ExecMainCode" => unit.exit_code = value.parse().unwrap_or(0),
                "ExecMainStatus" => unit.exit_status = value.parse().unwrap_or(0),
                "UnitFileState" => value.clone_into(&mut unit.file_state),
                "ActiveEnterTimestampMonotonic" => {
                    unit.active_since_us = value.parse().unwrap_or(0);
                }
                _ => {}
            }
        }
        for name in names {
            units.insert(name, unit.clone());
        }
    }
    units
}

/// Looks at units, all in one call.
///
/// # Errors
/// In words.
pub(crate) async fn show(names: &[String]) -> Result<Units, String> {
    if names.is_empty() {
        return Ok(Units::new());
    }
    let mut arguments = vec!["show", "--property", PROPERTIES, "--"];
    arguments.extend(names.iter().map(String::as_str));
    Ok(parse_show(&systemctl(&arguments).await?))
}

/// Runs systemctl and gives its output.
///
/// # Errors
/// In words: the verb and what systemctl said.
pub(crate) async fn systemctl(arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("systemctl")
        .args(["--no-pager", "--no-ask-password"])
        .args(arguments)
        .env("PATH", super::SYSTEM_PATH)
        .env("LC_ALL", "C")
        .env("SYSTEMD_COLORS", "0")
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(|error| format!("systemctl can't be run: {}", disk::cause(&error)))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().next().unwrap_or("it gave no reason").trim();
    Err(format!(
        "systemctl {} failed: {said}",
        arguments.first().unwrap_or(&"")
    ))
}

/// The last lines of a unit in the journal, for an error message.
pub(crate) async fn journal_excerpt(unit: &str) -> String {
    let output = Command::new("journalctl")
        .args(["--no-pager", "-q", "-o", "cat", "-n", "8", "-u", unit])
        .env("PATH", super::SYSTEM_PATH)
        .stdin(Stdio::null())
        .output()
        .await;
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    match text {
        Ok(text) if !text.trim().is_empty() => {
            let lines: Vec<String> = text.lines().map(|line| format!("  {line}")).collect();
            format!("; the journal ends with:\n{}", lines.join("\n"))
        }
        _ => String::new(),
    }
}

pub(crate) fn unit_path(unit: &str) -> PathBuf {
    Path::new(UNIT_DIR).join(unit)
}

/// A word of a unit file, quoted: systemd expands `%` and `$` in it otherwise.
fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '%' => quoted.push_str("%%"),
            '$' => quoted.push_str("$$"),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// A value that systemd takes as it stands but for `%`.
fn plain(text: &str) -> String {
    text.replace('%', "%%").replace(['\n', '\r'], " ")
}

/// The unit file of a command.
pub(crate) fn render_unit(config: &TaskConfig, run: &str) -> String {
    let task = &config.spec;
    let keeps = task.goal == Goal::Running;
    let mut text = String::new();
    let mut line = |words: String| {
        text.push_str(&words);
        text.push('\n');
    };
    line("# Written by weir-agent; it is replaced when the task changes.".to_owned());
    line("[Unit]".to_owned());
    line(format!(
        "Description=weir {} task {}",
        plain(&config.pod.name),
        task.name
    ));
    line("Wants=network-online.target".to_owned());
    line("After=network-online.target".to_owned());
    line("StartLimitIntervalSec=0".to_owned());
    if keeps {
        // Restarts of an essential task are carried over to the others.
        for other in config
            .pod
            .tasks
            .iter()
            .filter(|other| other.essential && other.name != task.name)
        {
            line(format!("PartOf={}", unit_of(other, &config.home)));
        }
    }
    line(String::new());
    line("[Service]".to_owned());
    line(if keeps { "Type=exec" } else { "Type=oneshot" }.to_owned());
    line(format!("ExecStart=/bin/sh -c {}", quote(run)));
    line(format!(
        "WorkingDirectory={}",
        plain(&config.dir().display().to_string())
    ));
    line(format!(
        "EnvironmentFile={}",
        plain(&config.home.env_file(&task.name).display().to_string())
    ));
    if let Some(user) = config.user_name() {
        line(format!("User={}", plain(user)));
    }
    let log = plain(&config.log().display().to_string());
    line(format!("StandardOutput=append:{log}"));
    line(format!("StandardError=append:{log}"));
    line("UMask=0022".to_owned());
    if keeps {
        line("Restart=always".to_owned());
        line(format!("RestartSec={}ms", task.backoff.initial_ms));
    } else {
        line("TimeoutStartSec=infinity".to_owned());
        // Only after success, and as root: the agent may be away when it ends.
        let note = format!("echo 0 > '{}'", config.exit_file().display());
        line(format!("ExecStartPost=+/bin/sh -c {}", quote(&note)));
    }
    line(format!("TimeoutStopSec={}ms", task.kill_grace_ms.max(1)));
    line(format!("KillSignal={}", signal_name(&task.kill_signal)));
    if let Some(cpus) = config.pod.limits.cpus {
        line(format!("CPUQuota={}%", percent(cpus)));
    }
    if let Some(bytes) = config.pod.limits.memory_bytes {
        line(format!("MemoryMax={bytes}"));
    }
    if keeps {
        line(String::new());
        line("[Install]".to_owned());
        line("WantedBy=multi-user.target".to_owned());
    }
    text
}

fn signal_name(name: &str) -> String {
    super::proc::parse_signal(name)
        .map_or_else(|_| "SIGTERM".to_owned(), |signal| signal.to_string())
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // clamped first
fn percent(cpus: f64) -> u64 {
    (cpus * 100.0).round().clamp(1.0, 1e9) as u64
}

/// The file with a task's environment: systemd's own quoting, one variable a line.
pub(crate) fn render_env(config: &TaskConfig) -> String {
    let mut text = String::new();
    for (name, value) in config.env() {
        let mut quoted = String::new();
        for letter in value.chars() {
            if matches!(letter, '"' | '\\' | '$' | '`') {
                quoted.push('\\');
            }
            quoted.push(letter);
        }
        // Writing to a String never fails.
        let _ = writeln!(text, "{name}=\"{quoted}\"");
    }
    text
}

#[cfg(test)]
#[path = "systemd_tests.rs"]
mod tests;
