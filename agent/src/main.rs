//! The agent on each host: keeps the host at the goal weir gave it, also while nobody is
//! connected.
//!
//! It never opens a network port, never asks weir for anything, and never touches what it did
//! not make: it listens on one Unix socket that only its own user can open. Secrets it is given
//! stay in files of mode 0600 and in the environment of the tasks they belong to.
//!
//! The main flow:
//! 1. `run` locks its home, reads the ledgers and takes over or starts the tasks in them.
//! 2. A client on the socket sends a goal (`Apply`); it is written to the scope's ledger first.
//! 3. Users, directories, packages, artifacts and files are compared with the real ones; what
//!    differs is changed, and what the tasks must do about it is written down before.
//! 4. Tasks are started, reloaded or restarted in order, gated by their `ready` checks; systemd
//!    keeps them where it runs the host, the agent's own supervisor elsewhere.
//! 5. The answer is a report of what is there, looked at then.

mod daemon;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "usage:
  weir-agent run --home DIR [--socket PATH]    run in the foreground
  weir-agent start --home DIR [--socket PATH]  make sure it runs as a daemon (no systemd)
  weir-agent install                           make sure it runs as a systemd unit
  weir-agent connect --socket PATH             join stdin and stdout to the socket
  weir-agent version
";

/// What the command line asks for.
#[derive(Debug, Default)]
struct Options {
    home: Option<PathBuf>,
    socket: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        [daemon::shim::SUBCOMMAND, setup, run] => daemon::shim::main(setup, run),
        ["version" | "--version"] => say(&format!(
            "weir-agent {} (wire {})",
            env!("CARGO_PKG_VERSION"),
            weir_agent::wire::WIRE_VERSION
        )),
        ["help" | "--help" | "-h"] => say(USAGE.trim_end()),
        [command, rest @ ..] => match parse(rest) {
            Ok(options) => dispatch(command, options),
            Err(message) => usage(&message),
        },
        [] => usage("a command is missing"),
    }
}

fn parse(arguments: &[&str]) -> Result<Options, String> {
    let mut options = Options::default();
    let mut rest = arguments.iter();
    while let Some(flag) = rest.next() {
        let slot = match *flag {
            "--home" => &mut options.home,
            "--socket" => &mut options.socket,
            other => return Err(format!("{other:?} is not an option")),
        };
        let value = rest.next().ok_or_else(|| format!("{flag} needs a value"))?;
        *slot = Some(PathBuf::from(value));
    }
    Ok(options)
}

fn dispatch(command: &str, options: Options) -> ExitCode {
    let Options { home, socket } = options;
    let result = match (command, home, socket) {
        ("run", Some(home), socket) => daemon::run(&home, socket),
        (daemon::DAEMON, Some(home), socket) => {
            // It fails only when we lead a session already.
            let _ = nix::unistd::setsid();
            daemon::run(&home, socket)
        }
        ("start", Some(home), socket) => match daemon::start(&home, socket) {
            Ok(started) => return say(&started),
            Err(error) => Err(error),
        },
        ("install", None, None) => match daemon::install() {
            Ok(installed) => return say(&installed),
            Err(error) => Err(error),
        },
        ("connect", None, Some(socket)) => daemon::connect(&socket),
        ("run" | "start", None, _) => return usage("--home is missing"),
        ("connect", _, None) => return usage("--socket is missing"),
        (other, ..) => {
            return usage(&format!(
                "{other:?} is not a command, or not with these options"
            ));
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn say(text: &str) -> ExitCode {
    match writeln!(std::io::stdout(), "{text}") {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn complain(text: &str) {
    // Nobody is left to be told when stderr is closed.
    let _ = writeln!(std::io::stderr(), "{text}");
}

fn usage(message: &str) -> ExitCode {
    complain(&format!("error: {message}\n\n{USAGE}"));
    ExitCode::from(2)
}
