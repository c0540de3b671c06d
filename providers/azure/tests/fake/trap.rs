//! Faults as the kit asks for them.

use serde_json::json;
use weir_clouds::desk::{Fate, Fault};
use weir_provider::conformance::{self, Calls};

/// The fault that these calls of Resource Manager meet.
pub(crate) fn of(calls: Calls, fault: conformance::Fault) -> Fault {
    let reply = |status: u16, code: &str| Fate::Reply {
        status,
        body: json!({ "error": { "code": code, "message": "Try again." } }),
        headers: [].into(),
    };
    let (nth, every, times) = match calls {
        Calls::EveryThird(first) => (first, 3, u64::MAX),
        Calls::Nth(nth) => (nth, 1, 1),
    };
    Fault {
        method: None,
        path: Some("/subscriptions/".into()),
        operation: None,
        nth: nth as u64,
        times,
        every,
        answer: match fault {
            conformance::Fault::Throttled => reply(429, "TooManyRequests"),
            conformance::Fault::Broken => reply(500, "InternalServerError"),
            conformance::Fault::Lost => Fate::Lost,
            conformance::Fault::Silent => Fate::Silent,
            conformance::Fault::Repeated => Fate::Repeat,
        },
    }
}
