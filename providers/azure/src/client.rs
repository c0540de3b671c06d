//! One subscription: JSON to Azure Resource Manager and back.

use crate::{
    credentials, data, failure,
    operation::Running,
    resources, schema,
    settings::{Features, Settings},
    transport::Transport,
};
use async_trait::async_trait;
use azure_core::{
    credentials::{AccessToken, TokenCredential},
    http::{HttpClient, Method, Request, Url, headers::HeaderName},
    time::OffsetDateTime,
};
use serde_json::Value as Json;
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::{Mutex as Turn, OwnedMutexGuard};
use weir_core::{Diagnostic, Diagnostics, Value, schema::Schema};
use weir_provider::{
    cloud::{Again, Cloud, Failure, Pacing, Resource},
    declared::{Catalog, Found, Vendor},
};

/// What Azure answered with, where that is no error.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Json,
    /// Where an operation in the background is followed, by `Azure-AsyncOperation`.
    pub(crate) follow: Option<String>,
    /// Where its result will be, by `Location`.
    pub(crate) location: Option<String>,
    /// How long to wait before looking again.
    pub(crate) after: Option<Duration>,
}

/// A subscription.
pub struct Azure {
    http: Arc<dyn HttpClient>,
    endpoint: String,
    scope: String,
    credential: Arc<dyn TokenCredential>,
    token: Turn<Option<AccessToken>>,
    pub(crate) subscription: String,
    pub(crate) tenant: Option<String>,
    pub(crate) client_id: Option<String>,
    pub(crate) features: Features,
    pacing: Pacing,
    /// What was begun and is not over, by id.
    pub(crate) running: Mutex<HashMap<String, Running>>,
    turns: Mutex<HashMap<String, Arc<Turn<()>>>>,
}

impl fmt::Debug for Azure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Azure")
            .field("endpoint", &self.endpoint)
            .field("subscription", &self.subscription)
            .finish_non_exhaustive()
    }
}

/// What a call asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ask<'a> {
    /// As Microsoft's specification calls it: `VirtualNetworks_CreateOrUpdate`.
    pub(crate) what: &'a str,
    pub(crate) method: Method,
    /// An id, or an address as Azure gave it.
    pub(crate) path: &'a str,
    /// The API's version; none where the address has one.
    pub(crate) version: Option<&'static str>,
    pub(crate) body: Option<&'a Json>,
}

impl Azure {
    /// Makes a call, again where Azure says "later" or does not answer: every call of Resource
    /// Manager may be made twice.
    pub(crate) async fn call(&self, ask: Ask<'_>) -> Result<Answer, Failure> {
        let once = || self.once(ask);
        self.pacing.attempt(Again::Harmless, once).await
    }

    /// What is at an id; `None` where nothing is.
    pub(crate) async fn get(
        &self,
        what: &str,
        path: &str,
        version: &'static str,
    ) -> Result<Option<Json>, Failure> {
        let ask = Ask {
            what,
            method: Method::Get,
            path,
            version: Some(version),
            body: None,
        };
        let found = weir_provider::cloud::unless_gone(self.call(ask).await)?;
        Ok(found.map(|a| a.body))
    }

    /// All of a list, page by page.
    pub(crate) async fn list(
        &self,
        what: &str,
        path: &str,
        version: &'static str,
    ) -> Result<Vec<Json>, Failure> {
        let mut all = Vec::new();
        let mut next = Some((path.to_owned(), Some(version)));
        while let Some((path, version)) = next {
            let ask = Ask {
                what,
                method: Method::Get,
                path: &path,
                version,
                body: None,
            };
            let mut page = self.call(ask).await?.body;
            if let Json::Array(items) = page["value"].take() {
                all.extend(items);
            }
            next = page["nextLink"].as_str().map(|n| (n.to_owned(), None));
        }
        Ok(all)
    }

    fn url(&self, ask: &Ask<'_>) -> Result<Url, Failure> {
        let text = match ask.path.starts_with('/') {
            true => format!("{}{}", self.endpoint, ask.path),
            false => ask.path.to_owned(),
        };
        let mut url =
            Url::parse(&text).map_err(|e| Failure::new(ask.what, format!("{text}: {e}")))?;
        // A token goes to nobody but the cloud that it is for.
        let own = Url::parse(&self.endpoint).ok();
        if own.is_some_and(|own| own.origin() != url.origin()) {
            let why = format!(
                "Azure refers to {}, which is not {}",
                url.origin().ascii_serialization(),
                self.endpoint
            );
            return Err(Failure::new(ask.what, why));
        }
        if let Some(version) = ask.version {
            url.query_pairs_mut().append_pair("api-version", version);
        }
        Ok(url)
    }

    async fn once(&self, ask: Ask<'_>) -> Result<Answer, Failure> {
        let mut request = Request::new(self.url(&ask)?, ask.method);
        let token = self.token().await?;
        request.insert_header("authorization", format!("Bearer {}", token.token.secret()));
        request.insert_header("accept", "application/json");
        if let Some(body) = ask.body {
            request.insert_header("content-type", "application/json");
            request.set_body(body.to_string());
        } else if matches!(ask.method, Method::Post | Method::Put | Method::Patch) {
            request.insert_header("content-length", "0");
        }
        let sent = self.http.execute_request(&request).await;
        let (status, headers, body) = sent
            .map_err(|e| failure::unanswered(ask.what, &e))?
            .deconstruct();
        let text = body.collect().await;
        let text = text.map_err(|e| failure::unanswered(ask.what, &e))?;
        let status = u16::from(status);
        let header = |name: &'static str| {
            let name = HeaderName::from_static(name);
            headers.get_optional_str(&name).map(str::to_owned)
        };
        let after = header("retry-after").and_then(|s| s.parse().ok());
        let after = after.map(Duration::from_secs);
        let body = serde_json::from_slice(&text).unwrap_or(Json::Null);
        if status == 401 {
            // The token is not good any more: the next call gets another.
            *self.token.lock().await = None;
        }
        if status >= 300 {
            return Err(failure::answered(ask.what, status, &body, after));
        }
        Ok(Answer {
            status,
            body,
            follow: header("azure-asyncoperation"),
            location: header("location"),
            after,
        })
    }

    /// A token that is good for a while.
    async fn token(&self) -> Result<AccessToken, Failure> {
        let mut kept = self.token.lock().await;
        let soon = OffsetDateTime::now_utc() + Duration::from_secs(300);
        if let Some(token) = kept.as_ref().filter(|t| t.expires_on > soon) {
            return Ok(token.clone());
        }
        let found = self.credential.get_token(&[&self.scope], None).await;
        let found = found.map_err(|e| failure::no_token(&e))?;
        *kept = Some(found.clone());
        Ok(found)
    }

    /// Waits for the turn to change something that takes one change at a time. A turn that was
    /// never given back does not hold up the others for ever.
    pub(crate) async fn turn(&self, of: &str) -> Option<OwnedMutexGuard<()>> {
        let turn = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(turns.entry(of.to_lowercase()).or_default())
        };
        tokio::time::timeout(self.pacing.budget, turn.lock_owned())
            .await
            .ok()
    }

    /// `/subscriptions/ID`
    pub(crate) fn root(&self) -> String {
        format!("/subscriptions/{}", self.subscription)
    }
}

#[async_trait]
impl Cloud for Azure {
    type Settings = Settings;
    type Kind = ();
    const VENDOR: Vendor = Vendor {
        provider: "azurerm",
        name: failure::VENDOR,
        page: "docs/azure.md",
    };

    fn catalog() -> &'static Catalog {
        schema::catalog()
    }

    fn resource(type_name: &str) -> Option<&'static dyn Resource<Azure>> {
        resources::by_name(type_name)
    }

    fn settings(block: &Value) -> Result<Settings, Diagnostics> {
        Settings::read(block, &|name| std::env::var(name).ok())
    }

    async fn connect(settings: &Settings, pacing: Pacing) -> Result<Azure, Diagnostics> {
        let cloud = credentials::cloud(settings).await?;
        let identity = credentials::identity(settings)?;
        let transport = Transport::new(cloud.plain.clone(), identity);
        let http: Arc<dyn HttpClient> = Arc::new(transport);
        let credential = credentials::find(settings, &cloud, &http)?;
        let subscription = match &settings.subscription {
            Some(id) => id.clone(),
            None => credentials::subscription(settings).await.ok_or_else(|| {
                Diagnostic::error("provider \"azurerm\" has no subscription")
                    .because("Neither its block nor the environment nor the Azure CLI names one.")
                    .help("Set `subscription_id` in the provider block, or ARM_SUBSCRIPTION_ID.")
            })?,
        };
        Ok(Azure {
            http,
            scope: cloud.scope(),
            endpoint: cloud.manager,
            credential,
            token: Turn::new(None),
            subscription,
            tenant: settings.tenant.clone(),
            client_id: settings.client_id.clone(),
            features: settings.features,
            pacing,
            running: Mutex::new(HashMap::new()),
            turns: Mutex::new(HashMap::new()),
        })
    }

    fn pacing(&self) -> Pacing {
        self.pacing
    }

    fn place(&self) -> String {
        format!("subscription {}", self.subscription)
    }

    async fn data(
        &self,
        type_name: &str,
        _schema: &Schema,
        config: &Value,
    ) -> Result<Found, Failure> {
        data::read(self, type_name, config).await
    }
}
