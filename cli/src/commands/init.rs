//! `weir init` and `weir get`

use super::{Context, Result};
use crate::stores::{Made, States, keep_from_version_control};
use crate::{
    args::VarArgs,
    compose,
    error::{CommandError, Outcome},
    registries,
};
use std::path::Path;
use weir_core::{Diagnostic, Diagnostics};
use weir_lang::{DiskFiles, Inputs, InstalledModule, InstalledModules, RemoteCall, Sources};
use weir_source::{Installer, LOCK_FILE, Options, SourceError, Upgrade, Wanted};
use weir_tftest::{Selection, Suite};

/// Flags of `init`.
#[derive(Debug, clap::Args)]
pub(crate) struct Init {
    #[command(flatten)]
    vars: VarArgs,
    /// Take the newest versions that will do, and pin them.
    #[arg(long)]
    upgrade: bool,
    /// Whether to fetch modules.
    #[arg(long, value_name = "BOOL", default_value_t = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", action = clap::ArgAction::Set)]
    get: bool,
    /// The folder of tests, whose modules are fetched too.
    #[arg(long, value_name = "DIR", default_value = "tests")]
    test_directory: String,
    /// Whether questions may be asked. There are none; it is taken for scripts that give it.
    #[arg(long, value_name = "BOOL", default_value_t = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", action = clap::ArgAction::Set)]
    input: bool,
}

/// Flags of `get`.
#[derive(Debug, clap::Args)]
pub(crate) struct Get {
    #[command(flatten)]
    vars: VarArgs,
    /// Take the newest versions that will do, and pin them.
    #[arg(long, alias = "upgrade")]
    update: bool,
    /// The folder of tests, whose modules are fetched too.
    #[arg(long, value_name = "DIR", default_value = "tests")]
    test_directory: String,
}

/// Fetches modules, checks the configuration and makes the state, if there is none.
pub(crate) async fn cmd_init(args: &Init, context: &Context) -> Result {
    let inputs = compose::inputs(&args.vars, &context.env)?;
    if args.get {
        fetch(&inputs, args.upgrade, &args.test_directory, context).await?;
    }
    let loaded = compose::load(&inputs, &context.env)?;
    context.ui.diagnostics(&loaded.warnings);
    let known = compose::registry(&context.env);
    for name in loaded.config.provider_names() {
        if known.factory(&name).is_none() {
            return Err(unknown_provider(&name, &known));
        }
    }
    let states = States::of(loaded.config.stack(), &context.env)?;
    let (store, made) = match states.open_existing().await? {
        Some(store) => (store, Made::Found),
        None => {
            states.refuse_terraforms().await?;
            states.init().await?
        }
    };
    let name = &loaded.config.stack().name;
    context.ui.tell(&format!(
        "Stack {name:?} is ready: its state was {} in {} (lineage {}).",
        match made {
            Made::Found => "found",
            Made::New => "made",
        },
        states.describe(),
        store.lineage()
    ));
    context.ui.tell(&match store.keyring().await? {
        Some(_) => states.encryption_told(),
        None => "State and plans are not encrypted.".to_owned(),
    });
    if context.ui.hints {
        context
            .ui
            .tell("Next: `weir plan` shows what would be done.");
    }
    Ok(Outcome::Done)
}

/// Fetches modules.
pub(crate) async fn cmd_get(args: &Get, context: &Context) -> Result {
    let inputs = compose::inputs(&args.vars, &context.env)?;
    fetch(&inputs, args.update, &args.test_directory, context).await?;
    Ok(Outcome::Done)
}

/// Brings every module that is fetched to its place: those of the root, then those that they
/// call, and so on.
async fn fetch(
    inputs: &Inputs,
    upgrade: bool,
    test_directory: &str,
    context: &Context,
) -> std::result::Result<(), CommandError> {
    let mut installed = InstalledModules::default();
    let selection = Selection {
        directory: test_directory.to_owned(),
        filter: Vec::new(),
    };
    let tests = Suite::read(&DiskFiles::new("."), &selection)?;
    let (mut calls, mut sources) = compose::remote_calls(inputs, &installed, &tests)?;
    if calls.is_empty()
        && !Path::new(LOCK_FILE).exists()
        && !Path::new(weir_source::MODULES_DIR).exists()
    {
        return Ok(());
    }
    std::fs::create_dir_all(".weir").map_err(|e| CommandError::failed(format!(".weir: {e}")))?;
    keep_from_version_control(Path::new(".weir"))?;
    let options = Options {
        hosts: registries::hosts(&context.env)?,
        ssh_command: context.env.git_ssh_command(),
        upgrade: if upgrade {
            Upgrade::Newest
        } else {
            Upgrade::Keep
        },
        ..Options::default()
    };
    let open = move || Installer::open(Path::new("."), options);
    let mut installer = blocking(open).await?.map_err(CommandError::caused)?;
    loop {
        let new: Vec<RemoteCall> = calls
            .into_iter()
            .filter(|c| !installed.0.contains_key(&c.key))
            .collect();
        if new.is_empty() {
            break;
        }
        let mut problems = Diagnostics::new();
        for call in new {
            let wanted = Wanted {
                key: call.key.clone(),
                source: call.source.clone(),
                version: call.version.clone(),
            };
            let (back, result) = blocking(move || {
                let result = installer.install(&wanted);
                (installer, result)
            })
            .await?;
            installer = back;
            match result {
                Ok(done) => {
                    let version = done.entry.version.as_deref();
                    let version = version.map_or_else(String::new, |v| format!(" {v}"));
                    let verb = if done.fetched { "fetched" } else { "kept" };
                    context.ui.tell(&format!(
                        "Module {}: {verb} {}{version} in {}",
                        call.key,
                        weir_source::shown(&call.source),
                        done.entry.dir
                    ));
                    let module = InstalledModule {
                        key: call.key.clone(),
                        source: call.source,
                        constraint: call.version,
                        dir: done.entry.dir,
                    };
                    installed.0.insert(call.key, module);
                }
                Err(error) => problems.push(refused(&call, &error, &sources)),
            }
        }
        if problems.has_errors() {
            return Err(problems.into());
        }
        (calls, sources) = compose::remote_calls(inputs, &installed, &tests)?;
    }
    blocking(move || installer.finish())
        .await?
        .map_err(CommandError::caused)?;
    Ok(())
}

/// Runs what waits for disks and networks where it keeps nothing else waiting.
async fn blocking<T: Send + 'static>(
    f: impl FnOnce() -> T + Send + 'static,
) -> std::result::Result<T, CommandError> {
    tokio::task::spawn_blocking(f)
        .await
        .map_err(CommandError::caused)
}

fn refused(call: &RemoteCall, error: &SourceError, sources: &Sources) -> Diagnostic {
    let name = call.key.replace('.', ".module.");
    let mut d =
        Diagnostic::error(format!("module.{name} can't be fetched")).because(format!("{error}."));
    d.help = error.help();
    sources.point(d, &call.span)
}

fn unknown_provider(name: &str, known: &weir_engine::Registry) -> CommandError {
    let names: Vec<&str> = known.names().collect();
    if let Some(how) = weir_lang::Schemas::left_out(known, name) {
        return CommandError::failed(format!("provider {name:?} is not part of this weir"))
            .hint(how);
    }
    CommandError::failed(format!("provider {name:?} is not part of this weir"))
        .hint(format!("It has {}.", names.join(", ")))
}
