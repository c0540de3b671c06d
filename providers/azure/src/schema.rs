//! What the provider serves. Names and types come from `schema/terraform.txt` and the rules of
//! `schema/docs.txt`, both extracted from packages made of hashicorp/azurerm; the rest of the rules
//! from `schema/rules.txt`.

use std::sync::OnceLock;
use weir_provider::declared::Catalog;

const TERRAFORM: &str = include_str!("../schema/terraform.txt");
const RULES: &str = concat!(
    include_str!("../schema/docs.txt"),
    include_str!("../schema/rules.txt")
);

/// The catalogue, read once.
pub(crate) fn catalog() -> &'static Catalog {
    static CATALOG: OnceLock<Catalog> = OnceLock::new();
    CATALOG.get_or_init(|| Catalog::read(TERRAFORM, RULES))
}
