//! Pods get hosts: feasible, then ranked.
//!
//! 1. What runs stays where it is as long as its host is there and holds it: a changed rule moves
//!    nothing ([`place`]).
//! 2. The others get hosts by a search over what is feasible (`feasible`), the best ranked first
//!    (`rank`). The first way down is the greedy one; a dead end is left by stepping back, within
//!    a budget.
//! 3. Ports: the numbers that are written, then the ones that were chosen before, then the lowest
//!    free ones (`ports`).
//! 4. What does not fit is refused with the shortage in numbers (`shortage`).

mod feasible;
mod ports;
mod rank;
mod shortage;

use feasible::{Board, Obstacle};
use std::collections::{BTreeMap, BTreeSet};
use weir_core::{Address, Diagnostic, Object};
use weir_lang::instance::{Demand, PlaceRequest, Placement};

/// The first port that is chosen for a pod that names none.
pub const FIRST_PORT: u16 = 20_000;
/// The last one.
pub const LAST_PORT: u16 = 32_000;

/// How many times the search may step back before it gives up. Far above what real clusters
/// need: a refusal for want of hosts is found by counting, not by searching.
const BUDGET: usize = 2_000;

/// What other pods take of a host.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Usage {
    /// Cores.
    pub cpus: f64,
    /// Bytes.
    pub memory: u64,
    /// Ports, in use by whom.
    pub ports: BTreeMap<u16, Address>,
}

/// Gives every demand of `request` a host and ports.
///
/// `current` are the placements that state has; those of pods that are not asked for play no
/// part. `usage` is what pods of other services take, by host id.
///
/// # Errors
/// The hosts do not suffice. The diagnostic names the shortage in numbers, and per host why not.
pub fn place(
    request: &PlaceRequest,
    current: &BTreeMap<Address, Placement>,
    usage: &BTreeMap<String, Usage>,
) -> Result<BTreeMap<Address, Placement>, Diagnostic> {
    let mut board = Board::new(request, usage);
    let mut open: Vec<usize> = Vec::new();
    for (i, demand) in request.demands.iter().enumerate() {
        let host = current
            .get(&demand.address)
            .and_then(|p| board.host(&p.host));
        match host {
            Some(h) if board.stays(i, h) => board.put(i, h),
            _ => open.push(i),
        }
    }
    // Those with the fewest hosts to choose from come first; among equals, the order of the file.
    let choices: BTreeMap<usize, usize> = open
        .iter()
        .map(|&i| {
            (
                i,
                (0..request.hosts.len())
                    .filter(|&h| board.suits(i, h).is_ok())
                    .count(),
            )
        })
        .collect();
    open.sort_by_key(|i| (choices.get(i).copied().unwrap_or(0), *i));
    if let Err(failure) = search(&mut board, &open) {
        return Err(shortage::shortage(
            &board,
            failure.demand,
            &failure.obstacles,
        ));
    }
    ports::assign(&board, current)
}

/// Where the search got stuck: the demand nothing was found for, with each host's obstacle at the
/// first way down.
struct Failure {
    demand: usize,
    obstacles: Vec<Obstacle>,
}

/// Depth-first over the open demands. On failure the board is as at its start.
fn search(board: &mut Board<'_>, open: &[usize]) -> Result<(), Failure> {
    let mut ways: Vec<Vec<usize>> = Vec::with_capacity(open.len());
    let mut first: Option<Failure> = None;
    let mut steps_back = 0;
    while ways.len() < open.len() {
        let demand = open[ways.len()];
        let (mut hosts, obstacles) = rank::candidates(board, demand);
        if let Some(best) = hosts.pop() {
            board.put(demand, best);
            ways.push(hosts);
            continue;
        }
        first.get_or_insert(Failure { demand, obstacles });
        // Step back to the last choice that has another way.
        loop {
            steps_back += 1;
            let Some(mut rest) = ways.pop() else { break };
            let demand = open[ways.len()];
            board.take(demand);
            if steps_back < BUDGET
                && let Some(next) = rest.pop()
            {
                board.put(demand, next);
                ways.push(rest);
                break;
            }
        }
        if ways.is_empty() {
            break;
        }
    }
    match first {
        Some(failure) if ways.len() < open.len() => Err(failure),
        _ => Ok(()),
    }
}

/// The pod's name, of its address.
fn pod_name(demand: &Demand) -> &str {
    match &demand.address.object {
        Object::Pod { pod, .. } => pod,
        other => other.type_name(),
    }
}

/// The values of the labels that hosts have for a scope, in order.
fn scope_values<'a>(board: &'a Board<'_>, scope: &'a str) -> BTreeSet<&'a str> {
    board
        .hosts()
        .filter_map(|h| feasible::scope(h, scope))
        .collect()
}
