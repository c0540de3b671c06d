//! State that is opened while the configuration is still read.

use super::{Result, States};
use crate::{compose, env::Env};
use std::{
    panic,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::task::JoinHandle;
use weir_lang::StackSettings;
use weir_state::Store;

/// The state of a stack that says nothing of where it is: it can be opened before that is read.
/// Of any other stack, nothing.
#[derive(Default)]
pub(crate) struct Ahead(Mutex<Option<Opening>>);

/// Opens it, where it is there.
type Opening = JoinHandle<Result<Option<Arc<dyn Store>>>>;

/// Without one of these words, the configuration says nothing of state.
const WORDS: [&str; 3] = ["state", "backend", "encryption"];

impl Ahead {
    /// Opens it, if it is there, on a thread of its own.
    pub(crate) fn begin(env: &Env) -> Ahead {
        let env = env.clone();
        let opening = tokio::spawn(async move {
            if weir_lang::mentions(&*compose::files(), &WORDS) {
                return Ok(None);
            }
            States::of(&nothing(), &env)?.open_existing().await
        });
        Ahead(Mutex::new(Some(opening)))
    }

    /// It, once, if these settings are those it was opened with. What stood against it is left to
    /// whoever opens it then.
    pub(crate) async fn take(&self, stack: &StackSettings) -> Option<Arc<dyn Store>> {
        let opening = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let opened = match opening?.await {
            Ok(opened) => opened.ok().flatten(),
            Err(e) => match e.try_into_panic() {
                Ok(panic) => panic::resume_unwind(panic),
                Err(_) => None,
            },
        };
        opened.filter(|_| stack.state.is_none() && stack.encryption.is_none())
    }
}

/// What a stack says of its state that says nothing of it.
pub(super) fn nothing() -> StackSettings {
    StackSettings {
        name: String::new(),
        state: None,
        encryption: None,
        history: weir_lang::HistorySettings::default(),
        span: None,
    }
}
