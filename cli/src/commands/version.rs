//! `weir version`

use super::{Context, Result};
use crate::{compose, error::Outcome, render::json::TERRAFORM};
use serde_json::json;

/// Flags of `version`.
#[derive(Debug, clap::Args)]
pub(crate) struct Version {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Prints the version of weir and of the agent it carries.
pub(crate) fn cmd_version(args: &Version, context: &Context) -> Result {
    let version = env!("CARGO_PKG_VERSION");
    let agent = compose::agent();
    if args.json {
        context.ui.json(&json!({
            "weir_version": version,
            "terraform_version": TERRAFORM,
            "agent_sha256": agent.sha256(),
            "platform": platform(),
            "provider_selections": {},
            "terraform_outdated": false,
        }))?;
        return Ok(Outcome::Done);
    }
    let text = format!(
        "weir {version} on {}\nagent {} (sha256 {})\nlanguage and formats of Terraform {TERRAFORM}\n",
        platform(),
        agent.version(),
        agent.sha256()
    );
    context.ui.data(&text)?;
    Ok(Outcome::Done)
}

/// The system as Terraform names it.
fn platform() -> String {
    let arch = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        other => other,
    };
    format!("{}_{arch}", std::env::consts::OS)
}
