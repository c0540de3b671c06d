//! What can go wrong with a call, and what it means.

use std::time::Duration;
use weir_core::{Diagnostic, Shortage};

/// A call that failed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{what}: {message}")]
pub struct Failure {
    /// Whose API it was: `AWS`. Empty where it was not the API that failed.
    pub vendor: &'static str,
    /// What was tried, as the API calls it: `CreateVpc`.
    pub what: String,
    /// The API's code (`DependencyViolation`); empty where it never answered.
    pub code: String,
    /// What it said, without a full stop.
    pub message: String,
    /// How it may be tried again.
    pub class: Class,
    /// What it says of the thing.
    pub cause: Cause,
    /// What to do, as a sentence.
    pub help: Option<&'static str>,
    /// How long the API asks to wait before the next try.
    pub retry_after: Option<Duration>,
}

/// What a failure says of the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// It was refused for good.
    Refused,
    /// It was refused for now: nothing was done, and a later try may do it.
    Throttled,
    /// Nobody knows whether it was done.
    Ambiguous,
    /// It was never sent: no credentials, no region, a request that can't be built.
    Unsent,
}

/// What a failure says of the thing that the call was about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// It is not there.
    Gone,
    /// Something it refers to was made a moment ago and is not known everywhere yet.
    NotKnownYet,
    /// Something else still needs it.
    InUse,
    /// The cloud is short of it, or the account may have no more: it might be had elsewhere.
    Short(Shortage),
    /// Anything else.
    Other,
}

impl Failure {
    /// A failure that is not the API's.
    pub fn new(what: &str, message: impl Into<String>) -> Failure {
        Failure {
            vendor: "",
            what: what.to_owned(),
            code: String::new(),
            message: message.into(),
            class: Class::Refused,
            cause: Cause::Other,
            help: None,
            retry_after: None,
        }
    }

    /// Whether it says that the thing itself is not there.
    pub fn is_gone(&self) -> bool {
        self.cause == Cause::Gone
    }

    /// Whether it may be because something was made a moment ago and is not known everywhere yet.
    pub fn is_about_the_new(&self) -> bool {
        matches!(self.cause, Cause::Gone | Cause::NotKnownYet)
    }

    /// Whether it says that something else still needs the thing.
    pub fn is_in_use(&self) -> bool {
        self.cause == Cause::InUse
    }

    /// The diagnostic of the object at this address.
    pub fn diagnostic(&self, address: &str) -> Diagnostic {
        let Failure { what, message, .. } = self;
        let mut d = Diagnostic::error(format!("{address}: {what} failed: {message}"));
        if !self.code.is_empty() {
            let vendor = match self.vendor {
                "" => "The API",
                vendor => vendor,
            };
            d = d.because(format!("{vendor} refused it with the code {}.", self.code));
        }
        if let Some(help) = self.help {
            d = d.help(help);
        }
        if self.class == Class::Throttled || self.class == Class::Ambiguous {
            d = d.transient();
        }
        if let Cause::Short(shortage) = self.cause {
            d = d.of_shortage(shortage);
        }
        d
    }
}

/// `Ok(None)` where the failure says that the thing is gone.
///
/// # Errors
/// Any other failure.
pub fn unless_gone<T>(result: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(f) if f.is_gone() => Ok(None),
        Err(f) => Err(f),
    }
}
