//! Storing the document of a transaction, once.

use super::{
    Blob, CHUNKS, COUNT, Loaded, Put, RECENT, Standing, TAIL, Tag, Trouble,
    document::{Chunk, Document, Header, Kept, Op, Transaction, inline},
    session::{Base, Remote},
};
use crate::{
    StateError,
    rows::{Fault, Head, Rows as _},
};
use std::time::Instant;

/// What became of a document that was sent.
enum Sent {
    /// It is what is there, under this tag.
    Stored(Tag),
    /// It was stored, and another came after it.
    Followed,
}

/// The document of a transaction.
struct Next {
    header: Header,
    tail: String,
    /// The part that was stored for it.
    made: Option<String>,
    /// Parts that it names no more, nor keeps.
    unnamed: Vec<String>,
    /// Whether it begins with a new base.
    is_new: bool,
}

impl<B: Blob> Remote<B> {
    /// Stores a document, once. Its transaction has this id.
    fn send(&self, put: &Put<'_>, id: &str, deadline: Instant) -> Result<Sent, Trouble> {
        match self.patiently(deadline, || self.blob.store(put)) {
            Ok(tag) => Ok(Sent::Stored(tag)),
            // It may be this very document that is there, sent before without an answer.
            Err(Trouble::Raced) => {
                let loaded = self.patiently(deadline, || self.blob.load(None))?;
                let Loaded::Found(bytes, tag) = loaded else {
                    return Err(Trouble::Raced);
                };
                let recent = Document::parse(&bytes, self.blob.place())?.header.recent;
                match recent.iter().rposition(|known| known == id) {
                    Some(at) if at + 1 == recent.len() => Ok(Sent::Stored(tag)),
                    Some(_) => Ok(Sent::Followed),
                    None => Err(Trouble::Raced),
                }
            }
            Err(trouble) => Err(trouble),
        }
    }

    /// The document after this transaction, with what it names stored.
    fn next(&self, head: &Head, deadline: Instant) -> Result<Next, Trouble> {
        let id = uuid::Uuid::new_v4().simple().to_string();
        let (mut header, mut tail) = match &*self.base.borrow() {
            Some(base) => (base.header.clone(), base.tail.clone()),
            None => (Header::new(), String::new()),
        };
        header.lineage = head.lineage.0.clone();
        header.serial = head.serial;
        let ops = self.noted.borrow().clone();
        let rewrites = !header.recent.is_empty() && ops.iter().any(Op::rewrites);
        tail.push_str(&Transaction::new(id.clone(), head, ops).line()?);
        let (mut made, mut unnamed, mut is_new) = (None, Vec::new(), false);
        if tail.len() > TAIL || rewrites {
            let (base, more) = header.size_of_chunks();
            let (mut chunk, mut bytes) = Chunk::new(id.clone(), &tail)?;
            let is_due = more + chunk.size > CHUNKS.max(base / 2)
                || header.chunks.len() >= COUNT
                || header.chunks.is_empty();
            if is_due || rewrites {
                is_new = true;
                header.old.push(header.parts());
                header.chunks.clear();
                // The latest generation stays for who is reading it, if it may stay at all.
                let gone = header.old.len().saturating_sub(usize::from(!rewrites));
                unnamed = header.old.drain(..gone).flatten().collect();
                let all = Transaction::base(id.clone(), head, &self.copy)?.line()?;
                (chunk, bytes) = Chunk::new(id.clone(), &all)?;
            }
            chunk.kept = self.keep(&chunk, &bytes, head, deadline)?;
            made = chunk.kept.part().map(str::to_owned);
            header.chunks.push(chunk);
            tail.clear();
        }
        header.recent.push(id);
        let more = header.recent.len().saturating_sub(RECENT);
        header.recent.drain(..more);
        Ok(Next {
            header,
            tail,
            made,
            unnamed,
            is_new,
        })
    }

    fn keep(
        &self,
        chunk: &Chunk,
        bytes: &[u8],
        head: &Head,
        deadline: Instant,
    ) -> Result<Kept, Trouble> {
        if !self.blob.has_parts() {
            return Ok(inline(bytes));
        }
        let name = format!("{:010}-{}", head.commits, chunk.last);
        self.patiently(deadline, || self.blob.put_part(&name, bytes))?;
        Ok(Kept::Part(name))
    }

    /// Stores what was noted; the head is that at its end. On an error nothing is known of what is
    /// there any more.
    pub(super) fn store(&self, head: &Head) -> Result<(), Fault> {
        let deadline = self.deadline();
        let next = self.next(head, deadline);
        let Next {
            header,
            tail,
            made,
            unnamed,
            is_new: has_new_base,
        } = next.map_err(|e| e.fault(self.blob.place()))?;
        let text = header.text(&tail)?;
        let id = header.recent.last().cloned().unwrap_or_default();
        let before = self.before.borrow().clone();
        let after = self.standing(head)?;
        let base = self.base.take();
        let put = Put {
            body: text.as_bytes(),
            expect: base.as_ref().map(|base| &base.tag),
            before: before.as_ref(),
            after: &after,
        };
        let is_new = before.as_ref().is_none_or(|b| b.head.epoch < head.epoch);
        let takes = is_new && after.lease.is_some();
        let named: Vec<String> = header.named().collect();
        match self.send(&put, &id, deadline) {
            Ok(Sent::Stored(tag)) => {
                self.base.replace(Some(Base { tag, header, tail }));
            }
            // The next transaction looks at what came after.
            Ok(Sent::Followed) => {}
            Err(Trouble::Raced) => {
                self.drop_parts(made);
                return Err(self.raced(before, takes));
            }
            Err(trouble) => return Err(trouble.fault(self.blob.place())),
        }
        if takes {
            self.taken.set(Some(head.epoch));
        }
        self.drop_parts(unnamed);
        if has_new_base && self.blob.has_parts() {
            self.sweep(&named, head.commits);
        }
        Ok(())
    }

    /// Drops the parts that runs left which died before their documents were stored. A part bears
    /// the number of its transaction, and this one was stored: no document of an earlier number, or
    /// of this one, can be stored any more. What somebody writes just now has a later number.
    fn sweep(&self, named: &[String], stored: u64) {
        let parts = match self.blob.parts() {
            Ok(parts) => parts,
            Err(trouble) => {
                tracing::debug!(?trouble, "what is left of parts is not looked for");
                return;
            }
        };
        let number = |name: &str| name.split('-').next()?.parse::<u64>().ok();
        let left = parts.into_iter().filter(|name| {
            number(name).is_some_and(|number| number <= stored) && !named.contains(name)
        });
        self.drop_parts(left);
    }

    fn drop_parts(&self, names: impl IntoIterator<Item = String>) {
        for name in names {
            if let Err(trouble) = self.blob.drop_part(&name) {
                tracing::debug!(?trouble, name, "an old part stays");
            }
        }
    }

    /// What to tell whose document was not taken: what happened meanwhile.
    fn raced(&self, before: Option<Standing>, takes: bool) -> Fault {
        // What was noted is of no use any more.
        self.abandon();
        let now = match self.follow(self.deadline()) {
            Ok(()) => self.copy.head().and_then(|head| self.standing(&head)),
            Err(trouble) => Err(trouble.fault(self.blob.place())),
        };
        // All of it is looked at again: the cipher goes back to that of before this transaction.
        self.base.replace(None);
        let now = match now {
            Ok(now) => now.lease,
            Err(fault) => return fault,
        };
        let had = before
            .and_then(|before| before.lease)
            .filter(|had| Some(had.epoch) == self.taken.get());
        Fault::State(match (had, now) {
            (Some(had), now) if now.as_ref().is_none_or(|now| now.epoch != had.epoch) => {
                StateError::LeaseLost {
                    by: now.map(|lease| Box::new(lease.holder)),
                }
            }
            (_, Some(now)) if takes => StateError::Locked {
                by: Box::new(now),
                over: None,
            },
            _ => StateError::Raced {
                path: self.blob.place().to_owned(),
            },
        })
    }
}
