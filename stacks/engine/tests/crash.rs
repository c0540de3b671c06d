//! The process dies at every record of the journal; the next run finds out what was done.
//!
//! Each case starts this test program again as a child that aborts itself at the n-th record
//! (before it is written, or after), then applies once more and demands that nothing was made
//! twice, nothing is lost, and nothing is left to do.
#![allow(clippy::unwrap_used)]

mod common;

use common::{World, thing};
use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;
use weir_engine::{Point, Probe};
use weir_state::{Holder, StateError, Store, Wait};

const FOLDER: &str = "WEIR_TEST_CRASH_FOLDER";
const STACK: &str = "WEIR_TEST_CRASH_STACK";
const POINT: &str = "WEIR_TEST_CRASH_POINT";

/// Aborts the process at the n-th moment.
struct Killer {
    left: AtomicUsize,
}
impl Probe for Killer {
    fn at(&self, _: Point<'_>) {
        if self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            std::process::abort();
        }
    }
}

/// The child: not a test of its own.
#[tokio::test]
#[ignore = "the child that the others start"]
async fn child() {
    let (Ok(folder), Ok(stack), Ok(point)) = (
        std::env::var(FOLDER),
        std::env::var(STACK),
        std::env::var(POINT),
    ) else {
        return;
    };
    let world = World::at(Path::new(&folder));
    let killer = Killer {
        left: AtomicUsize::new(point.parse().unwrap()),
    };
    let engine = world.engine().with_probe(Arc::new(killer));
    let lease = world.lease().await;
    let planned = engine.plan(&world.input(&stack), &lease).await.unwrap();
    engine
        .apply(&planned, &lease, CancellationToken::new())
        .await
        .unwrap();
    world.store.release(lease).await.unwrap();
}

/// Runs the child; whether it came to its end without being killed.
fn run_child(folder: &Path, stack: &str, point: usize) -> bool {
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "child",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(FOLDER, folder)
        .env(STACK, stack)
        .env(POINT, point.to_string())
        .output()
        .unwrap();
    use std::os::unix::process::ExitStatusExt as _;
    let killed = output.status.signal() == Some(6);
    assert!(
        killed || output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    !killed
}

/// The lease of a child that is frozen ends so soon.
const EXPIRY: Duration = Duration::from_millis(400);
const PATIENCE: Duration = Duration::from_secs(60);

/// Beside the stack once a frozen process is to go on.
const THAW: &str = "thaw";

/// Freezes the process at the n-th moment, as a host does that is suspended.
struct Freezer {
    left: AtomicUsize,
    thaw: PathBuf,
}
impl Probe for Freezer {
    fn at(&self, _: Point<'_>) {
        if self.left.fetch_sub(1, Ordering::SeqCst) == 1 {
            signal("STOP", std::process::id());
            // The signal goes to any of the threads: where the machine is busy this one could go
            // on for a while before that one has stopped all.
            while !self.thaw.exists() {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }
}

fn signal(name: &str, pid: u32) {
    let kill = Command::new("kill")
        .args([format!("-{name}"), pid.to_string()])
        .status();
    assert!(kill.unwrap().success());
}

/// The child: not a test of its own.
#[tokio::test]
#[ignore = "the child that the others start"]
async fn child_that_freezes() {
    let (Ok(folder), Ok(stack), Ok(point)) = (
        std::env::var(FOLDER),
        std::env::var(STACK),
        std::env::var(POINT),
    ) else {
        return;
    };
    let mut world = World::at(Path::new(&folder)).expiring(EXPIRY);
    world.parallelism = 1;
    let freezer = Freezer {
        left: AtomicUsize::new(point.parse().unwrap()),
        thaw: Path::new(&folder).join(THAW),
    };
    let engine = world.engine().with_probe(Arc::new(freezer));
    let lease = world.lease().await;
    let planned = engine.plan(&world.input(&stack), &lease).await.unwrap();
    let stop = CancellationToken::new();
    let report = engine.apply(&planned, &lease, stop).await;
    let lost = match report {
        Ok(report) => report.diagnostics.to_string().contains("lease"),
        Err(errors) => errors.to_string().contains("lease"),
    };
    std::process::exit(if lost { 7 } else { 0 });
}

/// A process that is frozen outlives nobody.
struct KilledAtEnd(std::process::Child);
impl Drop for KilledAtEnd {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until the process is frozen; `false` when it ended.
fn frozen(child: &mut std::process::Child) -> bool {
    let started = Instant::now();
    loop {
        assert!(started.elapsed() < PATIENCE, "the child goes on and on");
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
        let state = stat.rsplit(") ").next().unwrap_or_default();
        if state.starts_with('T') {
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[tokio::test]
async fn a_holder_that_was_frozen_does_nothing_once_its_lease_is_taken_over() {
    let stack = |zone: &str| {
        let body = format!("zone = \"{zone}\"\nlifecycle {{ create_before_destroy = true }}");
        thing("a", &body) + &thing("b", "")
    };
    for point in 1.. {
        let dir = tempfile::tempdir().unwrap();
        World::at(dir.path()).converge(&stack("x")).await;
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "child_that_freezes"])
            .env(FOLDER, dir.path())
            .env(STACK, stack("y"))
            .env(POINT, point.to_string())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn();
        let KilledAtEnd(child) = &mut KilledAtEnd(child.unwrap());
        if !frozen(child) {
            assert!(child.wait().unwrap().success());
            assert!(point > 6, "it was frozen at every record");
            return;
        }
        let world = World::at(dir.path()).expiring(EXPIRY);
        let me = Holder::this_process("tester", "takes over");
        let lease = match world.store.acquire(me, Wait::UpTo(PATIENCE)).await {
            // It was frozen inside a transaction: nobody takes over before it goes on.
            Err(StateError::Busy { .. }) => {
                eprintln!("point {point}: frozen while it renewed its lease; left out");
                continue;
            }
            lease => lease.unwrap(),
        };
        let before = world.log();
        std::fs::write(dir.path().join(THAW), "").unwrap();
        signal("CONT", child.id());
        let code = child.wait().unwrap().code();
        let after = world.log();
        // Frozen after its last write, it has nothing left that could be refused.
        let all_done = code == Some(0) && after == before;
        assert!(code == Some(7) || all_done, "point {point}: {code:?}");
        // Frozen right after its `begin`, it makes the one call that it had announced.
        let calls = after.len() - before.len();
        assert!(calls <= 1, "point {point}: {after:?}");
        world.store.release(lease).await.unwrap();
        world.converge(&stack("y")).await;
        let log = world.log_since(2);
        assert_eq!(log, ["create a", "delete a"], "point {point}");
    }
}

/// From `before` to `after`, killed at every record.
async fn matrix(before: &str, after: &str, things: usize) {
    let mut points = 0;
    loop {
        points += 1;
        let dir = tempfile::tempdir().unwrap();
        {
            let world = World::at(dir.path());
            world.converge(before).await;
        }
        let finished = run_child(dir.path(), after, points);
        let world = World::at(dir.path());
        let made = world.cloud().creations().unwrap();
        world.converge(after).await;
        let objects = world.cloud().objects().unwrap();
        assert_eq!(objects.len(), things, "point {points}: {:?}", world.log());
        let snapshot = world.store.snapshot().await.unwrap();
        assert_eq!(snapshot.resources.len(), things, "point {points}");
        for resource in snapshot.resources.values() {
            let id = resource.value.value().get("id").unwrap().as_str().unwrap();
            assert!(
                objects.contains_key(id),
                "point {points}: state names what is not there"
            );
        }
        if finished {
            assert_eq!(
                made,
                world.cloud().creations().unwrap(),
                "the first run had done all"
            );
            break;
        }
        let log = world.log();
        let mut created: Vec<&String> = log.iter().filter(|l| l.starts_with("create")).collect();
        let total = created.len();
        created.sort();
        created.dedup();
        let twice = log.iter().filter(|l| l.starts_with("delete")).count();
        assert!(
            total <= created.len() + twice,
            "point {points}: made twice: {log:?}"
        );
        assert!(points < 200, "the child never finishes");
    }
    assert!(points > 4, "the kill points are never reached");
}

#[tokio::test]
async fn creation() {
    let stack = thing("a", "")
        + &thing("b", "tags = { of = fake_thing.a.id }")
        + "output \"b\" { value = fake_thing.b.id }\n";
    matrix("", &stack, 2).await;
}

#[tokio::test]
async fn update_and_deletion() {
    let before = thing("a", "size = 1") + &thing("b", "tags = { of = fake_thing.a.id }");
    matrix(&before, &thing("a", "size = 2"), 1).await;
}

#[tokio::test]
async fn replacement_that_deletes_first() {
    let stack = |zone: &str| {
        thing("a", &format!("zone = \"{zone}\"")) + &thing("b", "tags = { of = fake_thing.a.id }")
    };
    matrix(&stack("x"), &stack("y"), 2).await;
}

#[tokio::test]
async fn replacement_that_creates_first() {
    let stack = |zone: &str| {
        thing(
            "a",
            &format!("zone = \"{zone}\"\nlifecycle {{ create_before_destroy = true }}"),
        ) + &thing("b", "tags = { of = fake_thing.a.id }")
    };
    matrix(&stack("x"), &stack("y"), 2).await;
}

/// The provider dies in the middle of its own work, not at a record.
#[tokio::test]
async fn killed_inside_the_provider() {
    for point in ["before_create:2", "mid_create:2", "after_create:2"] {
        let dir = tempfile::tempdir().unwrap();
        let stack = thing("a", "") + &thing("b", "tags = { of = fake_thing.a.id }");
        {
            World::at(dir.path()).converge("").await;
        }
        // The kill point is a setting of the provider: the child's stack has one more line.
        let killing = format!("{stack}\n# {point}");
        let status = Command::new(std::env::current_exe().unwrap())
            .args([
                "--ignored",
                "--exact",
                "child_with_kill_point",
                "--nocapture",
                "--test-threads=1",
            ])
            .env(FOLDER, dir.path())
            .env(STACK, &killing)
            .env(POINT, point)
            .output()
            .unwrap()
            .status;
        assert!(!status.success(), "{point}: the child was not killed");
        let world = World::at(dir.path());
        world.converge(&stack).await;
        let creations = world
            .log()
            .iter()
            .filter(|l| l.starts_with("create"))
            .count();
        let expected = if point.starts_with("mid") { 3 } else { 2 };
        assert_eq!(creations, expected, "{point}: {:?}", world.log());
        assert_eq!(world.cloud().objects().unwrap().len(), 2, "{point}");
    }
}

#[tokio::test]
#[ignore = "the child that the others start"]
async fn child_with_kill_point() {
    let (Ok(folder), Ok(stack), Ok(point)) = (
        std::env::var(FOLDER),
        std::env::var(STACK),
        std::env::var(POINT),
    ) else {
        return;
    };
    let mut world = World::at(Path::new(&folder));
    world.settings = format!("kill_at = \"{point}\"");
    world.apply(&stack).await;
}

fn moved(from: &str, to: &str) -> String {
    format!("moved {{\n  from = {from}\n  to   = {to}\n}}\n")
}

#[tokio::test]
async fn a_move_with_an_update() {
    let user = |of: &str| thing("user", &format!("tags = {{ of = fake_thing.{of}.id }}"));
    let before = thing("a", "size = 1") + &user("a");
    let after = thing("b", "size = 2") + &user("b") + &moved("fake_thing.a", "fake_thing.b");
    matrix(&before, &after, 2).await;
}

/// The old object is put aside at the new address.
#[tokio::test]
async fn a_move_with_a_replacement_that_creates_first() {
    let stack = |name: &str, zone: &str| {
        thing(
            name,
            &format!("zone = \"{zone}\"\nlifecycle {{ create_before_destroy = true }}"),
        ) + &thing("user", &format!("tags = {{ of = fake_thing.{name}.id }}"))
    };
    let after = stack("b", "y") + &moved("fake_thing.a", "fake_thing.b");
    matrix(&stack("a", "x"), &after, 2).await;
}

/// The object leaves state under one address and is imported under another in the same run.
#[tokio::test]
async fn an_object_that_is_forgotten_and_imported() {
    let after = "removed {\n  from = fake_thing.a\n  lifecycle {\n    destroy = false\n  }\n}\n"
        .to_owned()
        + "import {\n  to = fake_thing.b\n  id = \"thing-0001\"\n}\n"
        + &thing("b", "size = 2");
    matrix(&thing("a", "size = 1"), &after, 1).await;
}
