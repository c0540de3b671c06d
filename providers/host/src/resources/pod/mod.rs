//! `weir_pod`: one instance of a service's pod on one host.

mod batch;
mod changed;
mod observe;
mod spec;

pub(crate) use batch::apply;
pub(crate) use changed::changed_by;

use weir_core::plan::Op;
use weir_core::{Diagnostics, Known, Path, Type, Value};
use weir_provider::{
    ApplyRequest, Completeness, PlanRequest, PlanResponse, ReadRequest, ReadResponse, Settled,
};

use super::known_part;
use crate::attributes::{Attributes, Faults};
use crate::error::HostError;
use crate::hosts::{Hosts, Private};

/// Refuses what the agent would refuse, as far as it is known by now.
pub(crate) fn validate(config: &Value) -> Diagnostics {
    let mut faults = Faults::default();
    spec::pod("", config, &mut faults);
    faults.into_diagnostics()
}

pub(crate) fn plan(hosts: &Hosts, request: PlanRequest) -> PlanResponse {
    let mut private = Private::decode(&request.private);
    let id = host_of(&request.proposed).map(str::to_owned);
    if let Some(id) = &id
        && let Ok(host) = hosts.find(id, &private)
    {
        private = private.on(&host);
    }
    let mut planned = request.proposed;
    let prior = request.prior.as_ref().map(Known::value);
    if prior.is_none() {
        planned = planned.with("directory", Value::unknown(Type::String));
    }
    // What could not be finished is taken up again: an unknown makes it an update.
    let goals = observe::goals(&planned).filter(|_| !private.unsettled);
    let status = goals.unwrap_or_else(|| Value::unknown(Type::map(Type::String)));
    planned = planned.with("status", status);
    PlanResponse {
        planned,
        requires_replace: vec![Path::root().key("host"), Path::root().key("slug")],
        private: private.encode(),
        batch: id,
        warnings: Diagnostics::new(),
    }
}

pub(crate) async fn read(hosts: &Hosts, request: ReadRequest) -> Result<ReadResponse, Diagnostics> {
    let prior = request.prior.value();
    let mut private = Private::decode(&request.private);
    let id = host_of(prior).unwrap_or_default();
    // Its machine is about to be made anew, or changed: whatever is left of it there, it is gone
    // over again.
    if hosts.is_remade(id) {
        private.unsettled = true;
        return Ok(ReadResponse {
            value: Some(request.prior),
            private: private.encode(),
        });
    }
    let scope = private.scope.clone().unwrap_or_default();
    let look = async {
        let host = hosts.find(id, &private)?;
        let report = host.status(&scope).await?;
        Ok::<_, HostError>((host, report))
    };
    let (host, report) = match look.await {
        Ok(found) => found,
        // No agent, or none that knows it: it is gone.
        Err(HostError::NoAgent { .. }) => {
            return Ok(ReadResponse {
                value: None,
                private: request.private,
            });
        }
        // An older agent is replaced before this pod's turn comes; what it
        // would say is not known, so the pod is gone over again.
        Err(error) if error.is_other_wire() => {
            private.unsettled = true;
            return Ok(ReadResponse {
                value: Some(request.prior),
                private: private.encode(),
            });
        }
        Err(error) => return Err(error.diagnostic(&request.address, id).into()),
    };
    let value = observe::pod_of(&report, &scope, &request.address).and_then(|status| {
        private.unsettled = !observe::is_settled(&request.address, prior, status);
        known_part(observe::observe(prior, status))
    });
    Ok(ReadResponse {
        value,
        private: private.on(&host).encode(),
    })
}

pub(crate) async fn settle(hosts: &Hosts, request: ApplyRequest) -> Settled {
    let mut private = Private::decode(&request.private);
    let scope = request.token.lineage.clone();
    private.scope = Some(scope.clone());
    let object = request.planned.clone();
    let object = object.or(request.prior.clone().map(Known::into_value));
    let Some(object) = object else {
        return Settled::NotDone;
    };
    let id = host_of(&object).unwrap_or_default();
    let look = async {
        let host = hosts.find(id, &private)?;
        let report = host.status(&scope).await?;
        Ok::<_, HostError>((host, report))
    };
    let (host, report) = match look.await {
        Ok(found) => found,
        Err(HostError::NoAgent { .. }) if request.op != Op::Delete => return Settled::NotDone,
        Err(error) => {
            return Settled::Unknown(error.diagnostic(&request.address, id).to_string());
        }
    };
    let found = observe::pod_of(&report, &scope, &request.address);
    match (found, request.op) {
        (None, Op::Delete) => Settled::Done {
            value: None,
            private: Vec::new(),
            completeness: Completeness::Whole,
        },
        (Some(status), Op::Create | Op::Update)
            if status.generation >= request.token.generation() =>
        {
            // The agent has accepted it and works on: what is missing yet is
            // an update in place for the next plan, no reason to replace it.
            private.unsettled = !observe::is_settled(&request.address, &object, status);
            Settled::Done {
                value: known_part(observe::observe(&object, status)),
                private: private.on(&host).encode(),
                completeness: Completeness::Whole,
            }
        }
        _ => Settled::NotDone,
    }
}

/// `site/name` of the pod's host.
/// The host it is on: pods of one host go in one call.
pub(crate) fn host_of(value: &Value) -> Option<&str> {
    Attributes::root(value).text("host")
}
