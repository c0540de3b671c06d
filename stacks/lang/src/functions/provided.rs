//! The functions of providers, as one module names them.

use crate::{config::RequiredProvider, evaluator::Schemas};
use std::{collections::BTreeMap, fmt, sync::Arc};

/// Functions of the providers that a module requires, by its local names.
#[derive(Clone, Default)]
pub(crate) struct Provided {
    schemas: Option<Arc<dyn Schemas>>,
    /// Local name to the provider's own.
    names: BTreeMap<String, String>,
}

impl fmt::Debug for Provided {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Provided").field(&self.names).finish()
    }
}

impl Provided {
    /// Of these providers.
    pub(crate) fn new(schemas: Arc<dyn Schemas>, required: &[RequiredProvider]) -> Provided {
        let own = |r: &RequiredProvider| match &r.source {
            // `registry.example.com/namespace/type`: the type is the provider's own name.
            Some(source) => source.rsplit('/').next().unwrap_or(source).to_owned(),
            None => r.name.clone(),
        };
        Provided {
            schemas: Some(schemas),
            names: required.iter().map(|r| (r.name.clone(), own(r))).collect(),
        }
    }

    /// The providers at hand; `None` where functions of providers can't be called.
    pub(crate) fn schemas(&self) -> Option<&dyn Schemas> {
        self.schemas.as_deref()
    }

    /// The provider's own name. A provider that is part of weir need not be required.
    pub(crate) fn own_name<'a>(&'a self, local: &'a str) -> Option<&'a str> {
        match self.names.get(local) {
            Some(name) => Some(name),
            None => {
                let schemas = self.schemas()?;
                (!schemas.functions(local).is_empty()).then_some(local)
            }
        }
    }

    /// The local names there are.
    pub(crate) fn local_names(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(String::as_str)
    }
}
