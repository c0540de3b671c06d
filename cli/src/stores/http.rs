//! `state "http"`, and Terraform's `backend "http"`: their settings are the same.

use super::place::{flag, refuse_others, text, written, wrong};
use crate::env::Env;
use weir_core::{Diagnostic, Value};
use weir_lang::StateSettings;
use weir_state::HttpSettings;

/// Settings that say how often and when to ask again. weir asks for as long as a lease lives.
const RETRIES: [&str; 3] = ["retry_max", "retry_wait_min", "retry_wait_max"];

/// The address that these settings name; `None` where it is not known yet.
pub(super) fn read(state: &StateSettings, env: &Env) -> Result<Option<HttpSettings>, Diagnostic> {
    let names: Vec<&str> = HttpSettings::names()
        .chain(RETRIES)
        .chain(["skip_cert_verification", "headers"])
        .collect();
    refuse_others(state, &names)?;
    for name in RETRIES {
        if written(state, name).is_some_and(|n| n.as_i64().is_none_or(|n| n < 0)) {
            return Err(wrong(
                state,
                format!("The {name} of the state must be a number"),
            ));
        }
    }
    let mut texts = Vec::new();
    for name in HttpSettings::names() {
        if state.settings.get(name).is_some_and(Value::is_unknown) {
            return Ok(None);
        }
        texts.push((name, text(state, name)?));
    }
    let setting = |name: &str| {
        let found = texts.iter().find(|(known, _)| *known == name);
        found.and_then(|(_, text)| text.clone())
    };
    let settings = HttpSettings::new(&setting, &|name| env.variable(name)).map_err(|e| {
        let mut d = wrong(state, format!("The state's address can't be used: {e}"));
        d.help = Some(
            "Write `address = \"https://HOST/STATE\"` and `lock_address = \"https://HOST/STATE/lock\"`, \
             for GitLab with `lock_method = \"POST\"` and `unlock_method = \"DELETE\"`; the password is \
             best given with TF_HTTP_PASSWORD."
                .into(),
        );
        // The line may hold a login.
        d.span = d.span.filter(|_| !e.to_string().contains("login"));
        d
    })?;
    let any = flag(
        state,
        "skip_cert_verification",
        env.variable("TF_HTTP_SKIP_CERT_VERIFICATION"),
    )?;
    let headers = headers(state)?;
    Ok(Some(
        settings.with_any_certificate(any).with_headers(headers),
    ))
}

fn headers(state: &StateSettings) -> Result<Vec<(String, String)>, Diagnostic> {
    let Some(headers) = written(state, "headers") else {
        return Ok(Vec::new());
    };
    let pairs = headers.as_entries().map(|entries| {
        let text = |v: &Value| v.as_str().map(str::to_owned);
        entries
            .iter()
            .map(|(name, value)| Some((name.to_string(), text(value)?)))
            .collect::<Option<Vec<_>>>()
    });
    pairs.flatten().ok_or_else(|| {
        wrong(
            state,
            "The headers of the state must be a map of texts".to_owned(),
        )
    })
}
