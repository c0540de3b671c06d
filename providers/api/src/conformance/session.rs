//! One case on one running provider: calls made the way the engine makes them.

use super::{Case, Fixture};
use crate::{
    ApplyRequest, ApplyResponse, NoProgress, PlanRequest, PlanResponse, Provider, ReadRequest,
    Token,
    check::{self, Subject},
    proposed,
};
use std::{
    sync::Arc,
    sync::atomic::{AtomicU64, Ordering},
};
use weir_core::{Diagnostics, Known, Value, plan::Op, schema::Schema};

pub(super) struct Session<'f> {
    pub(super) fixture: &'f dyn Fixture,
    pub(super) case: &'f Case,
    pub(super) provider: Arc<dyn Provider>,
    address: String,
    step: AtomicU64,
    lineage: String,
}

/// An object as state holds it.
#[derive(Debug, Clone)]
pub(super) struct Object {
    pub(super) value: Known,
    pub(super) private: Vec<u8>,
}

impl<'f> Session<'f> {
    pub(super) async fn start(fixture: &'f dyn Fixture, case: &'f Case) -> Session<'f> {
        static SESSIONS: AtomicU64 = AtomicU64::new(0);
        let number = SESSIONS.fetch_add(1, Ordering::Relaxed);
        Session {
            fixture,
            case,
            provider: fixture.start().await,
            address: format!("{}.conformance", case.type_name),
            step: AtomicU64::new(0),
            lineage: format!("conformance-{}-{number}", std::process::id()),
        }
    }

    /// The same world, a new process: all that the provider knew is gone.
    pub(super) async fn restart(&mut self) {
        self.provider = self.fixture.start().await;
    }

    pub(super) fn schema(&self) -> Schema {
        self.provider
            .schema()
            .resources
            .get(&self.case.type_name)
            .cloned()
            .unwrap_or_default()
    }

    pub(super) fn token(&self) -> Token {
        let step = self.step.fetch_add(1, Ordering::Relaxed);
        Token {
            lineage: self.lineage.clone(),
            epoch: 1,
            step,
        }
    }

    pub(super) async fn count(&self) -> Option<usize> {
        self.fixture.count(&self.case.type_name).await
    }

    fn subject(&self) -> Subject<'_> {
        Subject {
            provider: self.fixture.provider(),
            address: &self.address,
        }
    }

    /// A plan that was held against the configuration.
    pub(super) async fn plan(
        &self,
        prior: Option<&Object>,
        config: &Value,
    ) -> Result<PlanResponse, String> {
        let schema = self.schema();
        let prior_value = prior.map(|p| p.value.value());
        let request = PlanRequest {
            type_name: self.case.type_name.clone(),
            address: self.address.clone(),
            prior: prior.map(|p| p.value.clone()),
            config: config.clone(),
            proposed: proposed::merge(&schema, prior_value, config),
            private: prior.map(|p| p.private.clone()).unwrap_or_default(),
        };
        let response = self
            .provider
            .plan(request)
            .await
            .map_err(|d| format!("plan: {d}"))?;
        let found = check::planned(
            self.subject(),
            &schema,
            prior_value,
            config,
            &response.planned,
        );
        none(&found, "plan")?;
        Ok(response)
    }

    pub(super) fn request(
        &self,
        op: Op,
        prior: Option<&Object>,
        config: Option<&Value>,
        plan: Option<PlanResponse>,
    ) -> ApplyRequest {
        let private = match (&plan, prior) {
            (Some(plan), _) => plan.private.clone(),
            (None, Some(prior)) => prior.private.clone(),
            (None, None) => Vec::new(),
        };
        ApplyRequest {
            type_name: self.case.type_name.clone(),
            address: self.address.clone(),
            op,
            prior: prior.map(|p| p.value.clone()),
            planned: plan.map(|p| p.planned),
            config: config.cloned(),
            private,
            token: self.token(),
        }
    }

    pub(super) async fn create_request(&self) -> Result<ApplyRequest, String> {
        let config = &self.case.config;
        let plan = self.plan(None, config).await?;
        Ok(self.request(Op::Create, None, Some(config), Some(plan)))
    }

    pub(super) async fn apply(&self, request: ApplyRequest) -> ApplyResponse {
        self.provider.apply(request, &NoProgress).await
    }

    /// Applies, and holds the outcome against the plan.
    pub(super) async fn applied(&self, request: ApplyRequest) -> Result<Object, String> {
        let planned = request.planned.clone().unwrap_or_else(Value::null);
        let response = self.apply(request).await;
        none(&response.diagnostics, "apply")?;
        let new = response.value.as_ref().map(Known::value);
        none(
            &check::applied(self.subject(), &self.schema(), &planned, new),
            "apply",
        )?;
        let value = response.value.ok_or("apply returned no object")?;
        Ok(Object {
            value,
            private: response.private,
        })
    }

    pub(super) async fn create(&self) -> Result<Object, String> {
        self.applied(self.create_request().await?).await
    }

    pub(super) async fn delete(&self, object: &Object) -> Result<(), String> {
        let response = self
            .apply(self.request(Op::Delete, Some(object), None, None))
            .await;
        none(&response.diagnostics, "delete")?;
        match response.value {
            None => Ok(()),
            Some(_) => Err("delete succeeded and left an object".into()),
        }
    }

    pub(super) async fn read(&self, object: &Object) -> Result<Option<Object>, String> {
        let request = ReadRequest {
            type_name: self.case.type_name.clone(),
            address: self.address.clone(),
            prior: object.value.clone(),
            private: object.private.clone(),
        };
        let response = self
            .provider
            .read(request)
            .await
            .map_err(|d| format!("read: {d}"))?;
        Ok(response.value.map(|value| Object {
            value,
            private: response.private,
        }))
    }
}

fn none(found: &Diagnostics, during: &str) -> Result<(), String> {
    if found.has_errors() {
        Err(format!("{during}: {found}"))
    } else {
        Ok(())
    }
}

/// Fails with the reason unless it holds.
pub(super) fn ensure(holds: bool, reason: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(reason()) }
}
