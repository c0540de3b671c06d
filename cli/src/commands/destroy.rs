//! `weir destroy`

use super::{
    Context, Result,
    apply::{self, Request},
    run::{self, Style},
};
use crate::args::{ApproveArgs, PlanArgs};
use weir_engine::Mode;

/// Flags of `destroy`.
#[derive(Debug, clap::Args)]
pub(crate) struct Destroy {
    #[command(flatten)]
    plan: PlanArgs,
    #[command(flatten)]
    approve: ApproveArgs,
    /// Print JSON messages.
    #[arg(long)]
    json: bool,
}

/// Destroys all that the state holds.
pub(crate) async fn cmd_destroy(args: &Destroy, context: &Context) -> Result {
    let style = Style::of(args.json);
    let request = Request {
        plan: &args.plan,
        approve: args.approve,
        mode: Mode::Destroy,
        operation: "destroy",
        style,
    };
    run::report(apply::apply(&request, context).await, style, context)
}
