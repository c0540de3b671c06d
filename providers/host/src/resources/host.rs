//! `weir_host`: our agent on a machine that exists already.

use std::time::Duration;

use weir_agent::wire::HostReport;
use weir_core::plan::Op;
use weir_core::{Diagnostics, Known, Path, Type, Value};
use weir_provider::{
    ApplyRequest, ApplyResponse, Completeness, PlanRequest, PlanResponse, Progress, ReadRequest,
    ReadResponse, Settled,
};

use super::{known_part, text_or_null};
use crate::attributes::{Attributes, Faults, duration_ms};
use crate::connection::Connection;
use crate::error::HostError;
use crate::hosts::{Hosts, Private};

/// What is found on the host, and not chosen.
const FACTS: [(&str, Type); 5] = [
    ("hostname", Type::String),
    ("os", Type::String),
    ("cpus", Type::Number),
    ("memory_bytes", Type::Number),
    ("systemd", Type::Bool),
];

/// Refuses what can't be dialled, and notes where the host is: its pods are
/// looked for there, also where state says something older.
pub(crate) fn validate(hosts: &Hosts, config: &Value) -> Diagnostics {
    let mut faults = Faults::default();
    if let Some(connection) = Connection::of(config, &mut faults) {
        hosts.describe(connection);
    } else if faults.0.is_empty() && Attributes::root(config).is_unknown("address") {
        hosts.remake(&id(config));
    }
    let a = Attributes::root(config);
    if let Some(text) = a.text("boot_timeout") {
        faults.keep(&a.place("boot_timeout"), duration_ms(text));
    }
    faults.into_diagnostics()
}

pub(crate) fn plan(hosts: &Hosts, request: PlanRequest) -> PlanResponse {
    let ours = &hosts.means().agent;
    let prior = request.prior.as_ref().map(Known::value);
    let connection = Connection::of(&request.proposed, &mut Faults::default());
    let moved = match (prior, &connection) {
        (Some(prior), Some(now)) => {
            Connection::of(prior, &mut Faults::default()).as_ref() != Some(now)
        }
        _ => true,
    };
    let agentless = prior.is_none_or(|p| Attributes::root(p).get("agent_sha256").is_none());
    let mut planned = request
        .proposed
        .with("agent_version", Value::string(ours.version()))
        .with("agent_sha256", Value::string(ours.sha256()));
    if moved || agentless {
        for (name, ty) in FACTS {
            planned = planned.with(name, Value::unknown(ty));
        }
    }
    let mut private = Private::decode(&request.private);
    if let Some(connection) = connection {
        private = private.on(&hosts.describe(connection));
    }
    PlanResponse {
        planned,
        requires_replace: vec![Path::root().key("name"), Path::root().key("site")],
        private: private.encode(),
        batch: None,
        warnings: Diagnostics::new(),
    }
}

pub(crate) async fn read(hosts: &Hosts, request: ReadRequest) -> Result<ReadResponse, Diagnostics> {
    let prior = request.prior.value();
    let mut private = Private::decode(&request.private);
    if private.connection.is_none() {
        private.connection = Connection::of(prior, &mut Faults::default());
    }
    let id = id(prior);
    // There is nobody to ask: its machine is made anew.
    if hosts.is_remade(&id) {
        return Ok(ReadResponse {
            value: Some(request.prior),
            private: request.private,
        });
    }
    let scope = private.scope.clone().unwrap_or_default();
    let look = async {
        let host = hosts.find(&id, &private)?;
        let report = host.status(&scope).await;
        Ok((host, report?))
    };
    let value = match look.await {
        Ok((host, report)) => {
            private = private.on(&host);
            found(prior.clone(), &report)
        }
        // It is there, but without an agent we can talk to: an update.
        Err(error) if is_agentless(&error) => prior
            .clone()
            .with("agent_version", Value::null_of(Type::String))
            .with("agent_sha256", Value::null_of(Type::String)),
        Err(error) => return Err(error.diagnostic(&request.address, &id).into()),
    };
    Ok(ReadResponse {
        value: known_part(value),
        private: private.encode(),
    })
}

pub(crate) async fn apply(
    hosts: &Hosts,
    request: ApplyRequest,
    progress: &dyn Progress,
) -> ApplyResponse {
    let mut private = Private::decode(&request.private);
    private.scope = Some(request.token.lineage.clone());
    let (id, outcome) = match &request.planned {
        None => leave(hosts, &request, &private, progress).await,
        Some(planned) => enrol(hosts, &request, planned, &mut private, progress).await,
    };
    let mut diagnostics = Diagnostics::new();
    let value = outcome.unwrap_or_else(|error| {
        diagnostics.push(error.diagnostic(&request.address, &id));
        // A host that was being added is added anew; nothing of it is lost.
        request.prior.clone()
    });
    ApplyResponse {
        value,
        private: private.encode(),
        diagnostics,
    }
}

type Outcome = (String, Result<Option<Known>, HostError>);

async fn enrol(
    hosts: &Hosts,
    request: &ApplyRequest,
    planned: &Value,
    private: &mut Private,
    progress: &dyn Progress,
) -> Outcome {
    let id = id(planned);
    let Some(connection) = Connection::of(planned, &mut Faults::default()) else {
        return (id, Err(HostError::NotDescribed));
    };
    let host = hosts.describe(connection);
    if let Some(layout) = &private.layout
        && private.connection.as_ref() == Some(host.connection())
    {
        host.recall_layout(layout.clone());
    }
    let say = |text| progress.progress(&request.address, text);
    let patience = Attributes::root(planned).text("boot_timeout");
    let patience = patience.and_then(|t| duration_ms(t).ok()).unwrap_or(0);
    let patience = Duration::from_millis(patience);
    let report = host
        .ensure_agent(&request.token.lineage, patience, &say)
        .await;
    *private = private.clone().on(&host);
    (id, report.map(|report| complete(planned.clone(), &report)))
}

async fn leave(
    hosts: &Hosts,
    request: &ApplyRequest,
    private: &Private,
    progress: &dyn Progress,
) -> Outcome {
    let Some(prior) = &request.prior else {
        return (String::new(), Ok(None));
    };
    let id = id(prior.value());
    let scope = &request.token.lineage;
    let left = async {
        let host = hosts.find(&id, private)?;
        let say = |event: weir_agent::wire::Event| {
            if let Some(text) = super::line(&event) {
                progress.progress(&request.address, format!("{}: {text}", event.pod));
            }
        };
        host.leave(scope, &say).await.map(|()| None)
    };
    let outcome = left.await;
    (id, outcome)
}

pub(crate) async fn settle(hosts: &Hosts, request: ApplyRequest) -> Settled {
    let mut private = Private::decode(&request.private);
    private.scope = Some(request.token.lineage.clone());
    let object = request.planned.clone();
    let object = object.or(request.prior.clone().map(Known::into_value));
    let Some(object) = object else {
        return Settled::NotDone;
    };
    let id = id(&object);
    if private.connection.is_none() {
        private.connection = Connection::of(&object, &mut Faults::default());
    }
    let look = async {
        let host = hosts.find(&id, &private)?;
        let report = host.status(&request.token.lineage).await?;
        Ok::<_, HostError>((host, report))
    };
    match (look.await, request.op) {
        (Ok((host, report)), Op::Create | Op::Update)
            if report.agent.sha256 == hosts.means().agent.sha256() =>
        {
            Settled::Done {
                value: complete(object, &report),
                private: private.on(&host).encode(),
                completeness: Completeness::Whole,
            }
        }
        (Ok(_), _) => Settled::NotDone,
        (Err(HostError::NoAgent { .. }), Op::Delete) => Settled::Done {
            value: None,
            private: Vec::new(),
            completeness: Completeness::Whole,
        },
        (Err(error), _) if is_agentless(&error) => Settled::NotDone,
        (Err(error), _) => Settled::Unknown(error.diagnostic(&request.address, &id).to_string()),
    }
}

fn is_agentless(error: &HostError) -> bool {
    matches!(error, HostError::NoAgent { .. }) || error.is_other_wire()
}

/// `site/name`.
fn id(value: &Value) -> String {
    let a = Attributes::root(value);
    let part = |name| a.text(name).unwrap_or_default();
    format!("{}/{}", part("site"), part("name"))
}

/// The value with all that the agent found.
fn found(value: Value, report: &HostReport) -> Value {
    FACTS
        .iter()
        .fold(value, |value, (name, _)| {
            value.with(name, fact(name, report))
        })
        .with(
            "agent_version",
            Value::string(report.agent.version.as_str()),
        )
        .with("agent_sha256", Value::string(report.agent.sha256.as_str()))
}

/// The planned value with what was left open. What was promised stays: a fact
/// that has changed since is found by the next read.
fn complete(planned: Value, report: &HostReport) -> Option<Known> {
    let value = FACTS.iter().fold(planned, |value, (name, _)| {
        if value.get(name).is_some_and(Value::is_unknown) {
            value.with(name, fact(name, report))
        } else {
            value
        }
    });
    known_part(value)
}

fn fact(name: &str, report: &HostReport) -> Value {
    let host = &report.host;
    match name {
        "hostname" => text_or_null(&host.hostname),
        "os" => text_or_null(format!("{}-{}", host.os_id, host.os_version).trim_matches('-')),
        "cpus" => Value::number(u64::from(host.cpus)),
        "memory_bytes" => Value::number(host.memory_bytes),
        "systemd" => Value::bool(host.systemd),
        _ => Value::null(),
    }
}
