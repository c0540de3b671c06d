//! What the provider serves, as schemas and the rules beside them.
//!
//! Names and types come from `schema/terraform.txt`, which is extracted from hashicorp/aws; what
//! its protocol does not say (what replaces, what defaults are) from `schema/rules.txt`.

use std::sync::OnceLock;
use weir_provider::declared::Catalog;

const TERRAFORM: &str = include_str!("../../schema/terraform.txt");
const RULES: &str = include_str!("../../schema/rules.txt");

/// The catalogue, read when it is first asked for.
pub(crate) fn catalog() -> &'static Catalog {
    static CATALOG: OnceLock<Catalog> = OnceLock::new();
    CATALOG.get_or_init(|| Catalog::read(TERRAFORM, RULES))
}
