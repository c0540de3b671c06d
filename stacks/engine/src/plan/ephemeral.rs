//! Ephemeral resources while planning: opened where their configuration is known.

use super::instance::{Finding, unknown_where_computed, unserved, validate};
use crate::engine::Engine;
use weir_core::Diagnostics;
use weir_lang::{Instance, Schemas as _};

impl Engine {
    /// Opens one if all it needs is known and nothing it depends on will change; else its value is
    /// unknown until the apply.
    pub(super) async fn plan_ephemeral(
        &self,
        instance: &Instance,
        pending: bool,
        diagnostics: &mut Diagnostics,
    ) -> Result<Finding, Diagnostics> {
        let ty = instance.address.object.type_name();
        let schema = self.registry.ephemeral(ty).ok_or_else(|| unserved(ty))?;
        let provider = self.session.get(&instance.provider).await?;
        validate(&*provider, ty, &instance.config, diagnostics).await?;
        let value = if pending || !instance.config.is_wholly_known() {
            unknown_where_computed(&instance.config, schema)
        } else {
            self.ephemerals
                .open(&instance.address, &provider, &instance.config)
                .await?
        };
        Ok(Finding {
            supply: Some(value.into()),
            ..Finding::failed(Diagnostics::new())
        })
    }
}
