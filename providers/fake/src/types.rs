//! The types of real providers on a fake cloud.
//!
//! [`FakeTypes`] serves whatever schema it is given, such as the tables of a cloud's provider: what
//! the provider would find out is made up, by the object's id and the attribute's name. Its machines
//! can be denied ([`Limits`]), as clouds do that have none left, and a call can be lost before and after
//! any change of an object ([`FakeTypes::watched`]).

use crate::cloud::{Cloud, CloudError, CloudObject, Entry};
use async_trait::async_trait;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use weir_core::{
    Diagnostic, Diagnostics, Kind, Known, Shortage, Type, Value, json,
    plan::Op,
    schema::{Block, Schema},
};
use weir_provider::{
    ApplyRequest, ApplyResponse, Completeness, Imported, PlanRequest, PlanResponse, Progress,
    Provider, ProviderSchema, ReadRequest, ReadResponse, Settled,
    declared::{self, Catalog, Entry as Declared},
};

/// How many machines the cloud still makes, by a text in their type or zone, and of what it is
/// short then.
#[derive(Debug, Default)]
pub struct Limits(Mutex<BTreeMap<String, (usize, Shortage)>>);

impl Limits {
    /// Makes at most so many more machines with `part` in one of their attributes.
    pub fn allow(&self, part: &str, count: usize, shortage: Shortage) {
        self.all().insert(part.to_owned(), (count, shortage));
    }

    /// No limits.
    pub fn lift(&self) {
        self.all().clear();
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<String, (usize, Shortage)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a machine from all limits it falls under; what the cloud is short of, where one of
    /// them is used up.
    fn take(&self, value: &Value) -> Option<Shortage> {
        let texts: Vec<&str> = match value.kind() {
            Kind::Object(fields) => fields.values().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let mut limits = self.all();
        let falls_under = |part: &String| texts.iter().any(|t| t.contains(part.as_str()));
        let mut own = limits.iter_mut().filter(|(part, _)| falls_under(part));
        own.find_map(|(_, (left, shortage))| match left.checked_sub(1) {
            Some(less) => {
                *left = less;
                None
            }
            None => Some(*shortage),
        })
    }
}

/// Whether a call goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It does.
    GoesOn,
    /// It never answers: whoever called is gone.
    IsLost,
}

/// Called before and after a change: the moment, the verb and the address.
pub type Watch = Arc<dyn Fn(&str, Op, &str) -> Fate + Send + Sync>;

/// See the module's page.
pub struct FakeTypes {
    types: Catalog,
    cloud: Arc<Cloud>,
    limits: Arc<Limits>,
    /// The types whose objects [`Limits`] are about.
    machines: &'static [&'static str],
    /// What data sources and computed attributes are, by type and attribute, where it matters.
    made_up: BTreeMap<(&'static str, &'static str), Value>,
    watch: Option<Watch>,
}

/// The types of machines.
const MACHINES: [&str; 3] = [
    "aws_instance",
    "azurerm_linux_virtual_machine",
    "google_compute_instance",
];

impl FakeTypes {
    /// The types of two tables, as [`Catalog::read`] takes them.
    pub fn declared(tables: (&str, &str), cloud: Arc<Cloud>, limits: Arc<Limits>) -> FakeTypes {
        FakeTypes::of(Catalog::read(tables.0, tables.1), cloud, limits)
    }

    /// The types of a schema.
    pub fn served(schema: ProviderSchema, cloud: Arc<Cloud>, limits: Arc<Limits>) -> FakeTypes {
        let entry = |(name, schema): (&String, &Schema)| {
            let entry = Declared {
                schema: schema.clone(),
                ..Declared::default()
            };
            (name.clone(), entry)
        };
        let catalog = Catalog {
            resources: schema.resources.iter().map(entry).collect(),
            served: schema,
        };
        FakeTypes::of(catalog, cloud, limits)
    }

    fn of(types: Catalog, cloud: Arc<Cloud>, limits: Arc<Limits>) -> FakeTypes {
        FakeTypes {
            types,
            cloud,
            limits,
            machines: &MACHINES,
            made_up: BTreeMap::new(),
            watch: None,
        }
    }

    /// With a value that it finds out for an attribute of a type.
    #[must_use]
    pub fn finding(mut self, ty: &'static str, attribute: &'static str, value: Value) -> FakeTypes {
        self.made_up.insert((ty, attribute), value);
        self
    }

    /// With somebody who is told `before` and `after` each change.
    #[must_use]
    pub fn watched(mut self, watch: Watch) -> FakeTypes {
        self.watch = Some(watch);
        self
    }

    async fn tell(&self, moment: &str, request: &ApplyRequest) {
        if let Some(watch) = &self.watch
            && watch(moment, request.op, &request.address) == Fate::IsLost
        {
            std::future::pending::<()>().await;
        }
    }

    /// The value with all that is unknown, or computed and null, made up.
    fn complete(&self, ty: &str, value: &Value, block: &Block, id: &str) -> Result<Known, String> {
        let mut value = value.clone();
        for (name, attribute) in &block.attributes {
            let now = value.get(name);
            let open = now.is_none_or(|v| v.is_null() || !v.is_wholly_known());
            if !attribute.is_computed() || !open {
                continue;
            }
            let known = self
                .made_up
                .iter()
                .find(|((t, a), _)| *t == ty && a == name);
            let found = match known {
                Some((_, found)) => found.clone(),
                None => made_up(&attribute.ty, id, name),
            };
            value = value.with(name, found);
        }
        let value = value.transform(&mut |v| match v.kind() {
            Kind::Unknown(ty, _) => made_up(ty, id, "unknown").mark(v.marks()),
            _ => v,
        });
        Known::new(value).map_err(|e| e.to_string())
    }

    fn create(&self, request: &ApplyRequest) -> Result<Option<Known>, Diagnostics> {
        let planned = request
            .planned
            .as_ref()
            .ok_or_else(|| refused("nothing planned"))?;
        let mut cloud = self.cloud.lock().map_err(|e| failed(&e))?;
        let operation = operation(request);
        if let Some(object) = cloud.made_by(&operation).and_then(|id| cloud.object(id)) {
            return Ok(Some(object.value.clone()));
        }
        if self.machines.contains(&request.type_name.as_str())
            && let Some(shortage) = self.limits.take(planned)
        {
            let d = Diagnostic::error(format!("{}: the cloud makes no machine", request.address))
                .because(format!("InsufficientInstanceCapacity: {shortage}."))
                .help("Try another type, or another cloud.");
            return Err(d.of_shortage(shortage).into());
        }
        let id = cloud.next_id();
        let block = self.block(&request.type_name)?;
        let value = self
            .complete(&request.type_name, planned, block, &id)
            .map_err(|e| refused(&e))?;
        cloud
            .append(Entry::Created {
                id,
                type_name: request.type_name.clone(),
                operation,
                value: json::encode(value.value()),
                whole: true,
            })
            .map_err(|e| failed(&e))?;
        Ok(Some(value))
    }

    fn update(&self, request: &ApplyRequest) -> Result<Option<Known>, Diagnostics> {
        let planned = request
            .planned
            .as_ref()
            .ok_or_else(|| refused("nothing planned"))?;
        let mut cloud = self.cloud.lock().map_err(|e| failed(&e))?;
        let id = self.id(
            &cloud.objects().cloned().collect::<Vec<_>>(),
            request.prior.as_ref(),
        );
        let id = id.ok_or_else(|| refused("it is gone"))?;
        let block = self.block(&request.type_name)?;
        let value = self
            .complete(&request.type_name, planned, block, &id)
            .map_err(|e| refused(&e))?;
        cloud
            .append(Entry::Updated {
                id,
                operation: Some(operation(request)),
                value: json::encode(value.value()),
                by: None,
            })
            .map_err(|e| failed(&e))?;
        Ok(Some(value))
    }

    fn delete(&self, request: &ApplyRequest) -> Result<Option<Known>, Diagnostics> {
        let mut cloud = self.cloud.lock().map_err(|e| failed(&e))?;
        let objects: Vec<CloudObject> = cloud.objects().cloned().collect();
        if let Some(id) = self.id(&objects, request.prior.as_ref()) {
            cloud
                .append(Entry::Deleted {
                    id,
                    operation: Some(operation(request)),
                    by: None,
                })
                .map_err(|e| failed(&e))?;
        }
        Ok(None)
    }

    /// The cloud's id of an object: what all made-up attributes begin with, or its very value.
    fn id(&self, objects: &[CloudObject], prior: Option<&Known>) -> Option<String> {
        let prior = prior?.value();
        let same = |o: &&CloudObject| {
            ["id", "fingerprint", "hostname", "directory"]
                .iter()
                .any(|a| {
                    let both = (o.value.value().get(a), prior.get(a));
                    matches!(both, (Some(a), Some(b)) if !a.is_null() && a == b)
                })
        };
        objects.iter().find(same).map(|o| o.id.clone())
    }

    fn block(&self, ty: &str) -> Result<&Block, Diagnostics> {
        let entry = self.types.resources.get(ty);
        let entry = entry.ok_or_else(|| refused(&format!("there is no type {ty}")))?;
        Ok(&entry.schema.block)
    }
}

/// Something of a type that tells whose it is.
fn made_up(ty: &Type, id: &str, name: &str) -> Value {
    match ty {
        Type::String if name == "id" => Value::string(id),
        Type::String if name.contains("ip") => {
            let number: u32 = id
                .bytes()
                .filter(u8::is_ascii_digit)
                .fold(0, |n, b| (n * 10 + u32::from(b - b'0')) % 250);
            Value::string(format!("198.51.100.{number}"))
        }
        Type::String => Value::string(format!("{id}-{name}")),
        Type::Number => Value::number(4u64),
        Type::Bool => Value::bool(false),
        Type::List(of) => Value::list((**of).clone(), Vec::new()),
        Type::Set(of) => Value::set((**of).clone(), Vec::new()),
        Type::Map(of) => Value::map((**of).clone(), weir_core::Entries::new()),
        other => Value::null_of(other.clone()),
    }
}

fn failed(e: &CloudError) -> Diagnostics {
    Diagnostic::error(e.to_string()).into()
}

fn refused(why: &str) -> Diagnostics {
    Diagnostic::error(format!("the fake cloud refuses: {why}")).into()
}

fn operation(request: &ApplyRequest) -> String {
    format!("{} {}", request.token.text(), request.address)
}

#[async_trait]
impl Provider for FakeTypes {
    fn schema(&self) -> &ProviderSchema {
        &self.types.served
    }

    async fn configure(&self, _config: &Value) -> Result<(), Diagnostics> {
        Ok(())
    }

    async fn validate(&self, _type_name: &str, _config: &Value) -> Diagnostics {
        Diagnostics::new()
    }

    async fn plan(&self, request: PlanRequest) -> Result<PlanResponse, Diagnostics> {
        let entry = self.types.resources.get(&request.type_name);
        let entry = entry.ok_or_else(|| refused("there is no such type"))?;
        let prior = request.prior.as_ref().map(Known::value);
        let planned = declared::plan(entry, prior, &request.config, &request.proposed);
        let requires_replace = match prior {
            Some(prior) => declared::replaced(entry, prior, &request.config, &planned),
            None => Vec::new(),
        };
        Ok(PlanResponse {
            planned,
            requires_replace,
            private: Vec::new(),
            batch: None,
            warnings: Diagnostics::new(),
        })
    }

    async fn apply(&self, request: ApplyRequest, _progress: &dyn Progress) -> ApplyResponse {
        self.tell("before", &request).await;
        let outcome = match request.op {
            Op::Create => self.create(&request),
            Op::Update => self.update(&request),
            _ => self.delete(&request),
        };
        self.tell("after", &request).await;
        match outcome {
            Ok(value) => ApplyResponse {
                value,
                private: Vec::new(),
                diagnostics: Diagnostics::new(),
            },
            Err(diagnostics) => ApplyResponse {
                value: request.prior,
                private: Vec::new(),
                diagnostics,
            },
        }
    }

    async fn read(&self, request: ReadRequest) -> Result<ReadResponse, Diagnostics> {
        let cloud = self.cloud.lock().map_err(|e| failed(&e))?;
        let objects: Vec<CloudObject> = cloud.objects().cloned().collect();
        let id = self.id(&objects, Some(&request.prior));
        let value = id.and_then(|id| cloud.object(&id)).map(|o| o.value.clone());
        Ok(ReadResponse {
            value,
            private: request.private,
        })
    }

    async fn import(&self, _type_name: &str, _id: &str) -> Result<Vec<Imported>, Diagnostics> {
        Err(refused("nothing is imported from it"))
    }

    async fn data(&self, type_name: &str, config: &Value) -> Result<Known, Diagnostics> {
        let schema = self.types.served.data.get(type_name);
        let schema = schema.ok_or_else(|| refused("there is no such data source"))?;
        self.complete(type_name, config, &schema.block, type_name)
            .map_err(|e| refused(&e))
    }

    async fn settle(&self, request: ApplyRequest) -> Settled {
        let cloud = match self.cloud.lock() {
            Ok(cloud) => cloud,
            Err(e) => return Settled::Unknown(e.to_string()),
        };
        let operation = operation(&request);
        let objects: Vec<CloudObject> = cloud.objects().cloned().collect();
        let done = |value: Option<Known>| Settled::Done {
            value,
            private: Vec::new(),
            completeness: Completeness::Whole,
        };
        let id = self.id(&objects, request.prior.as_ref());
        match request.op {
            Op::Create => match cloud.made_by(&operation).and_then(|id| cloud.object(id)) {
                Some(object) => done(Some(object.value.clone())),
                None => Settled::NotDone,
            },
            Op::Update if cloud.was_done(&operation) => {
                done(id.and_then(|id| cloud.object(&id)).map(|o| o.value.clone()))
            }
            Op::Delete if id.is_none() => done(None),
            _ => Settled::NotDone,
        }
    }
}
