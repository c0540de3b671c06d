//! The configuration of a plan by itself, kept with the history so that a later run can plan the
//! way back to it.

use super::{
    convert::{read_inputs, write_inputs},
    format::{Content, FoundRecord, InputsRecord},
    found,
};
use crate::engine::Planned;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};
use weir_core::{Diagnostic, Diagnostics};
use weir_lang::{Catalog, Config, Inputs, MemoryFiles, reload};
use weir_state::Bundle;

/// What a bundle has beside the contents of files.
#[derive(Serialize, Deserialize)]
struct Rest {
    found: BTreeMap<String, FoundRecord>,
    inputs: InputsRecord,
}

impl Planned {
    /// The configuration and what it was loaded with. The time of the plan is not part of it:
    /// equal configurations make equal bundles.
    pub fn bundle(&self) -> Bundle {
        let seen = self.config.found();
        let files = found::write_files(&seen).into_iter();
        let rest = Rest {
            found: found::write_found(&seen),
            inputs: InputsRecord {
                now: None,
                ..write_inputs(&self.inputs)
            },
        };
        Bundle {
            files: files
                .map(|(path, content)| (path, text(&content)))
                .collect(),
            rest: text(&rest),
        }
    }
}

/// Plain data with text keys: the serializer has nothing to refuse.
fn text<T: Serialize>(data: &T) -> String {
    serde_json::to_string(data).unwrap_or_default()
}

/// The configuration of a bundle, and what it was loaded with. Files that were not looked at then
/// are not there.
///
/// # Errors
/// The bundle can't be read, or this weir does not take its configuration.
pub fn unbundle(
    bundle: &Bundle,
    now: Option<String>,
    catalog: &dyn Catalog,
) -> Result<(Arc<Config>, Inputs), Diagnostics> {
    let damaged = |cause: String| {
        Diagnostic::error("the configuration that was kept can't be read").because(cause)
    };
    let read = |e: serde_json::Error| damaged(super::sentence(&e));
    let rest: Rest = serde_json::from_str(&bundle.rest).map_err(read)?;
    let files = bundle.files.iter().map(|(path, text)| {
        let content: Content = serde_json::from_str(text)?;
        Ok((path.clone(), content))
    });
    let files = files.collect::<Result<_, _>>().map_err(read)?;
    let found = found::read(files, rest.found).map_err(damaged)?;
    let mut inputs = read_inputs(rest.inputs);
    inputs.now = now;
    let loaded = reload(found, Arc::new(MemoryFiles::default()), catalog, &inputs)?;
    Ok((loaded.config, inputs))
}
