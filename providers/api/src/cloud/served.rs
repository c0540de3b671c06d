//! A cloud's provider, as the engine sees it.

use super::{
    Call, Cloud, Failure, Pacing,
    lifecycle::{self, Subject},
    secrets::told,
};
use crate::{
    ApplyRequest, ApplyResponse, Completeness, Imported, NoProgress, PlanRequest, PlanResponse,
    Progress, Provider, ProviderSchema, ReadRequest, ReadResponse, Settled, Token, check,
    declared::{self, Beside, Fields as _},
};
use async_trait::async_trait;
use sha2::{Digest as _, Sha256};
use std::{
    fmt::Write as _,
    sync::{Arc, PoisonError, RwLock},
};
use tokio::sync::OnceCell;
use weir_core::{Diagnostic, Diagnostics, Known, Value, plan::Op};

/// The provider of a cloud.
#[derive(Debug)]
pub struct Served<C: Cloud> {
    pacing: Pacing,
    unplanned: Unplanned,
    session: RwLock<Option<Arc<Session<C>>>>,
}

/// What becomes of an attribute that only the provider sets, that an update was planned to leave as
/// it was, and that is found to be another after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unplanned {
    /// Others may have changed it meanwhile, and nobody's update fails for that: it is recorded as
    /// it was planned, and the next refresh tells.
    #[default]
    LeftToRefresh,
    /// Nobody else is there, as in a test: it is recorded as it is, which breaks the plan's promise
    /// and shows that the type's `plan` forgot to open it.
    Told,
}

/// What a provider block leads to.
#[derive(Debug)]
struct Session<C: Cloud> {
    /// `None` while something of the block is unknown.
    settings: Option<C::Settings>,
    cloud: OnceCell<Arc<C>>,
}

impl<C: Cloud> Default for Served<C> {
    fn default() -> Served<C> {
        Served::new(Pacing::default())
    }
}

impl<C: Cloud> Served<C> {
    /// A provider that is not configured yet.
    pub fn new(pacing: Pacing) -> Served<C> {
        Served {
            pacing,
            unplanned: Unplanned::default(),
            session: RwLock::new(None),
        }
    }

    /// The same for a world in which nobody else changes anything: see [`Unplanned::Told`].
    #[must_use]
    pub fn alone(self) -> Served<C> {
        Served {
            unplanned: Unplanned::Told,
            ..self
        }
    }

    fn session(&self) -> Result<Arc<Session<C>>, Diagnostics> {
        let session = self.session.read().unwrap_or_else(PoisonError::into_inner);
        session.clone().ok_or_else(|| {
            Diagnostic::error(format!(
                "provider {:?} was called before it was configured",
                C::VENDOR.provider
            ))
            .into()
        })
    }

    /// The clients, made when they are first needed.
    async fn cloud(&self) -> Result<Arc<C>, Diagnostics> {
        let session = self.session()?;
        let Some(settings) = &session.settings else {
            return Err(Diagnostic::error(format!(
                "the configuration of provider {:?} is not known yet",
                C::VENDOR.provider
            ))
            .because("It is made from a value that is known after apply.")
            .help("Apply what that value comes from first (`-target`).")
            .into());
        };
        let connect = || async { C::connect(settings, self.pacing).await.map(Arc::new) };
        session.cloud.get_or_try_init(connect).await.cloned()
    }

    fn subject(type_name: &str) -> Result<Subject<C>, Diagnostics> {
        let resource = C::resource(type_name);
        match (resource, C::catalog().resources.get(type_name)) {
            (Some(resource), Some(entry)) => Ok(Subject { resource, entry }),
            _ => Err(Diagnostic::error(format!(
                "provider {:?} has no resource type {type_name:?}",
                C::VENDOR.provider
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
impl<C: Cloud> Provider for Served<C> {
    fn schema(&self) -> &ProviderSchema {
        &C::catalog().served
    }

    async fn configure(&self, config: &Value) -> Result<(), Diagnostics> {
        let settings = match config.is_wholly_known() {
            true => Some(C::settings(config)?),
            false => None,
        };
        let session = Session {
            settings,
            cloud: OnceCell::new(),
        };
        *self.session.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(session));
        Ok(())
    }

    async fn validate(&self, type_name: &str, config: &Value) -> Diagnostics {
        let mut found = Diagnostics::new();
        // A data source may have the name of a resource type: the body tells which it is.
        let fits = |s: &Subject<C>| {
            let attributes = &s.entry.schema.block.attributes;
            attributes.keys().all(|name| config.get(name).is_some())
        };
        if let Some(s) = Self::subject(type_name).ok().filter(fits) {
            declared::refuse(C::VENDOR, s.entry, config, &mut found);
            s.resource.validate(config, &mut found);
        } else {
            C::validate_data(type_name, config, &mut found);
        }
        found
    }

    async fn plan(&self, request: PlanRequest) -> Result<PlanResponse, Diagnostics> {
        let s = Self::subject(&request.type_name)?;
        // The tags of the provider block are part of the plan; where they are unknown, or there is
        // no region yet, what hangs on them is known after apply.
        let cloud = match &self.session()?.settings {
            Some(_) => Some(self.cloud().await?),
            None => None,
        };
        let prior = request.prior.as_ref().map(Known::value);
        let values = (prior, &request.config, &request.proposed);
        let (planned, requires_replace) = s.plan(cloud.as_deref(), values);
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
        let s = Self::subject(&request.type_name)?;
        let cloud = self.cloud().await?;
        let known = request.prior.value();
        let value = match known.text("id") {
            None => None,
            Some(id) => s
                .look(&cloud, &id, known, Beside::Known)
                .await
                .map_err(|f| f.diagnostic(&request.address))?,
        };
        Ok(ReadResponse {
            value: value.and_then(|v| Known::new(v).ok()),
            private: request.private,
        })
    }

    async fn import(&self, type_name: &str, id: &str) -> Result<Vec<Imported>, Diagnostics> {
        let s = Self::subject(type_name)?;
        let cloud = self.cloud().await?;
        let found = s.import(&cloud, id).await;
        let found = found.map_err(|f| f.diagnostic(&format!("{type_name} {id:?}")))?;
        let value = found.and_then(|v| Known::new(v).ok()).ok_or_else(|| {
            Diagnostic::error(format!("{type_name} {id:?} does not exist"))
                .because(format!("There is none of that id in {}.", cloud.place()))
                .help("Check the id, the region and the account.")
        })?;
        Ok(vec![Imported {
            type_name: type_name.into(),
            value,
            private: Vec::new(),
        }])
    }

    async fn data(&self, type_name: &str, config: &Value) -> Result<Known, Diagnostics> {
        let cloud = self.cloud().await?;
        let schema = C::catalog().served.data.get(type_name);
        let schema = schema.ok_or_else(|| {
            Diagnostic::error(format!(
                "provider {:?} has no data source {type_name:?}",
                C::VENDOR.provider
            ))
        })?;
        let found = cloud.data(type_name, schema, config).await;
        let found = found.map_err(|f| f.diagnostic(&format!("data.{type_name}")))?;
        let value = declared::shape(&schema.block, &found, config, Beside::Known);
        Known::new(value).map_err(|e| Diagnostic::error(e.to_string()).into())
    }

    async fn settle(&self, request: ApplyRequest) -> Settled {
        match self.settled(&request).await {
            Ok(settled) => settled,
            Err(d) => Settled::Unknown(d.to_string()),
        }
    }
}

impl<C: Cloud> Served<C> {
    async fn done(
        &self,
        request: &ApplyRequest,
        progress: &dyn Progress,
    ) -> Result<lifecycle::End, Diagnostics> {
        let s = Self::subject(&request.type_name)?;
        let cloud = self.cloud().await?;
        let prior = request.prior.as_ref().map(Known::value);
        let planned = request.planned.as_ref();
        let call = |op: &str, value: Option<&Value>| Call {
            cloud: cloud.as_ref(),
            address: &request.address,
            token: operation(&request.token, &request.address),
            progress,
            limit: lifecycle::limit(s.resource, op, value),
        };
        match (request.op, prior, planned) {
            (Op::Create, _, Some(planned)) => {
                Ok(s.create(&call("create", Some(planned)), planned).await)
            }
            (Op::Update, Some(prior), Some(planned)) => {
                let cx = call("update", Some(planned));
                Ok(s.update(&cx, prior, planned, self.unplanned).await)
            }
            (Op::Delete, Some(prior), _) => Ok(s.delete(&call("delete", Some(prior)), prior).await),
            (Op::Create | Op::Update | Op::Delete, ..) => Err(no_plan(&request.address)),
            (Op::Read | Op::Forget | Op::Join, ..) => {
                Err(Diagnostic::error("not an operation of a provider").into())
            }
        }
    }

    async fn settled(&self, request: &ApplyRequest) -> Result<Settled, Diagnostics> {
        let s = Self::subject(&request.type_name)?;
        let cloud = self.cloud().await?;
        let cx = Call {
            cloud: cloud.as_ref(),
            address: &request.address,
            token: operation(&request.token, &request.address),
            progress: &NoProgress,
            limit: lifecycle::limit(s.resource, "create", request.planned.as_ref()),
        };
        let prior = request.prior.as_ref().map(Known::value);
        let fail = |f: Failure| Diagnostics::from(f.diagnostic(&request.address));
        let mut completeness = Completeness::Whole;
        let (found, planned) = match (request.op, prior, &request.planned) {
            (Op::Create, _, Some(planned)) => {
                let made = s.settle_create(&cx, planned).await.map_err(fail)?;
                let (found, how) = made.unzip();
                completeness = how.unwrap_or(completeness);
                (found, Some(planned))
            }
            (_, Some(prior), planned) => {
                let known = planned.as_ref().unwrap_or(prior);
                let id = prior.text("id").unwrap_or_default();
                let mut found = s
                    .look(&cloud, &id, known, Beside::Known)
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
                    provider: C::VENDOR.provider,
                    address: &request.address,
                };
                completeness == Completeness::Whole
                    && !check::applied(subject, &s.entry.schema, planned, Some(found)).has_errors()
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
