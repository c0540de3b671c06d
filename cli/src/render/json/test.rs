//! The messages that `test -json` prints beside those of plan and apply.

use super::{Form, Secrets, plan, state, ui};
use serde_json::{Value as Json, json};
use weir_lang::{Config, Schemas};
use weir_tftest::{Event, Report, RunBlock, Status, Suite, TestFile};

/// What was found.
pub(crate) fn found(suite: &Suite) -> Json {
    let files: serde_json::Map<String, Json> = suite
        .files
        .iter()
        .map(|f| {
            let runs: Vec<&str> = f.runs.iter().map(|r| &*r.name).collect();
            (f.path.to_string(), json!(runs))
        })
        .collect();
    let plural = |n: usize, one: &str| match n {
        1 => format!("1 {one}"),
        n => format!("{n} {one}s"),
    };
    let text = format!(
        "Found {} and {}",
        plural(suite.files.len(), "file"),
        plural(suite.runs(), "run block")
    );
    let body = json!({ "test_abstract": files });
    ui::message("info", "test_abstract", &text, body)
}

/// An event; none has more messages than a run that is over. Plans and states are among them
/// where the schemas to write them with are given.
pub(crate) fn event(event: &Event<'_>, verbose: Option<&dyn Schemas>) -> Vec<Json> {
    match event {
        Event::FileStarted(file) => vec![of_file(file, "in progress", "starting", None)],
        Event::RunStarted(file, run) => {
            let body = json!({ "path": &*file.path, "run": &*run.name, "progress": "starting", "elapsed": 0 });
            vec![of_run(file, run, "in progress", body)]
        }
        Event::RunEnded(file, run, report) => {
            let status = report.status;
            let body = json!({ "path": &*file.path, "run": &*run.name, "progress": "complete", "status": word(status) });
            let mut out = vec![of_run(file, run, spoken(status), body)];
            for d in &report.diagnostics.0 {
                out.push(at(ui::diagnosed(d), file, Some(run)));
            }
            out
        }
        Event::Planned(file, run, planned) => {
            let Some(schemas) = verbose else {
                return Vec::new();
            };
            let document = plan::Document {
                plan: planned.plan.plan(),
                mode: planned.mode,
                refresh: planned.refresh,
                prior: None,
                timestamp: planned.inputs.now.as_deref(),
            };
            let mut plan = plan::plan(&document, &form(schemas, Some(&planned.config)));
            plan["plan_format_version"] = plan["format_version"].take();
            let text = "-verbose flag enabled, printing plan";
            let message = ui::message("info", "test_plan", text, json!({ "test_plan": plan }));
            vec![at(message, file, Some(run))]
        }
        Event::Applied(file, run, snapshot) => {
            let Some(schemas) = verbose else {
                return Vec::new();
            };
            let mut state = state::state(snapshot, &form(schemas, None));
            let body = json!({ "test_state": {
                "state_format_version": state["format_version"].take(),
                "root_module": state["values"]["root_module"].take(),
                "root_module_outputs": state["values"]["outputs"].take(),
            } });
            let text = "-verbose flag enabled, printing state";
            let message = ui::message("info", "test_state", text, body);
            vec![at(message, file, Some(run))]
        }
        Event::TearingDown(file) => vec![of_file(file, "tearing down", "teardown", None)],
        Event::RunTearingDown(file, run) => {
            let body = json!({ "path": &*file.path, "run": &*run.name, "progress": "teardown", "elapsed": 0 });
            vec![of_run(file, run, "tearing down", body)]
        }
        Event::TeardownFailed(file, run, found) => {
            let each = found
                .0
                .iter()
                .map(|d| at(ui::diagnosed(d), file, Some(run)));
            each.collect()
        }
        Event::Leftovers(file, run, left) if !left.is_empty() => {
            let objects: Vec<Json> = left
                .iter()
                .map(|a| json!({ "instance": a.to_string() }))
                .collect();
            let text = format!(
                "weir left some resources in state after executing {}, and they need to be cleaned up manually:",
                file.path
            );
            let body = json!({ "test_cleanup": { "failed_resources": objects } });
            vec![at(
                ui::message("error", "test_cleanup", &text, body),
                file,
                Some(run),
            )]
        }
        Event::FileEnded(file, report) => {
            let status = report.status;
            vec![of_file(file, spoken(status), "complete", Some(status))]
        }
        _ => Vec::new(),
    }
}

/// Logs of tests are read by many: nothing sensitive is in them.
fn form<'a>(schemas: &'a dyn Schemas, config: Option<&'a Config>) -> Form<'a> {
    Form {
        secrets: Secrets::Redacted,
        schemas,
        config,
    }
}

/// The last message.
pub(crate) fn summary(report: &Report) -> Json {
    let word_of = word(match report.status {
        Status::Pending => Status::Pass,
        status => status,
    });
    let text = match report.status {
        Status::Fail | Status::Error => "Failure!",
        _ => "Success!",
    };
    let body = json!({ "test_summary": {
        "status": word_of,
        "passed": report.count(Status::Pass),
        "failed": report.count(Status::Fail),
        "errored": report.count(Status::Error),
        "skipped": report.count(Status::Skip),
    } });
    let text = format!("{text} {}", counts(report));
    ui::message("info", "test_summary", &text, body)
}

/// How many passed, failed and were skipped, in words.
pub(crate) fn counts(report: &Report) -> String {
    let failed = report.count(Status::Fail) + report.count(Status::Error);
    let skipped = match report.count(Status::Skip) {
        0 => String::new(),
        n => format!(", {n} skipped"),
    };
    format!(
        "{} passed, {failed} failed{skipped}.",
        report.count(Status::Pass)
    )
}

fn of_file(file: &TestFile, text: &str, progress: &str, status: Option<Status>) -> Json {
    let mut body = json!({ "path": &*file.path, "progress": progress });
    if let Some(status) = status {
        body["status"] = json!(word(status));
    }
    let text = format!("{}... {text}", file.path);
    let message = ui::message("info", "test_file", &text, json!({ "test_file": body }));
    at(message, file, None)
}

fn of_run(file: &TestFile, run: &RunBlock, text: &str, body: Json) -> Json {
    let text = format!("  {:?}... {text}", &*run.name);
    let message = ui::message("info", "test_run", &text, json!({ "test_run": body }));
    at(message, file, Some(run))
}

/// With the file and run it is of.
fn at(mut message: Json, file: &TestFile, run: Option<&RunBlock>) -> Json {
    message["@testfile"] = json!(&*file.path);
    if let Some(run) = run {
        message["@testrun"] = json!(&*run.name);
    }
    message
}

fn word(status: Status) -> &'static str {
    match status {
        Status::Pending => "pending",
        Status::Skip => "skip",
        Status::Pass => "pass",
        Status::Fail => "fail",
        Status::Error => "error",
    }
}

fn spoken(status: Status) -> &'static str {
    match status {
        Status::Error => "fail",
        other => word(other),
    }
}
