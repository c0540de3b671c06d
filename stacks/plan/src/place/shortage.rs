//! What is missing, in numbers.

use super::{
    feasible::{Board, Obstacle, scope},
    pod_name, scope_values,
};
use std::{collections::BTreeSet, fmt::Write as _};
use weir_core::{Diagnostic, ModulePath};

/// How many hosts are listed with their reason.
const LISTED: usize = 12;

/// The refusal for a demand that found no host.
pub(super) fn shortage(board: &Board<'_>, demand: usize, obstacles: &[Obstacle]) -> Diagnostic {
    let wants = board.demand(demand);
    let service = service_name(&board.request.module, &board.request.service);
    let summary = distinct_shortage(board, demand, &service).unwrap_or_else(|| {
        let hosts = board.request.hosts.len();
        match (&wants.on, hosts) {
            (_, 0) => format!("{service} needs a host, and the cluster has none"),
            (Some(id), _) => format!("{} does not fit on {id}", wants.address),
            (None, 1) => format!("{} does not fit on the cluster's one host", wants.address),
            (None, n) => format!("{} fits on none of the cluster's {n} hosts", wants.address),
        }
    });
    let mut detail = String::new();
    let pinned = wants.on.is_some();
    let reasons = board
        .hosts()
        .zip(obstacles)
        .filter(|(_, o)| !(pinned && **o == Obstacle::OtherHost));
    for (i, (host, obstacle)) in reasons.enumerate() {
        if i == LISTED {
            let _ = write!(
                detail,
                "\n... and {} more hosts",
                board.request.hosts.len() - LISTED
            );
            break;
        }
        let line_end = if i > 0 { "\n" } else { "" };
        let _ = write!(detail, "{line_end}{}: {}", host.id, reason(obstacle));
    }
    Diagnostic::error(summary)
        .because(detail)
        .help(help(obstacles))
        .at(board.request.span.clone())
        .on(wants.address.clone())
}

/// `service.web`, with its module in front.
fn service_name(module: &ModulePath, service: &str) -> String {
    if module.is_root() {
        format!("service.{service}")
    } else {
        format!("{module}.service.{service}")
    }
}

/// Where hosts that share nothing are asked for, and there are fewer than instances: both numbers.
fn distinct_shortage(board: &Board<'_>, demand: usize, service: &str) -> Option<String> {
    let wants = board.demand(demand);
    let needed = board
        .request
        .demands
        .iter()
        .filter(|d| pod_name(d) == pod_name(wants))
        .count();
    for name in &wants.distinct {
        let values = scope_values(board, name);
        if values.len() < needed {
            let has = match name.as_str() {
                "host" => values.len().to_string(),
                other => format!("hosts of {} {other}{}", values.len(), plural(values.len())),
            };
            return Some(format!(
                "{service} needs {needed} hosts that share no {name}, and the cluster has {has}"
            ));
        }
        // Scopes that are held already (also where a changed rule left them shared), and those
        // with a host that suits.
        let held: BTreeSet<&str> = board
            .peers(demand)
            .filter_map(|(_, h)| scope(&board.request.hosts[h], name))
            .collect();
        let usable: BTreeSet<&str> = (0..board.request.hosts.len())
            .filter(|&h| board.suits(demand, h).is_ok())
            .filter_map(|h| scope(&board.request.hosts[h], name))
            .chain(held)
            .collect();
        if usable.len() < needed {
            return Some(format!(
                "{service} needs {needed} hosts for its pod {:?} that share no {name}, and {} of \
                 the cluster's {} will do",
                pod_name(wants),
                usable.len(),
                board.request.hosts.len()
            ));
        }
    }
    None
}

fn plural(n: usize) -> &'static str {
    if n == 1 { "" } else { "s" }
}

fn reason(obstacle: &Obstacle) -> String {
    match obstacle {
        Obstacle::OtherHost => "the instance belongs to another host".into(),
        Obstacle::Label {
            name,
            wanted,
            has: None,
        } => {
            format!("has no label {name:?} (wanted {wanted:?})")
        }
        Obstacle::Label {
            name,
            wanted,
            has: Some(has),
        } => {
            format!("its label {name:?} is {has:?} (wanted {wanted:?})")
        }
        Obstacle::NoScope(name) => format!("has no label {name:?} to tell instances apart by"),
        Obstacle::Shared { scope, with } if scope == "host" => format!("holds {with}"),
        Obstacle::Shared { scope, with } => format!("shares its {scope} with {with}"),
        Obstacle::Avoids(with) => format!("holds {with}, which must be kept apart"),
        Obstacle::Cpus { free, asked } => {
            format!(
                "{} of its cpus are free (wanted {})",
                round(*free),
                round(*asked)
            )
        }
        Obstacle::Memory { free, asked } => {
            format!(
                "{} of its memory are free (wanted {})",
                bytes(*free),
                bytes(*asked)
            )
        }
        Obstacle::Port { number, by } => format!("port {number} is taken by {by}"),
        Obstacle::NoPort => "no port is free to be chosen".into(),
    }
}

fn help(obstacles: &[Obstacle]) -> &'static str {
    let any = |f: fn(&Obstacle) -> bool| obstacles.iter().any(f);
    if any(|o| matches!(o, Obstacle::Port { .. })) {
        "Give the port another number, leave the number out so that a free one is chosen, or add \
         hosts to the cluster."
    } else if any(|o| matches!(o, Obstacle::Cpus { .. } | Obstacle::Memory { .. })) {
        "Add hosts to a pool of the cluster, or lower `count` or what `resources` asks for."
    } else {
        "Add hosts to a pool of the cluster, lower `count`, or loosen the pod's `place` block."
    }
}

fn round(cpus: f64) -> f64 {
    (cpus * 1000.0).round() / 1000.0
}

/// `4 GiB`, `512 MiB`, `100 bytes`.
fn bytes(n: u64) -> String {
    for (unit, size) in [("GiB", 1_u64 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] {
        if n >= size {
            let tenths = u128::from(n) * 10 / u128::from(size);
            return if tenths % 10 == 0 {
                format!("{} {unit}", tenths / 10)
            } else {
                format!("{}.{} {unit}", tenths / 10, tenths % 10)
            };
        }
    }
    format!("{n} bytes")
}
