//! Real processes: killed, frozen, contending. The children are this test program itself, told by
//! the environment what to do.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "helpers of tests"
)]

mod common;

use common::{Spot, with_expiry};
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Lines, Write},
    process::{Child, ChildStdout, Command, Stdio},
    sync::Arc,
    time::{Duration, SystemTime},
};
use weir_core::{Known, Value, plan::Op};
use weir_state::{
    ApplyOutcome, ApplyRecord, Bundle, Ending, Holder, Options, Outcome, Retention, StateError,
    Store, Verdict, Wait,
    conformance::{address, begin, me, resource, step},
};

const ROLE: &str = "WEIR_STATE_TEST_ROLE";
const PLACE: &str = "WEIR_STATE_TEST_PLACE";
const ARGUMENT: &str = "WEIR_STATE_TEST_ARGUMENT";
const PATIENCE: Duration = Duration::from_secs(120);

/// A child process, killed when the test is over.
struct Role {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Role {
    fn start(role: &str, spot: &Spot, argument: &str) -> Role {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["child", "--exact", "--nocapture"])
            .env(ROLE, role)
            .env(PLACE, spot.name())
            .env(ARGUMENT, argument)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Role { child, lines }
    }
    /// The next line of the child that starts with `@`; `None` at its end.
    fn next(&mut self) -> Option<String> {
        loop {
            let line = self.lines.next()?.unwrap();
            // The harness may have written before it on the same line.
            if let Some((_, said)) = line.split_once('@') {
                return Some(said.to_owned());
            }
        }
    }
    fn say(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
    }
    fn signal(&self, signal: nix::sys::signal::Signal) {
        let pid = nix::unistd::Pid::from_raw(self.child.id().cast_signed());
        nix::sys::signal::kill(pid, signal).unwrap();
    }
    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        // It may be over already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Not a test of its own: what the children run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let Ok(role) = std::env::var(ROLE) else {
        return;
    };
    let place = std::env::var(PLACE).unwrap();
    let argument = std::env::var(ARGUMENT).unwrap();
    match role.as_str() {
        "journal" => write_journal(&place, &argument).await,
        "count" => count(&place).await,
        "hold" => hold(&place, &argument).await,
        "forget" => forget_the_past(&place).await,
        other => panic!("no such role: {other}"),
    }
}

/// Four tasks that begin and commit for ever, and say what was acknowledged.
async fn write_journal(place: &str, round: &str) {
    let store = common::open(place, Options::default()).unwrap();
    let lease = Arc::new(store.acquire(me("journal"), Wait::None).await.unwrap());
    println!("@lease {}", lease.epoch());
    let tasks: Vec<_> = (0..4)
        .map(|task| {
            let (store, lease, round) = (store.clone(), lease.clone(), round.to_owned());
            tokio::spawn(async move {
                for i in 0.. {
                    let name = format!("a.r{round}[\"{task}-{i}\"]");
                    let ids = store
                        .begin(&lease, vec![begin(&name, Op::Create)])
                        .await
                        .unwrap();
                    println!("@begun {} {name}", ids[0]);
                    let put = Outcome::Put(resource(&name, &[]));
                    let serial = store.commit(&lease, ids[0], put).await.unwrap();
                    println!("@committed {} {name} {serial}", ids[0]);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

/// Applies one thing again and again, and keeps no more than the latest two of that.
async fn forget_the_past(place: &str) {
    let store = common::open(place, Options::default()).unwrap();
    let keep = Retention {
        applies: 2,
        age: Duration::ZERO,
    };
    loop {
        let lease = store.acquire(me("apply"), Wait::None).await.unwrap();
        let left = store.open_entries().await.unwrap();
        for entry in left {
            store.settle(&lease, entry.id, Outcome::Kept).await.unwrap();
        }
        let text = format!("apply {}", lease.epoch());
        let put = Outcome::Put(resource(&text, &[]));
        let (_, serial) = step(&*store, &lease, begin("a.a", Op::Update), put)
            .await
            .unwrap();
        let bundle = Bundle {
            files: BTreeMap::from([("main.weir".to_owned(), text.clone())]),
            rest: "{}".into(),
        };
        let record = ApplyRecord {
            who: "ann".into(),
            started: SystemTime::now(),
            plan_digest: text,
            config_digest: String::new(),
            bundle: Some(bundle.digest()),
            outcome: ApplyOutcome::Succeeded,
            checks: None,
        };
        store.keep_bundle(&lease, bundle).await.unwrap();
        store.finish_apply(&lease, record).await.unwrap();
        println!("@applied {serial}");
        store.retain(&lease, keep).await.unwrap();
        println!("@forgot {serial}");
        store.release(lease).await.unwrap();
    }
}

/// Adds one to a counter twenty times, each time under a lease of its own.
async fn count(place: &str) {
    for _ in 0..20 {
        let store = common::open(place, Options::default()).unwrap();
        let lease = store
            .acquire(me("count"), Wait::UpTo(PATIENCE))
            .await
            .unwrap();
        let n = store
            .snapshot()
            .await
            .unwrap()
            .outputs
            .get("n")
            .and_then(|v| v.value().as_i64())
            .unwrap_or(0);
        let n = Known::new(Value::from(n + 1)).unwrap();
        store
            .set_outputs(&lease, BTreeMap::from([("n".to_owned(), n)]))
            .await
            .unwrap();
        store.release(lease).await.unwrap();
    }
    println!("@done");
}

/// Holds a lease and begins an entry for each line it reads.
async fn hold(place: &str, expiry_ms: &str) {
    let expiry = Duration::from_millis(expiry_ms.parse().unwrap());
    let store = common::open(place, with_expiry(expiry)).unwrap();
    let lease = store.acquire(me("hold"), Wait::None).await.unwrap();
    println!("@held {}", lease.epoch());
    for line in std::io::stdin().lines() {
        let name = line.unwrap();
        match store.begin(&lease, vec![begin(&name, Op::Create)]).await {
            Ok(_) => println!("@begun"),
            Err(StateError::LeaseLost { by }) => {
                println!("@lost to {}", by.map_or_else(String::new, |h| h.purpose));
            }
            Err(e) => panic!("{e}"),
        }
    }
}

/// What the children were told is true.
#[derive(Default)]
struct Acknowledged {
    begun: BTreeMap<u64, String>,
    committed: BTreeMap<u64, (String, u64)>,
    epochs: Vec<u64>,
}

impl Acknowledged {
    fn take(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["lease", epoch] => self.epochs.push(epoch.parse().unwrap()),
            ["begun", id, name] => {
                self.begun.insert(id.parse().unwrap(), (*name).to_owned());
            }
            ["committed", id, name, serial] => {
                let value = ((*name).to_owned(), serial.parse().unwrap());
                self.committed.insert(id.parse().unwrap(), value);
            }
            // A line that the kill has cut was not said.
            _ => {}
        }
    }

    /// Every acknowledged record is there, and no half one.
    async fn check(&self, store: &dyn Store) {
        let snapshot = store.snapshot().await.unwrap();
        let open = store.open_entries().await.unwrap();
        let mut closed = BTreeMap::new();
        for epoch in &self.epochs {
            for entry in store.closed_entries(*epoch).await.unwrap() {
                closed.insert(entry.id.0, entry);
            }
        }
        for (id, name) in &self.begun {
            let is_open = open
                .iter()
                .any(|e| e.id.0 == *id && e.begin == begin(name, Op::Create));
            let is_closed = closed.get(id).is_some_and(|e| e.address == address(name));
            assert!(is_open != is_closed, "entry {id} of {name} was begun");
        }
        for (id, (name, serial)) in &self.committed {
            assert_eq!(closed[id].serial.0, *serial, "{name} was committed");
            assert_eq!(
                snapshot.resources.get(&address(name)),
                Some(&resource(name, &[]))
            );
        }
        let puts: Vec<_> = closed
            .values()
            .filter(|e| e.verdict == Verdict::Put)
            .collect();
        assert_eq!(
            puts.len(),
            snapshot.resources.len(),
            "an entry for each resource"
        );
        assert_eq!(puts.len() as u64, snapshot.serial.0, "a serial for each");
        for entry in puts {
            assert!(snapshot.resources.contains_key(&entry.address));
        }
    }
}

/// Each of these on each store.
macro_rules! on_every_store {
    ($($case:ident)*) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                super::$case(&super::Spot::file()).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                if let Some(spot) = super::Spot::postgres() {
                    super::$case(&spot).await;
                }
            })*
        }
        mod s3 {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                if let Some(spot) = super::Spot::s3() {
                    super::$case(&spot).await;
                }
            })*
        }
        mod web {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                super::$case(&super::Spot::web()).await;
            })*
        }
    };
}

on_every_store! {
    a_killed_writer_loses_nothing_that_was_acknowledged
    processes_that_contend_take_turns
    a_killed_prune_leaves_all_that_is_to_be_kept
    a_dead_holder_is_taken_over_at_once
    a_holder_that_slept_through_its_expiry_cannot_write
}

/// kill -9 after each record of an apply of thirty resources, and at arbitrary moments: the next
/// process takes over at once, and finds all that was acknowledged.
async fn a_killed_writer_loses_nothing_that_was_acknowledged(spot: &Spot) {
    /// A beginning and an end for each resource.
    const RECORDS: u64 = 60;
    const ROUNDS: u64 = RECORDS + 24;
    let mut said = Acknowledged::default();
    for round in 0..ROUNDS {
        let mut child = Role::start("journal", spot, &round.to_string());
        // The first rounds stop at each record in turn, the later ones somewhere behind it.
        let at_each = round < RECORDS;
        let records = if at_each { round } else { round * 7 % 61 };
        for _ in 0..=records {
            said.take(&child.next().unwrap());
        }
        if !at_each {
            std::thread::sleep(Duration::from_micros(round * 7919 % 5000));
        }
        child.kill();
        while let Some(line) = child.next() {
            said.take(&line);
        }
        let store = spot.open();
        said.check(&*store).await;
        // What it left open is settled by the next run: nothing was made.
        let lease = store.acquire(me("settle"), Wait::None).await.unwrap();
        for entry in store.open_entries().await.unwrap() {
            store.settle(&lease, entry.id, Outcome::Kept).await.unwrap();
        }
        store.release(lease).await.unwrap();
    }
    assert!(said.committed.len() > 60, "the children did commit");
    let store = spot.open();
    let log = store.leases().await.unwrap();
    let died = log
        .iter()
        .filter(|l| matches!(l.ended, Some((_, Ending::HolderDied { .. }))))
        .count();
    assert_eq!(died as u64, ROUNDS, "each take-over is in the log");
}

async fn a_killed_prune_leaves_all_that_is_to_be_kept(spot: &Spot) {
    let (mut said, mut forgot) = (0, 0);
    for round in 0..16_u64 {
        let mut child = Role::start("forget", spot, "");
        let mut hear = |line: String| {
            if let Some(serial) = line.strip_prefix("applied ") {
                said = serial.parse().unwrap();
            }
            forgot += u64::from(line.starts_with("forgot "));
        };
        for _ in 0..=round % 5 {
            hear(child.next().unwrap());
        }
        std::thread::sleep(Duration::from_micros(round * 7919 % 20_000));
        child.kill();
        while let Some(line) = child.next() {
            hear(line);
        }
        let store = spot.open();
        assert!(store.snapshot().await.unwrap().serial.0 >= said);
        let history = store.history().await.unwrap();
        let last = history.last().unwrap();
        assert!(last.serial.0 >= said, "the latest apply is in the history");
        for applied in &history {
            let state = store.snapshot_at(applied.serial).await.unwrap();
            let text = &applied.record.plan_digest;
            assert_eq!(state.resources[&address("a.a")], resource(text, &[]));
            let bundle = applied.record.bundle.as_deref().unwrap();
            let bundle = store.bundle(bundle).await.unwrap().unwrap();
            assert_eq!(bundle.files["main.weir"], *text);
            let done = store.closed_entries(applied.epoch).await.unwrap();
            assert!(done.iter().any(|e| e.serial == applied.serial));
        }
    }
    assert!(forgot > 8, "the children did prune");
    let store = spot.open();
    assert!(store.history().await.unwrap().len() <= 4);
    let (all, last) = (store.leases().await.unwrap(), said);
    assert!((all.len() as u64) < last, "{} leases at {last}", all.len());
}

async fn processes_that_contend_take_turns(spot: &Spot) {
    // The file does not exist yet: they contend for making it as well.
    let mut children: Vec<Role> = (0..3).map(|_| Role::start("count", spot, "")).collect();
    for child in &mut children {
        assert_eq!(child.next().as_deref(), Some("done"));
    }
    drop(children);
    let store = spot.open();
    let n = store.snapshot().await.unwrap().outputs["n"]
        .value()
        .as_i64();
    assert_eq!(n, Some(60), "no one wrote over another");
    let log = store.leases().await.unwrap();
    assert_eq!(log.len(), 60);
    assert!(
        log.iter()
            .all(|l| matches!(l.ended, Some((_, Ending::Released))))
    );
    let Spot::File(folder) = spot else { return };
    let left: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("-new-"))
        .collect();
    assert_eq!(left, Vec::<String>::new(), "drafts are cleared away");
}

async fn a_dead_holder_is_taken_over_at_once(spot: &Spot) {
    let mut child = Role::start("hold", spot, "3600000");
    assert_eq!(child.next().as_deref(), Some("held 1"));
    let store = spot.open();
    let alive = store.acquire(me("apply"), Wait::None).await;
    assert!(matches!(alive, Err(StateError::Locked { .. })), "{alive:?}");
    child.kill();
    // From another host's point of view it is not known whether it lives.
    let elsewhere = Holder {
        host: "elsewhere".into(),
        ..me("apply")
    };
    let unknown = store.acquire(elsewhere, Wait::None).await;
    assert!(
        matches!(unknown, Err(StateError::Locked { .. })),
        "{unknown:?}"
    );
    let lease = store.acquire(me("apply"), Wait::None).await.unwrap();
    assert_eq!(lease.epoch(), 2);
    let log = store.leases().await.unwrap();
    assert!(
        matches!(&log[0].ended, Some((_, Ending::HolderDied { by })) if *by == me("apply")),
        "{log:?}"
    );
}

async fn a_holder_that_slept_through_its_expiry_cannot_write(spot: &Spot) {
    use nix::sys::signal::Signal;
    let mut child = Role::start("hold", spot, "1000");
    assert_eq!(child.next().as_deref(), Some("held 1"));
    child.say("a.before");
    assert_eq!(child.next().as_deref(), Some("begun"));
    let store = spot.open();
    // Frozen in the middle of a transaction it would keep the file locked: then let it finish.
    let lease = loop {
        child.signal(Signal::SIGSTOP);
        match store.acquire(me("taker"), Wait::UpTo(PATIENCE)).await {
            Ok(lease) => break lease,
            Err(StateError::Busy { .. }) => child.signal(Signal::SIGCONT),
            Err(e) => panic!("{e}"),
        }
    };
    child.signal(Signal::SIGCONT);
    child.say("a.after");
    assert_eq!(child.next().as_deref(), Some("lost to taker"));
    let open = store.open_entries().await.unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].begin.address, address("a.before"));
    let log = store.leases().await.unwrap();
    assert!(
        matches!(log[0].ended, Some((_, Ending::Expired { .. }))),
        "{log:?}"
    );
    store
        .settle(&lease, open[0].id, Outcome::Kept)
        .await
        .unwrap();
}
