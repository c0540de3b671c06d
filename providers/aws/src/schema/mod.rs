//! What the provider serves, as schemas and the rules beside them.
//!
//! Names and types come from `schema/terraform.txt`, which is extracted from hashicorp/aws; what
//! its protocol does not say (what replaces, what defaults are) from `schema/rules.txt`.

mod table;

use std::{collections::BTreeMap, sync::OnceLock};
use weir_core::{Value, schema::Schema};
use weir_provider::ProviderSchema;

const TERRAFORM: &str = include_str!("../../schema/terraform.txt");
const RULES: &str = include_str!("../../schema/rules.txt");

/// What the protocol does not say of an attribute or a nested block.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Rule {
    /// A change of it replaces the object.
    pub(crate) replaces: bool,
    /// What it is where the configuration says nothing.
    pub(crate) default: Option<Value>,
    /// Whether the provider makes the blocks that the configuration leaves out.
    pub(crate) provider: bool,
    /// Only the provider sets it.
    pub(crate) computed: bool,
    /// The configuration may not set it.
    pub(crate) refused: bool,
}

/// Rules of one type by path (`root_block_device.encrypted`).
pub(crate) type Rules = BTreeMap<String, Rule>;

/// One resource type.
#[derive(Debug, Clone, Default)]
pub(crate) struct Entry {
    pub(crate) schema: Schema,
    pub(crate) rules: Rules,
}

/// All types.
#[derive(Debug, Default)]
pub(crate) struct Catalog {
    /// As the engine sees them.
    pub(crate) served: ProviderSchema,
    /// As the planner does.
    pub(crate) resources: BTreeMap<String, Entry>,
}

/// The catalogue, read once.
pub(crate) fn catalog() -> &'static Catalog {
    static CATALOG: OnceLock<Catalog> = OnceLock::new();
    CATALOG.get_or_init(|| table::read(TERRAFORM, RULES))
}
