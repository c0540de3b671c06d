//! One instance: read, validate, plan, compare.

use super::import::{import_change, managed};
use crate::{
    apply::elapsed_ms,
    drive::Supply,
    engine::{Engine, Mode, PlanInput, Refresh},
};
use std::{collections::BTreeSet, sync::Arc, time::Instant};
use weir_core::{
    Address, Diagnostic, Diagnostics, Known, Object, Value,
    change::{Action, Change, Reason, Reference, ReplaceOrder},
    event::Event,
    schema::Schema,
    snapshot::{Removal, Resource, Snapshot, Status},
};
use weir_lang::{ImportId, Instance, Lifecycle, Schemas as _};
use weir_plan::{
    Prior, Proposal, Requested, Subject, Verdict, carry_marks, change, diff, ignore, verdict,
};
use weir_provider::{PlanRequest, Provider, ReadRequest, check, proposed};

/// What planning one instance came to; without a change it failed.
pub(super) struct Finding {
    pub(super) change: Option<Change>,
    /// Rare, and large.
    pub(super) drift: Option<Box<Change>>,
    /// What to record of it before anything is done; `None` where state is right.
    pub(super) observed: Option<Box<Option<Resource>>>,
    /// What the evaluator gets, where that is not what the change says: of an ephemeral resource, of
    /// what is not there.
    pub(super) supply: Option<Supply>,
    pub(super) diagnostics: Diagnostics,
}

impl Finding {
    pub(super) fn failed(diagnostics: Diagnostics) -> Finding {
        Finding {
            change: None,
            drift: None,
            observed: None,
            supply: None,
            diagnostics,
        }
    }
}

/// What an instance's plan depends on beside its configuration.
pub(super) struct Around<'a> {
    /// As state has it.
    pub(super) stored: Option<&'a Resource>,
    /// What state records as its dependencies.
    pub(super) dependencies: BTreeSet<Address>,
    /// Whether something it depends on will change.
    pub(super) pending: bool,
    /// What its `replace_triggered_by` names and will change.
    pub(super) triggered: Vec<Reference>,
}

/// An object as state has it and as it is.
pub(super) struct Found {
    pub(super) current: Option<Known>,
    pub(super) private: Vec<u8>,
}

impl Engine {
    pub(super) async fn plan_instance(
        &self,
        input: &PlanInput,
        snapshot: &Snapshot,
        instance: &Instance,
        around: Around<'_>,
    ) -> Finding {
        let mut diagnostics = Diagnostics::new();
        let result = match instance.address.object {
            Object::Ephemeral { .. } => {
                self.plan_ephemeral(instance, around.pending, &mut diagnostics)
                    .await
            }
            Object::Data { .. } => {
                self.plan_data(
                    instance,
                    around.pending,
                    input.options.mode,
                    &mut diagnostics,
                )
                .await
            }
            _ => {
                let task = Task {
                    engine: self,
                    input,
                    snapshot,
                    instance,
                    stored: around.stored,
                    dependencies: &around.dependencies,
                    triggered: &around.triggered,
                };
                match input.options.mode {
                    Mode::Refresh => task.refresh().await,
                    _ => task.plan(&mut diagnostics).await,
                }
            }
        };
        match result {
            Ok(finding) => Finding {
                diagnostics,
                ..finding
            },
            Err(errors) => {
                diagnostics.extend(errors);
                Finding::failed(diagnostics)
            }
        }
    }

    /// What is, by the provider; by state where nothing is to be looked up.
    pub(super) async fn look_up(
        &self,
        provider: &Arc<dyn Provider>,
        schema: &Schema,
        address: &Address,
        stored: &Resource,
        refresh: Refresh,
    ) -> Result<Found, Diagnostics> {
        let ty = address.object.type_name();
        let prior = match stored.schema_version < schema.version {
            false => stored.value.clone(),
            true => {
                let version = stored.schema_version;
                let value = stored.value.clone();
                let upgraded = provider.upgrade(ty, version, value).await?.into_value();
                let marked = carry_marks(upgraded, stored.value.value(), &schema.block);
                Known::new(marked).map_err(|e| Diagnostic::error(e.to_string()))?
            }
        };
        if refresh != Refresh::All {
            return Ok(Found {
                current: Some(prior),
                private: stored.private.clone(),
            });
        }
        let id = prior.value().shown_id();
        self.events.event(Event::Refreshing {
            address: address.clone(),
            id: id.clone(),
        });
        let since = Instant::now();
        let request = ReadRequest {
            type_name: ty.to_owned(),
            address: address.to_string(),
            prior: prior.clone(),
            private: stored.private.clone(),
        };
        let response = provider.read(request).await?;
        self.events.event(Event::Refreshed {
            address: address.clone(),
            elapsed_ms: elapsed_ms(since),
            id: id.filter(|_| response.value.is_some()),
        });
        let current = response.value.map(|value| {
            let marked = carry_marks(value.into_value(), prior.value(), &schema.block);
            // What is there again is not re-written for the type of a null.
            match weir_plan::same(&marked, prior.value()) {
                true => Ok(prior.clone()),
                false => Known::new(marked),
            }
        });
        let current = current
            .transpose()
            .map_err(|e| Diagnostic::error(e.to_string()))?;
        Ok(Found {
            current,
            private: response.private,
        })
    }

    /// A data source is read now if all it needs is known and nothing it depends on will change.
    async fn plan_data(
        &self,
        instance: &Instance,
        pending: bool,
        mode: Mode,
        diagnostics: &mut Diagnostics,
    ) -> Result<Finding, Diagnostics> {
        let ty = instance.address.object.type_name();
        let schema = self.registry.data(ty).ok_or_else(|| unserved(ty))?;
        let provider = self.session.get(&instance.provider).await?;
        validate(&*provider, ty, &instance.config, diagnostics).await?;
        let subject = subject(instance);
        let later = pending || !instance.config.is_wholly_known();
        if later && mode == Mode::Refresh {
            // Nothing is made that it could wait for: it is read by a run that makes it.
            return Ok(Finding {
                supply: Some(unknown_where_computed(&instance.config, schema).into()),
                ..Finding::failed(Diagnostics::new())
            });
        }
        let change = if later {
            let reason = match instance.config.is_wholly_known() {
                true => Reason::PendingDependency,
                false => Reason::UnknownInputs,
            };
            diff::read(
                subject,
                unknown_where_computed(&instance.config, schema),
                reason,
            )
        } else {
            self.events.event(Event::Refreshing {
                address: instance.address.clone(),
                id: None,
            });
            let since = Instant::now();
            let at = instance.address.to_string();
            let value = provider.data_at(ty, &at, &instance.config).await?;
            self.events.event(Event::Refreshed {
                address: instance.address.clone(),
                elapsed_ms: elapsed_ms(since),
                id: value.value().shown_id(),
            });
            let value = value.into_value();
            let value = carry_marks(value, &instance.config, &schema.block);
            let mut change = diff::read(subject, value, Reason::UpToDate);
            change.action = Action::NoOp;
            change
        };
        let diagnostics = Diagnostics::new();
        Ok(Finding {
            change: Some(change),
            drift: None,
            observed: None,
            supply: None,
            diagnostics,
        })
    }
}

/// The value of a data source before it is read, of an ephemeral resource before it is opened: as
/// configured, the rest unknown.
pub(super) fn unknown_where_computed(config: &Value, schema: &Schema) -> Value {
    schema
        .block
        .attributes
        .iter()
        .fold(config.clone(), |value, (name, attribute)| {
            let unset = value.get(name).is_none_or(Value::is_null);
            match unset && attribute.is_computed() {
                true => value.with(name, Value::unknown(attribute.ty.clone())),
                false => value,
            }
        })
}

pub(super) fn unserved(ty: &str) -> Diagnostic {
    Diagnostic::error(format!("no provider serves {ty}"))
        .because("State or the configuration names a type that no provider at hand has.")
        .help("Run a weir with the provider that has it.")
}

fn subject(instance: &Instance) -> Subject {
    Subject {
        address: instance.address.clone(),
        provider: instance.provider.clone(),
        replace_order: match instance.lifecycle.create_before_destroy {
            true => ReplaceOrder::CreateFirst,
            false => ReplaceOrder::DeleteFirst,
        },
        moved_from: None,
        import: None,
    }
}

/// Warnings go to `diagnostics`.
///
/// # Errors
/// All findings, where one is an error.
pub(super) async fn validate(
    provider: &dyn Provider,
    ty: &str,
    config: &Value,
    diagnostics: &mut Diagnostics,
) -> Result<(), Diagnostics> {
    let found = provider.validate(ty, config).await;
    if found.has_errors() {
        return Err(found);
    }
    diagnostics.extend(found);
    Ok(())
}

/// One managed instance on its way to a change.
struct Task<'a> {
    engine: &'a Engine,
    input: &'a PlanInput,
    snapshot: &'a Snapshot,
    instance: &'a Instance,
    /// As state has it.
    stored: Option<&'a Resource>,
    dependencies: &'a BTreeSet<Address>,
    triggered: &'a [Reference],
}

impl Task<'_> {
    /// What is, without a plan for it.
    async fn refresh(&self) -> Result<Finding, Diagnostics> {
        let address = &self.instance.address;
        if let Some((to, id)) = &self.input.options.import
            && to == address
        {
            return self.import_alone(id).await;
        }
        let Some(stored) = self.stored else {
            return Ok(Finding {
                supply: Some(Supply::Absent),
                ..Finding::failed(Diagnostics::new())
            });
        };
        let ty = address.object.type_name();
        let registry = &self.engine.registry;
        let schema = registry.resource(ty).ok_or_else(|| unserved(ty))?;
        let provider = self.engine.session.get(&self.instance.provider).await?;
        let found = self
            .engine
            .look_up(
                &provider,
                schema,
                address,
                stored,
                self.input.options.refresh,
            )
            .await?;
        let drift = self.drift(stored, &found);
        let observed = self.observed(stored, &found, false, schema);
        let supply = match found.current.clone() {
            Some(current) => current.into_value().into(),
            None => Supply::Absent,
        };
        let change = found.current.map(|current| {
            let prior = Prior {
                stored: Some(&stored.value),
                current: Some(&current),
                status: Status::Ready,
            };
            let proposal = Proposal {
                planned: current.value().clone(),
                requires_replace: Vec::new(),
                private: found.private,
                batch: None,
            };
            change(subject(self.instance), &prior, Verdict::Keep, proposal)
        });
        Ok(Finding {
            change,
            drift,
            observed,
            supply: Some(supply),
            ..Finding::failed(Diagnostics::new())
        })
    }

    async fn plan(&self, diagnostics: &mut Diagnostics) -> Result<Finding, Diagnostics> {
        let Instance {
            address,
            provider: name,
            ..
        } = self.instance;
        let ty = address.object.type_name();
        let schema = self
            .engine
            .registry
            .resource(ty)
            .ok_or_else(|| unserved(ty))?;
        let provider = self.engine.session.get(name).await?;
        validate(&*provider, ty, &self.instance.config, diagnostics).await?;
        let imported = match (&self.instance.import, self.stored) {
            (Some(import), None) => Some(self.import(&provider, schema, import).await?),
            // What is managed already is not imported again.
            _ => None,
        };
        let in_state = self.stored;
        let stored = in_state.or(imported.as_ref());
        if let Some(resource) = stored
            && resource.schema_version > schema.version
        {
            return Err(newer(resource.schema_version, schema.version).into());
        }
        let found = match stored {
            None => Found {
                current: None,
                private: Vec::new(),
            },
            // It was read just now.
            Some(resource) if in_state.is_none() => Found {
                current: Some(resource.value.clone()),
                private: resource.private.clone(),
            },
            Some(resource) => {
                let refresh = self.refreshed();
                self.engine
                    .look_up(&provider, schema, address, resource, refresh)
                    .await?
            }
        };
        let status = stored.map_or(Status::Ready, |r| r.status);
        let mut found = found;
        let mut proposed = self
            .propose(&*provider, schema, (stored, status), &found, diagnostics)
            .await?;
        // What the configuration leaves as state has it is not looked up in a light plan.
        if self.refreshed() == Refresh::Changed
            && proposed.0 != Verdict::Keep
            && let Some(resource) = in_state
        {
            found = self
                .engine
                .look_up(&provider, schema, address, resource, Refresh::All)
                .await?;
            proposed = self
                .propose(&*provider, schema, (stored, status), &found, diagnostics)
                .await?;
        }
        let (verdict, proposal) = proposed;
        let prior = Prior {
            stored: stored.map(|r| &r.value),
            current: found.current.as_ref(),
            status,
        };
        let keeps = verdict == Verdict::Keep;
        if let Verdict::Replace(_) = verdict
            && !self.instance.lifecycle.destroy
        {
            return Err(kept_from_destruction(address).into());
        }
        let mut change = change(subject(self.instance), &prior, verdict, proposal);
        // As Terraform says it, of what is made too.
        if change.action == Action::Create && !self.triggered.is_empty() {
            change.reason = Reason::Triggered(self.triggered.to_vec(), Vec::new());
        }
        let mut observed =
            stored.and_then(|resource| self.observed(resource, &found, keeps, schema));
        let drift = stored.and_then(|r| self.drift(r, &found));
        if let (Some(resource), Some(import)) = (&imported, &self.instance.import) {
            change.import = import.id.as_str().map(str::to_owned);
            // Recorded before anything is done, so that it is not imported twice.
            observed.get_or_insert_with(|| Box::new(Some(resource.clone())));
        }
        let diagnostics = Diagnostics::new();
        Ok(Finding {
            change: Some(change),
            drift,
            observed,
            supply: None,
            diagnostics,
        })
    }

    /// The object `weir import` names: recorded, and left as it is.
    async fn import_alone(&self, id: &str) -> Result<Finding, Diagnostics> {
        let Instance {
            address,
            provider: name,
            span,
            ..
        } = self.instance;
        if self.stored.is_some() {
            return Err(managed(address).into());
        }
        let ty = address.object.type_name();
        let registry = &self.engine.registry;
        let schema = registry.resource(ty).ok_or_else(|| unserved(ty))?;
        let provider = self.engine.session.get(name).await?;
        let import = ImportId {
            id: Value::string(id),
            span: span.clone(),
        };
        let resource = self.import(&provider, schema, &import).await?;
        let change = import_change(address, &resource, id);
        Ok(Finding {
            supply: change.after.clone().map(Supply::Value),
            change: Some(change),
            observed: Some(Box::new(Some(resource))),
            ..Finding::failed(Diagnostics::new())
        })
    }

    /// The object an `import` block names, as it is.
    async fn import(
        &self,
        provider: &Arc<dyn Provider>,
        schema: &Schema,
        import: &ImportId,
    ) -> Result<Resource, Diagnostics> {
        let found = self
            .engine
            .import(provider, schema, &self.instance.address, &import.id)
            .await;
        let (value, private) = found.map_err(|errors| {
            let sources = self.input.config.sources();
            let at = errors.into_iter().map(|d| match d.span {
                None => sources.point(d, &import.span),
                Some(_) => d,
            });
            Diagnostics(at.collect())
        })?;
        Ok(Resource {
            provider: self.instance.provider.clone(),
            schema_version: schema.version,
            value,
            private,
            dependencies: self.known_dependencies(),
            status: Status::Ready,
            removal: removal(&self.instance.lifecycle),
            foreign: None,
        })
    }

    /// The provider's proposal and what it comes to. A replacement is proposed from nothing.
    async fn propose(
        &self,
        provider: &dyn Provider,
        schema: &Schema,
        (stored, status): (Option<&Resource>, Status),
        found: &Found,
        diagnostics: &mut Diagnostics,
    ) -> Result<(Verdict, Proposal), Diagnostics> {
        let prior = &Prior {
            stored: stored.map(|r| &r.value),
            current: found.current.as_ref(),
            status,
        };
        let config = self.instance.config.clone();
        let from_nothing = |private: Vec<u8>| (None, config.clone(), private);
        let named = self.input.options.replace.contains(&self.instance.address);
        let requested = match (self.triggered, named) {
            ([], false) => Requested::No,
            ([], true) => Requested::Replace,
            (by, _) => Requested::Triggered(by.to_vec()),
        };
        let (current, config_now, private) = match prior.current {
            Some(current) if prior.status == Status::Ready => {
                let lifecycle = &self.instance.lifecycle;
                let config = ignore(
                    config.clone(),
                    current.value(),
                    &lifecycle.ignore_changes,
                    &schema.block,
                );
                (Some(current), config, found.private.clone())
            }
            _ => from_nothing(Vec::new()),
        };
        let first = self
            .ask(
                provider,
                schema,
                current,
                config_now,
                private,
                Some(diagnostics),
            )
            .await?;
        let verdict = verdict(prior, &first, schema, requested)?;
        let tainted = prior.status == Status::Tainted;
        if !matches!(verdict, Verdict::Replace(_)) || tainted {
            return Ok((verdict, first));
        }
        let (current, config, private) = from_nothing(first.private);
        // Its warnings were given by the first.
        let second = self
            .ask(provider, schema, current, config, private, None)
            .await?;
        Ok((verdict, second))
    }

    async fn ask(
        &self,
        provider: &dyn Provider,
        schema: &Schema,
        prior: Option<&Known>,
        config: Value,
        private: Vec<u8>,
        warnings: Option<&mut Diagnostics>,
    ) -> Result<Proposal, Diagnostics> {
        let address = self.instance.address.to_string();
        let prior_value = prior.map(Known::value);
        let response = provider
            .plan(PlanRequest {
                type_name: self.instance.address.object.type_name().to_owned(),
                address: address.clone(),
                prior: prior.cloned(),
                config: config.clone(),
                proposed: proposed::merge(schema, prior_value, &config),
                private,
            })
            .await?;
        let subject = check::Subject {
            provider: &self.instance.provider.name,
            address: &address,
        };
        let broken = check::planned(subject, schema, prior_value, &config, &response.planned);
        if broken.has_errors() {
            return Err(broken);
        }
        if let Some(warnings) = warnings {
            warnings.extend(response.warnings);
        }
        Ok(Proposal {
            planned: carry_marks(response.planned, &config, &schema.block),
            requires_replace: response.requires_replace,
            private: response.private,
            batch: response.batch,
        })
    }

    /// What refresh found to differ from state.
    fn drift(&self, stored: &Resource, found: &Found) -> Option<Box<Change>> {
        let subject = || subject(self.instance);
        diff::drift(subject, &stored.value, found.current.as_ref()).map(Box::new)
    }

    /// What state should say before anything is done, where it says something else. Dependencies
    /// of an instance that changes are recorded with the change.
    fn observed(
        &self,
        stored: &Resource,
        found: &Found,
        keeps: bool,
        schema: &Schema,
    ) -> Option<Box<Option<Resource>>> {
        let Some(value) = &found.current else {
            return Some(Box::new(None));
        };
        let (instance, removal) = (self.instance, removal(&self.instance.lifecycle));
        let dependencies = keeps.then(|| self.known_dependencies());
        let as_configured = dependencies.as_ref().is_none_or(|known| {
            *known == stored.dependencies
                && instance.provider == stored.provider
                && schema.version == stored.schema_version
                && removal == stored.removal
        });
        if as_configured && *value == stored.value && found.private == stored.private {
            return None;
        }
        let mut now = Resource {
            value: value.clone(),
            private: found.private.clone(),
            ..stored.clone()
        };
        if let Some(dependencies) = dependencies {
            now.dependencies = dependencies;
            now.provider = instance.provider.clone();
            now.schema_version = schema.version;
            now.removal = removal;
        }
        Some(Box::new(Some(now)))
    }

    /// How it is looked up: not at all where its `lifecycle` has `refresh = false`. A run that is
    /// asked for nothing else does look it up.
    fn refreshed(&self) -> Refresh {
        match self.instance.lifecycle.refresh {
            true => self.input.options.refresh,
            false => Refresh::Nothing,
        }
    }

    /// The dependencies that are in state: a snapshot names no other.
    fn known_dependencies(&self) -> BTreeSet<Address> {
        let there = |d: &&Address| self.snapshot.has(d);
        self.dependencies.iter().filter(there).cloned().collect()
    }
}

/// What becomes of the object once its block is gone.
pub(crate) fn removal(lifecycle: &Lifecycle) -> Removal {
    match lifecycle.destroy {
        true => Removal::Delete,
        false => Removal::Forget,
    }
}

fn kept_from_destruction(address: &Address) -> Diagnostic {
    Diagnostic::error(format!("{address} can't be replaced"))
        .because(
            "Its lifecycle has `destroy = false`, and replacing it would destroy the object that \
             is there.",
        )
        .help(
            "Undo the change that asks for a replacement, or drop the object from state first \
             with `weir state rm`: then a new one is made beside it.",
        )
        .on(address.clone())
}

fn newer(found: u32, known: u32) -> Diagnostic {
    Diagnostic::error("state was written by a newer provider")
        .because(format!(
            "Its schema has version {found}, and the provider at hand {known}."
        ))
        .help("Run the weir that wrote it, or a newer one.")
}
