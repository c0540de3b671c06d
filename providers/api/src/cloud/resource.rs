//! What one resource type has of its own. All else is [`super::lifecycle`]'s.

use super::{Cloud, Failure};
use crate::{
    Progress,
    declared::{Found, object},
};
use async_trait::async_trait;
use serde_json::json;
use std::{fmt, future::Future, time::Duration};
use tokio::time::Instant;
use weir_core::{Diagnostics, Path, Value};

/// One operation on one object.
pub struct Call<'a, C> {
    /// Who is called.
    pub cloud: &'a C,
    /// The object's address as text.
    pub address: &'a str,
    /// The operation's name for the API: 40 characters of `[0-9a-f]`, the same for whoever tries
    /// it again, and another for any other.
    pub token: String,
    /// Where it is said how far it is.
    pub progress: &'a dyn Progress,
    /// How long it may take.
    pub limit: Duration,
}

impl<C> fmt::Debug for Call<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// How far something is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// As it should be.
    Ready,
    /// On its way, in this state.
    Pending(String),
    /// It will never get there, for this reason.
    Failed(String),
}

/// How long operations may take where `timeouts` does not say: create, update, delete.
pub type Minutes = (u64, u64, u64);

/// One resource type.
#[async_trait]
pub trait Resource<C: Cloud>: Send + Sync {
    /// Its name.
    fn name(&self) -> &'static str;
    /// What tags call it; `None` where it has none.
    fn kind(&self) -> Option<C::Kind> {
        None
    }
    /// How long its operations may take.
    fn minutes(&self) -> Minutes {
        (10, 10, 10)
    }
    /// Refuses what the schema and the rules can't express.
    fn validate(&self, _config: &Value, _out: &mut Diagnostics) {}
    /// Completes what the rules planned; may name paths that replace the object.
    fn plan(
        &self,
        _cloud: Option<&C>,
        _config: &Value,
        _prior: Option<&Value>,
        planned: Value,
    ) -> (Value, Vec<Path>) {
        (planned, Vec::new())
    }
    /// Makes it and returns its id at once, so that nothing is lost.
    async fn create(&self, cx: &Call<'_, C>, planned: &Value) -> Result<String, Failure>;
    /// The id of what an earlier attempt of this operation made.
    async fn find(&self, cx: &Call<'_, C>, _planned: &Value) -> Result<Option<String>, Failure> {
        match self.kind() {
            Some(kind) => C::made_by(cx, kind).await,
            None => Ok(None),
        }
    }
    /// Waits until it is made.
    async fn ready(&self, _cx: &Call<'_, C>, _id: &str) -> Result<(), Failure> {
        Ok(())
    }
    /// Sets what can't be set at creation.
    async fn finish(&self, _cx: &Call<'_, C>, _id: &str, _planned: &Value) -> Result<(), Failure> {
        Ok(())
    }
    /// Whether what [`Resource::finish`] does was done, as far as attributes that nobody set do not
    /// tell it: asked of what an interrupted creation has made.
    async fn is_finished(
        &self,
        _cx: &Call<'_, C>,
        _id: &str,
        _planned: &Value,
    ) -> Result<bool, Failure> {
        Ok(true)
    }
    /// What is; `None` where it is gone. `known` is what was planned or recorded.
    async fn read(&self, cloud: &C, id: &str, known: &Value) -> Result<Option<Found>, Failure>;
    /// Changes what differs, but for tags. Returns the id where that changed too.
    async fn update(
        &self,
        _cx: &Call<'_, C>,
        _id: &str,
        _prior: &Value,
        _planned: &Value,
    ) -> Result<Option<String>, Failure> {
        Ok(None)
    }
    /// Deletes it.
    async fn delete(&self, cx: &Call<'_, C>, id: &str, prior: &Value) -> Result<(), Failure>;
    /// Whether its deletion is over only once it can't be found any more.
    fn waits_for_deletion(&self, _prior: &Value) -> bool {
        true
    }
    /// The id that its tags are known by.
    fn tag_id(&self, id: &str, _value: &Value) -> String {
        id.to_owned()
    }
    /// What an import's id tells.
    ///
    /// # Errors
    /// How the id is written.
    fn import(&self, id: &str) -> Result<Found, String> {
        Ok(object(json!({ "id": id })))
    }
    /// Names of things that keep it from being deleted.
    async fn dependents(&self, _cloud: &C, _id: &str) -> Vec<String> {
        Vec::new()
    }
}

impl<C: Cloud> Call<'_, C> {
    /// Repeats something while it is refused for a reason that passes by itself, as long as the
    /// operation may take.
    ///
    /// # Errors
    /// The last failure.
    pub async fn patiently<T, F>(
        &self,
        passes: impl Fn(&Failure) -> bool,
        f: impl Fn() -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let pacing = self.cloud.pacing();
        pacing.patiently(self.limit, passes, f).await
    }

    /// Looks until it is ready, saying how far it is.
    ///
    /// # Errors
    /// That it failed, that it takes too long, or that looking failed.
    pub async fn wait<F>(&self, what: &str, look: impl Fn() -> F) -> Result<(), Failure>
    where
        F: Future<Output = Result<State, Failure>>,
    {
        let began = Instant::now();
        let mut told = began;
        let mut pause = self.cloud.pacing().poll / 4;
        loop {
            let state = match look().await? {
                State::Ready => return Ok(()),
                State::Failed(why) => return Err(Failure::new(what, why)),
                State::Pending(state) => state,
            };
            let waited = began.elapsed();
            if waited >= self.limit {
                let why = format!(
                    "it is still {state} after {} s; `timeouts` can allow more",
                    waited.as_secs()
                );
                return Err(Failure::new(what, why));
            }
            if told.elapsed() >= Duration::from_secs(10) {
                told = Instant::now();
                let text = format!("{what}: {state}, {} s so far", waited.as_secs());
                self.progress.progress(self.address, text);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(self.cloud.pacing().poll);
        }
    }
}
