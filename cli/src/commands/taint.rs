//! `weir taint` and `weir untaint`

use super::{
    Context, Result,
    state::{
        edit::{Changes, Edit, EditArgs},
        find,
    },
};
use crate::error::{CommandError, Outcome};
use weir_core::{
    Object,
    snapshot::{Resource, Status},
};

/// Flags of `taint` and `untaint`.
#[derive(Debug, clap::Args)]
pub(crate) struct Taint {
    /// The instance.
    address: String,
    /// No error where it is not in state.
    #[arg(long)]
    allow_missing: bool,
    #[command(flatten)]
    edit: EditArgs,
}

/// Marks an object, so that the next plan replaces it, or takes the mark back.
pub(crate) async fn cmd_taint(args: &Taint, status: Status, context: &Context) -> Result {
    let verb = match status {
        Status::Tainted => "taint",
        Status::Ready => "untaint",
    };
    let what = format!("{verb} {}", args.address);
    let edit = Edit::begin(what, args.edit, context).await?;
    let row = match find(&args.address, Some(&edit.snapshot)) {
        Ok((address, _)) if matches!(address.object, Object::Data { .. }) => {
            Err(CommandError::usage(format!(
                "{address} is a data source: it is read anew with every plan"
            )))
        }
        // To say it twice does no harm; what is to be taken back must have been said.
        Ok((address, resource)) if status == Status::Ready && resource.status == status => {
            Err(CommandError::failed(format!("{address} is not tainted")))
        }
        Ok((address, resource)) => Ok(Some((
            address,
            Resource {
                status,
                ..resource.clone()
            },
        ))),
        Err(error) if args.allow_missing && error.kind == crate::error::ErrorKind::Failed => {
            Ok(None)
        }
        Err(error) => Err(error),
    };
    match row {
        Err(error) => {
            edit.leave().await?;
            return Err(error);
        }
        Ok(None) => {
            edit.leave().await?;
            context
                .ui
                .tell(&format!("{} is not in state: nothing to do.", args.address));
        }
        Ok(Some((address, resource))) => {
            let row = (address.clone(), Some(resource));
            edit.commit(Changes::rows(vec![row])).await?;
            context.ui.data(&match status {
                Status::Tainted => {
                    format!("{address} is tainted: the next plan replaces it.\n")
                }
                Status::Ready => format!("{address} is not tainted any more.\n"),
            })?;
        }
    }
    Ok(Outcome::Done)
}
