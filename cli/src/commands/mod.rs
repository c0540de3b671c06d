//! The commands, one file each.

pub(crate) mod apply;
pub(crate) mod completion;
pub(crate) mod console;
pub(crate) mod destroy;
pub(crate) mod drift;
pub(crate) mod fmt;
pub(crate) mod graph;
pub(crate) mod import;
pub(crate) mod init;
pub(crate) mod output;
pub(crate) mod plan;
pub(crate) mod pool;
pub(crate) mod providers;
pub(crate) mod refresh;
pub(crate) mod rollback;
mod rounds;
mod run;
pub(crate) mod service;
pub(crate) mod show;
pub(crate) mod state;
pub(crate) mod taint;
pub(crate) mod test;
pub(crate) mod unlock;
pub(crate) mod validate;
pub(crate) mod version;
mod walk;
pub(crate) mod workspace;

use crate::{
    args::Command,
    env::Env,
    error::{CommandError, Outcome},
    ui::Ui,
};
use weir_core::snapshot::Status;

/// What every command gets.
pub(crate) struct Context {
    /// The streams.
    pub(crate) ui: Ui,
    /// The environment.
    pub(crate) env: Env,
}

/// How a command ends.
pub(crate) type Result = std::result::Result<Outcome, CommandError>;

/// Runs a command.
pub(crate) async fn run(command: Command, context: &Context) -> Result {
    match command {
        Command::Init(args) => init::cmd_init(&args, context).await,
        Command::Get(args) => init::cmd_get(&args, context).await,
        Command::Validate(args) => validate::cmd_validate(&args, context).await,
        Command::Test(args) => test::cmd_test(&args, context).await,
        Command::Fmt(args) => fmt::cmd_fmt(&args, context),
        Command::Plan(args) => plan::cmd_plan(&args, context).await,
        Command::Apply(args) => apply::cmd_apply(&args, context).await,
        Command::Destroy(args) => destroy::cmd_destroy(&args, context).await,
        Command::Show(args) => show::cmd_show(&args, context).await,
        Command::Output(args) => output::cmd_output(&args, context).await,
        Command::Console(args) => console::cmd_console(&args, context).await,
        Command::Refresh(args) => refresh::cmd_refresh(&args, context).await,
        Command::Import(args) => import::cmd_import(&args, context).await,
        Command::Taint(args) => taint::cmd_taint(&args, Status::Tainted, context).await,
        Command::Untaint(args) => taint::cmd_taint(&args, Status::Ready, context).await,
        Command::Providers(args) => providers::cmd_providers(&args, context).await,
        Command::Completion(args) => completion::cmd_completion(&args, context),
        Command::State(args) => state::cmd_state(&args, context).await,
        Command::Rollback(args) => rollback::cmd_rollback(&args, context).await,
        Command::Diff(args) => rollback::cmd_diff(&args, context).await,
        Command::Drift(args) => drift::cmd_drift(&args, context).await,
        Command::Unlock(args) => unlock::cmd_unlock(&args, context).await,
        Command::Workspace(args) => workspace::cmd_workspace(&args, context).await,
        Command::Graph(args) => graph::cmd_graph(&args, context).await,
        Command::Service(args) => service::cmd_service(&args, context).await,
        Command::Pool(args) => pool::cmd_pool(&args, context).await,
        Command::Version(args) => version::cmd_version(&args, context),
    }
}
