//! One operation, with the values that are known by now.

use super::{
    Run,
    call::{Call, FinalPlan, JournalEntry, begin},
    settled::came_late,
};
use crate::drive;
use std::sync::Arc;
use weir_core::{
    Address, Diagnostic, Diagnostics, Known, Value,
    address::ProviderRef,
    change::{Action, Change, ReplaceOrder},
    plan::{NodeId, Op},
    schema::Schema,
    snapshot::{Removal, Resource, Status},
};
use weir_lang::{Instance, Schemas as _};
use weir_plan::ignore;
use weir_provider::{ApplyRequest, Provider, Token};
use weir_state::Target;

/// An operation that is ready to be done.
pub(super) struct Prepared {
    pub(super) node: NodeId,
    pub(super) address: Address,
    pub(super) op: Op,
    pub(super) provider: Arc<dyn Provider>,
    pub(super) work: Work,
}

/// What there is to do.
pub(super) enum Work {
    /// A call, with its record in the journal.
    Call(Box<Call>),
    /// The object stays as it is and state learns something of it: its marks changed.
    Record(Resource),
    /// A data source is read.
    Read {
        type_name: String,
        config: Value,
        schema: Schema,
    },
    /// State forgets it.
    Forget,
}

impl Run<'_> {
    pub(super) async fn prepare_node(
        &mut self,
        node: NodeId,
        token: &Token,
    ) -> Result<Prepared, Diagnostics> {
        let planned = self.planned;
        let n = &planned.plan.nodes[node.0];
        let change = planned
            .plan
            .changes
            .get(&n.address)
            .ok_or_else(|| lost(&n.address))?;
        self.open_for(&n.address).await?;
        let provider = self.provider_of(&change.provider).await?;
        let work = match n.op {
            Op::Forget => Work::Forget,
            Op::Read => self.read(change)?,
            Op::Delete => self.delete(change, token)?,
            Op::Create | Op::Update => self.write(change, n.op, token)?,
            // `Run::prepare` is over with it before it comes here.
            Op::Join => return Err(lost(&n.address)),
        };
        Ok(Prepared {
            node,
            address: n.address.clone(),
            op: n.op,
            provider,
            work,
        })
    }

    /// The provider of a change. Where its configuration was not known while planning, it may be
    /// by now.
    pub(super) async fn provider_of(
        &mut self,
        name: &ProviderRef,
    ) -> Result<Arc<dyn Provider>, Diagnostics> {
        let unknown = self
            .driven
            .providers
            .iter()
            .any(|p| p.provider == *name && !p.config.is_wholly_known());
        if unknown {
            let planned = self.planned;
            let mut evaluator = super::evaluator(self.engine, planned, &self.resources)
                .settling(self.settled.clone());
            let ephemerals = &self.engine.ephemerals;
            let value = |address: &Address| match self.resources.get(address) {
                Some(resource) => resource.value.value().clone(),
                None if ephemerals.value(address).is_some() => {
                    ephemerals.value(address).unwrap_or_else(Value::null)
                }
                None => planned
                    .plan
                    .changes
                    .get(address)
                    .and_then(|c| c.after.clone())
                    .unwrap_or_else(|| Value::unknown(weir_core::Type::Dynamic)),
            };
            let supply = |address: &Address| value(address).into();
            let (driven, errors) = drive::drive(&mut evaluator, supply, |address| {
                planned
                    .plan
                    .changes
                    .get(address)
                    .and_then(|c| crate::pods::placement(c.after.as_ref()?))
            });
            if errors.has_errors() {
                return Err(errors);
            }
            for provider in &driven.providers {
                if provider.provider == *name {
                    self.engine.session.configure(provider).await?;
                }
            }
            self.driven.providers = driven.providers;
        }
        self.engine.session.get(name).await
    }

    fn instance(&self, address: &Address) -> Result<&Instance, Diagnostics> {
        self.driven
            .instances
            .get(address)
            .ok_or_else(|| lost(address))
    }

    /// The configuration with what is known by now.
    fn config(&mut self, address: &Address) -> Result<Value, Diagnostics> {
        let instance = self.instance(address)?;
        let (config, undecided) = (instance.config.clone(), instance.undecided);
        match config.is_wholly_known() && !undecided {
            true => Ok(config),
            false => self.evaluator.config_of(address),
        }
    }

    fn read(&mut self, change: &Change) -> Result<Work, Diagnostics> {
        let ty = change.address.object.type_name();
        let schema = self
            .engine
            .registry
            .data(ty)
            .cloned()
            .ok_or_else(|| lost(&change.address))?;
        let config = self.config(&change.address)?;
        Ok(Work::Read {
            type_name: ty.to_owned(),
            config,
            schema,
        })
    }

    fn delete(&mut self, change: &Change, token: &Token) -> Result<Work, Diagnostics> {
        let address = &change.address;
        let old = self.put_aside.remove(address);
        let schema = self.schema(address)?;
        let resource = match old {
            // The new object stands in its place in state; the old one is in the plan.
            Some(_) => self.old_resource(change)?,
            None => self
                .resources
                .get(address)
                .cloned()
                .ok_or_else(|| lost(address))?,
        };
        let request = self.request(change, Op::Delete, token, &resource.private);
        let entry = match old {
            Some(entry) => JournalEntry::Open(entry),
            None => JournalEntry::Begin { old: None },
        };
        let host = host(address, change.before.as_ref().map(Known::value));
        let call = Call {
            request,
            schema,
            entry,
            template: resource,
            final_plan: None,
            host,
        };
        Ok(Work::Call(Box::new(call)))
    }

    fn schema(&self, address: &Address) -> Result<Schema, Diagnostics> {
        let schema = self.engine.registry.resource(address.object.type_name());
        schema.cloned().ok_or_else(|| lost(address))
    }

    /// The object before a replacement, as state had it.
    fn old_resource(&self, change: &Change) -> Result<Resource, Diagnostics> {
        self.replaced
            .get(&change.address)
            .cloned()
            .ok_or_else(|| lost(&change.address))
    }

    fn request(&self, change: &Change, op: Op, token: &Token, private: &[u8]) -> ApplyRequest {
        ApplyRequest {
            type_name: change.address.object.type_name().to_owned(),
            address: change.address.to_string(),
            op,
            prior: if op == Op::Create {
                None
            } else {
                change.before.clone()
            },
            planned: None,
            config: None,
            private: private.to_vec(),
            token: token.clone(),
        }
    }

    fn write(&mut self, change: &Change, op: Op, token: &Token) -> Result<Work, Diagnostics> {
        let address = &change.address;
        let schema = self.schema(address)?;
        let promised = change.after.clone().ok_or_else(|| lost(address))?;
        let instance = self.instance(address)?;
        let (lifecycle, was_known) = (
            instance.lifecycle.clone(),
            instance.config.is_wholly_known(),
        );
        let mut config = self.config(address)?;
        if op == Op::Update
            && let Some(before) = &change.before
        {
            config = ignore(
                config,
                before.value(),
                &lifecycle.ignore_changes,
                &schema.block,
            );
        }
        let mut template = self.template(change, &schema);
        if op == Op::Update
            && let Some(before) = &change.before
            && weir_plan::same(before.value(), &promised)
            && let Ok(value) = Known::new(promised.clone())
        {
            template.value = value;
            return Ok(Work::Record(template));
        }
        let mut request = self.request(change, op, token, &change.private);
        let final_plan = (!was_known || came_late(&config, &promised)).then(|| FinalPlan {
            prior: request.prior.clone(),
            promised: promised.clone(),
            config: config.clone(),
            provider: change.provider.name.to_string(),
        });
        request.planned = Some(promised);
        request.config = Some(config);
        let old = match (change.action, op) {
            (Action::Replace(ReplaceOrder::CreateFirst), Op::Create) => {
                let old = self
                    .resources
                    .get(address)
                    .cloned()
                    .ok_or_else(|| lost(address))?;
                let delete = self.request(change, Op::Delete, token, &old.private);
                self.replaced.insert(address.clone(), old.clone());
                Some(Box::new(begin(&delete, address, &old, Target::Deposed)))
            }
            _ => None,
        };
        let host = host(address, request.planned.as_ref());
        let entry = JournalEntry::Begin { old };
        let call = Call {
            request,
            schema,
            entry,
            template,
            final_plan,
            host,
        };
        Ok(Work::Call(Box::new(call)))
    }

    /// What the resource is recorded as; its value and private data come of the call.
    fn template(&mut self, change: &Change, schema: &Schema) -> Resource {
        let dependencies = self.dependencies(&change.address);
        let removal = self.driven.instances.get(&change.address);
        let removal = removal.map_or_else(Removal::default, |i| crate::plan::removal(&i.lifecycle));
        let stored = self.resources.get(&change.address);
        Resource {
            provider: change.provider.clone(),
            schema_version: schema.version,
            value: change.before.clone().unwrap_or_else(null),
            private: stored.map(|r| r.private.clone()).unwrap_or_default(),
            dependencies,
            status: Status::Ready,
            removal,
            // A new object did not come from anywhere.
            foreign: match change.action {
                Action::Update => stored.and_then(|r| r.foreign.clone()),
                _ => None,
            },
        }
    }
}

fn null() -> Known {
    Known::new(Value::null()).unwrap_or_else(|e| unreachable!("null is known: {e}"))
}

/// The host an operation is done on, for those who watch.
fn host(address: &Address, value: Option<&Value>) -> Option<String> {
    match &address.object {
        weir_core::Object::Pod { .. } => value?.get("host")?.as_str().map(str::to_owned),
        weir_core::Object::Host { site } => match &address.key {
            weir_core::Key::Name(name) => Some(format!("{site}/{name}")),
            _ => None,
        },
        _ => None,
    }
}

fn lost(address: &Address) -> Diagnostics {
    Diagnostic::error(format!("{address} is not where the plan has it"))
        .because("The plan, the configuration it came with and state do not fit together.")
        .help("Plan again. If it happens again, it is a bug of weir: please report it.")
        .on(address.clone())
        .into()
}
