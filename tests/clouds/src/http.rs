//! Requests and replies as the clouds see them: whole, and without a server's types.

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::Value as Json;
use std::time::Duration;

/// A request, read whole.
#[derive(Debug, Clone)]
pub struct Request {
    /// Its method.
    pub method: Method,
    /// The path, percent-decoded, without the query.
    pub path: String,
    /// The query's pairs, decoded, in order.
    pub query: Vec<(String, String)>,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
    /// Under what address the server was asked, such as `http://127.0.0.1:8080`.
    pub origin: String,
}

impl Request {
    /// The first value of the query's key.
    pub fn query(&self, key: &str) -> Option<&str> {
        let mut pairs = self.query.iter();
        pairs.find(|(k, _)| k == key).map(|(_, v)| v.as_str())
    }

    /// The header's value, where it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as JSON; `None` where there is none.
    ///
    /// # Errors
    /// What makes it no JSON.
    pub fn json(&self) -> Result<Option<Json>, String> {
        if self.body.is_empty() {
            return Ok(None);
        }
        (serde_json::from_slice(&self.body).map(Some)).map_err(|e| e.to_string())
    }

    /// The path's parts between slashes.
    pub fn parts(&self) -> Vec<&str> {
        self.path.split('/').filter(|p| !p.is_empty()).collect()
    }
}

/// A reply, whole.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// Headers beside those of every reply.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

impl Reply {
    /// JSON with this status.
    pub fn json(status: u16, body: &Json) -> Reply {
        Reply {
            status,
            headers: vec![(
                "content-type".into(),
                "application/json; charset=UTF-8".into(),
            )],
            body: Bytes::from(body.to_string()),
        }
    }

    /// Plain text with this status.
    pub fn text(status: u16, body: impl Into<String>) -> Reply {
        Reply {
            status,
            headers: vec![("content-type".into(), "text/plain".into())],
            body: Bytes::from(body.into()),
        }
    }

    /// Nothing but a status.
    pub fn empty(status: u16) -> Reply {
        Reply {
            status,
            headers: Vec::new(),
            body: Bytes::new(),
        }
    }

    /// The same with one more header.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Reply {
        self.headers.push((name.into(), value.into()));
        self
    }
}

/// What a cloud says to a call.
#[derive(Debug, Clone)]
pub enum Answer {
    /// This.
    Reply(Reply),
    /// Nothing yet: the call waits, and is asked again after this.
    After(Duration),
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Answer {
        Answer::Reply(reply)
    }
}
