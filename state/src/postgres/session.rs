//! One session with the server, for one state: transactions, and what to do when the connection
//! is lost.
//!
//! A write takes two rounds to the server, however much it changes:
//!
//! 1. begin, lock the head's row, read it, the time, and what the write is known to need;
//! 2. after everything was worked out on what was found ([`Found`], [`Changes`]): all changes, the
//!    head, and the commit.
//!
//! A connection that is lost before the second round has changed nothing: the first is done again
//! on a new one. Lost in the second, it may have been committed: on a new connection the head's tag
//! tells. If the head is as it was read, the same changes are sent again. Whoever still has the old
//! transaction open keeps the row locked, so the answer is always the last word.

use super::{
    changes::{Changes, Found, Table},
    connect,
    fault::Trouble,
    settings::PostgresSettings,
    statements::{self, Names, Param, Sent, param, send},
};
use crate::{
    Encryption, StateError,
    format::time,
    rows::{BUSY_SECONDS, Cipher, Fault, Head, Needs, Rows as _, Transact},
};
use futures::future::join_all;
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};
use tokio::runtime::Runtime;
use tokio_postgres::{Client, Row, types::Type};

/// For how long an answer may take when nothing big is asked.
const ANSWER: Duration = Duration::from_secs(60);

/// A session of one store.
pub(super) struct Session {
    pub(super) runtime: Runtime,
    pub(super) settings: PostgresSettings,
    pub(super) names: Names,
    /// Of the head's row.
    pub(super) state: i64,
    pub(super) place: PathBuf,
    pub(super) client: RefCell<Option<Client>>,
    /// For how long a lease lasts: a lost connection is looked for so long.
    pub(super) expiry: Duration,
    pub(super) is_open: Cell<bool>,
    /// The head as this transaction read it.
    pub(super) base: RefCell<Option<Head>>,
    pub(super) found: RefCell<Found>,
    pub(super) changes: RefCell<Changes>,
    pub(super) encryption: Encryption,
    pub(super) cipher: RefCell<Cipher>,
    /// The number of the newest key that the cipher was made of; 0 where there is none.
    pub(super) key: Cell<u64>,
    /// The addresses of entries begun here, by which their resources are brought at once.
    pub(super) begun: RefCell<BTreeMap<u64, String>>,
}

/// The head, who wrote it, and the server's time.
struct Locked {
    head: Head,
    tag: Vec<u8>,
    now: SystemTime,
}

impl Session {
    /// Asks one thing, in whatever transaction is open.
    pub(super) fn ask(&self, sql: &str, params: Vec<Param>) -> Result<Vec<Row>, Fault> {
        let client = self.client.borrow();
        let asked = match client.as_ref() {
            Some(client) => self
                .runtime
                .block_on(send(client, self.names.sql(sql), params))
                .map_err(Trouble::from),
            None => Err(Trouble::Lost("the connection was lost".into())),
        };
        asked.map_err(|trouble| {
            if let Trouble::Lost(_) = trouble {
                self.is_open.set(false);
            }
            trouble.fault(&self.place)
        })
    }

    pub(super) fn removed(&self) -> Trouble {
        Trouble::from(StateError::Io {
            path: self.place.clone(),
            cause: "the state is not in the database any more: it was removed".into(),
        })
    }

    pub(super) fn state(&self) -> Param {
        param(Type::INT8, self.state)
    }

    /// Sends everything and waits for every answer; the first error is the one that counts.
    fn exchange(&self, sent: Vec<Sent<'_>>) -> Result<Vec<Vec<Row>>, Trouble> {
        let answers = self
            .runtime
            .block_on(async { tokio::time::timeout(ANSWER, join_all(sent)).await })
            .map_err(|_| Trouble::Lost(format!("no answer for {} s", ANSWER.as_secs())))?;
        let mut rows = Vec::with_capacity(answers.len());
        for answer in answers {
            rows.push(answer?);
        }
        Ok(rows)
    }

    /// A connection, new if there is none; tries until `deadline`.
    fn connected(&self, deadline: Instant) -> Result<(), Trouble> {
        let mut pause = Duration::from_millis(50);
        loop {
            let alive = self
                .client
                .borrow()
                .as_ref()
                .is_some_and(|c| !c.is_closed());
            if alive {
                return Ok(());
            }
            self.client.replace(None);
            let connecting = connect::connect(&self.settings);
            match self.runtime.block_on(connecting) {
                Ok(client) => {
                    self.client.replace(Some(client));
                    return Ok(());
                }
                Err(Trouble::Lost(cause)) if Instant::now() < deadline => {
                    tracing::debug!(cause, "the state's server is not reached");
                }
                Err(e) => return Err(e),
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_secs(2));
        }
    }

    /// Begins a transaction and locks the head.
    fn lock(&self, needs: &Needs) -> Result<Locked, Trouble> {
        let client = self.client.borrow();
        let Some(client) = client.as_ref() else {
            return Err(Trouble::Lost("the connection was lost".into()));
        };
        // A program that is frozen in a transaction must not keep all others waiting.
        let idle = (self.expiry / 2).clamp(Duration::from_secs(1), Duration::from_secs(10));
        let begin = format!(
            "BEGIN; SET LOCAL lock_timeout = '{BUSY_SECONDS}s';
             SET LOCAL idle_in_transaction_session_timeout = '{}ms';
             SELECT set_config('synchronous_commit', 'on', true)
             WHERE current_setting('synchronous_commit') = 'off'",
            idle.as_millis()
        );
        let sql = |text: &str| self.names.sql(text);
        let began = async {
            client.batch_execute(&begin).await?;
            Ok(Vec::new())
        };
        let mut sent: Vec<Sent<'_>> = vec![
            Box::pin(began),
            send(
                client,
                sql(&format!("{} FOR UPDATE", statements::HEAD)),
                vec![self.state()],
            ),
            send(
                client,
                sql(
                    "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::BIGINT,
                     (SELECT version FROM @schema),
                     (SELECT max(number) FROM @data_key WHERE state = $1)",
                ),
                vec![self.state()],
            ),
        ];
        sent.extend(self.bring(client, needs));
        let answers = self.exchange(sent)?;
        let (Some(head), Some(clock)) = (answers[1].first(), answers[2].first()) else {
            return Err(self.removed());
        };
        let found: Option<i64> = clock.try_get(1)?;
        super::open::check_version(found, &self.place)?;
        let (head, tag) = statements::head(head)?;
        let locked = Locked {
            head,
            tag,
            now: time(statements::number(clock, 0)?),
        };
        self.keep(needs, &answers[3..])?;
        let key: Option<i64> = clock.try_get(2)?;
        self.unlock(client, key.map_or(0, crate::rows::unsigned))?;
        Ok(locked)
    }

    /// As [`Session::unlock`], for a read.
    fn follow_key(&self) -> Result<(), Fault> {
        let sql = "SELECT max(number) FROM @data_key WHERE state = $1";
        let rows = self.ask(sql, vec![self.state()])?;
        let newest = match rows.first() {
            Some(row) => row
                .try_get::<_, Option<i64>>(0)
                .map_err(|e| Trouble::from(e).fault(&self.place))?,
            None => None,
        };
        match newest.map_or(0, crate::rows::unsigned) == self.key.get() {
            true => Ok(()),
            false => self.unlock_all(),
        }
    }

    /// Makes the cipher of a session that was just opened.
    pub(super) fn unlock_all(&self) -> Result<(), Fault> {
        let keys = self.data_keys()?;
        self.cipher
            .replace(Cipher::unlock(&self.encryption, &keys)?);
        self.key.set(keys.last().map_or(0, |k| k.number));
        Ok(())
    }

    /// Makes the cipher anew where another program gave the state a new key.
    fn unlock(&self, client: &Client, newest: u64) -> Result<(), Trouble> {
        if self.key.get() == newest {
            return Ok(());
        }
        let asked = send(client, self.names.sql(statements::KEYS), vec![self.state()]);
        let rows = self.runtime.block_on(asked)?;
        let keys = rows
            .iter()
            .map(statements::key)
            .collect::<Result<Vec<_>, _>>()?;
        let cipher = Cipher::unlock(&self.encryption, &keys).map_err(Trouble::Fault)?;
        self.cipher.replace(cipher);
        self.key.set(newest);
        Ok(())
    }

    /// Whether the changes were committed on a connection that was lost; where they were not, a
    /// transaction is open in which they can be sent again.
    fn was_committed(&self, base: &Head, tag: &[u8], deadline: Instant) -> Result<bool, Trouble> {
        loop {
            self.connected(deadline)?;
            let now = match self.lock(&Needs::default()) {
                Err(Trouble::Lost(_)) if Instant::now() < deadline => {
                    self.client.replace(None);
                    continue;
                }
                locked => locked?,
            };
            if now.tag == tag {
                return Ok(true);
            }
            if now.head == *base {
                return Ok(false);
            }
            return Err(Trouble::from(StateError::Io {
                path: self.place.clone(),
                cause: "the connection was lost while something was recorded, and another program \
                        has written since. Run the command again: it finds out what was done and \
                        continues"
                    .into(),
            }));
        }
    }

    fn forget(&self) {
        self.found.replace(Found::default());
        self.changes.replace(Changes::default());
        self.base.replace(None);
    }

    fn deadline(&self) -> Instant {
        Instant::now() + self.expiry
    }

    fn try_commit(&self, head: &Head) -> Result<(), Trouble> {
        let Some(base) = self.base.borrow().clone() else {
            return Err(Trouble::Lost("no transaction is open".into()));
        };
        let deadline = self.deadline();
        let tag = uuid::Uuid::new_v4().into_bytes();
        loop {
            let result = {
                let changes = self.changes.borrow();
                let client = self.client.borrow();
                match client.as_ref() {
                    Some(client) => self.exchange(statements::write(
                        client,
                        &self.names,
                        self.state,
                        &changes,
                        (head, base.commits, &tag),
                    )),
                    None => Err(Trouble::Lost("the connection was lost".into())),
                }
            };
            match result {
                Ok(_) => return Ok(()),
                Err(Trouble::Lost(cause)) => {
                    tracing::warn!(cause, "the connection to the state was lost");
                    self.client.replace(None);
                    if self.was_committed(&base, &tag, deadline)? {
                        self.rollback();
                        return Ok(());
                    }
                }
                Err(e) => return Err(e),
            }
        }
    }
}

impl Transact for Session {
    fn place(&self) -> &Path {
        &self.place
    }

    fn begin(&self, needs: &Needs) -> Result<(Head, SystemTime), Fault> {
        self.forget();
        let deadline = self.deadline();
        let locked = loop {
            let result = self.connected(deadline).and_then(|()| self.lock(needs));
            match result {
                Err(Trouble::Lost(_)) if Instant::now() < deadline => {
                    self.client.replace(None);
                }
                result => break result,
            }
        };
        // Even a transaction that failed is to be ended.
        self.is_open.set(true);
        let locked = locked.map_err(|e| e.fault(&self.place))?;
        self.base.replace(Some(locked.head.clone()));
        Ok((locked.head, locked.now))
    }

    fn begin_part(&self) -> Result<(), Fault> {
        self.changes.borrow_mut().begin_part();
        Ok(())
    }
    fn undo_part(&self) -> Result<(), Fault> {
        self.changes.borrow_mut().undo_part();
        Ok(())
    }
    fn keep_part(&self) -> Result<(), Fault> {
        Ok(())
    }
    fn is_in_transaction(&self) -> bool {
        self.is_open.get()
    }

    fn commit(&self, head: &Head) -> Result<(), Fault> {
        // Of a state that is given a new key the cipher was made with it.
        let key = {
            let changes = self.changes.borrow();
            let cleared = changes.cleared.contains(&Table::Keys);
            cleared.then(|| changes.keys.last().map_or(0, |k| k.number))
        };
        let result = self.try_commit(head);
        if result.is_ok() {
            self.key.set(key.unwrap_or(self.key.get()));
            self.is_open.set(false);
            self.forget();
        }
        result.map_err(|e| e.fault(&self.place))
    }

    fn rollback(&self) {
        self.forget();
        self.is_open.set(false);
        let client = self.client.take();
        let Some(client) = client.filter(|c| !c.is_closed()) else {
            return;
        };
        let ended = async { tokio::time::timeout(ANSWER, client.batch_execute("ROLLBACK")).await };
        // One that can't even end its transaction is of no more use.
        if let Ok(Ok(())) = self.runtime.block_on(ended) {
            self.client.replace(Some(client));
        }
    }

    fn begin_read(&self) -> Result<(), Fault> {
        self.forget();
        let deadline = self.deadline();
        loop {
            let result = self.connected(deadline).and_then(|()| {
                let client = self.client.borrow();
                let Some(client) = client.as_ref() else {
                    return Err(Trouble::Lost("the connection was lost".into()));
                };
                let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
                Ok(self.runtime.block_on(client.batch_execute(begin))?)
            });
            match result {
                Err(Trouble::Lost(_)) if Instant::now() < deadline => {
                    self.client.replace(None);
                }
                result => {
                    self.is_open.set(true);
                    result.map_err(|e| e.fault(&self.place))?;
                    return self.follow_key();
                }
            }
        }
    }

    fn close(self) {
        let Session {
            runtime, client, ..
        } = self;
        drop(client);
        // What is left to say goodbye is said.
        runtime.block_on(tokio::task::yield_now());
        runtime.shutdown_timeout(Duration::from_secs(1));
    }
}
