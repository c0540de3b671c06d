//! Making a store, and opening one that is there: nothing is trusted before it was checked.

use super::{
    mark::{self, Mark, beside},
    rows, schema,
};
use crate::{
    Encryption, StateError,
    rows::{BUSY_SECONDS, Cipher, Fault, Head, leases, reading},
};
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use std::{
    cell::RefCell,
    fs, io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};
use weir_core::snapshot::{Lineage, Snapshot};

/// A store that was checked.
pub(super) struct Opened {
    pub(super) conn: Connection,
    pub(super) head: Head,
    pub(super) cipher: Cipher,
    /// The state at that head, where the rows say one.
    pub(super) snapshot: Option<Snapshot>,
}

/// The connection to the store at this path, which is made if nothing is there.
pub(super) fn open(path: &Path, encryption: &Encryption) -> Result<Opened, StateError> {
    // The mark is read before anything else: it may move on while the database is opened.
    let mark = mark::read(path);
    match fs::metadata(path) {
        Ok(meta) if meta.len() == 0 => {
            return Err(damaged(path, "the file is empty: it was cut off"));
        }
        Ok(meta) if !meta.is_file() => {
            return Err(StateError::NotAState {
                path: path.into(),
                cause: "it is no regular file".into(),
            });
        }
        Ok(_) => {}
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            refuse_leftovers(path, mark.as_ref())?;
            create(path, encryption)?;
        }
        Err(e) => return Err(io_error(path, &e)),
    }
    let mut conn = connect(path).map_err(|e| e.at(path))?;
    let checked = check(&mut conn, path, mark.as_ref(), encryption).map_err(|e| match e {
        // With a good mark it can at least be told how far the state had come.
        Fault::Sql(e) => match (Fault::Sql(e).at(path), mark.as_ref()) {
            (StateError::Damaged { path, cause, .. }, Some(mark)) => StateError::Damaged {
                path,
                cause: format!("{cause} (it had come to serial {})", mark.serial),
                last_good: None,
            },
            (e, _) => e,
        },
        e => e.at(path),
    })?;
    let (head, cipher, snapshot) = checked;
    Ok(Opened {
        conn,
        head,
        cipher,
        snapshot,
    })
}

/// Without the file, what lies beside it says that there was one.
fn refuse_leftovers(path: &Path, mark: Option<&Mark>) -> Result<(), StateError> {
    let wal = beside(path, "-wal");
    if wal.exists() {
        return Err(damaged(
            path,
            format!("the file is gone, and {} is still there", wal.display()),
        ));
    }
    match mark {
        Some(mark) => Err(damaged(
            path,
            format!(
                "the file is gone: it was at serial {} (to start anew, remove {})",
                mark.serial,
                beside(path, "-mark").display()
            ),
        )),
        None => Ok(()),
    }
}

/// Makes an empty store under another name and then gives it its own: whoever looks sees no file
/// or a whole one, and an empty file is damage and never a new store.
fn create(path: &Path, encryption: &Encryption) -> Result<(), StateError> {
    if let Some(folder) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(|e| io_error(path, &e))?;
    }
    let lineage = Lineage(uuid::Uuid::new_v4().to_string());
    let draft = beside(path, &format!("-new-{lineage}"));
    let made = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)
        .map(drop)
        .map_err(|e| io_error(path, &e))
        .and_then(|()| fill(&draft, lineage, encryption).map_err(|e| e.at(path)))
        .and_then(|()| match fs::hard_link(&draft, path) {
            // Another process was quicker: its store is the one.
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => Err(io_error(path, &e)),
            _ => sync_folder(path).map_err(|e| io_error(path, &e)),
        });
    for file in [
        draft.clone(),
        beside(&draft, "-wal"),
        beside(&draft, "-shm"),
    ] {
        // What is left of the draft harms nobody.
        let _ = fs::remove_file(file);
    }
    made
}

fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => fs::File::open(folder)?.sync_all(),
        _ => fs::File::open(".")?.sync_all(),
    }
}

fn fill(draft: &Path, lineage: Lineage, encryption: &Encryption) -> Result<(), Fault> {
    let mut conn = Connection::open_with_flags(draft, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "application_id", schema::APPLICATION_ID)?;
    migrate(&mut conn, draft)?;
    let (_, key) = Cipher::new(encryption)?;
    if let Some(key) = key {
        rows::put_data_key(&conn, &key)?;
    }
    rows::write_head(&conn, &Head::new(lineage))?;
    // Kept in the file; from here on every connection uses the write-ahead log.
    conn.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    conn.close().map_err(|(_, e)| Fault::Sql(e))
}

/// Brings the tables up to date. Nobody holds a lease then; an older program that has the file open
/// can't write to it afterwards.
fn migrate(conn: &mut Connection, path: &Path) -> Result<(), Fault> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have been quicker, with a newer program even.
    let from = user_version(&tx)?;
    refuse_newer(from, path)?;
    if from > 0 {
        leases::refuse_held(rows::all_leases(&tx)?, path, SystemTime::now())?;
    }
    for sql in schema::MIGRATIONS.iter().skip(from as usize) {
        tx.execute_batch(sql)?;
    }
    tx.pragma_update(None, "user_version", schema::version())?;
    tx.commit()?;
    Ok(())
}

fn user_version(conn: &Connection) -> Result<u32, Fault> {
    let mut statement = conn.prepare_cached("PRAGMA user_version")?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

fn refuse_newer(found: u32, path: &Path) -> Result<(), Fault> {
    if found <= schema::version() {
        return Ok(());
    }
    Err(Fault::State(StateError::Newer {
        path: path.into(),
        found,
        known: schema::version(),
    }))
}

/// Refuses tables that a newer program brought up to date while this one had them open.
pub(super) fn check_version(conn: &Connection, path: &Path) -> Result<(), Fault> {
    refuse_newer(user_version(conn)?, path)
}

fn connect(path: &Path) -> Result<Connection, Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(Duration::from_secs(BUSY_SECONDS))?;
    conn.set_prepared_statement_cache_capacity(64);
    if conn.is_readonly("main")? {
        return Err(Fault::State(StateError::ReadOnly {
            path: path.into(),
            cause: "the file is read-only".into(),
        }));
    }
    // The checks go through the whole file, and then it is read: once from the disk, where it fits.
    conn.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;
         PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0; PRAGMA cache_size = -16384;
         PRAGMA secure_delete = ON;",
    )?;
    Ok(conn)
}

/// Whose file it is, which version, and whether every page and row is whole.
fn check(
    conn: &mut Connection,
    path: &Path,
    mark: Option<&Mark>,
    encryption: &Encryption,
) -> Result<(Head, Cipher, Option<Snapshot>), Fault> {
    let id: i32 = conn.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    if id != schema::APPLICATION_ID {
        return Err(Fault::State(StateError::NotAState {
            path: path.into(),
            cause: "it is a database of another program".into(),
        }));
    }
    let found = user_version(conn)?;
    refuse_newer(found, path)?;
    if found < schema::version() {
        check_pages(conn, mark)?;
        migrate(conn, path)?;
    }
    // One transaction, so that all of it is of one instant.
    let tx = conn.transaction()?;
    let mut pages = None;
    let read = read(&tx, encryption, &mut || {
        pages = Some(check_pages(&tx, mark))
    });
    // A page that is damaged says more than what could not be read because of it.
    pages.unwrap_or_else(|| check_pages(&tx, mark))?;
    let read = read?;
    drop(tx);
    check_mark(&read.0, path, mark)?;
    Ok(read)
}

/// Whether every page is whole.
fn check_pages(conn: &Connection, mark: Option<&Mark>) -> Result<(), Fault> {
    let quick: String = conn.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if quick == "ok" {
        return Ok(());
    }
    Err(Fault::damage(match mark {
        Some(mark) => format!("{quick} (it had come to serial {})", mark.serial),
        None => quick,
    }))
}

/// The head and the state at it. `meanwhile` is done while another core is busy with what was
/// read, if it comes to that.
fn read(
    conn: &Connection,
    encryption: &Encryption,
    meanwhile: &mut dyn FnMut(),
) -> Result<(Head, Cipher, Option<Snapshot>), Fault> {
    let head = rows::read_head(conn)?;
    let cipher = Cipher::unlock(encryption, &rows::data_keys(conn)?)?;
    let checking = rows::Checking {
        conn,
        cipher: RefCell::new(cipher),
    };
    // Why rows that are whole say no state is told to who asks for it.
    let snapshot = reading::examine(&checking, &head, meanwhile)?.ok();
    Ok((head, checking.cipher.into_inner(), snapshot))
}

fn check_mark(head: &Head, path: &Path, mark: Option<&Mark>) -> Result<(), Fault> {
    let Some(mark) = mark else { return Ok(()) };
    let file: PathBuf = beside(path, "-mark");
    let file = file.display();
    if mark.lineage != head.lineage.0 {
        return Err(Fault::damage(format!(
            "it is of lineage {}, and the state at this place was of lineage {} (if the change is \
             meant, remove {file})",
            head.lineage, mark.lineage
        )));
    }
    if mark.commits > head.commits {
        return Err(Fault::Damage {
            cause: format!(
                "it is at serial {}, and had come to serial {}: its -wal file was removed or cut, \
                 or an older copy was put back (if the older copy is meant, remove {file})",
                head.serial, mark.serial
            ),
            last_good: Some(head.serial()),
        });
    }
    Ok(())
}

fn damaged(path: &Path, cause: impl Into<String>) -> StateError {
    StateError::Damaged {
        path: path.into(),
        cause: cause.into(),
        last_good: None,
    }
}

fn io_error(path: &Path, e: &io::Error) -> StateError {
    let path = path.to_owned();
    match e.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StateError::Full { path },
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            StateError::ReadOnly {
                path,
                cause: e.to_string(),
            }
        }
        _ => StateError::Io {
            path,
            cause: e.to_string(),
        },
    }
}
