//! The steps of a module path: a `module` block's name, or an offer of a cluster's pool, whose
//! machines stand in a module that weir brings along.
//!
//! An offer's step is called `cluster.main.pool.cloud.offer.fra`. No block has a name with a dot in
//! it, so that neither can be taken for the other, and what goes by the names of steps (state, plans,
//! `moved`) need not tell them apart.

use super::{Key, Name};
use std::fmt;

/// An offer of a pool, as a step of a module path names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct OfferStep<'a> {
    /// The cluster.
    pub cluster: &'a str,
    /// The pool in it.
    pub pool: &'a str,
    /// The offer of the pool.
    pub offer: &'a str,
}

/// The words between the names, and how many segments there are in all.
const WORDS: [&str; 3] = ["cluster", "pool", "offer"];
const SEGMENTS: usize = 2 * WORDS.len();

impl<'a> OfferStep<'a> {
    /// The offer that the name of a step stands for; `None` where it is that of a `module` block.
    pub fn of(name: &'a str) -> Option<OfferStep<'a>> {
        // Nearly all steps are of `module` blocks, whose names have no dot.
        let rest = name.strip_prefix("cluster.")?;
        let (cluster, rest) = rest.split_once(".pool.")?;
        let (pool, offer) = rest.split_once(".offer.")?;
        Some(OfferStep {
            cluster,
            pool,
            offer,
        })
    }

    /// The name of the step.
    pub fn name(&self) -> Name {
        Name::from(self.to_string())
    }

    /// The pool: `cluster.main.pool.cloud`.
    pub fn pool_name(&self) -> String {
        format!("cluster.{}.pool.{}", self.cluster, self.pool)
    }
}

impl fmt::Display for OfferStep<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let OfferStep {
            cluster,
            pool,
            offer,
        } = self;
        write!(f, "cluster.{cluster}.pool.{pool}.offer.{offer}")
    }
}

/// What stands before the name of a step where it is written.
pub(super) fn keyword(name: &str) -> &'static str {
    match OfferStep::of(name) {
        Some(_) => "",
        None => "module.",
    }
}

/// A step into a module as it is written, without the key: `module.net`, or an offer's name.
pub fn step(name: &str) -> String {
    format!("{}{name}", keyword(name))
}

/// The name of the offer's step that segments of an address begin with, and how many make it up.
pub(super) fn offer_at(segments: &[(Name, Key)]) -> Option<(Name, usize)> {
    let own = segments.get(..SEGMENTS)?;
    let fits = own
        .iter()
        .enumerate()
        .all(|(i, (text, key))| *key == Key::None && (i % 2 == 1 || text == WORDS[i / 2]));
    let step = fits.then(|| OfferStep {
        cluster: &own[1].0,
        pool: &own[3].0,
        offer: &own[5].0,
    });
    step.map(|s| (s.name(), SEGMENTS))
}
