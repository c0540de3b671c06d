//! Every store is what a store must be.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use async_trait::async_trait;
use common::{Spot, with_expiry};
use std::sync::Arc;
use weir_state::{
    Encryption, Options, StateError, Store,
    conformance::{self, EXPIRY, Place},
    encryption::KeySource,
};

struct At(Spot, Options);

impl At {
    fn plain(spot: Spot) -> At {
        At(spot, with_expiry(EXPIRY))
    }
    /// Encrypted with a key file.
    fn sealed(spot: Spot, keys: &tempfile::TempDir) -> At {
        let key = keys.path().join("key");
        KeySource::create_file(&key).unwrap();
        let options = Options {
            expiry: EXPIRY,
            encryption: Encryption::new(KeySource::File(key)),
        };
        At(spot, options)
    }
}

#[async_trait]
impl Place for At {
    async fn open(&self) -> Result<Arc<dyn Store>, StateError> {
        common::open(&self.0.name(), self.1.clone())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sqlite_store_conforms() {
    conformance::all(&|| Box::new(At::plain(Spot::file())))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sqlite_store_conforms_when_it_is_encrypted() {
    let keys = tempfile::tempdir().unwrap();
    conformance::all(&|| Box::new(At::sealed(Spot::file(), &keys)))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_postgres_store_conforms() {
    let Some(server) = common::shared_server() else {
        return;
    };
    conformance::all(&|| Box::new(At::plain(Spot::of(server.clone()).unwrap())))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_postgres_store_conforms_when_it_is_encrypted() {
    let (Some(server), keys) = (common::shared_server(), tempfile::tempdir().unwrap()) else {
        return;
    };
    conformance::all(&|| Box::new(At::sealed(Spot::of(server.clone()).unwrap(), &keys)))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_s3_store_conforms() {
    let Some(bucket) = common::shared_bucket() else {
        return;
    };
    conformance::all(&|| Box::new(At::plain(Spot::in_bucket(bucket.clone()))))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_web_store_conforms() {
    conformance::all(&|| Box::new(At::plain(Spot::web())))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_s3_store_conforms_when_it_is_encrypted() {
    let (Some(bucket), keys) = (common::shared_bucket(), tempfile::tempdir().unwrap()) else {
        return;
    };
    conformance::all(&|| Box::new(At::sealed(Spot::in_bucket(bucket.clone()), &keys)))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_web_store_conforms_when_it_is_encrypted() {
    let keys = tempfile::tempdir().unwrap();
    conformance::all(&|| Box::new(At::sealed(Spot::web(), &keys)))
        .await
        .unwrap();
}
