//! The contract between the engine and everything that changes the world.
//!
//! A [`Provider`] has the semantics of the Terraform plugin protocol v6, so that an external plugin
//! process is one more implementation. It never reads state or configuration files, never decides
//! order, never prints. One resource's way:
//!
//! 1. the engine reads [`Provider::schema`] and shapes the configuration by it;
//! 2. [`Provider::validate`] refuses what the schema can't express;
//! 3. [`Provider::configure`] is called once a run, before any of the following;
//! 4. [`Provider::read`] says what is (refresh);
//! 5. [`Provider::plan`] says what would become of it, from prior and proposed;
//! 6. [`Provider::apply`] (or [`Provider::apply_batch`]) does just that: it may refine planned
//!    values, never change them. [`check::applied`] holds it to its word;
//! 7. of an object that is not as state has it, [`Provider::changed_by`] may say who changed it;
//! 8. after a crash [`Provider::settle`] answers whether an operation with a token was done.
//!
//! A provider of a cloud does not implement the trait itself: [`cloud`] says how it is written.

pub mod check;
pub mod cloud;
pub mod conformance;
pub mod declared;
pub mod proposed;

use async_trait::async_trait;
use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};
use weir_core::{
    Diagnostic, Diagnostics, Known, Path, Value,
    function::{Outcome, Refusal, Signature},
    plan::Op,
    schema::Schema,
};

/// All that a provider serves.
#[derive(Debug, Clone, Default)]
pub struct ProviderSchema {
    /// Its own configuration.
    pub provider: Schema,
    /// Managed resource types.
    pub resources: BTreeMap<String, Schema>,
    /// Data sources.
    pub data: BTreeMap<String, Schema>,
    /// Ephemeral resources.
    pub ephemeral: BTreeMap<String, Schema>,
    /// Functions it offers to the language.
    pub functions: BTreeMap<String, Signature>,
}

/// Names one attempt to do one operation, unique for ever within a lineage. A provider hands it to
/// its API as the idempotency token (AWS `ClientToken`, Google `requestId`) or keeps it as a
/// generation (the agent on a host).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Token {
    /// The line of states.
    pub lineage: String,
    /// The lease under which it is done: rises with every lease ever taken.
    pub epoch: u64,
    /// The step of the plan; rises within an epoch. All nodes of one batch share it.
    pub step: u64,
}

impl Token {
    /// One number that rises with every later attempt: what hosts compare.
    pub fn generation(&self) -> u64 {
        (self.epoch << 24) | (self.step & 0xff_ffff)
    }
    /// One text, at most 64 characters of `[0-9a-z-]`: what clouds take.
    pub fn text(&self) -> String {
        format!("{}-{:x}-{:x}", self.lineage, self.epoch, self.step)
    }
}

/// Asks what would become of a resource. On delete neither `proposed` nor this call exists: the
/// engine plans deletions itself.
#[derive(Debug, Clone)]
pub struct PlanRequest {
    /// The resource type.
    pub type_name: String,
    /// The instance's address as text, for messages.
    pub address: String,
    /// As it is; `None` for a creation (also for the creation half of a replacement).
    pub prior: Option<Known>,
    /// The configuration, of the schema's type; unknowns possible; null where not set.
    pub config: Value,
    /// Prior and configuration merged by [`proposed::merge`]: computed attributes that the
    /// configuration leaves out keep their prior value, or are null at creation.
    pub proposed: Value,
    /// The provider's data from state.
    pub private: Vec<u8>,
}

/// What would become of it.
#[derive(Debug, Clone)]
pub struct PlanResponse {
    /// The planned value: what the configuration sets equals the configuration; computed
    /// attributes that will only be known after apply are unknown.
    pub planned: Value,
    /// Attributes whose change can't be done in place. Ignored where they do not differ.
    pub requires_replace: Vec<Path>,
    /// Opaque data for apply.
    pub private: Vec<u8>,
    /// Operations with the same key may be handed over in one [`Provider::apply_batch`].
    pub batch: Option<String>,
    /// Warnings.
    pub warnings: Diagnostics,
}

/// Asks for one operation.
#[derive(Debug, Clone)]
pub struct ApplyRequest {
    /// The resource type.
    pub type_name: String,
    /// The instance's address as text.
    pub address: String,
    /// `Create`, `Update` or `Delete`.
    pub op: Op,
    /// As it is; `None` at creation.
    pub prior: Option<Known>,
    /// As planned, every configured value known by now; unknown where computed. `None` at
    /// deletion.
    pub planned: Option<Value>,
    /// The configuration with ephemeral and write-only values. `None` at deletion.
    pub config: Option<Value>,
    /// The provider's data of the plan (at deletion: of state).
    pub private: Vec<u8>,
    /// The idempotency token. Equal for all requests of a batch.
    pub token: Token,
}

/// What an operation led to. The value is recorded also where there are errors: what was made is
/// never forgotten.
#[derive(Debug, Clone)]
pub struct ApplyResponse {
    /// The object now; `None` when it is gone (or was never made).
    pub value: Option<Known>,
    /// Opaque data for state.
    pub private: Vec<u8>,
    /// Errors and warnings. With an error and a value after `Create`, the object is half made:
    /// [`Provider::half_made`] says what the next plan does with it.
    pub diagnostics: Diagnostics,
}

/// Asks what is.
#[derive(Debug, Clone)]
pub struct ReadRequest {
    /// The resource type.
    pub type_name: String,
    /// The instance's address as text.
    pub address: String,
    /// As it was last recorded.
    pub prior: Known,
    /// The provider's data from state.
    pub private: Vec<u8>,
}

/// What is.
#[derive(Debug, Clone)]
pub struct ReadResponse {
    /// The object now; `None` when it is gone.
    pub value: Option<Known>,
    /// Opaque data for state.
    pub private: Vec<u8>,
}

/// Asks who changed an object that is not as state has it.
#[derive(Debug, Clone)]
pub struct ChangedRequest {
    /// The resource type.
    pub type_name: String,
    /// The instance's address as text.
    pub address: String,
    /// As state has it.
    pub recorded: Known,
    /// As [`Provider::read`] found it; `None` when it is gone.
    pub found: Option<Known>,
    /// The provider's data from state.
    pub private: Vec<u8>,
}

/// By whom an object might have been changed behind weir's back: what the provider's API says or
/// the provider itself sees, never a guess. It is shown as it is: it must hold no secret.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attribution {
    /// Who did it, as the provider names people and programs.
    pub who: Option<String>,
    /// When it was changed last.
    pub when: Option<SystemTime>,
    /// By what way, or where it shows, in a few words.
    pub how: Option<String>,
}

/// An ephemeral resource that is open.
#[derive(Debug, Clone)]
pub struct Opened {
    /// Its value. It is kept nowhere.
    pub value: Known,
    /// Opaque data for [`Provider::renew`] and [`Provider::close`]. It is kept in memory alone.
    pub private: Vec<u8>,
    /// How long it stays open by itself; `None` for as long as it takes.
    pub renew_after: Option<Duration>,
}

/// An ephemeral resource that stays open a while longer. Its value is the same.
#[derive(Debug, Clone)]
pub struct Renewed {
    /// As [`Opened::private`].
    pub private: Vec<u8>,
    /// As [`Opened::renew_after`].
    pub renew_after: Option<Duration>,
}

/// An object found by import.
#[derive(Debug, Clone)]
pub struct Imported {
    /// Its resource type.
    pub type_name: String,
    /// What could be told from its id alone; the engine reads it next.
    pub value: Known,
    /// Opaque data for state.
    pub private: Vec<u8>,
}

/// Whether an operation of an earlier run, of which only the beginning was recorded, was done.
#[derive(Debug, Clone)]
pub enum Settled {
    /// It was, and this is the object now (`None` after a deletion).
    Done {
        /// The object.
        value: Option<Known>,
        /// Opaque data for state.
        private: Vec<u8>,
        /// Whether the operation had come to its end; if not, the object is tainted.
        completeness: Completeness,
    },
    /// It was not; the next plan may do it.
    NotDone,
    /// It can't be told now, for this reason.
    Unknown(String),
}

/// Whether an operation that left something behind had come to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completeness {
    /// It had.
    Whole,
    /// Something of it is missing.
    Partial,
}

/// What the next plan does with an object whose creation failed in the middle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HalfMade {
    /// It is tainted: deleted and made anew.
    Replace,
    /// It is asked about as any other: what is missing is an update.
    Update,
}

/// Where a provider tells how far it is. Called from many tasks.
pub trait Progress: Send + Sync {
    /// One line about the instance at this address.
    fn progress(&self, address: &str, text: String);
}

fn unserved(what: &str, type_name: &str) -> Diagnostics {
    Diagnostic::error(format!("the provider has no {what} {type_name:?}"))
        .help("This is a bug of the provider: its schema says that it has.")
        .into()
}

/// Takes progress and does nothing.
#[derive(Debug, Default, Clone, Copy)]
pub struct NoProgress;
impl Progress for NoProgress {
    fn progress(&self, _: &str, _: String) {}
}

/// Something that can change the world. See the crate's page for the order of calls.
///
/// Calls may come at the same time. A call whose future is dropped must leave the object in a
/// state that [`Provider::settle`] can tell.
#[async_trait]
pub trait Provider: Send + Sync {
    /// What it serves.
    fn schema(&self) -> &ProviderSchema;

    /// Takes the configuration of the provider block. May hold unknowns while planning.
    async fn configure(&self, config: &Value) -> Result<(), Diagnostics>;

    /// Refuses what the schema can't express. `config` may hold unknowns anywhere. Diagnostics
    /// carry no span: the engine adds the block's.
    async fn validate(&self, type_name: &str, config: &Value) -> Diagnostics;

    /// What would become of the object.
    async fn plan(&self, request: PlanRequest) -> Result<PlanResponse, Diagnostics>;

    /// Does it.
    async fn apply(&self, request: ApplyRequest, progress: &dyn Progress) -> ApplyResponse;

    /// Does several operations that share a batch key, with one answer for each, in order. Each
    /// succeeds or fails by itself.
    async fn apply_batch(
        &self,
        requests: Vec<ApplyRequest>,
        progress: &dyn Progress,
    ) -> Vec<ApplyResponse> {
        let mut responses = Vec::with_capacity(requests.len());
        for request in requests {
            responses.push(self.apply(request, progress).await);
        }
        responses
    }

    /// What is.
    async fn read(&self, request: ReadRequest) -> Result<ReadResponse, Diagnostics>;

    /// Who might have changed the object from what state has to what was found. Asked of drifted
    /// objects alone, and only by who shows drift. `None` where the provider does not know, which
    /// most don't. It may take its time, within limits: who asks gives up after a while, and
    /// neither that nor an error fails anything.
    async fn changed_by(
        &self,
        request: ChangedRequest,
    ) -> Result<Option<Attribution>, Diagnostics> {
        let _ = request;
        Ok(None)
    }

    /// Finds an object by its id.
    async fn import(&self, type_name: &str, id: &str) -> Result<Vec<Imported>, Diagnostics>;

    /// Reads a data source.
    async fn data(&self, type_name: &str, config: &Value) -> Result<Known, Diagnostics>;

    /// Opens an ephemeral resource: something that lasts as long as the run, such as a session or
    /// a secret that was lent.
    async fn open(&self, type_name: &str, config: &Value) -> Result<Opened, Diagnostics> {
        let _ = config;
        Err(unserved("ephemeral resource", type_name))
    }

    /// Keeps one open, when [`Opened::renew_after`] has passed.
    async fn renew(&self, type_name: &str, private: &[u8]) -> Result<Renewed, Diagnostics> {
        let _ = private;
        Err(unserved("ephemeral resource", type_name))
    }

    /// Closes one, at the end of the run, however that ended.
    async fn close(&self, type_name: &str, private: &[u8]) -> Result<(), Diagnostics> {
        let _ = (type_name, private);
        Ok(())
    }

    /// Brings an object that was recorded under an earlier version of its schema to the present
    /// one. As it is, unless the provider knows better.
    async fn upgrade(
        &self,
        type_name: &str,
        version: u32,
        value: Known,
    ) -> Result<Known, Diagnostics> {
        let _ = (type_name, version);
        Ok(value)
    }

    /// As [`Provider::data`], told which instance it is for.
    async fn data_at(
        &self,
        type_name: &str,
        address: &str,
        config: &Value,
    ) -> Result<Known, Diagnostics> {
        let _ = address;
        self.data(type_name, config).await
    }

    /// The batch key of this object's deletion: as [`PlanResponse::batch`], for the one operation
    /// that the engine plans without asking. `None` where deletions go one by one.
    fn delete_batch(&self, type_name: &str, value: &Known) -> Option<String> {
        let _ = (type_name, value);
        None
    }

    /// What becomes of an object of this type whose creation failed in the middle. `Update` is for
    /// types whose plan sees what is missing and whose update completes it.
    fn half_made(&self, type_name: &str) -> HalfMade {
        let _ = type_name;
        HalfMade::Replace
    }

    /// Calls one of [`ProviderSchema::functions`]. Arguments are as its signature says. Needs no
    /// configuration, does no I/O, and gives the same for the same arguments.
    ///
    /// # Errors
    /// What is wrong with the arguments.
    fn call(&self, function: &str, args: &[Value]) -> Outcome {
        let _ = args;
        Err(Refusal::call(format!("there is no function `{function}`")))
    }

    /// Whether the operation of `request` (of an earlier run, with its token) was done.
    async fn settle(&self, request: ApplyRequest) -> Settled;
}
