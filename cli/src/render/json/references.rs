//! What an expression refers to, in Terraform's words.

use weir_lang::ir::{Expr, RefStep, Reference};

/// Each reference of the expression, with all that it goes through:
/// `terraform_data.a[0].output`, `terraform_data.a[0]`, `terraform_data.a`.
pub(crate) fn references(expr: &Expr) -> Vec<String> {
    expr.references().iter().flat_map(one).collect()
}

/// The steps of a reference before the first that evaluation decides.
pub(super) fn known_steps(reference: &Reference) -> usize {
    let open = |s: &RefStep| matches!(s, RefStep::Splat | RefStep::Dynamic);
    let steps = &reference.steps;
    steps.iter().position(open).unwrap_or(steps.len())
}

/// How many steps name what is referred to; the rest lead into it.
pub(super) fn subject_steps(reference: &Reference) -> usize {
    let end = known_steps(reference);
    let index_at = |n: usize| matches!(reference.steps.get(n), Some(RefStep::Index(_)) if n < end);
    let wanted = match &*reference.root {
        "self" => 0,
        "var" | "local" | "each" | "count" | "path" | "terraform" => 1,
        "data" | "resource" | "ephemeral" => 2 + usize::from(index_at(2)),
        "module" => {
            let named = 1 + usize::from(index_at(1));
            named + usize::from(matches!(reference.steps.get(named), Some(RefStep::Attr(_))))
        }
        _ => 1 + usize::from(index_at(1)),
    };
    wanted.min(end)
}

fn one(reference: &Reference) -> Vec<String> {
    let text = |steps| {
        let text = reference.prefix(steps);
        match text.strip_prefix("resource.") {
            Some(rest) => rest.to_owned(),
            None => text,
        }
    };
    let subject = subject_steps(reference);
    let mut out: Vec<String> = (subject..=known_steps(reference)).rev().map(text).collect();
    let is_index = |n: usize| matches!(reference.steps.get(n), Some(RefStep::Index(_)));
    match &*reference.root {
        // An output goes on with its module, an instance with its block.
        "module" if subject > 1 => out.push(text(subject - 1)),
        "var" | "local" | "each" | "count" | "path" | "terraform" | "self" => {}
        _ if subject > 0 && is_index(subject - 1) => out.push(text(subject - 1)),
        _ => {}
    }
    out
}
