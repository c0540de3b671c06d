//! Stores that keep whole objects far away: a bucket, a web address.
//!
//! Everything that a store must be (journal, lease, fence, history, past, encryption) is in
//! [`rows`](crate::rows); here is only how a transaction is made durable where nothing but whole
//! objects can be written. The far side is the truth; the working copy of the rows, an SQLite
//! database in memory, is never trusted without the tag of the object that it stands for. A [`Blob`]
//! says how one object is loaded, and stored *if it is still the one that is expected*
//! (compare and swap). It never decides who may write: the rows do.
//!
//! The object is a document ([`document`]): transactions since the last chunk, written out, and
//! before them chunks: the base (every row) and what came after it. Chunks are parts of their own
//! where the far side has parts, so that what a commit sends does not grow with the state.
//!
//! One write:
//!
//! 1. `begin` asks whether the object is still the one that the copy stands for and takes over what
//!    is new. It does not ask while a lease taken here has not expired: nobody else writes then, and
//!    step 4 would notice;
//! 2. every row that is written is written to the copy and noted as an [`Op`](document::Op); parts
//!    of the transaction that are refused are cut off both;
//! 3. when the written-out transactions have grown past [`TAIL`], they become a chunk, and when the
//!    chunks have, a new base; they are stored before anything names them;
//! 4. `commit` stores the document with compare and swap: this is the moment at which the
//!    transaction is durable. There is no local write-ahead log, for there is nothing to put in it: a
//!    provider is called only when its entry is durable *there*, so a machine that burns down has
//!    lost nothing;
//! 5. an answer that never came is asked for: each transaction has an id, and the document names the
//!    latest ones. The same document is sent again, under the same condition, so it is taken once;
//! 6. who loses the compare and swap has written nothing, and is told what has happened since: its
//!    lease was lost, another has the lease, or it raced ([`StateError::Raced`](crate::StateError)).
//!
//! Chunks that nothing names any more stay for one generation, for readers that are under way. What
//! was under a key of before, and a past that was pruned, goes at once: such a transaction makes a
//! new base, and drops all parts of before. With each new base the parts are swept that runs left
//! which died before any document named them.

mod blob;
mod document;
mod follow;
mod open;
mod rows;
mod session;
mod store;
#[cfg(test)]
mod tests;

pub(crate) use blob::{Blob, Loaded, Put, Standing, Tag, Trouble};
pub(crate) use document::is_terraforms;
pub(crate) use open::{Absent, open};

/// Written-out transactions become a chunk when they have grown past so many bytes.
const TAIL: usize = 128 * 1024;
/// Chunks become a new base when those after it have grown past so many bytes and half the base...
const CHUNKS: u64 = 1024 * 1024;
/// ...or are so many.
const COUNT: usize = 48;
/// The document names so many transactions by their ids.
const RECENT: usize = 32;
