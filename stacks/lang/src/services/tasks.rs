//! The tasks of a pod.

use super::{field, pods::one_of, schema::SHAPES};
use crate::{
    config::blocks::{Pod, Service},
    decode::{Expansion, decode, expand},
    eval::{NodeId, Scope},
};
use weir_core::{Diagnostic, Entries, Type, Value};

/// The tasks of a pod, in order: a tuple of objects.
///
/// # Errors
/// The node that has no value yet.
pub(super) fn tasks(
    service: &Service,
    pod: &Pod,
    scope: &dyn Scope,
    problems: &mut Vec<Diagnostic>,
) -> Result<Value, NodeId> {
    let blocks = match expand(&pod.body, "task", 1, scope, problems)? {
        Expansion::Known(blocks) => blocks,
        Expansion::Unknown(_) => return Ok(Value::unknown(Type::Dynamic)),
    };
    let mut out: Vec<Value> = Vec::new();
    for block in &blocks {
        let name = block.labels.first().cloned().unwrap_or_default();
        let what = format!(
            "task `{name}` of pod `{}` of service `{}`",
            pod.name, service.name
        );
        let mut task = block.in_scope(scope, |scope| {
            decode(block.body, &SHAPES.task, &block.span, scope, problems)
        })?;
        one_of(&task, &["run", "unit"], &what, &block.span, scope, problems);
        for probe in ["ready", "alive"] {
            let Some(value) = field(&task, probe).filter(|v| !v.is_unknown()) else {
                continue;
            };
            let inner = block.body.blocks(probe).next();
            let span = inner.map_or(&block.span, |b| &b.span);
            let what = format!("`{probe}` of {what}");
            one_of(
                value,
                &["http", "tcp", "exec"],
                &what,
                span,
                scope,
                problems,
            );
        }
        let finishes = field(&task, "goal")
            .and_then(Value::as_str)
            .is_some_and(|g| ["finish", "once"].contains(&g));
        if finishes && field(&task, "unit").is_some() {
            let d = Diagnostic::error(format!("The goal of {what} does not fit a unit"))
                .because("weir keeps a package's systemd unit running; it can't wait for its end.")
                .help("Use `run` for a command that ends.");
            let span = block
                .body
                .attribute("goal")
                .map_or(&block.span, |a| &a.expr.span);
            problems.push(scope.context().sources.point(d, span));
        }
        if finishes && field(&task, "alive").is_some() {
            let d = Diagnostic::error(format!("`alive` of {what} has no meaning"))
                .because("The task ends by itself, so it needn't stay alive.")
                .help("Remove the block.");
            let inner = block.body.blocks("alive").next();
            problems.push(
                scope
                    .context()
                    .sources
                    .point(d, inner.map_or(&block.span, |b| &b.span)),
            );
        }
        let default = |task: Value, name: &str, value: Value| match field(&task, name) {
            Some(_) => task,
            None => task.with(name, value),
        };
        task = task.with("name", Value::string(name.clone()));
        task = default(task, "goal", Value::string("running"));
        task = default(task, "essential", Value::bool(true));
        task = default(task, "env", Value::map(Type::String, Entries::new()));
        if out.iter().any(|t| super::text(t, "name") == Some(&name)) {
            let d = Diagnostic::error(format!("Pod `{}` has two tasks `{name}`", pod.name))
                .because("A task is known by its name within its pod.")
                .help("Rename one of them, or remove it.");
            problems.push(scope.context().sources.point(d, &block.span));
        }
        out.push(task);
    }
    Ok(Value::tuple(out))
}
