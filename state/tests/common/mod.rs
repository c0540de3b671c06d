//! Places for stores under test: named by a text, so that another process can open them too.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests, each of which uses some"
)]

use std::{
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use weir_state::{
    HttpSettings, HttpStore, Options, PostgresSettings, PostgresStore, S3Options, S3Settings,
    S3Store, SqliteStore, StateError, StateId, Store, Workspace,
    conformance::{Bucket, Server, WebServer},
};

/// A place for one store, empty at first.
pub(crate) enum Spot {
    File(tempfile::TempDir),
    Postgres {
        server: Arc<Server>,
        stack: String,
    },
    S3 {
        bucket: Arc<Bucket>,
        key: String,
    },
    /// On the web server of this test program, under this name.
    Web(WebServer, String),
}

impl Spot {
    pub(crate) fn file() -> Spot {
        Spot::File(tempfile::tempdir().unwrap())
    }

    /// A state of its own in the server of this test program; `None`, said loudly, where there is
    /// no Postgres.
    pub(crate) fn postgres() -> Option<Spot> {
        Spot::of(shared_server()?)
    }

    pub(crate) fn of(server: Arc<Server>) -> Option<Spot> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let stack = format!("stack-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        Some(Spot::Postgres { server, stack })
    }

    /// A key of its own in the bucket of this test program; `None`, said loudly, where there is
    /// no server of S3.
    pub(crate) fn s3() -> Option<Spot> {
        Some(Spot::in_bucket(shared_bucket()?))
    }

    pub(crate) fn in_bucket(bucket: Arc<Bucket>) -> Spot {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let key = format!("stack {}/weir.state", COUNT.fetch_add(1, Ordering::Relaxed));
        Spot::S3 { bucket, key }
    }

    /// A state of its own on a web server.
    pub(crate) fn web() -> Spot {
        static SERVER: LazyLock<WebServer> = LazyLock::new(|| WebServer::start().unwrap());
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("state-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        Spot::Web(SERVER.clone(), name)
    }

    /// By which [`open`] finds it.
    pub(crate) fn name(&self) -> String {
        match self {
            Spot::File(folder) => folder.path().join("weir.state").display().to_string(),
            Spot::Postgres { server, stack } => format!("postgres {stack} {}", server.url()),
            Spot::S3 { bucket, key } => format!("s3 {} {key}", bucket.endpoint()),
            Spot::Web(server, name) => server.address(name),
        }
    }

    pub(crate) fn open(&self) -> Arc<dyn Store> {
        open(&self.name(), Options::default()).unwrap()
    }
}

/// Opens the store of that name.
pub(crate) fn open(name: &str, options: Options) -> Result<Arc<dyn Store>, StateError> {
    if let Some(rest) = name.strip_prefix("s3 ") {
        let (endpoint, key) = rest.split_once(' ').unwrap();
        let settings = s3_settings(endpoint, key);
        return Ok(Arc::new(S3Store::open(
            settings,
            &Workspace::default(),
            options,
        )?));
    }
    if name.starts_with("http://") {
        return Ok(Arc::new(HttpStore::open(web(name), options)?));
    }
    let Some(rest) = name.strip_prefix("postgres ") else {
        return Ok(Arc::new(SqliteStore::open_with(name, options)?));
    };
    let (stack, url) = rest.split_once(' ').unwrap();
    let store = PostgresStore::open(settings(url), &id(stack), options)?;
    Ok(Arc::new(store))
}

/// As GitLab has its states locked.
pub(crate) fn web(address: &str) -> HttpSettings {
    let setting = |name: &str| match name {
        "address" => Some(address.to_owned()),
        "lock_address" | "unlock_address" => Some(format!("{address}/lock")),
        "lock_method" => Some("POST".to_owned()),
        "unlock_method" => Some("DELETE".to_owned()),
        _ => None,
    };
    HttpSettings::new(&setting, &|_| None).unwrap()
}

pub(crate) fn with_expiry(expiry: Duration) -> Options {
    Options {
        expiry,
        ..Options::default()
    }
}

pub(crate) fn settings(url: &str) -> PostgresSettings {
    PostgresSettings::new(url, &|_| None).unwrap()
}

pub(crate) fn s3_settings(endpoint: &str, key: &str) -> S3Settings {
    S3Settings::new(s3_options(endpoint, key), &|_| None).unwrap()
}

pub(crate) fn s3_options(endpoint: &str, key: &str) -> S3Options {
    S3Options {
        bucket: Bucket::NAME.into(),
        key: key.into(),
        endpoint: Some(endpoint.into()),
        access_key: Some("weir".into()),
        secret_key: Some("s3cr3t".into()),
        ..S3Options::default()
    }
}

pub(crate) fn id(stack: &str) -> StateId {
    StateId {
        stack: stack.into(),
        workspace: Workspace::default(),
    }
}

/// A server, or a loud word.
pub(crate) fn server() -> Option<Arc<Server>> {
    match Server::start() {
        Ok(server) => Some(Arc::new(server)),
        Err(why) => {
            eprintln!("SKIPPED, nothing of Postgres is tested: {why}");
            assert!(
                std::env::var_os("WEIR_TEST_POSTGRES").is_none(),
                "WEIR_TEST_POSTGRES is set, so it must be: {why}"
            );
            None
        }
    }
}

/// One server for all tests of this program; it goes with the last of them.
pub(crate) fn shared_server() -> Option<Arc<Server>> {
    static SERVER: LazyLock<std::sync::Mutex<std::sync::Weak<Server>>> =
        LazyLock::new(std::sync::Mutex::default);
    let mut shared = SERVER.lock().unwrap();
    if let Some(server) = shared.upgrade() {
        return Some(server);
    }
    let server = server()?;
    *shared = Arc::downgrade(&server);
    Some(server)
}

/// A server with a bucket, or a loud word.
pub(crate) fn bucket() -> Option<Arc<Bucket>> {
    match Bucket::start() {
        Ok(bucket) => Some(Arc::new(bucket)),
        Err(why) => {
            eprintln!("SKIPPED, nothing of S3 is tested: {why}");
            assert!(
                std::env::var_os("WEIR_TEST_S3").is_none(),
                "WEIR_TEST_S3 is set, so it must be: {why}"
            );
            None
        }
    }
}

/// One bucket for all tests of this program; its server goes with the last of them.
pub(crate) fn shared_bucket() -> Option<Arc<Bucket>> {
    static BUCKET: LazyLock<std::sync::Mutex<std::sync::Weak<Bucket>>> =
        LazyLock::new(std::sync::Mutex::default);
    let mut shared = BUCKET.lock().unwrap();
    if let Some(bucket) = shared.upgrade() {
        return Some(bucket);
    }
    let bucket = bucket()?;
    *shared = Arc::downgrade(&bucket);
    Some(bucket)
}
