//! What the SDK's errors and EC2's codes mean.

use aws_sdk_ec2::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};
use std::time::Duration;
use weir_core::Shortage;
use weir_provider::cloud::{Cause, Class, Failure};

/// What people call it.
pub(crate) const VENDOR: &str = "AWS";

/// Codes that mean: later.
const THROTTLED: [&str; 9] = [
    "RequestLimitExceeded",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "TooManyRequestsException",
    "SlowDown",
    "EC2ThrottledException",
];

/// Codes that mean: it may have been done.
const AMBIGUOUS: [&str; 4] = [
    "InternalError",
    "InternalFailure",
    "ServiceUnavailable",
    "Unavailable",
];

/// A failure that is said with one of EC2's codes, of a call that did not fail.
pub(crate) fn refused(what: &str, code: &str, message: impl Into<String>) -> Failure {
    classed(Failure {
        code: code.to_owned(),
        ..Failure::new(what, message)
    })
}

/// The failure of a call of the SDK.
pub(crate) fn of<E>(what: &str, error: &SdkError<E, HttpResponse>) -> Failure
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let code = error.code().unwrap_or_default().to_owned();
    let status = error.raw_response().map(|r| r.status().as_u16());
    let class = match error {
        SdkError::ServiceError(_) | SdkError::ResponseError(_)
            if THROTTLED.contains(&code.as_str()) || status == Some(429) =>
        {
            Class::Throttled
        }
        // EC2 says it with status 500; it is an answer all the same.
        SdkError::ServiceError(_) if shortage(&code).is_some() => Class::Refused,
        SdkError::ServiceError(_)
            if AMBIGUOUS.contains(&code.as_str())
                || status.is_some_and(|s| s >= 500 && s != 501) =>
        {
            Class::Ambiguous
        }
        SdkError::ServiceError(_) => Class::Refused,
        SdkError::ConstructionFailure(_) => Class::Unsent,
        SdkError::DispatchFailure(f) if f.is_user() => Class::Unsent,
        SdkError::DispatchFailure(f)
            if is_about_credentials(&root(f.as_connector_error().map(|e| e as _))) =>
        {
            Class::Unsent
        }
        _ => Class::Ambiguous,
    };
    let message = match error.message() {
        Some(m) => m.trim_end_matches('.').to_owned(),
        None => root(Some(error)),
    };
    classed(Failure {
        code,
        class,
        retry_after: error.raw_response().and_then(retry_after),
        ..Failure::new(what, message)
    })
}

/// The failure with what follows from its code.
fn classed(failure: Failure) -> Failure {
    Failure {
        vendor: VENDOR,
        cause: cause(&failure.code, &failure.message),
        help: help(&failure.code, &failure.message, failure.class),
        ..failure
    }
}

/// How long the service asks to wait.
fn retry_after(response: &HttpResponse) -> Option<Duration> {
    let seconds = response.headers().get("retry-after")?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

fn cause(code: &str, message: &str) -> Cause {
    let ends = |endings: &[&str]| endings.iter().any(|e| code.ends_with(e));
    match code {
        "DependencyViolation" | "VolumeInUse" => Cause::InUse,
        "InvalidParameterValue" if message.contains("Invalid IAM Instance Profile") => {
            Cause::NotKnownYet
        }
        _ if ends(&[".InUse"]) => Cause::InUse,
        _ if ends(&[".NotFound", "NotFoundException", ".Unknown"]) => Cause::Gone,
        _ => shortage(code).map_or(Cause::Other, Cause::Short),
    }
}

/// What a refusal says that AWS is short of: it might be had elsewhere, or later.
fn shortage(code: &str) -> Option<Shortage> {
    Some(match code {
        "InsufficientInstanceCapacity"
        | "InsufficientHostCapacity"
        | "InsufficientReservedInstanceCapacity"
        | "InsufficientCapacity"
        | "InsufficientCapacityOnHost"
        | "InsufficientAddressCapacity"
        | "Unsupported"
        | "UnfulfillableCapacity" => Shortage::Capacity,
        "MaxSpotInstanceCountExceeded" | "SpotInstanceCountExceeded" => Shortage::Quota,
        "RequestLimitExceeded" => return None,
        _ if code.ends_with("LimitExceeded") => Shortage::Quota,
        "SpotMaxPriceTooLow" => Shortage::Price,
        _ => return None,
    })
}

fn help(code: &str, message: &str, class: Class) -> Option<&'static str> {
    let text = match code {
        "AuthFailure"
        | "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "SignatureDoesNotMatch" => {
            "Check the credentials of provider \"aws\" (environment, profile or its block), and this machine's clock."
        }
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => {
            "The session has expired: sign in again (as with `aws sso login`), then run the command again."
        }
        "UnauthorizedOperation" | "AccessDenied" | "AccessDeniedException" => {
            "The role or user needs a policy that allows this call."
        }
        "OptInRequired" | "InvalidRegion" => {
            "Enable the region for the account, or choose another."
        }
        "VcpuLimitExceeded"
        | "InstanceLimitExceeded"
        | "VpcLimitExceeded"
        | "AddressLimitExceeded"
        | "RouteTableLimitExceeded"
        | "SubnetLimitExceeded"
        | "SecurityGroupLimitExceeded"
        | "MaxSpotInstanceCountExceeded"
        | "InternetGatewayLimitExceeded"
        | "NatGatewayLimitExceeded"
        | "VolumeLimitExceeded" => "Ask for a higher quota (Service Quotas), or make fewer.",
        "InsufficientInstanceCapacity"
        | "InsufficientHostCapacity"
        | "SpotMaxPriceTooLow"
        | "Unsupported" => "Try another availability zone or instance type, or later.",
        "InvalidParameterValue" | "InvalidInstanceType" if message.contains("InstanceType") => {
            "Types differ from region to region: `data \"aws_ec2_instance_types\"` lists those that there are."
        }
        "DependencyViolation" => {
            "Delete what still needs it, or take it into the stack (`weir import`), so that it goes first."
        }
        "InvalidAMIID.NotFound" | "InvalidAMIID.Malformed" => {
            "Image ids differ from region to region: look the image up with `data \"aws_ami\"`."
        }
        _ if class == Class::Throttled => {
            "The account's calls are limited: run the command again later, or with less `-parallelism`."
        }
        _ if class == Class::Unsent => {
            "Set credentials (AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or `profile` in the provider block) and `region`."
        }
        "" if class == Class::Ambiguous => {
            "Check `region` and `endpoints` of provider \"aws\" and the way to them."
        }
        _ => return None,
    };
    Some(text)
}

fn is_about_credentials(message: &str) -> bool {
    message.contains("credential") || message.contains("identity")
}

/// The deepest cause, which says most.
fn root(error: Option<&(dyn std::error::Error + 'static)>) -> String {
    let Some(mut error) = error else {
        return String::new();
    };
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
