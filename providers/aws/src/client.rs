//! One account in one region: its clients, and what all types have in common.

use crate::{data, failure, resources, schema, settings::Settings, tags};
use async_trait::async_trait;
use aws_sdk_ec2::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
    types::ResourceType,
};
use std::{collections::BTreeMap, future::Future};
use tokio::sync::OnceCell;
use weir_core::{Diagnostics, Value, schema::Schema};
use weir_provider::{
    cloud::{Again, Call, Cloud, Failure, Pacing, Resource},
    declared::{Catalog, Found, Vendor},
};

/// One account in one region.
#[derive(Debug)]
pub struct Aws {
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

    /// A call that makes something: never repeated where nobody knows what became of it.
    pub(crate) async fn make<T, E, F>(&self, what: &str, f: impl Fn() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        self.attempt(what, Again::MakesAnother, f).await
    }

    async fn attempt<T, E, F>(
        &self,
        what: &str,
        again: Again,
        f: impl Fn() -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let call = || async { f().await.map_err(|e| failure::of(what, &e)) };
        self.pacing.attempt(again, call).await
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

#[async_trait]
impl Cloud for Aws {
    type Settings = Settings;
    type Kind = ResourceType;
    const VENDOR: Vendor = Vendor {
        provider: "aws",
        name: failure::VENDOR,
        page: "docs/aws.md",
    };

    fn catalog() -> &'static Catalog {
        schema::catalog()
    }

    fn resource(type_name: &str) -> Option<&'static dyn Resource<Aws>> {
        resources::by_name(type_name)
    }

    fn settings(block: &Value) -> Result<Settings, Diagnostics> {
        Settings::read(block)
    }

    async fn connect(settings: &Settings, pacing: Pacing) -> Result<Aws, Diagnostics> {
        settings.connect(pacing).await
    }

    fn pacing(&self) -> Pacing {
        self.pacing
    }

    fn place(&self) -> String {
        self.region.clone()
    }

    async fn data(
        &self,
        type_name: &str,
        _schema: &Schema,
        config: &Value,
    ) -> Result<Found, Failure> {
        data::read(self, type_name, config).await
    }

    fn validate_data(type_name: &str, config: &Value, out: &mut Diagnostics) {
        data::validate(type_name, config, out);
    }

    fn plan_all(cloud: Option<&Aws>, _type_name: &str, _config: &Value, planned: Value) -> Value {
        match planned.get("tags").cloned() {
            Some(tags) if planned.get("tags_all").is_some() => {
                planned.with("tags_all", tags::all(cloud, &tags))
            }
            _ => planned,
        }
    }

    fn read_all(&self, found: &mut Found, known: &Value) {
        if let Some(all) = found.get("tags_all").cloned() {
            found.insert("tags".into(), tags::own(self, &all, known));
        }
    }

    async fn made_by(cx: &Call<'_, Aws>, _kind: ResourceType) -> Result<Option<String>, Failure> {
        tags::made_by(cx).await
    }

    async fn update_all(
        cx: &Call<'_, Aws>,
        id: &str,
        prior: &Value,
        planned: &Value,
    ) -> Result<(), Failure> {
        match planned.get("tags_all") {
            Some(_) => tags::change(cx, id, prior, planned).await,
            None => Ok(()),
        }
    }
}
