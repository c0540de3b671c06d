//! Schemas of a provider that does not exist, and a driver that answers as the engine would.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    path::PathBuf,
    sync::Arc,
};
use weir_core::{
    Address, Diagnostic, Diagnostics, Type, Value,
    schema::{Attribute, Block, NestedBlock, Nesting, Schema, SetBy},
};
use weir_lang::{
    Catalog, Config, Evaluator, Inputs, Instance, Loaded, MemoryFiles, Next, Output, PlaceRequest,
    Placement, ProviderConfig, Schemas, examine, load,
};

/// A provider `fake` with `fake_thing` and `data.fake_lookup`, and the host's two resources.
pub(crate) struct FakeSchemas {
    thing: Schema,
    /// A thing whose provider makes the disks that the configuration leaves out.
    machine: Schema,
    lookup: Schema,
    token: Schema,
    provider: Schema,
    host: Schema,
    pod: Schema,
    terraform_data: Schema,
    empty: Schema,
}

fn attr(ty: Type, set_by: SetBy) -> Attribute {
    Attribute::new(ty, set_by)
}

fn block(attributes: Vec<(&str, Attribute)>, blocks: Vec<(&str, NestedBlock)>) -> Block {
    Block {
        attributes: attributes
            .into_iter()
            .map(|(k, a)| (k.to_owned(), a))
            .collect(),
        blocks: blocks.into_iter().map(|(k, b)| (k.to_owned(), b)).collect(),
    }
}

impl FakeSchemas {
    pub(crate) fn new() -> FakeSchemas {
        use SetBy::{Computed, Optional, Required};
        let of = |block| Schema { version: 0, block };
        let s = || Type::String;
        let rule = block(
            vec![
                ("port", attr(Type::Number, Required)),
                ("cidr", attr(s(), Optional)),
            ],
            vec![],
        );
        let thing = block(
            vec![
                ("name", attr(s(), Optional)),
                ("size", attr(Type::Number, Optional)),
                ("tags", attr(Type::map(s()), Optional)),
                ("secret", attr(s(), Optional).sensitive()),
                ("password", attr(s(), Optional).write_only()),
                ("after", attr(Type::list(s()), Optional)),
                ("id", attr(s(), Computed)),
            ],
            vec![(
                "rule",
                NestedBlock {
                    block: rule,
                    nesting: Nesting::List,
                    min: 0,
                    max: Some(3),
                    absent: weir_core::schema::Absent::None,
                },
            )],
        );
        let disk = NestedBlock {
            block: block(vec![("size", attr(Type::Number, Optional))], vec![]),
            nesting: Nesting::List,
            min: 0,
            max: None,
            absent: weir_core::schema::Absent::Provider,
        };
        let machine = block(vec![("id", attr(s(), Computed))], vec![("disk", disk)]);
        let lookup = block(
            vec![
                ("name", attr(s(), Required)),
                ("value", attr(s(), Computed)),
            ],
            vec![],
        );
        let token = block(
            vec![
                ("name", attr(s(), Optional)),
                ("value", attr(s(), Computed)),
            ],
            vec![],
        );
        let provider = block(vec![("region", attr(s(), Optional))], vec![]);
        FakeSchemas {
            thing: of(thing),
            machine: of(machine),
            lookup: of(lookup),
            token: of(token),
            provider: of(provider),
            host: of(host()),
            pod: of(pod()),
            terraform_data: of(terraform_data()),
            empty: Schema::default(),
        }
    }
}

impl FakeSchemas {
    /// A provider `host` that is not the one the language knows.
    pub(crate) fn of_another_version(mut self) -> FakeSchemas {
        let number = attr(Type::Number, SetBy::Optional);
        let attributes = &mut self.host.block.attributes;
        attributes.insert("address".to_owned(), number);
        self
    }
}

fn terraform_data() -> Block {
    let any = |set_by| attr(Type::Dynamic, set_by);
    block(
        vec![
            ("input", any(SetBy::Optional)),
            ("output", any(SetBy::Computed)),
            ("triggers_replace", any(SetBy::Optional)),
            ("id", attr(Type::String, SetBy::Computed)),
        ],
        vec![],
    )
}

fn host() -> Block {
    use SetBy::{Computed, Optional, Required};
    let s = || Type::String;
    let bastion = Type::object([
        ("address", s()),
        ("port", Type::Number),
        ("user", s()),
        ("private_key_file", s()),
        ("host_key", Type::list(s())),
    ]);
    block(
        vec![
            ("name", attr(s(), Required)),
            ("site", attr(s(), Required)),
            ("connection", attr(s(), Optional)),
            ("address", attr(s(), Optional)),
            ("port", attr(Type::Number, Optional)),
            ("user", attr(s(), Optional)),
            ("private_key_file", attr(s(), Optional)),
            ("host_key", attr(Type::list(s()), Optional)),
            ("trust_on_first_use", attr(Type::Bool, Optional)),
            ("bastion", attr(Type::list(bastion), Optional)),
            ("home", attr(s(), Optional)),
            ("labels", attr(Type::map(s()), Optional)),
            ("cpus", attr(Type::Number, Computed)),
            ("memory_bytes", attr(Type::Number, Computed)),
        ],
        vec![],
    )
}

fn pod() -> Block {
    use SetBy::{Computed, Optional, Required};
    let s = || Type::String;
    let object = |names: &[&str]| Type::object(names.iter().map(|n| (*n, Type::String)));
    let probe = Type::object([
        ("http", s()),
        ("tcp", s()),
        ("exec", s()),
        ("every", s()),
        ("timeout", s()),
        ("failures", Type::Number),
    ]);
    let task = Type::object([
        ("name", s()),
        ("run", s()),
        ("unit", s()),
        ("goal", s()),
        ("env", Type::map(s())),
        ("ready", probe.clone()),
        ("alive", probe),
        ("backoff", object(&["initial", "max"])),
        ("kill_grace", s()),
        ("kill_signal", s()),
        ("reload", s()),
        ("essential", Type::Bool),
    ]);
    let artifact = Type::object([
        ("url", s()),
        ("path", s()),
        ("sha256", s()),
        ("unpack", Type::Bool),
        ("dest", s()),
    ]);
    let attributes = vec![
        ("host", attr(s(), Required)),
        ("address", attr(s(), Optional)),
        ("slug", attr(s(), Required)),
        ("user", attr(s(), Optional)),
        ("packages", attr(Type::set(s()), Optional)),
        (
            "directories",
            attr(Type::map(object(&["mode", "owner", "group"])), Optional),
        ),
        ("artifacts", attr(Type::map(artifact), Optional)),
        (
            "files",
            attr(
                Type::map(object(&["content", "mode", "owner", "group", "on_change"])),
                Optional,
            ),
        ),
        (
            "volumes",
            attr(Type::map(object(&["path", "size"])), Optional),
        ),
        ("env", attr(Type::map(s()), Optional)),
        ("ports", attr(Type::map(Type::Number), Optional)),
        ("cpus", attr(Type::Number, Optional)),
        ("memory", attr(Type::Number, Optional)),
        ("tasks", attr(Type::list(task), Optional)),
        ("status", attr(Type::map(s()), Computed)),
        ("directory", attr(s(), Computed)),
    ];
    block(attributes, vec![])
}

impl Schemas for FakeSchemas {
    fn resource(&self, ty: &str) -> Option<&Schema> {
        match ty {
            "fake_thing" => Some(&self.thing),
            "fake_machine" => Some(&self.machine),
            "weir_host" => Some(&self.host),
            "weir_pod" => Some(&self.pod),
            "terraform_data" => Some(&self.terraform_data),
            _ => None,
        }
    }
    fn data(&self, ty: &str) -> Option<&Schema> {
        (ty == "fake_lookup").then_some(&self.lookup)
    }
    fn ephemeral(&self, ty: &str) -> Option<&Schema> {
        (ty == "fake_token").then_some(&self.token)
    }
    fn provider(&self, name: &str) -> Option<&Schema> {
        match name {
            "fake" => Some(&self.provider),
            "host" | "terraform" => Some(&self.empty),
            _ => None,
        }
    }
    fn provider_of(&self, ty: &str) -> Option<&str> {
        matches!(ty, "weir_host" | "weir_pod").then_some("host")
    }
}

/// A catalogue with one module.
pub(crate) struct OneModule;

pub(crate) const CATALOGUE_MAIN: &str = r#"
variable "greeting" {
  type = string
}
resource "fake_thing" "hello" {
  name = var.greeting
}
output "id" { value = fake_thing.hello.id }
"#;

impl Catalog for OneModule {
    fn module(&self, name: &str) -> Option<BTreeMap<PathBuf, &'static [u8]>> {
        (name == "hello").then(|| [(PathBuf::from("main.hcl"), CATALOGUE_MAIN.as_bytes())].into())
    }
    fn names(&self) -> Vec<&str> {
        vec!["hello"]
    }
}

/// Everything a run yielded.
#[derive(Default)]
pub(crate) struct Run {
    pub(crate) instances: Vec<Instance>,
    pub(crate) providers: Vec<ProviderConfig>,
    pub(crate) requests: Vec<PlaceRequest>,
    pub(crate) outputs: BTreeMap<String, Output>,
    /// How many instances were yielded between two waits.
    pub(crate) waves: Vec<usize>,
    pub(crate) problems: Diagnostics,
}

impl Run {
    pub(crate) fn instance(&self, address: &str) -> &Instance {
        self.instances
            .iter()
            .find(|i| i.address.to_string() == address)
            .unwrap_or_else(|| panic!("{address} is not among {:?}", self.addresses()))
    }
    pub(crate) fn config(&self, address: &str) -> &Value {
        &self.instance(address).config
    }
    pub(crate) fn get(&self, address: &str, attribute: &str) -> String {
        self.config(address)
            .get(attribute)
            .map_or_else(|| "absent".into(), ToString::to_string)
    }
    pub(crate) fn addresses(&self) -> Vec<String> {
        self.instances
            .iter()
            .map(|i| i.address.to_string())
            .collect()
    }
    pub(crate) fn dependencies(&self, address: &str) -> Vec<String> {
        self.instance(address)
            .dependencies
            .iter()
            .map(ToString::to_string)
            .collect()
    }
    pub(crate) fn output(&self, name: &str) -> String {
        self.outputs[name].value.to_string()
    }
}

/// What the driver answers.
pub(crate) enum Mode {
    /// What a provider finds out is unknown, as at plan.
    Plan,
    /// It is known, as after apply.
    Apply,
}

pub(crate) fn files(files: &[(&str, &str)]) -> Arc<MemoryFiles> {
    Arc::new(MemoryFiles::of(files.iter().copied()))
}

pub(crate) fn try_load(of: &[(&str, &str)], inputs: &Inputs) -> Result<Loaded, Diagnostics> {
    load(files(of), &OneModule, inputs)
}

pub(crate) fn config(of: &[(&str, &str)]) -> Arc<Config> {
    match try_load(of, &Inputs::default()) {
        Ok(loaded) => loaded.config,
        Err(problems) => panic!("{}", all(&problems)),
    }
}

/// Loads and runs to the end.
pub(crate) fn run(of: &[(&str, &str)], mode: Mode) -> Run {
    drive(&mut evaluator(config(of)), &mode, &BTreeSet::new())
}

/// Plans one file.
pub(crate) fn plan(text: &str) -> Run {
    let run = run(&[("main.hcl", text)], Mode::Plan);
    assert!(!run.problems.has_errors(), "{}", all(&run.problems));
    run
}

pub(crate) fn evaluator(config: Arc<Config>) -> Evaluator {
    Evaluator::new(config, Arc::new(FakeSchemas::new()))
}

/// Runs to the end; instances in `failing` get no value.
pub(crate) fn drive(evaluator: &mut Evaluator, mode: &Mode, failing: &BTreeSet<&str>) -> Run {
    let mut run = Run::default();
    let mut wave: Vec<Instance> = Vec::new();
    loop {
        match evaluator.next() {
            Ok(Next::Provider(p)) => run.providers.push(*p),
            Ok(Next::Instance(i)) => wave.push(*i),
            Ok(Next::Place(request)) => {
                evaluator.place(&request, place(&request));
                run.requests.push(*request);
            }
            Ok(Next::Waiting) => {
                assert!(!wave.is_empty(), "waits, and nothing was yielded");
                run.waves.push(wave.len());
                wave.sort_by(|a, b| a.address.cmp(&b.address));
                for instance in wave.drain(..) {
                    if failing.contains(instance.address.to_string().as_str()) {
                        evaluator.fail(&instance.address);
                    } else {
                        evaluator.supply(&instance.address, answer(&instance, mode));
                    }
                    run.instances.push(instance);
                }
            }
            Ok(Next::Done) => break,
            Err(problems) => {
                run.problems = problems;
                break;
            }
        }
    }
    run.problems.extend(evaluator.take_diagnostics());
    run.outputs = evaluator.outputs();
    run
}

/// The value a provider would plan, or make, of an instance.
pub(crate) fn answer(instance: &Instance, mode: &Mode) -> Value {
    let known = |v: Value, ty: Type| match mode {
        Mode::Plan => Value::unknown(ty),
        Mode::Apply => v,
    };
    let config = instance.config.clone();
    match instance.address.object.type_name() {
        "weir_host" => config
            .with("cpus", known(Value::number(4_i64), Type::Number))
            .with(
                "memory_bytes",
                known(Value::number(8_000_000_000_i64), Type::Number),
            ),
        "weir_pod" => config.with("directory", known("/var/lib/pod".into(), Type::String)),
        "terraform_data" => {
            let output = config.get("input").cloned().unwrap_or_else(Value::null);
            config.with("output", output)
        }
        "fake_token" => config.with("value", "opened".into()),
        "fake_lookup" => config.with("value", known("found".into(), Type::String)),
        _ => {
            let id = format!("id-of-{}", instance.address);
            config.with("id", known(id.into(), Type::String))
        }
    }
}

/// Demands on the hosts in turn, unless they say which.
pub(crate) fn place(request: &PlaceRequest) -> BTreeMap<Address, Placement> {
    let mut out = BTreeMap::new();
    for (i, demand) in request.demands.iter().enumerate() {
        let host = match &demand.on {
            Some(host) => host.clone(),
            None => match request.hosts.get(i % request.hosts.len().max(1)) {
                Some(host) => host.id.clone(),
                None => continue,
            },
        };
        let ports = demand
            .ports
            .iter()
            .map(|(name, port)| (name.clone(), port.unwrap_or(20_000 + i as u16)))
            .collect();
        out.insert(demand.address.clone(), Placement { host, ports });
    }
    out
}

/// A diagnostic as the golden texts have it: place and message, help, snippet.
pub(crate) fn shown(d: &Diagnostic) -> String {
    let mut out = d.to_string();
    if let Some(snippet) = &d.snippet {
        for (i, line) in snippet.lines.iter().enumerate() {
            let number = snippet.first_line as usize + i;
            let _ = write!(out, "\n  {number} | {line}");
        }
        if let [line] = snippet.lines.as_slice() {
            let gutter = 4 + snippet.first_line.to_string().len();
            let start = snippet.underline_start as usize - 1;
            let length = (snippet.underline_end - snippet.underline_start) as usize;
            assert!(
                start + length <= line.chars().count() + 1,
                "underline beyond {line:?}"
            );
            let _ = write!(
                out,
                "\n{}{}",
                " ".repeat(gutter + 1 + start),
                "^".repeat(length)
            );
        }
    }
    for (name, value) in &d.values {
        let _ = write!(out, "\n  {name} is {value}");
    }
    if let Some(help) = &d.help {
        let _ = write!(out, "\n  help: {help}");
    }
    out
}

pub(crate) fn all(problems: &Diagnostics) -> String {
    problems
        .0
        .iter()
        .map(shown)
        .collect::<Vec<_>>()
        .join("\n\n")
}

/// All errors of a configuration: of loading it, and of planning what is left.
pub(crate) fn errors_of(of: &[(&str, &str)], inputs: &Inputs) -> String {
    let examined = examine(files(of), &OneModule, inputs);
    let mut problems = examined.problems;
    if let Some(config) = examined.config {
        let schemas = Arc::new(FakeSchemas::new());
        problems.extend(Evaluator::problems(config, schemas));
    }
    problems.sort();
    all(&problems)
}
