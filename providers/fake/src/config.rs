//! The provider block, read.

use crate::{
    cloud::Cloud,
    faults::{Faults, KillPoint},
};
use std::{path::Path, sync::Arc, time::Duration};
use weir_core::{Diagnostic, Diagnostics, Value};

/// How the provider was configured.
#[derive(Debug)]
pub(crate) struct Settings {
    /// `None` while the path is not known yet.
    pub(crate) cloud: Option<Arc<Cloud>>,
    pub(crate) latency: Duration,
    pub(crate) kill_at: Option<KillPoint>,
    pub(crate) faults: Faults,
    pub(crate) batching: Batching,
}

/// Whether things of one zone go in one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Batching {
    Alone,
    ByZone,
}

impl Settings {
    pub(crate) fn read(config: &Value) -> Result<Settings, Diagnostics> {
        let mut found = Diagnostics::new();
        let cloud = match config.get("path") {
            Some(path) if path.is_unknown() => None,
            Some(path) => match path.as_str().map(|p| Cloud::open(Path::new(p))) {
                Some(Ok(cloud)) => Some(Arc::new(cloud)),
                Some(Err(e)) => {
                    found.push(Diagnostic::error(e.to_string()));
                    None
                }
                None => {
                    found.push(Diagnostic::error("provider \"fake\" needs `path`"));
                    None
                }
            },
            None => {
                found.push(Diagnostic::error("provider \"fake\" needs `path`"));
                None
            }
        };
        let kill_at = match config
            .get("kill_at")
            .and_then(Value::as_str)
            .map(str::parse)
        {
            Some(Ok(point)) => Some(point),
            Some(Err(cause)) => {
                found.push(Diagnostic::error("`kill_at` is not understood").because(cause));
                None
            }
            None => None,
        };
        if found.has_errors() {
            return Err(found);
        }
        let latency = config
            .get("latency_ms")
            .and_then(Value::as_i64)
            .unwrap_or(0);
        let batch = config
            .get("batch")
            .and_then(Value::as_bool)
            .unwrap_or(false);
        Ok(Settings {
            cloud,
            latency: Duration::from_millis(u64::try_from(latency).unwrap_or(0)),
            kill_at,
            faults: Faults::read(config.get("faults")),
            batching: if batch {
                Batching::ByZone
            } else {
                Batching::Alone
            },
        })
    }
}
