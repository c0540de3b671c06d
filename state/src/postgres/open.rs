//! Finding a state in its database, and making what is not there.

use super::{
    connect,
    fault::Trouble,
    schema,
    session::Session,
    settings::PostgresSettings,
    statements::{self, Names, bytes, numbers, param, quoted, send, texts},
};
use crate::{
    Encryption, Options, StateError, StateId,
    format::time,
    rows::{Cipher, Fault, Head, KeyRow, Rows as _, Transact, leases},
};
use std::{
    cell::{Cell, RefCell},
    path::Path,
};
use tokio::runtime::Runtime;
use tokio_postgres::{Client, error::SqlState, types::Type};
use weir_core::snapshot::Lineage;

/// What is done where there is no state of that name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Absent {
    /// It is made.
    Make,
    /// That is the answer.
    Tell,
}

/// The runtime of one thread that talks to a server.
pub(super) fn runtime(place: &Path) -> Result<Runtime, StateError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| StateError::Io {
            path: place.into(),
            cause: format!("no runtime can be started: {e}"),
        })
}

/// A session for the state of that name, and where it stands; `None` where there is none and none
/// is to be made.
pub(super) fn open(
    settings: PostgresSettings,
    id: &StateId,
    options: Options,
    absent: Absent,
) -> Result<Option<(Session, Head)>, StateError> {
    let Options { expiry, encryption } = options;
    let place = settings.place(id);
    let runtime = runtime(&place)?;
    let names = Names::new(settings.schema());
    let found = runtime.block_on(async {
        let client = connect::connect(&settings).await?;
        check_encoding(&client, &place).await?;
        if !is_there(&client, &settings, &place).await? {
            if absent == Absent::Tell {
                return Ok(None);
            }
            migrate(&client, &settings, &place).await?;
        }
        let state = find(&client, &names, id, (absent, &encryption)).await?;
        Ok(state.map(|state| (client, state)))
    });
    let Some((client, state)) = found.map_err(|e: Trouble| e.at(&place))? else {
        return Ok(None);
    };
    let session = Session {
        runtime,
        settings,
        names,
        state,
        place,
        client: RefCell::new(Some(client)),
        expiry,
        is_open: Cell::new(false),
        base: RefCell::default(),
        found: RefCell::default(),
        changes: RefCell::default(),
        encryption,
        cipher: RefCell::default(),
        key: Cell::new(0),
        begun: RefCell::default(),
    };
    let head = session.begin_read().and_then(|()| {
        session.unlock_all()?;
        session.head()
    });
    session.rollback();
    let head = head.map_err(|e| e.at(&session.place))?;
    Ok(Some((session, head)))
}

/// Refuses tables that a newer program made, and those that another one made anew meanwhile.
pub(super) fn check_version(found: Option<i64>, place: &Path) -> Result<u32, Trouble> {
    let found = u32::try_from(found.unwrap_or(0)).unwrap_or(u32::MAX);
    if found > schema::version() {
        return Err(Trouble::from(StateError::Newer {
            path: place.into(),
            found,
            known: schema::version(),
        }));
    }
    Ok(found)
}

/// Text in another encoding could not hold every value.
async fn check_encoding(client: &Client, place: &Path) -> Result<(), Trouble> {
    let row = client.query_typed_one("SHOW server_encoding", &[]).await?;
    let encoding: String = row.try_get(0)?;
    if encoding == "UTF8" {
        return Ok(());
    }
    Err(Trouble::from(StateError::Refused {
        path: place.into(),
        cause: format!("the database's encoding is {encoding}"),
        next: "State needs UTF8: create a database with `createdb -E UTF8 -T template0 NAME`"
            .into(),
    }))
}

/// Whether the tables are there and up to date.
async fn is_there(
    client: &Client,
    settings: &PostgresSettings,
    place: &Path,
) -> Result<bool, Trouble> {
    let sql = "SELECT 1::BIGINT FROM pg_catalog.pg_class c
               JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = $1 AND c.relname = 'weir_schema'";
    let schema = param(Type::TEXT, settings.schema().to_owned());
    if send(client, sql.into(), vec![schema]).await?.is_empty() {
        return Ok(false);
    }
    let names = Names::new(settings.schema());
    let rows = send(client, names.sql("SELECT version FROM @schema"), Vec::new()).await?;
    let version = match rows.first() {
        Some(row) => Some(row.try_get(0)?),
        None => {
            return Err(Trouble::Fault(Fault::damage(
                "the table weir_schema, which says of what version the others are, is empty",
            )));
        }
    };
    Ok(check_version(version, place)? == schema::version())
}

/// Makes the tables, or brings them up to date, in one transaction. One program does so at a time.
async fn migrate(
    client: &Client,
    settings: &PostgresSettings,
    place: &Path,
) -> Result<(), Trouble> {
    let names = Names::new(settings.schema());
    // Any number that is ours and the same for all.
    client
        .batch_execute(
            "BEGIN; SET LOCAL lock_timeout = '60s'; SELECT pg_advisory_xact_lock(8603981235570)",
        )
        .await?;
    let schema = param(Type::TEXT, settings.schema().to_owned());
    let sql = "SELECT 1::BIGINT FROM pg_catalog.pg_namespace WHERE nspname = $1";
    if send(client, sql.into(), vec![schema]).await?.is_empty() {
        if !settings.may_create_schema() {
            return Err(Trouble::from(StateError::Refused {
                path: place.into(),
                cause: format!("there is no schema {:?}", settings.schema()),
                next: "Create it, or leave `skip_schema_creation` out".into(),
            }));
        }
        let sql = format!("CREATE SCHEMA {}", quoted(settings.schema()));
        client.batch_execute(&sql).await?;
    }
    let sql = "SELECT 1::BIGINT FROM pg_catalog.pg_class c
               JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = $1 AND c.relname = 'weir_schema'";
    let schema = param(Type::TEXT, settings.schema().to_owned());
    let mut from = 0;
    if !send(client, sql.into(), vec![schema]).await?.is_empty() {
        let sql = names.sql("SELECT version FROM @schema");
        let row = client.query_typed_one(&sql, &[]).await?;
        from = check_version(Some(row.try_get(0)?), place)?;
    } else if !settings.may_create_tables() {
        return Err(Trouble::from(StateError::Refused {
            path: place.into(),
            cause: format!(
                "there are no tables of weir in schema {:?}",
                settings.schema()
            ),
            next: "Leave `skip_table_creation` out for the first run".into(),
        }));
    }
    if from > 0 {
        let now = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::BIGINT";
        let now = statements::number(&client.query_typed_one(now, &[]).await?, 0)?;
        let sql = names.sql(&format!("{} WHERE ended IS NULL", statements::LEASE));
        let held = send(client, sql, Vec::new()).await?;
        let held = held.iter().map(statements::lease);
        let held = held.collect::<Result<Vec<_>, _>>()?;
        leases::refuse_held(held, place, time(now)).map_err(Trouble::Fault)?;
    }
    for sql in schema::MIGRATIONS.iter().skip(from as usize) {
        client.batch_execute(&names.sql(sql)).await?;
    }
    let sql = format!("UPDATE @schema SET version = {}; COMMIT", schema::version());
    Ok(client.batch_execute(&names.sql(&sql)).await?)
}

/// The id of the state of that name.
async fn find(
    client: &Client,
    names: &Names,
    id: &StateId,
    (absent, encryption): (Absent, &Encryption),
) -> Result<Option<i64>, Trouble> {
    loop {
        let sql = names.sql("SELECT id FROM @head WHERE stack = $1 AND workspace = $2");
        let params = vec![
            param(Type::TEXT, id.stack.clone()),
            param(Type::TEXT, id.workspace.to_string()),
        ];
        if let Some(row) = send(client, sql, params).await?.first() {
            return Ok(Some(row.try_get(0)?));
        }
        if absent == Absent::Tell {
            return Ok(None);
        }
        let head = Head::new(Lineage(uuid::Uuid::new_v4().to_string()));
        let (_, key) = Cipher::new(encryption).map_err(Trouble::Fault)?;
        let key: Vec<KeyRow> = key.into_iter().collect();
        let sql = names.sql(
            "WITH made AS (INSERT INTO @head (stack, workspace, lineage, serial, epoch, entries,
               commits, digest, sum, tag) VALUES ($1, $2, $3, 0, 0, 0, 0, $4, $5, '') RETURNING id)
             INSERT INTO @data_key (state, number, body, sum)
             SELECT made.id, k.* FROM made, unnest($6, $7, $8) k",
        );
        let params = vec![
            param(Type::TEXT, id.stack.clone()),
            param(Type::TEXT, id.workspace.to_string()),
            param(Type::TEXT, head.lineage.0.clone()),
            param(Type::BYTEA, head.digest.to_vec()),
            param(Type::BYTEA, head.sum().to_vec()),
            numbers(&key, |k| k.number),
            texts(&key, |k| k.body.clone()),
            bytes(&key, |k| k.sum.to_vec()),
        ];
        match send(client, sql, params).await {
            Ok(_) => {}
            // Another program was quicker: its state is the one.
            Err(e) if e.code() == Some(&SqlState::UNIQUE_VIOLATION) => {}
            Err(e) => return Err(e.into()),
        }
    }
}
