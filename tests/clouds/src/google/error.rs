//! What Google says when it refuses.

use crate::http::{Reply, Request};
use serde_json::{Value as Json, json};

/// A refusal, in Google's shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The reason: `notFound`, `alreadyExists`, `resourceInUseByAnotherResource`.
    pub reason: &'static str,
    /// What is said.
    pub message: String,
}

/// What a call leads to.
pub type Outcome<T> = Result<T, Refusal>;

impl Refusal {
    /// A refusal.
    pub fn new(status: u16, reason: &'static str, message: impl Into<String>) -> Refusal {
        Refusal {
            status,
            reason,
            message: message.into(),
        }
    }

    /// The thing is not there.
    pub fn not_found(path: &str) -> Refusal {
        let message = format!("The resource '{path}' was not found");
        Refusal::new(404, "notFound", message)
    }

    /// A field has a value that can't be.
    pub fn invalid(field: &str, value: &Json, why: &str) -> Refusal {
        let value = match value.as_str() {
            Some(text) => text.to_owned(),
            None => value.to_string(),
        };
        let message = format!("Invalid value for field 'resource.{field}': '{value}'. {why}");
        Refusal::new(400, "invalid", message)
    }

    /// A field that must be there is not.
    pub fn required(field: &str) -> Refusal {
        let message = format!("Required field 'resource.{field}' not specified");
        Refusal::new(400, "required", message)
    }

    /// Something still needs it.
    pub fn in_use(what: &str, path: &str, by: &str) -> Refusal {
        let message = format!("The {what} resource '{path}' is already being used by '{by}'");
        Refusal::new(400, "resourceInUseByAnotherResource", message)
    }

    /// Something else works on it.
    pub fn not_ready(path: &str) -> Refusal {
        let message = format!("The resource '{path}' is not ready");
        Refusal::new(400, "resourceNotReady", message)
    }

    /// What was read before is not what is now.
    pub fn condition() -> Refusal {
        let message = "Supplied fingerprint does not match current metadata fingerprint.";
        Refusal::new(412, "conditionNotMet", message)
    }

    /// Too many requests.
    pub fn throttled() -> Refusal {
        let message = "Quota exceeded for quota metric 'Queries' and limit 'Queries per minute' of service 'compute.googleapis.com'";
        Refusal::new(429, "rateLimitExceeded", message)
    }

    /// It can't be done, and all of it is told back.
    pub fn repeated(request: &Request) -> Refusal {
        let asked = String::from_utf8_lossy(&request.body);
        Refusal::new(400, "invalid", format!("Invalid value: {asked}"))
    }

    /// As Google writes it.
    pub fn reply(&self) -> Reply {
        let error = json!({"error": {
            "code": self.status,
            "message": self.message,
            "errors": [{"message": self.message, "domain": "global", "reason": self.reason}],
        }});
        let reply = Reply::json(self.status, &error);
        match self.status {
            429 | 503 => reply.with("retry-after", "1"),
            _ => reply,
        }
    }
}
