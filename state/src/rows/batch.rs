//! Rows of the state on their way from the database to whoever reads them: many in one piece of
//! memory, which is used again.

use super::{Sum, head::seal};

/// A row of `item` where it lies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowRef<'a> {
    pub(crate) kind: &'a str,
    pub(crate) key: &'a str,
    pub(crate) serial: u64,
    pub(crate) body: &'a str,
    pub(crate) sum: &'a Sum,
}

impl RowRef<'_> {
    /// The sum that the row should have.
    pub(super) fn seal(&self) -> Sum {
        seal(
            "item",
            &[
                self.kind.as_bytes(),
                self.key.as_bytes(),
                &self.serial.to_be_bytes(),
                self.body.as_bytes(),
            ],
        )
    }
    pub(super) fn is_whole(&self) -> bool {
        self.seal() == *self.sum
    }
}

/// Copies of rows, one behind the other.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// Of each row its kind, key and body.
    text: String,
    rows: Vec<Cut>,
}

/// Where the parts of a row end in the text; one begins where the one before it ends.
#[derive(Debug)]
struct Cut {
    kind: usize,
    key: usize,
    body: usize,
    serial: u64,
    sum: Sum,
}

impl Batch {
    pub(super) fn push(&mut self, row: RowRef<'_>) {
        let mut add = |part: &str| {
            self.text.push_str(part);
            self.text.len()
        };
        let (kind, key, body) = (add(row.kind), add(row.key), add(row.body));
        self.rows.push(Cut {
            kind,
            key,
            body,
            serial: row.serial,
            sum: *row.sum,
        });
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Forgets the rows and keeps their room.
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.rows.clear();
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = RowRef<'_>> {
        let mut from = 0;
        self.rows.iter().map(move |cut| {
            let begin = std::mem::replace(&mut from, cut.body);
            RowRef {
                kind: &self.text[begin..cut.kind],
                key: &self.text[cut.kind..cut.key],
                serial: cut.serial,
                body: &self.text[cut.key..cut.body],
                sum: &cut.sum,
            }
        })
    }
}
