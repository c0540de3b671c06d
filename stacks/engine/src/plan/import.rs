//! Objects that exist already and become part of the stack.

use super::{Findings, instance::unserved};
use crate::{
    apply::elapsed_ms,
    engine::{Engine, PlanInput},
};
use std::{collections::BTreeSet, sync::Arc, time::Instant};
use weir_core::{
    Address, Diagnostic, Diagnostics, Known, Value,
    address::{ProviderRef, members},
    change::{Action, Change, Reason},
    event::Event,
    schema::Schema,
    snapshot::{Removal, Resource, Snapshot, Status},
};
use weir_lang::{Evaluator, Import, Schemas as _};
use weir_plan::{Target, carry_marks, generate};
use weir_provider::{Provider, ReadRequest};

impl Engine {
    /// Imports that have no configuration: it is written for them, or they are refused.
    pub(super) async fn plan_imports(
        &self,
        input: &PlanInput,
        snapshot: &Snapshot,
        evaluator: &mut Evaluator,
        findings: &mut Findings,
    ) {
        let options = &input.options;
        let leaves_out = |to: &Address| {
            let named = |targets: &[Target]| targets.iter().any(|t| t.names(to));
            !options.targets.is_empty() && !named(&options.targets) || named(&options.excludes)
        };
        for import in evaluator.imports() {
            if import.declared || leaves_out(&import.to) {
                continue;
            }
            // What is managed already would go, as its block is gone: the statement says otherwise.
            let managed = snapshot.resources.contains_key(&import.to);
            let result = match (input.options.generate, managed) {
                (true, true) => continue,
                (true, false) => self.generate(&import, findings).await,
                (false, _) => Err(undeclared(&import.to).into()),
            };
            if let Err(errors) = result {
                let sources = input.config.sources();
                let at = errors.into_iter().map(|d| match d.span {
                    None => sources.point(d, &import.id.span),
                    Some(_) => d,
                });
                findings.diagnostics.0.extend(at);
            }
        }
    }

    /// Reads the object and writes configuration for it. With that it stays as it is.
    async fn generate(&self, import: &Import, findings: &mut Findings) -> Result<(), Diagnostics> {
        let address = &import.to;
        let ty = address.object.type_name();
        let schema = self.registry.resource(ty).ok_or_else(|| unserved(ty))?;
        let name = match &import.provider {
            Some(provider) => provider.clone(),
            None => ProviderRef::new(self.registry.provider_of(ty).unwrap_or(ty)),
        };
        let provider = self.session.get(&name).await?;
        let (value, private) = self
            .import(&provider, schema, address, &import.id.id)
            .await?;
        let id = import.id.id.as_str().unwrap_or_default();
        let text = generate(address, id, &schema.block, value.value());
        findings.generated.insert(address.clone(), text);
        let resource = Resource {
            provider: name,
            schema_version: schema.version,
            value,
            private,
            dependencies: BTreeSet::new(),
            status: Status::Ready,
            removal: Removal::default(),
            foreign: None,
        };
        let change = import_change(address, &resource, id);
        findings.changes.insert(address.clone(), change);
        findings.observed.insert(address.clone(), Some(resource));
        Ok(())
    }

    /// Finds an object by its id, and reads it.
    pub(super) async fn import(
        &self,
        provider: &Arc<dyn Provider>,
        schema: &Schema,
        address: &Address,
        id: &Value,
    ) -> Result<(Known, Vec<u8>), Diagnostics> {
        let ty = address.object.type_name();
        let id = id.as_str().ok_or_else(|| unusable(address))?;
        self.events.event(Event::Refreshing {
            address: address.clone(),
            id: Some(id.to_owned()),
        });
        let since = Instant::now();
        let found = provider.import(ty, id).await?;
        let Some(found) = found.into_iter().find(|i| i.type_name == ty) else {
            return Err(missing(address, id).into());
        };
        let request = ReadRequest {
            type_name: ty.to_owned(),
            address: address.to_string(),
            prior: found.value,
            private: found.private,
        };
        let read = provider.read(request).await?;
        self.events.event(Event::Refreshed {
            address: address.clone(),
            elapsed_ms: elapsed_ms(since),
            id: read.value.as_ref().map(|_| id.to_owned()),
        });
        let value = read.value.ok_or_else(|| missing(address, id))?;
        // The configuration has no part in it yet: the schema alone says what is sensitive.
        let value = carry_marks(value.into_value(), &Value::null(), &schema.block);
        let value = Known::new(value).map_err(|e| Diagnostic::error(e.to_string()))?;
        Ok((value, read.private))
    }
}

/// An import that leaves the object as it is.
pub(super) fn import_change(address: &Address, resource: &Resource, id: &str) -> Change {
    Change {
        address: address.clone(),
        action: Action::NoOp,
        reason: Reason::UpToDate,
        after: Some(resource.value.value().clone()),
        before: Some(resource.value.clone()),
        provider: resource.provider.clone(),
        private: Vec::new(),
        batch: None,
        moved_from: None,
        import: Some(id.to_owned()),
    }
}

/// What [`crate::PlanOptions::import`] names must be an instance of the configuration.
pub(super) fn check_target(input: &PlanInput, findings: &mut Findings) {
    let Some((to, _)) = &input.options.import else {
        return;
    };
    if findings.dependencies.contains_key(to) || findings.diagnostics.has_errors() {
        return;
    }
    let instances: Vec<String> = members(&findings.dependencies, &to.block())
        .take(3)
        .map(|(a, _)| a.to_string())
        .collect();
    let d = Diagnostic::error(format!("the configuration has no {to} to import to"))
        .because("An object is imported to an instance that the configuration declares.");
    let d = match instances.is_empty() {
        true => d.help("Write its block first, at least with its required arguments."),
        false => d.help(format!("Name an instance: {}.", instances.join(", "))),
    };
    findings.diagnostics.push(d.on(to.clone()));
}

pub(super) fn managed(address: &Address) -> Diagnostic {
    Diagnostic::error(format!("{address} is managed already"))
        .because("State has an object for it. To import another would lose that one.")
        .help(format!(
            "If it is to be another object, run `weir state rm {address}` first."
        ))
        .on(address.clone())
}

fn undeclared(address: &Address) -> Diagnostic {
    Diagnostic::error(format!("{address} is imported and has no configuration"))
        .because("Every object of the stack has a block that says what it shall be.")
        .help(
            "Write the block, or let `weir plan -generate-config-out=FILE` write one from the \
             object.",
        )
        .on(address.clone())
}

fn missing(address: &Address, id: &str) -> Diagnostic {
    Diagnostic::error(format!("there is nothing to import to {address}"))
        .because(format!(
            "The provider found no {} with the id {id:?}.",
            address.object.type_name()
        ))
        .help(
            "Check the id and the provider's configuration: its region, its account. To make a \
             new object instead, remove the `import` block.",
        )
        .on(address.clone())
}

fn unusable(address: &Address) -> Diagnostic {
    Diagnostic::error(format!("the id to import {address} by is not text"))
        .because("An import id is known text.")
        .help("Write the id in quotes.")
        .on(address.clone())
}
