//! One account in one region: clients, and the way calls are tried again.

use crate::{
    failure::{Class, Failure},
    settings::Settings,
};
use aws_sdk_ec2::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};
use std::{collections::BTreeMap, future::Future, time::Duration};
use tokio::{sync::OnceCell, time::Instant};

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub struct Pacing {
    /// The first wait before a call is tried again; it doubles, with jitter, up to 30 times this.
    pub backoff: Duration,
    /// How long a call is tried in all while AWS says "later" or does not answer.
    pub budget: Duration,
    /// How long something that was just made may still be unknown to other calls.
    pub consistency: Duration,
    /// How often a state is looked at while it is waited for.
    pub poll: Duration,
}

impl Default for Pacing {
    fn default() -> Pacing {
        Pacing {
            backoff: Duration::from_millis(500),
            budget: Duration::from_secs(300),
            consistency: Duration::from_secs(15),
            poll: Duration::from_secs(3),
        }
    }
}

/// One account in one region.
#[derive(Debug)]
pub(crate) struct Aws {
    pub(crate) ec2: aws_sdk_ec2::Client,
    sts: aws_sdk_sts::Client,
    pub(crate) region: String,
    pub(crate) settings: Settings,
    pub(crate) pacing: Pacing,
    caller: OnceCell<Caller>,
}

/// Who calls.
#[derive(Debug, Clone, Default)]
pub(crate) struct Caller {
    pub(crate) account: String,
    pub(crate) arn: String,
    pub(crate) user: String,
}

/// Whether a call may be made again when nobody knows whether it was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Again {
    /// It may: the second does what the first did.
    Harmless,
    /// It may not: it might make a second thing.
    MakesAnother,
}

impl Aws {
    pub(crate) fn new(
        clients: (aws_sdk_ec2::Client, aws_sdk_sts::Client),
        region: String,
        settings: Settings,
        pacing: Pacing,
    ) -> Aws {
        Aws {
            ec2: clients.0,
            sts: clients.1,
            region,
            settings,
            pacing,
            caller: OnceCell::new(),
        }
    }

    /// Makes a call that may be made twice, until it succeeds, is refused, or the budget is spent.
    pub(crate) async fn call<T, E, F>(&self, what: &str, f: impl Fn() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        self.attempt(what, Again::Harmless, f).await
    }

    /// Makes a call, again where that does no harm.
    pub(crate) async fn attempt<T, E, F>(
        &self,
        what: &str,
        again: Again,
        f: impl Fn() -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let mut pause = Pause::new(self.pacing.backoff, self.pacing.budget);
        loop {
            let failure = match f().await {
                Ok(value) => return Ok(value),
                Err(e) => Failure::of(what, &e),
            };
            let retry = match failure.class {
                Class::Throttled => true,
                Class::Ambiguous => again == Again::Harmless,
                Class::Refused | Class::Unsent => false,
            };
            if !(retry && pause.wait().await) {
                return Err(failure);
            }
        }
    }

    /// Repeats something while it is refused for a reason that passes by itself.
    pub(crate) async fn patiently<T, F>(
        &self,
        limit: Duration,
        passes: impl Fn(&Failure) -> bool,
        f: impl Fn() -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let mut pause = Pause::new(self.pacing.backoff, limit);
        loop {
            match f().await {
                Err(failure) if passes(&failure) && pause.wait().await => {}
                other => return other,
            }
        }
    }

    /// Who calls: asked once, and only where it is needed.
    pub(crate) async fn caller(&self) -> Result<&Caller, Failure> {
        let ask = || async {
            let found = self
                .call("GetCallerIdentity", || {
                    self.sts.get_caller_identity().send()
                })
                .await?;
            Ok(Caller {
                account: found.account().unwrap_or_default().to_owned(),
                arn: found.arn().unwrap_or_default().to_owned(),
                user: found.user_id().unwrap_or_default().to_owned(),
            })
        };
        self.caller.get_or_try_init(ask).await
    }

    /// The account's number; empty where the provider block says not to ask.
    pub(crate) async fn account(&self) -> Result<String, Failure> {
        if self.settings.skip_account {
            return Ok(String::new());
        }
        Ok(self.caller().await?.account.clone())
    }

    /// `arn:aws:ec2:eu-central-1:123456789012:vpc/vpc-1`
    pub(crate) fn arn(&self, owner: &str, kind: &str, id: &str) -> String {
        let partition = match self.region.as_str() {
            r if r.starts_with("cn-") => "aws-cn",
            r if r.starts_with("us-gov-") => "aws-us-gov",
            r if r.starts_with("us-isob-") => "aws-iso-b",
            r if r.starts_with("us-iso-") => "aws-iso",
            _ => "aws",
        };
        format!("arn:{partition}:ec2:{}:{owner}:{kind}/{id}", self.region)
    }

    /// The tags that the provider block adds to everything.
    pub(crate) fn default_tags(&self) -> &BTreeMap<String, String> {
        &self.settings.default_tags
    }
}

/// Waits that grow, with jitter, within a budget.
pub(crate) struct Pause {
    next: Duration,
    most: Duration,
    until: Instant,
}

impl Pause {
    pub(crate) fn new(first: Duration, budget: Duration) -> Pause {
        Pause {
            next: first,
            most: first * 30,
            until: Instant::now() + budget,
        }
    }

    /// Waits; `false` where the budget is spent.
    pub(crate) async fn wait(&mut self) -> bool {
        if Instant::now() >= self.until {
            return false;
        }
        // From half to one and a half of what is due, so that many who were refused at once do
        // not come back at once.
        let share = 0.5 + fastrand::f64();
        tokio::time::sleep(self.next.mul_f64(share)).await;
        self.next = (self.next * 2).min(self.most);
        true
    }
}
