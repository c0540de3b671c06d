//! What calls begin: operations, waited for until they end.

use crate::{
    client::Google,
    failure,
    name::last,
    resource::{Call, Failure},
};
use google_cloud_compute_v1::model::Operation;
use serde_json::Value as Json;
use tokio::time::Instant;
use weir_provider::cloud::Class;

/// An operation that was begun.
#[derive(Debug, Clone)]
pub(crate) struct Begun {
    project: String,
    name: String,
    place: At,
}

#[derive(Debug, Clone)]
enum At {
    Global,
    Region(String),
    Zone(String),
}

impl Begun {
    /// What a call answered.
    pub(crate) fn of(project: &str, operation: &Operation) -> Begun {
        let place = match (&operation.zone, &operation.region) {
            (Some(zone), _) => At::Zone(last(zone).to_owned()),
            (None, Some(region)) => At::Region(last(region).to_owned()),
            (None, None) => At::Global,
        };
        Begun {
            project: project.to_owned(),
            name: operation.name.clone().unwrap_or_default(),
            place,
        }
    }
}

/// Waits until an operation has ended, as long as the call may take, and says how.
///
/// # Errors
/// The error it ended with; that it takes too long.
pub(crate) async fn wait(cx: &Call<'_>, what: &str, begun: &Begun) -> Result<(), Failure> {
    let google = cx.cloud;
    let began = Instant::now();
    let mut told = began;
    let mut pause = google.pacing.poll / 8;
    loop {
        let now = look(google, what, begun).await?;
        if now["status"] == "DONE" {
            return ended(what, &now);
        }
        let waited = began.elapsed();
        if waited >= cx.limit {
            let why = format!(
                "it is not over after {} s; `timeouts` can allow more",
                waited.as_secs()
            );
            let mut failure = Failure::new(what, why);
            failure.class = Class::Ambiguous;
            return Err(failure);
        }
        if told.elapsed().as_secs() >= 10 {
            told = Instant::now();
            let text = format!("{what}: {} s so far", waited.as_secs());
            cx.progress.progress(cx.address, text);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(google.pacing.poll);
    }
}

async fn look(google: &Google, what: &str, begun: &Begun) -> Result<Json, Failure> {
    let Begun { project, name, .. } = begun;
    // `wait` answers as soon as it is over, and at the latest after two minutes.
    match &begun.place {
        At::Global => {
            let call = || {
                let call = google.clients.global_operations.wait();
                call.set_project(project).set_operation(name).send()
            };
            google.call(what, call).await
        }
        At::Region(region) => {
            let call = || {
                let call = google.clients.region_operations.wait().set_region(region);
                call.set_project(project).set_operation(name).send()
            };
            google.call(what, call).await
        }
        At::Zone(zone) => {
            let call = || {
                let call = google.clients.zone_operations.wait().set_zone(zone);
                call.set_project(project).set_operation(name).send()
            };
            google.call(what, call).await
        }
    }
}

fn ended(what: &str, operation: &Json) -> Result<(), Failure> {
    let error = &operation["error"]["errors"][0];
    match (
        error["code"].as_str(),
        operation["httpErrorMessage"].as_str(),
    ) {
        (Some(code), _) => {
            let message = error["message"]
                .as_str()
                .unwrap_or("Google does not say why");
            Err(failure::of_operation(what, code, message))
        }
        (None, Some(message)) => Err(failure::of_operation(what, "", message)),
        (None, None) => Ok(()),
    }
}

/// The operation of an earlier attempt, by the id of its request.
pub(crate) async fn of_request(
    google: &Google,
    (project, place): (&str, crate::name::Place),
    at: &str,
    request: &str,
) -> Result<Option<Begun>, Failure> {
    use crate::name::Place;
    let what = "operations.list";
    let filter = format!("clientOperationId = \"{request}\"");
    let clients = &google.clients;
    let found: Json = match place {
        Place::Global => {
            let call = || {
                let call = clients.global_operations.list().set_project(project);
                call.set_filter(&filter).send()
            };
            google.call(what, call).await?
        }
        Place::Region => {
            let call = || {
                let call = clients.region_operations.list().set_project(project);
                call.set_region(at).set_filter(&filter).send()
            };
            google.call(what, call).await?
        }
        Place::Zone => {
            let call = || {
                let call = clients.zone_operations.list().set_project(project);
                call.set_zone(at).set_filter(&filter).send()
            };
            google.call(what, call).await?
        }
    };
    let name = found["items"][0]["name"].as_str();
    Ok(name.map(|name| Begun {
        project: project.to_owned(),
        name: name.to_owned(),
        place: match place {
            Place::Global => At::Global,
            Place::Region => At::Region(at.to_owned()),
            Place::Zone => At::Zone(at.to_owned()),
        },
    }))
}
