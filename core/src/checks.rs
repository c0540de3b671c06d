//! What conditions came to: of resources, outputs, variables and `check` blocks.

use serde::{Deserialize, Serialize};

/// The conditions of one block, over all its instances.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckResult {
    /// The block, as it is written in the configuration: `terraform_data.a`,
    /// `module.net.output.id`, `var.region`, `check.health`. No instance keys.
    pub block: String,
    /// What kind of block it is.
    pub kind: CheckKind,
    /// The worst of its instances; [`CheckStatus::Unknown`] where they are not known.
    pub status: CheckStatus,
    /// Its instances, in order.
    pub instances: Vec<CheckInstance>,
}

/// The conditions of one instance of a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckInstance {
    /// The instance: as the block, with keys.
    pub address: String,
    /// What they came to.
    pub status: CheckStatus,
    /// The messages of those that failed, in the order of the conditions.
    pub problems: Vec<String>,
}

/// What has conditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckKind {
    /// A resource, data source or ephemeral resource: pre- and postconditions.
    Resource,
    /// An output: preconditions.
    OutputValue,
    /// A variable: validations.
    Var,
    /// A `check` block: assertions.
    Check,
}

/// What conditions came to. The order is that of weight: of several the greatest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// All hold.
    Pass,
    /// It can't be told yet.
    Unknown,
    /// One does not hold.
    Fail,
    /// One can't be evaluated.
    Error,
}
