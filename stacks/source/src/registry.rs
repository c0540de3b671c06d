//! Registries of modules: the protocol `modules.v1`.

use crate::{
    address::RegistryModule,
    error::SourceError,
    http,
    version::{Constraint, version},
};
use semver::Version;
use serde::Deserialize;
use std::collections::BTreeMap;
use ureq::Agent;
use url::Url;

/// What is known of a registry's host beforehand.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Host {
    /// Where its modules are; found out from the host where there is none.
    pub modules: Option<Url>,
    /// What lets the user in.
    pub token: Option<String>,
}

impl std::fmt::Debug for Host {
    /// Without the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host")
            .field("modules", &self.modules)
            .finish_non_exhaustive()
    }
}

/// Registries that were asked in this run.
pub(crate) struct Registries<'a> {
    agent: &'a Agent,
    hosts: &'a BTreeMap<String, Host>,
    found: BTreeMap<String, Url>,
    versions: BTreeMap<String, Vec<Version>>,
}

#[derive(Deserialize)]
struct Listing {
    modules: Vec<Module>,
}

#[derive(Deserialize)]
struct Module {
    versions: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    version: String,
}

#[derive(Deserialize)]
struct Location {
    location: String,
}

impl<'a> Registries<'a> {
    pub(crate) fn new(agent: &'a Agent, hosts: &'a BTreeMap<String, Host>) -> Registries<'a> {
        Registries {
            agent,
            hosts,
            found: BTreeMap::new(),
            versions: BTreeMap::new(),
        }
    }

    fn token(&self, host: &str) -> Option<&'a str> {
        self.hosts.get(host)?.token.as_deref()
    }

    /// Where a host's modules are.
    fn base(&mut self, host: &str) -> Result<Url, SourceError> {
        if let Some(url) = self.hosts.get(host).and_then(|h| h.modules.clone()) {
            return Ok(url);
        }
        if let Some(url) = self.found.get(host) {
            return Ok(url.clone());
        }
        let what = format!("the services of {host} can't be found");
        let wrong = |why: String| SourceError::fetch(&what, why);
        let page = Url::parse(&format!("https://{host}/.well-known/terraform.json"))
            .map_err(|e| wrong(e.to_string()))?;
        let text = http::text(http::get(self.agent, &page, self.token(host))?, &what)?;
        let services: BTreeMap<String, serde_json::Value> =
            serde_json::from_str(&text).map_err(|e| wrong(e.to_string()))?;
        let place = services
            .get("modules.v1")
            .and_then(|v| v.as_str())
            .ok_or_else(|| wrong("it serves no modules".into()))?;
        let url = page.join(place).map_err(|e| wrong(e.to_string()))?;
        self.found.insert(host.to_owned(), url.clone());
        Ok(url)
    }

    fn page(&mut self, module: &RegistryModule, rest: &str) -> Result<Url, SourceError> {
        let mut base = self.base(&module.host)?;
        // A last part without a slash would be left out by `join`.
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        let RegistryModule {
            namespace,
            name,
            system,
            ..
        } = module;
        base.join(&format!("{namespace}/{name}/{system}/{rest}"))
            .map_err(|e| SourceError::fetch(module.package(), e))
    }

    /// The newest version that will do.
    pub(crate) fn newest(
        &mut self,
        module: &RegistryModule,
        constraint: &Constraint,
        written: &str,
    ) -> Result<Version, SourceError> {
        let package = module.package();
        if !self.versions.contains_key(&package) {
            let page = self.page(module, "versions")?;
            let answer = http::get(self.agent, &page, self.token(&module.host))?;
            let text = http::text(answer, &package)?;
            let listing: Listing = serde_json::from_str(&text)
                .map_err(|e| SourceError::fetch(format!("the versions of {package}"), e))?;
            let versions = listing.modules.iter().flat_map(|m| &m.versions);
            let versions = versions.filter_map(|v| version(&v.version)).collect();
            self.versions.insert(package.clone(), versions);
        }
        let versions = self.versions.get(&package).map_or(&[][..], Vec::as_slice);
        let newest = versions.iter().filter(|v| constraint.allows(v)).max();
        newest.cloned().ok_or_else(|| {
            let known = versions.iter().filter(|v| v.pre.is_empty()).max();
            SourceError::fetch(
                &package,
                match known {
                    Some(known) => {
                        format!("no version is `{written}`; the newest is {known}")
                    }
                    None => "it has no version".to_owned(),
                },
            )
        })
    }

    /// The address of a version's package.
    pub(crate) fn location(
        &mut self,
        module: &RegistryModule,
        version: &Version,
    ) -> Result<String, SourceError> {
        let what = format!("{} {version}", module.package());
        let page = self.page(module, &format!("{version}/download"))?;
        let answer = http::get(self.agent, &page, self.token(&module.host))?;
        let place = match http::header(&answer) {
            Some(place) => place,
            None => {
                let text = http::text(answer, &what)?;
                let parsed: Result<Location, _> = serde_json::from_str(&text);
                let parsed = parsed.map_err(|_| {
                    SourceError::fetch(&what, "the registry does not say where it is")
                })?;
                parsed.location
            }
        };
        // It may be relative to the page that says it.
        if ["/", "./", "../"].iter().any(|p| place.starts_with(p)) {
            let url = page
                .join(&place)
                .map_err(|e| SourceError::fetch(&what, e))?;
            return Ok(url.into());
        }
        Ok(place)
    }
}
