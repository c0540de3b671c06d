//! What is the same for all types that Resource Manager keeps under an id made of names.

use crate::{
    client::{Ask, Azure},
    tags,
};
use async_trait::async_trait;
use azure_core::http::Method;
use serde_json::{Value as Json, json};
use weir_core::{Diagnostics, Path, Value};
use weir_provider::{
    cloud::{Cause, Cloud as _, State},
    declared::object,
};
pub(crate) use weir_provider::{
    cloud::{Failure, Minutes, Resource},
    declared::{Fields as _, Found},
};

/// One operation on one object.
pub(crate) type Call<'a> = weir_provider::cloud::Call<'a, Azure>;

/// Versions of the APIs.
pub(crate) const NETWORK: &str = "2024-05-01";
pub(crate) const COMPUTE: &str = "2024-07-01";
pub(crate) const DISKS: &str = "2024-03-02";
pub(crate) const RESOURCES: &str = "2024-03-01";

/// Where a type's resources are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    /// `Microsoft.Network`; empty for resource groups.
    pub(crate) namespace: &'static str,
    /// The parts of its type, and the attribute that has the name of each.
    pub(crate) parts: &'static [(&'static str, &'static str)],
    /// The API's version.
    pub(crate) version: &'static str,
    /// What its calls are called after: `VirtualNetworks`.
    pub(crate) calls: &'static str,
}

impl Place {
    /// The id of what the value names.
    fn id(self, azure: &Azure, value: &Value) -> String {
        let text = |key: &str| value.text(key).unwrap_or_default();
        let mut id = match self.namespace {
            "" => azure.root(),
            namespace => format!(
                "{}/resourceGroups/{}/providers/{namespace}",
                azure.root(),
                text("resource_group_name")
            ),
        };
        for (part, attribute) in self.parts {
            id.push_str(&format!("/{part}/{}", text(attribute)));
        }
        id
    }

    /// An id as it should be written, and what it names.
    pub(crate) fn read(self, id: &str) -> Option<(String, Found)> {
        let words: Vec<&str> = id.split('/').filter(|p| !p.is_empty()).collect();
        let is = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
        let [s, subscription, rest @ ..] = words.as_slice() else {
            return None;
        };
        let mut names = Found::new();
        let mut text = format!("/subscriptions/{subscription}");
        let rest = match (self.namespace, rest) {
            ("", rest) => rest,
            (namespace, [g, group, p, n, rest @ ..])
                if is(g, "resourceGroups") && is(p, "providers") && is(n, namespace) =>
            {
                text.push_str(&format!("/resourceGroups/{group}/providers/{namespace}"));
                names.insert("resource_group_name".into(), json!(group));
                rest
            }
            _ => return None,
        };
        if !is(s, "subscriptions") || rest.len() != self.parts.len() * 2 {
            return None;
        }
        for (pair, (part, attribute)) in rest.chunks(2).zip(self.parts) {
            if !is(pair[0], part) {
                return None;
            }
            text.push_str(&format!("/{part}/{}", pair[1]));
            names.insert((*attribute).into(), json!(pair[1]));
        }
        Some((text, names))
    }

    /// How an id is written.
    pub(crate) fn form(self) -> String {
        let around = match self.namespace {
            "" => String::new(),
            namespace => format!("/resourceGroups/GROUP/providers/{namespace}"),
        };
        let parts = self.parts.iter().map(|(part, _)| format!("/{part}/NAME"));
        format!("/subscriptions/UUID{around}{}", parts.collect::<String>())
    }
}

/// What one type has of its own.
#[async_trait]
pub(crate) trait Arm: Send + Sync {
    fn name(&self) -> &'static str;
    fn place(&self) -> Place;
    fn minutes(&self) -> Minutes {
        (30, 30, 30)
    }
    /// Whether it has tags, and with them the name of the operation that made it.
    fn is_tagged(&self) -> bool {
        true
    }
    /// What takes one change at a time with it: an id.
    fn turn(&self, id: &str) -> Option<String> {
        let _ = id;
        None
    }
    fn validate(&self, _config: &Value, _out: &mut Diagnostics) {}
    fn plan(&self, _config: &Value, _prior: Option<&Value>, planned: Value) -> (Value, Vec<Path>) {
        (planned, Vec::new())
    }
    /// The body of a PUT, without location and tags. `now` is what is there: what others have set
    /// of it stays.
    fn body(&self, azure: &Azure, planned: &Value, now: Option<&Json>) -> Json;
    /// The attributes of what is there, without names, location and tags.
    fn found(&self, body: &Json, known: &Value) -> Found;
    /// The attributes that other calls tell.
    async fn more(&self, _azure: &Azure, _body: &Json, _found: &mut Found) -> Result<(), Failure> {
        Ok(())
    }
    /// Changes it, where a PUT of the whole is not how that is done.
    async fn change(
        &self,
        cx: &Call<'_>,
        id: &str,
        (_prior, planned): (&Value, &Value),
    ) -> Result<(), Failure> {
        put_again(
            self.place(),
            cx,
            id,
            |now| self.body(cx.cloud, planned, Some(now)),
            planned,
        )
        .await
    }
    /// What has to be done before it is deleted, and what the call then says beside the id.
    async fn before_delete(&self, _cx: &Call<'_>, _id: &str) -> Result<&'static str, Failure> {
        Ok("")
    }
}

/// A type of the provider.
pub(crate) struct Of<T>(pub(crate) T);

/// Takes out what is null: Resource Manager would read some of it as "take it away".
pub(crate) fn pruned(value: Json) -> Json {
    match value {
        Json::Object(fields) => Json::Object(
            (fields.into_iter().map(|(k, v)| (k, pruned(v))))
                .filter(|(_, v)| !v.is_null())
                .collect(),
        ),
        Json::Array(items) => Json::Array(items.into_iter().map(pruned).collect()),
        other => other,
    }
}

/// `{"id": ...}`, or null.
pub(crate) fn reference(id: Option<String>) -> Json {
    id.map_or(Json::Null, |id| json!({ "id": id }))
}

/// The location as Azure writes it.
pub(crate) fn location(text: &str) -> String {
    text.split_whitespace().collect::<String>().to_lowercase()
}

fn whole(body: Json, planned: &Value, token: Option<&str>, is_tagged: bool) -> Json {
    let mut body = pruned(body);
    if is_tagged {
        if let Some(place) = planned.text("location") {
            body["location"] = json!(location(&place));
        }
        body["tags"] = tags::with_token(planned, token);
    }
    body
}

/// Reads what is there, makes of it what is to be, and waits until it is.
pub(crate) async fn put_again(
    place: Place,
    cx: &Call<'_>,
    id: &str,
    body: impl Fn(&Json) -> Json + Send,
    planned: &Value,
) -> Result<(), Failure> {
    let get = format!("{}_Get", place.calls);
    let now = cx.cloud.get(&get, id, place.version).await?;
    let now = now.ok_or_else(|| Failure {
        cause: Cause::Gone,
        ..Failure::new(&get, "it is not there any more")
    })?;
    let is_tagged = now["location"].is_string();
    let body = whole(body(&now), planned, tags::token(&now), is_tagged);
    let what = format!("{}_CreateOrUpdate", place.calls);
    let answer = send(cx, (&what, Method::Put), (id, place.version), Some(&body)).await?;
    cx.cloud.over(cx, &what, &answer).await
}

/// A call that changes something.
pub(crate) async fn send(
    cx: &Call<'_>,
    (what, method): (&str, Method),
    (path, version): (&str, &'static str),
    body: Option<&Json>,
) -> Result<crate::client::Answer, Failure> {
    let ask = Ask {
        what,
        method,
        path,
        version: Some(version),
        body,
    };
    cx.cloud.call(ask).await
}

/// Whether all that one says stands in the other, however it is written.
fn says(now: &Json, wanted: &Json) -> bool {
    match (now, wanted) {
        (Json::Object(now), Json::Object(wanted)) => (wanted.iter()).all(|(k, v)| {
            now.get(k)
                .map_or(crate::resources::is_nothing(v), |n| says(n, v))
        }),
        (Json::Array(now), Json::Array(wanted)) => {
            now.len() == wanted.len() && now.iter().zip(wanted).all(|(n, w)| says(n, w))
        }
        (Json::String(now), Json::String(wanted)) => now.eq_ignore_ascii_case(wanted),
        _ => now == wanted,
    }
}

/// That something of the name is there, and is not ours.
pub(crate) fn exists(what: &str, id: &str) -> Failure {
    let why = format!("{id} is there already, and this stack did not make it");
    Failure {
        help: Some(
            "Import it to have it in this stack (`weir import ADDRESS ID`), or choose another name.",
        ),
        ..Failure::new(what, why)
    }
}

#[async_trait]
impl<T: Arm> Resource<Azure> for Of<T> {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn minutes(&self) -> Minutes {
        self.0.minutes()
    }

    fn validate(&self, config: &Value, out: &mut Diagnostics) {
        crate::resources::check_names(self.0.place(), config, out);
        self.0.validate(config, out);
    }

    fn plan(
        &self,
        _azure: Option<&Azure>,
        config: &Value,
        prior: Option<&Value>,
        planned: Value,
    ) -> (Value, Vec<Path>) {
        let planned = match prior {
            Some(prior) => respelled(prior, planned),
            None => planned,
        };
        self.0.plan(config, prior, planned)
    }

    async fn create(&self, cx: &Call<'_>, planned: &Value) -> Result<String, Failure> {
        let place = self.0.place();
        let id = place.id(cx.cloud, planned);
        let what = format!("{}_CreateOrUpdate", place.calls);
        if (cx
            .cloud
            .get(&format!("{}_Get", place.calls), &id, place.version)
            .await?)
            .is_some()
        {
            return Err(exists(&what, &id));
        }
        let turn = match self.0.turn(&id) {
            Some(of) => cx.cloud.turn(&of).await,
            None => None,
        };
        let body = self.0.body(cx.cloud, planned, None);
        let body = whole(body, planned, Some(&cx.token), self.0.is_tagged());
        let answer = send(cx, (&what, Method::Put), (&id, place.version), Some(&body)).await?;
        cx.cloud.began(&id, &what, &answer, turn);
        Ok(id)
    }

    /// What is there under the name is ours where the operation's name stands on it; what has no
    /// tags is, where it is what is to be made.
    async fn find(&self, cx: &Call<'_>, planned: &Value) -> Result<Option<String>, Failure> {
        let place = self.0.place();
        let id = place.id(cx.cloud, planned);
        let get = format!("{}_Get", place.calls);
        let Some(now) = cx.cloud.get(&get, &id, place.version).await? else {
            return Ok(None);
        };
        let ours = match self.0.is_tagged() {
            true => tags::token(&now) == Some(&cx.token),
            false => says(&now, &pruned(self.0.body(cx.cloud, planned, None))),
        };
        Ok(ours.then_some(id))
    }

    async fn ready(&self, cx: &Call<'_>, id: &str) -> Result<(), Failure> {
        if cx.cloud.ended(cx, id).await? {
            return Ok(());
        }
        let place = self.0.place();
        let what = format!("{}_CreateOrUpdate", place.calls);
        let look = || async {
            let get = format!("{}_Get", place.calls);
            let now = cx.cloud.get(&get, id, place.version).await?;
            let state = now.map(|n| n["properties"]["provisioningState"].clone());
            Ok(match state.as_ref().and_then(Json::as_str) {
                Some("Failed" | "Canceled") => {
                    State::Failed("Azure could not make it, and does not say why any more".into())
                }
                Some("Succeeded") => State::Ready,
                Some(other) => State::Pending(other.to_lowercase()),
                // It has no state to tell, or is not known everywhere yet.
                None => State::Ready,
            })
        };
        cx.wait(&what, look).await
    }

    async fn read(&self, azure: &Azure, id: &str, known: &Value) -> Result<Option<Found>, Failure> {
        let place = self.0.place();
        let get = format!("{}_Get", place.calls);
        let Some(now) = azure.get(&get, id, place.version).await? else {
            return Ok(None);
        };
        let mut found = self.0.found(&now, known);
        self.0.more(azure, &now, &mut found).await?;
        if let Some((id, names)) = place.read(id) {
            found.extend(names);
            found.insert("id".into(), json!(id));
        }
        if self.0.is_tagged() {
            found.insert("location".into(), now["location"].clone());
            found.insert("tags".into(), tags::found(&now));
        }
        Ok(Some(as_known(found, known)))
    }

    async fn update(
        &self,
        cx: &Call<'_>,
        id: &str,
        prior: &Value,
        planned: &Value,
    ) -> Result<Option<String>, Failure> {
        let _turn = match self.0.turn(id) {
            Some(of) => cx.cloud.turn(&of).await,
            None => None,
        };
        self.0.change(cx, id, (prior, planned)).await?;
        Ok(None)
    }

    async fn delete(&self, cx: &Call<'_>, id: &str, _prior: &Value) -> Result<(), Failure> {
        let _turn = match self.0.turn(id) {
            Some(of) => cx.cloud.turn(&of).await,
            None => None,
        };
        let place = self.0.place();
        let also = self.0.before_delete(cx, id).await?;
        let what = format!("{}_Delete", place.calls);
        let path = format!("{id}{also}");
        gone(cx, &what, || {
            send(cx, (&what, Method::Delete), (&path, place.version), None)
        })
        .await
    }

    fn import(&self, id: &str) -> Result<Found, String> {
        let place = self.0.place();
        let read = place.read(id);
        let (id, names) = read.ok_or_else(|| format!("the id is {}", place.form()))?;
        let mut found = names;
        found.insert("id".into(), json!(id));
        Ok(found)
    }
}

/// Does what makes something end, and waits for it. What another thing needs may have been freed
/// a moment ago: that is tried for a while, and then said.
pub(crate) async fn gone<F>(cx: &Call<'_>, what: &str, f: impl Fn() -> F) -> Result<(), Failure>
where
    F: Future<Output = Result<crate::client::Answer, Failure>>,
{
    let pacing = cx.cloud.pacing();
    let all = || async {
        let answer = f().await?;
        cx.cloud.over(cx, what, &answer).await
    };
    let done = pacing
        .patiently(pacing.consistency, Failure::is_in_use, all)
        .await;
    done.map_err(|mut failure| {
        if failure.is_in_use() {
            failure.cause = Cause::Other;
        }
        failure
    })
}

/// What differs in spelling alone from what is known keeps the known spelling: Azure's names and
/// ids are the same in small letters and in capitals, and places with spaces and without.
fn as_known(mut found: Found, known: &Value) -> Found {
    for (key, value) in &mut found {
        let (Some(now), Some(was)) = (value.as_str(), known.text(key)) else {
            continue;
        };
        if same_spelling(key, now, &was) {
            *value = json!(was);
        }
    }
    found
}

fn same_spelling(key: &str, a: &str, b: &str) -> bool {
    match key {
        "location" => location(a) == location(b),
        _ => (key.ends_with("_id") || key.ends_with("_name")) && a.eq_ignore_ascii_case(b),
    }
}

/// A configuration that says the same in another spelling changes nothing.
fn respelled(prior: &Value, mut planned: Value) -> Value {
    let keys: Vec<String> = planned
        .as_entries()
        .into_iter()
        .flatten()
        .map(|(k, _)| k.to_string())
        .collect();
    for key in keys {
        let (Some(was), Some(is)) = (prior.text(&key), planned.text(&key)) else {
            continue;
        };
        if was != is
            && same_spelling(&key, &was, &is)
            && let Some(value) = prior.get(&key)
        {
            planned = planned.with(&key, value.clone());
        }
    }
    planned
}

/// Where an attribute changes, what follows from it is known after the change.
pub(crate) fn opens(prior: Option<&Value>, mut planned: Value, by: &str, what: &[&str]) -> Value {
    let Some(prior) = prior else {
        return planned;
    };
    if prior.get(by) == planned.get(by) {
        return planned;
    }
    for key in what {
        if let Some(ty) = prior.get(key).map(Value::ty) {
            planned = planned.with(key, Value::unknown(ty));
        }
    }
    planned
}

/// A JSON object, as [`Found`].
pub(crate) fn fields(value: Json) -> Found {
    object(value)
}
