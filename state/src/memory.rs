//! A state in memory alone, which goes with the program: for what must leave nothing behind.
//!
//! It is a state that is kept far away ([`crate::remote`]), and the far side is a variable: all
//! that a store must do it does, but for outliving its program. Nothing of it is ever on a disk.

use crate::{
    Options, StateError,
    remote::{self, Absent, Blob, Loaded, Put, Tag, Trouble},
    rows::{Handle, Rowed},
};
use std::{
    cell::RefCell,
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// A store in memory. Each is one of its own: nobody else can open it.
pub struct MemoryStore {
    handle: Handle,
}

impl MemoryStore {
    /// An empty state.
    ///
    /// # Errors
    /// No thread can be started for it.
    pub fn new() -> Result<MemoryStore, StateError> {
        let place = PathBuf::from("memory");
        let options = Options::default();
        let far = Far {
            place: place.clone(),
            object: RefCell::default(),
            parts: RefCell::default(),
        };
        let handle = Handle::start(&place, options.expiry, move || {
            remote::open(far, options, Absent::Make)
        })?;
        let handle = handle.ok_or(StateError::Closed)?;
        Ok(MemoryStore { handle })
    }
}

impl Rowed for MemoryStore {
    fn handle(&self) -> &Handle {
        &self.handle
    }
}

/// The far side. Only the thread of the store knows it.
struct Far {
    place: PathBuf,
    /// The document, and how often it was stored.
    object: RefCell<Option<(Vec<u8>, u64)>>,
    parts: RefCell<BTreeMap<String, Vec<u8>>>,
}

impl Far {
    fn tag(&self) -> Option<Tag> {
        let object = self.object.borrow();
        object.as_ref().map(|(_, count)| Tag(count.to_string()))
    }
}

impl Blob for Far {
    fn place(&self) -> &Path {
        &self.place
    }

    fn load(&self, known: Option<&Tag>) -> Result<Loaded, Trouble> {
        let tag = self.tag();
        Ok(match (&*self.object.borrow(), tag) {
            (Some(_), Some(tag)) if known == Some(&tag) => Loaded::Same,
            (Some((body, _)), Some(tag)) => Loaded::Found(body.clone(), tag),
            _ => Loaded::Absent,
        })
    }

    fn store(&self, put: &Put<'_>) -> Result<Tag, Trouble> {
        if self.tag().as_ref() != put.expect {
            return Err(Trouble::Raced);
        }
        let mut object = self.object.borrow_mut();
        let count = object.as_ref().map_or(0, |(_, count)| *count) + 1;
        *object = Some((put.body.to_vec(), count));
        Ok(Tag(count.to_string()))
    }

    fn has_parts(&self) -> bool {
        true
    }
    fn put_part(&self, name: &str, body: &[u8]) -> Result<(), Trouble> {
        let mut parts = self.parts.borrow_mut();
        parts.insert(name.to_owned(), body.to_vec());
        Ok(())
    }
    fn part(&self, name: &str) -> Result<Option<Vec<u8>>, Trouble> {
        Ok(self.parts.borrow().get(name).cloned())
    }
    fn parts(&self) -> Result<Vec<String>, Trouble> {
        Ok(self.parts.borrow().keys().cloned().collect())
    }
    fn drop_part(&self, name: &str) -> Result<(), Trouble> {
        self.parts.borrow_mut().remove(name);
        Ok(())
    }

    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}
