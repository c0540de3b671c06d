//! What can go wrong with a call, and what it means.

use aws_sdk_ec2::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};
use weir_core::{Diagnostic, Shortage};

/// A call that failed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{what}: {message}")]
pub(crate) struct Failure {
    /// What was tried, as words: `CreateVpc`.
    pub(crate) what: String,
    /// The API's code (`DependencyViolation`); empty where it never answered.
    pub(crate) code: String,
    /// What it said.
    pub(crate) message: String,
    /// How it may be tried again.
    pub(crate) class: Class,
}

/// What a failure says of the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// It was refused for good.
    Refused,
    /// It was refused for now: nothing was done, and a later try may do it.
    Throttled,
    /// Nobody knows whether it was done.
    Ambiguous,
    /// It was never sent: no credentials, no region, a request that can't be built.
    Unsent,
}

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

impl Failure {
    /// A failure that is not the API's.
    pub(crate) fn new(what: &str, message: impl Into<String>) -> Failure {
        Failure {
            what: what.to_owned(),
            code: String::new(),
            message: message.into(),
            class: Class::Refused,
        }
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
        Failure {
            what: what.to_owned(),
            code,
            message,
            class,
        }
    }

    /// Whether it says that the thing itself is not there.
    pub(crate) fn is_gone(&self) -> bool {
        self.code.ends_with(".NotFound")
            || self.code.ends_with("NotFoundException")
            || self.code.ends_with(".Unknown")
            || self.code == "InvalidAttachmentID.NotFound"
    }

    /// Whether it may be because something was made a moment ago and is not known everywhere yet.
    pub(crate) fn is_about_the_new(&self) -> bool {
        let profile = "Invalid IAM Instance Profile";
        self.is_gone() || (self.code == "InvalidParameterValue" && self.message.contains(profile))
    }

    /// Whether it says that something else still needs the thing.
    pub(crate) fn is_in_use(&self) -> bool {
        matches!(
            self.code.as_str(),
            "DependencyViolation" | "InvalidIPAddress.InUse" | "VolumeInUse"
        ) || self.code.ends_with(".InUse")
    }

    /// The diagnostic of the object at this address.
    pub(crate) fn diagnostic(&self, address: &str) -> Diagnostic {
        let Failure { what, message, .. } = self;
        let mut d = Diagnostic::error(format!("{address}: {what} failed: {message}"));
        if !self.code.is_empty() {
            d = d.because(format!("AWS refused it with the code {}.", self.code));
        }
        if let Some(help) = self.help() {
            d = d.help(help);
        }
        if self.class == Class::Throttled || self.class == Class::Ambiguous {
            d = d.transient();
        }
        if let Some(shortage) = shortage(&self.code) {
            d = d.of_shortage(shortage);
        }
        d
    }

    fn help(&self) -> Option<&'static str> {
        let text = match self.code.as_str() {
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
            "InvalidAMIID.NotFound" | "InvalidAMIID.Malformed" => {
                "Image ids differ from region to region: look the image up with `data \"aws_ami\"`."
            }
            _ if self.class == Class::Throttled => {
                "The account's calls are limited: run the command again later, or with less `-parallelism`."
            }
            _ if self.class == Class::Unsent => {
                "Set credentials (AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or `profile` in the provider block) and `region`."
            }
            "" if self.class == Class::Ambiguous => {
                "Check `region` and `endpoints` of provider \"aws\" and the way to them."
            }
            _ => return None,
        };
        Some(text)
    }
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
        "InstanceLimitExceeded"
        | "VcpuLimitExceeded"
        | "MaxSpotInstanceCountExceeded"
        | "SpotInstanceCountExceeded"
        | "VolumeLimitExceeded"
        | "MaxIOPSLimitExceeded"
        | "AddressLimitExceeded"
        | "VpcLimitExceeded"
        | "SubnetLimitExceeded"
        | "NetworkInterfaceLimitExceeded" => Shortage::Quota,
        "SpotMaxPriceTooLow" => Shortage::Price,
        _ => return None,
    })
}
