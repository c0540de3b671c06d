//! Ports: written, kept, or chosen.

use super::{FIRST_PORT, LAST_PORT, feasible::Board};
use std::collections::{BTreeMap, BTreeSet};
use weir_core::{Address, Diagnostic};
use weir_lang::instance::Placement;

/// The placements of a full board. On each host, ports that are written go first, so that none of
/// them is taken by choice; then those that were chosen before are kept; then the lowest free
/// ones are chosen.
pub(super) fn assign(
    board: &Board<'_>,
    current: &BTreeMap<Address, Placement>,
) -> Result<BTreeMap<Address, Placement>, Diagnostic> {
    let mut out = BTreeMap::new();
    for (h, facts) in board.hosts().enumerate() {
        let mut taken: BTreeSet<u16> = board
            .usage(h)
            .into_iter()
            .flat_map(|u| u.ports.keys().copied())
            .collect();
        taken.extend(
            board
                .on(h)
                .flat_map(|d| d.ports.values().flatten().copied()),
        );
        let mut kept: BTreeMap<(&Address, &str), u16> = BTreeMap::new();
        for demand in board.on(h) {
            let before = current.get(&demand.address).filter(|p| p.host == facts.id);
            for (name, _) in demand.ports.iter().filter(|(_, n)| n.is_none()) {
                if let Some(&number) = before.and_then(|p| p.ports.get(name))
                    && (FIRST_PORT..=LAST_PORT).contains(&number)
                    && taken.insert(number)
                {
                    kept.insert((&demand.address, name), number);
                }
            }
        }
        let mut free = (FIRST_PORT..=LAST_PORT).filter(|n| !taken.contains(n));
        // In the order of the demands, whatever order they were placed in.
        let mut here: Vec<_> = board.on(h).collect();
        here.sort_by_key(|d| {
            board
                .request
                .demands
                .iter()
                .position(|x| x.address == d.address)
        });
        for demand in here {
            let mut ports = BTreeMap::new();
            for (name, written) in &demand.ports {
                let number = written
                    .or_else(|| kept.get(&(&demand.address, name.as_str())).copied())
                    .or_else(|| free.next());
                let Some(number) = number else {
                    return Err(
                        Diagnostic::error(format!("{} has no free port", demand.address))
                            .because(format!(
                                "On {} all ports from {FIRST_PORT} to {LAST_PORT} are taken.",
                                facts.id
                            ))
                            .help(
                                "Give the pod fewer ports, or add hosts to a pool of the cluster.",
                            )
                            .at(board.request.span.clone())
                            .on(demand.address.clone()),
                    );
                };
                ports.insert(name.clone(), number);
            }
            out.insert(
                demand.address.clone(),
                Placement {
                    host: facts.id.clone(),
                    ports,
                },
            );
        }
    }
    Ok(out)
}
