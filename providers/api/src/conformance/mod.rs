//! A kit that any provider runs against itself: does it keep the contract of this crate?
//!
//! 1. A [`Fixture`] names the provider's types, gives good and bad configurations for each, and
//!    starts the provider as often as asked, always on the same world.
//! 2. [`run`] puts every type through every check and never stops at the first failure.
//! 3. The [`Report`] prints as a table of types and checks, with the reasons below.
//!
//! The kit calls the provider the way the engine does: proposed values by [`crate::proposed`],
//! every plan and outcome through [`crate::check`].

mod crash;
mod faults;
mod lifecycle;
mod report;
mod schema_rules;
mod session;
mod values;

pub use report::{Outcome, Report, Row};
pub use values::{body, uncovered};

use crate::Provider;
use async_trait::async_trait;
use session::Session;
use std::sync::Arc;
use weir_core::{Known, Value};

/// A provider under test, and the world it works on.
#[async_trait]
pub trait Fixture: Send + Sync {
    /// The provider's name.
    fn provider(&self) -> &str;

    /// Starts the provider anew on the same world, configured: what the next run of weir does
    /// after a crash.
    async fn start(&self) -> Arc<dyn Provider>;

    /// One case or more for each resource type.
    fn cases(&self) -> Vec<Case>;

    /// How many objects of the type the world holds; `None` where nobody can tell.
    async fn count(&self, type_name: &str) -> Option<usize>;

    /// Removes an object from the world without the provider's help.
    async fn vanish(&self, type_name: &str, value: &Known) -> Vanished;

    /// Lays a trap: these calls to the API from now on meet the fault. `false` where the fixture
    /// can't; checks that need it are skipped.
    async fn trap(&self, calls: Calls, fault: Fault) -> bool {
        let _ = (calls, fault);
        false
    }

    /// Waits until a call is in the trap.
    async fn sprung(&self) {
        std::future::pending().await
    }

    /// Takes the trap away; whether a call was in it.
    async fn spring(&self) -> bool {
        false
    }

    /// What the object is imported by; `None` where the fixture does not say, and imports are not
    /// checked.
    fn import_id(&self, type_name: &str, value: &Known) -> Option<String> {
        let _ = (type_name, value);
        None
    }

    /// Attributes that an import can't tell, as the API does not keep them.
    fn not_imported(&self, type_name: &str) -> &[&str] {
        let _ = type_name;
        &[]
    }

    /// Configurations that differ from the case's in one attribute that can change in place.
    fn alone(&self, case: &Case) -> Vec<Value> {
        let _ = case;
        Vec::new()
    }
}

/// Which calls to the API are in a fixture's trap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calls {
    /// This one of the first three (the first is 1) and each third after it: what is tried again
    /// passes the second time.
    EveryThird(usize),
    /// The one of this number (the first is 1).
    Nth(usize),
}

/// What becomes of a call to the API that is in a fixture's trap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is refused for now, as calls that come too often are. Nothing is done.
    Throttled,
    /// The API fails. Nothing is done.
    Broken,
    /// It is done, and the connection is cut before the answer.
    Lost,
    /// It is done, and no answer ever comes: the caller is about to die.
    Silent,
    /// It is refused for good, in words that repeat all that was asked. Nothing is done.
    Repeated,
}

/// Whether a fixture can remove an object behind the provider's back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vanished {
    /// It did.
    Gone,
    /// It can't; checks that need it are skipped.
    Unsupported,
}

/// Where a type's objects are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existence {
    /// In the world: they can be counted, vanish and be found again.
    Outside,
    /// In state alone (`terraform_data`): nothing is there to lose or to make twice.
    StateOnly,
}

/// How many objects of one configuration there can be at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copies {
    /// Any number.
    Many,
    /// One: it claims a name or a place that only one object can have.
    One,
}

/// Configurations of one resource type. Each is an object of the schema's type with every
/// attribute present, null where not set.
#[derive(Debug, Clone)]
pub struct Case {
    /// The resource type.
    pub type_name: String,
    /// Where its objects are.
    pub existence: Existence,
    /// How many objects of `config` there can be at once.
    pub copies: Copies,
    /// What is made.
    pub config: Value,
    /// What it is changed to in place.
    pub update: Option<Value>,
    /// What can't be reached in place.
    pub replace: Option<Value>,
    /// What `validate` must refuse.
    pub refused: Vec<Value>,
}

/// Puts every case through every check.
pub async fn run(fixture: &dyn Fixture) -> Report {
    let mut report = Report::new(fixture.provider());
    for case in fixture.cases() {
        let mut session = Session::start(fixture, &case).await;
        let rows: [(&'static str, Outcome); 13] = [
            ("schema", schema_rules::sane(&session)),
            ("validate", lifecycle::validate(&session).await),
            ("plan of create", lifecycle::plan_of_create(&session).await),
            (
                "no-op after apply",
                lifecycle::second_plan_is_empty(&mut session).await,
            ),
            (
                "read equals apply",
                lifecycle::read_equals_apply(&mut session).await,
            ),
            ("update", lifecycle::update(&mut session).await),
            ("replace", lifecycle::replace(&mut session).await),
            ("delete", lifecycle::delete(&mut session).await),
            ("vanished", lifecycle::vanished(&mut session).await),
            (
                "same token twice",
                crash::same_token_twice(&mut session).await,
            ),
            ("settle: done", crash::settle_done(&mut session).await),
            (
                "settle: not done",
                crash::settle_not_done(&mut session).await,
            ),
            ("concurrent", crash::concurrent(&mut session).await),
        ];
        let type_name = case.type_name.clone();
        report.extend(rows.map(|(check, outcome)| Row {
            type_name: type_name.clone(),
            check,
            outcome,
        }));
        let rows: [(&'static str, Outcome); 7] = [
            ("interrupted", crash::interrupted(&mut session).await),
            ("delete twice", faults::deleted_twice(&mut session).await),
            ("each change alone", faults::each_alone(&mut session).await),
            ("import", faults::imported(&mut session).await),
            ("faults at every call", faults::sat_out(&mut session).await),
            (
                "crash after every call",
                faults::crashed(&mut session).await,
            ),
            (
                "secrets in errors",
                faults::secrets_kept(&mut session).await,
            ),
        ];
        report.extend(rows.map(|(check, outcome)| Row {
            type_name: type_name.clone(),
            check,
            outcome,
        }));
    }
    report
}
