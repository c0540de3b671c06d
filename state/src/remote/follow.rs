//! Bringing the working copy to what is there now.

use super::{
    Blob, Loaded, Trouble,
    document::{Document, Kept, inlined, transactions},
    session::{Base, Remote},
};
use crate::rows::{Cipher, Fault, KeyRow, Rows as _, items};
use std::time::Instant;

/// A part that is gone: the document that names it is old, and a newer one is there.
struct Outdated(String);

impl<B: Blob> Remote<B> {
    /// Brings the copy to what is there now.
    pub(super) fn follow(&self, deadline: Instant) -> Result<(), Trouble> {
        let mut outdated = 0;
        loop {
            let known = self.base.borrow().as_ref().map(|base| base.tag.clone());
            let loaded = self.patiently(deadline, || self.blob.load(known.as_ref()))?;
            let (bytes, tag) = match loaded {
                Loaded::Same => return Ok(()),
                Loaded::Absent => {
                    self.base.replace(None);
                    return Err(Trouble::Removed);
                }
                Loaded::Found(bytes, tag) => (bytes, tag),
            };
            let document = Document::parse(&bytes, self.blob.place())?;
            match self.take_over(&document, deadline) {
                Ok(Ok(())) => {
                    let Document { header, tail } = document;
                    self.base.replace(Some(Base { tag, header, tail }));
                    return self.follow_key().map_err(Trouble::Fault);
                }
                // Its parts were dropped while they were read: there is a newer document.
                Ok(Err(Outdated(_))) if outdated < 3 => outdated += 1,
                Ok(Err(Outdated(name))) => {
                    let cause = format!("the part {name} is not there");
                    return Err(Trouble::Fault(Fault::damage(cause)));
                }
                Err(trouble) => return Err(trouble),
            }
            self.base.replace(None);
        }
    }

    /// Takes over what is new in a document, or all of it.
    fn take_over(
        &self,
        document: &Document,
        deadline: Instant,
    ) -> Result<Result<(), Outdated>, Trouble> {
        let base = self.base.borrow();
        let known = base.as_ref().and_then(|base| base.header.recent.last());
        let first = known.and_then(|id| Self::since(document, id));
        self.copy.run("BEGIN IMMEDIATE")?;
        let result = match first {
            Some((chunks, lines)) => self.redo(document, chunks, lines, deadline),
            None => self.redo_all(document, deadline),
        };
        match &result {
            Ok(Ok(())) => self.copy.run("COMMIT")?,
            Ok(Err(_)) | Err(_) => self.copy.run("ROLLBACK")?,
        }
        result
    }

    /// Brings everything anew, and checks that it is whole.
    fn redo_all(
        &self,
        document: &Document,
        deadline: Instant,
    ) -> Result<Result<(), Outdated>, Trouble> {
        let known = self.base.borrow().is_some();
        let before = known.then(|| self.copy.head()).transpose()?;
        self.copy.clear()?;
        let redone = self.redo(document, 0, &document.tail, deadline)?;
        if redone.is_ok() {
            let head = self.copy.head()?;
            if let Some(before) = before
                && before.lineage == head.lineage
                && before.commits > head.commits
            {
                return Err(Trouble::Fault(Fault::Damage {
                    cause: format!(
                        "it is at serial {}, and had come to serial {}: an older copy was put back",
                        head.serial, before.serial
                    ),
                    last_good: Some(head.serial()),
                }));
            }
            self.unlock()?;
            items::check_digest(&self.copy, &head)?;
        }
        Ok(redone)
    }

    /// The chunks and the lines after this transaction, where it is at the end of a chunk or in the
    /// tail.
    fn since<'d>(document: &'d Document, id: &str) -> Option<(usize, &'d str)> {
        let chunks = &document.header.chunks;
        if let Some(i) = chunks.iter().position(|chunk| chunk.last == id) {
            return Some((i + 1, &document.tail));
        }
        // The id is the first field of a line, and unlike any other text.
        let at = document.tail.find(&format!("{{\"id\":\"{id}\""))?;
        let rest = &document.tail[at..];
        let end = rest.find('\n')? + 1;
        Some((chunks.len(), &rest[end..]))
    }

    /// Does again what is in the chunks from this one on, and in these lines.
    fn redo(
        &self,
        document: &Document,
        chunks: usize,
        lines: &str,
        deadline: Instant,
    ) -> Result<Result<(), Outdated>, Trouble> {
        let mut head = None;
        for chunk in document.header.chunks.iter().skip(chunks) {
            let bytes = match &chunk.kept {
                Kept::Inline(text) => inlined(text)?,
                Kept::Part(name) => match self.patiently(deadline, || self.blob.part(name))? {
                    Some(bytes) => bytes,
                    None => return Ok(Err(Outdated(name.clone()))),
                },
            };
            for transaction in transactions(&chunk.lines(&bytes)?)? {
                head = Some(transaction.redo(&self.copy)?);
            }
        }
        for transaction in transactions(lines)? {
            head = Some(transaction.redo(&self.copy)?);
        }
        if let Some(head) = head {
            self.copy.set_head(&head)?;
        }
        Ok(Ok(()))
    }

    /// Makes the cipher of what is in the copy.
    pub(super) fn unlock(&self) -> Result<(), Fault> {
        let keys = self.copy.data_keys()?;
        self.copy
            .set_cipher(Cipher::unlock(&self.encryption, &keys)?);
        self.key.set(newest(&keys));
        Ok(())
    }

    /// Makes the cipher anew where another program gave the state a new key.
    fn follow_key(&self) -> Result<(), Fault> {
        match newest(&self.copy.data_keys()?) == self.key.get() {
            true => Ok(()),
            false => self.unlock(),
        }
    }
}

/// The number of the newest key; 0 where there is none.
pub(super) fn newest(keys: &[KeyRow]) -> u64 {
    keys.last().map_or(0, |key| key.number)
}
