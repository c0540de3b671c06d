//! `site`, `cluster` and `service`.

use super::{duplicate, not_yet, pools, resources::without};
use crate::{
    config::{
        blocks::{Cluster, Phase, PhaseOrder, Pod, PodRepeat, Service, Site},
        reader::{Reader, Report, labels, literal, traversal},
    },
    decode::check_body,
    ir::Block,
    services::schema,
};
use std::{collections::BTreeMap, sync::Arc};
use weir_core::{Diagnostic, Span};

pub(super) fn site(block: &Block, report: &mut Report<'_>) -> Option<Arc<Site>> {
    let name = labels(block, &["name"], report)?[0];
    check_body(
        &block.body,
        &schema::SITE,
        &format!("site `{name}`"),
        &block.span,
        report,
    );
    Some(Arc::new(Site {
        name: name.into(),
        body: block.body.clone(),
        span: block.span.clone(),
    }))
}

pub(super) fn cluster(block: &Block, report: &mut Report<'_>) -> Option<Arc<Cluster>> {
    let name = labels(block, &["name"], report)?[0];
    check_body(
        &block.body,
        &schema::CLUSTER,
        &format!("cluster `{name}`"),
        &block.span,
        report,
    );
    let (body, offers) = pools::providers_as_text(&block.body, report);
    Some(Arc::new(Cluster {
        name: name.into(),
        body,
        offers,
        makes: Vec::new(),
        span: block.span.clone(),
    }))
}

pub(super) fn service(block: &Block, report: &mut Report<'_>) -> Option<Arc<Service>> {
    let name = labels(block, &["name"], report)?[0];
    let what = format!("service `{name}`");
    let own = without(&block.body, &[], &["pod", "plan"]);
    let names = &schema::SERVICE_NAMES;
    check_body(&own, names, &what, &block.span, report);
    let is_misspelt = own.misspells_block("pod", names.blocks.keys().map(String::as_str));
    let mut pods: Vec<Arc<Pod>> = Vec::new();
    let mut seen: BTreeMap<String, Span> = BTreeMap::new();
    for block in block.body.blocks("pod") {
        let Some(pod) = pod(name, block, report) else {
            continue;
        };
        if let Some(first) = seen.insert(pod.name.to_string(), pod.span.clone()) {
            report.push(
                duplicate(&format!("Pod `{}` of {what}", pod.name), &first),
                &pod.span,
            );
            continue;
        }
        pods.push(Arc::new(pod));
    }
    if block.body.blocks("pod").next().is_none() && !is_misspelt {
        let d = Diagnostic::error(format!("Service `{name}` has no pod"))
            .help("Add `pod \"main\" { ... }` with at least one `task`.");
        report.push(d, &block.span);
    }
    let deploy = plans(name, block, &pods, report);
    Some(Arc::new(Service {
        name: name.into(),
        body: own,
        pods,
        deploy,
        span: block.span.clone(),
    }))
}

fn pod(service: &str, block: &Block, report: &mut Report<'_>) -> Option<Pod> {
    let name = labels(block, &["name"], report)?[0];
    let what = format!("pod `{name}` of service `{service}`");
    check_body(&block.body, &schema::POD, &what, &block.span, report);
    let mut reader = Reader::new(what.clone(), &block.body);
    let count = reader.attribute("count");
    let repeat = match (count, reader.attribute("every")) {
        (None, None) => PodRepeat::Count(None),
        (Some(count), None) => PodRepeat::Count(Some(count.expr.clone())),
        (count, Some(every)) => {
            if literal(&every.expr).is_none_or(|v| v.as_str() != Some("host")) {
                let d = Diagnostic::error(format!("`every` of {what} must be \"host\""))
                    .because("It runs one instance on every host of the cluster.")
                    .help("Write `every = \"host\"`, or `count = N` for a number of instances.");
                report.push(d, &every.expr.span);
            }
            if let Some(count) = count {
                let d = Diagnostic::error(format!(
                    "{} has both `count` and `every`",
                    crate::hints::sentence(&what)
                ))
                .because("Each says how many instances there are.")
                .help("Keep one of them.");
                report.push(d, &count.name_span);
            }
            PodRepeat::EveryHost
        }
    };
    Some(Pod {
        name: name.into(),
        repeat,
        place: block.body.blocks("place").next().cloned(),
        resources: block.body.blocks("resources").next().cloned(),
        body: without(&block.body, &["count", "every"], &["place", "resources"]),
        span: block.span.clone(),
    })
}

/// The phases of the plan `deploy`: the order in which pods come up, and change.
fn plans(service: &str, block: &Block, pods: &[Arc<Pod>], report: &mut Report<'_>) -> Vec<Phase> {
    let mut plans: BTreeMap<&str, (&Block, Vec<Phase>)> = BTreeMap::new();
    for block in block.body.blocks("plan") {
        let Some(name) = labels(block, &["name"], report).map(|l| l[0]) else {
            continue;
        };
        if !["deploy", "update"].contains(&name) {
            let d = Diagnostic::error(format!("This version of weir has no plan `{name}`"))
                .because(format!("Service `{service}` may have the plan `deploy`, whose order updates follow too.")).help("Rename it to `deploy`, or remove it.");
            report.push(d, &block.labels[0].1);
            continue;
        }
        if let Some((first, _)) = plans.get(name) {
            report.push(
                duplicate(
                    &format!("Plan `{name}` of service `{service}`"),
                    &first.span,
                ),
                &block.span,
            );
            continue;
        }
        let phases = phases(service, block, pods, report);
        plans.insert(name, (block, phases));
    }
    let deploy = plans.remove("deploy").map(|(_, phases)| phases);
    if let Some((block, update)) = plans.remove("update") {
        let same = deploy.as_ref().is_some_and(|deploy| {
            deploy
                .iter()
                .map(|p| (&p.pod, p.order))
                .eq(update.iter().map(|p| (&p.pod, p.order)))
        });
        if !same {
            let d = Diagnostic::error(format!(
                "Plan `update` of service `{service}` differs from its plan `deploy`"
            ))
            .because("In this version of weir an update follows the order of the plan `deploy`.")
            .help("Give both the same phases, or remove the plan `update`.");
            report.push(d, &block.span);
        }
    }
    deploy.unwrap_or_else(|| {
        pods.iter()
            .map(|p| Phase {
                pod: p.name.clone(),
                order: PhaseOrder::Serial,
            })
            .collect()
    })
}

fn phases(service: &str, block: &Block, pods: &[Arc<Pod>], report: &mut Report<'_>) -> Vec<Phase> {
    let mut phases: Vec<Phase> = Vec::new();
    let plan = block.label(0).unwrap_or_default();
    let before = report.diagnostics.0.len();
    let own = format!("plan `{plan}` of service `{service}`");
    check_body(&block.body, &schema::PLAN, &own, &block.span, report);
    for block in block.body.blocks("phase") {
        let Some(name) = labels(block, &["name"], report).map(|l| l[0]) else {
            continue;
        };
        let what = format!("phase `{name}` of service `{service}`");
        let mut reader = Reader::new(what.clone(), &block.body);
        let order = match reader.attribute("order") {
            None => PhaseOrder::Serial,
            Some(a) => match literal(&a.expr).as_ref().and_then(|v| v.as_str()) {
                Some("serial") => PhaseOrder::Serial,
                Some("parallel") => PhaseOrder::Parallel,
                other => {
                    let mut d = Diagnostic::error(format!(
                        "`order` of {what} must be \"serial\" or \"parallel\""
                    ))
                    .help("Write `order = \"serial\"` or `order = \"parallel\"`.");
                    if let Some(other @ ("canary" | "dependency")) = other {
                        d = d.because(format!("This version of weir has no order `{other}`."));
                    }
                    report.push(d, &a.expr.span);
                    PhaseOrder::Serial
                }
            },
        };
        let Some(a) = reader.attribute("pod") else {
            continue;
        };
        let pod = traversal(&a.expr)
            .filter(|r| &*r.root == "pod" && r.steps.len() == 1)
            .and_then(|r| r.attr(0).map(str::to_owned));
        let Some(pod) = pod else {
            let d = Diagnostic::error(format!("`pod` of {what} must name a pod of the service"))
                .help(format!(
                    "Write `pod = pod.{}`.",
                    pods.first().map_or("NAME", |p| &*p.name)
                ));
            report.push(d, &a.expr.span);
            continue;
        };
        if !pods.iter().any(|p| *p.name == pod) {
            let mut d = Diagnostic::error(format!("Service `{service}` has no pod `{pod}`"));
            d.help =
                crate::hints::suggest(&pod, pods.iter().map(|p| &*p.name), |n| format!("pod.{n}"));
            report.push(d, &a.expr.span);
            continue;
        }
        if phases.iter().any(|p| *p.pod == pod) {
            let d = Diagnostic::error(format!(
                "Two phases of service `{service}` work on pod `{pod}`"
            ))
            .because("A pod's instances are brought up once.")
            .help("Remove one of the two phases.");
            report.push(d, &block.span);
            continue;
        }
        phases.push(Phase {
            pod: pod.into(),
            order,
        });
    }
    let missing: Vec<&str> = pods
        .iter()
        .map(|p| &*p.name)
        .filter(|n| !phases.iter().any(|p| &*p.pod == *n))
        .collect();
    // A phase that is in error may be the one of such a pod.
    let is_broken = report.diagnostics.0[before..]
        .iter()
        .any(Diagnostic::is_error);
    if !missing.is_empty() && !is_broken {
        let d = Diagnostic::error(format!(
            "Plan `{}` of service `{service}` leaves out pod {}",
            block.label(0).unwrap_or_default(),
            crate::hints::join(&missing)
        ))
        .because("Every pod is brought up in some phase.")
        .help(format!(
            "Add `phase \"{0}\" {{ pod = pod.{0} }}`.",
            missing[0]
        ));
        report.push(d, &block.span);
    }
    phases
}

/// Names of the service language that later versions have: they are refused by name.
pub(crate) fn is_later(name: &str) -> bool {
    LATER.contains(&name)
}

/// See [`is_later`].
const LATER: [&str; 15] = [
    "shared",
    "publish",
    "retire",
    "recover",
    "replacement",
    "tenant",
    "residency",
    "auto_revert",
    "unavailable",
    "each",
    "at",
    "guarantee",
    "priority",
    "params",
    "members",
];

/// The error for such a name.
pub(crate) fn later(name: &str, what: &str) -> Diagnostic {
    not_yet(name).because(format!(
        "The language reserves it in {what}; it is refused here, as ignoring it would do something else than it says."
    ))
}
