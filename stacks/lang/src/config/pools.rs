//! The modules that make the machines of pools, one for each cloud.
//!
//! They are HCL as anybody writes it, and a part of weir: what a plan shows of a pool is what stands
//! in them. A plan that was kept carries the one it was made with.

use crate::{
    ir::{Block, Body},
    machines::Cloud,
};
use std::{collections::BTreeMap, path::PathBuf};

/// The files that a module is: the cloud's own, and what all of them share.
const OWN: &str = "main.tf";
const SHARED: &str = "machines.tf";

/// The folder of a cloud's module, as seen from the stack.
pub(crate) fn folder(cloud: Cloud) -> String {
    format!("catalog:pool/{}", cloud.provider())
}

/// The modules by their folders.
pub(super) fn all() -> impl Iterator<Item = (PathBuf, BTreeMap<PathBuf, &'static [u8]>)> {
    Cloud::ALL.into_iter().map(|cloud| {
        let shared = include_str!("../../data/pools/machines.tf");
        let files = [(OWN, text(cloud)), (SHARED, shared)];
        let files = files.map(|(name, text)| (PathBuf::from(name), text.as_bytes()));
        let files = BTreeMap::from(files);
        (PathBuf::from(folder(cloud)), files)
    })
}

/// The text of a cloud's module.
fn text(cloud: Cloud) -> &'static str {
    match cloud {
        Cloud::Aws => include_str!("../../data/pools/aws/main.tf"),
        Cloud::Azure => include_str!("../../data/pools/azurerm/main.tf"),
        Cloud::Google => include_str!("../../data/pools/google/main.tf"),
    }
}

/// Whether files may have a pool whose machines are made.
pub(super) fn are_in(bodies: &[Body]) -> bool {
    let clusters = bodies.iter().flat_map(|b| b.blocks("cluster"));
    let mut pools = clusters.flat_map(|c| c.body.blocks("pool"));
    pools.any(|pool| has_offer(&pool.body))
}

fn has_offer(pool: &Body) -> bool {
    let is_offer = |b: &Block| &*b.ident == "offer";
    pool.blocks.iter().any(is_offer)
}
