//! `weir apply`

use super::{
    Context, Result, output,
    rounds::Rounds,
    run::{self, Interrupts, Run, Style},
};
use crate::{
    args::{ApproveArgs, PlanArgs},
    compose,
    env::Env,
    error::{CommandError, Outcome},
    render::{json::ui as messages, plan::Counts, progress::Phase, style::Ink},
    stores,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};
use tokio_util::sync::CancellationToken;
use weir_core::{Address, Diagnostic, Diagnostics, Known, change::Action, plan::Op};
use weir_engine::{
    Mode, NodeResult, PlanInput, PlanOptions, Planned, Report, Status, planfile::SavedPlan,
};
use weir_state::Lease;

/// Flags of `apply`.
#[derive(Debug, clap::Args)]
pub(crate) struct Apply {
    /// A plan that `weir plan -out` kept. Without one, a plan is made now.
    file: Option<PathBuf>,
    #[command(flatten)]
    plan: PlanArgs,
    #[command(flatten)]
    approve: ApproveArgs,
    /// Destroy everything.
    #[arg(long)]
    destroy: bool,
    /// Print JSON messages.
    #[arg(long)]
    json: bool,
}

/// Brings what is there to what is configured.
pub(crate) async fn cmd_apply(args: &Apply, context: &Context) -> Result {
    let style = Style::of(args.json);
    let mode = if args.destroy {
        Mode::Destroy
    } else {
        Mode::Apply
    };
    let result = match &args.file {
        Some(_) if args.destroy => Err(CommandError::usage(
            "a plan file says already whether it destroys: leave out -destroy",
        )),
        Some(file) => apply_file(file, args, style, context).await,
        None => {
            let request = Request {
                plan: &args.plan,
                approve: args.approve,
                mode,
                operation: "apply",
                style,
            };
            apply(&request, context).await
        }
    };
    run::report(result, style, context)
}

/// What apply and destroy are asked.
pub(super) struct Request<'a> {
    pub(super) plan: &'a PlanArgs,
    pub(super) approve: ApproveArgs,
    pub(super) mode: Mode,
    /// The command, as messages and the lock name it.
    pub(super) operation: &'static str,
    pub(super) style: Style,
}

/// Plans, shows, asks, applies.
pub(super) async fn apply(request: &Request<'_>, context: &Context) -> Result {
    let Request {
        plan,
        approve,
        style,
        ..
    } = *request;
    if style == Style::Json {
        context.ui.json(&messages::version())?;
    }
    can_be_approved(approve, style, context)?;
    let stack = run::load(plan, style, context)?;
    apply_stack(&stack, request, context).await
}

/// As [`apply`], of a stack that was loaded.
pub(super) async fn apply_stack(
    stack: &run::Stack,
    request: &Request<'_>,
    context: &Context,
) -> Result {
    let Request {
        plan,
        approve,
        mode,
        operation,
        style,
    } = *request;
    can_be_approved(approve, style, context)?;
    let input = stack.input(mode, plan, false)?;
    let run = Run::start_plan(stack, &input, operation, &plan.run, style, context).await?;
    let mut planned = run.plan_input(&input).await?;
    let mut lease = None;
    if !run.is_idle(&planned).await? {
        let secured = run.secure(planned, &input).await?;
        (planned, lease) = (secured.planned, Some(secured.lease));
    }
    let outcome = shown_and_done(&run, (&planned, &mut lease), (request, &input), context).await;
    let released = run.release(lease).await;
    let outcome = outcome?;
    released?;
    Ok(outcome)
}

/// Shows the plan, asks, and does it. Without a lease there is nothing to do.
async fn shown_and_done(
    run: &Run,
    (planned, lease): (&Planned, &mut Option<Lease>),
    (request, input): (&Request<'_>, &PlanInput),
    context: &Context,
) -> Result {
    let Request {
        approve,
        mode,
        operation,
        style,
        ..
    } = *request;
    std::thread::scope(|scope| {
        if lease.is_some() {
            // What the history says of the plan is worked out while it is shown.
            let thread = std::thread::Builder::new().stack_size(crate::STACK);
            let _ = thread.spawn_scoped(scope, || planned.digest());
        }
        show(planned, request, context)
    })?;
    let nothing = planned.is_empty();
    // With nothing to do, what was looked up is still recorded, and what conditions come to now.
    let does = lease.is_some() && !run.is_idle(planned).await?;
    let mut warnings = planned.warnings.clone();
    if approve.auto_approve && does {
        judged_again(&mut warnings);
    }
    run::warn(&warnings, style, context)?;
    if !nothing && !approve.auto_approve {
        let question = match mode {
            Mode::Apply => "Do this?",
            Mode::Refresh => "Record this?",
            Mode::Destroy => "Destroy all of this? There is no way back.",
        };
        ask(question, context).await?;
    }
    if !does {
        let outputs = run.store.snapshot().await?.outputs;
        return finished(Done::nothing(operation, outputs), style, context);
    }
    let rounds = Rounds {
        run,
        operation,
        style,
        context,
        show: &|planned| show(planned, request, context),
    };
    let ended = rounds.carry_out(planned, input.options.clone(), lease);
    let (done, error) = ended.await?;
    let outcome = finished(done, style, context)?;
    error.map_or(Ok(outcome), Err)
}

fn show(
    planned: &Planned,
    request: &Request<'_>,
    context: &Context,
) -> std::result::Result<(), CommandError> {
    if let Style::Human = request.style {
        return run::show(planned, request.plan.detail(), context);
    }
    let (mode, refresh) = (planned.mode, planned.refresh);
    for message in messages::planned(planned.plan.plan(), (mode, refresh), &planned.generated) {
        context.ui.json(&message)?;
    }
    Ok(())
}

/// Leaves out what does not hold now and is asked again when all is done, a moment later.
pub(super) fn judged_again(warnings: &mut Diagnostics) {
    warnings.0.retain(|d| !d.is_failed_condition());
}

async fn apply_file(file: &Path, args: &Apply, style: Style, context: &Context) -> Result {
    let plan = &args.plan;
    if !plan.vars.0.is_empty() || !plan.targets.is_empty() {
        return Err(
            CommandError::usage("a plan file holds its variables and targets already")
                .hint("Leave -var, -var-file and -target out, or plan again with them."),
        );
    }
    if style == Style::Json {
        context.ui.json(&messages::version())?;
    }
    let saved = read(file, &context.env)?;
    let run = Run::resume(saved.config(), "apply", &plan.run, style, context).await?;
    let scope = run.engine.scope_of(&saved).await?;
    let lease = run.acquire(scope).await?;
    let opened = run.engine.open(saved, &lease).await;
    let mut lease = Some(lease);
    let outcome = match opened {
        Ok(planned) => {
            run.identify(&planned);
            if style == Style::Json {
                for message in messages::to_do(planned.plan.plan(), planned.mode, planned.refresh) {
                    context.ui.json(&message)?;
                }
            }
            let rounds = Rounds {
                run: &run,
                operation: "apply",
                style,
                context,
                show: &|planned| match style {
                    Style::Human => run::show(planned, plan.detail(), context),
                    Style::Json => {
                        let (mode, refresh) = (planned.mode, planned.refresh);
                        let to_do = messages::to_do(planned.plan.plan(), mode, refresh);
                        to_do
                            .into_iter()
                            .try_for_each(|message| context.ui.json(&message))
                    }
                },
            };
            let options = PlanOptions {
                refresh: planned.refresh,
                ..PlanOptions::default()
            };
            rounds.carry_out(&planned, options, &mut lease).await
        }
        Err(found) => Err(found.into()),
    };
    let released = run.release(lease).await;
    let (done, error) = outcome?;
    released?;
    let outcome = finished(done, style, context)?;
    error.map_or(Ok(outcome), Err)
}

/// Reads a plan file.
pub(super) fn read(file: &Path, env: &Env) -> std::result::Result<SavedPlan, CommandError> {
    let bytes = fs::read(file).map_err(|e| {
        CommandError::failed(format!(
            "the plan file {} can't be read: {e}",
            file.display()
        ))
    })?;
    let bytes = stores::unseal(bytes, env)?;
    Ok(SavedPlan::read(
        &bytes,
        compose::files(),
        &compose::Catalogue,
    )?)
}

/// Refuses at once where nobody could answer later.
fn can_be_approved(
    approve: ApproveArgs,
    style: Style,
    context: &Context,
) -> std::result::Result<(), CommandError> {
    if approve.auto_approve || (context.ui.can_ask && approve.input && style == Style::Human) {
        return Ok(());
    }
    Err(CommandError::usage("nobody can be asked here, as stdin is not a terminal")
        .hint("Pass -auto-approve, or apply a plan that was looked at: `weir plan -out FILE`, then `weir apply FILE`."))
}

/// Goes on where the user agrees, by flag or by word.
pub(super) async fn confirmed(
    approve: ApproveArgs,
    question: &str,
    context: &Context,
) -> std::result::Result<(), CommandError> {
    can_be_approved(approve, Style::Human, context)?;
    match approve.auto_approve {
        true => Ok(()),
        false => ask(question, context).await,
    }
}

async fn ask(question: &str, context: &Context) -> std::result::Result<(), CommandError> {
    let question = format!("\n{question} Only `yes` is taken for it: ");
    let ui = context.ui.clone();
    let mut interrupts = Interrupts::listen()?;
    let answer = tokio::select! {
        answer = tokio::task::spawn_blocking(move || ui.ask(&question)) => {
            answer.map_err(|e| CommandError::failed(format!("the answer can't be read: {e}")))??
        }
        () = interrupts.next() => return Err(run::interrupted()),
    };
    match answer.as_str() {
        "yes" => Ok(()),
        _ => Err(CommandError::failed("Not confirmed: nothing was changed")),
    }
}

/// Applies the plan. Ctrl-C once: nothing more is begun, what is in flight is finished and
/// recorded. Twice: the calls are dropped, and the journal keeps what was begun.
pub(super) async fn carry_out(
    run: &Run,
    planned: &Planned,
    lease: &Lease,
    context: &Context,
) -> std::result::Result<Report, CommandError> {
    let stop = CancellationToken::new();
    let mut interrupts = Interrupts::listen()?;
    run.progress
        .begin(Phase::Applying(planned.plan.operations()));
    let outcome = {
        let mut apply = std::pin::pin!(run.engine.apply(planned, lease, stop.clone()));
        loop {
            tokio::select! {
                report = &mut apply => break Some(report),
                () = interrupts.next() => {
                    if stop.is_cancelled() {
                        break None;
                    }
                    stop.cancel();
                    let text = "Interrupted: what is in flight is finished and recorded. \
                                Interrupt once more to cancel it.";
                    run.progress.line(&context.ui.err.ink(Ink::Changed, text));
                }
            }
        }
    };
    run.progress.end();
    match outcome {
        Some(report) => {
            let mut report = report?;
            if report.status == Status::Succeeded
                && let Some(warning) = run.forget_old(lease).await
            {
                report.diagnostics.push(warning);
            }
            Ok(report)
        }
        None => Err(cancelled(run)),
    }
}

fn cancelled(run: &Run) -> CommandError {
    let flying = run.progress.in_flight();
    let mut d = Diagnostic::error("Interrupted twice: the run was cancelled");
    if !flying.is_empty() {
        let names: Vec<String> = flying.iter().map(ToString::to_string).collect();
        d = d.because(format!(
            "It is not known yet what became of {}.",
            names.join(", ")
        ));
    }
    let d = d.help("Run plan or apply again: it finds out what was done and goes on from there.");
    Diagnostics::from(d).into()
}

/// What came of a run.
pub(super) struct Done {
    status: Status,
    diagnostics: Diagnostics,
    outputs: BTreeMap<String, Known>,
    counts: Counts,
    /// What was not begun, by what failed before it; `None`: as the run was stopped.
    not_done: BTreeMap<Option<Address>, BTreeSet<Address>>,
    /// `None` where there was nothing to do.
    mode: Option<Mode>,
    operation: &'static str,
}

impl Done {
    pub(super) fn nothing(operation: &'static str, outputs: BTreeMap<String, Known>) -> Done {
        Done {
            status: Status::Succeeded,
            diagnostics: Diagnostics::new(),
            outputs,
            counts: Counts::default(),
            not_done: BTreeMap::new(),
            mode: None,
            operation,
        }
    }

    /// Imports are recorded before anything else: where there is a report, they were.
    pub(super) fn of(
        planned: &Planned,
        report: Report,
        (mode, operation): (Mode, &'static str),
    ) -> Done {
        let changes = planned.plan.changes.values();
        let import = changes.filter(|c| c.import.is_some()).count();
        let counts = Counts {
            import,
            ..done(&report)
        };
        let mut diagnostics = Diagnostics::new();
        if !planned.plan.complete {
            diagnostics.push(part());
        }
        diagnostics.extend(report.diagnostics);
        let mut not_done: BTreeMap<_, BTreeSet<Address>> = BTreeMap::new();
        for node in report.nodes {
            if let NodeResult::Skipped(because) = node.result {
                // Of a replacement, both halves are not done: it is one.
                not_done.entry(because).or_default().insert(node.address);
            }
        }
        Done {
            status: report.status,
            diagnostics,
            outputs: report.outputs,
            counts,
            not_done,
            mode: Some(mode),
            operation,
        }
    }
}

impl Done {
    /// With what came of the next round.
    pub(super) fn then(self, later: Done) -> Done {
        let Counts {
            add,
            change,
            destroy,
            forget,
            import,
        } = self.counts;
        let counts = Counts {
            add: add + later.counts.add,
            change: change + later.counts.change,
            destroy: destroy + later.counts.destroy,
            forget: forget + later.counts.forget,
            import: import + later.counts.import,
        };
        let mut diagnostics = self.diagnostics;
        diagnostics.extend(later.diagnostics);
        Done {
            counts,
            diagnostics,
            ..later
        }
    }

    /// Leaves out that offers have run out: another round makes their machines.
    pub(super) fn forgive_shortages(&mut self) {
        self.diagnostics.0.retain(|d| d.shortage().is_none());
    }
}

/// That what was done is a part only.
fn part() -> Diagnostic {
    Diagnostic::warning("what was applied is a part only")
        .because("The plan was made with `-target` or `-exclude`: other changes may be left to do.")
        .help("`weir plan` without them shows what is left.")
}

/// The last word: what was done, what went wrong, the outputs.
fn finished(done: Done, style: Style, context: &Context) -> Result {
    let Done {
        status,
        diagnostics,
        outputs,
        counts,
        not_done,
        mode,
        operation,
    } = done;
    let ui = &context.ui;
    run::warn(&diagnostics, style, context)?;
    match (style, mode) {
        // What failed is said, and that is not complete.
        (Style::Json, _) if status != Status::Succeeded => {}
        (Style::Json, _) => {
            ui.json(&messages::summary(counts, operation))?;
            if operation != "destroy" {
                ui.json(&messages::outputs(&outputs))?;
            }
        }
        (Style::Human, None) => shown(&outputs, context)?,
        (Style::Human, Some(mode)) => {
            let Counts {
                add,
                change,
                destroy,
                import,
                ..
            } = counts;
            let (word, ink) = match (status, mode) {
                (Status::Succeeded, Mode::Apply | Mode::Refresh) => ("Apply complete.", Ink::Good),
                (Status::Succeeded, Mode::Destroy) => ("Destroy complete.", Ink::Good),
                (Status::Failed, _) => ("Apply failed.", Ink::Bad),
                (Status::Interrupted, _) => ("Apply interrupted.", Ink::Changed),
            };
            let imported = match import {
                0 => String::new(),
                n => format!("{n} imported, "),
            };
            let line = format!("{imported}{add} added, {change} changed, {destroy} destroyed.");
            ui.data(&format!("\n{} {line}\n", ui.out.ink(ink, word)))?;
            // After a failure they would name what may not be there.
            for (because, all) in &not_done {
                ui.tell(&undone(because.as_ref(), all));
            }
            if status == Status::Succeeded {
                shown(&outputs, context)?;
            } else if ui.hints {
                ui.tell("What was done is recorded. Apply again to go on from here.");
            }
        }
    }
    Ok(match status {
        Status::Succeeded => Outcome::Done,
        Status::Failed | Status::Interrupted => Outcome::Failed,
    })
}

/// So many are named of what was not done; the rest is counted.
const NAMED: usize = 10;

/// `Not done, as a.b failed: a.c, a.d`
fn undone(because: Option<&Address>, all: &BTreeSet<Address>) -> String {
    let why = match because {
        Some(failed) => format!("as {failed} failed"),
        None => "as the run was stopped".into(),
    };
    let names: Vec<String> = all.iter().take(NAMED).map(ToString::to_string).collect();
    let more = match all.len().saturating_sub(NAMED) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    format!("Not done, {why}: {}{more}", names.join(", "))
}

fn shown(
    outputs: &BTreeMap<String, Known>,
    context: &Context,
) -> std::result::Result<(), CommandError> {
    if outputs.is_empty() {
        return Ok(());
    }
    let text = format!("\nOutputs:\n\n{}", output::all(outputs));
    context.ui.data(&text)
}

/// What was done, a replacement as one added and one destroyed.
fn done(report: &Report) -> Counts {
    let of = |op: Op| {
        let done = report
            .nodes
            .iter()
            .filter(|n| n.op == op && n.result == NodeResult::Done);
        done.filter(|n| n.action != Action::NoOp).count()
    };
    Counts {
        add: of(Op::Create),
        change: of(Op::Update),
        destroy: of(Op::Delete),
        forget: of(Op::Forget),
        import: 0,
    }
}
