//! Objects that exist already and become part of the stack.

use crate::engine::Engine;
use std::sync::Arc;
use weir_core::{Address, Diagnostic, Diagnostics, Known, Value, event::Event, schema::Schema};
use weir_plan::carry_marks;
use weir_provider::{Provider, ReadRequest};

impl Engine {
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
        });
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
        let value = read.value.ok_or_else(|| missing(address, id))?;
        // The configuration has no part in it yet: the schema alone says what is sensitive.
        let value = carry_marks(value.into_value(), &Value::null(), &schema.block);
        let value = Known::new(value).map_err(|e| Diagnostic::error(e.to_string()))?;
        Ok((value, read.private))
    }
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
        .on(address.clone())
}
