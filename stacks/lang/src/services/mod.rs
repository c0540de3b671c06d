//! `site`, `cluster` and `service` blocks to instances of `weir_host` and `weir_pod`.
//!
//! 1. [`hosts`] makes a site's hosts and its value, and a cluster of them; [`pools`] chooses the
//!    types of the machines that a cluster wants made, and [`offers`] tells what each offer makes;
//! 2. [`demand`] says what a service's pods ask of their hosts; placement is the engine's;
//! 3. [`placed`] makes the values others see once the pods have hosts: endpoints, `self`;
//! 4. [`pods`] makes the configuration of one pod instance, with [`tasks`] and files, whose
//!    templates are rendered by [`template`].

pub(crate) mod demand;
pub(crate) mod hosts;
mod machine_schema;
pub(crate) mod offers;
pub(crate) mod placed;
pub(crate) mod pods;
pub(crate) mod pool_errors;
pub(crate) mod pools;
pub(crate) mod schema;
mod tasks;
mod template;

use weir_core::{Value, schema::Block};

/// The blocks for hosts and services, as the language checks them: what an editor or the book
/// lists. A service's `pod` and `plan` blocks stand beside it.
pub fn service_schema() -> [(&'static str, &'static Block); 5] {
    [
        ("site", &schema::SITE),
        ("cluster", &schema::CLUSTER),
        ("service", &schema::SERVICE),
        ("pod", &schema::POD),
        ("plan", &schema::PLAN),
    ]
}

/// A field of an object that is there and not null.
pub(crate) fn field<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    value.get(name).filter(|v| !v.is_null())
}

/// The text of a field.
pub(crate) fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    field(value, name).and_then(Value::as_str)
}
