//! Variables, locals and outputs.

use super::{
    CheckStatus, Evaluator, Purpose,
    frame::{Frame, Names},
    graph::InstId,
    run::{Computed, Outcome, Stop},
};
use crate::{
    config::{
        NodeKind,
        blocks::{OutputBlock, Rule, Variable},
    },
    eval::{EvalError, NodeId, Scope, eval, explained},
    hints,
    ir::Expr,
    vars::marked,
};
use weir_core::{Diagnostic, Marks, Type, Value, convert::convert};

impl Evaluator {
    /// The value of an expression at a node.
    pub(super) fn expression(&self, id: NodeId, expr: &Expr) -> Outcome<Value> {
        self.compute(
            self.graph.get(id).inst,
            Names::default(),
            |frame, problems| value(expr, frame, problems),
        )
    }

    pub(super) fn variable(&mut self, id: NodeId, variable: &Variable) -> Result<(), Stop> {
        let inst = self.graph.get(id).inst;
        let given = match self.graph.module(inst).parent {
            None => self.compute(inst, Names::default(), |_, _| {
                let given = self.config.values.get(&variable.name);
                let given = given.filter(|_| self.purpose != Purpose::Form);
                Ok(given.map_or_else(|| Value::unknown(variable.ty.clone()), Value::clone))
            }),
            Some((parent, position)) => self.argument(inst, parent, position, variable),
        };
        let mut computed = self.settle(id, given)?;
        if !variable.validations.is_empty() && !self.validated_later(id, variable) {
            let value = computed.value.clone();
            let names = Names {
                variable: Some((variable.name.clone(), value)),
                ..Names::default()
            };
            let what = format!("Variable `{}` has a value that is refused", variable.name);
            let checked = self.compute(inst, names, |frame, problems| {
                check(&variable.validations, &what, frame, problems)
            });
            let checked = self.settle(id, checked)?;
            computed.reads.nodes.extend(checked.reads.nodes);
        }
        if self.purpose == Purpose::Form {
            computed.value = marked(variable, Value::unknown(variable.ty.clone()));
        }
        self.store(id, computed);
        Ok(())
    }

    /// The validations of a variable that refer to more than the variable.
    pub(super) fn validation(&mut self, id: NodeId, variable: &Variable) -> Result<(), Stop> {
        let inst = self.graph.get(id).inst;
        if !self.validated_later(id, variable) {
            self.store(id, Computed::of(Value::null()));
            return Ok(());
        }
        let what = format!("Variable `{}` has a value that is refused", variable.name);
        let outcome = self.compute(inst, Names::default(), |frame, problems| {
            check(&variable.validations, &what, frame, problems)?;
            Ok(Value::null())
        });
        self.keep(id, outcome)
    }

    /// Whether a variable's validations come after it, in the module of a node.
    fn validated_later(&self, id: NodeId, variable: &Variable) -> bool {
        let module = self.module_of(self.graph.get(id).inst);
        let ix = module.names.variables.get(&variable.name);
        ix.is_some_and(|ix| module.node(*ix).validated_later)
    }

    /// What the caller of a module gives for a variable, of its type.
    fn argument(
        &self,
        inst: InstId,
        parent: InstId,
        position: usize,
        variable: &Variable,
    ) -> Outcome<Value> {
        let call_ix = self.module_of(inst).parent.map(|(_, ix)| ix);
        let call = call_ix.map(|ix| self.graph.module(parent).id(ix));
        let names = match call {
            Some(id) => self.names_of(id, position)?,
            None => Names::default(),
        };
        self.compute(parent, names, |frame, problems| {
            frame.reads.borrow_mut().nodes.extend(call);
            let Some(NodeKind::Call(call, _)) = call.map(|id| self.kind_of(id)) else {
                return Ok(Value::null());
            };
            let default = || {
                variable
                    .default
                    .clone()
                    .unwrap_or_else(|| Value::unknown(variable.ty.clone()))
            };
            let Some(input) = call.inputs.iter().find(|i| i.name == variable.name) else {
                return Ok(marked(variable, default()));
            };
            let given = value(&input.expr, frame, problems)?;
            if given.marks_deep().contains(Marks::EPHEMERAL) && !variable.ephemeral {
                let d = Diagnostic::error(format!(
                    "Input `{}` of module `{}` can't take an ephemeral value",
                    variable.name, call.name
                ))
                .because("The variable is not declared to take one, so the module may keep it.")
                .help(format!(
                    "Add `ephemeral = true` to the variable, at {}.",
                    variable.span
                ));
                problems.push(frame.context().sources.point(d, &input.expr.span));
            }
            if given.is_null() && !variable.nullable {
                if variable.default.is_none() {
                    let d = Diagnostic::error(format!(
                        "Input `{}` of module `{}` is null",
                        variable.name, call.name
                    ))
                    .because(format!(
                        "The variable says `nullable = false`, at {}.",
                        variable.span
                    ))
                    .help(match variable.default {
                        Some(_) => "Give it a value, or leave it out: then the default holds.",
                        None => "Give it a value.",
                    });
                    problems.push(frame.context().sources.point(d, &input.expr.span));
                }
                return Ok(marked(variable, default()));
            }
            match convert(&variable.defaults.apply(&given), &variable.ty) {
                Ok(value) => Ok(marked(variable, value)),
                Err(error) => {
                    let d = Diagnostic::error(format!(
                        "Input `{}` of module `{}` is not of its type",
                        variable.name, call.name
                    ))
                    .because(format!(
                        "The variable's type is `{}`: {error}.",
                        variable.ty
                    ))
                    .help(format!("The variable is declared at {}.", variable.span));
                    problems.push(frame.context().sources.point(d, &input.expr.span));
                    Ok(Value::unknown(variable.ty.clone()))
                }
            }
        })
    }

    pub(super) fn output(&mut self, id: NodeId, output: &OutputBlock) -> Result<(), Stop> {
        let inst = self.graph.get(id).inst;
        let is_root = self.graph.module(inst).parent.is_none();
        let outcome = self.compute(inst, Names::default(), |frame, problems| {
            check(&output.preconditions, &format!("Output `{}` is refused", output.name), frame, problems)?;
            self.judge(problems);
            if self.purpose == Purpose::Destroy {
                problems.retain(|d| !d.is_failed_condition());
            }
            let before = problems.len();
            let mut result = value(&output.value, frame, problems)?;
            let is_sound = problems.len() == before;
            for reference in &output.depends_on {
                frame.depend(&self.made_by(frame.inst, reference)?);
            }
            let marks = result.marks_deep();
            if is_root && marks.contains(Marks::SENSITIVE) && !output.sensitive {
                let d = Diagnostic::error(format!("Output `{}` holds a sensitive value", output.name))
                    .because("Outputs are shown after every apply, unless they are declared sensitive.")
                    .help("Add `sensitive = true` to the output, or wrap what may be shown in `nonsensitive(...)`.");
                problems.push(frame.context().sources.point(d, &output.value.span));
            }
            if is_root && output.ephemeral {
                let d = Diagnostic::error(format!("Output `{}` can't be ephemeral", output.name))
                    .because("Outputs of the root module are kept in state; only a module's own can be ephemeral.")
                    .help("Remove `ephemeral = true`.");
                problems.push(frame.context().sources.point(d, &output.span));
            }
            if !is_root && output.ephemeral && is_sound && !marks.contains(Marks::EPHEMERAL) {
                let d = Diagnostic::error(format!("Output `{}` holds a value that is not ephemeral", output.name))
                    .because("It is declared as ephemeral, so who uses it would be kept from using what could be kept.")
                    .help("Remove `ephemeral = true`.");
                problems.push(frame.context().sources.point(d, &output.value.span));
            }
            let kept = marks.contains(Marks::EPHEMERAL) && !output.ephemeral;
            if kept && is_root {
                let d = Diagnostic::error(format!("Output `{}` holds an ephemeral value", output.name))
                    .because("Outputs of the root module are kept in state, and an ephemeral value must never be.").help("Remove the output, or leave out what is ephemeral with `ephemeralasnull(...)`.");
                problems.push(frame.context().sources.point(d, &output.value.span));
            } else if kept {
                let d = Diagnostic::error(format!("Output `{}` holds an ephemeral value", output.name))
                    .because("It is not declared as one, so who uses it would not expect that.")
                    .help("Add `ephemeral = true` to the output.");
                problems.push(frame.context().sources.point(d, &output.value.span));
            }
            if output.sensitive {
                result = result.mark(Marks::SENSITIVE);
            }
            if self.purpose == Purpose::Form && !is_root {
                result = Value::unknown(Type::Dynamic);
            }
            if output.ephemeral {
                result = result.mark(Marks::EPHEMERAL);
            }
            Ok(result)
        });
        self.keep(id, outcome)
    }
}

/// The value of an expression; what is wrong with it goes to `problems`, and an unknown stands in
/// its place. Where it is made from what is not whole, nothing is wrong with it.
pub(super) fn value(
    expr: &Expr,
    frame: &Frame<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Result<Value, NodeId> {
    match eval(expr, frame) {
        Ok(value) => Ok(value),
        Err(EvalError::NotReady(node)) => Err(node),
        Err(EvalError::Diagnostic(_)) if frame.misses_some() => Ok(Value::unknown(Type::Dynamic)),
        Err(EvalError::Diagnostic(d)) => {
            problems.push(*d);
            Ok(Value::unknown(Type::Dynamic))
        }
    }
}

/// Holds conditions; one that is not known yet is not decided.
pub(super) fn check(
    rules: &[Rule],
    what: &str,
    frame: &Frame<'_>,
    problems: &mut Vec<Diagnostic>,
) -> Result<(), NodeId> {
    for rule in rules {
        let before = problems.len();
        let failed = |frame: &Frame<'_>| {
            let verdict = (CheckStatus::Error, None);
            frame.reads.borrow_mut().verdicts.push(verdict);
        };
        let holds = value(&rule.condition, frame, problems)?;
        if problems.len() > before {
            failed(frame);
            continue;
        }
        let holds = match convert(&holds, &Type::Bool) {
            Ok(holds) => holds,
            Err(error) => {
                let d = Diagnostic::error("A condition must be true or false")
                    .because(format!("{}.", hints::sentence(&error.to_string())))
                    .help("Compare the value with what it must be: `x == ...`.");
                problems.push(explained(d, &rule.condition, frame));
                failed(frame);
                continue;
            }
        };
        if holds.is_null() {
            let d = Diagnostic::error("A condition is null")
                .because("It must be true or false.")
                .help("Say what null means: `x == null || ...`, or `coalesce(x, false)`.");
            problems.push(explained(d, &rule.condition, frame));
            failed(frame);
            continue;
        }
        frame.reads.borrow_mut().undecided |= holds.is_unknown();
        if holds.as_bool() != Some(false) {
            let status = match holds.is_unknown() {
                true => CheckStatus::Unknown,
                false => CheckStatus::Pass,
            };
            frame.reads.borrow_mut().verdicts.push((status, None));
            continue;
        }
        let message = value(&rule.message, frame, problems)?;
        let concealed = message.marks_deep() != Marks::NONE;
        let text = match convert(&message, &Type::String) {
            Ok(text) if text.marks_deep().contains(Marks::SENSITIVE) => {
                "The message holds a sensitive value and is not shown.".to_owned()
            }
            Ok(text) if text.marks_deep().contains(Marks::EPHEMERAL) => {
                "The message holds an ephemeral value and is not shown.".to_owned()
            }
            Ok(text) if text.is_null() => "The condition does not hold.".to_owned(),
            Ok(text) => text
                .as_str()
                .unwrap_or("The message is not known yet.")
                .to_owned(),
            Err(_) => "The condition does not hold.".to_owned(),
        };
        let verdict = (CheckStatus::Fail, (!concealed).then(|| text.clone()));
        frame.reads.borrow_mut().verdicts.push(verdict);
        let d = Diagnostic::error(what).because(text).of_condition();
        problems.push(explained(d, &rule.condition, frame));
    }
    Ok(())
}
