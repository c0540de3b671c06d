//! `weir service status` and `weir service logs`: what the agents say.

mod logs;
mod status;

use super::{Context, Result};
use crate::stores::States;
use crate::{compose, error::CommandError};
use weir_core::{Address, Object, address::is_identifier, snapshot::Resource};
use weir_host::HostProvider;
use weir_plan::Target;

/// What to look at.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Service {
    /// What the tasks of services do.
    Status(status::Status),
    /// What the tasks of services print.
    Logs(logs::Logs),
}

/// Looks at running services.
pub(crate) async fn cmd_service(command: &Service, context: &Context) -> Result {
    match command {
        Service::Status(args) => status::cmd_status(args, context).await,
        Service::Logs(args) => logs::cmd_logs(args, context).await,
    }
}

/// Pods in state, and what reaches their agents.
struct Pods {
    pods: Vec<(Address, Resource)>,
    provider: HostProvider,
}

/// The pods of these services (`web`, `service.web`, `service.web.pod.app["0"]`); all where none
/// is named.
async fn pods(names: &[String], context: &Context) -> std::result::Result<Pods, CommandError> {
    let snapshot = match States::here(&context.env)?.open_existing().await? {
        Some(store) => Some(store.snapshot().await?),
        None => None,
    };
    let is_pod = |a: &Address| matches!(a.object, Object::Pod { .. });
    let all: Vec<(Address, Resource)> = snapshot
        .into_iter()
        .flat_map(|s| s.resources)
        .filter(|(address, _)| is_pod(address))
        .collect();
    let chosen = names
        .iter()
        .map(|n| Chosen::parse(n))
        .collect::<std::result::Result<Vec<_>, _>>()?;
    for (name, chosen) in names.iter().zip(&chosen) {
        if !all.iter().any(|(address, _)| chosen.names(address)) {
            return Err(missing(name, &all));
        }
    }
    let pods = all
        .into_iter()
        .filter(|(address, _)| chosen.is_empty() || chosen.iter().any(|c| c.names(address)))
        .collect();
    let ssh = compose::ssh_environment(&context.env);
    Ok(Pods {
        pods,
        provider: HostProvider::new(compose::agent(), ssh),
    })
}

/// What a name on the command line stands for.
enum Chosen {
    /// A service, in whichever module.
    Name(String),
    /// As for `-target`.
    Target(Target),
}

impl Chosen {
    fn parse(text: &str) -> std::result::Result<Chosen, CommandError> {
        if is_identifier(text) {
            return Ok(Chosen::Name(text.into()));
        }
        let mut targets = super::run::targets(&[text.to_owned()])?;
        match targets.pop() {
            Some(target) => Ok(Chosen::Target(target)),
            None => Ok(Chosen::Name(text.into())),
        }
    }

    fn names(&self, address: &Address) -> bool {
        match self {
            Chosen::Name(name) => {
                matches!(&address.object, Object::Pod { service, .. } if service == name)
            }
            Chosen::Target(target) => target.names(address),
        }
    }
}

fn missing(name: &str, all: &[(Address, Resource)]) -> CommandError {
    let mut services: Vec<&str> = all
        .iter()
        .filter_map(|(address, _)| match &address.object {
            Object::Pod { service, .. } => Some(service.as_str()),
            _ => None,
        })
        .collect();
    services.dedup();
    let error = CommandError::failed(format!("no service in state is named {name:?}"));
    match services.as_slice() {
        [] => error.hint("State has no services: `weir apply` starts those of the configuration."),
        some => error.hint(format!("State has {}.", some.join(", "))),
    }
}

/// The tasks that the pod's recorded value names, in order.
fn tasks(resource: &Resource) -> Vec<String> {
    let tasks = resource
        .value
        .value()
        .get("tasks")
        .and_then(|t| t.elements())
        .unwrap_or_default();
    tasks
        .iter()
        .filter_map(|t| t.get("name")?.as_str().map(str::to_owned))
        .collect()
}
