//! `weir service status`

use super::{Pods, pods, tasks};
use crate::{
    clock,
    commands::{Context, Result},
    error::Outcome,
    render::style::Ink,
};
use serde_json::{Value as Json, json};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use weir_agent::wire::{PodStatus, TaskState, TaskStatus};
use weir_core::{Address, Diagnostics, snapshot::Resource};
use weir_host::HostProvider;

/// Flags of `service status`.
#[derive(Debug, clap::Args)]
pub(crate) struct Status {
    /// Only these services or pods.
    services: Vec<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// One task of one pod.
struct Row {
    pod: Address,
    host: String,
    task: String,
    word: &'static str,
    since: Option<u64>,
    restarts: u64,
    detail: String,
}

/// Asks every agent once, all at the same time.
pub(super) async fn cmd_status(args: &Status, context: &Context) -> Result {
    let Pods { pods, provider } = pods(&args.services, context).await?;
    let asked = pods
        .iter()
        .map(|(address, resource)| ask(&provider, address, resource));
    let answers = futures::future::join_all(asked).await;
    let mut found = Diagnostics::new();
    let mut rows = Vec::new();
    for ((address, resource), answer) in pods.iter().zip(answers) {
        let host = host_of(resource);
        match answer {
            Ok(Some(status)) => rows.extend(task_rows(address, &host, resource, &status)),
            Ok(None) => rows.push(pod_row(
                address,
                &host,
                "missing",
                "its agent does not know it",
            )),
            Err(errors) => {
                rows.push(pod_row(address, &host, "unreachable", ""));
                found.merge(errors);
            }
        }
    }
    if args.json {
        let rows: Vec<Json> = rows.iter().map(Row::json).collect();
        context.ui.data(&format!(
            "{:#}\n",
            json!({ "format_version": "1.0", "tasks": rows })
        ))?;
    } else {
        context.ui.data(&table(&rows, context))?;
    }
    context.ui.diagnostics(&found);
    Ok(if found.has_errors() {
        Outcome::Failed
    } else {
        Outcome::Done
    })
}

async fn ask(
    provider: &HostProvider,
    address: &Address,
    resource: &Resource,
) -> std::result::Result<Option<PodStatus>, Diagnostics> {
    let mut agent = provider
        .pod_agent(&address.to_string(), &resource.value, &resource.private)
        .await?;
    agent.status().await
}

fn host_of(resource: &Resource) -> String {
    resource
        .value
        .value()
        .get("host")
        .and_then(|h| h.as_str())
        .unwrap_or("")
        .to_owned()
}

fn pod_row(pod: &Address, host: &str, word: &'static str, detail: &str) -> Row {
    Row {
        pod: pod.clone(),
        host: host.into(),
        task: "-".into(),
        word,
        since: None,
        restarts: 0,
        detail: detail.into(),
    }
}

/// In the order of the configuration.
fn task_rows(pod: &Address, host: &str, resource: &Resource, status: &PodStatus) -> Vec<Row> {
    let mut rows = Vec::new();
    for task in tasks(resource) {
        let Some(t) = status.tasks.get(&task) else {
            continue;
        };
        let (word, detail) = words(t);
        let since = (t.since > 0).then_some(t.since);
        let (host, pod) = (host.to_owned(), pod.clone());
        rows.push(Row {
            pod,
            host,
            task,
            word,
            since,
            restarts: t.restarts,
            detail,
        });
    }
    if let Some(error) = &status.error {
        rows.push(pod_row(
            pod,
            host,
            "failed",
            &format!("{}: {}", error.step, brief(&error.message)),
        ));
    }
    rows
}

fn words(task: &TaskStatus) -> (&'static str, String) {
    let last = task
        .last_exit
        .map(|e| format!("last ended with {e}"))
        .unwrap_or_default();
    match &task.state {
        TaskState::Running { pid, ready: true } => ("running", format!("process {pid}")),
        TaskState::Running { pid, ready: false } => {
            ("starting", format!("process {pid}, not ready yet"))
        }
        TaskState::Waiting => ("waiting", last),
        TaskState::Backoff { next_in_ms } => {
            let wait = clock::span(Duration::from_millis(*next_in_ms));
            ("restarting", format!("in {wait}, {last}"))
        }
        TaskState::Finished { code } => ("finished", format!("exit code {code}")),
        TaskState::Failed { message } => ("failed", brief(message).to_owned()),
        TaskState::Stopped => ("stopped", last),
    }
}

impl Row {
    fn ink(&self) -> Ink {
        match self.word {
            "running" | "finished" => Ink::Good,
            "failed" | "unreachable" | "missing" => Ink::Bad,
            _ => Ink::Changed,
        }
    }

    fn age(&self) -> String {
        let Some(since) = self.since else {
            return "-".into();
        };
        let then = UNIX_EPOCH + Duration::from_millis(since);
        clock::span(SystemTime::now().duration_since(then).unwrap_or_default())
    }

    fn json(&self) -> Json {
        json!({
            "pod": self.pod.to_string(), "host": self.host, "task": self.task, "state": self.word,
            "since": self.since.map(|ms| clock::rfc3339(UNIX_EPOCH + Duration::from_millis(ms))),
            "restarts": self.restarts, "detail": self.detail,
        })
    }
}

/// A message without the end of the log that it quotes: a table has one line for it.
fn brief(message: &str) -> &str {
    let line = message.lines().next().unwrap_or_default();
    match line.rsplit_once("; ") {
        Some((said, quotes)) if quotes.ends_with(':') => said,
        _ => line,
    }
}

fn table(rows: &[Row], context: &Context) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let head = ["POD", "HOST", "TASK", "STATE", "FOR", "RESTARTS", "DETAIL"].map(String::from);
    let cells: Vec<[String; 7]> = rows
        .iter()
        .map(|r| {
            let (pod, restarts) = (r.pod.to_string(), r.restarts.to_string());
            let (host, task) = (r.host.clone(), r.task.clone());
            [
                pod,
                host,
                task,
                r.word.to_owned(),
                r.age(),
                restarts,
                r.detail.clone(),
            ]
        })
        .collect();
    let mut widths = [0; 7];
    for row in cells.iter().chain([&head]) {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let paint = context.ui.out;
    let line = |row: &[String; 7], ink: Ink| {
        let mut out = String::new();
        for (i, (cell, width)) in row.iter().zip(widths).enumerate() {
            let padded = format!("{cell:width$}  ");
            out.push_str(&if i == 3 {
                paint.ink(ink, &padded)
            } else {
                padded
            });
        }
        format!("{}\n", out.trim_end())
    };
    let body = rows.iter().zip(&cells).map(|(r, c)| line(c, r.ink()));
    std::iter::once(line(&head, Ink::Normal))
        .chain(body)
        .collect()
}
