//! What is known of registries beforehand: `host` and `credentials` blocks of Terraform's
//! configuration file, and tokens in the environment.

use crate::{env::Env, error::CommandError};
use std::{collections::BTreeMap, fs, io::ErrorKind, path::Path, sync::Arc};
use url::Url;
use weir_core::Diagnostics;
use weir_lang::{
    ir::{Block, Expr, ExprKind},
    parse::parse_body,
};
use weir_source::Host;

/// Hosts by name.
pub(crate) fn hosts(env: &Env) -> Result<BTreeMap<String, Host>, CommandError> {
    let mut hosts: BTreeMap<String, Host> = BTreeMap::new();
    if let Some(path) = env.terraform_config() {
        match fs::read_to_string(&path) {
            Ok(text) => read(&path, &text, &mut hosts)?,
            Err(e) if e.kind() == ErrorKind::NotFound => {}
            Err(e) => return Err(CommandError::failed(format!("{}: {e}", path.display()))),
        }
    }
    for (name, token) in env.registry_tokens() {
        hosts.entry(name).or_default().token = Some(token);
    }
    Ok(hosts)
}

fn read(path: &Path, text: &str, hosts: &mut BTreeMap<String, Host>) -> Result<(), CommandError> {
    let name: Arc<str> = path.to_string_lossy().into();
    let (body, problems) = parse_body(name, &text.into());
    if problems.has_errors() {
        return Err(problems.into());
    }
    for block in body.blocks("credentials") {
        let token = block.body.attribute("token").and_then(|a| string(&a.expr));
        hosts.entry(host_name(block)).or_default().token = token;
    }
    for block in body.blocks("host") {
        let Some(services) = block.body.attribute("services") else {
            continue;
        };
        let Some(place) = entry(&services.expr, "modules.v1") else {
            continue;
        };
        let url = Url::parse(&place).map_err(|e| {
            let d =
                weir_core::Diagnostic::error(format!("The service `modules.v1` is at no URL: {e}"))
                    .help("Write the whole URL: `\"modules.v1\" = \"https://HOST/v1/modules/\"`.")
                    .at(services.expr.span.clone());
            CommandError::from(Diagnostics::from(d))
        })?;
        hosts.entry(host_name(block)).or_default().modules = Some(url);
    }
    Ok(())
}

fn host_name(block: &Block) -> String {
    block.label(0).unwrap_or_default().to_lowercase()
}

fn string(expr: &Expr) -> Option<String> {
    match &*expr.kind {
        ExprKind::Literal(value) => Some(value.as_str()?.to_owned()),
        _ => None,
    }
}

fn entry(expr: &Expr, key: &str) -> Option<String> {
    let ExprKind::Object(items) = &*expr.kind else {
        return None;
    };
    let found = items
        .iter()
        .find(|i| string(&i.key).as_deref() == Some(key))?;
    string(&found.value)
}
