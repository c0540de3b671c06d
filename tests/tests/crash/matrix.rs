//! The crash matrix: `kill -9` at random instants of a first apply, each on a stack of its own, on
//! every store, with faults on top; of one or both of two that apply parts of a stack at the same
//! time ([`writers`]), on the stores that have leases on parts; and the same with terraform, where
//! it is installed.
//!
//! `WEIR_KILLS` says how many instants each row has (12 where it is not set; half as many of two
//! applies), `WEIR_SEED` where they begin, `WEIR_ROWS` that only rows whose names begin so are run.
//! The table is printed: `cargo test -p weir-tests --test crash matrix -- --nocapture`.

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
fn row(settings: impl Fn(u64) -> String, faults: u32, kills: u64, seed: u64) -> Row {
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

#[test]
fn matrix() {
    let kills = number("WEIR_KILLS", 12);
    let seed = number("WEIR_SEED", 1);
    // Two at a time, these take twice as long.
    let of_two = kills.div_ceil(2);
    let mut rows: Vec<(String, Row)> = Vec::new();
    let asked = std::env::var("WEIR_ROWS").unwrap_or_default();
    let is_asked = |name: &str| name.starts_with(&asked);
    if is_asked("sqlite") {
        let sqlite = |_| String::new();
        rows.push(("sqlite".into(), row(sqlite, 0, kills, seed)));
        rows.push(("sqlite, faults".into(), row(sqlite, 10, kills, seed)));
        let two = writers::row(sqlite, 0, of_two, seed);
        rows.push(("sqlite, two writers".into(), two));
        let two = writers::row(sqlite, 10, of_two, seed);
        rows.push(("sqlite, two, faults".into(), two));
    }
    match Server::start() {
        Ok(_) if !is_asked("postgres") => {}
        Ok(server) => {
            // A schema for each stack: they share the server and nothing else.
            let url = server.url();
            let postgres = |seed: u64| {
                format!(
                    "state \"postgres\" {{\n    url    = \"{url}\"\n    schema = \"s{seed}\"\n  }}"
                )
            };
            rows.push(("postgres".into(), row(postgres, 0, kills, seed)));
            let after = |rows: u64| seed + rows * (kills + 1);
            rows.push((
                "postgres, faults".into(),
                row(postgres, 10, kills, after(1)),
            ));
            let two = writers::row(postgres, 0, of_two, after(2));
            rows.push(("postgres, two writers".into(), two));
            let two = writers::row(postgres, 10, of_two, after(3));
            rows.push(("postgres, two, faults".into(), two));
        }
        Err(why) => println!("Skipped: the rows of Postgres. {why}"),
    }
    match Bucket::start() {
        Ok(_) if !is_asked("s3") => {}
        Ok(bucket) => {
            let s3 = |seed: u64| {
                format!(
                    "state \"s3\" {{\n    bucket     = \"{}\"\n    key        = \"{seed}/weir.state\"\n    endpoint   = \"{}\"\n    access_key = \"weir\"\n    secret_key = \"weir\"\n  }}",
                    Bucket::NAME,
                    bucket.endpoint()
                )
            };
            rows.push(("s3".into(), row(s3, 0, kills, seed)));
            let after = seed + kills + 1;
            rows.push(("s3, faults".into(), row(s3, 10, kills, after)));
        }
        Err(why) => println!("Skipped: the rows of S3. {why}"),
    }
    if is_asked("http") {
        let server = WebServer::start().expect("a port of this machine");
        let http = |seed: u64| {
            let address = server.address(&format!("s{seed}"));
            format!(
                "state \"http\" {{\n    address      = \"{address}\"\n    lock_address = \"{address}/lock\"\n  }}"
            )
        };
        rows.push(("http".into(), row(http, 0, kills, seed)));
        let after = seed + kills + 1;
        rows.push(("http, faults".into(), row(http, 10, kills, after)));
    }
    let peer = terraform(number("WEIR_PEER_KILLS", 0), seed);
    println!(
        "\n{:<21} {:>6} {:>8} {:>6} {:>12} {:>11} {:>17}",
        "", "kills", "in mid", "lost", "made twice", "unreadable", "2nd plan not empty"
    );
    for (name, row) in rows.iter().map(|(n, r)| (&**n, r)).chain(
        peer.as_ref()
            .filter(|r| r.kills > 0)
            .map(|r| ("terraform (400)", r)),
    ) {
        println!("{name:<21} {row}");
    }
    for (name, row) in rows {
        let bad = (row.lost, row.twice, row.unreadable, row.not_empty);
        assert_eq!(bad, (0, 0, 0, 0), "{name}: {row}");
        assert!(
            row.hit * 3 > row.kills,
            "{name}: kills hit too little: {row}"
        );
    }
}
