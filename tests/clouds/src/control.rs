//! What a test says to a cloud, beside the API:
//!
//! | request | what |
//! |---|---|
//! | `GET /_requests` | all requests so far: `operation`, `method`, `path`, `query`, `body`, `token`, `status` |
//! | `POST /_faults` | arms a fault: `{"operation": "compute.instances.insert", "nth": 2, "times": 1, "answer": "capacity"}`; `answer` is `cut`, `lost`, `silent`, `throttle`, `capacity`, `quota`, `conflict`, `repeat` or `{"reply": {"status", "body", "headers"}}`; `"every": 3` for each third |
//! | `GET /_faults` | `{"struck": 2}`: how many calls met one |
//! | `DELETE /_faults` | forgets all faults |
//! | `GET /_machines` | the machines that run, with addresses, keys and user data; `?all=true`: also those that are stopped |
//! | `GET /_objects` | the ids of all that is there, of every kind |
//! | `POST /_pace` | `{"slow_ms": 100, "blind_ms": 0}`: how long operations take, how long new things are invisible |

use crate::{
    Cloud, Power,
    desk::{Desk, Fault},
    http::{Reply, Request},
};
use http::Method;
use serde::Deserialize;
use serde_json::json;
use std::time::{Duration, Instant};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PaceWish {
    slow_ms: Option<u64>,
    blind_ms: Option<u64>,
}

/// The answer, where the request is for the test's side of the cloud.
pub fn answer(cloud: &dyn Cloud, desk: &Desk, request: &Request) -> Option<Reply> {
    if !request.path.starts_with("/_") {
        return None;
    }
    let reply = match (&request.method, request.path.as_str()) {
        (&Method::GET, "/_requests") => Reply::json(200, &json!(desk.entries())),
        (&Method::GET, "/_machines") => {
            let mut machines = cloud.machines(Instant::now());
            machines.retain(|m| m.power == Power::Running || request.query("all") == Some("true"));
            Reply::json(200, &json!(machines))
        }
        (&Method::GET, "/_objects") => Reply::json(200, &json!(cloud.objects(Instant::now()))),
        (&Method::POST, "/_faults") => match serde_json::from_slice::<Fault>(&request.body) {
            Ok(fault) => {
                desk.arm(fault);
                Reply::empty(204)
            }
            Err(e) => Reply::text(400, format!("No fault: {e}\n")),
        },
        (&Method::GET, "/_faults") => Reply::json(200, &json!({ "struck": desk.struck() })),
        (&Method::DELETE, "/_faults") => {
            desk.disarm();
            Reply::empty(204)
        }
        (&Method::POST, "/_pace") => match serde_json::from_slice::<PaceWish>(&request.body) {
            Ok(wish) => {
                let ms = |n: Option<u64>| n.map(Duration::from_millis);
                desk.set_pace(ms(wish.slow_ms), ms(wish.blind_ms));
                Reply::empty(204)
            }
            Err(e) => Reply::text(400, format!("No pace: {e}\n")),
        },
        _ => Reply::text(404, "There is no such control.\n"),
    };
    Some(reply)
}
