//! What an instance's `lifecycle` says, evaluated for it.

use super::{
    Evaluator,
    frame::Frame,
    graph::{Mode, State},
    values::value,
};
use crate::{
    config::blocks::{LifecycleBlock, Resource, TriggerBlock},
    eval::{NodeId, Scope},
    hints,
    instance::{Lifecycle, Trigger},
    ir::{Expr, RefStep, Reference},
};
use weir_core::{Address, Diagnostic, Key, Kind, PathStep, Type, Value, convert::convert};

/// What an element of `replace_triggered_by` names.
enum Named {
    Found(Trigger),
    /// Nothing that could change, or what is an error that was reported.
    Nothing,
    /// An instance that there is not.
    Missing(Diagnostic),
}

impl Evaluator {
    /// The lifecycle of an instance.
    pub(super) fn lifecycle(
        &self,
        resource: &Resource,
        frame: &Frame<'_>,
        problems: &mut Vec<Diagnostic>,
    ) -> Result<Lifecycle, NodeId> {
        let LifecycleBlock {
            create_before_destroy,
            prevent_destroy,
            ignore_changes,
            ignored_at: _,
            triggers,
            destroy,
            refresh,
        } = &resource.lifecycle;
        let prevent_destroy = match prevent_destroy {
            None => false,
            Some(expr) => truth(
                expr,
                "prevent_destroy",
                &resource.object.to_string(),
                frame,
                problems,
            )?
            .unwrap_or(false),
        };
        let mut replace_triggered_by = Vec::with_capacity(triggers.len());
        let mut refused_triggers = Vec::new();
        for trigger in triggers {
            match self.trigger(trigger, frame, problems)? {
                Named::Found(trigger) => replace_triggered_by.push(trigger),
                Named::Nothing => {}
                // Whether this instance is of the part that is planned shows at its end only.
                Named::Missing(d) if self.part.is_some() || self.looks_only => {
                    refused_triggers.push(d);
                }
                Named::Missing(d) => problems.push(d),
            }
        }
        Ok(Lifecycle {
            create_before_destroy: *create_before_destroy,
            prevent_destroy,
            ignore_changes: ignore_changes.clone(),
            replace_triggered_by,
            refused_triggers,
            destroy: *destroy,
            refresh: *refresh,
        })
    }

    /// What a trigger names, once that has a value: the instance comes after it.
    fn trigger(
        &self,
        trigger: &TriggerBlock,
        frame: &Frame<'_>,
        problems: &mut Vec<Diagnostic>,
    ) -> Result<Named, NodeId> {
        let inst = self.graph.module(frame.inst);
        let Some(ix) = self.module_of(frame.inst).names.object(&trigger.object) else {
            return Ok(Named::Nothing); // Linking has reported it.
        };
        let block = inst.id(ix);
        let Some(x) = &self.graph.get(block).expansion else {
            return Err(block);
        };
        let found = |key: Key, whole_block: bool| {
            Named::Found(Trigger {
                address: Address {
                    module: inst.path.clone(),
                    object: trigger.object.clone(),
                    key,
                },
                whole_block,
                path: trigger.path.clone(),
            })
        };
        let named = trigger.reference.steps.len();
        if trigger.index.is_none() && x.mode != Mode::Once {
            if let Some(PathStep::Key(attribute)) = trigger.path.0.first() {
                let name = trigger.reference.prefix(named);
                let d = Diagnostic::error(format!("`{name}` has several instances"))
                    .because(format!("`.{attribute}` must say of which one."))
                    .help(format!("Write `{name}` for any change of any of them."));
                let span = &trigger.reference.span;
                problems.push(frame.context().sources.point(d, span));
                return Ok(Named::Nothing);
            }
            if !matches!(self.graph.get(x.all).state, State::Complete(_)) {
                return Err(x.all);
            }
            frame.reads.borrow_mut().deps.insert(x.all);
            return Ok(found(Key::None, true));
        }
        let mut reference = trigger.reference.clone();
        if let Some(index) = &trigger.index {
            let before = problems.len();
            let index = value(index, frame, problems)?;
            if problems.len() > before {
                return Ok(Named::Nothing);
            }
            reference.steps.push(RefStep::Index(index));
        } else if x.keys.is_empty() {
            // It is not enabled: it never changes.
            return Ok(Named::Nothing);
        }
        let resolved = match frame.resolve(&reference) {
            Ok(resolved) => resolved,
            Err(crate::eval::EvalError::NotReady(node)) => return Err(node),
            Err(crate::eval::EvalError::Diagnostic(d)) => {
                return Ok(Named::Missing(*d));
            }
        };
        if let Some(d) = no_attribute(&resolved.value, trigger, &reference) {
            problems.push(frame.context().sources.point(d, &reference.span));
            return Ok(Named::Nothing);
        }
        let key = match reference.steps.get(named) {
            Some(RefStep::Index(index)) => match (x.mode, index.as_str()) {
                (Mode::Count, _) => {
                    let number = convert(index, &Type::Number).ok().and_then(|n| n.as_i64());
                    Key::Index(number.and_then(|n| u64::try_from(n).ok()).unwrap_or(0))
                }
                (_, Some(key)) => Key::Name(key.into()),
                _ => Key::Name(
                    convert(index, &Type::String)
                        .map_or_else(
                            |_| String::new(),
                            |v| v.as_str().unwrap_or_default().to_owned(),
                        )
                        .into(),
                ),
            },
            _ => Key::None,
        };
        Ok(found(key, false))
    }
}

fn no_attribute(
    value: &Value,
    trigger: &TriggerBlock,
    reference: &Reference,
) -> Option<Diagnostic> {
    let Some(PathStep::Key(attribute)) = trigger.path.0.first() else {
        return None;
    };
    let Kind::Object(fields) = value.kind() else {
        return None;
    };
    if fields.contains_key(attribute.as_str()) {
        return None;
    }
    let mut d = Diagnostic::error(format!("`{reference}` has no attribute `{attribute}`"));
    d.help = hints::suggest(attribute, fields.keys().map(|k| &**k), str::to_owned);
    Some(d)
}

/// A truth value that must be known; `None` where it is in error.
pub(super) fn truth(
    expr: &Expr,
    attribute: &str,
    title: &str,
    frame: &Frame<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Result<Option<bool>, NodeId> {
    let before = problems.len();
    let given = value(expr, frame, problems)?;
    if problems.len() > before {
        return Ok(None);
    }
    let marks = given.marks_deep();
    let refused = |why: String| {
        Diagnostic::error(format!("`{attribute}` of {title} can't be used"))
            .because(why)
            .help(format!(
                "Write `{attribute} = true` or `{attribute} = false`, or a condition that is known."
            ))
    };
    let problem = if marks.contains(weir_core::Marks::SENSITIVE) {
        refused("It is sensitive, and what it decides is shown in every plan.".into())
            .help("Wrap what may be shown in `nonsensitive(...)`.")
    } else if marks.contains(weir_core::Marks::EPHEMERAL) {
        refused("It is ephemeral, and it must be the same at plan and apply.".into())
    } else if given.is_unknown() {
        super::origin::unknown(attribute, title, expr, frame)
    } else {
        match convert(&given, &Type::Bool) {
            Ok(v) if v.as_bool().is_some() => return Ok(v.as_bool()),
            _ => refused(format!(
                "It is {}; it must be `true` or `false`.",
                if given.is_null() {
                    "null".to_owned()
                } else {
                    super::blocks::a(&given)
                }
            )),
        }
    };
    problems.push(frame.context().sources.point(problem, &expr.span));
    Ok(None)
}
