//! The far side: one object, and the server's lock in place of conditions.

use super::{
    client::{Answer, Client, place, with_lock},
    envelope::{Envelope, Inside, lock_id, until},
    settings::HttpSettings,
};
use crate::{
    Holder, LeaseRecord, StateError,
    remote::{Blob, Loaded, Put, Tag, Trouble},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::{
    cell::{Cell, RefCell},
    path::Path,
    time::{Duration, SystemTime},
};

/// How often a lock is broken and taken anew before somebody else is let go first.
const ATTEMPTS: usize = 3;
/// By how much clocks may differ.
const SLACK: Duration = Duration::from_secs(1);

/// The object at one address.
pub(super) struct HttpBlob {
    client: Client,
    settings: HttpSettings,
    place: Box<Path>,
    /// For how long a lock without a lease is held at most.
    window: Duration,
    /// The lock that is held, or that was asked for without an answer.
    lock: RefCell<Option<Held>>,
    /// The serial of the object that was seen last.
    serial: Cell<u64>,
}

/// A document, and the lock that the object names.
type Seen = (Vec<u8>, Option<String>);

/// A lock of the server's.
#[derive(Debug, Clone)]
struct Held {
    id: String,
    /// The lease it is kept for; `None` for as long as one write takes.
    epoch: Option<u64>,
}

/// What Terraform says of a lock, and what a server keeps of it.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct LockInfo {
    #[serde(rename = "ID")]
    id: String,
    operation: String,
    info: String,
    who: String,
    version: String,
    created: String,
    path: String,
}

impl HttpBlob {
    pub(super) fn new(settings: HttpSettings, expiry: Duration) -> Result<HttpBlob, StateError> {
        let patience = expiry.min(Duration::from_secs(10));
        Ok(HttpBlob {
            client: Client::new(settings.clone(), patience)?,
            place: place(&settings),
            settings,
            window: expiry / 2,
            lock: RefCell::default(),
            serial: Cell::new(0),
        })
    }

    /// Removes the object.
    pub(super) fn remove(&self) -> Result<(), Trouble> {
        let answer = self.client.ask("DELETE", &self.settings.address, None)?;
        match answer.status.is_success() || answer.status.as_u16() == 404 {
            true => Ok(()),
            false => Err(self.client.refused(answer.told())),
        }
    }

    /// The object as it is; `None` where there is none.
    fn get(&self) -> Result<Option<Vec<u8>>, Trouble> {
        let Answer { status, body } = self.client.ask("GET", &self.settings.address, None)?;
        match status.as_u16() {
            204 | 404 => Ok(None),
            200..=299 => Ok(Some(body).filter(|body| !body.is_empty())),
            _ => Err(self.client.refused(Answer { status, body }.told())),
        }
    }

    /// The object's document and the lock it names; another program's object as it is.
    fn document(&self) -> Result<Option<Seen>, Trouble> {
        let Some(bytes) = self.get()? else {
            self.serial.set(0);
            return Ok(None);
        };
        Ok(Some(match Envelope::parse(&bytes) {
            Some(envelope) => {
                self.serial.set(envelope.serial);
                let Inside { lock, document } = envelope.weir;
                (document.into_bytes(), lock)
            }
            None => (bytes, None),
        }))
    }

    /// Takes a lock for a write that stands on `expect`, once nobody has one who may still write.
    fn take(&self, put: &Put<'_>) -> Result<(), Trouble> {
        let held = self.lock.borrow().clone();
        let held =
            held.filter(|held| until(&held.id).is_some_and(|until| until > self.client.now()));
        let held = held.unwrap_or_else(|| Held {
            id: lock_id(self.client.now() + self.window),
            epoch: None,
        });
        // An answer that is lost may have been a yes.
        self.lock.replace(Some(held.clone()));
        for _ in 0..ATTEMPTS {
            let answer = self.ask_lock(&self.settings.lock, &held.id, put)?;
            if answer.status.is_success() {
                return Ok(());
            }
            if !answer.is_locked() {
                self.lock.replace(None);
                return Err(self.client.refused(format!(
                    "it can't be locked with {} at {}: {}",
                    self.settings.lock.0,
                    self.settings.lock.1.split('?').next().unwrap_or_default(),
                    answer.told()
                )));
            }
            let other: LockInfo = serde_json::from_slice(&answer.body).unwrap_or_default();
            if other.id == held.id {
                return Ok(());
            }
            if !self.is_over(&other.id, put)? {
                self.lock.replace(None);
                return Err(match until(&other.id) {
                    Some(_) => Trouble::Lost("another program is writing to it".into()),
                    None => Trouble::from(StateError::Locked {
                        by: Box::new(foreign(&other)),
                        over: None,
                    }),
                });
            }
            tracing::info!(
                lock = other.id,
                "breaking the lock of a program that is gone"
            );
            self.ask_lock(&self.settings.unlock, &other.id, put)?;
        }
        self.lock.replace(None);
        Err(Trouble::Lost(
            "others take its lock at the same time".into(),
        ))
    }

    /// Whether the holder of this lock will not write any more: its lease is over, as who asks has
    /// found in the object as it is still, or it was killed before it wrote that it has one.
    fn is_over(&self, id: &str, put: &Put<'_>) -> Result<bool, Trouble> {
        let now = self.document()?;
        let named = now.as_ref().and_then(|(_, lock)| lock.as_deref());
        if named == Some(id) {
            let tag = now.as_ref().map(|(document, _)| tag(document));
            return match tag.as_ref() == put.expect {
                true => Ok(true),
                // Somebody has taken a lease meanwhile.
                false => {
                    self.lock.replace(None);
                    Err(Trouble::Raced)
                }
            };
        }
        Ok(until(id).is_some_and(|until| until + SLACK < self.client.now()))
    }

    fn ask_lock(
        &self,
        (method, address): &(String, String),
        id: &str,
        put: &Put<'_>,
    ) -> Result<Answer, Trouble> {
        let holder = put.after.lease.as_ref().map(|lease| &lease.holder);
        let here = Holder::this_process("weir", "write");
        let holder = holder.unwrap_or(&here);
        let created = chrono::DateTime::<chrono::Utc>::from(self.client.now());
        let info = LockInfo {
            id: id.to_owned(),
            operation: format!("weir {}", holder.purpose),
            // Servers want something in every field.
            info: "weir".into(),
            who: format!("{}@{}", holder.who, holder.host),
            version: env!("CARGO_PKG_VERSION").into(),
            created: created.to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
            path: "weir".into(),
        };
        let body = serde_json::to_vec(&info).map_err(|e| Trouble::Lost(e.to_string()))?;
        self.client.ask(method, address, Some(&body))
    }

    /// Gives the lock back. One that can't be is broken by the next who wants it.
    fn give_back(&self, put: &Put<'_>) {
        let Some(held) = self.lock.take() else {
            return;
        };
        match self.ask_lock(&self.settings.unlock, &held.id, put) {
            Ok(answer) if answer.status.is_success() => {}
            Ok(answer) => tracing::debug!(told = answer.told(), "the lock was not given back"),
            Err(trouble) => tracing::debug!(?trouble, "the lock was not given back"),
        }
    }

    /// Whether the object is the one that the write stands on; `Some` where it is already what is to
    /// be written.
    fn compare(&self, put: &Put<'_>) -> Result<Option<Tag>, Trouble> {
        let now = self.document()?;
        let tag = now.as_ref().map(|(document, _)| tag(document));
        if tag.as_ref() == put.expect {
            return Ok(None);
        }
        match tag {
            Some(found) if found == self::tag(put.body) => Ok(Some(found)),
            _ => Err(Trouble::Raced),
        }
    }

    /// Writes under the lock that is held.
    fn post(&self, put: &Put<'_>, epoch: Option<u64>) -> Result<Tag, Trouble> {
        let held = self.lock.borrow().clone();
        let id = held.map(|held| held.id).unwrap_or_default();
        let serial = self.serial.get() + 1;
        let document = String::from_utf8_lossy(put.body).into_owned();
        let inside = Inside {
            lock: epoch.map(|_| id.clone()),
            document,
        };
        let envelope = Envelope::new(serial, put.after.head.lineage.0.clone(), inside);
        let url = with_lock(&self.settings.address, &id);
        let body = envelope.bytes()?;
        let answer = match self
            .client
            .ask(&self.settings.update_method, &url, Some(&body))
        {
            Ok(answer) => answer,
            // It may have been done, or refused by a server that has no better word for that.
            Err(Trouble::Lost(cause)) => {
                return match self.compare(put) {
                    Ok(Some(tag)) => {
                        self.serial.set(serial);
                        Ok(tag)
                    }
                    Ok(None) | Err(Trouble::Lost(_)) => Err(Trouble::Lost(cause)),
                    Err(trouble) => Err(trouble),
                };
            }
            Err(trouble) => return Err(trouble),
        };
        match answer.status.as_u16() {
            200..=299 => {
                self.serial.set(serial);
                Ok(tag(put.body))
            }
            // Another has the lock, or has written what would be this version.
            409 | 412 | 422 | 423 => match self.compare(put)? {
                Some(tag) => {
                    self.serial.set(serial);
                    Ok(tag)
                }
                None if answer.is_locked() => Err(Trouble::Raced),
                None => Err(self.client.refused(answer.told())),
            },
            _ => Err(self.client.refused(answer.told())),
        }
    }
}

impl Blob for HttpBlob {
    fn place(&self) -> &Path {
        &self.place
    }

    fn load(&self, known: Option<&Tag>) -> Result<Loaded, Trouble> {
        Ok(match self.document()? {
            None => Loaded::Absent,
            Some((document, _)) => {
                let tag = tag(&document);
                match known == Some(&tag) {
                    true => Loaded::Same,
                    false => Loaded::Found(document, tag),
                }
            }
        })
    }

    fn store(&self, put: &Put<'_>) -> Result<Tag, Trouble> {
        let epoch_of = |lease: Option<&LeaseRecord>| lease.map(|lease| lease.epoch);
        let before = epoch_of(put.before.and_then(|before| before.lease.as_ref()));
        let after = epoch_of(put.after.lease.as_ref());
        let held = self.lock.borrow().as_ref().and_then(|held| held.epoch);
        let goes_on = held.is_some() && held == before;
        if !goes_on {
            self.take(put)?;
            match self.compare(put) {
                Ok(None) => {}
                Ok(Some(tag)) => {
                    self.settled(put, before, after);
                    return Ok(tag);
                }
                // The lock stays for the next attempt.
                Err(trouble @ Trouble::Lost(_)) => return Err(trouble),
                Err(trouble) => {
                    self.give_back(put);
                    return Err(trouble);
                }
            }
        }
        let is_new = after.is_some() && after != before;
        let epoch = after.filter(|_| goes_on || is_new);
        match self.post(put, epoch) {
            Ok(tag) => {
                self.settled(put, before, after);
                Ok(tag)
            }
            Err(trouble @ Trouble::Lost(_)) => Err(trouble),
            Err(trouble) => {
                self.give_back(put);
                Err(trouble)
            }
        }
    }

    fn has_parts(&self) -> bool {
        false
    }
    fn put_part(&self, name: &str, _: &[u8]) -> Result<(), Trouble> {
        Err(self
            .client
            .refused(format!("it has no place for the part {name}")))
    }
    fn part(&self, _: &str) -> Result<Option<Vec<u8>>, Trouble> {
        Ok(None)
    }
    fn parts(&self) -> Result<Vec<String>, Trouble> {
        Ok(Vec::new())
    }
    fn drop_part(&self, _: &str) -> Result<(), Trouble> {
        Ok(())
    }

    fn now(&self) -> SystemTime {
        self.client.now()
    }
}

impl HttpBlob {
    /// What was written is there: the lock is kept for a lease that is held here, and given back
    /// otherwise.
    fn settled(&self, put: &Put<'_>, before: Option<u64>, after: Option<u64>) {
        let held = self.lock.borrow().clone();
        let is_ours =
            after.is_some() && (after != before || held.as_ref().is_some_and(|h| h.epoch == after));
        match held {
            Some(held) if is_ours => {
                self.lock.replace(Some(Held {
                    epoch: after,
                    ..held
                }));
            }
            _ => self.give_back(put),
        }
    }
}

fn tag(document: &[u8]) -> Tag {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    Tag(STANDARD.encode(Sha256::digest(document)))
}

/// Who holds a lock that another program took.
fn foreign(info: &LockInfo) -> LeaseRecord {
    let (who, host) = info.who.split_once('@').unwrap_or((&info.who, "?"));
    let text = |text: &str, otherwise: &str| match text.is_empty() {
        true => otherwise.to_owned(),
        false => text.to_owned(),
    };
    let since = chrono::DateTime::parse_from_rfc3339(&info.created);
    let since = since.map_or_else(|_| SystemTime::now(), SystemTime::from);
    LeaseRecord {
        epoch: 0,
        holder: Holder {
            who: text(who, "another program"),
            host: host.to_owned(),
            pid: 0,
            purpose: text(&info.operation, "its lock"),
        },
        since,
        expires: SystemTime::now() + Duration::from_secs(60),
        scope: Some(crate::Scope::Whole),
        ended: None,
    }
}
