//! What Azure does in the background, followed to its end.

use crate::{
    client::{Answer, Ask, Azure},
    failure,
    resource::Call,
};
use azure_core::http::Method;
use std::{sync::PoisonError, time::Duration};
use tokio::sync::OwnedMutexGuard;
use weir_provider::cloud::{Class, Failure, State};

/// Something that was begun.
#[derive(Debug)]
pub(crate) struct Running {
    what: String,
    way: Option<Way>,
    /// Whose turn it is, until it is over.
    _turn: Option<OwnedMutexGuard<()>>,
}

/// How it is followed.
#[derive(Debug, Clone)]
enum Way {
    /// Its status is at an address of its own.
    Status(String),
    /// An address answers 202 until it is over.
    Result(String),
}

fn way(answer: &Answer) -> Option<Way> {
    let by_status = answer.follow.clone().map(Way::Status);
    let by_result = || match answer.status {
        202 => answer.location.clone().map(Way::Result),
        _ => None,
    };
    by_status.or_else(by_result)
}

impl Azure {
    /// Notes what was begun, for [`Azure::ended`].
    pub(crate) fn began(
        &self,
        id: &str,
        what: &str,
        answer: &Answer,
        turn: Option<OwnedMutexGuard<()>>,
    ) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.insert(
            id.to_lowercase(),
            Running {
                what: what.to_owned(),
                way: way(answer),
                _turn: turn,
            },
        );
    }

    /// Waits for the end of what was begun on an id; `false` where nothing is known of it.
    pub(crate) async fn ended(&self, cx: &Call<'_>, id: &str) -> Result<bool, Failure> {
        let found = {
            let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            running.remove(&id.to_lowercase())
        };
        match found {
            Some(Running {
                what,
                way: Some(way),
                _turn,
            }) => {
                self.follow(cx, &what, &way).await?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Waits until what the answer has begun is over.
    pub(crate) async fn over(
        &self,
        cx: &Call<'_>,
        what: &str,
        answer: &Answer,
    ) -> Result<(), Failure> {
        match way(answer) {
            Some(way) => self.follow(cx, what, &way).await,
            None => Ok(()),
        }
    }

    async fn follow(&self, cx: &Call<'_>, what: &str, way: &Way) -> Result<(), Failure> {
        let look = || async {
            let (Way::Status(url) | Way::Result(url)) = way;
            let ask = Ask {
                what,
                method: Method::Get,
                path: url,
                version: None,
                body: None,
            };
            let answer = self.call(ask).await?;
            let state = match way {
                Way::Status(_) => status(what, &answer)?,
                Way::Result(_) if answer.status == 202 => State::Pending("going on".into()),
                Way::Result(_) => State::Ready,
            };
            if let (State::Pending(_), Some(after)) = (&state, answer.after) {
                let more = after.saturating_sub(weir_provider::cloud::Cloud::pacing(self).poll);
                tokio::time::sleep(more.min(Duration::from_secs(60))).await;
            }
            Ok(state)
        };
        cx.wait(what, look).await
    }
}

fn status(what: &str, answer: &Answer) -> Result<State, Failure> {
    let status = answer.body["status"].as_str().unwrap_or_default();
    if status.eq_ignore_ascii_case("Succeeded") {
        return Ok(State::Ready);
    }
    if ["Failed", "Canceled", "Cancelled"]
        .iter()
        .any(|s| status.eq_ignore_ascii_case(s))
    {
        let error = &answer.body["error"];
        let mut failure = failure::told(what, error);
        failure.class = Class::Refused;
        if failure.message.is_empty() {
            failure.message =
                format!("the operation ended as {status}, and Azure does not say why");
        }
        return Err(failure);
    }
    Ok(State::Pending(match status {
        "" => "going on".into(),
        other => other.to_lowercase(),
    }))
}
