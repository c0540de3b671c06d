//! How the rows are read: first what this transaction is about to change, then what it found, then
//! the database.

use super::{
    changes::{ItemId, Table},
    fault::Trouble,
    session::Session,
    statements::{self, ITEM, LEASE, OPEN, Sent, numbers, param, send},
};
use crate::rows::{
    ApplyRow, Cipher, ClosedRow, Fault, Head, ItemRow, KeyRow, Kind, LeaseRow, Needs, Old, OpenRow,
    PastRow, RowRef, Rows, ScopeRow, seal, signed,
};
use std::collections::BTreeMap;
use tokio_postgres::{Client, Row, types::Type};

fn id_of(kind: Kind, key: &str) -> ItemId {
    seal("key", &[kind.text().as_bytes(), key.as_bytes()])
}

impl Session {
    /// The questions by which what a write needs is found; [`Session::keep`] takes the answers.
    pub(super) fn bring<'c>(&self, client: &'c Client, needs: &Needs) -> Vec<Sent<'c>> {
        let ask = |sql: String, more: Option<statements::Param>| {
            let params = std::iter::once(self.state()).chain(more).collect();
            send(client, self.names.sql(&sql), params)
        };
        let mut sent = Vec::new();
        if !needs.leases.is_empty() {
            sent.push(ask(
                format!("{LEASE} WHERE state = $1 AND epoch = ANY($2)"),
                Some(numbers(&needs.leases, |epoch| *epoch)),
            ));
        }
        if !needs.entries.is_empty() {
            sent.push(ask(
                format!("{OPEN} WHERE state = $1 AND id = ANY($2)"),
                Some(numbers(&needs.entries, |id| *id)),
            ));
        }
        let ids = self.resources_of(needs);
        if !ids.is_empty() {
            sent.push(ask(
                format!("{ITEM} WHERE state = $1 AND id = ANY($2)"),
                Some(statements::bytes(&ids, |id| id.to_vec())),
            ));
        }
        if needs.outputs {
            sent.push(ask(
                format!("{ITEM} WHERE state = $1 AND kind = 'output'"),
                None,
            ));
        }
        if let Some(epoch) = needs.open_before {
            sent.push(ask(
                format!("{OPEN} WHERE state = $1 AND epoch < $2 ORDER BY id"),
                Some(param(Type::INT8, signed(epoch))),
            ));
        }
        sent
    }
    /// The resources that a write needs, those of its entries among them as far as they are known.
    fn resources_of(&self, needs: &Needs) -> Vec<ItemId> {
        let begun = self.begun.borrow();
        let named = needs.entries.iter().filter_map(|id| begun.get(id));
        let keys = needs.resources.iter().chain(named);
        keys.map(|key| id_of(Kind::Resource, key)).collect()
    }

    /// Keeps the answers to [`Session::bring`].
    pub(super) fn keep(&self, needs: &Needs, answers: &[Vec<Row>]) -> Result<(), Trouble> {
        let mut found = self.found.borrow_mut();
        let mut answers = answers.iter();
        let mut next = || answers.next().map(Vec::as_slice).unwrap_or_default();
        if !needs.leases.is_empty() {
            for row in next() {
                let lease = statements::lease(row)?;
                found.leases.insert(lease.epoch, Some(lease));
            }
        }
        if !needs.entries.is_empty() {
            let rows = next();
            for id in &needs.entries {
                found.open.insert(*id, None);
            }
            for row in rows {
                let open = statements::open(row)?;
                found.open.insert(open.id, Some(open));
            }
        }
        let ids = self.resources_of(needs);
        if !ids.is_empty() {
            for id in ids {
                found.items.insert(id, None);
            }
            for row in next() {
                let (id, item) = statements::item(row)?;
                found.items.insert(id, Some(item));
            }
        }
        if needs.outputs {
            found.outputs = true;
            for row in next() {
                let (id, item) = statements::item(row)?;
                found.items.insert(id, Some(item));
            }
        }
        if let Some(epoch) = needs.open_before {
            found.open_before = Some(epoch);
            for row in next() {
                let open = statements::open(row)?;
                found.open.insert(open.id, Some(open));
            }
        }
        Ok(())
    }

    /// Gives the items that a question finds, as this transaction leaves them so far.
    fn each(
        &self,
        sql: &str,
        f: &mut dyn FnMut(ItemRow) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let changed = self.changes.borrow().items.clone();
        for row in self.ask(sql, vec![self.state()])? {
            let (id, row) = statements::item(&row).map_err(|e| e.fault(&self.place))?;
            if !changed.contains_key(&id) {
                f(row)?;
            }
        }
        changed.into_values().flatten().try_for_each(f)
    }

    fn rows<T>(
        &self,
        sql: &str,
        params: Vec<statements::Param>,
        f: impl Fn(&Row) -> Result<T, Trouble>,
    ) -> Result<Vec<T>, Fault> {
        let rows = self.ask(sql, std::iter::once(self.state()).chain(params).collect())?;
        rows.iter()
            .map(|row| f(row).map_err(|e| e.fault(&self.place)))
            .collect()
    }
}

impl Rows for Session {
    fn head(&self) -> Result<Head, Fault> {
        let mut rows = self.rows(statements::HEAD, Vec::new(), statements::head)?;
        match rows.pop() {
            Some((head, _)) => Ok(head),
            None => Err(self.removed().fault(&self.place)),
        }
    }

    fn item(&self, kind: Kind, key: &str) -> Result<Option<ItemRow>, Fault> {
        let id = id_of(kind, key);
        if let Some(row) = self.changes.borrow().items.get(&id) {
            return Ok(row.clone());
        }
        if let Some(row) = self.found.borrow().items.get(&id) {
            return Ok(row.clone());
        }
        if kind == Kind::Output && self.found.borrow().outputs {
            return Ok(None);
        }
        let sql = format!("{ITEM} WHERE state = $1 AND id = $2");
        let row = self
            .rows(
                &sql,
                vec![param(Type::BYTEA, id.to_vec())],
                statements::item,
            )?
            .pop()
            .map(|(_, row)| row);
        self.found.borrow_mut().items.insert(id, row.clone());
        Ok(row)
    }

    fn keys(&self, kind: Kind) -> Result<Vec<String>, Fault> {
        let mut rows: BTreeMap<ItemId, ItemRow> = BTreeMap::new();
        if kind == Kind::Output && self.found.borrow().outputs {
            let found = self.found.borrow();
            let known = found.items.iter();
            rows.extend(known.filter_map(|(id, row)| Some((*id, row.clone()?))));
        } else {
            let sql = format!("{ITEM} WHERE state = $1 AND kind = $2");
            let kind = param(Type::TEXT, kind.text());
            rows.extend(self.rows(&sql, vec![kind], statements::item)?);
        }
        for (id, row) in &self.changes.borrow().items {
            match row {
                Some(row) => rows.insert(*id, row.clone()),
                None => rows.remove(id),
            };
        }
        let of_kind = rows.into_values().filter(|row| row.kind == kind.text());
        Ok(of_kind.map(|row| row.key).collect())
    }

    fn each_item(&self, f: &mut dyn FnMut(ItemRow) -> Result<(), Fault>) -> Result<(), Fault> {
        self.each(&format!("{ITEM} WHERE state = $1"), f)
    }
    fn each_of_state(
        &self,
        f: &mut dyn FnMut(RowRef<'_>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let sql = "SELECT id, kind, key, serial, CASE kind WHEN 'config' THEN '' ELSE body END, sum
                   FROM @item WHERE state = $1";
        self.each(sql, &mut |row| f(row.lent()))
    }

    fn items_until(&self, serial: u64) -> Result<Vec<ItemRow>, Fault> {
        let sql = format!("{ITEM} WHERE state = $1 AND serial <= $2");
        let serial = param(Type::INT8, signed(serial));
        self.rows(&sql, vec![serial], |row| Ok(statements::item(row)?.1))
    }

    fn past_at(&self, serial: u64) -> Result<Vec<PastRow>, Fault> {
        let sql = "SELECT id, kind, key, serial, body, sum, until FROM @past
                   WHERE state = $1 AND serial <= $2 AND until > $2";
        let serial = param(Type::INT8, signed(serial));
        self.rows(sql, vec![serial], statements::past)
    }

    fn is_empty(&self) -> Result<bool, Fault> {
        let sql = "SELECT NOT EXISTS (SELECT 1 FROM @item
                                  WHERE state = $1 AND kind IN ('resource', 'output'))
                      AND NOT EXISTS (SELECT 1 FROM @open_entry WHERE state = $1)";
        let rows = self.rows(sql, Vec::new(), |row| Ok(row.try_get::<_, bool>(0)?))?;
        Ok(rows == [true])
    }

    fn put_item(&self, row: &ItemRow) -> Result<(), Fault> {
        let id = seal("key", &[row.kind.as_bytes(), row.key.as_bytes()]);
        self.changes.borrow_mut().item(id, Some(row.clone()));
        Ok(())
    }
    fn drop_item(&self, kind: Kind, key: &str) -> Result<(), Fault> {
        self.changes.borrow_mut().item(id_of(kind, key), None);
        Ok(())
    }
    fn add_past(&self, row: &PastRow) -> Result<(), Fault> {
        let id = seal("key", &[row.item.kind.as_bytes(), row.item.key.as_bytes()]);
        self.changes.borrow_mut().past(id, row.clone());
        Ok(())
    }

    fn past(&self) -> Result<Vec<PastRow>, Fault> {
        let sql = "SELECT id, kind, key, serial, body, sum, until FROM @past WHERE state = $1";
        let mut rows = match self.changes.borrow().cleared.contains(&Table::Past) {
            true => Vec::new(),
            false => self.rows(sql, Vec::new(), statements::past)?,
        };
        let changes = self.changes.borrow();
        let id = |row: &PastRow| seal("key", &[row.item.kind.as_bytes(), row.item.key.as_bytes()]);
        rows.retain(|row| !changes.old.past.contains(&(id(row), row.item.serial)));
        rows.extend(changes.past.iter().map(|(_, row)| row.clone()));
        Ok(rows)
    }
    fn past_until(&self, serial: u64, most: usize) -> Result<Vec<Old>, Fault> {
        let sql = "SELECT kind, key, serial, until FROM @past WHERE state = $1 AND until <= $2
                   ORDER BY until, id, serial LIMIT $3";
        let params = vec![param(Type::INT8, signed(serial)), statements::limit(most)];
        self.rows(sql, params, |row| {
            Ok(Old::Past {
                kind: row.try_get(0)?,
                key: row.try_get(1)?,
                serial: statements::number(row, 2)?,
                until: statements::number(row, 3)?,
            })
        })
    }
    fn drop_old(&self, row: Old) -> Result<(), Fault> {
        self.changes.borrow_mut().old(row);
        Ok(())
    }
    fn bring_items(&self, kind: Kind, keys: &[String]) -> Result<(), Fault> {
        let ids: Vec<ItemId> = keys.iter().map(|key| id_of(kind, key)).collect();
        let sql = format!("{ITEM} WHERE state = $1 AND id = ANY($2)");
        let ids = statements::bytes(&ids, |id| id.to_vec());
        let rows = self.rows(&sql, vec![ids], statements::item)?;
        let rows = rows.into_iter().map(|(id, row)| (id, Some(row)));
        self.found.borrow_mut().items.extend(rows);
        Ok(())
    }
    fn drop_past(&self) -> Result<(), Fault> {
        self.changes.borrow_mut().clear(Table::Past);
        Ok(())
    }

    fn open(&self, id: u64) -> Result<Option<OpenRow>, Fault> {
        if let Some(row) = self.changes.borrow().open.get(&id) {
            return Ok(row.clone());
        }
        if let Some(row) = self.found.borrow().open.get(&id) {
            return Ok(row.clone());
        }
        let sql = format!("{OPEN} WHERE state = $1 AND id = $2");
        let row = self
            .rows(&sql, vec![param(Type::INT8, signed(id))], statements::open)?
            .pop();
        self.found.borrow_mut().open.insert(id, row.clone());
        Ok(row)
    }

    fn open_before(&self, epoch: u64) -> Result<Vec<OpenRow>, Fault> {
        let mut rows: BTreeMap<u64, OpenRow> = BTreeMap::new();
        if self.found.borrow().open_before == Some(epoch) {
            let found = self.found.borrow();
            rows.extend(
                found
                    .open
                    .iter()
                    .filter_map(|(id, r)| Some((*id, r.clone()?))),
            );
        } else {
            let sql = format!("{OPEN} WHERE state = $1 AND epoch < $2");
            let found = self.rows(
                &sql,
                vec![param(Type::INT8, signed(epoch))],
                statements::open,
            )?;
            rows.extend(found.into_iter().map(|row| (row.id, row)));
        }
        for (id, row) in &self.changes.borrow().open {
            match row {
                Some(row) => rows.insert(*id, row.clone()),
                None => rows.remove(id),
            };
        }
        Ok(rows.into_values().filter(|row| row.epoch < epoch).collect())
    }

    fn put_open(&self, row: &OpenRow) -> Result<(), Fault> {
        self.begun.borrow_mut().insert(row.id, row.address.clone());
        self.changes.borrow_mut().open(row.id, Some(row.clone()));
        Ok(())
    }
    fn drop_open(&self, id: u64) -> Result<(), Fault> {
        self.begun.borrow_mut().remove(&id);
        self.changes.borrow_mut().open(id, None);
        Ok(())
    }

    fn closed(&self, epoch: u64) -> Result<Vec<ClosedRow>, Fault> {
        let sql = "SELECT epoch, id, body, sum FROM @closed_entry
                   WHERE state = $1 AND epoch = $2 ORDER BY id";
        let epoch = param(Type::INT8, signed(epoch));
        self.rows(sql, vec![epoch], statements::closed)
    }
    fn add_closed(&self, row: &ClosedRow) -> Result<(), Fault> {
        self.changes.borrow_mut().closed(row.clone());
        Ok(())
    }

    fn all_closed(&self) -> Result<Vec<ClosedRow>, Fault> {
        let sql = "SELECT epoch, id, body, sum FROM @closed_entry WHERE state = $1
                   ORDER BY epoch, id";
        let mut rows = match self.changes.borrow().cleared.contains(&Table::Closed) {
            true => Vec::new(),
            false => self.rows(sql, Vec::new(), statements::closed)?,
        };
        let changes = self.changes.borrow();
        rows.retain(|row| !changes.old.closed.contains(&(row.epoch, row.id)));
        rows.extend(changes.closed.iter().cloned());
        rows.sort_by_key(|row| (row.epoch, row.id));
        Ok(rows)
    }
    fn closed_ids(&self, epoch: u64, most: usize) -> Result<Vec<u64>, Fault> {
        let sql = "SELECT id FROM @closed_entry WHERE state = $1 AND epoch = $2
                   ORDER BY id LIMIT $3";
        let params = vec![param(Type::INT8, signed(epoch)), statements::limit(most)];
        self.rows(sql, params, |row| statements::number(row, 0))
    }
    fn drop_closed(&self) -> Result<(), Fault> {
        self.changes.borrow_mut().clear(Table::Closed);
        Ok(())
    }

    fn lease(&self, epoch: u64) -> Result<Option<LeaseRow>, Fault> {
        if let Some(row) = self.changes.borrow().leases.get(&epoch) {
            return Ok(Some(row.clone()));
        }
        if let Some(row) = self.found.borrow().leases.get(&epoch) {
            return Ok(row.clone());
        }
        let sql = format!("{LEASE} WHERE state = $1 AND epoch = $2");
        let epoch = param(Type::INT8, signed(epoch));
        Ok(self.rows(&sql, vec![epoch], statements::lease)?.pop())
    }
    fn leases(&self) -> Result<Vec<LeaseRow>, Fault> {
        self.oldest_leases(usize::MAX)
    }
    fn oldest_leases(&self, most: usize) -> Result<Vec<LeaseRow>, Fault> {
        let sql = format!("{LEASE} WHERE state = $1 ORDER BY epoch LIMIT $2");
        let mut rows = self.rows(&sql, vec![statements::limit(most)], statements::lease)?;
        let changes = self.changes.borrow();
        rows.retain(|row| !changes.old.leases.contains(&row.epoch));
        Ok(rows)
    }
    fn live_leases(&self) -> Result<Vec<LeaseRow>, Fault> {
        let sql = format!("{LEASE} WHERE state = $1 AND ended IS NULL");
        let found = self.rows(&sql, Vec::new(), statements::lease)?;
        let mut rows: BTreeMap<u64, LeaseRow> = BTreeMap::new();
        rows.extend(found.into_iter().map(|row| (row.epoch, row)));
        let changes = self.changes.borrow();
        rows.extend(changes.leases.iter().map(|(e, row)| (*e, row.clone())));
        Ok(rows.into_values().filter(|r| r.ended.is_none()).collect())
    }
    fn scope(&self, epoch: u64) -> Result<Option<ScopeRow>, Fault> {
        if let Some(row) = self.changes.borrow().scopes.get(&epoch) {
            return Ok(row.clone());
        }
        let sql = "SELECT epoch, body, sum FROM @scope WHERE state = $1 AND epoch = $2";
        let epoch = param(Type::INT8, signed(epoch));
        Ok(self.rows(sql, vec![epoch], statements::scope)?.pop())
    }
    fn put_scope(&self, row: &ScopeRow) -> Result<(), Fault> {
        self.changes
            .borrow_mut()
            .scope(row.epoch, Some(row.clone()));
        Ok(())
    }
    fn drop_scope(&self, epoch: u64) -> Result<(), Fault> {
        self.changes.borrow_mut().scope(epoch, None);
        Ok(())
    }
    fn put_lease(&self, row: &LeaseRow) -> Result<(), Fault> {
        self.changes.borrow_mut().lease(row.clone());
        Ok(())
    }

    fn applies(&self) -> Result<Vec<ApplyRow>, Fault> {
        self.oldest_applies(usize::MAX)
    }
    fn count_applies(&self) -> Result<usize, Fault> {
        let changes = self.changes.borrow();
        let sql = "SELECT count(*) FROM @apply WHERE state = $1";
        let found = match changes.cleared.contains(&Table::Applies) {
            true => None,
            false => self
                .rows(sql, Vec::new(), |row| statements::number(row, 0))?
                .pop(),
        };
        let found = usize::try_from(found.unwrap_or(0)).unwrap_or(usize::MAX);
        Ok(found.saturating_sub(changes.old.applies) + changes.applies.len())
    }
    fn oldest_applies(&self, most: usize) -> Result<Vec<ApplyRow>, Fault> {
        let changes = self.changes.borrow();
        let sql = "SELECT body, sum FROM @apply WHERE state = $1 ORDER BY id LIMIT $2";
        let gone = changes.old.applies;
        let mut rows = match changes.cleared.contains(&Table::Applies) {
            true => Vec::new(),
            false => {
                let most = statements::limit(most.saturating_add(gone));
                let found = self.rows(sql, vec![most], statements::apply)?;
                found.into_iter().skip(gone).collect()
            }
        };
        rows.extend(changes.applies.iter().cloned());
        rows.truncate(most);
        Ok(rows)
    }
    fn add_apply(&self, row: &ApplyRow) -> Result<(), Fault> {
        self.changes.borrow_mut().apply(row.clone());
        Ok(())
    }
    fn drop_applies(&self) -> Result<(), Fault> {
        self.changes.borrow_mut().clear(Table::Applies);
        Ok(())
    }

    fn data_keys(&self) -> Result<Vec<KeyRow>, Fault> {
        let mut rows = match self.changes.borrow().cleared.contains(&Table::Keys) {
            true => Vec::new(),
            false => self.rows(statements::KEYS, Vec::new(), statements::key)?,
        };
        rows.extend(self.changes.borrow().keys.iter().cloned());
        Ok(rows)
    }
    fn put_data_key(&self, row: &KeyRow) -> Result<(), Fault> {
        self.changes.borrow_mut().key(row.clone());
        Ok(())
    }
    fn drop_data_keys(&self) -> Result<(), Fault> {
        self.changes.borrow_mut().clear(Table::Keys);
        Ok(())
    }
    fn cipher(&self) -> Cipher {
        self.cipher.borrow().clone()
    }
    fn set_cipher(&self, cipher: Cipher) {
        self.cipher.replace(cipher);
    }
}
