//! The `weir` command: the composition root.
//!
//! This room is the only one that prints, reads the environment, reads the clock for users, or
//! ends the process. It decides nothing: it reads flags, puts the other rooms together and shows
//! what they say.
//!
//! 1. [`args`] takes the command line, with one dash or two;
//! 2. [`mod@env`] takes the environment, once;
//! 3. [`ui`] knows the streams: data goes to stdout, everything else to stderr;
//! 4. `commands` has one file for each command, with its flags and `cmd_<verb>`;
//! 5. [`compose`] makes the store, the providers, the catalogue and the engine of a stack;
//! 6. `render` turns plans, diagnostics and events into text or JSON;
//! 7. [`error`] says with which code the process ends.

mod args;
mod clock;
mod commands;
mod compose;
mod env;
mod error;
mod format;
mod registries;
mod render;
mod stores;
mod tfstate;
mod ui;

use args::Cli;
use clap::Parser;
use error::{CommandError, ErrorKind, Outcome};
use std::io::Write as _;

/// Planning makes and drops millions of small values; with the C library's allocator a third of its
/// time goes there.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let argv = args::normalise(std::env::args_os());
    // Where 2 says that there is something to do, no failure may end with it.
    let detailed = argv.iter().any(|a| a == "--detailed-exitcode");
    let cli = match Cli::try_parse_from(argv) {
        Ok(cli) => cli,
        Err(e) => {
            // Help goes to stdout with code 0, a wrong command line to stderr with code 2. A
            // stream that is closed is nobody's concern.
            let _ = e.print();
            end(match (e.use_stderr(), detailed) {
                (false, _) => 0,
                (true, false) => 2,
                (true, true) => 1,
            })
        }
    };
    let env = env::Env::of_process();
    let ui = ui::Ui::new(&cli.global, &env);
    let told = ui.clone();
    let failed = move |error: CommandError| -> u8 {
        told.error(&error);
        match error.kind {
            ErrorKind::Usage if detailed => 1,
            _ => error.exit_code(),
        }
    };
    let command = {
        let failed = failed.clone();
        move || -> u8 { end(run(cli, env, &ui).map_or_else(failed, Outcome::exit_code)) }
    };
    // Values may nest as deep as expressions do, and what walks through them needs the stack.
    match std::thread::Builder::new().stack_size(STACK).spawn(command) {
        // It comes back by a panic alone.
        Ok(thread) => match thread.join() {
            Ok(code) => end(code),
            Err(panic) => std::panic::resume_unwind(panic),
        },
        Err(e) => end(failed(CommandError::failed(format!(
            "no threads can be started: {e}"
        )))),
    }
}

/// Ends the process. The system takes back all its memory at once: that the allocator and each
/// thread gave theirs back before would take a twentieth of a short run.
fn end(code: u8) -> ! {
    // All that was printed was flushed where it was printed; whoever reads it may be gone.
    let _ = std::io::stdout().flush();
    // SAFETY: it has no preconditions. What it leaves out are handlers of `atexit`, of which there
    // are the allocator's alone.
    #[allow(unsafe_code)]
    unsafe {
        libc::_exit(code.into())
    }
}

/// The stack of each thread: addresses alone, memory is taken as it is used.
pub(crate) const STACK: usize = 256 << 20;

fn run(cli: Cli, env: env::Env, ui: &ui::Ui) -> Result<Outcome, CommandError> {
    if let Some(folder) = &cli.global.chdir {
        std::env::set_current_dir(folder).map_err(|e| {
            CommandError::usage(format!(
                "the folder {} can't be entered: {e}",
                folder.display()
            ))
        })?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(STACK)
        .build()
        .map_err(|e| CommandError::failed(format!("no threads can be started: {e}")))?;
    let context = commands::Context {
        ui: ui.clone(),
        env,
    };
    let outcome = runtime.block_on(commands::run(cli.command, &context));
    // A blocked read of a terminal or a name that does not resolve must not keep the process.
    runtime.shutdown_background();
    outcome
}
