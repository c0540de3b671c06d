//! What Google's errors mean.

use google_cloud_gax::error::Error;
use serde_json::Value as Json;
use std::time::Duration;
use weir_core::Shortage;
use weir_provider::cloud::{Cause, Class, Failure};

/// What messages call it.
pub(crate) const VENDOR: &str = "Google";

/// The failure of a call.
pub(crate) fn of(what: &str, error: &Error) -> Failure {
    let status = error.http_status_code();
    let payload: Json = (error.http_payload())
        .and_then(|p| serde_json::from_slice(p).ok())
        .unwrap_or_default();
    let detail = &payload["error"];
    let said = match (detail["message"].as_str(), error.status()) {
        (Some(message), _) => message.to_owned(),
        (None, Some(status)) if !status.message.is_empty() => status.message.clone(),
        _ => root(error),
    };
    // The SDK keeps the message and the status, and not always the reason.
    let reason = match detail["errors"][0]["reason"].as_str() {
        Some(reason) => reason,
        None => reason_of(status, &said),
    };
    let class = match (status, reason) {
        _ if error.is_authentication() => Class::Unsent,
        (Some(429), _)
        | (_, "rateLimitExceeded" | "userRateLimitExceeded" | "resourceNotReady") => {
            Class::Throttled
        }
        (Some(409), "operationInProgress" | "resourceOperationRateExceeded") => Class::Throttled,
        (Some(408 | 500 | 502..=599), _) => Class::Ambiguous,
        (Some(_), _) => Class::Refused,
        (None, _) if error.is_binding() || error.is_serialization() => Class::Refused,
        (None, _) => Class::Ambiguous,
    };
    let code = match (reason, status) {
        ("", Some(status)) => status.to_string(),
        (reason, _) => reason.to_owned(),
    };
    let cause = cause(&code, status, &said);
    Failure {
        vendor: VENDOR,
        what: what.to_owned(),
        help: help(&code, class, cause).or_else(|| of_words(&said)),
        class,
        cause,
        code,
        message: tidy(&said),
        retry_after: retry_after(error),
    }
}

/// The reason that Google gives with such a status and message.
fn reason_of(status: Option<u16>, message: &str) -> &'static str {
    let says = |text: &str| message.contains(text);
    match status {
        Some(404) => "notFound",
        Some(409) if says("already exists") => "alreadyExists",
        Some(412) => "conditionNotMet",
        Some(429) => "rateLimitExceeded",
        Some(401) => "authError",
        Some(403) if says("ate limit exceeded") || says("ate Limit Exceeded") => {
            "rateLimitExceeded"
        }
        Some(403) if says("uota") => "quotaExceeded",
        Some(403) => "forbidden",
        Some(400) if says("is not ready") => "resourceNotReady",
        Some(400) if says("already being used by") => "resourceInUseByAnotherResource",
        Some(400) if says("cannot be found") || says("Invalid value for field") => "invalid",
        _ => "",
    }
}

/// The failure of an operation that ended with an error: the API's code, and what it said.
pub(crate) fn of_operation(what: &str, code: &str, message: &str) -> Failure {
    let cause = cause(code, None, message);
    Failure {
        vendor: VENDOR,
        what: what.to_owned(),
        code: code.to_owned(),
        message: tidy(message),
        class: Class::Refused,
        cause,
        help: help(code, Class::Refused, cause).or_else(|| of_words(message)),
        retry_after: None,
    }
}

fn cause(code: &str, status: Option<u16>, message: &str) -> Cause {
    match code {
        _ if code.starts_with("ZONE_RESOURCE_POOL_EXHAUSTED")
            || code.starts_with("REGION_RESOURCE_POOL_EXHAUSTED") =>
        {
            Cause::Short(Shortage::Capacity)
        }
        "stockout" | "resourcePoolExhausted" => Cause::Short(Shortage::Capacity),
        "QUOTA_EXCEEDED" | "quotaExceeded" | "limitExceeded" | "LIMIT_EXCEEDED" => {
            Cause::Short(Shortage::Quota)
        }
        "resourceInUseByAnotherResource" | "RESOURCE_IN_USE_BY_ANOTHER_RESOURCE" => Cause::InUse,
        "notFound" | "RESOURCE_NOT_FOUND" => Cause::Gone,
        _ if status == Some(404) => Cause::Gone,
        "invalid" if message.contains("cannot be found") => Cause::NotKnownYet,
        _ => Cause::Other,
    }
}

fn help(code: &str, class: Class, cause: Cause) -> Option<&'static str> {
    let text = match (code, cause) {
        (_, Cause::Short(Shortage::Quota)) => {
            "Ask for a higher quota (IAM & Admin, Quotas), use another region, or make fewer."
        }
        (_, Cause::Short(_)) => "Try another zone or machine type, or later.",
        ("authError" | "401", _) => {
            "Check the credentials of provider \"google\": they may have expired (`gcloud auth application-default login`)."
        }
        ("forbidden" | "403" | "accessNotConfigured", _) => {
            "The account needs a role that allows this call, and the project needs the Compute Engine API switched on."
        }
        ("alreadyExists", _) => "Import it (`weir import`), or choose another name.",
        ("conditionNotMet" | "412", _) => {
            "Something else changed it meanwhile: run the command again."
        }
        (_, Cause::InUse) => "Delete what still uses it first: the message names it.",
        (_, Cause::NotKnownYet) => "Check the name, and its project and region.",
        _ if class == Class::Throttled => {
            "The project's calls are limited: run the command again later, or with less `-parallelism`."
        }
        _ if class == Class::Unsent => {
            "Set credentials: `gcloud auth application-default login`, GOOGLE_APPLICATION_CREDENTIALS, or `credentials` in the provider block."
        }
        _ if class == Class::Ambiguous && code.is_empty() => {
            "Check `compute_custom_endpoint` of provider \"google\" and the way to the API."
        }
        _ => return None,
    };
    Some(text)
}

/// What to do about a field that Google does not take: its code is the same for all of them.
fn of_words(message: &str) -> Option<&'static str> {
    let table = [
        (
            "Unknown zone",
            "Choose a zone of `gcloud compute zones list`.",
        ),
        (
            "Unknown region",
            "Choose a region of `gcloud compute regions list`.",
        ),
        (
            "Machine type with name",
            "Choose a type of `gcloud compute machine-types list`, or let a pool choose one.",
        ),
    ];
    let found = table.into_iter().find(|(words, _)| message.contains(words));
    found.map(|(_, help)| help)
}

/// How long Google asks to wait: seconds.
fn retry_after(error: &Error) -> Option<Duration> {
    let text = error.http_headers()?.get("retry-after")?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

/// One line without a full stop.
fn tidy(message: &str) -> String {
    let line: Vec<&str> = message.split_whitespace().collect();
    line.join(" ").trim_end_matches('.').to_owned()
}

/// The deepest cause, which says most.
fn root(error: &Error) -> String {
    let mut error: &(dyn std::error::Error + 'static) = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
