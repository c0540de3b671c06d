//! `weir_ssh_key`: a key pair for SSH, made by weir and kept in state alone.
//!
//! It gives a machine its host key before it boots, so that the first connection to it is verified,
//! and weir a key to log in with.

use russh::keys::{
    HashAlg, PrivateKey,
    key::safe_rng,
    ssh_key::{Algorithm, LineEnding},
};
use weir_core::{Diagnostic, Diagnostics, Known, Path, Type, Value, plan::Op};
use weir_provider::{
    ApplyRequest, ApplyResponse, Completeness, PlanRequest, PlanResponse, ReadRequest,
    ReadResponse, Settled,
};

/// What is only known once the key is made.
const MADE: [&str; 3] = ["public_key", "private_key", "fingerprint"];

pub(crate) fn plan(request: PlanRequest) -> PlanResponse {
    let mut planned = request.proposed;
    if request.prior.is_none() {
        for name in MADE {
            planned = planned.with(name, Value::unknown(Type::String));
        }
    }
    PlanResponse {
        planned,
        requires_replace: vec![Path::root().key("comment")],
        private: Vec::new(),
        batch: None,
        warnings: Diagnostics::new(),
    }
}

/// There is nothing outside of state to look at.
pub(crate) fn read(request: ReadRequest) -> ReadResponse {
    ReadResponse {
        value: Some(request.prior),
        private: request.private,
    }
}

pub(crate) fn apply(request: &ApplyRequest) -> ApplyResponse {
    let outcome = match (&request.op, &request.planned) {
        (Op::Create, Some(planned)) => made(planned).map(Some),
        (Op::Update, Some(planned)) => Known::new(planned.clone())
            .map(Some)
            .map_err(|e| e.to_string()),
        _ => Ok(None),
    };
    let mut diagnostics = Diagnostics::new();
    let value = outcome.unwrap_or_else(|cause| {
        let summary = format!("{}: no SSH key could be made", request.address);
        let d = Diagnostic::error(summary).because(format!("{cause}."));
        diagnostics.push(d.help("Apply again; where it stays so, this is a fault of weir."));
        request.prior.clone()
    });
    ApplyResponse {
        value,
        private: Vec::new(),
        diagnostics,
    }
}

/// A key whose making was recorded and whose key was not is known to nobody: another is made.
pub(crate) fn settle(request: &ApplyRequest) -> Settled {
    match request.op {
        Op::Delete => Settled::Done {
            value: None,
            private: Vec::new(),
            completeness: Completeness::Whole,
        },
        _ => Settled::NotDone,
    }
}

fn made(planned: &Value) -> Result<Known, String> {
    let words = |e: russh::keys::ssh_key::Error| e.to_string();
    let mut key = PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519).map_err(words)?;
    let comment = planned.get("comment").and_then(Value::as_str);
    key.set_comment(comment.unwrap_or_default());
    let private = key.to_openssh(LineEnding::LF).map_err(words)?;
    let public = key.public_key().to_openssh().map_err(words)?;
    let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
    let value = planned
        .clone()
        .with("public_key", Value::string(public))
        .with(
            "private_key",
            Value::string(private.as_str()).mark(weir_core::Marks::SENSITIVE),
        )
        .with("fingerprint", Value::string(fingerprint));
    Known::new(value).map_err(|e| e.to_string())
}
