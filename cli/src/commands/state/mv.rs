//! `weir state mv`

use super::super::{Context, Result};
use super::{
    count,
    edit::{Changes, Edit, EditArgs},
    legacy::Legacy,
    moves,
};
use crate::error::Outcome;
use weir_state::Begin;

/// Flags of `state mv`.
#[derive(Debug, clap::Args)]
pub(crate) struct Mv {
    /// What moves: an instance, a resource, a module. Several, or a text with `*`, move into a
    /// module.
    #[arg(required = true, value_name = "SOURCE")]
    from: Vec<String>,
    /// Where it moves.
    #[arg(required = true, value_name = "DESTINATION")]
    to: String,
    /// Show what would move, and move nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    edit: EditArgs,
    #[command(flatten)]
    legacy: Legacy,
}

/// Gives objects other addresses.
pub(super) async fn cmd_mv(args: &Mv, context: &Context) -> Result {
    args.legacy.check()?;
    let what = format!("state mv {} {}", args.from.join(" "), args.to);
    let edit = Edit::begin(what, args.edit, context).await?;
    let moves = match moves::moves(&edit.snapshot, &args.from, &args.to) {
        Ok(moves) => moves,
        Err(error) => {
            edit.leave().await?;
            return Err(error);
        }
    };
    let (verb, done) = match args.dry_run {
        true => ("Would move", "would be moved"),
        false => ("Move", "moved"),
    };
    let lines: String = moves
        .iter()
        .map(|(a, b)| format!("{verb} {a} to {b}\n"))
        .collect();
    let counted = count(moves.len(), "object");
    if args.dry_run {
        edit.leave().await?;
    } else {
        let aside = edit.put_aside().filter_map(|entry| {
            let at = &entry.begin.address;
            let (_, to) = moves.iter().find(|(from, _)| from == at)?;
            let begin = Begin {
                address: to.clone(),
                ..entry.begin.clone()
            };
            Some((entry.id, Some(begin)))
        });
        let changes = Changes {
            rows: moves::rows(&edit.snapshot, &moves),
            aside: aside.collect(),
            moves,
        };
        edit.commit(changes).await?;
    }
    context.ui.data(&format!("{lines}\n{counted} {done}.\n"))?;
    Ok(Outcome::Done)
}
