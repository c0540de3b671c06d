//! What the providers of all clouds have in common: an object's way from nothing to something and
//! back, driven over calls of any API. No SDK is known here.
//!
//! A cloud implements [`Cloud`] for its client and [`Resource`] for each type; [`Served`] makes a
//! [`crate::Provider`] of that. How a new cloud's provider is written:
//!
//! 1. Extract `schema/terraform.txt` from Terraform's provider of that cloud by a small script,
//!    and write `schema/rules.txt`; [`crate::declared`] says what stands in them. A
//!    `OnceLock<Catalog>` reads them when they are first asked for.
//! 2. Make a type for the client: one account in one region, with its settings, its [`Pacing`] and
//!    the SDK's clients with the SDK's own retries off. Each call goes through [`Pacing::attempt`],
//!    which tries it again while the API says "later", and never a call that [`Again::MakesAnother`]
//!    where nobody knows whether it was done.
//! 3. Make a [`Failure`] of each of the SDK's errors, in one function: its [`Class`] says how a
//!    call may be tried again, its [`Cause`] what the API meant, `help` what to do.
//! 4. Implement [`Cloud`] for the client: the tables, the provider block, the connection, the data
//!    sources, and what all types share (default tags or labels).
//! 5. Implement [`Resource`] for each type, in a file of its own. `create` returns the id at once;
//!    `find` tells what an earlier attempt of the same operation made (by [`Call::token`], which
//!    the API took as a tag, a request's id or part of a name); `ready` waits ([`Call::wait`]);
//!    `finish` sets what can't be set at creation; `read` gives what is as JSON by the attributes'
//!    names; `update`, `delete` and `import` say themselves.
//! 6. `pub type MyProvider = Served<MyClient>`, one line in `cli/src/compose.rs`, the conformance
//!    kit over every type (with [`Served::alone`], so that it sees what a `plan` forgot to open), a
//!    page in `docs`.
//!
//! One operation's way: the lifecycle looks for what an earlier attempt made, makes it,
//! waits, finishes, reads it back; what was made is recorded whatever happens after.

mod duration;
mod failure;
mod lifecycle;
mod pacing;
mod resource;
mod secrets;
mod served;

pub use duration::parse_duration;
pub use failure::{Cause, Class, Failure, unless_gone};
pub use pacing::{Again, Pacing, Pause};
pub use resource::{Call, Minutes, Resource, State};
pub use served::{Served, Unplanned};

use crate::declared::{Catalog, Found, Vendor};
use async_trait::async_trait;
use std::fmt::Debug;
use weir_core::{Diagnostics, Value, schema::Schema};

/// One account in one region of a cloud: what calls its API.
#[async_trait]
pub trait Cloud: Debug + Sized + Send + Sync + 'static {
    /// The provider block, read. Its `Debug` shows no secret.
    type Settings: Debug + Send + Sync;
    /// What tags call a kind of thing; `()` where things are not found by tags.
    type Kind: Send;
    /// Whose provider it is.
    const VENDOR: Vendor;

    /// What is served.
    fn catalog() -> &'static Catalog;

    /// The resource type of that name.
    fn resource(type_name: &str) -> Option<&'static dyn Resource<Self>>;

    /// Reads the provider block, which is wholly known.
    ///
    /// # Errors
    /// What can't be served.
    fn settings(block: &Value) -> Result<Self::Settings, Diagnostics>;

    /// Makes the clients. Called when they are first needed.
    ///
    /// # Errors
    /// Why there can be none.
    async fn connect(settings: &Self::Settings, pacing: Pacing) -> Result<Self, Diagnostics>;

    /// How long things may take.
    fn pacing(&self) -> Pacing;

    /// Where it looks for things, as in `eu-central-1`.
    fn place(&self) -> String;

    /// Reads a data source: its attributes by name.
    async fn data(
        &self,
        type_name: &str,
        schema: &Schema,
        config: &Value,
    ) -> Result<Found, Failure>;

    /// Refuses what the schema of a data source can't express.
    fn validate_data(_type_name: &str, _config: &Value, _out: &mut Diagnostics) {}

    /// What all types plan alike, after the rules and before the type's own: tags of the provider
    /// block. `cloud` is `None` while the block is unknown.
    fn plan_all(_cloud: Option<&Self>, _type_name: &str, _config: &Value, planned: Value) -> Value {
        planned
    }

    /// What all types read alike, of what a type has read; `known` is what was planned or
    /// recorded.
    fn read_all(&self, _found: &mut Found, _known: &Value) {}

    /// The id of what this operation made, for types that are found by a tag.
    async fn made_by(_cx: &Call<'_, Self>, _kind: Self::Kind) -> Result<Option<String>, Failure> {
        Ok(None)
    }

    /// Changes what all types change alike, after the type's own: tags. `id` is
    /// [`Resource::tag_id`]'s.
    async fn update_all(
        _cx: &Call<'_, Self>,
        _id: &str,
        _prior: &Value,
        _planned: &Value,
    ) -> Result<(), Failure> {
        Ok(())
    }
}
