//! What a stack's modules are pinned to: `weir.lock.hcl`, kept under version control beside it.

use crate::{error::SourceError, manifest::replace};
use hcl_edit::{
    expr::Expression,
    structure::{Block, Body, Structure},
};
use std::{fmt::Write, fs, io::ErrorKind, path::Path};

/// The lock file, beside the stack's files.
pub const LOCK_FILE: &str = "weir.lock.hcl";

const HEAD: &str =
    "# Written by `weir init`. Keep it under version control: it pins what the stack fetches.\n";

/// All pins of a stack.
#[derive(Debug, Clone, Default)]
pub struct Lock {
    /// The packages of modules.
    pub pins: Vec<Pin>,
    /// Blocks that pin something else: they are kept as they are.
    others: String,
}

/// What a package is pinned to.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pin {
    /// Its address.
    pub source: String,
    /// The version, where it comes from a registry.
    pub version: Option<String>,
    /// Where the registry says it is.
    pub location: Option<String>,
    /// The commit, where it is a repository.
    pub commit: Option<String>,
    /// The digest of its content.
    pub digest: String,
}

impl Lock {
    /// Reads a stack's lock file; one that is not there is empty.
    ///
    /// # Errors
    /// It is not as weir writes it.
    pub fn read(stack: &Path) -> Result<Lock, SourceError> {
        let path = stack.join(LOCK_FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Lock::default()),
            Err(error) => return Err(SourceError::Io { path, error }),
        };
        let broken = |why: String| SourceError::Broken {
            path: path.clone(),
            why,
        };
        let body = hcl_edit::parser::parse_body(&text).map_err(|e| broken(e.to_string()))?;
        let mut lock = Lock::default();
        let mut others = Body::new();
        for structure in body {
            match structure {
                Structure::Block(block) if block.ident.as_str() == "module" => {
                    lock.pins.push(pin(&block).map_err(broken)?);
                }
                other => others.push(other),
            }
        }
        let kept = others.to_string();
        let kept = kept.trim().strip_prefix(HEAD.trim()).unwrap_or(kept.trim());
        lock.others = kept.trim().to_owned();
        Ok(lock)
    }

    /// Writes the lock file; one that would pin nothing and is not there is not made.
    pub(crate) fn write(&self, stack: &Path) -> Result<(), SourceError> {
        let path = stack.join(LOCK_FILE);
        if self.pins.is_empty() && self.others.is_empty() && !path.exists() {
            return Ok(());
        }
        let mut text = HEAD.to_owned();
        if !self.others.is_empty() {
            let _ = write!(text, "\n{}\n", self.others);
        }
        let mut pins = self.pins.clone();
        pins.sort();
        for pin in &pins {
            let _ = write!(text, "\nmodule {} {{\n", quoted(&pin.source));
            let fields = [
                ("version", pin.version.as_ref()),
                ("location", pin.location.as_ref()),
                ("commit", pin.commit.as_ref()),
                ("digest", Some(&pin.digest)),
            ];
            let width = fields.iter().filter(|(_, v)| v.is_some());
            let width = width.map(|(name, _)| name.len()).max().unwrap_or(0);
            for (name, value) in fields {
                if let Some(value) = value {
                    let _ = writeln!(text, "  {name:width$} = {}", quoted(value));
                }
            }
            text.push_str("}\n");
        }
        if fs::read_to_string(&path).is_ok_and(|before| before == text) {
            return Ok(());
        }
        replace(&path, &text)
    }
}

fn quoted(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", text.replace("${", "$${").replace("%{", "%%{"))
}

fn pin(block: &Block) -> Result<Pin, String> {
    let [label] = block.labels.as_slice() else {
        return Err("a block `module` has one label".to_owned());
    };
    let mut pin = Pin {
        source: label.as_str().replace("$${", "${").replace("%%{", "%{"),
        ..Pin::default()
    };
    for attribute in block.body.attributes() {
        let value = match &attribute.value {
            Expression::String(text) => text.value().clone(),
            _ => return Err(format!("`{}` is no text", attribute.key.as_str())),
        };
        match attribute.key.as_str() {
            "version" => pin.version = Some(value),
            "location" => pin.location = Some(value),
            "commit" => pin.commit = Some(value),
            "digest" => pin.digest = value,
            other => return Err(format!("`{other}` is not known")),
        }
    }
    if pin.digest.is_empty() {
        return Err(format!("`{}` has no digest", pin.source));
    }
    Ok(pin)
}
