//! Google Compute Engine's API, `compute/v1`.

use crate::{
    Call, Cloud, Machine,
    http::{Answer, Reply, Request},
};
use serde_json::json;
use std::{io, path::Path, time::Instant};

/// The API.
#[derive(Debug)]
pub struct Google {}

impl Google {
    /// An empty project; requests are checked against the discovery document, where it is given.
    ///
    /// # Errors
    /// The document can't be read.
    pub fn new(discovery: Option<&Path>) -> io::Result<Google> {
        let _ = discovery;
        Ok(Google {})
    }
}

impl Cloud for Google {
    fn operation(&self, request: &Request) -> String {
        request.path.clone()
    }

    fn answer(&self, call: &Call<'_>) -> Answer {
        let message = format!("{} is not served", call.request.path);
        let error = json!({"error": {"code": 404, "message": message}});
        Reply::json(404, &error).into()
    }

    fn machines(&self, _: Instant) -> Vec<Machine> {
        Vec::new()
    }
}
