//! Everything the user reads, as text or JSON. Nothing here prints: it makes strings.

pub(crate) mod diagnostics;
pub(crate) mod graph;
pub(crate) mod json;
pub(crate) mod junit;
pub(crate) mod plan;
pub(crate) mod pools;
pub(crate) mod progress;
#[cfg(test)]
mod samples;
pub(crate) mod snapshot;
pub(crate) mod style;
pub(crate) mod tree;
pub(crate) mod value;
