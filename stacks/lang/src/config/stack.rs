//! The settings of a stack: evaluated before anything else, over variables and locals.

use super::{
    Config, EncryptionSettings, HistorySettings, KeySettings, NodeKind, StackSettings,
    StateSettings,
    lower::{duplicate, not_yet},
    reader::{Report, labels},
};
use crate::{
    eval::{Context, EvalError, Resolved, Scope, eval},
    ir::{Block, Body, Reference},
};
use std::{path::Path, sync::Arc};
use weir_core::{Diagnostic, Diagnostics, Value};

/// The settings of a stack without a `stack` block: it is named after its folder.
pub(super) fn unnamed(root_dir: &Path) -> StackSettings {
    let name = root_dir
        .file_name()
        .map_or_else(|| "stack".into(), |n| n.to_string_lossy());
    StackSettings {
        name: name.into_owned(),
        state: None,
        encryption: None,
        history: HistorySettings::default(),
        span: None,
    }
}

/// What becomes of a setting whose value is not known.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Open {
    /// It is an error: state can't be found.
    Refused,
    /// It stays: the configuration is checked for whatever values it will be given.
    Kept,
}

/// The settings that `stack`, or Terraform's `backend`, say.
pub(super) fn settings(
    stack: Option<&Block>,
    backend: Option<&Block>,
    open: Open,
    config: &mut Config,
) -> (StackSettings, Diagnostics) {
    let sources = config.context.sources.clone();
    let mut report = Report::new(&sources);
    let mut settings = config.stack.clone();
    let mut state = backend;
    let mut encryption: Option<&Block> = None;
    let mut history: Option<&Block> = None;
    if let Some(stack) = stack {
        settings.name = stack.label(0).unwrap_or(&settings.name).to_owned();
        settings.span = Some(stack.span.clone());
        for block in &stack.body.blocks {
            match &*block.ident {
                "state" => {
                    if labels(block, &["kind"], &mut report).is_none() {
                        continue;
                    }
                    if let Some(first) = state {
                        report.push(duplicate("Where state is kept", &first.span), &block.span);
                        continue;
                    }
                    state = Some(block);
                }
                "encryption" => match encryption {
                    Some(first) => {
                        report.push(duplicate("The encryption", &first.span), &block.span);
                    }
                    None => encryption = Some(block),
                },
                "history" => match history {
                    Some(first) => {
                        report.push(duplicate("The history", &first.span), &block.span);
                    }
                    None => history = Some(block),
                },
                later @ "plugins" => report.push(not_yet(later), &block.span),
                other => {
                    let mut d = Diagnostic::error(format!("`stack` has no block `{other}`"));
                    d.help = crate::hints::suggest(
                        other,
                        ["state", "encryption", "history"],
                        str::to_owned,
                    );
                    report.push(d, &block.span);
                }
            }
        }
        for a in &stack.body.attributes {
            let d = Diagnostic::error(format!("`stack` has no attribute `{}`", a.name))
                .help("Its settings are blocks: `state \"sqlite\" { path = ... }`.");
            report.push(d, &a.name_span);
        }
    }
    let mut errors = Vec::new();
    if let Some(block) = state {
        let value = object(&block.body, open, config, &mut errors);
        settings.state = Some(StateSettings {
            backend: block.label(0).unwrap_or_default().to_owned(),
            settings: value,
            span: block.span.clone(),
        });
    }
    settings.encryption = encryption.and_then(|block| {
        let mut read = |block: &Block| KeySettings {
            kind: block.label(0).unwrap_or_default().to_owned(),
            settings: object(&block.body, open, config, &mut errors),
            span: block.span.clone(),
        };
        let (key, fallbacks) = keys(block, &mut report)?;
        Some(EncryptionSettings {
            key: read(key),
            fallbacks: fallbacks.into_iter().map(read).collect(),
            span: block.span.clone(),
        })
    });
    if let Some(block) = history {
        settings.history = kept(block, open, config, (&mut report, &mut errors));
    }
    report.diagnostics.0.extend(errors);
    (settings, report.diagnostics)
}

/// What `history` looks like.
const HISTORY_HELP: &str = "Write `applies = 100` and `days = 90`: what is among so many applies, or younger than that, is kept. `forever = true` keeps everything.";

/// How much of the past is kept.
fn kept(
    block: &Block,
    open: Open,
    config: &mut Config,
    (report, errors): (&mut Report<'_>, &mut Vec<Diagnostic>),
) -> HistorySettings {
    let settings = object(&block.body, open, config, errors);
    let known = ["applies", "days", "forever"];
    for a in &block.body.attributes {
        if !known.contains(&&*a.name) {
            let mut d = Diagnostic::error(format!("`history` has no attribute `{}`", a.name));
            d.help = crate::hints::suggest(&a.name, known, str::to_owned)
                .or_else(|| Some(HISTORY_HELP.into()));
            report.push(d, &a.name_span);
        }
    }
    for inner in &block.body.blocks {
        let d = Diagnostic::error(format!("`history` has no block `{}`", inner.ident));
        report.push(d.help(HISTORY_HELP), &inner.span);
    }
    let mut wrong = |name: &str, what: &str| {
        let attribute = block.body.attributes.iter().find(|a| &*a.name == name);
        let d = Diagnostic::error(format!("`{name}` must be {what}")).help(HISTORY_HELP);
        report.push(d, attribute.map_or(&block.span, |a| &a.expr.span));
    };
    // What is not known while a configuration is checked for whatever values stays as usual.
    let written = |name: &str| {
        let value = settings.get(name)?;
        (!value.is_null() && !value.is_unknown()).then_some(value)
    };
    let mut number = |name: &str, least: u32, what: &str| {
        let value = written(name)?;
        let number = value.as_i64().and_then(|n| u32::try_from(n).ok());
        let number = number.filter(|n| *n >= least);
        if number.is_none() {
            wrong(name, what);
        }
        number
    };
    let applies = number("applies", 1, "a whole number of applies, of at least 1");
    let days = number("days", 0, "a whole number of days");
    let forever = written("forever").map(|value| (value.as_bool(), value));
    if let Some((None, _)) = forever {
        wrong("forever", "true or false");
    }
    HistorySettings {
        applies,
        days,
        forever: forever.and_then(|(said, _)| said).unwrap_or(false),
    }
}

/// What a key may look like.
const KEY_HELP: &str = "Write `key \"file\" { path = ... }`, `key \"passphrase\" { passphrase = ... }`, `key \"command\" { wrap = [...], unwrap = [...] }` or `key \"none\" {}`.";

/// The blocks of the key that encrypts, and of those of before.
fn keys<'a>(encryption: &'a Block, report: &mut Report<'_>) -> Option<(&'a Block, Vec<&'a Block>)> {
    let mut key: Option<&Block> = None;
    let mut fallbacks = Vec::new();
    for block in &encryption.body.blocks {
        match &*block.ident {
            "key" | "fallback" if labels(block, &["kind"], report).is_none() => {}
            "fallback" => fallbacks.push(block),
            "key" => match key {
                Some(first) => report.push(
                    duplicate("The key", &first.span).help("Keys of before are `fallback` blocks."),
                    &block.span,
                ),
                None => key = Some(block),
            },
            other => {
                let mut d = Diagnostic::error(format!("`encryption` has no block `{other}`"));
                d.help = crate::hints::suggest(other, ["key", "fallback"], str::to_owned);
                report.push(d, &block.span);
            }
        }
    }
    for a in &encryption.body.attributes {
        let d = Diagnostic::error(format!("`encryption` has no attribute `{}`", a.name));
        report.push(d.help(KEY_HELP), &a.name_span);
    }
    if key.is_none() {
        let d = Diagnostic::error("`encryption` names no key");
        report.push(d.help(KEY_HELP), &encryption.span);
    }
    Some((key?, fallbacks))
}

/// Attributes as they are, nested blocks as objects by their type.
fn object(body: &Body, open: Open, config: &Config, errors: &mut Vec<Diagnostic>) -> Value {
    let mut fields: Vec<(Arc<str>, Value)> = Vec::new();
    let scope = Settings { config };
    for a in &body.attributes {
        match eval(&a.expr, &scope) {
            Ok(value) if open == Open::Kept || value.is_wholly_known() => {
                fields.push((a.name.clone(), value));
            }
            Ok(_) => {
                let d =
                    Diagnostic::error(format!("`{}` is not known before anything is made", a.name))
                        .because("Where state is kept, and its key, must be known first.")
                        .help("Write the value out, or give it with a variable.");
                errors.push(config.context.sources.point(d, &a.expr.span));
            }
            Err(EvalError::Diagnostic(d)) => errors.push(*d),
            // `Settings` waits for nothing.
            Err(EvalError::NotReady(_)) => {}
        }
    }
    for block in &body.blocks {
        fields.push((
            block.ident.clone(),
            object(&block.body, open, config, errors),
        ));
    }
    Value::object(fields)
}

/// Variables and locals of the root module, evaluated on the spot.
struct Settings<'a> {
    config: &'a Config,
}

impl Scope for Settings<'_> {
    fn resolve(&self, reference: &Reference) -> Result<Resolved, EvalError> {
        let root = &self.config.modules[0];
        let name = reference.attr(0).unwrap_or_default();
        let value = match &*reference.root {
            "var" => self.config.values.get(name).cloned(),
            "terraform" if name == "workspace" => {
                Some(Value::string(self.config.workspace.as_str()))
            }
            "path" => Some(Value::string(".")),
            // Linking has refused loops, so this comes to an end.
            "local" => match root.names.locals.get(name).map(|ix| &root.node(*ix).kind) {
                Some(NodeKind::Local(local)) => Some(eval(&local.expr, self)?),
                _ => None,
            },
            _ => None,
        };
        match value {
            Some(value) => Ok(Resolved { value, consumed: 1 }),
            None => {
                let d = Diagnostic::error(format!("The stack's settings can't refer to `{reference}`"))
                    .because("Where state is kept must be known before anything else is, so only variables and locals over them can be used.").help("Use a variable, or write the value out.");
                Err(self.config.context.sources.point(d, &reference.span).into())
            }
        }
    }
    fn context(&self) -> &Context {
        &self.config.context
    }
}
