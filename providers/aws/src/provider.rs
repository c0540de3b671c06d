//! The provider, as the engine sees it.

use crate::{
    client::{Aws, Pacing},
    data,
    failure::Failure,
    lifecycle::{self, Subject},
    plan,
    resource::Call,
    resources,
    schema::{self, Catalog},
    settings::Settings,
    shape::Beside,
    values::Fields as _,
};
use async_trait::async_trait;
use sha2::{Digest as _, Sha256};
use std::{
    fmt::Write as _,
    sync::{Arc, PoisonError, RwLock},
};
use tokio::sync::OnceCell;
use weir_core::{Diagnostic, Diagnostics, Known, Value, plan::Op};
use weir_provider::{
    ApplyRequest, ApplyResponse, Completeness, Imported, NoProgress, PlanRequest, PlanResponse,
    Progress, Provider, ProviderSchema, ReadRequest, ReadResponse, Settled, Token, check,
};

/// See the crate's page.
#[derive(Debug)]
pub struct AwsProvider {
    catalog: &'static Catalog,
    pacing: Pacing,
    session: RwLock<Option<Arc<Session>>>,
}

/// What a provider block leads to.
#[derive(Debug)]
struct Session {
    /// `None` while something of the block is unknown.
    settings: Option<Settings>,
    aws: OnceCell<Arc<Aws>>,
}

impl Default for AwsProvider {
    fn default() -> AwsProvider {
        AwsProvider::new(Pacing::default())
    }
}

impl AwsProvider {
    /// A provider that is not configured yet.
    pub fn new(pacing: Pacing) -> AwsProvider {
        AwsProvider {
            catalog: schema::catalog(),
            pacing,
            session: RwLock::new(None),
        }
    }

    fn session(&self) -> Result<Arc<Session>, Diagnostics> {
        let session = self.session.read().unwrap_or_else(PoisonError::into_inner);
        session.clone().ok_or_else(|| {
            Diagnostic::error("provider \"aws\" was called before it was configured").into()
        })
    }

    /// The clients, made when they are first needed.
    async fn aws(&self) -> Result<Arc<Aws>, Diagnostics> {
        let session = self.session()?;
        let Some(settings) = &session.settings else {
            return Err(Diagnostic::error(
                "the configuration of provider \"aws\" is not known yet",
            )
            .because("It is made from a value that is known after apply.")
            .help("Apply what that value comes from first (`-target`).")
            .into());
        };
        let connect = || async { settings.connect(self.pacing).await.map(Arc::new) };
        session.aws.get_or_try_init(connect).await.cloned()
    }

    fn subject(&self, type_name: &str) -> Result<Subject<'_>, Diagnostics> {
        let resource = resources::by_name(type_name);
        match (resource, self.catalog.resources.get(type_name)) {
            (Some(resource), Some(entry)) => Ok(Subject { resource, entry }),
            _ => Err(Diagnostic::error(format!(
                "provider \"aws\" has no resource type {type_name:?}"
            ))
            .into()),
        }
    }
}

/// The operation's name: the same for whoever tries it again, and another for any other.
fn operation(token: &Token, address: &str) -> String {
    let hash = Sha256::digest(format!("{} {address}", token.text()));
    hash.iter().take(20).fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn no_plan(address: &str) -> Diagnostics {
    Diagnostic::error(format!("{address}: the request has no planned value")).into()
}

#[async_trait]
impl Provider for AwsProvider {
    fn schema(&self) -> &ProviderSchema {
        &self.catalog.served
    }

    async fn configure(&self, config: &Value) -> Result<(), Diagnostics> {
        let settings = match config.is_wholly_known() {
            true => Some(Settings::read(config)?),
            false => None,
        };
        let session = Session {
            settings,
            aws: OnceCell::new(),
        };
        *self.session.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(session));
        Ok(())
    }

    async fn validate(&self, type_name: &str, config: &Value) -> Diagnostics {
        let mut found = Diagnostics::new();
        if let Ok(s) = self.subject(type_name) {
            let block = &s.entry.schema.block;
            plan::validate(block, &s.entry.rules, "", config, &mut found);
            s.resource.validate(config, &mut found);
        } else {
            data::validate(type_name, config, &mut found);
        }
        found
    }

    async fn plan(&self, request: PlanRequest) -> Result<PlanResponse, Diagnostics> {
        let s = self.subject(&request.type_name)?;
        // The tags of the provider block are part of the plan; where they are unknown, or there is
        // no region yet, what hangs on them is known after apply.
        let aws = match &self.session()?.settings {
            Some(_) => Some(self.aws().await?),
            None => None,
        };
        let prior = request.prior.as_ref().map(Known::value);
        let values = (prior, &request.config, &request.proposed);
        let (planned, requires_replace) = plan::plan(s.resource, s.entry, aws.as_deref(), values);
        Ok(PlanResponse {
            planned,
            requires_replace,
            private: request.private,
            batch: None,
            warnings: Diagnostics::new(),
        })
    }

    async fn apply(&self, request: ApplyRequest, progress: &dyn Progress) -> ApplyResponse {
        let kept = request.prior.clone();
        let private = request.private.clone();
        let (value, diagnostics) = match self.done(&request, progress).await {
            Ok(end) => {
                let told = end.failure.map(|f| told(&f, &request).into());
                (end.value, told.unwrap_or_default())
            }
            Err(diagnostics) => (kept, diagnostics),
        };
        ApplyResponse {
            value,
            private,
            diagnostics,
        }
    }

    async fn read(&self, request: ReadRequest) -> Result<ReadResponse, Diagnostics> {
        let s = self.subject(&request.type_name)?;
        let aws = self.aws().await?;
        let known = request.prior.value();
        let value = match known.text("id") {
            None => None,
            Some(id) => s
                .look(&aws, &id, known, Beside::Known)
                .await
                .map_err(|f| f.diagnostic(&request.address))?,
        };
        Ok(ReadResponse {
            value: value.and_then(|v| Known::new(v).ok()),
            private: request.private,
        })
    }

    async fn import(&self, type_name: &str, id: &str) -> Result<Vec<Imported>, Diagnostics> {
        let s = self.subject(type_name)?;
        let aws = self.aws().await?;
        let found = s.import(&aws, id).await;
        let found = found.map_err(|f| f.diagnostic(&format!("{type_name} {id:?}")))?;
        let value = found.and_then(|v| Known::new(v).ok()).ok_or_else(|| {
            Diagnostic::error(format!("{type_name} {id:?} does not exist"))
                .because(format!("Region {} has none of that id.", aws.region))
                .help("Check the id, the region and the account.")
        })?;
        Ok(vec![Imported {
            type_name: type_name.into(),
            value,
            private: Vec::new(),
        }])
    }

    async fn data(&self, type_name: &str, config: &Value) -> Result<Known, Diagnostics> {
        let aws = self.aws().await?;
        let schema = self.catalog.served.data.get(type_name);
        let schema = schema.ok_or_else(|| {
            Diagnostic::error(format!("provider \"aws\" has no data source {type_name:?}"))
        })?;
        data::read(&aws, type_name, schema, config).await
    }

    async fn settle(&self, request: ApplyRequest) -> Settled {
        match self.settled(&request).await {
            Ok(settled) => settled,
            Err(d) => Settled::Unknown(d.to_string()),
        }
    }
}

/// The failure of the request's object, without what must not be shown.
fn told(failure: &Failure, request: &ApplyRequest) -> Diagnostic {
    let mut failure = failure.clone();
    for value in [&request.planned, &request.config].into_iter().flatten() {
        hide(value, &mut failure.message);
    }
    if let Some(prior) = &request.prior {
        hide(prior.value(), &mut failure.message);
    }
    failure.diagnostic(&request.address)
}

fn hide(value: &Value, text: &mut String) {
    if value.is_sensitive() {
        for secret in texts(value) {
            *text = text.replace(&secret, "(sensitive)");
        }
    }
    value.children().for_each(|v| hide(v, text));
}

fn texts(value: &Value) -> Vec<String> {
    match value.as_str() {
        Some(text) if text.len() > 3 => vec![text.to_owned()],
        Some(_) => Vec::new(),
        None => value.children().flat_map(texts).collect(),
    }
}

impl AwsProvider {
    async fn done(
        &self,
        request: &ApplyRequest,
        progress: &dyn Progress,
    ) -> Result<lifecycle::End, Diagnostics> {
        let s = self.subject(&request.type_name)?;
        let aws = self.aws().await?;
        let prior = request.prior.as_ref().map(Known::value);
        let planned = request.planned.as_ref();
        let call = |op: &str, value: Option<&Value>| Call {
            aws: &aws,
            address: &request.address,
            token: operation(&request.token, &request.address),
            progress,
            limit: lifecycle::limit(s.resource, op, value),
        };
        match (request.op, prior, planned) {
            (Op::Create, _, Some(planned)) => {
                Ok(s.create(&call("create", Some(planned)), planned).await)
            }
            (Op::Update, Some(prior), Some(planned)) => Ok(s
                .update(&call("update", Some(planned)), prior, planned)
                .await),
            (Op::Delete, Some(prior), _) => Ok(s.delete(&call("delete", Some(prior)), prior).await),
            (Op::Create | Op::Update | Op::Delete, ..) => Err(no_plan(&request.address)),
            (Op::Read | Op::Forget | Op::Join, ..) => {
                Err(Diagnostic::error("not an operation of a provider").into())
            }
        }
    }

    async fn settled(&self, request: &ApplyRequest) -> Result<Settled, Diagnostics> {
        let s = self.subject(&request.type_name)?;
        let aws = self.aws().await?;
        let cx = Call {
            aws: &aws,
            address: &request.address,
            token: operation(&request.token, &request.address),
            progress: &NoProgress,
            limit: lifecycle::limit(s.resource, "create", request.planned.as_ref()),
        };
        let prior = request.prior.as_ref().map(Known::value);
        let fail = |f: Failure| Diagnostics::from(f.diagnostic(&request.address));
        let (found, planned) = match (request.op, prior, &request.planned) {
            (Op::Create, _, Some(planned)) => (
                s.settle_create(&cx, planned).await.map_err(fail)?,
                Some(planned),
            ),
            (_, Some(prior), planned) => {
                let known = planned.as_ref().unwrap_or(prior);
                let id = prior.text("id").unwrap_or_default();
                let mut found = s
                    .look(&aws, &id, known, Beside::Known)
                    .await
                    .map_err(fail)?;
                let renamed = known.get("id").is_some_and(Value::is_unknown);
                if found.is_none() && renamed {
                    found = s.renamed(&cx, known).await.map_err(fail)?;
                }
                (found, planned.as_ref())
            }
            _ => return Err(no_plan(&request.address)),
        };
        let whole = match (&found, planned) {
            (Some(found), Some(planned)) => {
                let subject = check::Subject {
                    provider: "aws",
                    address: &request.address,
                };
                !check::applied(subject, &s.entry.schema, planned, Some(found)).has_errors()
            }
            _ => false,
        };
        let done = match (request.op, &found) {
            (Op::Create, found) => found.is_some(),
            (Op::Delete, found) => found.is_none(),
            _ => whole,
        };
        if !done {
            return Ok(Settled::NotDone);
        }
        Ok(Settled::Done {
            value: found.and_then(|v| Known::new(v).ok()),
            private: request.private.clone(),
            completeness: match whole || request.op == Op::Delete {
                true => Completeness::Whole,
                false => Completeness::Partial,
            },
        })
    }
}
