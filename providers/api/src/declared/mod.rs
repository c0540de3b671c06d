//! Schemas that are declared in text tables, and what follows from them.
//!
//! The types of a cloud come by the hundred lines. They are kept as two tables that a program
//! extracts and people read:
//!
//! 1. `terraform.txt` has the names and types as Terraform's provider declares them. A line is a
//!    type (`resource NAME VERSION`, `data NAME VERSION`, `provider`), an attribute (`name type
//!    flags`, the type as JSON of the plugin protocol) or a nested block (`name block nesting min
//!    max`); what stands deeper belongs to the block above.
//! 2. `rules.txt` has what that does not say. A line is a type, or below it a path and one of
//!    `new` (a change of it replaces the object), `default VALUE`, `provider` (blocks that the
//!    provider makes where the configuration has none), `computed` (only the provider sets it)
//!    and `refused` (the configuration may not set it).
//! 3. [`Catalog::read`] makes both one, [`refuse`] holds a configuration against the rules,
//!    [`plan`] applies them to prior and configuration, [`replaced`] names what can't be reached in
//!    place, and [`shape()`] makes a value of the schema's type from what an API says.
//!
//! Nothing here does I/O.

pub mod checks;
mod plan;
mod shape;
mod table;
mod updatable;
mod values;

pub use plan::{plan, refuse, replaced};
pub use shape::{Beside, half_made, shape};
pub use values::{Fields, Found, changed, is_zero, may_change, object, typed};

use crate::ProviderSchema;
use std::collections::BTreeMap;
use weir_core::{Value, schema::Schema};

/// What the table of the protocol does not say of an attribute or a nested block.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rule {
    /// A change of it replaces the object.
    pub replaces: bool,
    /// What it is where the configuration says nothing.
    pub default: Option<Value>,
    /// Whether the provider makes the blocks that the configuration leaves out.
    pub provider: bool,
    /// Only the provider sets it.
    pub computed: bool,
    /// The configuration may not set it.
    pub refused: bool,
}

/// Rules of one type by path (`root_block_device.encrypted`).
pub type Rules = BTreeMap<String, Rule>;

/// One resource type.
#[derive(Debug, Clone, Default)]
pub struct Entry {
    /// As the engine sees it.
    pub schema: Schema,
    /// What its schema can't say.
    pub rules: Rules,
}

/// All types of a provider.
#[derive(Debug, Default)]
pub struct Catalog {
    /// As the engine sees them.
    pub served: ProviderSchema,
    /// As the planner does.
    pub resources: BTreeMap<String, Entry>,
}

impl Catalog {
    /// Both tables as one catalogue. They are part of a program whose tests read them whole: what
    /// can't be read is left out.
    pub fn read(terraform: &str, rules: &str) -> Catalog {
        table::read(terraform, rules)
    }
}

/// Whose provider it is, as messages say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vendor {
    /// The provider's name: `aws`.
    pub provider: &'static str,
    /// What people call the cloud: `AWS`.
    pub name: &'static str,
    /// The page that says what is served: `docs/aws.md`.
    pub page: &'static str,
}
