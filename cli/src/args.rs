//! The command line: one definition for parser and help.

use crate::render::plan::Detail;
use clap::{ArgMatches, Args, FromArgMatches, Parser, Subcommand};
use std::{ffi::OsString, path::PathBuf, time::Duration};

/// Infrastructure as code: from HCL text to running services on any host.
#[derive(Debug, Parser)]
#[command(
    name = "weir",
    version,
    max_term_width = 100,
    disable_help_subcommand = true
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags of every command.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// Work as if started in this folder.
    #[arg(long, value_name = "DIR", global = true, help_heading = "Everywhere")]
    pub(crate) chdir: Option<PathBuf>,
    /// Print without colour.
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub(crate) no_color: bool,
    /// Print warnings in one line each.
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub(crate) compact_warnings: bool,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Prepare the folder: fetch modules, check the configuration and make its state.
    Init(crate::commands::init::Init),
    /// Fetch modules.
    Get(crate::commands::init::Get),
    /// Check the configuration.
    Validate(crate::commands::validate::Validate),
    /// Format configuration files.
    Fmt(crate::commands::fmt::Fmt),
    /// Run the tests of the configuration.
    Test(crate::commands::test::Test),
    /// Show what apply would do.
    Plan(crate::commands::plan::Plan),
    /// Bring what is there to what is configured.
    Apply(crate::commands::apply::Apply),
    /// Destroy all that the state holds.
    Destroy(crate::commands::destroy::Destroy),
    /// Show the state, or a plan file.
    Show(crate::commands::show::Show),
    /// Show outputs.
    Output(crate::commands::output::Output),
    /// Evaluate expressions.
    Console(crate::commands::console::Console),
    /// Look every object up, and record what was found.
    Refresh(crate::commands::refresh::Refresh),
    /// Let an instance have an object that exists already.
    Import(crate::commands::import::Import),
    /// Let the next plan replace an object.
    Taint(crate::commands::taint::Taint),
    /// Take that back.
    Untaint(crate::commands::taint::Taint),
    /// Show which providers configuration and state need.
    Providers(crate::commands::providers::Providers),
    /// Print a script that completes command lines.
    Completion(crate::commands::completion::Completion),
    /// Look into the state, or edit it.
    #[command(subcommand)]
    State(crate::commands::state::State),
    /// Plan the way back to the configuration of an earlier serial, and apply it.
    Rollback(crate::commands::rollback::Rollback),
    /// Say in what two states of the past differ.
    Diff(crate::commands::rollback::Diff),
    /// Say what differs from state, and record nothing.
    Drift(crate::commands::drift::Drift),
    /// End the lease of a run that will not come back.
    #[command(alias = "force-unlock")]
    Unlock(crate::commands::unlock::Unlock),
    /// Keep several states of one stack apart.
    #[command(subcommand)]
    Workspace(crate::commands::workspace::Command),
    /// Print the dependency graph.
    Graph(crate::commands::graph::GraphArgs),
    /// Look at running services.
    #[command(subcommand)]
    Service(crate::commands::service::Service),
    /// Look at the machines that pools have clouds make.
    #[command(subcommand)]
    Pool(crate::commands::pool::Pool),
    /// Print the version.
    Version(crate::commands::version::Version),
}

/// Values of variables: `-var` and `-var-file`, in the order they were written in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct VarArgs(pub(crate) Vec<VarArg>);

/// Where values of variables come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum VarArg {
    /// `-var NAME=VALUE`
    Value(String),
    /// `-var-file FILE`
    File(PathBuf),
}

/// The flags as clap knows them: it keeps each one's values apart.
#[derive(Debug, Args)]
struct VarFlags {
    /// Set a variable of the root module.
    #[arg(long = "var", value_name = "NAME=VALUE")]
    vars: Vec<String>,
    /// Load variables from a file.
    #[arg(long = "var-file", value_name = "FILE")]
    var_files: Vec<PathBuf>,
}

impl Args for VarArgs {
    fn augment_args(command: clap::Command) -> clap::Command {
        VarFlags::augment_args(command)
    }
    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        VarFlags::augment_args_for_update(command)
    }
}

impl FromArgMatches for VarArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<VarArgs, clap::Error> {
        let flags = VarFlags::from_arg_matches(matches)?;
        let places = |id: &str| matches.indices_of(id).into_iter().flatten();
        let values = flags.vars.into_iter().map(VarArg::Value);
        let files = flags.var_files.into_iter().map(VarArg::File);
        let mut all: Vec<(usize, VarArg)> = places("vars").zip(values).collect();
        all.extend(places("var_files").zip(files));
        all.sort_by_key(|(place, _)| *place);
        Ok(VarArgs(all.into_iter().map(|(_, arg)| arg).collect()))
    }
    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = VarArgs::from_arg_matches(matches)?;
        Ok(())
    }
}

/// What and how to plan.
#[derive(Debug, Clone, Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) vars: VarArgs,
    /// Plan only this resource, module or service, and what it depends on.
    #[arg(long = "target", value_name = "ADDRESS")]
    pub(crate) targets: Vec<String>,
    /// Targets in a file, one a line; lines that begin with `#` are comments.
    #[arg(long = "target-file", value_name = "FILE")]
    pub(crate) target_files: Vec<PathBuf>,
    /// Leave out this resource, module or service, and what depends on it.
    #[arg(long = "exclude", value_name = "ADDRESS")]
    pub(crate) excludes: Vec<String>,
    /// What to leave out in a file, one a line; lines that begin with `#` are comments.
    #[arg(long = "exclude-file", value_name = "FILE")]
    pub(crate) exclude_files: Vec<PathBuf>,
    /// Record what is there, and do nothing to it.
    #[arg(long, conflicts_with_all = ["replace", "light"])]
    pub(crate) refresh_only: bool,
    /// Look up only what the configuration changes.
    #[arg(long)]
    pub(crate) light: bool,
    /// Replace this instance, though nothing forces it.
    #[arg(long = "replace", value_name = "ADDRESS")]
    pub(crate) replace: Vec<String>,
    /// Whether to look up what is there before planning.
    #[arg(long, value_name = "BOOL", default_value_t = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) refresh: bool,
    /// Show each change in one line.
    #[arg(long)]
    pub(crate) concise: bool,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

impl PlanArgs {
    /// How much of each change is shown.
    pub(crate) fn detail(&self) -> Detail {
        if self.concise {
            Detail::Concise
        } else {
            Detail::Full
        }
    }
}

/// How to run.
#[derive(Debug, Clone, Args)]
pub(crate) struct RunArgs {
    /// How many operations may be in flight at once.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) parallelism: u16,
    /// How long to wait for a locked state: `30s`, `5m`.
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration)]
    pub(crate) lock_timeout: Duration,
}

/// Whether to ask before doing.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct ApproveArgs {
    /// Do it without asking.
    #[arg(long)]
    pub(crate) auto_approve: bool,
    /// Whether questions may be asked.
    #[arg(long, value_name = "BOOL", default_value_t = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", action = clap::ArgAction::Set)]
    pub(crate) input: bool,
}

/// Reads `300ms`, `30s`, `5m`, `1h` and sums of them (`1m30s`).
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is not a duration: write `30s`, `5m` or `1m30s`");
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let number: u64 = rest[..digits].parse().map_err(|_| wrong())?;
        rest = &rest[digits..];
        let end = rest
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(rest.len());
        let unit_ms = match &rest[..end] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return Err(wrong()),
        };
        let ms = number.checked_mul(unit_ms).ok_or_else(wrong)?;
        total = total
            .checked_add(Duration::from_millis(ms))
            .ok_or_else(wrong)?;
        rest = &rest[end..];
    }
    if text.is_empty() {
        Err(wrong())
    } else {
        Ok(total)
    }
}

/// Long flags may be written with one dash, as Terraform has them: a second one is added. What
/// stands after `--` is left alone.
pub(crate) fn normalise(argv: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut literal = false;
    argv.into_iter()
        .map(|arg| {
            let Some(text) = arg.to_str().filter(|_| !literal) else {
                return arg;
            };
            literal = text == "--";
            let long = text.strip_prefix('-').is_some_and(|name| {
                name.len() > 1 && name.starts_with(|c: char| c.is_ascii_alphabetic())
            });
            if long { format!("-{text}").into() } else { arg }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn one_dash_or_two() {
        let table = [
            ("weir -chdir=x plan -out p", "weir --chdir=x plan --out p"),
            (
                "weir plan --var a=-1 -no-color",
                "weir plan --var a=-1 --no-color",
            ),
            ("weir service logs -f web", "weir service logs -f web"),
            ("weir output -- -json", "weir output -- -json"),
            ("weir -h", "weir -h"),
            ("weir -help", "weir --help"),
            ("weir x -1 -", "weir x -1 -"),
        ];
        for (given, expected) in table {
            let got = normalise(given.split(' ').map(OsString::from));
            assert_eq!(
                got,
                expected.split(' ').map(OsString::from).collect::<Vec<_>>()
            );
        }
    }

    #[test]
    fn durations() {
        let table = [
            ("30s", 30_000),
            ("1m30s", 90_000),
            ("250ms", 250),
            ("2h", 7_200_000),
            ("0", 0),
        ];
        for (text, ms) in table {
            assert_eq!(duration(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        for wrong in ["", "5", "s", "5 m", "-1s", "99999999999999999999h", "1d"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn terraform_command_lines_are_taken() {
        for line in [
            "weir -chdir=stack plan -var a=1 -var-file=x.tfvars -out=p -detailed-exitcode -refresh=false",
            "weir apply -auto-approve -parallelism=3 -lock-timeout=30s -input=false -no-color",
            "weir apply p",
            "weir destroy -auto-approve -target=fake_thing.a",
            "weir output -json url",
            "weir output -raw url",
            "weir state list",
            "weir state show fake_thing.a",
            "weir fmt -check -diff -recursive",
            "weir service logs -f web",
            "weir version -json",
        ] {
            let argv = normalise(line.split(' ').map(OsString::from));
            Cli::try_parse_from(argv).unwrap_or_else(|e| panic!("{line}: {e}"));
        }
    }
}
