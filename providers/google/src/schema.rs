//! The types as the engine sees them, and the rules beside them.

use std::sync::OnceLock;
use weir_provider::declared::Catalog;

/// Both tables as one catalogue.
pub(crate) fn catalog() -> &'static Catalog {
    static CATALOG: OnceLock<Catalog> = OnceLock::new();
    CATALOG.get_or_init(|| {
        Catalog::read(
            include_str!("../schema/terraform.txt"),
            include_str!("../schema/rules.txt"),
        )
    })
}
