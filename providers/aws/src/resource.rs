//! What one resource type has of its own. All else is [`crate::lifecycle`]'s.

use crate::{
    client::{Again, Aws},
    failure::Failure,
    tags,
};
use async_trait::async_trait;
use aws_sdk_ec2::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
    types::{ResourceType, TagSpecification},
};
use serde_json::{Map, Value as Json, json};
use std::{future::Future, time::Duration};
use tokio::time::Instant;
use weir_core::{Diagnostics, Path, Value};
use weir_provider::Progress;

/// Attributes as the API has them, by name.
pub(crate) type Found = Map<String, Json>;

/// One operation on one object.
pub(crate) struct Call<'a> {
    pub(crate) aws: &'a Aws,
    pub(crate) address: &'a str,
    /// The operation's name for AWS: at most 64 characters.
    pub(crate) token: String,
    pub(crate) progress: &'a dyn Progress,
    /// How long it may take.
    pub(crate) limit: Duration,
}

/// How far something is.
pub(crate) enum State {
    /// As it should be.
    Ready,
    /// On its way, in this state.
    Pending(String),
    /// It will never get there, for this reason.
    Failed(String),
}

/// How long operations may take where `timeouts` does not say: create, update, delete.
pub(crate) type Minutes = (u64, u64, u64);

/// One resource type.
#[async_trait]
pub(crate) trait Resource: Send + Sync {
    /// Its name.
    fn name(&self) -> &'static str;
    /// What tags call it; `None` where it has none.
    fn kind(&self) -> Option<ResourceType> {
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
        _aws: Option<&Aws>,
        _config: &Value,
        _prior: Option<&Value>,
        planned: Value,
    ) -> (Value, Vec<Path>) {
        (planned, Vec::new())
    }
    /// Makes it and returns its id at once, so that nothing is lost.
    async fn create(&self, cx: &Call<'_>, planned: &Value) -> Result<String, Failure>;
    /// The id of what an earlier attempt of this operation made.
    async fn find(&self, cx: &Call<'_>, _planned: &Value) -> Result<Option<String>, Failure> {
        match self.kind() {
            Some(_) => tags::made_by(cx).await,
            None => Ok(None),
        }
    }
    /// Waits until it is made.
    async fn ready(&self, _cx: &Call<'_>, _id: &str) -> Result<(), Failure> {
        Ok(())
    }
    /// Sets what can't be set at creation.
    async fn finish(&self, _cx: &Call<'_>, _id: &str, _planned: &Value) -> Result<(), Failure> {
        Ok(())
    }
    /// What is; `None` where it is gone. `known` is what was planned or recorded.
    async fn read(&self, aws: &Aws, id: &str, known: &Value) -> Result<Option<Found>, Failure>;
    /// Changes what differs, but for tags. Returns the id where that changed too.
    async fn update(
        &self,
        _cx: &Call<'_>,
        _id: &str,
        _prior: &Value,
        _planned: &Value,
    ) -> Result<Option<String>, Failure> {
        Ok(None)
    }
    /// Deletes it.
    async fn delete(&self, cx: &Call<'_>, id: &str, prior: &Value) -> Result<(), Failure>;
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
        Ok(crate::values::object(json!({ "id": id })))
    }
    /// Things that keep it from being deleted are looked for with this filter.
    fn dependents(&self) -> Option<&'static str> {
        None
    }
}

impl Call<'_> {
    /// As [`Aws::call`].
    pub(crate) async fn call<T, E, F>(&self, what: &str, f: impl Fn() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        self.aws.call(what, f).await
    }

    /// A call that makes something: never repeated where nobody knows what became of it.
    pub(crate) async fn make<T, E, F>(&self, what: &str, f: impl Fn() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        self.aws.attempt(what, Again::MakesAnother, f).await
    }

    /// The tags that it gets when it is made, and weir's own.
    pub(crate) fn tags(&self, kind: ResourceType, planned: &Value) -> TagSpecification {
        tags::specification(self, kind, planned)
    }

    /// Looks until it is ready, saying how far it is.
    pub(crate) async fn wait<F>(&self, what: &str, look: impl Fn() -> F) -> Result<(), Failure>
    where
        F: Future<Output = Result<State, Failure>>,
    {
        let began = Instant::now();
        let mut told = began;
        let mut pause = self.aws.pacing.poll / 4;
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
            pause = (pause * 2).min(self.aws.pacing.poll);
        }
    }
}

/// `Ok(None)` where the failure says that the thing is gone.
pub(crate) fn unless_gone<T>(result: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(f) if f.is_gone() => Ok(None),
        Err(f) => Err(f),
    }
}

/// A filter of a describe call.
pub(crate) fn filter(name: &str, value: impl Into<String>) -> aws_sdk_ec2::types::Filter {
    aws_sdk_ec2::types::Filter::builder()
        .name(name)
        .values(value)
        .build()
}
