//! What a plan must not depend on: the time of the apply, and randomness.

use chrono::{DateTime, SecondsFormat, Utc};
use std::{sync::Arc, time::SystemTime};
use uuid::Uuid;
use weir_core::{Kind, Value};
use weir_lang::eval::Settled;

/// As of now.
pub(super) fn settled() -> Arc<Settled> {
    let now: DateTime<Utc> = SystemTime::now().into();
    let (a, b) = (Uuid::new_v4().into_bytes(), Uuid::new_v4().into_bytes());
    let seed = std::array::from_fn(|i| if i < 16 { a[i] } else { b[i - 16] });
    Arc::new(Settled::new(
        now.to_rfc3339_opts(SecondsFormat::Secs, true),
        seed,
    ))
}

/// Whether the configuration says what planning could not: a value that the apply settled.
pub(super) fn came_late(config: &Value, promised: &Value) -> bool {
    if promised.is_unknown() {
        return !config.is_null();
    }
    match (config.kind(), promised.kind()) {
        (Kind::Set(_, items), Kind::Set(..)) => !items.is_empty() && !promised.is_wholly_known(),
        _ => match (config.as_entries(), promised.as_entries()) {
            (Some(config), Some(promised)) => config
                .iter()
                .any(|(key, value)| promised.get(key).is_some_and(|p| came_late(value, p))),
            _ => config
                .children()
                .zip(promised.children())
                .any(|(c, p)| came_late(c, p)),
        },
    }
}
