//! Faults as the kit asks for them.

use serde_json::json;
use weir_clouds::desk::{Fate, Fault};
use weir_provider::conformance::{self, Calls};

/// The fault that these calls of the API meet.
pub fn of(calls: Calls, fault: conformance::Fault) -> Fault {
    let broken = json!({"error": {
        "code": 503, "message": "Try again.",
        "errors": [{ "reason": "backendError", "message": "Try again.", "domain": "global" }],
    }});
    let (nth, every, times) = match calls {
        Calls::EveryThird(first) => (first, 3, u64::MAX),
        Calls::Nth(nth) => (nth, 1, 1),
    };
    Fault {
        method: None,
        path: Some("/compute/v1/".into()),
        operation: None,
        nth: nth as u64,
        times,
        every,
        answer: match fault {
            conformance::Fault::Throttled => Fate::Reply {
                status: 429,
                body: json!({"error": { "code": 429, "message": "Rate Limit Exceeded" }}),
                headers: [].into(),
            },
            conformance::Fault::Broken => Fate::Reply {
                status: 503,
                body: broken,
                headers: [].into(),
            },
            conformance::Fault::Lost => Fate::Lost,
            conformance::Fault::Silent => Fate::Silent,
            conformance::Fault::Repeated => Fate::Repeat,
        },
    }
}
