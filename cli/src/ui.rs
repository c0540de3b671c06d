//! The two streams: data goes to stdout, everything else to stderr.

use crate::{
    env::Env,
    error::{CommandError, ErrorKind},
    render::{
        diagnostics::{self, Warnings},
        style::Paint,
    },
};
use std::io::{self, BufRead, IsTerminal, Write};
use weir_core::Diagnostics;

/// How the run talks to its user.
#[derive(Debug, Clone)]
pub(crate) struct Ui {
    /// Colours of stdout.
    pub(crate) out: Paint,
    /// Colours of stderr.
    pub(crate) err: Paint,
    /// How warnings are shown.
    pub(crate) warnings: Warnings,
    /// Whether stderr can be redrawn.
    pub(crate) live: bool,
    /// Whether somebody can answer.
    pub(crate) can_ask: bool,
    /// Whether hints about the next command are of use.
    pub(crate) hints: bool,
}

impl Ui {
    /// By flags, environment and what the streams are.
    pub(crate) fn new(global: &crate::args::Global, env: &Env) -> Ui {
        let plain = global.no_color || env.no_color();
        let paint = |terminal: bool| {
            if terminal && !plain {
                Paint::Colored
            } else {
                Paint::Plain
            }
        };
        let (stdout, stderr) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        Ui {
            out: paint(stdout),
            err: paint(stderr),
            warnings: if global.compact_warnings {
                Warnings::Compact
            } else {
                Warnings::Full
            },
            live: stderr && !env.dumb() && !env.in_automation(),
            can_ask: io::stdin().is_terminal() && stderr,
            hints: !env.in_automation(),
        }
    }

    /// Prints data.
    pub(crate) fn data(&self, text: &str) -> Result<(), CommandError> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        Ok(out.flush()?)
    }

    /// Prints a line of JSON.
    pub(crate) fn json(&self, value: &serde_json::Value) -> Result<(), CommandError> {
        self.data(&format!("{value}\n"))
    }

    /// Tells the user something. A closed stderr is nobody's concern.
    pub(crate) fn tell(&self, text: &str) {
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// Prints what was found.
    pub(crate) fn diagnostics(&self, found: &Diagnostics) {
        let text = diagnostics::render(found, self.warnings, self.err);
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }

    /// Prints why a command failed.
    pub(crate) fn error(&self, error: &CommandError) {
        if error.kind == ErrorKind::Closed {
            return;
        }
        self.diagnostics(&error.source);
    }

    /// Asks, and reads one line. Nothing is read at the end of input.
    pub(crate) fn ask(&self, question: &str) -> Result<String, CommandError> {
        let mut err = io::stderr().lock();
        write!(err, "{question}")?;
        err.flush()?;
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line)?;
        Ok(line.trim().to_owned())
    }
}
