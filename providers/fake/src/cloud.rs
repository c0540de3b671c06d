//! The world of the fake provider: a log of all that was ever done, in one file.
//!
//! Each line is one entry as JSON. Objects are what the entries add up to. An entry is appended
//! under an exclusive lock of the file, after reading what others appended; a line that a crash
//! cut short was never promised to anybody and is cut off by the next writer.

use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};
use weir_core::{
    Known, Value,
    json::{self, Encoded},
};

/// One thing that was done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Entry {
    /// An object was made.
    Created {
        /// Its id.
        id: String,
        /// Its type.
        type_name: String,
        /// The operation that made it.
        operation: String,
        /// Its attributes.
        value: Encoded,
        /// Whether it is whole.
        whole: bool,
    },
    /// An object was changed.
    Updated {
        /// Its id.
        id: String,
        /// The operation that changed it; `None` for a change behind weir's back.
        operation: Option<String>,
        /// Its attributes.
        value: Encoded,
        /// Who changed it behind weir's back, where that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Hand>,
    },
    /// An object is gone.
    Deleted {
        /// Its id.
        id: String,
        /// The operation that deleted it; `None` when it vanished.
        operation: Option<String>,
        /// Who took it away behind weir's back, where that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Hand>,
    },
    /// An operation was refused by a seeded fault.
    Refused {
        /// What was tried: the verb and the object's name.
        what: String,
    },
    /// An ephemeral resource was opened, renewed or closed.
    Ephemeral {
        /// What was done: `open`, `renew` or `close`.
        what: String,
        /// Its name.
        name: String,
    },
    /// Several operations came in one call.
    Batch {
        /// How many.
        size: usize,
    },
}

/// Who changes something behind weir's back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hand {
    /// Who.
    pub who: String,
    /// When, in seconds since 1970.
    pub at: u64,
    /// By what way.
    pub how: String,
}

/// Who wrote an object last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Writer {
    /// An operation of weir's, of this state or another one.
    Operation(String),
    /// Somebody behind weir's back.
    Outside(Option<Hand>),
}

impl Writer {
    fn of(operation: Option<&String>, by: Option<&Hand>) -> Writer {
        match operation {
            Some(operation) => Writer::Operation(operation.clone()),
            None => Writer::Outside(by.cloned()),
        }
    }
}

/// An object as it is now.
#[derive(Debug, Clone, PartialEq)]
pub struct CloudObject {
    /// Its id.
    pub id: String,
    /// Its type.
    pub type_name: String,
    /// Its attributes.
    pub value: Known,
    /// Whether its creation came to its end.
    pub whole: bool,
}

/// Why the cloud can't be used.
#[derive(Debug, thiserror::Error)]
pub enum CloudError {
    /// The file can't be read or written.
    #[error("the fake cloud at {path:?} can't be used: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The file holds something else.
    #[error("the fake cloud at {path:?} is damaged at entry {entry}: {cause}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The entry's number, from 1.
        entry: usize,
        /// The cause.
        cause: String,
    },
    /// The object is not there.
    #[error("the fake cloud has no object {0:?}")]
    NoSuchObject(String),
}

/// The cloud. Open it as often as you like, from as many processes as you like.
#[derive(Debug)]
pub struct Cloud {
    path: PathBuf,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    file: File,
    /// Up to here the file was read.
    offset: u64,
    log: Vec<Entry>,
    objects: BTreeMap<String, CloudObject>,
    /// What each creating operation made, also when it is gone by now.
    made: BTreeMap<String, String>,
    /// Operations that changed or deleted something.
    done: BTreeSet<String>,
    /// Who wrote each object last, also when it is gone by now.
    writers: BTreeMap<String, Writer>,
    creations: usize,
    refusals: BTreeMap<String, usize>,
}

/// The cloud, locked against all others, with all that was done read.
pub(crate) struct Locked<'c> {
    cloud: &'c Cloud,
    inner: MutexGuard<'c, Inner>,
}

impl Cloud {
    /// Opens the cloud, or makes an empty one.
    ///
    /// # Errors
    /// When the file can't be made or opened.
    pub fn open(path: &Path) -> Result<Cloud, CloudError> {
        let file = OpenOptions::new()
            .create(true)
            .read(true)
            .append(true)
            .open(path);
        let file = file.map_err(|source| CloudError::Io {
            path: path.into(),
            source,
        })?;
        let inner = Inner {
            file,
            offset: 0,
            log: Vec::new(),
            objects: BTreeMap::new(),
            made: BTreeMap::new(),
            done: BTreeSet::new(),
            writers: BTreeMap::new(),
            creations: 0,
            refusals: BTreeMap::new(),
        };
        Ok(Cloud {
            path: path.into(),
            inner: Mutex::new(inner),
        })
    }

    /// All that was ever done, in order.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn log(&self) -> Result<Vec<Entry>, CloudError> {
        Ok(self.lock()?.inner.log.clone())
    }

    /// The objects there are, by id.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn objects(&self) -> Result<BTreeMap<String, CloudObject>, CloudError> {
        Ok(self.lock()?.inner.objects.clone())
    }

    /// How many objects were ever made.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn creations(&self) -> Result<usize, CloudError> {
        Ok(self.lock()?.inner.creations)
    }

    /// Takes an object away behind weir's back; nobody knows who did it.
    ///
    /// # Errors
    /// When there is no such object or the file can't be written.
    pub fn vanish(&self, id: &str) -> Result<(), CloudError> {
        self.take_away(id, None)
    }

    /// Takes an object away behind weir's back, and the cloud knows who did it.
    ///
    /// # Errors
    /// As [`Cloud::vanish`].
    pub fn vanish_by(&self, hand: Hand, id: &str) -> Result<(), CloudError> {
        self.take_away(id, Some(hand))
    }

    fn take_away(&self, id: &str, by: Option<Hand>) -> Result<(), CloudError> {
        let mut locked = self.lock()?;
        locked
            .object(id)
            .ok_or_else(|| CloudError::NoSuchObject(id.into()))?;
        locked.append(Entry::Deleted {
            id: id.into(),
            operation: None,
            by,
        })
    }

    /// Sets an attribute of an object behind weir's back; nobody knows who did it.
    ///
    /// # Errors
    /// When there is no such object or the file can't be written.
    pub fn tamper(&self, id: &str, attribute: &str, value: Value) -> Result<(), CloudError> {
        self.set(id, (attribute, value), None)
    }

    /// Sets an attribute of an object behind weir's back, and the cloud knows who did it.
    ///
    /// # Errors
    /// As [`Cloud::tamper`].
    pub fn tamper_by(
        &self,
        hand: Hand,
        id: &str,
        attribute: &str,
        value: Value,
    ) -> Result<(), CloudError> {
        self.set(id, (attribute, value), Some(hand))
    }

    fn set(
        &self,
        id: &str,
        (attribute, value): (&str, Value),
        by: Option<Hand>,
    ) -> Result<(), CloudError> {
        let mut locked = self.lock()?;
        let object = locked
            .object(id)
            .ok_or_else(|| CloudError::NoSuchObject(id.into()))?;
        let value = object.value.value().clone().with(attribute, value);
        let value = json::encode(&value);
        locked.append(Entry::Updated {
            id: id.into(),
            operation: None,
            value,
            by,
        })
    }

    /// Locks the cloud and reads what others did.
    pub(crate) fn lock(&self) -> Result<Locked<'_>, CloudError> {
        // What a thread that panicked had appended is in the file; the rest is derived from it.
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.file.lock().map_err(|e| self.io(e))?;
        let mut locked = Locked { cloud: self, inner };
        locked.catch_up()?;
        Ok(locked)
    }

    fn io(&self, source: io::Error) -> CloudError {
        CloudError::Io {
            path: self.path.clone(),
            source,
        }
    }
}

impl Locked<'_> {
    fn catch_up(&mut self) -> Result<(), CloudError> {
        let text = self.read_on().map_err(|e| self.cloud.io(e))?;
        for line in text.split_inclusive('\n') {
            if !line.ends_with('\n') {
                // A crash cut it short.
                self.inner
                    .file
                    .set_len(self.inner.offset)
                    .map_err(|e| self.cloud.io(e))?;
                break;
            }
            self.inner.offset += line.len() as u64;
            let entry = serde_json::from_str(line).map_err(|e| self.damaged(e.to_string()))?;
            self.fold(entry)?;
        }
        Ok(())
    }

    fn read_on(&mut self) -> io::Result<String> {
        let offset = self.inner.offset;
        self.inner.file.seek(SeekFrom::Start(offset))?;
        let mut bytes = Vec::new();
        self.inner.file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn damaged(&self, cause: String) -> CloudError {
        CloudError::Damaged {
            path: self.cloud.path.clone(),
            entry: self.inner.log.len() + 1,
            cause,
        }
    }

    fn fold(&mut self, entry: Entry) -> Result<(), CloudError> {
        let known = |encoded: &Encoded| -> Result<Known, String> {
            let value = json::decode(encoded).map_err(|e| e.to_string())?;
            Known::new(value).map_err(|e| e.to_string())
        };
        match &entry {
            Entry::Created {
                id,
                type_name,
                operation,
                value,
                whole,
            } => {
                let value = known(value).map_err(|cause| self.damaged(cause))?;
                self.inner.made.insert(operation.clone(), id.clone());
                let writer = Writer::Operation(operation.clone());
                self.inner.writers.insert(id.clone(), writer);
                self.inner.creations += 1;
                let type_name = type_name.clone();
                let object = CloudObject {
                    id: id.clone(),
                    type_name,
                    value,
                    whole: *whole,
                };
                self.inner.objects.insert(id.clone(), object);
            }
            Entry::Updated {
                id,
                value,
                operation,
                by,
            } => {
                let value = known(value).map_err(|cause| self.damaged(cause))?;
                self.inner.done.extend(operation.clone());
                let writer = Writer::of(operation.as_ref(), by.as_ref());
                self.inner.writers.insert(id.clone(), writer);
                if let Some(object) = self.inner.objects.get_mut(id) {
                    object.value = value;
                }
            }
            Entry::Deleted { id, operation, by } => {
                self.inner.done.extend(operation.clone());
                let writer = Writer::of(operation.as_ref(), by.as_ref());
                self.inner.writers.insert(id.clone(), writer);
                self.inner.objects.remove(id);
            }
            Entry::Refused { what } => {
                *self.inner.refusals.entry(what.clone()).or_default() += 1;
            }
            Entry::Batch { .. } | Entry::Ephemeral { .. } => {}
        }
        self.inner.log.push(entry);
        Ok(())
    }

    /// Appends one entry; it is in the file when this returns.
    pub(crate) fn append(&mut self, entry: Entry) -> Result<(), CloudError> {
        let mut line = serde_json::to_string(&entry).map_err(|e| self.damaged(e.to_string()))?;
        line.push('\n');
        self.inner
            .file
            .write_all(line.as_bytes())
            .map_err(|e| self.cloud.io(e))?;
        self.inner.offset += line.len() as u64;
        self.fold(entry)
    }

    pub(crate) fn object(&self, id: &str) -> Option<&CloudObject> {
        self.inner.objects.get(id)
    }

    pub(crate) fn objects(&self) -> impl Iterator<Item = &CloudObject> {
        self.inner.objects.values()
    }

    /// The id of the next object: a number that is never given twice.
    pub(crate) fn next_id(&self) -> String {
        format!("thing-{:04}", self.inner.creations + 1)
    }

    /// The id of the object that this operation made, also when it is gone by now.
    pub(crate) fn made_by(&self, operation: &str) -> Option<&str> {
        self.inner.made.get(operation).map(String::as_str)
    }

    /// Whether this operation changed or deleted something.
    pub(crate) fn was_done(&self, operation: &str) -> bool {
        self.inner.done.contains(operation)
    }

    /// Who wrote this object last, also when it is gone by now.
    pub(crate) fn writer(&self, id: &str) -> Option<&Writer> {
        self.inner.writers.get(id)
    }

    /// How often this was refused.
    pub(crate) fn refusals(&self, what: &str) -> usize {
        self.inner.refusals.get(what).copied().unwrap_or(0)
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        // Closing the file unlocks it as well: a failure here can't leave it locked for good.
        let _ = self.inner.file.unlock();
    }
}
