//! The composition root: which store, which providers, which catalogue.

use crate::{
    args::{VarArg, VarArgs},
    clock,
    commands::workspace,
    env::Env,
    error::CommandError,
    stores,
};
use std::{collections::BTreeMap, num::NonZeroUsize, path::PathBuf, sync::Arc, time::Duration};
use weir_core::{Diagnostic, Diagnostics, event::EventSink};
use weir_engine::{Engine, Registry};
use weir_fake::{FakeProvider, TerraformProvider};
use weir_host::{AgentBinary, HostProvider};
use weir_lang::{
    Catalog, DiskFiles, Evaluator, Files, Inputs, InstalledModules, Loaded, RemoteCall, Sources,
    VarSource,
};
use weir_state::{Holder, Lease, Scope, StateError, Store, Wait};
use weir_tftest::Suite;

/// The agent for the hosts, built by `build.rs`.
static AGENT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/weir-agent"));

/// The catalogue that is part of this program.
pub(crate) struct Catalogue;

impl Catalog for Catalogue {
    fn module(&self, name: &str) -> Option<BTreeMap<PathBuf, &'static [u8]>> {
        weir_modules::module(name)
    }
    fn names(&self) -> Vec<&str> {
        weir_modules::names()
    }
}

/// What a run hands to the configuration.
pub(crate) fn inputs(vars: &VarArgs, env: &Env) -> Result<Inputs, CommandError> {
    let mut inputs = Inputs::new(env.variables());
    inputs.root_dir = std::env::current_dir()
        .map_err(|e| CommandError::failed(format!("the current folder can't be read: {e}")))?;
    inputs.home = env.home();
    inputs.workspace = workspace::current(env)?.to_string();
    inputs.now = Some(clock::now());
    for arg in &vars.0 {
        inputs = match arg {
            VarArg::File(path) => inputs.file(path),
            VarArg::Value(text) => {
                let (name, value) = name_and_value(text)?;
                inputs.var(name, value)
            }
        };
    }
    Ok(inputs)
}

/// The parts of `-var NAME=VALUE`.
fn name_and_value(text: &str) -> Result<(&str, &str), CommandError> {
    let (name, value) = text.split_once('=').ok_or_else(|| {
        CommandError::usage(format!("-var {text:?} has no value"))
            .hint("Write it as -var NAME=VALUE.")
    })?;
    if name.trim() != name {
        // The value may be secret: it is not repeated.
        return Err(CommandError::usage(format!(
            "-var: there is a space beside the name {name:?}"
        ))
        .hint(format!("Write it as -var {}=VALUE.", name.trim())));
    }
    Ok((name, value))
}

/// The files of the current folder.
pub(crate) fn files() -> Arc<dyn Files> {
    Arc::new(DiskFiles::new("."))
}

/// The stack in the current folder.
pub(crate) fn load(inputs: &Inputs, env: &Env) -> Result<Loaded, CommandError> {
    let loaded = read(inputs, env)?;
    let config = &loaded.config;
    let pointed = |mut d: Diagnostic| match d.span.take() {
        Some(span) => Diagnostics::from(config.sources().point(d, &span)),
        None => d.into(),
    };
    stores::check(config.stack(), env).map_err(pointed)?;
    Ok(loaded)
}

/// The configuration, whatever it says of its state.
fn read(inputs: &Inputs, env: &Env) -> Result<Loaded, Diagnostics> {
    let examined = weir_lang::examine(files(), &Catalogue, inputs);
    let mut problems = examined.problems;
    match examined.config {
        Some(config) if !problems.has_errors() => Ok(Loaded {
            config,
            warnings: problems,
        }),
        // What evaluation finds in the blocks that are sound is said as well.
        Some(config) => {
            let schemas = Arc::new(registry(env));
            problems.extend(match inputs.vars.contains(&VarSource::Unknown) {
                true => Evaluator::checked(config, schemas),
                false => Evaluator::problems(config, schemas),
            });
            problems.sort();
            Err(problems)
        }
        None => Err(problems),
    }
}

/// The module calls of the stack that are fetched.
///
/// Those of its test files are among them, as those of modules that runs name.
pub(crate) fn remote_calls(
    inputs: &Inputs,
    installed: &InstalledModules,
    tests: &Suite,
) -> Result<(Vec<RemoteCall>, Sources), Diagnostics> {
    let files = files();
    let (mut calls, mut sources) =
        weir_lang::remote_calls(files.clone(), &Catalogue, inputs, installed.clone())?;
    let found = weir_tftest::remote_calls(tests, &files, (&Catalogue, inputs), installed)?;
    calls.extend(found);
    sources.extend(tests.sources());
    Ok((calls, sources))
}

/// The environment that the SSH transport works in.
pub(crate) fn ssh_environment(env: &Env) -> weir_host::ssh::Environment {
    weir_host::ssh::Environment {
        home: env.home(),
        ssh_auth_sock: env.ssh_auth_sock(),
    }
}

/// The agent that this weir brings to hosts.
pub(crate) fn agent() -> AgentBinary {
    AgentBinary::new(AGENT, env!("CARGO_PKG_VERSION"))
}

/// Every provider at hand.
pub(crate) fn registry(env: &Env) -> Registry {
    let (agent, ssh) = (agent(), ssh_environment(env));
    let echo = env.address_echo().map(str::to_owned);
    let states = Arc::new(stores::OtherStates::new(env.clone()));
    let registry = Registry::new()
        .with("terraform", move || {
            Arc::new(TerraformProvider::new().with_states(states.clone()))
        })
        .with("host", move || {
            let hosts = HostProvider::new(agent.clone(), ssh.clone());
            Arc::new(match &echo {
                Some(url) => hosts.with_address_echo(url),
                None => hosts,
            })
        })
        .with("fake", || Arc::new(FakeProvider::new()));
    clouds(registry)
}

/// The clouds, each with its SDK: they are part of a weir that was built with them.
fn clouds(registry: Registry) -> Registry {
    #[cfg(feature = "aws")]
    let registry =
        registry.with_family("aws", "aws_", || Arc::new(weir_aws::AwsProvider::default()));
    #[cfg(not(feature = "aws"))]
    let registry = registry.without(
        "aws",
        "This weir was built without it: build one with `cargo build --release --features aws`.",
    );
    #[cfg(feature = "azure")]
    let registry = registry.with_family("azurerm", "azurerm_", || {
        Arc::new(weir_azure::AzureProvider::default())
    });
    #[cfg(not(feature = "azure"))]
    let registry = registry.without(
        "azurerm",
        "This weir was built without it: build one with `cargo build --release --features azure`.",
    );
    #[cfg(feature = "google")]
    let registry = registry.with(
        "google",
        || Arc::new(weir_google::GoogleProvider::default()),
    );
    #[cfg(not(feature = "google"))]
    let registry = registry.without(
        "google",
        "This weir was built without it: build one with `cargo build --release --features google`.",
    );
    registry
}

/// The engine of a stack.
pub(crate) fn engine(
    store: Arc<dyn Store>,
    registry: Arc<Registry>,
    events: Arc<dyn EventSink>,
    parallelism: u16,
) -> Engine {
    let engine = Engine::new(store, registry, events);
    match NonZeroUsize::new(usize::from(parallelism)) {
        Some(n) => engine.with_parallelism(n),
        None => engine,
    }
}

/// Takes the lease on everything. `waiting` is told who holds it, once, before a wait begins.
pub(crate) async fn lease(
    store: &dyn Store,
    env: &Env,
    purpose: &str,
    timeout: Duration,
    waiting: impl FnOnce(String),
) -> Result<Lease, CommandError> {
    let holder = Holder::this_process(env.user(), purpose);
    lease_on(store, holder, Scope::Whole, timeout, waiting).await
}

/// As [`lease`], on what the scope covers.
pub(crate) async fn lease_on(
    store: &dyn Store,
    holder: Holder,
    scope: Scope,
    timeout: Duration,
    waiting: impl FnOnce(String),
) -> Result<Lease, CommandError> {
    let take = |wait| store.acquire_scope(holder.clone(), scope.clone(), wait);
    match take(Wait::None).await {
        Ok(lease) => Ok(lease),
        Err(StateError::Locked { by, .. }) if !timeout.is_zero() => {
            waiting(by.holder.to_string());
            Ok(take(Wait::UpTo(timeout)).await?)
        }
        Err(e) => Err(e.into()),
    }
}

/// Makes sure that nobody holds the lease on everything, for who only looks.
pub(crate) async fn visit(
    store: &dyn Store,
    holder: &Holder,
    timeout: Duration,
    waiting: impl FnOnce(String),
) -> Result<(), CommandError> {
    match store.visit(holder.clone(), Wait::None).await {
        Ok(()) => Ok(()),
        Err(StateError::Locked { by, .. }) if !timeout.is_zero() => {
            waiting(by.holder.to_string());
            Ok(store.visit(holder.clone(), Wait::UpTo(timeout)).await?)
        }
        Err(e) => Err(e.into()),
    }
}
