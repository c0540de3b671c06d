//! `weir test`

use super::{Context, Result, run::Interrupts};
use crate::{
    args::VarArgs,
    compose,
    error::{CommandError, Outcome},
    render::{
        json::{test as messages, ui as json},
        junit, plan, snapshot,
        style::Ink,
    },
    ui::Ui,
};
use std::{num::NonZeroUsize, path::PathBuf, sync::Arc};
use tokio_util::sync::CancellationToken;
use weir_core::Diagnostics;
use weir_engine::Registry;
use weir_lang::{DiskFiles, Schemas};
use weir_tftest::{Event, Report, Runner, Selection, Status, Suite, Watcher};

/// Flags of `test`.
#[derive(Debug, clap::Args)]
pub(crate) struct Test {
    #[command(flatten)]
    vars: VarArgs,
    /// Run only this test file; may be given several times.
    #[arg(long, value_name = "FILE")]
    filter: Vec<String>,
    /// The folder of tests.
    #[arg(long, value_name = "DIR", default_value = "tests")]
    test_directory: String,
    /// Print JSON messages.
    #[arg(long)]
    json: bool,
    /// Print the plan or the state of each run.
    #[arg(long)]
    verbose: bool,
    /// Write the results to this file as JUnit XML.
    #[arg(long, value_name = "FILE")]
    junit_xml: Option<PathBuf>,
    /// How many operations may be in flight at once.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
    parallelism: u16,
}

/// Runs the tests of the stack: what they make is destroyed again.
pub(crate) async fn cmd_test(args: &Test, context: &Context) -> Result {
    let ui = &context.ui;
    if args.json {
        ui.json(&json::version())?;
    }
    let result = test(args, context).await;
    let report = match result {
        Ok(report) => report,
        Err(error) if args.json => {
            for d in &error.source.0 {
                ui.json(&json::diagnosed(d))?;
            }
            return Ok(Outcome::Failed);
        }
        Err(error) => return Err(error),
    };
    match args.json {
        true => ui.json(&messages::summary(&report))?,
        false => {
            let good = !matches!(report.status, Status::Fail | Status::Error);
            let (word, ink) = match good {
                true => ("Success!", Ink::Good),
                false => ("Failure!", Ink::Bad),
            };
            let counts = messages::counts(&report);
            ui.data(&format!("\n{} {counts}\n", ui.out.ink(ink, word)))?;
        }
    }
    if let Some(path) = &args.junit_xml {
        std::fs::write(path, junit::report(&report)).map_err(|e| {
            CommandError::failed(format!(
                "the results can't be written to {}: {e}",
                path.display()
            ))
        })?;
    }
    Ok(match report.status {
        Status::Fail | Status::Error => Outcome::Failed,
        _ => Outcome::Done,
    })
}

async fn test(args: &Test, context: &Context) -> std::result::Result<Report, CommandError> {
    let files = Arc::new(DiskFiles::new("."));
    let selection = Selection {
        directory: args.test_directory.clone(),
        filter: args.filter.clone(),
    };
    let suite = Suite::read(&*files, &selection)?;
    if args.json {
        context.ui.json(&messages::found(&suite))?;
    }
    let (stop, abandon) = (CancellationToken::new(), CancellationToken::new());
    let registry = Arc::new(compose::registry(&context.env));
    let printer = Printer {
        registry: registry.clone(),
        ui: context.ui.clone(),
        json: args.json,
        verbose: args.verbose,
    };
    let runner = Runner {
        files,
        catalog: &compose::Catalogue,
        registry,
        inputs: compose::inputs(&args.vars, &context.env)?,
        parallelism: NonZeroUsize::new(usize::from(args.parallelism)).unwrap_or(NonZeroUsize::MIN),
        watcher: &printer,
        stop: stop.clone(),
        abandon: abandon.clone(),
    };
    let mut interrupts = Interrupts::listen()?;
    let mut running = std::pin::pin!(runner.run(&suite));
    loop {
        tokio::select! {
            report = &mut running => return Ok(report?),
            () = interrupts.next() => {
                let text = match stop.is_cancelled() {
                    false => "Interrupted: what is in flight is finished, and what was made is destroyed. \
                              Interrupt once more to leave it.",
                    true => "Interrupted twice: nothing is waited for, and nothing more is destroyed.",
                };
                if stop.is_cancelled() {
                    abandon.cancel();
                }
                stop.cancel();
                context.ui.tell(&context.ui.err.ink(Ink::Changed, text));
            }
        }
    }
}

/// Prints events as they come. A reader that went away ends nothing: what was made is still
/// destroyed.
struct Printer {
    ui: Ui,
    registry: Arc<Registry>,
    json: bool,
    verbose: bool,
}

impl Watcher for Printer {
    fn event(&self, event: &Event<'_>) {
        match self.json {
            true => {
                let schemas: Option<&dyn Schemas> = match self.verbose {
                    true => Some(&*self.registry),
                    false => None,
                };
                for message in messages::event(event, schemas) {
                    let _ = self.ui.json(&message);
                }
            }
            false => self.text(event),
        }
    }
}

impl Printer {
    fn text(&self, event: &Event<'_>) {
        match event {
            Event::FileStarted(file) => self.line(&format!("{}... in progress", file.path)),
            Event::RunEnded(_, run, report) => {
                let status = self.status(report.status);
                self.line(&format!("  run {:?}... {status}", &*run.name));
                self.found(&report.diagnostics);
            }
            Event::Planned(_, _, planned) if self.verbose => {
                let _ = self.ui.data(&plan::render(
                    planned.plan.plan(),
                    plan::Detail::Full,
                    self.ui.out,
                ));
            }
            Event::Applied(_, _, state) if self.verbose => {
                let _ = self.ui.data(&snapshot::render(state, self.ui.out));
            }
            Event::TearingDown(file) => self.line(&format!("{}... tearing down", file.path)),
            Event::TeardownFailed(_, _, found) => self.found(found),
            Event::Leftovers(file, _, left) if !left.is_empty() => {
                let names: Vec<String> = left.iter().map(|a| format!("  - {a}")).collect();
                let text = format!(
                    "{}: these objects are left and must be cleaned up by hand:\n{}",
                    file.path,
                    names.join("\n")
                );
                self.ui.tell(&self.ui.err.ink(Ink::Bad, &text));
            }
            Event::FileEnded(file, report) => {
                self.line(&format!("{}... {}", file.path, self.status(report.status)));
            }
            _ => {}
        }
    }

    fn line(&self, text: &str) {
        let _ = self.ui.data(&format!("{text}\n"));
    }

    fn found(&self, found: &Diagnostics) {
        if !found.is_empty() {
            self.ui.diagnostics(found);
        }
    }

    fn status(&self, status: Status) -> String {
        let (word, ink) = match status {
            Status::Pending => ("pending", Ink::Dim),
            Status::Skip => ("skip", Ink::Dim),
            Status::Pass => ("pass", Ink::Good),
            Status::Fail | Status::Error => ("fail", Ink::Bad),
        };
        self.ui.out.ink(ink, word)
    }
}
