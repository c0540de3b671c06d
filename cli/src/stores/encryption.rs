//! The `encryption` block of a stack.

use super::Read;
use std::path::Path;
use weir_core::{Diagnostic, Span, Value};
use weir_lang::{EncryptionSettings, KeySettings};
use weir_state::{
    Encryption,
    encryption::{KeySource, Passphrase},
};

/// What the `encryption` block says.
pub(super) fn read(settings: &EncryptionSettings) -> Read<Encryption> {
    let mut fallbacks = Vec::new();
    for fallback in &settings.fallbacks {
        fallbacks.extend(source(fallback)?);
    }
    Ok(Encryption {
        primary: source(&settings.key)?,
        fallbacks,
    })
}

/// The place of one key; `None` for `none`.
fn source(key: &KeySettings) -> Read<Option<KeySource>> {
    let known: &[&str] = match &*key.kind {
        "none" => &[],
        "file" => &["path"],
        "passphrase" => &["passphrase"],
        "command" => &["wrap", "unwrap"],
        other => {
            return Err(at(
                key.span.clone(),
                format!("There is no key of kind {other:?}"),
            )
            .help("There are `file`, `passphrase`, `command` and `none`."));
        }
    };
    let entries = key.settings.as_entries();
    if let Some(other) = entries.and_then(|s| s.keys().find(|n| !known.contains(&&***n))) {
        let d = at(
            key.span.clone(),
            format!("Key {:?} has no setting `{other}`", key.kind),
        );
        return Err(match known {
            [] => d.help("It has none."),
            known => d.help(format!("It has `{}`.", known.join("` and `"))),
        });
    }
    // Not known while a configuration is checked for whatever values: no state is opened then.
    if entries.is_some_and(|s| s.values().any(|v| !v.is_wholly_known())) {
        return Ok(None);
    }
    Ok(Some(match &*key.kind {
        "file" => KeySource::File(Path::new(text(key, "path")?).to_owned()),
        "passphrase" => KeySource::Passphrase(Passphrase::new(text(key, "passphrase")?)),
        "command" => KeySource::Command {
            wrap: command(key, "wrap")?,
            unwrap: command(key, "unwrap")?,
        },
        _ => return Ok(None),
    }))
}

fn text<'a>(key: &'a KeySettings, name: &str) -> Read<&'a str> {
    let value = key.settings.get(name);
    match value.and_then(Value::as_str) {
        Some(text) if !text.is_empty() => Ok(text),
        // The value may be a secret: only its name is said.
        _ => Err(at(
            key.span.clone(),
            format!(
                "Key {:?} needs `{name}`, a text that is not empty",
                key.kind
            ),
        )),
    }
}

fn command(key: &KeySettings, name: &str) -> Read<Vec<String>> {
    let words = key.settings.get(name).and_then(|value| {
        let words = value.elements()?;
        words
            .into_iter()
            .map(|w| w.as_str().map(str::to_owned))
            .collect::<Option<Vec<_>>>()
    });
    words.filter(|w| !w.is_empty()).ok_or_else(|| {
        at(
            key.span.clone(),
            format!("Key \"command\" needs `{name}`, a list of a program and its arguments"),
        )
        .help(format!("Write `{name} = [\"program\", \"argument\"]`."))
    })
}

fn at(span: Span, summary: String) -> Diagnostic {
    let mut d = Diagnostic::error(summary);
    d.span = Some(span);
    d
}
