//! `weir_egress_address`: the address that this machine's connections come from, as others see it.
//!
//! It is asked for once, by the plan that makes it, and stays as it was found until it is replaced:
//! a plan must not depend on where it is made. Networks that change by the hour are not followed.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OnceCell;
use weir_core::plan::Op;
use weir_core::{Diagnostic, Diagnostics, Known, Value};
use weir_provider::{
    ApplyRequest, ApplyResponse, Completeness, PlanRequest, PlanResponse, ReadRequest,
    ReadResponse, Settled,
};

/// Who is asked where nothing is said: it answers with the address of whoever asks.
const ECHO: &str = "https://checkip.amazonaws.com";
/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// An address has fewer characters.
const LONGEST: u64 = 256;

/// Whoever tells this machine's address, asked once in a run.
#[derive(Debug, Clone)]
pub(crate) struct Echo {
    url: Arc<str>,
    found: Arc<OnceCell<IpAddr>>,
}

impl Default for Echo {
    fn default() -> Self {
        Self::at(ECHO)
    }
}

impl Echo {
    pub(crate) fn at(url: &str) -> Self {
        Self {
            url: url.into(),
            found: Arc::default(),
        }
    }

    async fn address(&self) -> Result<IpAddr, String> {
        let asked = || async {
            let url = self.url.clone();
            let asked = tokio::task::spawn_blocking(move || ask(&url));
            asked.await.map_err(|e| e.to_string())?
        };
        self.found.get_or_try_init(asked).await.copied()
    }
}

fn ask(url: &str) -> Result<IpAddr, String> {
    let config = ureq::Agent::config_builder().timeout_global(Some(PATIENCE));
    let agent: ureq::Agent = config.build().into();
    let mut answer = agent.get(url).call().map_err(|e| e.to_string())?;
    let body = answer.body_mut().with_config().limit(LONGEST);
    let text = body.read_to_string().map_err(|e| e.to_string())?;
    let text = text.trim();
    let address: IpAddr = text
        .parse()
        .map_err(|_| format!("it answered {text:?}, which is no address"))?;
    let address = address.to_canonical();
    match is_of_this_machine(address) {
        true => Err(format!(
            "it answered {address}, which leads nobody else to this machine"
        )),
        false => Ok(address),
    }
}

/// Whether it means another machine to everybody who reads it. A private address is one of an
/// echo in a private network, and good there.
fn is_of_this_machine(address: IpAddr) -> bool {
    let local = match address {
        IpAddr::V4(a) => a.is_link_local() || a.is_broadcast(),
        IpAddr::V6(a) => a.is_unicast_link_local(),
    };
    local || address.is_loopback() || address.is_unspecified() || address.is_multicast()
}

pub(crate) async fn plan(echo: &Echo, request: PlanRequest) -> Result<PlanResponse, Diagnostics> {
    let mut planned = request.proposed;
    if request.prior.is_none() {
        let address = echo.address().await.map_err(|cause| {
            let summary = format!("{}: this machine's address is not known", request.address);
            Diagnostic::error(summary)
                .because(format!("{} was asked for it: {cause}.", echo.url))
                .help(
                    "Say it yourself, in a pool with `ssh_from = [\"203.0.113.7/32\"]`, or name \
                     another that tells it in the environment's WEIR_ADDRESS_ECHO.",
                )
        })?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        planned = planned
            .with("address", Value::string(address.to_string()))
            .with("cidr", Value::string(format!("{address}/{bits}")));
    }
    Ok(PlanResponse {
        planned,
        requires_replace: Vec::new(),
        private: Vec::new(),
        batch: None,
        warnings: Diagnostics::new(),
    })
}

/// It is what it was when it was asked for.
pub(crate) fn read(request: ReadRequest) -> ReadResponse {
    ReadResponse {
        value: Some(request.prior),
        private: request.private,
    }
}

pub(crate) fn apply(request: &ApplyRequest) -> ApplyResponse {
    let value = request.planned.clone().filter(|_| request.op != Op::Delete);
    ApplyResponse {
        value: value.and_then(|v| Known::new(v).ok()),
        private: Vec::new(),
        diagnostics: Diagnostics::new(),
    }
}

/// There is nothing outside of state: what was planned is done.
pub(crate) fn settle(request: &ApplyRequest) -> Settled {
    let done = apply(request);
    Settled::Done {
        value: done.value,
        private: done.private,
        completeness: Completeness::Whole,
    }
}
