//! What of a row is encrypted, and with what.
//!
//! The bodies of rows are: values, private data of providers, messages, and the history. Their
//! sums are over what is stored, so they tell nothing of what is inside.

use super::{
    fault::Fault,
    head::{Sum, seal},
    items, journal,
    work::Work,
};
use crate::{
    Encryption,
    encryption::{EncryptionError, Keyring, WrappedKey},
};

/// A row of `data_key`.
#[derive(Debug, Clone)]
pub(crate) struct KeyRow {
    /// Rises with every key.
    pub(crate) number: u64,
    pub(crate) body: String,
    pub(crate) sum: Sum,
}

impl KeyRow {
    fn new(number: u64, key: &WrappedKey) -> KeyRow {
        let body = key.to_text();
        KeyRow {
            number,
            sum: KeyRow::seal(number, &body),
            body,
        }
    }
    fn seal(number: u64, body: &str) -> Sum {
        seal("data_key", &[&number.to_be_bytes(), body.as_bytes()])
    }
    fn key(&self) -> Result<WrappedKey, Fault> {
        if KeyRow::seal(self.number, &self.body) != self.sum {
            return Err(Fault::damage(format!(
                "data key {} fails its checksum",
                self.number
            )));
        }
        Ok(WrappedKey::from_text(&self.body)?)
    }
}

/// Seals and opens the bodies of a store's rows; one that is not encrypted keeps them as they are.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cipher(Option<Keyring>);

/// Whose body it is: one can't be put in another's place.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part<'a> {
    /// Of a row of the state, now or in the past.
    Item(&'a str, &'a str),
    /// Of an open entry.
    Entry(u64),
    /// What went wrong with an open entry.
    Message(u64),
    /// Of an entry that was closed.
    Closed(u64),
    /// Of an apply.
    Apply,
}

impl Part<'_> {
    fn context(self) -> String {
        match self {
            // One after the other, without the machinery of a format: a state has many.
            Part::Item(kind, key) => ["the row of ", kind, " ", key].concat(),
            Part::Entry(id) => format!("journal entry {id}"),
            Part::Message(id) => format!("the message of journal entry {id}"),
            Part::Closed(id) => format!("closed journal entry {id}"),
            Part::Apply => "a row of the history".to_owned(),
        }
    }
}

impl Cipher {
    /// That of a store that is made now, and the row that keeps its key.
    pub(crate) fn new(encryption: &Encryption) -> Result<(Cipher, Option<KeyRow>), Fault> {
        let ring = encryption.new_data_key()?;
        let row = ring.as_ref().and_then(|ring| {
            let key = ring.wrapped().last()?;
            Some(KeyRow::new(1, key))
        });
        Ok((Cipher(ring), row))
    }

    /// That of a store with these rows.
    pub(crate) fn unlock(encryption: &Encryption, rows: &[KeyRow]) -> Result<Cipher, Fault> {
        if rows.is_empty() {
            return Ok(Cipher(None));
        }
        let keys = rows.iter().map(KeyRow::key).collect::<Result<_, _>>()?;
        Ok(Cipher(Some(encryption.unlock(keys)?)))
    }

    pub(crate) fn keyring(&self) -> Option<&Keyring> {
        self.0.as_ref()
    }

    pub(crate) fn seal(&self, part: Part<'_>, text: String) -> Result<String, Fault> {
        match &self.0 {
            Some(ring) => Ok(ring.seal(&part.context(), &text)?),
            None => Ok(text),
        }
    }

    /// As [`Cipher::open`]; what was sealed is opened in `room`, which is kept from one text to
    /// the next.
    pub(crate) fn open_in<'a>(
        &self,
        part: Part<'_>,
        text: &'a str,
        room: &'a mut Vec<u8>,
    ) -> Result<&'a str, Fault> {
        match &self.0 {
            Some(ring) => Ok(ring.open_in(&part.context(), text, room)?),
            None if Keyring::is_sealed(text) => Err(EncryptionError::NoKey.into()),
            None => Ok(text),
        }
    }

    pub(crate) fn open(&self, part: Part<'_>, text: String) -> Result<String, Fault> {
        match &self.0 {
            Some(ring) => ring.open(&part.context(), &text).map_err(Fault::from),
            None if Keyring::is_sealed(&text) => Err(EncryptionError::NoKey.into()),
            None => Ok(text),
        }
    }
}

/// Writes every row anew: with a new data key that the primary source wraps, or as it is where
/// there is no primary. The keys of before are dropped.
pub(crate) fn rekey(work: &mut Work<'_>, encryption: &Encryption) -> Result<(), Fault> {
    let old = work.rows.cipher();
    let (new, row) = Cipher::new(encryption)?;
    let last = work.rows.data_keys()?.iter().map(|k| k.number).max();
    work.rows.drop_data_keys()?;
    if let Some(row) = row {
        let key = row.key()?;
        work.rows
            .put_data_key(&KeyRow::new(last.unwrap_or(0) + 1, &key))?;
    }
    let again = |part: Part<'_>, text: String| new.seal(part, old.open(part, text)?);
    items::rewrite(work, &again)?;
    journal::rewrite(work, &again)?;
    work.rows.set_cipher(new);
    Ok(())
}

/// What gives the body of a row anew.
pub(crate) type Again<'a> = dyn Fn(Part<'_>, String) -> Result<String, Fault> + 'a;
