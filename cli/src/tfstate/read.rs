//! A state file as what weir's state shall hold. All of it is read, or nothing.

use super::{Notes, attributes, edges, provider_of};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use weir_core::{
    Address, Key, Known, ModulePath, Object,
    checks::{CheckInstance, CheckResult},
    json::{self as wire, Encoded},
    references::References,
    snapshot::{DeposedKey, Lineage, Removal, Resource, Serial, Snapshot, Status},
};
use weir_lang::Schemas;

/// What a state file holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Taken {
    pub(crate) lineage: Lineage,
    pub(crate) serial: Serial,
    pub(crate) resources: BTreeMap<Address, Resource>,
    /// Objects that replacements put aside and that were not deleted yet.
    pub(crate) deposed: Vec<Aside>,
    pub(crate) outputs: BTreeMap<String, Known>,
    /// What is behind the resources.
    pub(crate) references: References,
    /// `None` where the file has no word on conditions.
    pub(crate) checks: Option<Vec<CheckResult>>,
}

impl Taken {
    /// The state that the file is of.
    pub(crate) fn into_snapshot(self) -> Snapshot {
        let mut state = Snapshot::empty(self.lineage);
        state.serial = self.serial;
        state.resources = self.resources;
        state.outputs = self.outputs;
        state.references = self.references;
        for (address, key, resource) in self.deposed {
            let objects = state.deposed.entry(address).or_default();
            objects.insert(key, resource);
        }
        state
    }
}

/// An object that was put aside: its instance, and by which key.
pub(crate) type Aside = (Address, DeposedKey, Resource);

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    serial: u64,
    #[serde(default)]
    lineage: String,
    #[serde(default)]
    outputs: BTreeMap<String, Output>,
    #[serde(default)]
    resources: Vec<Block>,
    #[serde(default)]
    check_results: Option<Vec<Check>>,
    #[serde(default, rename = "version")]
    _version: Json,
    #[serde(default, rename = "terraform_version")]
    _terraform: Json,
}

/// Fields of a file that are read.
const FIELDS: [&str; 7] = [
    "version",
    "terraform_version",
    "serial",
    "lineage",
    "outputs",
    "resources",
    "check_results",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Output {
    value: Json,
    #[serde(rename = "type")]
    ty: Json,
    #[serde(default)]
    sensitive: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Block {
    #[serde(default)]
    module: String,
    mode: String,
    #[serde(rename = "type")]
    ty: String,
    name: String,
    provider: String,
    instances: Vec<Map<String, Json>>,
    /// Of Terraform 0.12: the keys say the same.
    #[serde(default, rename = "each")]
    _each: Json,
}

#[derive(Deserialize)]
struct Check {
    object_kind: Json,
    config_addr: String,
    status: Json,
    #[serde(default)]
    objects: Option<Vec<CheckObject>>,
}

#[derive(Deserialize)]
struct CheckObject {
    object_addr: String,
    status: Json,
    #[serde(default)]
    failure_messages: Option<Vec<String>>,
}

/// Reads a state file.
///
/// # Errors
/// All that can't be kept, or is wrong, a line each.
pub(crate) fn read(text: &str, schemas: &dyn Schemas) -> Result<Taken, Vec<String>> {
    let one = |text: String| vec![text];
    let json: Json =
        serde_json::from_str(text).map_err(|e| one(format!("it can't be read as JSON: {e}")))?;
    known_version(&json).map_err(one)?;
    let file: File =
        serde_json::from_value(json).map_err(|e| one(format!("it can't be read: {e}")))?;
    if file.lineage.is_empty() || file.lineage.chars().any(|c| c.is_whitespace()) {
        return Err(one(format!("its lineage {:?} is none", file.lineage)));
    }
    let mut reader = Reader {
        schemas,
        rows: BTreeMap::new(),
        deposed: Vec::new(),
        problems: Vec::new(),
    };
    for block in &file.resources {
        reader.block(block);
    }
    let mut outputs = BTreeMap::new();
    for (name, output) in file.outputs {
        match read_output(output) {
            Ok(value) => drop(outputs.insert(name, value)),
            Err(cause) => reader.problems.push(format!("output {name:?}: {cause}")),
        }
    }
    let checks = match file.check_results.map(read_checks).transpose() {
        Ok(checks) => checks,
        Err(cause) => {
            reader.problems.push(format!("check_results: {cause}"));
            None
        }
    };
    if !reader.problems.is_empty() {
        return Err(reader.problems);
    }
    let references = reader.references();
    let (resources, deposed) = reader.joined();
    Ok(Taken {
        lineage: Lineage(file.lineage),
        serial: Serial(file.serial),
        resources,
        deposed,
        outputs,
        references,
        checks,
    })
}

/// The outputs that a state file has, whatever else is in it.
pub(crate) fn outputs(text: &str) -> Result<BTreeMap<String, Known>, String> {
    let json: Json =
        serde_json::from_str(text).map_err(|e| format!("it can't be read as JSON: {e}"))?;
    known_format(&json)?;
    let outputs = json.get("outputs").cloned().unwrap_or_else(|| json!({}));
    let outputs: BTreeMap<String, Output> =
        serde_json::from_value(outputs).map_err(|e| format!("its outputs can't be read: {e}"))?;
    let read = |(name, output)| match read_output(output) {
        Ok(value) => Ok((name, value)),
        Err(cause) => Err(format!("its output {name:?} can't be read: {cause}")),
    };
    outputs.into_iter().map(read).collect()
}

/// Whether it is of the format that is read, and nothing of it would be lost.
fn known_version(json: &Json) -> Result<(), String> {
    known_format(json)?;
    let mut fields = json.as_object().into_iter().flat_map(Map::keys);
    match fields.find(|k| !FIELDS.contains(&k.as_str())) {
        Some(name) => Err(format!("its field `{name}` would be lost")),
        None => Ok(()),
    }
}

fn known_format(json: &Json) -> Result<(), String> {
    let Some(fields) = json.as_object() else {
        return Err("it is not a state file: its JSON is no object".into());
    };
    if fields.contains_key("encrypted_data") {
        return Err("it is encrypted by OpenTofu: `tofu state pull` gives it as it is read".into());
    }
    match fields.get("version") {
        Some(v) if *v == json!(4) => {}
        Some(v) if v.is_u64() => {
            return Err(format!(
                "it has format {v}, and format 4 is read: `terraform state pull` of Terraform \
                 0.12 or later gives that"
            ));
        }
        _ => return Err("it is not a state file: it has no `version`".into()),
    }
    Ok(())
}

fn read_output(output: Output) -> Result<Known, String> {
    let encoded = Encoded {
        ty: output.ty,
        value: output.value,
        unknown: Vec::new(),
        refined: Vec::new(),
        sensitive: match output.sensitive {
            true => vec![json!([])],
            false => Vec::new(),
        },
    };
    let value = wire::decode(&encoded).map_err(|e| e.to_string())?;
    Known::new(value).map_err(|e| e.to_string())
}

fn read_checks(checks: Vec<Check>) -> Result<Vec<CheckResult>, String> {
    let one = |check: Check| {
        let objects = check.objects.unwrap_or_default().into_iter();
        Ok(CheckResult {
            block: check.config_addr,
            kind: word(&check.object_kind)?,
            status: word(&check.status)?,
            instances: objects
                .map(|o| {
                    Ok(CheckInstance {
                        address: o.object_addr,
                        status: word(&o.status)?,
                        problems: o.failure_messages.unwrap_or_default(),
                    })
                })
                .collect::<Result<_, String>>()?,
        })
    };
    checks.into_iter().map(one).collect()
}

fn word<T: serde::de::DeserializeOwned>(json: &Json) -> Result<T, String> {
    T::deserialize(json).map_err(|_| format!("{json} is not known"))
}

/// An instance on its way: its dependencies are of blocks, and by any way.
struct Row {
    resource: Resource,
    notes: Notes,
    behind: BTreeSet<Address>,
}

struct Reader<'a> {
    schemas: &'a dyn Schemas,
    rows: BTreeMap<Address, Row>,
    deposed: Vec<(Address, DeposedKey, Row)>,
    problems: Vec<String>,
}

impl Reader<'_> {
    fn block(&mut self, block: &Block) {
        let name = |block: &Block| match block.module.as_str() {
            "" => format!("{}.{}", block.ty, block.name),
            module => format!("{module}.{}.{}", block.ty, block.name),
        };
        let address = match address(block) {
            Ok(address) => address,
            Err(cause) => {
                self.problems.push(format!("{}: {cause}", name(block)));
                return;
            }
        };
        for fields in &block.instances {
            if let Err(cause) = self.instance(block, &address, fields.clone()) {
                let key = fields.get("index_key");
                let key = key.map_or(String::new(), |k| format!("[{k}]"));
                self.problems.push(format!("{address}{key}: {cause}"));
            }
        }
    }

    fn instance(
        &mut self,
        block: &Block,
        address: &Address,
        mut fields: Map<String, Json>,
    ) -> Result<(), String> {
        let (provider, source) = provider_of(&block.provider)
            .ok_or_else(|| format!("its provider {} can't be read", block.provider))?;
        let address = Address {
            key: key(fields.remove("index_key"))?,
            ..address.clone()
        };
        // Keys of a store are texts: one that reads back as something else would be lost.
        if address.to_string().parse().as_ref() != Ok(&address) {
            return Err("its address can't be kept".into());
        }
        let list = |json: Option<Json>| match json {
            None | Some(Json::Null) => Ok(Vec::new()),
            Some(Json::Array(items)) => Ok(items),
            Some(_) => Err("a list stands otherwise"),
        };
        let schema_version = match fields.remove("schema_version") {
            None => 0,
            Some(v) => v
                .as_u64()
                .and_then(|v| u32::try_from(v).ok())
                .ok_or("its schema_version is no number")?,
        };
        if let Some(flat) = fields.remove("attributes_flat")
            && !flat.is_null()
        {
            return Err(
                "its attributes are those of Terraform 0.11: `terraform apply -refresh-only` \
                 writes them anew"
                    .into(),
            );
        }
        let written = match fields.remove("attributes") {
            Some(object @ Json::Object(_)) => object,
            _ => return Err("it has no attributes".into()),
        };
        let sensitive = list(fields.remove("sensitive_attributes"))?;
        let ty = address.object.type_name();
        let schema = match &address.object {
            Object::Data { .. } => self.schemas.data(ty),
            _ => self.schemas.resource(ty),
        };
        let schema = schema.filter(|s| s.version == schema_version);
        let attributes = attributes::read(&written, &sensitive, schema)?;
        let private = match fields.remove("private") {
            None | Some(Json::Null) => Vec::new(),
            Some(text) => private(&text)?,
        };
        let status = match fields.remove("status") {
            None | Some(Json::Null) => Status::Ready,
            Some(s) if s == "tainted" => Status::Tainted,
            Some(other) => return Err(format!("its status {other} is not known")),
        };
        let mut behind = BTreeSet::new();
        for text in list(fields.remove("dependencies"))? {
            let on: Option<Address> = text.as_str().and_then(|t| t.parse().ok());
            let on = on.ok_or_else(|| format!("its dependency {text} is no address"))?;
            behind.insert(on.written());
        }
        behind.remove(&address.written());
        let deposed = fields.get("deposed").and_then(Json::as_str);
        let deposed = deposed.map(|k| DeposedKey(k.to_owned()));
        // The journal holds what is put aside, and has no word for that.
        if deposed.is_some() && status == Status::Tainted {
            fields.insert("status".into(), json!("tainted"));
        }
        let row = Row {
            resource: Resource {
                provider,
                schema_version,
                value: attributes.value,
                private,
                dependencies: BTreeSet::new(),
                status,
                removal: Removal::default(),
                foreign: None,
            },
            notes: Notes {
                source,
                form: attributes.form,
                absent: Vec::new(),
                rest: fields,
            },
            behind,
        };
        match deposed {
            Some(key) => self.deposed.push((address, key, row)),
            None if self.rows.contains_key(&address) => {
                return Err("it is in the file twice".into());
            }
            None => drop(self.rows.insert(address, row)),
        }
        Ok(())
    }

    /// What is behind each instance, by any way.
    fn references(&self) -> References {
        let text = |row: &Row| row.behind.iter().map(Address::to_string).collect();
        let lists = self.rows.iter().map(|(a, row)| (a.clone(), text(row)));
        References::of_lists(&lists.collect())
    }

    /// The instances with what they depend on directly.
    fn joined(self) -> (BTreeMap<Address, Resource>, Vec<Aside>) {
        let mut ways: edges::Ways = BTreeMap::new();
        // Which blocks of which module instances are meant by what a dependency says.
        let mut places: BTreeMap<Address, BTreeSet<Address>> = BTreeMap::new();
        for (address, row) in &self.rows {
            let behind = ways.entry(address.written()).or_default();
            behind.extend(row.behind.iter().cloned());
            let place = places.entry(address.written()).or_default();
            place.insert(address.block());
        }
        let join = |mut row: Row| {
            let (there, absent): (BTreeSet<Address>, BTreeSet<Address>) =
                row.behind.into_iter().partition(|d| places.contains_key(d));
            let direct = edges::direct(&there, &ways);
            let direct = direct.iter().filter_map(|d| places.get(d)).flatten();
            row.resource.dependencies = direct.cloned().collect();
            row.notes.absent = absent.iter().map(Address::to_string).collect();
            row.resource.foreign = row.notes.into_foreign();
            row.resource
        };
        let deposed = self.deposed.into_iter();
        let deposed = deposed.map(|(a, key, row)| (a, key, join(row))).collect();
        let rows = self.rows.into_iter().map(|(a, row)| (a, join(row)));
        (rows.collect(), deposed)
    }
}

fn key(index: Option<Json>) -> Result<Key, String> {
    match index {
        None | Some(Json::Null) => Ok(Key::None),
        Some(Json::String(name)) => Ok(Key::Name(name.into())),
        Some(Json::Number(n)) => match n.as_u64() {
            Some(i) => Ok(Key::Index(i)),
            None => Err(format!("its index {n} is none")),
        },
        Some(other) => Err(format!("its index {other} is none")),
    }
}

fn private(text: &Json) -> Result<Vec<u8>, String> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let text = text.as_str().unwrap_or("?");
    STANDARD
        .decode(text)
        .map_err(|_| "its private data is not in base64".into())
}

/// The address of a block, in its module instance.
fn address(block: &Block) -> Result<Address, String> {
    let (ty, name) = (block.ty.clone(), block.name.clone());
    let builtin = block.provider.contains("\"weir/builtin/host\"");
    let object = match (block.mode.as_str(), ty.as_str(), name.split_once('.')) {
        ("managed", "weir_host", _) if builtin => Object::Host { site: name.into() },
        ("managed", "weir_pod", Some((service, pod))) if builtin => Object::Pod {
            service: service.into(),
            pod: pod.into(),
        },
        ("managed", ..) => Object::Managed {
            ty: ty.into(),
            name: name.into(),
        },
        ("data", ..) => Object::Data {
            ty: ty.into(),
            name: name.into(),
        },
        (mode, ..) => return Err(format!("its mode {mode:?} is not known")),
    };
    let module = match block.module.as_str() {
        "" => ModulePath::root(),
        text => {
            let inside: Result<Address, _> = format!("{text}.a.b").parse();
            inside
                .map_err(|_| format!("its module {text:?} can't be read"))?
                .module
        }
    };
    Ok(Address {
        module,
        object,
        key: Key::None,
    })
}
