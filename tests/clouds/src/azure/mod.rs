//! Azure Resource Manager: compute, network and resource groups. What is not served is refused.

use crate::{
    Call, Cloud, Machine,
    http::{Answer, Reply, Request},
};
use serde_json::json;
use std::time::Instant;

/// The API.
#[derive(Debug, Default)]
pub struct Azure {}

impl Cloud for Azure {
    fn operation(&self, request: &Request) -> String {
        request.path.clone()
    }

    fn answer(&self, call: &Call<'_>) -> Answer {
        let message = format!("{} is not served", call.request.path);
        let error = json!({"error": {"code": "InvalidResourceType", "message": message}});
        Reply::json(404, &error).into()
    }

    fn machines(&self, _: Instant) -> Vec<Machine> {
        Vec::new()
    }
}
