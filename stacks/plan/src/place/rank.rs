//! Which of the feasible hosts is best.

use super::feasible::{Board, Obstacle, scope};
use std::cmp::{Ordering, Reverse};

/// The hosts a pod can go on, the best last; and what stands against the others (in the order of
/// the hosts; for a feasible one there is none).
pub(super) fn candidates(board: &Board<'_>, demand: usize) -> (Vec<usize>, Vec<Obstacle>) {
    let mut hosts = Vec::new();
    let mut obstacles = Vec::new();
    for h in 0..board.request.hosts.len() {
        match board.fits(demand, h) {
            Ok(()) => hosts.push((Score::of(board, demand, h), h)),
            Err(obstacle) => obstacles.push(obstacle),
        }
    }
    hosts.sort_by(|(a, i), (b, j)| b.cmp(a).then(j.cmp(i)));
    (hosts.into_iter().map(|(_, h)| h).collect(), obstacles)
}

/// Lower is better.
#[derive(Debug, PartialEq)]
struct Score {
    /// Instances of the pod in the same scope, scope by scope as they are written. A host without
    /// the label comes after all that have it.
    spread: Vec<usize>,
    /// Instances of the pod on the host: one host's failure should take as few as possible.
    peers: usize,
    /// How full the host would be: bin packing fills one before it opens the next.
    fullness: f64,
}

impl Score {
    fn of(board: &Board<'_>, demand: usize, host: usize) -> Score {
        let facts = &board.request.hosts[host];
        let wants = board.demand(demand);
        let spread = wants
            .spread
            .iter()
            .map(|name| match scope(facts, name) {
                None => usize::MAX,
                own => board
                    .peers(demand)
                    .filter(|&(_, h)| scope(&board.request.hosts[h], name) == own)
                    .count(),
            })
            .collect();
        let cpus = share(board.cpus_used(host) + wants.cpus, facts.cpus);
        // Shares are compared, never summed up: the loss above 2^53 bytes does not matter.
        #[allow(clippy::cast_precision_loss)]
        let memory = share(
            board.memory_used(host).saturating_add(wants.memory) as f64,
            facts.memory.map(|m| m as f64),
        );
        Score {
            spread,
            peers: board.peers(demand).filter(|&(_, h)| h == host).count(),
            fullness: cpus + memory,
        }
    }

    fn cmp(&self, other: &Score) -> Ordering {
        self.spread
            .cmp(&other.spread)
            .then(self.peers.cmp(&other.peers))
            .then_with(|| Reverse(Total(self.fullness)).cmp(&Reverse(Total(other.fullness))))
    }
}

fn share(used: f64, capacity: Option<f64>) -> f64 {
    match capacity {
        Some(c) if c > 0.0 => used / c,
        _ => 0.0,
    }
}

/// A float with a total order.
#[derive(PartialEq)]
struct Total(f64);
impl Eq for Total {}
impl PartialOrd for Total {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Total {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}
