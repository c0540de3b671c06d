//! Addresses written as names: in `moved`, `removed`, `import` and `replace_triggered_by`.

use crate::ir::{Expr, ExprKind, RefStep, Reference, Step, StepKind};
use std::sync::Arc;
use weir_core::{Key, Object, address::OfferStep};

/// A name read as an address; keys are not evaluated.
pub(super) struct Written<'e> {
    pub(super) modules: Vec<(Arc<str>, Option<Expr>)>,
    /// `None` where it names a module.
    pub(super) object: Option<Object>,
    pub(super) key: Option<Expr>,
    /// What stands after the instance.
    pub(super) rest: &'e [Step],
    /// The name of the object alone, without keys.
    pub(super) reference: Reference,
}

/// The address an expression writes; `None` where it is none.
pub(super) fn written(expr: &Expr) -> Option<Written<'_>> {
    let ExprKind::Variable(v) = &*expr.unparenthesised().kind else {
        return None;
    };
    let mut rest: &[Step] = &v.steps;
    let mut head = v.root.clone();
    let mut modules = Vec::new();
    loop {
        if let Some(name) = offer(&head, &mut rest) {
            modules.push((name, None));
        } else if &*head == "module" {
            let name = attr(&mut rest)?;
            let key = index(&mut rest);
            modules.push((name, key));
        } else {
            break;
        }
        if rest.is_empty() {
            return Some(Written {
                modules,
                object: None,
                key: None,
                rest,
                reference: v.reference.clone(),
            });
        }
        head = attr(&mut rest)?;
    }
    let object = match &*head {
        "var" | "local" | "path" | "terraform" | "count" | "each" | "self" => return None,
        "data" => Object::Data {
            ty: attr(&mut rest)?.as_ref().into(),
            name: attr(&mut rest)?.as_ref().into(),
        },
        "ephemeral" => Object::Ephemeral {
            ty: attr(&mut rest)?.as_ref().into(),
            name: attr(&mut rest)?.as_ref().into(),
        },
        "site" => {
            let site = attr(&mut rest)?.to_string();
            (&*attr(&mut rest)? == "host").then_some(Object::Host { site: site.into() })?
        }
        "service" => {
            let service = attr(&mut rest)?.to_string();
            (&*attr(&mut rest)? == "pod").then_some(())?;
            let pod = attr(&mut rest)?.to_string();
            Object::Pod {
                service: service.into(),
                pod: pod.into(),
            }
        }
        ty => Object::Managed {
            ty: ty.into(),
            name: attr(&mut rest)?.as_ref().into(),
        },
    };
    let named = v.steps.len() - rest.len();
    let key = index(&mut rest);
    let reference = Reference {
        root: v.root.clone(),
        steps: v.reference.steps[..named]
            .iter()
            .filter(|s| matches!(s, RefStep::Attr(_)))
            .cloned()
            .collect(),
        span: v.reference.span.clone(),
    };
    Some(Written {
        modules,
        object: Some(object),
        key,
        rest,
        reference,
    })
}

/// The step into what an offer of a pool makes: `cluster.main.pool.cloud.offer.fra`.
fn offer(head: &str, rest: &mut &[Step]) -> Option<Arc<str>> {
    let mut after = *rest;
    let mut name = |word: Option<&str>| {
        let name = attr(&mut after)?;
        word.is_none_or(|word| *word == *name).then_some(name)
    };
    if head != "cluster" {
        return None;
    }
    let cluster = name(None)?;
    name(Some("pool"))?;
    let pool = name(None)?;
    name(Some("offer"))?;
    let offer = name(None)?;
    *rest = after;
    let step = OfferStep {
        cluster: &cluster,
        pool: &pool,
        offer: &offer,
    };
    Some(step.to_string().into())
}

fn attr(rest: &mut &[Step]) -> Option<Arc<str>> {
    let (first, tail) = rest.split_first()?;
    let StepKind::Attr(name) = &first.kind else {
        return None;
    };
    *rest = tail;
    Some(name.clone())
}

fn index(rest: &mut &[Step]) -> Option<Expr> {
    let (first, tail) = rest.split_first()?;
    let StepKind::Index(index) = &first.kind else {
        return None;
    };
    *rest = tail;
    Some(index.clone())
}

/// The key an index is, where it is written out.
pub(super) fn literal_key(index: Option<&Expr>) -> Option<Key> {
    let Some(index) = index else {
        return Some(Key::None);
    };
    let value = crate::config::reader::literal(index)?;
    match (value.as_str(), value.as_i64()) {
        (Some(key), _) => Some(Key::Name(key.into())),
        (_, Some(i)) => Some(Key::Index(u64::try_from(i).ok()?)),
        _ => None,
    }
}
