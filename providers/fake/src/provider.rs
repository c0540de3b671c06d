//! The fake provider: `fake_thing` and `fake_lookup` on a [`Cloud`].

use crate::{
    cloud::{Cloud, CloudError, CloudObject, Entry, Locked, Writer},
    config::{Batching, Settings},
    faults::{Moment, Verb},
    functions, schema,
};
use async_trait::async_trait;
use std::{
    collections::BTreeSet,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, UNIX_EPOCH},
};
use weir_core::{
    Diagnostic, Diagnostics, Kind, Known, Path, Type, Value, function, json, plan::Op,
};
use weir_provider::{
    ApplyRequest, ApplyResponse, Attribution, ChangedRequest, Completeness, Imported, Opened,
    PlanRequest, PlanResponse, Progress, Provider, ProviderSchema, ReadRequest, ReadResponse,
    Renewed, Settled,
};

const THING: &str = "fake_thing";
const LOOKUP: &str = "fake_lookup";
const TOKEN: &str = "fake_token";

/// See the crate's page.
#[derive(Debug)]
pub struct FakeProvider {
    schema: ProviderSchema,
    settings: RwLock<Option<Arc<Settings>>>,
}

impl Default for FakeProvider {
    fn default() -> FakeProvider {
        FakeProvider::new()
    }
}

impl FakeProvider {
    /// A provider that is not configured yet.
    pub fn new() -> FakeProvider {
        let schema = ProviderSchema {
            provider: schema::provider_config(),
            resources: [(THING.to_owned(), schema::fake_thing())].into(),
            data: [(LOOKUP.to_owned(), schema::fake_lookup())].into(),
            ephemeral: [(TOKEN.to_owned(), schema::fake_token())].into(),
            functions: functions::signatures(),
        };
        FakeProvider {
            schema,
            settings: RwLock::new(None),
        }
    }

    fn settings(&self) -> Result<Arc<Settings>, Diagnostics> {
        let settings = self.settings.read().unwrap_or_else(PoisonError::into_inner);
        settings.clone().ok_or_else(|| {
            Diagnostic::error("provider \"fake\" was called before it was configured").into()
        })
    }

    /// Notes what was done to an ephemeral resource.
    async fn ephemeral(&self, what: &str, name: &str) -> Result<(), Diagnostics> {
        let (_, cloud) = self.enter().await?;
        let mut cloud = cloud.lock().map_err(|e| failed(&e))?;
        let entry = Entry::Ephemeral {
            what: what.to_owned(),
            name: name.to_owned(),
        };
        cloud.append(entry).map_err(|e| failed(&e))
    }

    /// The settings, and the cloud they name, after the latency every operation has.
    async fn enter(&self) -> Result<(Arc<Settings>, Arc<Cloud>), Diagnostics> {
        let settings = self.settings()?;
        let cloud = settings.cloud.clone().ok_or_else(|| {
            Diagnostic::error("the path of provider \"fake\" is not known yet")
                .because("It is made from a value that is known after apply.")
        })?;
        if !settings.latency.is_zero() {
            tokio::time::sleep(settings.latency).await;
        }
        Ok((settings, cloud))
    }
}

fn failed(e: &CloudError) -> Diagnostics {
    Diagnostic::error(e.to_string()).into()
}

fn name_of(value: &Value) -> &str {
    value.get("name").and_then(Value::as_str).unwrap_or("")
}

fn id_of(value: &Value) -> &str {
    value.get("id").and_then(Value::as_str).unwrap_or("")
}

/// One operation, the same in every run that tries it again.
fn operation(request: &ApplyRequest) -> String {
    format!("{} {}", request.token.text(), request.address)
}

#[async_trait]
impl Provider for FakeProvider {
    fn schema(&self) -> &ProviderSchema {
        &self.schema
    }

    async fn configure(&self, config: &Value) -> Result<(), Diagnostics> {
        let read = Settings::read(config)?;
        *self
            .settings
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(read));
        Ok(())
    }

    fn call(&self, function: &str, args: &[Value]) -> function::Outcome {
        functions::call(function, args)
    }

    async fn open(&self, _type_name: &str, config: &Value) -> Result<Opened, Diagnostics> {
        let name = name_of(config).to_owned();
        self.ephemeral("open", &name).await?;
        if name == "refused" {
            return Err(Diagnostic::error("the fake cloud lends no token of that name").into());
        }
        let value = config
            .clone()
            .with("token", Value::from(format!("token-of-{name}")));
        let renew = config.get("renew_after_ms").and_then(Value::as_i64);
        Ok(Opened {
            value: Known::new(value).map_err(|e| Diagnostic::error(e.to_string()))?,
            private: name.into_bytes(),
            renew_after: renew
                .and_then(|ms| u64::try_from(ms).ok())
                .map(Duration::from_millis),
        })
    }

    async fn renew(&self, _type_name: &str, private: &[u8]) -> Result<Renewed, Diagnostics> {
        let name = String::from_utf8_lossy(private).into_owned();
        self.ephemeral("renew", &name).await?;
        Ok(Renewed {
            private: name.into_bytes(),
            renew_after: None,
        })
    }

    async fn close(&self, _type_name: &str, private: &[u8]) -> Result<(), Diagnostics> {
        self.ephemeral("close", &String::from_utf8_lossy(private))
            .await
    }

    async fn validate(&self, type_name: &str, config: &Value) -> Diagnostics {
        match type_name {
            THING => validate_thing(config),
            _ => Diagnostics::new(),
        }
    }

    async fn plan(&self, request: PlanRequest) -> Result<PlanResponse, Diagnostics> {
        let planned = match &request.prior {
            None => plan_create(request.proposed),
            Some(prior) => plan_update(prior.value(), request.proposed),
        };
        let zone = Path::root().key("zone");
        let moved = request
            .prior
            .as_ref()
            .is_some_and(|p| p.value().at(&zone) != planned.at(&zone));
        let batch = match self.settings()?.batching {
            Batching::Alone => None,
            Batching::ByZone => {
                let zone = planned
                    .get("zone")
                    .and_then(Value::as_str)
                    .unwrap_or("nowhere");
                Some(format!("zone {zone}"))
            }
        };
        Ok(PlanResponse {
            planned,
            requires_replace: if moved { vec![zone] } else { Vec::new() },
            private: Vec::new(),
            batch,
            warnings: Diagnostics::new(),
        })
    }

    async fn apply(&self, request: ApplyRequest, progress: &dyn Progress) -> ApplyResponse {
        progress.progress(&request.address, "calling the fake cloud".into());
        let kept = request.prior.clone();
        let private = request.private.clone();
        let outcome = match request.op {
            Op::Create => self.create(&request).await,
            Op::Update => self.update(&request).await,
            Op::Delete => self.delete(&request).await,
            Op::Read | Op::Forget | Op::Join => {
                Err(Diagnostic::error("not an operation of a provider").into())
            }
        };
        match outcome {
            Ok((value, diagnostics)) => ApplyResponse {
                value,
                private,
                diagnostics,
            },
            Err(diagnostics) => ApplyResponse {
                value: kept,
                private,
                diagnostics,
            },
        }
    }

    async fn apply_batch(
        &self,
        requests: Vec<ApplyRequest>,
        progress: &dyn Progress,
    ) -> Vec<ApplyResponse> {
        if let Ok(Some(cloud)) = self.settings().map(|s| s.cloud.clone())
            && let Ok(mut locked) = cloud.lock()
        {
            // The log of calls is for tests; the operations below report a cloud that fails.
            let _ = locked.append(Entry::Batch {
                size: requests.len(),
            });
        }
        let mut responses = Vec::with_capacity(requests.len());
        for request in requests {
            responses.push(self.apply(request, progress).await);
        }
        responses
    }

    async fn read(&self, request: ReadRequest) -> Result<ReadResponse, Diagnostics> {
        let (settings, cloud) = self.enter().await?;
        let prior = request.prior.value();
        let mut locked = cloud.lock().map_err(|e| failed(&e))?;
        strike(
            &settings,
            &mut locked,
            Verb::Read,
            &request.address,
            name_of(prior),
        )?;
        let value = locked.object(id_of(prior)).map(|o| o.value.clone());
        Ok(ReadResponse {
            value,
            private: request.private,
        })
    }

    async fn changed_by(
        &self,
        request: ChangedRequest,
    ) -> Result<Option<Attribution>, Diagnostics> {
        let (_, cloud) = self.enter().await?;
        let locked = cloud.lock().map_err(|e| failed(&e))?;
        let writer = locked.writer(id_of(request.recorded.value()));
        Ok(writer.and_then(attribution))
    }

    async fn import(&self, type_name: &str, id: &str) -> Result<Vec<Imported>, Diagnostics> {
        let (_, cloud) = self.enter().await?;
        let locked = cloud.lock().map_err(|e| failed(&e))?;
        let object = locked
            .object(id)
            .filter(|o| o.type_name == type_name)
            .ok_or_else(|| {
                Diagnostic::error(format!("{type_name} {id:?} is not in the fake cloud"))
            })?;
        let value = object.value.clone();
        Ok(vec![Imported {
            type_name: type_name.into(),
            value,
            private: Vec::new(),
        }])
    }

    async fn data(&self, _type_name: &str, config: &Value) -> Result<Known, Diagnostics> {
        let (_, cloud) = self.enter().await?;
        let name = name_of(config);
        let locked = cloud.lock().map_err(|e| failed(&e))?;
        let object = locked
            .objects()
            .find(|o| name_of(o.value.value()) == name)
            .ok_or_else(|| {
                Diagnostic::error(format!("no thing in the fake cloud is named {name:?}"))
                    .help("Make it first, or look up one that is there.")
            })?;
        let found = object.value.value();
        let copy = |value: Value, key: &str| {
            let field = found.get(key).cloned().unwrap_or_else(Value::null);
            value.with(key, field)
        };
        let value = ["id", "size", "endpoint"]
            .into_iter()
            .fold(config.clone(), copy);
        Known::new(value).map_err(|e| Diagnostic::error(e.to_string()).into())
    }

    async fn settle(&self, request: ApplyRequest) -> Settled {
        let cloud = match self.enter().await {
            Ok((_, cloud)) => cloud,
            Err(d) => return Settled::Unknown(d.to_string()),
        };
        let locked = match cloud.lock() {
            Ok(locked) => locked,
            Err(e) => return Settled::Unknown(e.to_string()),
        };
        let operation = operation(&request);
        let id = request.prior.as_ref().map(|p| id_of(p.value()).to_owned());
        let object = match request.op {
            Op::Create => match locked.made_by(&operation).and_then(|id| locked.object(id)) {
                Some(object) => Some(object),
                None => return Settled::NotDone,
            },
            Op::Update if locked.was_done(&operation) => id.and_then(|id| locked.object(&id)),
            Op::Delete if id.as_deref().is_none_or(|id| locked.object(id).is_none()) => None,
            _ => return Settled::NotDone,
        };
        Settled::Done {
            value: object.map(|o| o.value.clone()),
            private: request.private,
            completeness: match object {
                Some(CloudObject { whole: false, .. }) => Completeness::Partial,
                _ => Completeness::Whole,
            },
        }
    }
}

type Outcome = Result<(Option<Known>, Diagnostics), Diagnostics>;

impl FakeProvider {
    async fn create(&self, request: &ApplyRequest) -> Outcome {
        let (settings, cloud) = self.enter().await?;
        kill(&settings, Moment::Before, Verb::Create);
        let mut locked = cloud.lock().map_err(|e| failed(&e))?;
        let operation = operation(request);
        if let Some(id) = locked.made_by(&operation) {
            let object = locked.object(id).ok_or_else(|| {
                Diagnostic::error(format!("{}: {id} was made and is gone", request.address))
            })?;
            return Ok((Some(object.value.clone()), half_made(request, object.whole)));
        }
        let planned = request.planned.as_ref().ok_or_else(nothing_planned)?;
        let name = name_of(planned).to_owned();
        let attempt = locked.refusals(&format!("create {name}"));
        strike(
            &settings,
            &mut locked,
            Verb::Create,
            &request.address,
            &name,
        )?;
        let id = locked.next_id();
        let value = complete(planned, &id)?;
        let mid = settings
            .kill_at
            .as_ref()
            .is_some_and(|k| k.is_now(Moment::Mid, Verb::Create));
        let finish = format!("finish {name}");
        let attempt = attempt + locked.refusals(&finish);
        let half = settings.faults.leaves_half(&name, attempt);
        if half {
            // Written down as a refusal is: the next attempt rolls anew.
            locked
                .append(Entry::Refused { what: finish })
                .map_err(|e| failed(&e))?;
        }
        let whole = !mid && !half;
        let entry = Entry::Created {
            id,
            type_name: request.type_name.clone(),
            operation,
            value: json::encode(value.value()),
            whole,
        };
        locked.append(entry).map_err(|e| failed(&e))?;
        if mid {
            std::process::abort();
        }
        kill(&settings, Moment::After, Verb::Create);
        Ok((Some(value), half_made(request, whole)))
    }

    async fn update(&self, request: &ApplyRequest) -> Outcome {
        let (settings, cloud) = self.enter().await?;
        kill(&settings, Moment::Before, Verb::Update);
        let mut locked = cloud.lock().map_err(|e| failed(&e))?;
        let operation = operation(request);
        let prior = request.prior.as_ref().ok_or_else(nothing_planned)?;
        let planned = request.planned.as_ref().ok_or_else(nothing_planned)?;
        let id = id_of(prior.value());
        let object = locked.object(id).ok_or_else(|| {
            Diagnostic::error(format!("{}: {id} is gone", request.address))
                .because("It was deleted from the fake cloud after the plan was made.")
                .help("Run plan again: it will be made anew.")
        })?;
        if locked.was_done(&operation) {
            return Ok((Some(object.value.clone()), Diagnostics::new()));
        }
        strike(
            &settings,
            &mut locked,
            Verb::Update,
            &request.address,
            name_of(planned),
        )?;
        let value = complete(planned, id)?;
        let entry = Entry::Updated {
            id: id.into(),
            operation: Some(operation),
            value: json::encode(value.value()),
            by: None,
        };
        locked.append(entry).map_err(|e| failed(&e))?;
        kill(&settings, Moment::After, Verb::Update);
        Ok((Some(value), Diagnostics::new()))
    }

    async fn delete(&self, request: &ApplyRequest) -> Outcome {
        let (settings, cloud) = self.enter().await?;
        kill(&settings, Moment::Before, Verb::Delete);
        let mut locked = cloud.lock().map_err(|e| failed(&e))?;
        let prior = request.prior.as_ref().ok_or_else(nothing_planned)?.value();
        let id = id_of(prior);
        if locked.object(id).is_some() {
            strike(
                &settings,
                &mut locked,
                Verb::Delete,
                &request.address,
                name_of(prior),
            )?;
            let entry = Entry::Deleted {
                id: id.into(),
                operation: Some(operation(request)),
                by: None,
            };
            locked.append(entry).map_err(|e| failed(&e))?;
        }
        kill(&settings, Moment::After, Verb::Delete);
        Ok((None, Diagnostics::new()))
    }
}

fn attribution(writer: &Writer) -> Option<Attribution> {
    match writer {
        Writer::Outside(None) => None,
        Writer::Outside(Some(hand)) => Some(Attribution {
            who: Some(hand.who.clone()),
            when: UNIX_EPOCH.checked_add(Duration::from_secs(hand.at)),
            how: Some(hand.how.clone()),
        }),
        Writer::Operation(operation) => Some(Attribution {
            how: Some(format!("operation {operation} of weir")),
            ..Attribution::default()
        }),
    }
}

fn nothing_planned() -> Diagnostics {
    Diagnostic::error("the request lacks what it must hold for its operation").into()
}

fn half_made(request: &ApplyRequest, whole: bool) -> Diagnostics {
    if whole {
        return Diagnostics::new();
    }
    Diagnostic::error(format!(
        "{}: the fake cloud stopped half-way",
        request.address
    ))
    .because("A seeded fault or a kill point left the object half made.")
    .help("Run apply again: it will be replaced.")
    .into()
}

fn kill(settings: &Settings, moment: Moment, verb: Verb) {
    if settings
        .kill_at
        .as_ref()
        .is_some_and(|k| k.is_now(moment, verb))
    {
        std::process::abort();
    }
}

/// Fails where the seed says so, and writes it down so that the next attempt rolls anew.
fn strike(
    settings: &Settings,
    locked: &mut Locked<'_>,
    verb: Verb,
    address: &str,
    name: &str,
) -> Result<(), Diagnostics> {
    let what = format!("{} {name}", verb.word());
    if !settings.faults.strikes(verb, name, locked.refusals(&what)) {
        return Ok(());
    }
    locked
        .append(Entry::Refused { what: what.clone() })
        .map_err(|e| failed(&e))?;
    Err(
        Diagnostic::error(format!("{address}: the fake cloud refused to {what}"))
            .because("The seed of its faults says so.")
            .help("Run it again: the next attempt may succeed.")
            .into(),
    )
}

fn validate_thing(config: &Value) -> Diagnostics {
    let mut found = Diagnostics::new();
    if config.get("name").and_then(Value::as_str) == Some("") {
        found.push(Diagnostic::error("`name` must not be empty"));
    }
    if let Some(size) = config.get("size").and_then(Value::as_number) {
        let fits = size.as_i64().is_some_and(|n| (0..=1000).contains(&n));
        if !fits {
            let d = Diagnostic::error(format!("`size` is {size} and must be from 0 to 1000"));
            found.push(d);
        }
    }
    let disks = config
        .get("disk")
        .and_then(Value::elements)
        .unwrap_or_default();
    let mut names = BTreeSet::new();
    for name in disks
        .iter()
        .filter_map(|d| d.get("name"))
        .filter_map(Value::as_str)
    {
        if !names.insert(name) {
            found.push(Diagnostic::error(format!("two disks are named {name:?}")));
        }
    }
    found
}

fn unknown() -> Value {
    Value::unknown(Type::String)
}

fn plan_create(proposed: Value) -> Value {
    let class = proposed.get("class").is_some_and(Value::is_null);
    let planned = open_disks(proposed)
        .with("id", unknown())
        .with("endpoint", unknown());
    if class {
        planned.with("class", unknown())
    } else {
        planned
    }
}

fn plan_update(prior: &Value, proposed: Value) -> Value {
    let renamed = prior.get("name") != proposed.get("name");
    let planned = open_disks(proposed);
    if renamed {
        planned.with("endpoint", unknown())
    } else {
        planned
    }
}

/// Disks that have no id yet get one at apply.
fn open_disks(value: Value) -> Value {
    map_disks(value, |disk| match disk.get("id") {
        Some(id) if !id.is_null() => disk,
        _ => disk.with("id", unknown()),
    })
}

fn map_disks(value: Value, f: impl Fn(Value) -> Value) -> Value {
    let disks = match value.get("disk").map(Value::kind) {
        Some(Kind::List(ty, items)) => {
            Value::list(ty.clone(), items.iter().map(|d| f(d.clone())).collect())
        }
        _ => return value,
    };
    value.with("disk", disks)
}

/// The planned value with all that the cloud decides.
fn complete(planned: &Value, id: &str) -> Result<Known, Diagnostics> {
    let fill = |value: Value, key: &str, with: String| match value.get(key) {
        Some(open) if open.is_unknown() => value.with(key, Value::from(with)),
        _ => value,
    };
    let endpoint = format!("{}.fake.test", name_of(planned));
    let value = fill(planned.clone(), "id", id.to_owned());
    let value = fill(value, "endpoint", endpoint);
    let value = fill(value, "class", "standard".to_owned());
    let value = map_disks(value, |disk| {
        let disk_id = format!("{id}-{}", name_of(&disk));
        fill(disk, "id", disk_id)
    });
    Known::new(value).map_err(|e| Diagnostic::error(e.to_string()).into())
}
