//! One instance: read, validate, plan, compare.

use crate::engine::{Engine, PlanInput, Refresh};
use std::{collections::BTreeSet, sync::Arc};
use weir_core::{
    Address, Diagnostic, Diagnostics, Known, Object, Value,
    change::{Change, ReplaceOrder},
    event::Event,
    schema::Schema,
    snapshot::{Resource, Snapshot, Status},
};
use weir_lang::{Instance, Schemas as _};
use weir_plan::{
    Prior, Proposal, Requested, Subject, Verdict, carry_marks, change, diff, ignore, verdict,
};
use weir_provider::{PlanRequest, Provider, ReadRequest, check, proposed};

/// What planning one instance came to; without a change it failed.
pub(super) struct Finding {
    pub(super) change: Option<Change>,
    pub(super) drift: Option<Change>,
    /// What to record of it before anything is done; `None` where state is right.
    pub(super) observed: Option<Option<Resource>>,
    pub(super) diagnostics: Diagnostics,
}

impl Finding {
    pub(super) fn failed(diagnostics: Diagnostics) -> Finding {
        Finding {
            change: None,
            drift: None,
            observed: None,
            diagnostics,
        }
    }
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
        dependencies: BTreeSet<Address>,
        pending: bool,
    ) -> Finding {
        let mut diagnostics = Diagnostics::new();
        let result = match instance.address.object {
            Object::Data { .. } => self.plan_data(instance, pending, &mut diagnostics).await,
            _ => {
                let task = Task {
                    engine: self,
                    input,
                    snapshot,
                    instance,
                    dependencies: &dependencies,
                };
                task.plan(&mut diagnostics).await
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
        if refresh == Refresh::Nothing {
            return Ok(Found {
                current: Some(stored.value.clone()),
                private: stored.private.clone(),
            });
        }
        self.events.event(Event::Refreshing {
            address: address.clone(),
        });
        let request = ReadRequest {
            type_name: address.object.type_name().to_owned(),
            address: address.to_string(),
            prior: stored.value.clone(),
            private: stored.private.clone(),
        };
        let response = provider.read(request).await?;
        let current = response.value.map(|value| {
            let marked = carry_marks(value.into_value(), stored.value.value(), &schema.block);
            // What is there again is not re-written for the type of a null.
            match weir_plan::same(&marked, stored.value.value()) {
                true => Ok(stored.value.clone()),
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
        diagnostics: &mut Diagnostics,
    ) -> Result<Finding, Diagnostics> {
        let ty = instance.address.object.type_name();
        let schema = self.registry.data(ty).ok_or_else(|| unserved(ty))?;
        let provider = self.session.get(&instance.provider).await?;
        validate(&*provider, ty, &instance.config, diagnostics).await?;
        let subject = subject(instance);
        let change = if pending || !instance.config.is_wholly_known() {
            diff::read(subject, unknown_where_computed(&instance.config, schema))
        } else {
            self.events.event(Event::Refreshing {
                address: instance.address.clone(),
            });
            let value = provider.data(ty, &instance.config).await?.into_value();
            let mut change =
                diff::read(subject, carry_marks(value, &instance.config, &schema.block));
            change.action = weir_core::change::Action::NoOp;
            change.reason = weir_core::change::Reason::UpToDate;
            change
        };
        let diagnostics = Diagnostics::new();
        Ok(Finding {
            change: Some(change),
            drift: None,
            observed: None,
            diagnostics,
        })
    }
}

/// A data source's value before it is read: as configured, the rest unknown.
fn unknown_where_computed(config: &Value, schema: &Schema) -> Value {
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
async fn validate(
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
    dependencies: &'a BTreeSet<Address>,
}

impl Task<'_> {
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
        let stored = self.snapshot.resources.get(address);
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
            Some(resource) => {
                let refresh = self.input.options.refresh;
                self.engine
                    .look_up(&provider, schema, address, resource, refresh)
                    .await?
            }
        };
        let prior = Prior {
            stored: stored.map(|r| &r.value),
            current: found.current.as_ref(),
            status: stored.map_or(Status::Ready, |r| r.status),
        };
        let (verdict, proposal) = self
            .propose(&*provider, schema, &prior, &found, diagnostics)
            .await?;
        let keeps = verdict == Verdict::Keep;
        let change = change(subject(self.instance), &prior, verdict, proposal);
        let observed = stored.and_then(|resource| self.observed(resource, &found, keeps, schema));
        let drift = stored.and_then(|r| {
            diff::drift(
                subject(self.instance),
                r.value.clone(),
                found.current.clone(),
            )
        });
        let diagnostics = Diagnostics::new();
        Ok(Finding {
            change: Some(change),
            drift,
            observed,
            diagnostics,
        })
    }

    /// The provider's proposal and what it comes to. A replacement is proposed from nothing.
    async fn propose(
        &self,
        provider: &dyn Provider,
        schema: &Schema,
        prior: &Prior<'_>,
        found: &Found,
        diagnostics: &mut Diagnostics,
    ) -> Result<(Verdict, Proposal), Diagnostics> {
        let config = self.instance.config.clone();
        let from_nothing = |private: Vec<u8>| (None, config.clone(), private);
        let requested = match self.input.options.replace.contains(&self.instance.address) {
            true => Requested::Replace,
            false => Requested::No,
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

    /// What state should say before anything is done, where it says something else. Dependencies
    /// of an instance that changes are recorded with the change.
    fn observed(
        &self,
        stored: &Resource,
        found: &Found,
        keeps: bool,
        schema: &Schema,
    ) -> Option<Option<Resource>> {
        let now = found.current.clone().map(|value| {
            let mut now = Resource {
                value,
                private: found.private.clone(),
                ..stored.clone()
            };
            if keeps {
                now.dependencies = self.known_dependencies();
                now.provider = self.instance.provider.clone();
                now.schema_version = schema.version;
            }
            now
        });
        (now.as_ref() != Some(stored)).then_some(now)
    }

    /// The dependencies that are in state: a snapshot names no other.
    fn known_dependencies(&self) -> BTreeSet<Address> {
        let there = |d: &&Address| self.snapshot.has(d);
        self.dependencies.iter().filter(there).cloned().collect()
    }
}

fn newer(found: u32, known: u32) -> Diagnostic {
    Diagnostic::error("state was written by a newer provider")
        .because(format!(
            "Its schema has version {found}, and the provider at hand {known}."
        ))
        .help("Run the weir that wrote it, or a newer one.")
}
