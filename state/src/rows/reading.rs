//! The state as a snapshot.
//!
//! 1. the thread that has the rows takes them out of the database, portion by portion;
//!    texts of configurations without their bodies, which a snapshot does not have;
//! 2. each portion is checked against its sums, decrypted and parsed by whoever is free: a helper
//!    on another core, or the thread itself; its room then goes back for another;
//! 3. all portions together must be what the head says, and what they say must be a snapshot:
//!    a helper sees to that, while the thread that has the rows checks what else is to be checked.

use super::{
    Rows,
    batch::{Batch, RowRef},
    cipher::{Cipher, Part},
    fault::Fault,
    head::{Head, Sum, toggle},
    items::{Kind, PastRow, check_digest, damaged_row},
    journal,
};
use crate::{StateError, Target, Verdict, fold, format};
use std::{
    collections::BTreeMap,
    num::NonZero,
    sync::{
        Mutex, PoisonError,
        mpsc::{self, Receiver, SendError, SyncSender, TrySendError},
    },
    thread,
};
use weir_core::{
    Address, Known,
    plan::Op,
    references::References,
    snapshot::{Removal, Resource, Serial, Snapshot, Status},
};

/// From so many portions on, another thread makes the state of them.
const ASIDE: usize = 4;

/// So many rows are handed to another thread at once. Fewer are not worth one.
const PORTION: usize = 256;

/// The state at the latest serial, if all rows together are what the head says.
pub(crate) fn snapshot(rows: &dyn Rows) -> Result<Snapshot, Fault> {
    let head = rows.head()?;
    let mut snapshot = match rows.take_examined(&head) {
        Some(snapshot) => snapshot,
        None => examine(rows, &head, &mut || {})??,
    };
    put_aside(rows, &mut snapshot)?;
    Ok(snapshot)
}

/// Reads all rows: the state without what replacements put aside, or why rows that are whole are
/// none. What `meanwhile` does, with the same rows, is done while another core makes one state of
/// what was read; where it does not come to that, it is not done.
///
/// # Errors
/// Rows are damaged, missing, doubled or old.
pub(crate) fn examine(
    rows: &dyn Rows,
    head: &Head,
    meanwhile: &mut dyn FnMut(),
) -> Result<Result<Snapshot, Fault>, Fault> {
    let mut digest = journal::check(rows)?;
    let read = read_all(rows);
    for portion in read.iter().flatten() {
        toggle(&mut digest, &portion.digest);
    }
    if read.is_err() || digest != head.digest {
        // Says which rows they are, and how far back the state is good.
        check_digest(rows, head)?;
    }
    let portions = match read {
        Ok(portions) => portions,
        Err(e) => return Ok(Err(e)),
    };
    let make = |portions| finish(portions, head, head.serial());
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    if cores == 1 || portions.len() < ASIDE {
        return Ok(make(portions));
    }
    Ok(thread::scope(|scope| {
        let (send, receive) = mpsc::sync_channel(1);
        let help = thread::Builder::new().name("weir-state-read".into());
        let Ok(helper) = help.spawn_scoped(scope, move || receive.recv().map(make)) else {
            // There is no thread to be had.
            return make(portions);
        };
        if let Err(SendError(portions)) = send.send(portions) {
            return make(portions);
        }
        meanwhile();
        match helper.join() {
            Ok(made) => made.unwrap_or(Err(Fault::State(StateError::Closed))),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }))
}

/// The state at a serial.
pub(crate) fn at(rows: &dyn Rows, head: &Head, serial: Serial) -> Result<Snapshot, Fault> {
    if serial == head.serial() {
        return snapshot(rows);
    }
    if serial.0 > head.serial {
        return Err(Fault::State(StateError::NoSuchSerial {
            asked: serial,
            latest: head.serial(),
        }));
    }
    let since = super::whole::since(rows)?;
    if serial.0 < since {
        return Err(Fault::State(StateError::Pruned {
            asked: serial,
            since: Serial(since),
        }));
    }
    let cipher = rows.cipher();
    let mut reader = Reader::new(&cipher);
    let mut portion = Portion::default();
    for row in rows.items_until(serial.0)? {
        portion.add(row.lent(), &mut reader)?;
    }
    for PastRow { mut item, until } in rows.past_at(serial.0)? {
        if item.seal_past(until) != item.sum {
            return Err(damaged_row(item.lent()));
        }
        item.sum = item.seal();
        portion.add(item.lent(), &mut reader)?;
    }
    finish(vec![portion], head, serial)
}

/// What some rows say.
#[derive(Default)]
struct Portion {
    /// Of the rows.
    digest: Sum,
    /// In the order of the rows.
    resources: Vec<(Address, Resource)>,
    /// When what depends on something was recorded.
    recorded: Vec<(Address, Serial)>,
    outputs: Vec<(String, Known)>,
    references: Option<References>,
}

/// What reads rows, one after the other, and keeps from one to the next what they can share.
struct Reader<'a> {
    cipher: &'a Cipher,
    resources: format::ResourceReader,
    /// Where bodies are opened.
    room: Vec<u8>,
}

impl<'a> Reader<'a> {
    fn new(cipher: &'a Cipher) -> Reader<'a> {
        Reader {
            cipher,
            resources: format::ResourceReader::default(),
            room: Vec::new(),
        }
    }
}

impl Portion {
    fn of(rows: &Batch, reader: &mut Reader<'_>) -> Result<Portion, Fault> {
        let mut portion = Portion {
            resources: Vec::with_capacity(rows.len()),
            ..Portion::default()
        };
        rows.rows().try_for_each(|row| portion.add(row, reader))?;
        Ok(portion)
    }

    fn add(&mut self, row: RowRef<'_>, reader: &mut Reader<'_>) -> Result<(), Fault> {
        toggle(&mut self.digest, row.sum);
        // It came without its body, which is checked when somebody asks for it.
        if row.kind == Kind::Config.text() {
            return Ok(());
        }
        if !row.is_whole() {
            return Err(damaged_row(row));
        }
        if row.kind == Kind::Mark.text() {
            return Ok(());
        }
        let part = Part::Item(row.kind, row.key);
        let body = reader.cipher.open_in(part, row.body, &mut reader.room)?;
        if row.kind == Kind::Output.text() {
            let value = format::output_from_text(body)?;
            self.outputs.push((row.key.to_owned(), value));
            return Ok(());
        }
        if row.kind == Kind::References.text() {
            self.references = Some(format::references_from_text(body)?);
            return Ok(());
        }
        let address: Address = row
            .key
            .parse()
            .map_err(|e| Fault::damage(format!("a row can't be read: {e}")))?;
        let resource = reader.resources.read(body)?;
        // What depends on nothing is on no loop: nobody asks when that was recorded.
        if !resource.dependencies.is_empty() {
            self.recorded.push((address.clone(), Serial(row.serial)));
        }
        self.resources.push((address, resource));
        Ok(())
    }
}

/// Portions on their way to a thread, with their numbers, and their room on its way back.
struct Queue {
    filled: Mutex<Receiver<(usize, Batch)>>,
    emptied: Mutex<Vec<Batch>>,
}

/// Portions that are done, with their numbers.
type Done = Vec<(usize, Result<Portion, Fault>)>;

impl Queue {
    fn next(&self) -> Option<(usize, Batch)> {
        let filled = self.filled.lock().unwrap_or_else(PoisonError::into_inner);
        filled.recv().ok()
    }

    /// Room for a portion.
    fn room(&self) -> Batch {
        let mut emptied = self.emptied.lock().unwrap_or_else(PoisonError::into_inner);
        emptied.pop().unwrap_or_default()
    }

    fn give_back(&self, mut room: Batch) {
        room.clear();
        let mut emptied = self.emptied.lock().unwrap_or_else(PoisonError::into_inner);
        emptied.push(room);
    }

    /// Reads portions until no more will come.
    fn work_off(&self, reader: &mut Reader<'_>) -> Done {
        let mut done = Vec::new();
        while let Some((number, portion)) = self.next() {
            done.push((number, Portion::of(&portion, reader)));
            self.give_back(portion);
        }
        done
    }
}

/// Every row, read on all cores but one: as a rule configuration is read at the same time, and the
/// longer of the two is what a plan waits for. The portions are in the order of the rows.
fn read_all(rows: &dyn Rows) -> Result<Vec<Portion>, Fault> {
    let cipher = &rows.cipher();
    let others = thread::available_parallelism().map_or(0, |n| n.get().saturating_sub(2));
    let (send, receive) = mpsc::sync_channel(others);
    let queue = &Queue {
        filled: Mutex::new(receive),
        emptied: Mutex::default(),
    };
    let mut done = thread::scope(|scope| {
        let mut helpers = Vec::new();
        let mut sharing = Sharing {
            send,
            queue,
            reader: Reader::new(cipher),
            number: 0,
            done: Vec::new(),
        };
        let mut portion = Batch::default();
        let taken = rows.each_of_state(&mut |row| {
            portion.push(row);
            if portion.len() == PORTION {
                if helpers.len() < others {
                    let help = thread::Builder::new().name("weir-state-read".into());
                    let work = || queue.work_off(&mut Reader::new(cipher));
                    // Where there is no thread to be had, this one does it all.
                    helpers.extend(help.spawn_scoped(scope, work).ok());
                }
                sharing.hand_out(std::mem::replace(&mut portion, queue.room()));
            }
            Ok(())
        });
        let mut done = sharing.end(&portion);
        for helper in helpers {
            match helper.join() {
                Ok(more) => done.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        taken.map(|()| done)
    })?;
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, portion)| portion).collect()
}

/// The part of the thread that has the rows.
struct Sharing<'a> {
    send: SyncSender<(usize, Batch)>,
    queue: &'a Queue,
    reader: Reader<'a>,
    /// Of the next portion.
    number: usize,
    done: Done,
}

impl Sharing<'_> {
    /// Gives the portion to a helper; while they are busy this thread does it.
    fn hand_out(&mut self, portion: Batch) {
        let number = self.number;
        self.number += 1;
        match self.send.try_send((number, portion)) {
            Ok(()) => {}
            Err(TrySendError::Full((_, portion)) | TrySendError::Disconnected((_, portion))) => {
                let read = Portion::of(&portion, &mut self.reader);
                self.done.push((number, read));
                self.queue.give_back(portion);
            }
        }
    }

    /// Does the last portion, and helps with what still waits.
    fn end(mut self, last: &Batch) -> Done {
        // Whoever waits for more learns that there is none.
        drop(self.send);
        let read = Portion::of(last, &mut self.reader);
        self.done.push((self.number, read));
        self.done.extend(self.queue.work_off(&mut self.reader));
        self.done
    }
}

/// The snapshot that these portions are.
fn finish(portions: Vec<Portion>, head: &Head, serial: Serial) -> Result<Snapshot, Fault> {
    let mut snapshot = Snapshot::empty(head.lineage.clone());
    snapshot.serial = serial;
    let mut recorded = Vec::new();
    let mut resources = Vec::with_capacity(portions.iter().map(|p| p.resources.len()).sum());
    for portion in portions {
        resources.extend(portion.resources);
        recorded.extend(portion.recorded);
        snapshot.outputs.extend(portion.outputs);
        if let Some(references) = portion.references {
            snapshot.references = references;
        }
    }
    // Rows come nearly in order: a tree is made of them at once, far quicker than one by one.
    snapshot.resources = resources.into_iter().collect();
    // Without dependencies there is nothing to settle.
    if !recorded.is_empty() {
        let recorded: BTreeMap<Address, Serial> = recorded.into_iter().collect();
        fold::settle_edges(&mut snapshot, &recorded);
    }
    snapshot
        .verify()
        .map_err(|e| Fault::damage(e.to_string()))?;
    Ok(snapshot)
}

/// Adds the objects that replacements put aside: the journal holds them. One whose replacement is
/// in flight, or was never made, is still the one in its place.
fn put_aside(rows: &dyn Rows, snapshot: &mut Snapshot) -> Result<(), Fault> {
    let open = journal::open(rows)?;
    for entry in open.iter().filter(|e| e.begin.target == Target::Deposed) {
        let begin = &entry.begin;
        let in_flight = open.iter().any(|e| {
            e.epoch == entry.epoch
                && e.begin.target == Target::Current
                && e.begin.address == begin.address
        });
        let Some(prior) = begin.prior.as_ref().filter(|_| !in_flight) else {
            continue;
        };
        let current = snapshot.resources.get(&begin.address).map(|r| &r.value);
        let made = journal::closed(rows, entry.epoch)?
            .into_iter()
            .any(|c| c.address == begin.address && c.op == Op::Create && c.verdict == Verdict::Put);
        if !made && current == Some(prior) {
            continue;
        }
        let resource = Resource {
            provider: begin.provider.clone(),
            schema_version: begin.schema_version,
            value: prior.clone(),
            private: begin.private.clone(),
            dependencies: begin.dependencies.clone(),
            status: Status::Ready,
            removal: Removal::default(),
            foreign: begin.foreign.clone(),
        };
        snapshot
            .deposed
            .entry(begin.address.clone())
            .or_default()
            .insert(entry.id.deposed_key(), resource);
    }
    Ok(())
}
