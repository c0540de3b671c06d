//! `weir state rekey`

use super::super::{Context, Result};
use super::edit::EditArgs;
use crate::{
    compose,
    error::{CommandError, Outcome},
    stores::States,
};

/// Encrypts the state anew.
pub(super) async fn rekey(args: EditArgs, context: &Context) -> Result {
    let states = States::here(&context.env)?;
    let Some(store) = states.open_to_rekey().await? else {
        return Err(CommandError::failed("there is no state here")
            .hint("`weir init` makes it, encrypted with the key that the stack names."));
    };
    states.make_key()?;
    let waiting = |holder| {
        context
            .ui
            .tell(&format!("Waiting for the state, locked by {holder} ..."));
    };
    let timeout = args.lock_timeout;
    let lease = compose::lease(&*store, &context.env, "state rekey", timeout, waiting).await?;
    let done = store.rekey(&lease, states.encryption().clone()).await;
    let released = store.release(lease).await;
    done?;
    released?;
    context.ui.tell(&match store.keyring().await? {
        Some(_) => format!(
            "All that is in {} was written anew, under a new data key. {}",
            states.describe(),
            states.encryption_told()
        ),
        None => format!(
            "All that is in {} was decrypted: the stack names no key.",
            states.describe()
        ),
    });
    Ok(Outcome::Done)
}
