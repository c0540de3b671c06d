//! `weir console`
//!
//! 1. the configuration is evaluated with what state holds, or with what a plan says will be; what
//!    neither has is unknown, a variable without a value too;
//! 2. [`lines`] gathers lines until no bracket is open: from a pipe, or from a line editor;
//! 3. [`session`] evaluates each expression in the root module;
//!    What is typed there is kept by [`history`];
//! 4. [`mod@format`] prints its value as `terraform console` does.

mod format;
mod history;
mod lines;
mod session;

use super::{
    Context, Result,
    run::{Run, Stack, Style},
};
use crate::stores::States;
use crate::{
    args::{RunArgs, VarArgs, duration},
    compose,
    error::{CommandError, Outcome},
};
use lines::Pending;
use session::{Answer, Session, Values};
use std::{
    collections::BTreeMap,
    io::{self, BufRead as _, IsTerminal as _},
    sync::Arc,
    time::Duration,
};
use weir_lang::{Config, Inputs, MemoryFiles};

/// Flags of `console`.
#[derive(Debug, clap::Args)]
pub(crate) struct Console {
    #[command(flatten)]
    vars: VarArgs,
    /// Plan first, and evaluate with what is planned.
    #[arg(long)]
    plan: bool,
    /// How long to wait for a locked state, with -plan: `30s`, `5m`.
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration)]
    lock_timeout: Duration,
}

/// Evaluates expressions. From a pipe each line is one, and the first that is wrong ends it.
pub(crate) async fn cmd_console(args: &Console, context: &Context) -> Result {
    let inputs = compose::inputs(&args.vars, &context.env)?.asking_nothing();
    let loaded = match has_stack() {
        true => compose::load(&inputs, &context.env)?,
        false => weir_lang::load(Arc::new(nothing()), &compose::Catalogue, &inputs)?,
    };
    context.ui.diagnostics(&loaded.warnings);
    let values = match args.plan {
        true => planned(args, &loaded.config, inputs, context).await?,
        false => stored(&loaded.config, context).await?,
    };
    let registry = compose::registry(&context.env);
    let (mut session, found) = Session::start(&loaded.config, registry, &values);
    context.ui.diagnostics(&found);
    if io::stdin().is_terminal() {
        typed(&mut session, context)
    } else {
        piped(&mut session, context)
    }
}

/// What state holds.
async fn stored(config: &Config, context: &Context) -> std::result::Result<Values, CommandError> {
    let states = States::of(config.stack(), &context.env)?;
    let Some(store) = states.open_existing().await? else {
        return Ok(Values::new());
    };
    let resources = store.snapshot().await?.resources.into_iter();
    Ok(resources.map(|(a, r)| (a, r.value.into_value())).collect())
}

/// What a plan, that is made now and not kept, says will be.
async fn planned(
    args: &Console,
    config: &Arc<Config>,
    inputs: Inputs,
    context: &Context,
) -> std::result::Result<Values, CommandError> {
    let run_args = RunArgs {
        parallelism: 10,
        lock_timeout: args.lock_timeout,
    };
    let style = Style::Human;
    let run = Run::resume(config, "console", &run_args, style, context).await?;
    let stack = Stack {
        config: config.clone(),
        inputs,
        ahead: crate::stores::Ahead::default(),
    };
    let planned = run.plan_all(&stack).await?;
    context.ui.diagnostics(&planned.warnings);
    let changes = planned.plan.plan().changes.iter();
    Ok(changes
        .filter_map(|(a, c)| Some((a.clone(), c.after.clone()?)))
        .collect())
}

/// Whether the current folder holds a configuration; a console works without one.
fn has_stack() -> bool {
    let names = std::fs::read_dir(".").into_iter().flatten().flatten();
    names.map(|e| e.path()).any(|path| {
        let name = path.to_string_lossy();
        [".hcl", ".tf", ".hcl.json", ".tf.json"]
            .iter()
            .any(|end| name.ends_with(end))
    })
}

fn nothing() -> MemoryFiles {
    MemoryFiles(BTreeMap::from([("console.hcl".into(), Vec::new())]))
}

fn piped(session: &mut Session, context: &Context) -> Result {
    let mut pending = Pending::default();
    for line in io::stdin().lock().lines() {
        let Some(text) = pending.push(&line?) else {
            continue;
        };
        match session.answer(&text)? {
            Answer::Text(answer) => context.ui.data(&format!("{answer}\n"))?,
            Answer::Nothing => {}
            Answer::Exit => return Ok(Outcome::Done),
        }
    }
    // A bracket that is still open is an error.
    if let Some(rest) = pending.take()
        && let Answer::Text(answer) = session.answer(&rest)?
    {
        context.ui.data(&format!("{answer}\n"))?;
    }
    Ok(Outcome::Done)
}

/// At a terminal an error is shown and the session goes on. Ctrl-C drops the line, Ctrl-D ends.
fn typed(session: &mut Session, context: &Context) -> Result {
    use rustyline::error::ReadlineError;
    let mut editor = rustyline::DefaultEditor::new().map_err(io::Error::other)?;
    let history = history::open(&context.env);
    if let Some(path) = &history {
        // What can't be read is a history that begins anew.
        let _ = editor.load_history(path);
    }
    let mut pending = Pending::default();
    loop {
        let prompt = if pending.is_empty() { "> " } else { ": " };
        let line = match editor.readline(prompt) {
            Ok(line) => line,
            Err(ReadlineError::Interrupted) => {
                pending.take();
                continue;
            }
            Err(ReadlineError::Eof) => return Ok(Outcome::Done),
            Err(e) => return Err(io::Error::other(e).into()),
        };
        let Some(text) = pending.push(&line) else {
            continue;
        };
        // A history that is full forgets its oldest line; nothing else can be refused.
        let _ = editor.add_history_entry(&text);
        if let Some(path) = &history {
            // Kept at once, so that a session that ends badly keeps it too.
            let _ = editor.append_history(path);
        }
        match session.answer(&text) {
            Ok(Answer::Text(answer)) => context.ui.data(&format!("{answer}\n"))?,
            Ok(Answer::Nothing) => {}
            Ok(Answer::Exit) => return Ok(Outcome::Done),
            Err(found) => context.ui.diagnostics(&found),
        }
    }
}
