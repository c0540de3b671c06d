//! `weir service logs`

use super::{Pods, pods, tasks};
use crate::{
    commands::{Context, Result, run::Interrupts},
    error::{CommandError, Outcome},
    render::style::Ink,
    ui::Ui,
};
use futures::{StreamExt, stream::FuturesUnordered};
use weir_core::{Address, Diagnostics, snapshot::Resource};
use weir_host::HostProvider;

/// Flags of `service logs`.
#[derive(Debug, clap::Args)]
pub(crate) struct Logs {
    /// The services or pods; all if none is named.
    services: Vec<String>,
    /// Only this task.
    #[arg(long)]
    task: Option<String>,
    /// Go on with what is printed from now on, until Ctrl-C.
    #[arg(short = 'f', long)]
    follow: bool,
    /// Begin with so many of the last lines.
    #[arg(short = 'n', long, default_value_t = 100)]
    lines: u64,
}

/// Prints logs; of several tasks, each line says which.
pub(super) async fn cmd_logs(args: &Logs, context: &Context) -> Result {
    let Pods { pods, provider } = pods(&args.services, context).await?;
    let mut chosen: Vec<(&Address, &Resource, String)> = Vec::new();
    for (address, resource) in &pods {
        let wanted = |t: &String| args.task.as_ref().is_none_or(|task| task == t);
        chosen.extend(
            tasks(resource)
                .into_iter()
                .filter(wanted)
                .map(|t| (address, resource, t)),
        );
    }
    if let Some(task) = args.task.as_ref().filter(|_| chosen.is_empty()) {
        return Err(no_task(task, &pods));
    }
    let named = chosen.len() > 1;
    let mut streams: FuturesUnordered<_> = chosen
        .into_iter()
        .map(|(address, resource, task)| {
            let prefix = named.then(|| format!("{address} {task} | "));
            stream(
                &provider,
                (address, resource),
                task,
                prefix,
                args,
                &context.ui,
            )
        })
        .collect();
    let mut interrupts = Interrupts::listen()?;
    let mut found = Diagnostics::new();
    loop {
        tokio::select! {
            ended = streams.next() => match ended {
                Some(Ok(())) => {}
                Some(Err(errors)) => found.merge(errors),
                None => break,
            },
            // The way to end what is followed.
            () = interrupts.next() => break,
        }
    }
    if found.has_errors() {
        Err(found.into())
    } else {
        Ok(Outcome::Done)
    }
}

async fn stream(
    provider: &HostProvider,
    (address, resource): (&Address, &Resource),
    task: String,
    prefix: Option<String>,
    args: &Logs,
    ui: &Ui,
) -> std::result::Result<(), Diagnostics> {
    let mut agent = provider
        .pod_agent(&address.to_string(), &resource.value, &resource.private)
        .await?;
    let prefix = prefix
        .map(|p| ui.out.ink(Ink::Read, &p))
        .unwrap_or_default();
    let mut open = String::new();
    let mut lost = false;
    let take = |text: String| {
        open.push_str(&text);
        if let Some(end) = open.rfind('\n') {
            let rest = open.split_off(end + 1);
            let whole = std::mem::replace(&mut open, rest);
            let lines: String = whole.lines().map(|l| format!("{prefix}{l}\n")).collect();
            // Whoever read the log closed it: there is nobody to tell.
            lost |= ui.data(&lines).is_err();
        }
    };
    let outcome = agent.logs(&task, (args.lines, args.follow), take).await;
    if !open.is_empty() && !lost {
        // As above.
        let _ = ui.data(&format!("{prefix}{open}\n"));
    }
    outcome
}

fn no_task(task: &str, pods: &[(Address, Resource)]) -> CommandError {
    let mut names: Vec<String> = pods.iter().flat_map(|(_, r)| tasks(r)).collect();
    names.sort();
    names.dedup();
    CommandError::failed(format!("no task is named {task:?}"))
        .hint(format!("There is {}.", names.join(", ")))
}
