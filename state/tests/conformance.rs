//! The SQLite store is what a store must be.

use async_trait::async_trait;
use std::sync::Arc;
use weir_state::{
    Options, SqliteStore, StateError, Store,
    conformance::{self, EXPIRY, Place},
};

struct Folder(tempfile::TempDir);

#[async_trait]
impl Place for Folder {
    async fn open(&self) -> Result<Arc<dyn Store>, StateError> {
        let path = self.0.path().join("weir.state");
        Ok(Arc::new(SqliteStore::open_with(
            path,
            Options { expiry: EXPIRY },
        )?))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sqlite_store_conforms() {
    conformance::all(&|| Box::new(Folder(tempfile::tempdir().unwrap())))
        .await
        .unwrap();
}
