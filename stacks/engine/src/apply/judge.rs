//! What a provider's response comes to: held against the plan, and nothing that was made is lost.

use super::call::Call;
use crate::diagnostics;
use weir_core::{
    Address, Diagnostic, Diagnostics, Known, Value,
    plan::Op,
    snapshot::{Resource, Status},
};
use weir_plan::carry_marks;
use weir_provider::{ApplyResponse, HalfMade, Provider, check};
use weir_state::Outcome;

/// What a response comes to.
pub(super) struct Judged {
    pub(super) outcome: Outcome,
    pub(super) resource: Option<Option<Resource>>,
    pub(super) supply: Option<Value>,
    pub(super) result: Result<Diagnostics, Diagnostics>,
}

/// Holds a response against the plan. What was made is kept whatever went wrong.
pub(super) fn judge(
    address: &Address,
    op: Op,
    provider: &dyn Provider,
    call: &Call,
    response: ApplyResponse,
) -> Judged {
    let ApplyResponse {
        value,
        private,
        mut diagnostics,
    } = response;
    let marked = value.map(|v| {
        let source = call
            .request
            .config
            .as_ref()
            .or(call.request.planned.as_ref());
        let source = source.or(call.request.prior.as_ref().map(Known::value));
        let marked = match source {
            Some(source) => carry_marks(v.clone().into_value(), source, &call.schema.block),
            None => v.clone().into_value(),
        };
        Known::new(marked).unwrap_or(v)
    });
    if op == Op::Delete {
        if marked.is_some() && !diagnostics.has_errors() {
            diagnostics.push(
                Diagnostic::error(format!("{} is still there after its deletion", address))
                    .because("The provider returned an object and no error.")
                    .help("This is a bug of the provider: report it to its authors."),
            );
        }
    } else if !diagnostics.has_errors()
        && let Some(planned) = &call.request.planned
    {
        let name = address.to_string();
        let subject = check::Subject {
            provider: &call.template.provider.name,
            address: &name,
        };
        let new = marked.as_ref().map(Known::value);
        diagnostics.extend(check::applied(subject, &call.schema, planned, new));
    }
    let failed = diagnostics.has_errors();
    let resource = marked.map(|value| Resource {
        value,
        private,
        status: match (op, failed) {
            (Op::Create, true) => match provider.half_made(&call.request.type_name) {
                HalfMade::Replace => Status::Tainted,
                HalfMade::Update => Status::Ready,
            },
            (Op::Create, false) => Status::Ready,
            _ => call.template.status,
        },
        ..call.template.clone()
    });
    let supply = resource.as_ref().map(|r| r.value.value().clone());
    if failed {
        let message = diagnostics::one_line(&diagnostics);
        return Judged {
            outcome: Outcome::Failed {
                message,
                leftover: resource.clone(),
            },
            resource: resource.map(Some),
            supply,
            result: Err(diagnostics),
        };
    }
    let (outcome, now) = match resource {
        Some(resource) => (Outcome::Put(resource.clone()), Some(resource)),
        None => (Outcome::Gone, None),
    };
    Judged {
        outcome,
        resource: Some(now),
        supply,
        result: Ok(diagnostics),
    }
}
