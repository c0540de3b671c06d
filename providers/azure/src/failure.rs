//! What can go wrong with a call to Azure, and what its codes mean.

use azure_core::error::ErrorKind;
use serde_json::Value as Json;
use std::time::Duration;
use weir_core::Shortage;
use weir_provider::cloud::{Cause, Class, Failure};

/// As messages call the cloud.
pub(crate) const VENDOR: &str = "Azure";

/// Codes that say that the thing itself is not there.
const GONE: [&str; 6] = [
    "NotFound",
    "ParentResourceNotFound",
    "ResourceGroupNotFound",
    "ResourceGroupBeingDeleted",
    "ResourceNotFound",
    "NetworkInterfaceNotFound",
];

/// Codes that say that it is busy: nothing was done, and a later try may do it.
const BUSY: [&str; 9] = [
    "AnotherOperationInProgress",
    "CanceledAndSupersededDueToAnotherOperation",
    "ConflictingConcurrentWriteNotAllowed",
    "OperationPreempted",
    "OperationPreemptedByMoreRecentOperation",
    "ReferencedResourceNotProvisioned",
    "ResourceGroupQuotaThrottled",
    "RetryableError",
    "TooManyRequests",
];

/// Codes that say that something else needs it.
const IN_USE: [&str; 8] = [
    "InUseNetworkSecurityGroupCannotBeDeleted",
    "InUsePrefixCannotBeDeleted",
    "InUseSubnetCannotBeDeleted",
    "NicInUse",
    "NicReservedForAnotherVm",
    "PublicIPAddressCannotBeDeleted",
    "PublicIPAddressInUse",
    "SubnetInUse",
];

/// Codes that say that there is none left of it.
const NO_CAPACITY: [&str; 6] = [
    "AllocationFailed",
    "NotAvailableForSubscription",
    "OverconstrainedAllocationRequest",
    "OverconstrainedZonalAllocationRequest",
    "SkuNotAvailable",
    "ZonalAllocationFailed",
];

/// The failure of a call that Azure answered with an error.
pub(crate) fn answered(what: &str, status: u16, body: &Json, after: Option<Duration>) -> Failure {
    let error = if body["error"].is_object() {
        &body["error"]
    } else {
        body
    };
    let mut failure = told(what, error);
    if failure.code.is_empty() {
        failure.code = format!("HTTP {status}");
    }
    if failure.message.is_empty() {
        failure.message = format!("Azure answered with status {status}");
    }
    failure.class = match (status, failure.code.as_str()) {
        (429, _) => Class::Throttled,
        (_, code) if BUSY.contains(&code) => Class::Throttled,
        (408 | 500 | 502 | 503 | 504, _) => Class::Ambiguous,
        _ => Class::Refused,
    };
    if status == 404 && failure.code == "HTTP 404" {
        failure.cause = Cause::Gone;
    }
    failure.retry_after = after;
    failure.help = help(&failure);
    failure
}

/// The failure that an error object tells, as answers and operations in the background have it.
pub(crate) fn told(what: &str, error: &Json) -> Failure {
    let text = |v: &Json, key: &str| v[key].as_str().unwrap_or_default().trim().to_owned();
    let mut code = text(error, "code");
    let mut message = text(error, "message");
    let details = error["details"].as_array();
    for detail in details.into_iter().flatten() {
        let (inner, more) = (text(detail, "code"), text(detail, "message"));
        // Some services tell the reason below a code that says no more than that it failed.
        if matches!(
            code.as_str(),
            "" | "DeploymentFailed" | "BadRequest" | "Conflict"
        ) && !inner.is_empty()
        {
            code = inner;
        }
        if !more.is_empty() && !message.contains(&more) {
            message = format!("{message} {more}");
        }
    }
    let message = message.trim_end_matches('.').replace("\r\n", " ");
    let mut failure = Failure {
        vendor: VENDOR,
        code,
        ..Failure::new(what, message)
    };
    failure.cause = cause(&failure);
    failure.help = help(&failure);
    failure
}

fn cause(failure: &Failure) -> Cause {
    let code = failure.code.as_str();
    let over =
        failure.message.to_lowercase().contains("quota") || failure.message.contains("limit");
    match code {
        _ if GONE.contains(&code) => Cause::Gone,
        "InvalidResourceReference" => Cause::NotKnownYet,
        _ if IN_USE.contains(&code) => Cause::InUse,
        _ if NO_CAPACITY.contains(&code) => Cause::Short(Shortage::Capacity),
        _ if code.ends_with("QuotaExceeded") || code.ends_with("CountLimitReached") => {
            Cause::Short(Shortage::Quota)
        }
        "OperationNotAllowed" if over => Cause::Short(Shortage::Quota),
        "SpotPriceTooLow" | "MaxPriceTooLow" => Cause::Short(Shortage::Price),
        _ => Cause::Other,
    }
}

/// The failure of a call that Azure did not answer.
pub(crate) fn unanswered(what: &str, error: &azure_core::Error) -> Failure {
    let class = match error.kind() {
        ErrorKind::Io | ErrorKind::Connection => Class::Ambiguous,
        _ => Class::Unsent,
    };
    let mut failure = Failure {
        class,
        ..Failure::new(what, root(error))
    };
    failure.help = help(&failure);
    failure
}

/// The failure of finding a token.
pub(crate) fn no_token(error: &azure_core::Error) -> Failure {
    let text = error.to_string();
    // What follows is an address of a page about the library.
    let text = text
        .split("\nTo troubleshoot")
        .next()
        .unwrap_or(&text)
        .trim();
    let text = text.split(" Trace ID:").next().unwrap_or(text);
    // Whose class it was that failed is no business of who reads this.
    let text = text
        .split_once(" authentication failed. ")
        .map_or(text, |(_, t)| t);
    Failure {
        class: Class::Unsent,
        help: Some(CREDENTIALS),
        ..Failure::new("signing in to Azure", text.trim_end_matches('.'))
    }
}

const CREDENTIALS: &str = "Sign in with `az login`, or set ARM_TENANT_ID, ARM_CLIENT_ID and ARM_CLIENT_SECRET (or a certificate, an OIDC token or a managed identity; docs/azure.md says how).";

fn help(failure: &Failure) -> Option<&'static str> {
    let text = match failure.code.as_str() {
        "AuthenticationFailed"
        | "InvalidAuthenticationToken"
        | "ExpiredAuthenticationToken"
        | "InvalidAuthenticationTokenTenant" => CREDENTIALS,
        "AuthorizationFailed" | "LinkedAuthorizationFailed" => {
            "The identity needs a role that allows this, such as Contributor on the resource group."
        }
        "SubscriptionNotFound" | "InvalidSubscriptionId" => {
            "Check `subscription_id` of provider \"azurerm\" or ARM_SUBSCRIPTION_ID, and the tenant."
        }
        "MissingSubscriptionRegistration" => {
            "Register the resource provider for the subscription: `az provider register --namespace Microsoft.Compute` (or Microsoft.Network)."
        }
        "LocationNotAvailableForResourceType"
        | "LocationNotAvailableForResourceGroup"
        | "NoRegisteredProviderFound" => "Choose a location of `az account list-locations`.",
        "PlatformImageNotFound" => {
            "Look the image up with `data \"azurerm_platform_image\"` or `az vm image list --all`."
        }
        "RequestDisallowedByPolicy" => {
            "A policy of the subscription forbids it: its message says which."
        }
        "PropertyChangeNotAllowed" => "Replace the object (`-replace=ADDRESS`) to have it so.",
        "ScopeLocked" => "Remove the lock of the resource or its group first.",
        _ if failure.code == "InvalidParameter" && failure.message.contains("VM size") => {
            "Choose a size of `az vm list-sizes --location`, or let a pool choose one."
        }
        _ => return by_class(failure),
    };
    Some(text)
}

fn by_class(failure: &Failure) -> Option<&'static str> {
    Some(match (failure.cause, failure.class) {
        (Cause::Short(Shortage::Quota), _) => {
            "Ask for a higher quota (portal: Subscriptions, Usage + quotas), or make fewer."
        }
        (Cause::Short(Shortage::Capacity), _) => "Try another zone, size or location, or later.",
        (Cause::Short(Shortage::Price), _) => "Offer more (`max_bid_price`), or wait.",
        (Cause::InUse, _) => "Delete what still uses it first: the message names it.",
        (_, Class::Throttled) => {
            "The subscription's calls are limited: run the command again later, or with less `-parallelism`."
        }
        (_, Class::Ambiguous) if failure.code.is_empty() => {
            "Check the way to Azure: network, proxy, `environment` and `metadata_host` of provider \"azurerm\"."
        }
        _ => return None,
    })
}

/// The deepest cause, which says most.
fn root(error: &azure_core::Error) -> String {
    let mut deepest: &dyn std::error::Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    let (short, long) = (deepest.to_string(), error.to_string());
    if long.contains(&short) || short.is_empty() {
        long
    } else {
        format!("{long}: {short}")
    }
}
