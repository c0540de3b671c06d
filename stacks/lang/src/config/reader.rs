//! Reads the bodies whose attributes the language itself defines, and reports what is not theirs.

use crate::{
    eval::{self, Context, EvalError, Resolved, Scope},
    hints,
    ir::{Attribute, Block, Body, Expr, ExprKind, Part, RefStep, Reference, Step, StepKind},
    sources::Sources,
};
use weir_core::{Diagnostic, Diagnostics, Object, Span, Value};

/// What is found wrong, with the sources to point into.
pub(crate) struct Report<'a> {
    pub(crate) sources: &'a Sources,
    pub(crate) diagnostics: Diagnostics,
}

impl<'a> Report<'a> {
    pub(crate) fn new(sources: &'a Sources) -> Report<'a> {
        Report {
            sources,
            diagnostics: Diagnostics::new(),
        }
    }
    pub(crate) fn push(&mut self, diagnostic: Diagnostic, span: &Span) {
        self.diagnostics.push(self.sources.point(diagnostic, span));
    }
}

/// Takes attributes and blocks out of a body by name; what nobody took is an error.
pub(crate) struct Reader<'b> {
    /// The body as the user names it: ``variable `x` ``.
    what: What,
    body: &'b Body,
    /// Sorted, as the blocks are.
    attributes: Vec<&'static str>,
    blocks: Vec<&'static str>,
    /// What is reported at the end: which attributes there are is known only then.
    missing: Vec<(&'static str, Diagnostic, &'b Span)>,
}

/// What a body is called. There may be many of resources, and most have no error that says it.
enum What {
    Named(String),
    Object(Object),
}

impl std::fmt::Display for What {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            What::Named(name) => f.write_str(name),
            What::Object(object) => write!(f, "`{object}`"),
        }
    }
}

/// Puts a name among others.
fn note(name: &'static str, names: &mut Vec<&'static str>) {
    if let Err(at) = names.binary_search(&name) {
        names.insert(at, name);
    }
}

impl<'b> Reader<'b> {
    pub(crate) fn new(what: impl Into<String>, body: &'b Body) -> Reader<'b> {
        Reader::called(What::Named(what.into()), body)
    }

    /// Of the body of a resource.
    pub(crate) fn of_object(object: &Object, body: &'b Body) -> Reader<'b> {
        Reader::called(What::Object(object.clone()), body)
    }

    fn called(what: What, body: &'b Body) -> Reader<'b> {
        Reader {
            what,
            body,
            attributes: Vec::new(),
            blocks: Vec::new(),
            missing: Vec::new(),
        }
    }

    /// The attribute of that name.
    pub(crate) fn attribute(&mut self, name: &'static str) -> Option<&'b Attribute> {
        note(name, &mut self.attributes);
        self.body.attribute(name)
    }

    /// The attribute of that name. Where there is none, that is reported at the header of the
    /// block, unless another one is a misspelling of it: that one is reported, with what was meant.
    pub(crate) fn required(
        &mut self,
        name: &'static str,
        header: &'b Span,
        missing: Diagnostic,
    ) -> Option<&'b Attribute> {
        let found = self.attribute(name);
        if found.is_none() {
            self.missing.push((name, missing, header));
        }
        found
    }

    /// The blocks of that type.
    pub(crate) fn blocks(&mut self, ident: &'static str) -> Vec<&'b Block> {
        note(ident, &mut self.blocks);
        self.body.blocks(ident).collect()
    }

    /// The one block of that type, where there is one; a second is an error.
    pub(crate) fn block(
        &mut self,
        ident: &'static str,
        report: &mut Report<'_>,
    ) -> Option<&'b Block> {
        let found = self.blocks(ident);
        for second in found.iter().skip(1) {
            let d = Diagnostic::error(format!(
                "{} has a second block `{ident}`",
                hints::sentence(&self.what.to_string())
            ))
            .because(format!(
                "It may have one; the first is at {}.",
                found[0].span
            ))
            .help("Put both into one, or remove one.");
            report.push(d, &second.span);
        }
        found.first().copied()
    }

    /// A truth value that must be written out.
    pub(crate) fn flag(&mut self, name: &'static str, report: &mut Report<'_>) -> Option<bool> {
        let attribute = self.attribute(name)?;
        let value = literal(&attribute.expr).and_then(|v| match v.as_str() {
            Some("true") => Some(true),
            Some("false") => Some(false),
            _ => v.as_bool(),
        });
        if value.is_none() {
            let d = Diagnostic::error(format!(
                "`{name}` of {} must be `true` or `false`",
                self.what
            ))
            .because("It is read before anything is evaluated, so it can't be an expression.")
            .help(format!("Write `{name} = true` or `{name} = false`."));
            report.push(d, &attribute.expr.span);
        }
        value
    }

    /// Text that must be written out.
    pub(crate) fn text(&mut self, name: &'static str, report: &mut Report<'_>) -> Option<String> {
        let attribute = self.attribute(name)?;
        let value = literal(&attribute.expr).and_then(|v| v.as_str().map(str::to_owned));
        if value.is_none() {
            let d = Diagnostic::error(format!("`{name}` of {} must be text", self.what))
                .because("It is read before anything is evaluated, so it can't be an expression.")
                .help(format!("Write it out, in quotes: `{name} = \"...\"`."));
            report.push(d, &attribute.expr.span);
        }
        value
    }

    /// Reports every attribute and block that nobody asked for.
    pub(crate) fn finish(self, report: &mut Report<'_>) {
        for (name, missing, header) in self.missing {
            if !self.body.misspells(name, self.attributes.iter().copied()) {
                report.push(missing, header);
            }
        }
        for attribute in &self.body.attributes {
            if self.attributes.contains(&&*attribute.name) {
                continue;
            }
            let mut d = Diagnostic::error(format!(
                "{} has no attribute `{}`",
                hints::sentence(&self.what.to_string()),
                attribute.name
            ));
            if self.blocks.contains(&&*attribute.name) {
                d = d.help(format!(
                    "Write it as a block: `{} {{ ... }}`.",
                    attribute.name
                ));
            } else {
                d.help = hints::suggest(
                    &attribute.name,
                    self.attributes.iter().copied(),
                    str::to_owned,
                );
            }
            report.push(d, &attribute.name_span);
        }
        for block in &self.body.blocks {
            if self.blocks.contains(&&*block.ident) {
                continue;
            }
            let mut d = Diagnostic::error(format!(
                "{} has no block `{}`",
                hints::sentence(&self.what.to_string()),
                block.ident
            ));
            if self.attributes.contains(&&*block.ident) {
                d = d.help(format!(
                    "Write it as an attribute: `{} = ...`.",
                    block.ident
                ));
            } else {
                d.help = hints::suggest(&block.ident, self.blocks.iter().copied(), str::to_owned);
            }
            report.push(d, &block.span);
        }
    }
}

/// The value an expression is, where it is written out.
pub(crate) fn literal(expr: &Expr) -> Option<Value> {
    match &*expr.unparenthesised().kind {
        ExprKind::Literal(value) => Some(value.clone()),
        ExprKind::Template(template) => {
            let mut text = String::new();
            for part in &template.parts {
                let Part::Text(part) = part else { return None };
                text.push_str(part);
            }
            Some(Value::string(text))
        }
        _ => None,
    }
}

/// The name an expression is: a traversal whose indexes are written out.
pub(crate) fn traversal(expr: &Expr) -> Option<Reference> {
    match &*expr.unparenthesised().kind {
        ExprKind::Variable(v) => {
            let dynamic = v
                .reference
                .steps
                .iter()
                .any(|s| matches!(s, RefStep::Dynamic));
            (!dynamic).then(|| v.reference.clone())
        }
        _ => None,
    }
}

/// The labels of a block, as many as it must have.
pub(crate) fn labels<'b>(
    block: &'b Block,
    names: &[&str],
    report: &mut Report<'_>,
) -> Option<Vec<&'b str>> {
    let form = || {
        let labels: String = names.iter().map(|n| format!(" \"{n}\"")).collect();
        format!("Write `{}{labels} {{ ... }}`.", block.ident)
    };
    if block.labels.len() != names.len() {
        let d = Diagnostic::error(format!(
            "Block `{}` has {} where it must have {}",
            block.ident,
            count(block.labels.len(), "label"),
            names.len(),
        ));
        report.push(d.help(form()), &block.span);
        return None;
    }
    for (label, span) in &block.labels {
        if !weir_core::address::is_identifier(label) {
            let d = Diagnostic::error(format!(
                "{label:?} can't be the name of a `{}`",
                block.ident
            ))
            .because("A name begins with a letter or `_`, and holds letters, digits, `_` and `-`.")
            .help(format!("Call it {:?}, for instance.", as_name(label)));
            report.push(d, span);
            return None;
        }
    }
    Some(block.labels.iter().map(|(l, _)| &**l).collect())
}

/// The label as a name can be: what can't stand in one becomes `_`.
fn as_name(label: &str) -> String {
    let letters = label
        .chars()
        .map(|c| match c.is_alphanumeric() || c == '-' {
            true => c,
            false => '_',
        });
    let name: String = letters.collect();
    match weir_core::address::is_identifier(&name) {
        true => name,
        false => format!("_{name}"),
    }
}

/// `1 label`, `2 labels`.
pub(crate) fn count(n: usize, noun: &str) -> String {
    match n {
        0 => format!("no {noun}"),
        1 => format!("1 {noun}"),
        n => format!("{n} {noun}s"),
    }
}

/// A scope without names: for values that must stand by themselves.
pub(crate) struct NoNames<'a> {
    pub(crate) context: &'a Context,
    /// What the expression belongs to: ``the default of variable `x` ``.
    pub(crate) what: &'a str,
}

impl Scope for NoNames<'_> {
    fn resolve(&self, reference: &Reference) -> Result<Resolved, EvalError> {
        let d = Diagnostic::error(format!("{} can't refer to `{reference}`", self.what))
            .because("It must be known before anything else is, so no name can stand in it.")
            .help("Write the value out.");
        Err(self.context.sources.point(d, &reference.span).into())
    }
    fn context(&self) -> &Context {
        self.context
    }
}

/// The value of an expression without names.
pub(crate) fn constant(
    expr: &Expr,
    context: &Context,
    what: &str,
) -> Result<Value, Box<Diagnostic>> {
    match eval::eval(expr, &NoNames { context, what }) {
        Ok(value) => Ok(value),
        Err(EvalError::Diagnostic(d)) => Err(d),
        Err(EvalError::NotReady(_)) => {
            // `NoNames` never says so.
            let d = Diagnostic::error(format!("{what} has no value"));
            Err(Box::new(context.sources.point(d, &expr.span)))
        }
    }
}

/// A traversal as attribute steps and literal keys below its root: for `ignore_changes`.
pub(crate) fn path_of(expr: &Expr) -> Option<weir_core::Path> {
    let ExprKind::Variable(v) = &*expr.unparenthesised().kind else {
        return None;
    };
    let mut path = steps_path(&v.steps)?;
    path.0
        .insert(0, weir_core::PathStep::Key(v.root.to_string()));
    Some(path)
}

/// Steps as a path; `None` where an index is not written out.
pub(crate) fn steps_path(steps: &[Step]) -> Option<weir_core::Path> {
    use weir_core::PathStep;
    let mut path = Vec::new();
    for step in steps {
        path.push(match &step.kind {
            StepKind::Attr(name) => PathStep::Key(name.to_string()),
            StepKind::Splat => return None,
            StepKind::Index(index) => {
                let value = literal(index)?;
                match (value.as_str(), value.as_i64()) {
                    (Some(key), _) => PathStep::Key(key.to_owned()),
                    (_, Some(i)) => PathStep::Index(usize::try_from(i).ok()?),
                    _ => return None,
                }
            }
        });
    }
    Some(weir_core::Path(path))
}
