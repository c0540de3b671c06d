//! `weir workspace`: several states of one stack.

use super::{
    Context, Result,
    state::{edit::EditArgs, whole},
};
use crate::{
    compose,
    env::Env,
    error::{CommandError, Outcome},
    stores::States,
};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};
use weir_state::Workspace;

/// What to do with workspaces.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List the workspaces.
    List,
    /// Make a workspace, and work in it from now on.
    New(New),
    /// Work in another workspace from now on.
    Select(Select),
    /// Print the name of the current workspace.
    Show,
    /// Remove a workspace and its state.
    Delete(Delete),
}

/// Flags of `workspace new`.
#[derive(Debug, clap::Args)]
pub(crate) struct New {
    /// The workspace.
    name: String,
    /// A state file in Terraform's format that it begins with; `-` is stdin.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    #[command(flatten)]
    edit: EditArgs,
}

/// Flags of `workspace select`.
#[derive(Debug, clap::Args)]
pub(crate) struct Select {
    /// The workspace.
    name: String,
    /// Make it where it is not there.
    #[arg(long)]
    or_create: bool,
}

/// Flags of `workspace delete`.
#[derive(Debug, clap::Args)]
pub(crate) struct Delete {
    /// The workspace.
    name: String,
    /// Remove it though there is something in its state: nobody manages that any more.
    #[arg(long)]
    force: bool,
}

/// Where the current workspace is kept.
const ENVIRONMENT: &str = ".weir/environment";

/// The current workspace: by the environment, or as it was selected.
pub(crate) fn current(env: &Env) -> std::result::Result<Workspace, CommandError> {
    let named = |text: &str| text.parse().map_err(CommandError::caused);
    if let Some((_, name)) = env.workspace() {
        return named(name);
    }
    match fs::read_to_string(ENVIRONMENT) {
        Ok(text) if !text.trim().is_empty() => named(text.trim()),
        _ => Ok(Workspace::default()),
    }
}

/// Looks at workspaces, or changes them.
pub(crate) async fn cmd_workspace(command: &Command, context: &Context) -> Result {
    let now = current(&context.env)?;
    match command {
        Command::Show => context.ui.data(&format!("{now}\n"))?,
        Command::List => {
            let line = |w: &Workspace| {
                let mark = if *w == now { '*' } else { ' ' };
                format!("{mark} {w}\n")
            };
            let all = all(context).await?;
            let lines: String = all.iter().map(line).collect();
            context.ui.data(&format!("{lines}\n"))?;
        }
        Command::New(args) => make(args, context).await?,
        Command::Select(args) => select(args, &now, context).await?,
        Command::Delete(args) => delete(args, &now, context).await?,
    }
    Ok(Outcome::Done)
}

/// Those that have a state, and `default`, which is always there.
async fn all(context: &Context) -> std::result::Result<BTreeSet<Workspace>, CommandError> {
    let found = States::here(&context.env)?.workspaces().await?;
    Ok(found.into_iter().chain([Workspace::default()]).collect())
}

fn name(text: &str) -> std::result::Result<Workspace, CommandError> {
    text.parse()
        .map_err(|e| CommandError::usage(format!("{e}")))
}

/// Refuses where the environment says which workspace it is.
fn not_overridden(env: &Env) -> std::result::Result<(), CommandError> {
    match env.workspace() {
        None => Ok(()),
        Some((variable, name)) => Err(CommandError::failed(format!(
            "the workspace is {name:?} by the environment variable {variable}"
        ))
        .hint(format!("Unset {variable} to select another one."))),
    }
}

fn remember(workspace: &Workspace) -> std::result::Result<(), CommandError> {
    let wrong = |e: std::io::Error| CommandError::failed(format!("{ENVIRONMENT}: {e}"));
    let folder = Path::new(ENVIRONMENT).parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(wrong)?;
    crate::stores::keep_from_version_control(folder)?;
    fs::write(ENVIRONMENT, workspace.as_str()).map_err(wrong)
}

async fn make(args: &New, context: &Context) -> std::result::Result<(), CommandError> {
    let text = args.name.as_str();
    not_overridden(&context.env)?;
    let workspace = name(text)?;
    if all(context).await?.contains(&workspace) {
        return Err(
            CommandError::failed(format!("workspace {text:?} is there already"))
                .hint(format!("`weir workspace select {text}` goes there.")),
        );
    }
    // A file that can't be taken makes no workspace.
    let file = args.state.as_deref();
    let taken = file.map(|file| whole::read(file, context)).transpose()?;
    let states = States::here(&context.env)?.within(workspace.clone());
    let store = states.open().await?;
    if let Some(taken) = &taken {
        let what = format!("workspace new {text}");
        if let Err(error) = whole::fill(store, taken, what, args.edit, context).await {
            states.delete().await?;
            return Err(error);
        }
    }
    remember(&workspace)?;
    if taken.is_some() {
        return context
            .ui
            .data(&format!("Created and switched to workspace {text:?}!\n"));
    }
    context.ui.data(&format!(
        "Created and switched to workspace {text:?}!\n\nYou're now on a new, empty workspace. \
         Workspaces isolate their state,\nso if you run \"weir plan\" weir will not see any \
         existing state\nfor this configuration.\n"
    ))
}

async fn select(
    args: &Select,
    now: &Workspace,
    context: &Context,
) -> std::result::Result<(), CommandError> {
    not_overridden(&context.env)?;
    let workspace = name(&args.name)?;
    if workspace == *now {
        return Ok(());
    }
    if !all(context).await?.contains(&workspace) {
        if args.or_create {
            let new = New {
                name: args.name.clone(),
                state: None,
                edit: EditArgs {
                    lock_timeout: std::time::Duration::ZERO,
                },
            };
            return make(&new, context).await;
        }
        return Err(
            CommandError::failed(format!("there is no workspace {:?}", args.name)).hint(format!(
                "`weir workspace new {0}` makes it, `weir workspace select -or-create {0}` does both.",
                args.name
            )),
        );
    }
    remember(&workspace)?;
    context
        .ui
        .data(&format!("Switched to workspace \"{workspace}\".\n"))
}

async fn delete(
    args: &Delete,
    now: &Workspace,
    context: &Context,
) -> std::result::Result<(), CommandError> {
    let workspace = name(&args.name)?;
    if workspace.is_default() {
        return Err(CommandError::failed(
            "workspace \"default\" can't be deleted: every stack has it",
        ));
    }
    if workspace == *now {
        return Err(
            CommandError::failed(format!("workspace {:?} is the current one", args.name))
                .hint("`weir workspace select default` leaves it."),
        );
    }
    let states = States::here(&context.env)?.within(workspace.clone());
    let Some(store) = states.open_existing().await? else {
        return Err(CommandError::failed(format!(
            "there is no workspace {:?}",
            args.name
        )));
    };
    // Nobody works in it while this is held.
    let what = format!("workspace delete {}", args.name);
    let lease = compose::lease(
        &*store,
        &context.env,
        &what,
        std::time::Duration::ZERO,
        |_| (),
    )
    .await?;
    let resources = store.snapshot().await?.resources.len();
    let left = !store.is_empty().await? && !args.force;
    store.release(lease).await?;
    drop(store);
    if left {
        return Err(CommandError::failed(format!(
            "workspace {:?} is not empty: its state has {resources} resource instances",
            args.name
        ))
        .hint("Destroy them first. -force removes the state, and nobody manages them any more."));
    }
    states.delete().await?;
    context
        .ui
        .data(&format!("Deleted workspace \"{workspace}\"!\n"))
}
