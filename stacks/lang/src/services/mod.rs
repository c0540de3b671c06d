//! `site`, `cluster` and `service` blocks to instances of `weir_host` and `weir_pod`.

pub(crate) mod schema;
