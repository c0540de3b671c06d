//! The Postgres store and its server: crashes, lost connections, and what it says of what is wrong.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "helpers of tests")]

mod common;

use common::{Spot, id, server, settings, with_expiry};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use weir_core::plan::Op;
use weir_state::{
    Backend, EntryId, Options, Outcome, PostgresBackend, PostgresSettings, PostgresStore,
    StateError, Store, Verdict, Wait, Workspace,
    conformance::{Server, address, begin, me, resource, step},
};

/// Writes from four tasks until told to stop; what was acknowledged.
async fn write_until(
    store: Arc<dyn Store>,
    stop: Arc<AtomicBool>,
) -> BTreeMap<EntryId, (String, u64)> {
    let lease = Arc::new(store.acquire(me("apply"), Wait::None).await.unwrap());
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..4 {
        let (store, lease, stop) = (store.clone(), lease.clone(), stop.clone());
        tasks.spawn(async move {
            let mut done = Vec::new();
            for i in 0.. {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let name = format!("a.r[\"{task}-{i}\"]");
                let put = Outcome::Put(resource(&name, &[]));
                let (id, serial) = step(&*store, &lease, begin(&name, Op::Create), put)
                    .await
                    .unwrap();
                done.push((id, (name, serial.0)));
            }
            done
        });
    }
    tasks.join_all().await.into_iter().flatten().collect()
}

/// No write is lost, none is done twice, and none even fails, while `disturb` is at work.
async fn survives(spot: &Spot, disturb: impl Fn(&Server) + Send + 'static) {
    let Spot::Postgres { server, .. } = spot else {
        panic!("only a server can be disturbed");
    };
    let (server, stop) = (server.clone(), Arc::new(AtomicBool::new(false)));
    let writing = tokio::spawn(write_until(spot.open(), stop.clone()));
    tokio::task::spawn_blocking(move || disturb(&server))
        .await
        .unwrap();
    stop.store(true, Ordering::Relaxed);
    let done = writing.await.unwrap();
    assert!(done.len() > 20, "only {} writes", done.len());
    let store = spot.open();
    let snapshot = store.snapshot().await.unwrap();
    let closed = store.closed_entries(1).await.unwrap();
    assert!(store.open_entries().await.unwrap().is_empty());
    assert_eq!(closed.len(), done.len(), "each entry is there once");
    assert_eq!(snapshot.resources.len(), done.len());
    assert_eq!(
        snapshot.serial.0,
        done.len() as u64,
        "no write was done twice"
    );
    for entry in closed {
        let (name, serial) = &done[&entry.id];
        assert_eq!((&entry.address, entry.serial.0), (&address(name), *serial));
        assert_eq!(entry.verdict, Verdict::Put);
        assert!(snapshot.resources.contains_key(&entry.address));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_crashes_in_mid_apply_costs_nothing() {
    let Some(spot) = server().and_then(Spot::of) else {
        return;
    };
    survives(&spot, |server| {
        for round in 0..6_u64 {
            std::thread::sleep(Duration::from_millis(150 + round * 37));
            server.crash_and_restart().unwrap();
        }
    })
    .await;
}

/// Connections are cut at hundreds of moments: before a commit is sent, and before it is answered.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_cut_costs_nothing() {
    let Some(spot) = server().and_then(Spot::of) else {
        return;
    };
    survives(&spot, |server| {
        server
            .sql(
                "postgres",
                "DO $$ BEGIN FOR i IN 1..300 LOOP
                   PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
                     WHERE application_name = 'weir';
                   PERFORM pg_stat_clear_snapshot();
                   PERFORM pg_sleep(random() * 0.02);
                 END LOOP; END $$",
            )
            .unwrap();
    })
    .await;
}

/// A server that stays away is told within the lease's life, and the next run finds what was.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stays_away_is_told() {
    let Some(server) = server() else { return };
    let spot = Spot::of(server.clone()).unwrap();
    let options = with_expiry(Duration::from_secs(2));
    let store = common::open(&spot.name(), options).unwrap();
    let lease = store.acquire(me("apply"), Wait::None).await.unwrap();
    let ids = store
        .begin(&lease, vec![begin("a.a", Op::Create)])
        .await
        .unwrap();
    server.crash().unwrap();
    let put = Outcome::Put(resource("a.a", &[]));
    match store.commit(&lease, ids[0], put.clone()).await {
        Err(e @ StateError::Unreachable { .. }) => {
            assert!(
                e.to_string().contains("Make sure that the server runs"),
                "{e}"
            );
        }
        other => panic!("{other:?}"),
    }
    server.restart().unwrap();
    // Nobody took over: the lease is still the current one.
    let result = store.commit(&lease, ids[0], put).await;
    assert!(result.is_ok(), "{result:?}");
    assert_eq!(store.snapshot().await.unwrap().resources.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_rounds_carry_a_whole_group() {
    let Some(spot) = Spot::postgres() else { return };
    let Spot::Postgres { server, stack } = &spot else {
        return;
    };
    let store = PostgresStore::open(settings(&server.url()), &id(stack), Options::default());
    let store = Arc::new(store.unwrap());
    let lease = Arc::new(store.acquire(me("apply"), Wait::None).await.unwrap());
    let mut tasks = tokio::task::JoinSet::new();
    for i in 0..400 {
        let (store, lease) = (store.clone(), lease.clone());
        tasks.spawn(async move {
            let name = format!("a.r[{i}]");
            let put = Outcome::Put(resource(&name, &[]));
            step(&*store, &lease, begin(&name, Op::Create), put)
                .await
                .unwrap();
        });
    }
    tasks.join_all().await;
    let stats = store.stats();
    assert_eq!(stats.writes, 801);
    assert!(stats.transactions < 200, "{stats:?}");
    assert_eq!(store.snapshot().await.unwrap().resources.len(), 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn stacks_and_workspaces_of_one_database_are_kept_apart() {
    let Some(server) = server() else { return };
    let one = PostgresBackend::new(settings(&server.url()), "one", Options::default());
    let two = PostgresBackend::new(settings(&server.url()), "two", Options::default());
    let (default, other) = (Workspace::default(), "other".parse::<Workspace>().unwrap());
    assert!(one.workspaces().await.unwrap().is_empty());
    assert!(one.open_existing(&default).await.unwrap().is_none());
    for (backend, workspace, name) in [
        (&one, &default, "a.one"),
        (&one, &other, "a.other"),
        (&two, &default, "a.two"),
    ] {
        let store = backend.open(workspace).await.unwrap();
        let lease = store.acquire(me("apply"), Wait::None).await.unwrap();
        let put = Outcome::Put(resource(name, &[]));
        step(&*store, &lease, begin(name, Op::Create), put)
            .await
            .unwrap();
        // Each of them holds its lease while the next one takes its own.
        std::mem::forget(lease);
    }
    assert_eq!(
        one.workspaces().await.unwrap(),
        [default.clone(), other.clone()]
    );
    one.delete(&other).await.unwrap();
    one.delete(&other).await.unwrap();
    assert!(one.open_existing(&other).await.unwrap().is_none());
    for (backend, name) in [(&one, "a.one"), (&two, "a.two")] {
        let store = backend.open_existing(&default).await.unwrap().unwrap();
        let snapshot = store.snapshot().await.unwrap();
        assert_eq!(
            snapshot.resources.keys().collect::<Vec<_>>(),
            [&address(name)]
        );
    }
}

/// What is changed behind weir's back shows, and nothing is overwritten.
#[tokio::test(flavor = "multi_thread")]
async fn damage_is_told() {
    let Some(server) = server() else { return };
    for (name, sql, words, last_good) in [
        (
            "flip",
            "UPDATE weir.weir_item SET body = replace(body, 's3cr3t', 'public') WHERE serial = 3",
            "a.r[2] fails its checksum",
            Some(2),
        ),
        (
            "gone",
            "DELETE FROM weir.weir_item WHERE serial = 3",
            "rows are missing or out of date",
            None,
        ),
        (
            "entry",
            "DELETE FROM weir.weir_open_entry",
            "rows are missing or out of date",
            None,
        ),
        (
            "head",
            "UPDATE weir.weir_head SET serial = serial - 1",
            "says at which serial it is fails its checksum",
            None,
        ),
    ] {
        let of_it = |table: &str| {
            format!("state = (SELECT id FROM weir.weir_{table} WHERE stack = '{name}')")
        };
        let spot = Spot::Postgres {
            server: server.clone(),
            stack: name.into(),
        };
        let store = spot.open();
        let lease = store.acquire(me("apply"), Wait::None).await.unwrap();
        for i in 0..5 {
            let text = format!("a.r[{i}]");
            let put = Outcome::Put(resource(&text, &[]));
            step(&*store, &lease, begin(&text, Op::Create), put)
                .await
                .unwrap();
        }
        store
            .begin(&lease, vec![begin("a.open", Op::Create)])
            .await
            .unwrap();
        let narrowed = match sql.contains("weir_head") {
            true => format!("{sql} WHERE stack = '{name}'"),
            false if sql.contains("WHERE") => format!("{sql} AND {}", of_it("head")),
            false => format!("{sql} WHERE {}", of_it("head")),
        };
        server.sql("postgres", &narrowed).unwrap();
        match store.snapshot().await {
            Err(StateError::Damaged {
                cause,
                last_good: found,
                ..
            }) => {
                assert!(cause.contains(words), "{name}: {cause}");
                assert_eq!(found.map(|s| s.0), last_good, "{name}");
            }
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_schema_is_refused_in_mid_apply_too() {
    let Some(server) = server() else { return };
    let spot = Spot::of(server.clone()).unwrap();
    let store = spot.open();
    let lease = store.acquire(me("apply"), Wait::None).await.unwrap();
    server
        .sql("postgres", "UPDATE weir.weir_schema SET version = 99")
        .unwrap();
    let refused = store.begin(&lease, vec![begin("a.a", Op::Create)]).await;
    assert!(
        matches!(refused, Err(StateError::Newer { found: 99, .. })),
        "{refused:?}"
    );
    let opened = common::open(&spot.name(), Options::default());
    assert!(matches!(opened, Err(StateError::Newer { found: 99, .. })));
}

fn refusal(url: &str, password: Option<&str>) -> String {
    let variable = |name: &str| {
        (name == "PGPASSWORD")
            .then(|| password.map(str::to_owned))
            .flatten()
    };
    let settings = PostgresSettings::new(url, &variable).unwrap();
    match PostgresStore::open(settings, &id("s"), with_expiry(Duration::from_millis(300))) {
        Err(e) => e.to_string(),
        Ok(_) => panic!("{url} was opened"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_refuses_is_told_with_the_next_step() {
    let Some(server) = server() else { return };
    server
        .sql("postgres", "CREATE ROLE ann LOGIN PASSWORD 'right'")
        .unwrap();
    server
        .sql("postgres", "REVOKE CREATE ON DATABASE postgres FROM PUBLIC")
        .unwrap();
    server
        .sql("postgres", "CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
        .unwrap();
    let hba = server.data().join("pg_hba.conf");
    std::fs::write(&hba, "local all ann scram-sha-256\nlocal all all trust\n").unwrap();
    server.sql("postgres", "SELECT pg_reload_conf()").unwrap();
    let host = server.folder().display().to_string();
    let at = |user: &str, database: &str| format!("host={host} user={user} dbname={database}");
    for (url, password, words) in [
        (
            at("weir", "nowhere"),
            None,
            vec!["\"nowhere\" does not exist", "createdb"],
        ),
        (
            at("ann", "postgres"),
            Some("wrong"),
            vec!["password authentication failed", "PGPASSWORD"],
        ),
        (at("ann", "postgres"), None, vec!["password", "PGPASSWORD"]),
        (
            at("ann", "postgres"),
            Some("right"),
            vec!["permission denied", "Grant the role"],
        ),
        (
            at("weir", "latin"),
            None,
            vec!["LATIN1", "createdb -E UTF8"],
        ),
        (
            "host=/nowhere user=weir".to_owned(),
            None,
            vec!["can't be reached", "server runs"],
        ),
        (
            "host=127.0.0.1 port=1 user=weir".to_owned(),
            None,
            vec!["refused", "server runs"],
        ),
    ] {
        let said = refusal(&url, password);
        for word in words {
            assert!(said.contains(word), "{url}: {said}");
        }
    }
    // Who may not make a schema can use one that is there.
    server
        .sql("postgres", "CREATE SCHEMA anns AUTHORIZATION ann")
        .unwrap();
    let settings = PostgresSettings::new(&at("ann", "postgres"), &|name| {
        (name == "PGPASSWORD").then(|| "right".into())
    })
    .unwrap()
    .with_schema("anns")
    .unwrap();
    let store = PostgresStore::open(settings, &id("s"), Options::default()).unwrap();
    assert!(store.snapshot().await.unwrap().resources.is_empty());
}

/// Encrypted, and with what is asked of the server's certificate.
#[tokio::test(flavor = "multi_thread")]
async fn tls_is_as_sslmode_says() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let openssl = |args: &str| {
        let made = std::process::Command::new("openssl")
            .args(args.split(' '))
            .stderr(std::process::Stdio::null())
            .status();
        made.is_ok_and(|status| status.success())
    };
    let subject = "-subj /CN=localhost -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE";
    let new = "req -x509 -newkey rsa:2048 -nodes -days 2";
    if !openssl(&format!(
        "{new} {subject} -keyout {} -out {}",
        file("key"),
        file("crt")
    )) {
        eprintln!("SKIPPED, TLS is not tested: there is no openssl");
        return;
    }
    assert!(openssl(&format!(
        "{new} {subject} -keyout {} -out {}",
        file("key2"),
        file("other")
    )));
    let Some(server) = server() else { return };
    for (name, text) in [("server.crt", "crt"), ("server.key", "key")] {
        // Written into the server's own files: they keep its owner and mode.
        let body = std::fs::read_to_string(file(text)).unwrap();
        let copy = format!(
            "COPY (SELECT unnest(string_to_array($t${}$t$, E'\\n'))) TO '{}'",
            body.trim(),
            server.data().join(name).display()
        );
        server.sql("postgres", &copy).unwrap();
        server
            .sql(
                "postgres",
                &format!(
                    "COPY (SELECT 1) TO PROGRAM 'chmod 600 {}'",
                    server.data().join(name).display()
                ),
            )
            .unwrap();
    }
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    for set in [
        "ssl = on".to_owned(),
        "listen_addresses = '127.0.0.1'".into(),
        format!("port = {port}"),
    ] {
        server
            .sql("postgres", &format!("ALTER SYSTEM SET {set}"))
            .unwrap();
    }
    let hba = server.data().join("pg_hba.conf");
    std::fs::write(
        &hba,
        "hostssl all all 127.0.0.1/32 trust\nlocal all all trust\n",
    )
    .unwrap();
    server.restart_with_own_settings().unwrap();
    for (parameters, words) in [
        ("sslmode=disable".to_owned(), Some("no pg_hba.conf entry")),
        (String::new(), None),
        ("sslmode=prefer".to_owned(), None),
        ("sslmode=require".to_owned(), None),
        (
            format!("sslmode=require&sslrootcert={}", file("other")),
            Some("certificate"),
        ),
        (
            format!("sslmode=verify-ca&sslrootcert={}", file("crt")),
            None,
        ),
        (
            format!("sslmode=verify-full&sslrootcert={}", file("crt")),
            Some("certificate"),
        ),
        (
            format!(
                "hostaddr=127.0.0.1&host=localhost&sslmode=verify-full&sslrootcert={}",
                file("crt")
            ),
            None,
        ),
        (
            format!("sslmode=verify-full&sslrootcert={}", file("nothing")),
            Some("can't be read"),
        ),
        ("sslmode=verify-full".to_owned(), Some("certificate")),
    ] {
        let url = format!("postgres://weir@127.0.0.1:{port}/postgres?{parameters}");
        let opened = PostgresStore::open(
            settings(&url),
            &id("tls"),
            with_expiry(Duration::from_secs(1)),
        );
        match (opened.map(drop), words) {
            (Ok(()), None) => {}
            (Err(e), Some(words)) => assert!(e.to_string().contains(words), "{parameters}: {e}"),
            (other, _) => panic!("{parameters}: {other:?}"),
        }
    }
}
