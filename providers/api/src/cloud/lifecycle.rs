//! Every resource type's way from nothing to something and back.

use super::{Call, Class, Cloud, Failure, Pause, Resource, State, Unplanned, parse_duration};
use crate::{
    Completeness, NoProgress,
    declared::{self, Beside, Entry, Fields as _, Found},
};
use serde_json::json;
use std::{fmt, time::Duration};
use weir_core::{Known, Path, Value};

/// An operation's end: the object, and what went wrong after it was there.
pub(super) struct End {
    pub(super) value: Option<Known>,
    pub(super) failure: Option<Failure>,
}

impl End {
    fn whole(value: Value) -> End {
        End {
            value: Known::new(value).ok(),
            failure: None,
        }
    }
    fn failed(value: Option<&Value>, failure: Failure) -> End {
        End {
            value: value.cloned().and_then(|v| Known::new(v).ok()),
            failure: Some(failure),
        }
    }
}

/// One resource type, in the hands of the functions below.
pub(super) struct Subject<C: Cloud> {
    /// What it has of its own.
    pub(super) resource: &'static dyn Resource<C>,
    /// Its schema and its rules.
    pub(super) entry: &'static Entry,
}

impl<C: Cloud> fmt::Debug for Subject<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Subject")
            .field(&self.resource.name())
            .finish()
    }
}

impl<C: Cloud> Subject<C> {
    /// The planned value, and the paths whose change replaces the object. `cloud` is `None` while
    /// the provider block is unknown.
    pub(super) fn plan(
        &self,
        cloud: Option<&C>,
        (prior, config, proposed): (Option<&Value>, &Value, &Value),
    ) -> (Value, Vec<Path>) {
        let planned = declared::plan(self.entry, prior, config, proposed);
        let planned = C::plan_all(cloud, self.resource.name(), config, planned);
        let (planned, mut replaces) = self.resource.plan(cloud, config, prior, planned);
        if let Some(prior) = prior {
            replaces.extend(declared::replaced(self.entry, prior, config, &planned));
        }
        (planned, replaces)
    }

    /// Makes it: looks whether an earlier attempt did, makes it, completes it, reads it.
    pub(super) async fn create(&self, cx: &Call<'_, C>, planned: &Value) -> End {
        let id = match self.made(cx, planned).await {
            Ok(id) => id,
            Err(failure) => return self.failed(cx, planned, failure).await,
        };
        // From here on there is something, and it is recorded whatever happens.
        let half = declared::half_made(planned, &id);
        if let Err(failure) = self.resource.ready(cx, &id).await {
            return End::failed(Some(&half), failure);
        }
        if let Err(failure) = self.resource.finish(cx, &id, planned).await {
            return End::failed(Some(&half), failure);
        }
        match self.appeared(cx, &id, planned).await {
            Ok(value) => End::whole(value),
            Err(failure) => End::failed(Some(&half), failure),
        }
    }

    /// The end of a creation that was refused: what the calls before that have made is recorded.
    async fn failed(&self, cx: &Call<'_, C>, planned: &Value, failure: Failure) -> End {
        let found = match failure.class {
            Class::Refused => self.found(cx, planned).await.ok().flatten(),
            Class::Throttled | Class::Ambiguous | Class::Unsent => None,
        };
        let half = found.map(|id| declared::half_made(planned, &id));
        End::failed(half.as_ref(), failure)
    }

    /// What an interrupted creation has made, and whether it is whole: what the cloud could not
    /// finish is there all the same. What was made a moment ago may not be known yet, so that it is
    /// looked for more than once.
    pub(super) async fn settle_create(
        &self,
        cx: &Call<'_, C>,
        planned: &Value,
    ) -> Result<Option<(Value, Completeness)>, Failure> {
        let mut pause = Pause::new(cx.cloud.pacing().backoff, cx.cloud.pacing().consistency);
        let id = loop {
            match self.found(cx, planned).await? {
                Some(id) => break id,
                None if pause.wait().await => {}
                None => return Ok(None),
            }
        };
        let completeness = match self.resource.ready(cx, &id).await {
            Ok(()) if self.resource.is_finished(cx, &id, planned).await? => Completeness::Whole,
            Ok(()) => Completeness::Partial,
            Err(failure) if failure.class == Class::Refused => Completeness::Partial,
            Err(failure) => return Err(failure),
        };
        let found = self.look(cx.cloud, &id, planned, Beside::Known).await?;
        Ok(found.map(|value| (value, completeness)))
    }

    async fn made(&self, cx: &Call<'_, C>, planned: &Value) -> Result<String, Failure> {
        let mut pause = Pause::new(cx.cloud.pacing().backoff, cx.cloud.pacing().budget);
        loop {
            if let Some(id) = self.found(cx, planned).await? {
                return Ok(id);
            }
            // What it refers to may have been made a moment ago, and not be known everywhere.
            let missing = Failure::is_about_the_new;
            let create = || self.resource.create(cx, planned);
            let patience = cx.cloud.pacing().consistency;
            match cx.cloud.pacing().patiently(patience, missing, create).await {
                Err(f) if f.class == Class::Ambiguous && pause.wait().await => {}
                other => return other,
            }
        }
    }

    /// The id of what this operation made earlier, if that is still there.
    async fn found(&self, cx: &Call<'_, C>, planned: &Value) -> Result<Option<String>, Failure> {
        let Some(id) = self.resource.find(cx, planned).await? else {
            return Ok(None);
        };
        let there = self.resource.read(cx.cloud, &id, planned).await?;
        Ok(there.map(|_| id))
    }

    /// Reads what was just made: it may take a moment until it is known everywhere.
    async fn appeared(
        &self,
        cx: &Call<'_, C>,
        id: &str,
        planned: &Value,
    ) -> Result<Value, Failure> {
        let mut pause = Pause::new(cx.cloud.pacing().backoff, cx.cloud.pacing().consistency);
        loop {
            if let Some(value) = self.look(cx.cloud, id, planned, Beside::Known).await? {
                return Ok(value);
            }
            if !pause.wait().await {
                let name = self.resource.name();
                return Err(Failure::new(
                    name,
                    format!("{id} was made and can't be found"),
                ));
            }
        }
    }

    /// What is now.
    pub(super) async fn look(
        &self,
        cloud: &C,
        id: &str,
        known: &Value,
        beside: Beside,
    ) -> Result<Option<Value>, Failure> {
        let Some(mut found) = self.resource.read(cloud, id, known).await? else {
            return Ok(None);
        };
        found.entry("id").or_insert_with(|| json!(id));
        cloud.read_all(&mut found, known);
        let block = &self.entry.schema.block;
        Ok(Some(declared::shape(block, &found, known, beside)))
    }

    /// What is now of something that an update has given another id.
    pub(super) async fn renamed(
        &self,
        cx: &Call<'_, C>,
        planned: &Value,
    ) -> Result<Option<Value>, Failure> {
        match self.resource.find(cx, planned).await? {
            Some(id) => self.look(cx.cloud, &id, planned, Beside::Known).await,
            None => Ok(None),
        }
    }

    /// Changes it to what is planned.
    pub(super) async fn update(
        &self,
        cx: &Call<'_, C>,
        prior: &Value,
        planned: &Value,
        unplanned: Unplanned,
    ) -> End {
        let id = prior.text("id").unwrap_or_default();
        let changed = self.changed(cx, &id, (prior, planned)).await;
        let (id, failure) = match changed {
            Ok(new) => (new.unwrap_or(id), None),
            Err(failure) => (id, Some(failure)),
        };
        // After a failure, what is there is neither what was nor what was planned.
        let known = if failure.is_some() { prior } else { planned };
        match (
            self.look(cx.cloud, &id, known, Beside::Known).await,
            failure,
        ) {
            (Ok(Some(value)), None) => End::whole(match unplanned {
                Unplanned::LeftToRefresh => self.as_planned(value, prior, planned),
                Unplanned::Told => value,
            }),
            (Ok(Some(value)), Some(failure)) => End::failed(Some(&value), failure),
            (Ok(None), None) => {
                let why = "it was deleted after the plan was made";
                End::failed(None, Failure::new(self.resource.name(), why))
            }
            (Ok(None), Some(failure)) if failure.is_gone() => End::failed(None, failure),
            (Ok(None) | Err(_), Some(failure)) | (Err(failure), None) => {
                End::failed(Some(prior), failure)
            }
        }
    }

    /// The object after an update, without what others made of it meanwhile: what the provider
    /// finds out and was planned to stay stays, and the next refresh tells that it differs.
    fn as_planned(&self, found: Value, prior: &Value, planned: &Value) -> Value {
        let attributes = self.entry.schema.block.attributes.iter();
        let found_out = attributes.filter(|(_, a)| a.is_computed());
        found_out.fold(found, |found, (name, _)| {
            match (prior.get(name), planned.get(name)) {
                (Some(was), Some(is)) if was == is && is.is_wholly_known() => {
                    found.with(name, is.clone())
                }
                _ => found,
            }
        })
    }

    async fn changed(
        &self,
        cx: &Call<'_, C>,
        id: &str,
        (prior, planned): (&Value, &Value),
    ) -> Result<Option<String>, Failure> {
        let new = self.resource.update(cx, id, prior, planned).await?;
        let id = self.resource.tag_id(new.as_deref().unwrap_or(id), prior);
        C::update_all(cx, &id, prior, planned).await?;
        Ok(new)
    }

    /// Deletes it, waits for what depends on it to go, and until it is gone itself.
    pub(super) async fn delete(&self, cx: &Call<'_, C>, prior: &Value) -> End {
        let Some(id) = prior.text("id") else {
            return End {
                value: None,
                failure: None,
            };
        };
        let used = |f: &Failure| {
            if f.is_in_use() {
                let text = format!("waits for what still needs it: {}", f.message);
                cx.progress.progress(cx.address, text);
            }
            f.is_in_use()
        };
        let delete = || self.resource.delete(cx, &id, prior);
        let gone = match cx.cloud.pacing().patiently(cx.limit, used, delete).await {
            Err(f) if f.is_gone() => Ok(()),
            Ok(()) if !self.resource.waits_for_deletion(prior) => Ok(()),
            Ok(()) => self.vanished(cx, &id, prior).await,
            Err(f) if f.is_in_use() => Err(self.with_dependents(cx, &id, f).await),
            Err(f) => Err(f),
        };
        match gone {
            Ok(()) => End {
                value: None,
                failure: None,
            },
            Err(failure) => End::failed(Some(prior), failure),
        }
    }

    /// The failure, with the names of what depends on the thing.
    async fn with_dependents(&self, cx: &Call<'_, C>, id: &str, mut failure: Failure) -> Failure {
        let names = self.resource.dependents(cx.cloud, id).await;
        if !names.is_empty() {
            let message = &failure.message;
            failure.message = format!("{message}; what still needs it: {}", names.join(", "));
        }
        failure
    }

    async fn vanished(&self, cx: &Call<'_, C>, id: &str, prior: &Value) -> Result<(), Failure> {
        cx.wait("deletion", || async {
            match self.resource.read(cx.cloud, id, prior).await? {
                None => Ok(State::Ready),
                Some(_) => Ok(State::Pending("being deleted".into())),
            }
        })
        .await
    }

    /// Finds it by an import's id.
    pub(super) async fn import(&self, cloud: &C, id: &str) -> Result<Option<Value>, Failure> {
        let told: Found = self
            .resource
            .import(id)
            .map_err(|how| Failure::new("import", how))?;
        let block = &self.entry.schema.block;
        let known = declared::shape(block, &told, &Value::null(), Beside::Nothing);
        let id = match known.text("id") {
            Some(id) => id,
            // Some are imported by their ends, and have an id of their own.
            None => {
                let cx = Call {
                    cloud,
                    address: id,
                    token: String::new(),
                    progress: &NoProgress,
                    limit: Duration::ZERO,
                };
                match self.resource.find(&cx, &known).await? {
                    Some(id) => id,
                    None => return Ok(None),
                }
            }
        };
        let found = self.look(cloud, &id, &known, Beside::Nothing).await?;
        Ok(found.map(|found| self.with_defaults(found)))
    }

    /// The imported object with what the provider alone remembers as it is by default.
    fn with_defaults(&self, found: Value) -> Value {
        self.entry.rules.iter().fold(found, |found, (name, rule)| {
            match (&rule.default, found.get(name)) {
                (Some(default), Some(is)) if is.is_null() => found.with(name, default.clone()),
                _ => found,
            }
        })
    }
}

/// How long an operation may take: as `timeouts` says, or the type's own.
pub(super) fn limit<C: Cloud>(
    resource: &dyn Resource<C>,
    op: &str,
    value: Option<&Value>,
) -> Duration {
    let said = value
        .and_then(|v| v.get("timeouts"))
        .and_then(|t| t.text(op))
        .and_then(|text| parse_duration(&text));
    let (create, update, delete) = resource.minutes();
    said.unwrap_or_else(|| {
        Duration::from_secs(
            60 * match op {
                "create" => create,
                "update" => update,
                _ => delete,
            },
        )
    })
}
