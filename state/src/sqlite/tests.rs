//! What the statements of a commit cost, and the one row that no other crate sees.

use super::{open, rows};
use crate::format;

/// None of them walks over a table: their cost does not depend on how many rows there are.
#[test]
fn no_statement_of_a_commit_scans_a_table() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weir.state");
    let conn = open::open(&path, &crate::Encryption::default())
        .unwrap()
        .conn;
    for sql in [
        rows::SELECT_ITEM,
        rows::INSERT_ITEM,
        rows::DELETE_ITEM,
        rows::INSERT_PAST,
        rows::SELECT_OPEN,
        rows::INSERT_OPEN,
        rows::DELETE_OPEN,
        rows::INSERT_CLOSED,
    ] {
        let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let plan: Vec<String> = statement
            .query_map(
                rusqlite::params_from_iter(vec![0; sql.matches('?').count()]),
                |row| row.get("detail"),
            )
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        assert!(
            plan.iter().all(|step| !step.contains("SCAN")),
            "{sql}: {plan:?}"
        );
        if sql.starts_with("SELECT") {
            assert!(
                plan.iter().any(|step| step.contains("SEARCH")),
                "{sql}: {plan:?}"
            );
        }
    }
}

/// Beside the golden file of the other rows: this one never changes either.
#[test]
fn a_lease_is_written_as_it_ever_was() {
    for row in [
        concat!(
            r#"{"v1":{"holder":{"who":"ann","host":"h","pid":42,"purpose":"apply"},"since":100007,"#,
            r#""process":{"boot":"b","namespace":"pid:[1]","start":9}}}"#
        ),
        concat!(
            r#"{"v1":{"holder":{"who":"ann","host":"h","pid":42,"purpose":"apply"},"since":100007,"#,
            r#""process":null}}"#
        ),
    ] {
        let lease = format::lease_from_text(row).unwrap();
        assert_eq!(lease.holder.pid, 42);
        assert_eq!(format::lease_to_text(&lease), row);
    }
}

/// A store of the first version is brought to this one, and keeps what it holds.
#[test]
fn an_older_store_is_migrated() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weir.state");
    let open = || open::open(&path, &crate::Encryption::default()).unwrap();
    let first = open();
    first
        .conn
        .execute_batch(
            "DROP TABLE data_key; DROP TABLE scope; DROP INDEX past_until;
             DROP TRIGGER head_of_older; PRAGMA user_version = 1;",
        )
        .unwrap();
    drop(first.conn);
    let second = open();
    assert_eq!(second.head, first.head);
    assert!(rows::data_keys(&second.conn).unwrap().is_empty());
}
