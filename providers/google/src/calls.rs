//! The calls that all kinds have: get, insert, delete. Each module is one kind's.

use crate::{
    client::Google,
    name::{Kind, Name},
    operation::{self, Begun},
    resource::{Call, Failure, unless_gone},
};
use async_trait::async_trait;
use serde_json::Value as Json;
use uuid::Uuid;

/// The id of a request: the same for whoever tries the operation again, another for each of its
/// calls.
pub(crate) fn request_id(cx: &Call<'_>, what: &str) -> String {
    Uuid::new_v5(
        &Uuid::NAMESPACE_OID,
        format!("{} {what}", cx.token).as_bytes(),
    )
    .to_string()
}

/// Makes a call that begins an operation, and waits for its end. Where one operation of weir's makes
/// the same call more than once, each has a key of its own.
macro_rules! run {
    ($cx:expr, $what:expr, $project:expr, $call:expr) => {
        $crate::calls::run!($cx, $what, $what, $project, $call)
    };
    ($cx:expr, $what:expr, $key:expr, $project:expr, $call:expr) => {{
        let id = $crate::calls::request_id($cx, $key);
        let call = || $call.set_project($project).set_request_id(&id).send();
        match $cx.cloud.raw($what, call).await {
            Ok(begun) => {
                let begun = $crate::operation::Begun::of($project, &begun);
                $crate::operation::wait($cx, $what, &begun).await
            }
            Err(failure) => Err(failure),
        }
    }};
}
pub(crate) use run;

/// A call with a body about one thing, waited for: which client's method, what of the thing's name
/// goes where, the SDK's model of the body, and the body.
macro_rules! change {
    ($cx:expr, $name:expr, $what:literal, $client:ident.$method:ident($($set:ident = $part:ident),+), $model:ident, $body:expr) => {
        $crate::calls::change!($cx, $name, $what as $what, $client.$method($($set = $part),+), $model, $body)
    };
    ($cx:expr, $name:expr, $what:literal as $key:expr, $client:ident.$method:ident($($set:ident = $part:ident),+), $model:ident, $body:expr) => {{
        let body: google_cloud_compute_v1::model::$model = $crate::body::model($what, $body)?;
        let call = || $cx.cloud.clients.$client.$method()$(.$set(&$name.$part))+;
        $crate::calls::run!($cx, $what, $key, &$name.project, call().set_body(body.clone()))
    }};
}
pub(crate) use change;

/// What every kind can be asked.
#[async_trait]
pub(crate) trait Calls: Send + Sync + 'static {
    /// The kind.
    const KIND: Kind;
    /// The thing; `None` where it is not there.
    async fn get(google: &Google, name: &Name) -> Result<Option<Json>, Failure>;
    /// Makes it, and waits until it is made. An error means that there is nothing; what went wrong
    /// after it was there is told by [`made`].
    async fn insert(cx: &Call<'_>, name: &Name, body: Json) -> Result<(), Failure>;
    /// Deletes it, and waits until it is deleted.
    async fn delete(cx: &Call<'_>, name: &Name) -> Result<(), Failure>;
}

macro_rules! kind {
    ($module:ident, $model:ident, $path:literal, $thing:ident, $place:ident $(, $where:ident)?) => {
        pub(crate) mod $module {
            use super::*;
            use crate::{body, name::Place};

            /// The kind's calls.
            pub(crate) struct All;

            #[async_trait]
            impl Calls for All {
                const KIND: Kind = Kind { path: $path, place: Place::$place };

                async fn get(google: &Google, name: &Name) -> Result<Option<Json>, Failure> {
                    let call = || {
                        let call = google.clients.$module.get().set_project(&name.project);
                        call$(.$where(&name.place))?.$thing(&name.name).send()
                    };
                    unless_gone(google.call(concat!($path, ".get"), call).await)
                }

                async fn insert(cx: &Call<'_>, name: &Name, body: Json) -> Result<(), Failure> {
                    let what = concat!($path, ".insert");
                    let id = request_id(cx, "insert");
                    let body: google_cloud_compute_v1::model::$model = body::model(what, body::compact(body))?;
                    let call = || {
                        let call = cx.cloud.clients.$module.insert().set_project(&name.project);
                        call$(.$where(&name.place))?.set_body(body.clone()).set_request_id(&id).send()
                    };
                    let begun = cx.cloud.raw(what, call).await?;
                    let begun = Begun::of(&name.project, &begun);
                    let failure = operation::wait(cx, what, &begun).await.err();
                    if let Some(failure) = &failure
                        && Self::get(cx.cloud, name).await?.is_none()
                    {
                        return Err(failure.clone());
                    }
                    cx.cloud.keep_end(&cx.token, failure);
                    Ok(())
                }

                async fn delete(cx: &Call<'_>, name: &Name) -> Result<(), Failure> {
                    let clients = &cx.cloud.clients;
                    run!(cx, concat!($path, ".delete"), &name.project,
                        clients.$module.delete()$(.$where(&name.place))?.$thing(&name.name))
                }
            }
        }
    };
}

kind!(
    addresses,
    Address,
    "addresses",
    set_address,
    Region,
    set_region
);
kind!(disks, Disk, "disks", set_disk, Zone, set_zone);
kind!(firewalls, Firewall, "firewalls", set_firewall, Global);
kind!(
    instance_templates,
    InstanceTemplate,
    "instanceTemplates",
    set_instance_template,
    Global
);
kind!(
    instances,
    Instance,
    "instances",
    set_instance,
    Zone,
    set_zone
);
kind!(networks, Network, "networks", set_network, Global);
kind!(routers, Router, "routers", set_router, Region, set_region);
kind!(
    subnetworks,
    Subnetwork,
    "subnetworks",
    set_subnetwork,
    Region,
    set_region
);

/// How the creation ended, where it had made something: known of this run, or asked of the
/// operation that an earlier run began.
pub(crate) async fn made(cx: &Call<'_>, kind: Kind, name: &Name) -> Result<(), Failure> {
    if let Some(failure) = cx.cloud.take_end(&cx.token) {
        return failure.map_or(Ok(()), Err);
    }
    let id = request_id(cx, "insert");
    let at = (name.project.as_str(), kind.place);
    match operation::of_request(cx.cloud, at, &name.place, &id).await? {
        Some(begun) => operation::wait(cx, "insert", &begun).await,
        None => Ok(()),
    }
}

/// Whether an earlier attempt of this operation made the thing of that name: who did not ask with
/// this operation's id did not make it.
pub(crate) async fn is_ours(cx: &Call<'_>, kind: Kind, name: &Name) -> Result<bool, Failure> {
    let id = request_id(cx, "insert");
    let at = (name.project.as_str(), kind.place);
    let begun = operation::of_request(cx.cloud, at, &name.place, &id).await?;
    Ok(begun.is_some())
}
