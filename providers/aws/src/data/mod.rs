//! The data sources: a file each.

use crate::client::Aws;
use weir_core::{Diagnostic, Diagnostics, Known, Value, schema::Schema};

/// Refuses what the schema can't express.
pub(crate) fn validate(_type_name: &str, _config: &Value, _out: &mut Diagnostics) {}

/// What the source finds.
pub(crate) async fn read(
    _aws: &Aws,
    type_name: &str,
    _schema: &Schema,
    _config: &Value,
) -> Result<Known, Diagnostics> {
    Err(Diagnostic::error(format!("provider \"aws\" has no data source {type_name:?}")).into())
}
