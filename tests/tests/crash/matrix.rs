//! The crash matrix: `kill -9` at random instants of a first apply, each on a stack of its own, on
//! every store, with faults on top; of one or both of two that apply parts of a stack at the same
//! time ([`writers`]), on the stores that have leases on parts; and the same with terraform, where
//! it is installed.
//!
//! `WEIR_KILLS` says how many instants each row has (12 where it is not set; half as many of two
//! applies), `WEIR_SEED` where they begin, `WEIR_ROWS` that only rows whose names begin so are run.
//! The table is printed: `cargo test -p weir-tests --test crash matrix -- --nocapture`.

#![allow(clippy::print_stdout)] // its table is what it is for

mod writers;

use crate::cloud::{self, Cloud};
use std::{
    collections::BTreeSet,
    fmt,
    process::Command,
    time::{Duration, Instant},
};
use weir_state::conformance::{Bucket, Server, WebServer};
use weir_tests::cli::Stack;

/// Resources of each stack.
const THINGS: usize = 60;
/// So often a run may fail of the provider's faults.
const TRIES: usize = 40;

/// What became of the kills of a row.
#[derive(Debug, Default)]
struct Row {
    kills: usize,
    /// Kills that hit a run that was not over.
    hit: usize,
    lost: usize,
    twice: usize,
    unreadable: usize,
    not_empty: usize,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:>6} {:>8} {:>6} {:>12} {:>11} {:>17}",
            self.kills, self.hit, self.lost, self.twice, self.unreadable, self.not_empty
        )
    }
}

fn number(name: &str, default: u64) -> u64 {
    let text = std::env::var(name).ok();
    text.map_or(default, |t| {
        t.parse()
            .unwrap_or_else(|_| panic!("{name} must be a number, and is {t:?}"))
    })
}

fn stack(settings: &str, faults: u32, seed: u64) -> Stack {
    stack_of(&cloud::things(THINGS), settings, faults, seed)
}

fn stack_of(things: &str, settings: &str, faults: u32, seed: u64) -> Stack {
    let stack = Stack::new();
    let text = format!(
        r#"
stack "matrix" {{
  {settings}
}}

provider "fake" {{
  path       = "${{path.root}}/cloud.log"
  latency_ms = 10
  faults {{
    seed                = {seed}
    create_error_rate   = {faults}
    partial_create_rate = {faults}
    read_error_rate     = {reads}
    delete_error_rate   = {faults}
  }}
}}

{things}"#,
        // Every run reads everything: more of these would let none of them come to its end.
        reads = faults / 10,
    );
    stack.file("stack.hcl", &text);
    stack
}

/// Applies until no fault is in the way.
fn apply(stack: &Stack) {
    for _ in 0..TRIES {
        let run = stack.weir(&["apply", "-auto-approve"]);
        if run.status.success() {
            return;
        }
        assert_eq!(run.status.code(), Some(1), "{}", run.transcript());
    }
    panic!(
        "the faults never ended: {}",
        stack.weir(&["plan"]).transcript()
    );
}

/// The ids in state; `None` where it can't be read.
fn ids(stack: &Stack) -> Option<BTreeSet<String>> {
    let run = stack.weir(&["show", "-json"]);
    if !run.status.success() {
        return None;
    }
    let json: serde_json::Value = serde_json::from_str(&run.stdout).ok()?;
    let resources = json["values"]["root_module"]["resources"].as_array();
    let ids = resources.into_iter().flatten().map(|r| &r["values"]["id"]);
    Some(
        ids.filter_map(|id| id.as_str().map(str::to_owned))
            .collect(),
    )
}

/// What is left after a kill: the next runs go to their end, and state is held against the cloud.
fn settle(stack: &Stack, row: &mut Row) {
    if ids(stack).is_none() {
        row.unreadable += 1;
        return;
    }
    apply(stack);
    let cloud = Cloud::read(&stack.path().join("cloud.log"));
    let state = ids(stack).unwrap_or_default();
    row.lost += cloud.live.keys().filter(|id| !state.contains(*id)).count();
    let gone = state.iter().filter(|id| !cloud.live.contains_key(*id));
    row.lost += gone.count();
    row.twice += cloud.made_twice();
    let plan = stack.weir(&["plan", "-detailed-exitcode", "-refresh=false"]);
    row.not_empty += usize::from(plan.status.code() != Some(0));
}

/// How long a run takes, after one that was over before it was killed: how busy the machine is
/// changes, and kills that come too late show nothing.
fn sooner(whole: Duration, last: Duration) -> Duration {
    whole.min((whole + last) / 2)
}

/// One row: stacks with these settings and faults, each killed once.
fn row(settings: &dyn Fn(u64) -> String, faults: u32, kills: u64, seed: u64) -> Row {
    // How long a run takes on this machine, now. Faults end it sooner.
    let whole = stack(&settings(seed), faults, seed);
    let started = Instant::now();
    let run = whole.weir(&["apply", "-auto-approve"]);
    assert!(run.status.success() || faults > 0, "{}", run.transcript());
    let mut whole = started.elapsed();
    let mut random = fastrand::Rng::with_seed(seed);
    let mut row = Row::default();
    for kill in 1..=kills {
        let stack = stack(&settings(seed + kill), faults, seed + kill);
        let moment = whole.mul_f64(random.f64() * 1.05);
        let started = Instant::now();
        let run = stack.spawn(&["apply", "-auto-approve"]).kill_after(moment);
        if !run.was_killed() {
            whole = sooner(whole, started.elapsed());
        }
        row.kills += 1;
        row.hit += usize::from(run.was_killed());
        settle(&stack, &mut row);
    }
    row
}

/// terraform's, on resources of its own: what it said it had made, held against its state.
fn terraform(kills: u64, seed: u64) -> Option<Row> {
    let version = Command::new("terraform").arg("version").output();
    version.ok().filter(|o| o.status.success())?;
    let stack = || {
        let mut stack = Stack::with_program("terraform");
        stack.set_env("CHECKPOINT_DISABLE", "1");
        stack.file(
            "main.tf",
            "resource \"terraform_data\" \"r\" {\n  count = 400\n  input = count.index\n}\n",
        );
        stack.weir(&["init", "-input=false"]).expect_success();
        stack
    };
    let whole = stack();
    let started = Instant::now();
    whole.weir(&["apply", "-auto-approve"]).expect_success();
    let whole = started.elapsed();
    let mut random = fastrand::Rng::with_seed(seed);
    let mut row = Row::default();
    for _ in 0..kills {
        let stack = stack();
        let run = stack
            .spawn(&["apply", "-auto-approve", "-json"])
            .kill_after(whole.mul_f64(random.f64() * 1.05));
        row.kills += 1;
        row.hit += usize::from(run.was_killed());
        let made: BTreeSet<String> = run
            .stdout
            .lines()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
            .filter(|m| m["type"] == "apply_complete")
            .filter_map(|m| m["hook"]["resource"]["addr"].as_str().map(str::to_owned))
            .collect();
        let list = stack.weir(&["state", "list"]);
        let known: BTreeSet<String> = list.stdout.lines().map(str::to_owned).collect();
        if !made.is_empty() && (!list.status.success() || known.is_empty()) {
            row.unreadable += 1;
        }
        row.lost += made.difference(&known).count();
    }
    Some(row)
}

/// The rows that were asked for, each printed when it ends.
struct Table {
    /// Names of rows to run begin so.
    asked: String,
    rows: Vec<(String, Row)>,
}

impl Table {
    fn begin() -> Table {
        println!(
            "\n{:<21} {:>6} {:>8} {:>6} {:>12} {:>11} {:>17}",
            "", "kills", "in mid", "lost", "made twice", "unreadable", "2nd plan not empty"
        );
        Table {
            asked: std::env::var("WEIR_ROWS").unwrap_or_default(),
            rows: Vec::new(),
        }
    }

    /// Whether a row of this store may be asked for.
    fn has(&self, store: &str) -> bool {
        store.starts_with(&self.asked) || self.asked.starts_with(store)
    }

    fn row(&mut self, name: String, run: impl FnOnce() -> Row) {
        if name.starts_with(&self.asked) {
            let row = run();
            println!("{name:<21} {row}");
            self.rows.push((name, row));
        }
    }

    /// The rows of one store: seeds of no two stacks are the same, because stacks of a seed may
    /// share a place.
    fn store(&mut self, store: &str, settings: &dyn Fn(u64) -> String, kills: u64, seed: u64) {
        let after = |rows: u64| seed + rows * (kills + 1);
        self.row(store.into(), || row(settings, 0, kills, seed));
        self.row(format!("{store}, faults"), || {
            row(settings, 10, kills, after(1))
        });
        // Object stores have no leases on parts.
        if matches!(store, "sqlite" | "postgres") {
            // Two at a time, these take twice as long.
            let of_two = kills.div_ceil(2);
            self.row(format!("{store}, two writers"), || {
                writers::row(settings, 0, of_two, after(2))
            });
            self.row(format!("{store}, two, faults"), || {
                writers::row(settings, 10, of_two, after(3))
            });
        }
    }
}

#[test]
fn matrix() {
    let kills = number("WEIR_KILLS", 12);
    let seed = number("WEIR_SEED", 1);
    let mut table = Table::begin();
    table.store("sqlite", &|_| String::new(), kills, seed);
    match Server::start() {
        Ok(_) if !table.has("postgres") => {}
        Ok(server) => {
            let url = server.url();
            let postgres = |seed: u64| {
                format!(
                    "state \"postgres\" {{\n    url    = \"{url}\"\n    schema = \"s{seed}\"\n  }}"
                )
            };
            table.store("postgres", &postgres, kills, seed);
        }
        Err(why) => println!("Skipped: the rows of Postgres. {why}"),
    }
    match Bucket::start() {
        Ok(_) if !table.has("s3") => {}
        Ok(bucket) => {
            let s3 = |seed: u64| {
                format!(
                    "state \"s3\" {{\n    bucket     = \"{}\"\n    key        = \"{seed}/weir.state\"\n    endpoint   = \"{}\"\n    access_key = \"weir\"\n    secret_key = \"weir\"\n  }}",
                    Bucket::NAME,
                    bucket.endpoint()
                )
            };
            table.store("s3", &s3, kills, seed);
        }
        Err(why) => println!("Skipped: the rows of S3. {why}"),
    }
    if table.has("http") {
        let server = WebServer::start().expect("a port of this machine");
        let http = |seed: u64| {
            let address = server.address(&format!("s{seed}"));
            format!(
                "state \"http\" {{\n    address      = \"{address}\"\n    lock_address = \"{address}/lock\"\n  }}"
            )
        };
        table.store("http", &http, kills, seed);
    }
    let peer = number("WEIR_PEER_KILLS", 0);
    if let Some(row) = (peer > 0).then(|| terraform(peer, seed)).flatten() {
        println!("{:<21} {row}", "terraform (400)");
    }
    for (name, row) in table.rows {
        let bad = (row.lost, row.twice, row.unreadable, row.not_empty);
        assert_eq!(bad, (0, 0, 0, 0), "{name}: {row}");
        assert!(
            row.hit * 3 > row.kills,
            "{name}: kills hit too little: {row}"
        );
    }
}
