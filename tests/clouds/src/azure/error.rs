//! What Azure Resource Manager says when something is wrong.

use crate::http::{Reply, Request};
use serde_json::{Value as Json, json};

/// An error as the API tells it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ArmError {
    pub(super) status: u16,
    pub(super) code: String,
    pub(super) message: String,
    /// Seconds after which to come back.
    pub(super) after: Option<u64>,
}

/// What a call leads to, or the API's error.
pub(super) type Outcome<T> = Result<T, ArmError>;

impl ArmError {
    pub(super) fn new(status: u16, code: &str, message: impl Into<String>) -> ArmError {
        ArmError {
            status,
            code: code.to_owned(),
            message: message.into(),
            after: None,
        }
    }

    /// 400: the request itself is wrong.
    pub(super) fn bad(code: &str, message: impl Into<String>) -> ArmError {
        ArmError::new(400, code, message)
    }

    /// 400 `InvalidParameter`, as compute says it.
    pub(super) fn parameter(name: &str, message: impl Into<String>) -> ArmError {
        let message = format!("{} (Target: {name})", message.into());
        ArmError::bad("InvalidParameter", message)
    }

    /// 409: not as things are now.
    pub(super) fn conflict(code: &str, message: impl Into<String>) -> ArmError {
        ArmError::new(409, code, message)
    }

    pub(super) fn throttled() -> ArmError {
        ArmError {
            after: Some(1),
            ..ArmError::new(
                429,
                "TooManyRequests",
                "The request is being throttled as the limit has been reached for operation type. Retry after 1 second.",
            )
        }
    }

    /// It can't be done, and all of it is told back.
    pub(super) fn repeated(request: &Request) -> ArmError {
        let asked = String::from_utf8_lossy(&request.body);
        ArmError::bad(
            "InvalidRequestContent",
            format!("The request is invalid: {asked}"),
        )
    }

    pub(super) fn busy() -> ArmError {
        ArmError::conflict(
            "AnotherOperationInProgress",
            "Another operation on this or dependent resource is in progress. To retrieve status of the operation use uri in the Azure-AsyncOperation header.",
        )
    }

    /// `{"code", "message", "details"}`
    pub(super) fn body(&self) -> Json {
        json!({ "code": self.code, "message": self.message, "details": [] })
    }

    pub(super) fn reply(&self) -> Reply {
        let reply = Reply::json(self.status, &json!({ "error": self.body() }));
        let reply = reply.with("x-ms-failure-cause", "gateway");
        match self.after {
            Some(seconds) => reply.with("Retry-After", seconds.to_string()),
            None => reply,
        }
    }
}
