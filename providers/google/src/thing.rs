//! Types whose objects are made by one call, under a name of their own: what they share.

use crate::{
    calls::{self, Calls},
    client::Google,
    name::{Name, Place},
    resource::{Call, Failure, Found, Minutes, Resource},
    resources,
};
use async_trait::async_trait;
use serde_json::{Value as Json, json};
use weir_core::{Diagnostics, Path, Value};

/// Who is asked, and what it is called there.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    pub(crate) google: &'a Google,
    pub(crate) name: &'a Name,
}

/// What such a type has of its own. All else is [`Named`]'s.
#[async_trait]
pub(crate) trait Thing: Send + Sync {
    /// Its name.
    const NAME: &'static str;
    /// How long its operations may take.
    const MINUTES: Minutes = (20, 20, 20);
    /// The calls of its kind.
    type Calls: Calls;

    /// Refuses what the schema and the rules can't express.
    fn validate(&self, config: &Value, out: &mut Diagnostics);
    /// Completes what the rules planned; may name paths that replace the object.
    fn plan(&self, _config: &Value, _prior: Option<&Value>, planned: Value) -> (Value, Vec<Path>) {
        (planned, Vec::new())
    }
    /// Where it is made.
    fn named(&self, cx: &Call<'_>, planned: &Value) -> Result<Name, Failure> {
        resources::name_of(cx.cloud, Self::Calls::KIND, planned)
    }
    /// What it is made of, but for its name.
    async fn body(&self, at: At<'_>, planned: &Value) -> Result<Json, Failure>;
    /// Sets what can't be set at creation.
    async fn finish(&self, _cx: &Call<'_>, _name: &Name, _planned: &Value) -> Result<(), Failure> {
        Ok(())
    }
    /// Its attributes, but for those that all have: id, name, place, description, link.
    async fn found(&self, at: At<'_>, found: &Json, known: &Value) -> Result<Found, Failure>;
    /// Changes what differs.
    async fn change(
        &self,
        _cx: &Call<'_>,
        _name: &Name,
        _prior: &Value,
        _planned: &Value,
    ) -> Result<(), Failure> {
        Ok(())
    }
    /// Why it can't be deleted now.
    fn kept(&self, _prior: &Value) -> Option<Failure> {
        None
    }
}

/// A type's whole life.
pub(crate) struct Named<T>(pub(crate) T);

impl<T: Thing> Named<T> {
    fn parse(google: &Google, id: &str) -> Result<Name, Failure> {
        T::Calls::KIND.parse(google, id)
    }
}

#[async_trait]
impl<T: Thing> Resource<Google> for Named<T> {
    fn name(&self) -> &'static str {
        T::NAME
    }
    fn minutes(&self) -> Minutes {
        T::MINUTES
    }
    fn validate(&self, config: &Value, out: &mut Diagnostics) {
        resources::check_name(config, "name", out);
        self.0.validate(config, out);
    }

    fn plan(
        &self,
        _cloud: Option<&Google>,
        config: &Value,
        prior: Option<&Value>,
        planned: Value,
    ) -> (Value, Vec<Path>) {
        self.0.plan(config, prior, planned)
    }

    async fn create(&self, cx: &Call<'_>, planned: &Value) -> Result<String, Failure> {
        let name = self.0.named(cx, planned)?;
        let at = At {
            google: cx.cloud,
            name: &name,
        };
        let mut body = self.0.body(at, planned).await?;
        body["name"] = json!(name.name);
        T::Calls::insert(cx, &name, body).await?;
        Ok(T::Calls::KIND.id(&name))
    }

    async fn find(&self, cx: &Call<'_>, planned: &Value) -> Result<Option<String>, Failure> {
        let name = self.0.named(cx, planned)?;
        let there = T::Calls::get(cx.cloud, &name).await?.is_some();
        let kind = T::Calls::KIND;
        Ok((there && calls::is_ours(cx, kind, &name).await?).then(|| kind.id(&name)))
    }

    async fn ready(&self, cx: &Call<'_>, id: &str) -> Result<(), Failure> {
        calls::made(cx, T::Calls::KIND, &Self::parse(cx.cloud, id)?).await
    }

    async fn finish(&self, cx: &Call<'_>, id: &str, planned: &Value) -> Result<(), Failure> {
        let name = Self::parse(cx.cloud, id)?;
        self.0.finish(cx, &name, planned).await
    }

    async fn read(
        &self,
        google: &Google,
        id: &str,
        known: &Value,
    ) -> Result<Option<Found>, Failure> {
        let name = Self::parse(google, id)?;
        let Some(thing) = T::Calls::get(google, &name).await? else {
            return Ok(None);
        };
        let at = At {
            google,
            name: &name,
        };
        let mut found = self.0.found(at, &thing, known).await?;
        let place = match T::Calls::KIND.place {
            Place::Global => None,
            Place::Region => Some(("region", json!(name.place))),
            Place::Zone => Some(("zone", json!(name.place))),
        };
        let shared = [
            ("id", json!(T::Calls::KIND.id(&name))),
            ("name", thing["name"].clone()),
            ("project", json!(name.project)),
            ("description", thing["description"].clone()),
            ("creation_timestamp", thing["creationTimestamp"].clone()),
            ("self_link", thing["selfLink"].clone()),
        ];
        for (attribute, value) in shared.into_iter().chain(place) {
            found.insert(attribute.to_owned(), value);
        }
        Ok(Some(found))
    }

    async fn update(
        &self,
        cx: &Call<'_>,
        id: &str,
        prior: &Value,
        planned: &Value,
    ) -> Result<Option<String>, Failure> {
        let name = Self::parse(cx.cloud, id)?;
        self.0.change(cx, &name, prior, planned).await?;
        Ok(None)
    }

    async fn delete(&self, cx: &Call<'_>, id: &str, prior: &Value) -> Result<(), Failure> {
        if let Some(failure) = self.0.kept(prior) {
            return Err(failure);
        }
        T::Calls::delete(cx, &Self::parse(cx.cloud, id)?).await
    }
}
