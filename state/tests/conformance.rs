//! The SQLite store is what a store must be.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use async_trait::async_trait;
use std::sync::Arc;
use weir_state::{
    Encryption, Options, SqliteStore, StateError, Store,
    conformance::{self, EXPIRY, Place},
    encryption::KeySource,
};

struct Folder(tempfile::TempDir);

#[async_trait]
impl Place for Folder {
    async fn open(&self) -> Result<Arc<dyn Store>, StateError> {
        let path = self.0.path().join("weir.state");
        Ok(Arc::new(SqliteStore::open_with(
            path,
            Options {
                expiry: EXPIRY,
                ..Options::default()
            },
        )?))
    }
}

/// As [`Folder`], encrypted with a key file.
struct Encrypted(tempfile::TempDir);

#[async_trait]
impl Place for Encrypted {
    async fn open(&self) -> Result<Arc<dyn Store>, StateError> {
        let key = self.0.path().join("key");
        KeySource::create_file(&key).unwrap();
        Ok(Arc::new(SqliteStore::open_with(
            self.0.path().join("weir.state"),
            Options {
                expiry: EXPIRY,
                encryption: Encryption::new(KeySource::File(key)),
            },
        )?))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sqlite_store_conforms() {
    conformance::all(&|| Box::new(Folder(tempfile::tempdir().unwrap())))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sqlite_store_conforms_when_it_is_encrypted() {
    conformance::all(&|| Box::new(Encrypted(tempfile::tempdir().unwrap())))
        .await
        .unwrap();
}
