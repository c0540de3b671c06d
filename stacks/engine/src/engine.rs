//! The engine, what it is asked, and the plan it answers with.

use crate::{
    attribution::ChangedBy,
    ephemeral::Ephemerals,
    events::InOrder,
    journal::{Journal, NoProbe, Probe},
    plan::Begun,
    registry::Registry,
    retry::Retry,
    session::Session,
    settle::Unsettled,
};
use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};
use weir_core::{
    Address, Diagnostics, Span, address::ProviderRef, event::EventSink, references::References,
    snapshot::Resource,
};
use weir_lang::{Config, Inputs, machines::Exhausted};
use weir_plan::{CheckedPlan, Target};
use weir_state::{Lease, Scope, Store};

/// Drives plan and apply of one stack.
pub struct Engine {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) session: Session,
    pub(crate) ephemerals: Ephemerals,
    pub(crate) events: Arc<dyn EventSink>,
    pub(crate) parallelism: NonZeroUsize,
    pub(crate) probe: Arc<dyn Probe>,
    pub(crate) retry: Retry,
    /// What was begun of its first plan.
    pub(crate) begun: Mutex<Option<Begun>>,
}

/// How many calls to providers run at a time where nobody says otherwise.
const PARALLELISM: NonZeroUsize = NonZeroUsize::new(10).expect("ten is not zero");

impl Engine {
    /// An engine on a store, with the providers at hand.
    pub fn new(
        store: Arc<dyn Store>,
        registry: Arc<Registry>,
        events: Arc<dyn EventSink>,
    ) -> Engine {
        let events: Arc<dyn EventSink> = Arc::new(InOrder(events));
        Engine {
            store,
            session: Session::new(registry.clone(), Retry::default()),
            retry: Retry::default(),
            ephemerals: Ephemerals::new(events.clone()),
            registry,
            events,
            parallelism: PARALLELISM,
            probe: Arc::new(NoProbe),
            begun: Mutex::default(),
        }
    }

    /// With at most so many calls to providers at a time (10 unless told otherwise).
    pub fn with_parallelism(mut self, parallelism: NonZeroUsize) -> Engine {
        self.parallelism = parallelism;
        self
    }

    /// With calls tried again in another way.
    pub fn with_retry(mut self, retry: Retry) -> Engine {
        self.session = Session::new(self.registry.clone(), retry.clone());
        self.retry = retry;
        self
    }

    /// With the beginning of its first plan, which was made with the same providers.
    pub fn with_begun(self, begun: impl Into<Option<Begun>>) -> Engine {
        Engine {
            begun: Mutex::new(begun.into()),
            ..self
        }
    }

    /// With somebody who is told of every record.
    pub fn with_probe(mut self, probe: Arc<dyn Probe>) -> Engine {
        self.probe = probe;
        self
    }

    /// How many calls to providers run at a time.
    pub fn parallelism(&self) -> NonZeroUsize {
        self.parallelism
    }

    pub(crate) fn journal<'a>(&'a self, lease: &'a Lease) -> Journal<'a> {
        Journal {
            store: &*self.store,
            lease,
            probe: &*self.probe,
        }
    }
}

/// What is to be planned.
#[derive(Clone)]
pub struct PlanInput {
    /// The configuration.
    pub config: Arc<Config>,
    /// What it was loaded with; kept in a plan file.
    pub inputs: Inputs,
    /// How.
    pub options: PlanOptions,
}

/// How to plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlanOptions {
    /// What for.
    pub mode: Mode,
    /// Whether objects are looked up first.
    pub refresh: Refresh,
    /// `-target`: only these and what they depend on; all where empty.
    pub targets: Vec<Target>,
    /// `-exclude`: not these and what depends on them.
    pub excludes: Vec<Target>,
    /// `-replace`: these are replaced though nothing forces it.
    pub replace: Vec<Address>,
    /// Whether configuration is written for imports that have none (`-generate-config-out`).
    pub generate: bool,
    /// `weir import`: the instance that an object becomes, and the object's id. With
    /// [`Mode::Refresh`] and a target that is this instance, nothing else is recorded.
    pub import: Option<(Address, String)>,
    /// How long providers may take to say who changed what drifted; `None` where they are not
    /// asked. It keeps nothing from being planned.
    pub attribution: Option<Duration>,
    /// Offers of pools, and zones of them, that have run out in this run, with the reason: they make
    /// nothing more.
    pub exhausted: BTreeMap<Exhausted, String>,
}

/// What a plan is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// What the configuration says.
    #[default]
    Apply,
    /// Nothing left.
    Destroy,
    /// What is, in state (`-refresh-only`): nothing is done to any object.
    Refresh,
}

/// Whether objects are looked up before they are planned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Refresh {
    /// They are.
    #[default]
    All,
    /// Those of which the configuration asks for other values than state has, and those that go
    /// (`-light`).
    Changed,
    /// State is taken for what is (`-refresh=false`).
    Nothing,
}

/// A plan, with all it takes to show, keep and apply it.
#[derive(Clone)]
pub struct Planned {
    /// The plan.
    pub plan: CheckedPlan,
    /// What it is for.
    pub mode: Mode,
    /// Whether objects were looked up for it.
    pub refresh: Refresh,
    /// What is worth knowing.
    pub warnings: Diagnostics,
    /// The configuration it was made from.
    pub config: Arc<Config>,
    /// What that was loaded with.
    pub inputs: Inputs,
    /// What state has not recorded yet: values that refresh found, dependencies that changed
    /// though nothing else did. `None` for what is gone. Recorded when the plan is applied.
    pub observed: BTreeMap<Address, Option<Resource>>,
    /// What state does not say yet of what is behind its objects. Recorded when the plan is applied.
    pub references: Option<References>,
    /// Configuration that was written for imports that have none, by address.
    pub generated: BTreeMap<Address, String>,
    /// Instances with `prevent_destroy`, and where.
    pub protected: BTreeMap<Address, Option<Span>>,
    /// Operations of an earlier run of which it could not be told whether they were done.
    pub unsettled: Vec<Unsettled>,
    /// By whom what drifted might have been changed, where providers were asked and had something
    /// to say. Not kept in a plan file.
    pub changed_by: BTreeMap<Address, ChangedBy>,
    /// The regions that configurations of providers name: what machines cost depends on them. Not
    /// kept in a plan file.
    pub regions: BTreeMap<ProviderRef, String>,
    /// Offers that had run out when it was made. Not kept in a plan file, as such a plan is applied
    /// by the run that makes it.
    pub exhausted: BTreeMap<Exhausted, String>,
    /// What applying it needs of state.
    pub(crate) scope: Scope,
    /// [`Planned::digest`], once it was asked for.
    pub(crate) digest: OnceLock<String>,
}

impl Planned {
    /// Whether applying it would do or record nothing that matters to the user.
    pub fn is_empty(&self) -> bool {
        self.plan.is_empty() && (self.mode != Mode::Refresh || self.observed.is_empty())
    }
}
