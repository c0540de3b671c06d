//! One state's object and its parts.

use super::{
    client::{Answer, Client},
    fault::NO_CONDITIONS,
    settings::{S3Settings, SUFFIX},
};
use crate::{
    StateError, Workspace,
    remote::{Blob, Loaded, Put, Tag, Trouble},
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use http::{HeaderName, Method, header};
use sha2::{Digest as _, Sha256};
use std::{path::Path, time::SystemTime};

/// The object of a workspace.
pub(super) struct Object {
    client: Client,
    key: String,
}

const ENCRYPTION: HeaderName = HeaderName::from_static("x-amz-server-side-encryption");
const KMS_KEY: HeaderName = HeaderName::from_static("x-amz-server-side-encryption-aws-kms-key-id");
const CHECKSUM: HeaderName = HeaderName::from_static("x-amz-checksum-sha256");
const ACL: HeaderName = HeaderName::from_static("x-amz-acl");

impl Object {
    pub(super) fn of(settings: S3Settings, workspace: &Workspace) -> Result<Object, StateError> {
        let place = settings.place(workspace);
        Ok(Object {
            key: settings.key(workspace),
            client: Client::new(settings, place)?,
        })
    }

    fn address(&self, key: &str) -> String {
        self.client.settings.address(key)
    }

    fn part_key(&self, name: &str) -> String {
        format!("{}.parts/{name}", self.key)
    }

    /// Puts an object; with a condition if there is one.
    fn put(
        &self,
        key: &str,
        body: &[u8],
        condition: Option<(HeaderName, &str)>,
    ) -> Result<Answer, Trouble> {
        let options = &self.client.settings.options;
        let mut headers = vec![(header::CONTENT_TYPE, "application/octet-stream")];
        headers.extend(condition);
        // Buckets whose objects are locked ask for one; servers of other makers may know none.
        let sum = BASE64.encode(Sha256::digest(body));
        if options.endpoint.is_none() {
            headers.push((CHECKSUM, sum.as_str()));
        }
        match (&options.kms_key, options.encrypt) {
            (Some(key), _) => headers.extend([(ENCRYPTION, "aws:kms"), (KMS_KEY, key.as_str())]),
            (None, true) => headers.push((ENCRYPTION, "AES256")),
            (None, false) => {}
        }
        headers.extend(options.acl.as_deref().map(|acl| (ACL, acl)));
        let address = self.address(key);
        // 412: the condition does not hold; 404: there is nothing that it could hold of.
        let others: &[u16] = match headers.iter().any(|(name, _)| name == header::IF_MATCH) {
            true => &[412, 404],
            false => &[412],
        };
        let answer = self
            .client
            .ask(Method::PUT, &address, &headers, body, others)?;
        if answer.status == 404 && String::from_utf8_lossy(&answer.body).contains("NoSuchBucket") {
            return Err(self.no_bucket(&answer));
        }
        Ok(answer)
    }

    fn get(&self, key: &str, known: Option<&Tag>) -> Result<Option<Answer>, Trouble> {
        let condition = known.map(|tag| (header::IF_NONE_MATCH, tag.0.as_str()));
        let headers: Vec<(HeaderName, &str)> = condition.into_iter().collect();
        let address = self.address(key);
        let answer = self
            .client
            .ask(Method::GET, &address, &headers, &[], &[304, 404])?;
        match answer.status {
            404 if !String::from_utf8_lossy(&answer.body).contains("NoSuchBucket") => Ok(None),
            404 => Err(self.no_bucket(&answer)),
            _ => Ok(Some(answer)),
        }
    }

    fn no_bucket(&self, answer: &Answer) -> Trouble {
        let body = String::from_utf8_lossy(&answer.body);
        let said = super::fault::Said::new(answer.status, &body, None);
        said.trouble(&self.client.settings, &self.client.place)
    }

    fn drop_object(&self, key: &str) -> Result<(), Trouble> {
        let address = self.address(key);
        self.client
            .ask(Method::DELETE, &address, &[], &[], &[404])
            .map(drop)
    }

    /// Every key that begins so.
    fn list(&self, prefix: &str) -> Result<Vec<String>, Trouble> {
        let mut keys = Vec::new();
        let mut more: Option<String> = None;
        loop {
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            if let Some(token) = &more {
                query.append_pair("continuation-token", token);
            }
            query
                .append_pair("list-type", "2")
                .append_pair("prefix", prefix);
            let query = query.finish().replace('+', "%20");
            let address = format!("{}?{query}", self.address(""));
            let answer = self.client.ask(Method::GET, &address, &[], &[], &[])?;
            let text = String::from_utf8_lossy(&answer.body);
            let odd = |cause: String| {
                Trouble::from(StateError::Io {
                    path: self.client.place.clone(),
                    cause: format!("the list of objects can't be read: {cause}"),
                })
            };
            let document = roxmltree::Document::parse(&text).map_err(|e| odd(e.to_string()))?;
            let named = |name: &'static str| {
                let all = document
                    .descendants()
                    .filter(move |n| n.tag_name().name() == name);
                all.filter_map(|n| n.text().map(str::to_owned))
            };
            keys.extend(named("Key"));
            let token = named("NextContinuationToken").next();
            match token {
                Some(token) if more.as_ref() != Some(&token) => more = Some(token),
                _ => return Ok(keys),
            }
        }
    }

    /// Asks again what had no answer, a few times.
    fn patiently<T>(&self, ask: impl Fn() -> Result<T, Trouble>) -> Result<T, StateError> {
        let mut tries = 0;
        loop {
            match ask() {
                Err(Trouble::Lost(_)) if tries < 5 => {
                    tries += 1;
                    let pause = 100.0 * f64::from(tries) * (0.5 + fastrand::f64());
                    std::thread::sleep(std::time::Duration::from_millis(1).mul_f64(pause));
                }
                answer => {
                    let place = &self.client.place;
                    return answer.map_err(|e| e.fault(place).at(place));
                }
            }
        }
    }

    /// The workspaces that have a state.
    pub(super) fn workspaces(&self) -> Result<Vec<Workspace>, StateError> {
        let settings = &self.client.settings;
        let mut found: Vec<Workspace> = Vec::new();
        if self.patiently(|| self.get(&self.key, None))?.is_some() {
            found.push(Workspace::default());
        }
        let prefix = format!("{}/", settings.prefix());
        let keys = self.patiently(|| self.list(&prefix))?;
        let end = format!("/{}{SUFFIX}", settings.options.key);
        found.extend(keys.iter().filter_map(|key| {
            let name = key.strip_prefix(&prefix)?.strip_suffix(&end)?;
            name.parse().ok()
        }));
        found.sort();
        Ok(found)
    }

    /// What is at this key, where it is text.
    pub(super) fn text(&self, key: &str) -> Result<Option<String>, StateError> {
        let found = self.patiently(|| self.get(key, None))?;
        Ok(found.and_then(|answer| String::from_utf8(answer.body).ok()))
    }

    /// Removes the state: what names the parts first.
    pub(super) fn delete(&self) -> Result<(), StateError> {
        self.patiently(|| self.drop_object(&self.key))?;
        for key in self.patiently(|| self.list(&self.part_key("")))? {
            self.patiently(|| self.drop_object(&key))?;
        }
        Ok(())
    }
}

impl Blob for Object {
    fn place(&self) -> &Path {
        &self.client.place
    }

    fn load(&self, known: Option<&Tag>) -> Result<Loaded, Trouble> {
        let Some(answer) = self.get(&self.key, known)? else {
            return Ok(Loaded::Absent);
        };
        if answer.status == 304 {
            return Ok(Loaded::Same);
        }
        match answer.tag() {
            Some(tag) => Ok(Loaded::Found(answer.body, tag)),
            None => Err(self.no_conditions("it gives objects no ETag")),
        }
    }

    fn store(&self, put: &Put<'_>) -> Result<Tag, Trouble> {
        let condition = match put.expect {
            Some(tag) => (header::IF_MATCH, tag.0.as_str()),
            None => (header::IF_NONE_MATCH, "*"),
        };
        let answer = self.put(&self.key, put.body, Some(condition))?;
        match (answer.status, answer.tag()) {
            (404 | 412, _) => Err(Trouble::Raced),
            (_, Some(tag)) => Ok(tag),
            // It is stored: what its tag is the next look tells.
            (_, None) => Err(Trouble::Lost("the server gave no ETag".into())),
        }
    }

    /// A condition that does not hold must be refused.
    fn probe(&self) -> Result<(), Trouble> {
        let key = self.part_key(&format!("probe-{}", uuid::Uuid::new_v4().simple()));
        self.put(&key, b"weir", Some((header::IF_NONE_MATCH, "*")))?;
        let other = "\"00000000000000000000000000000000\"";
        let refused = [(header::IF_NONE_MATCH, "*"), (header::IF_MATCH, other)]
            .into_iter()
            .map(|condition| Ok(self.put(&key, b"weir", Some(condition))?.status == 412))
            .collect::<Result<Vec<bool>, Trouble>>();
        self.drop_object(&key)?;
        match refused?.iter().all(|refused| *refused) {
            true => Ok(()),
            false => Err(self.no_conditions(
                "it wrote what was to be written under a condition that does not hold",
            )),
        }
    }

    fn has_parts(&self) -> bool {
        true
    }
    fn put_part(&self, name: &str, body: &[u8]) -> Result<(), Trouble> {
        self.put(&self.part_key(name), body, None).map(drop)
    }
    fn part(&self, name: &str) -> Result<Option<Vec<u8>>, Trouble> {
        Ok(self
            .get(&self.part_key(name), None)?
            .map(|answer| answer.body))
    }
    fn parts(&self) -> Result<Vec<String>, Trouble> {
        let folder = self.part_key("");
        let keys = self.list(&folder)?.into_iter();
        Ok(keys
            .filter_map(|key| Some(key.strip_prefix(&folder)?.to_owned()))
            .collect())
    }
    fn drop_part(&self, name: &str) -> Result<(), Trouble> {
        self.drop_object(&self.part_key(name))
    }

    fn now(&self) -> SystemTime {
        self.client.now()
    }
}

impl Object {
    fn no_conditions(&self, cause: &str) -> Trouble {
        Trouble::from(StateError::Refused {
            path: self.client.place.clone(),
            cause: format!("its server can't be trusted with state: {cause}"),
            next: NO_CONDITIONS.into(),
        })
    }
}
