//! `kill -9` of weir at many moments of an apply, on the fake provider: nothing is lost, nothing is
//! made twice, the second plan is empty.

mod cloud;
mod matrix;

use std::{collections::BTreeMap, time::Duration};
use weir_tests::cli::Stack;

const THINGS: usize = 60;

/// Things that depend on one another in chains of three, in a cloud that takes its time: so many
/// milliseconds for each operation.
fn stack(latency: u32) -> Stack {
    let stack = Stack::new();
    let text = format!(
        r#"
provider "fake" {{
  path       = "${{path.root}}/cloud.log"
  latency_ms = {latency}
}}

{things}"#,
        things = cloud::things(THINGS)
    );
    stack.file("stack.hcl", &text);
    stack
}

/// How often each kind of entry stands in the cloud's own log.
fn log(stack: &Stack) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for (kind, _) in cloud::entries(&stack.path().join("cloud.log")) {
        *counts.entry(kind).or_default() += 1;
    }
    counts
}

#[test]
fn killed_at_many_moments_nothing_is_lost_and_nothing_made_twice() {
    let mut killed = 0;
    for round in 0..6u64 {
        let stack = stack(15);
        // Short lives: each run gets a little further, or dies while it settles.
        for moment in 0..12u64 {
            let after = Duration::from_millis(20 + (moment * 37 + round * 13) % 160);
            let run = stack.spawn(&["apply", "-auto-approve"]).kill_after(after);
            killed += usize::from(run.was_killed());
        }
        stack.weir(&["apply", "-auto-approve"]).expect_success();
        stack.weir(&["plan", "-detailed-exitcode"]).expect_code(0);

        let log = log(&stack);
        assert_eq!(log.get("Created"), Some(&THINGS), "{log:?}");
        assert_eq!(log.get("Deleted"), None, "{log:?}");
        let list = stack.weir(&["state", "list"]).expect_success().stdout;
        assert_eq!(list.lines().count(), THINGS, "{list}");

        // The way back is as safe.
        for moment in 0..6u64 {
            let after = Duration::from_millis(30 + (moment * 41 + round * 17) % 160);
            let run = stack.spawn(&["destroy", "-auto-approve"]).kill_after(after);
            killed += usize::from(run.was_killed());
        }
        stack.weir(&["destroy", "-auto-approve"]).expect_success();
        assert_eq!(self::log(&stack).get("Deleted"), Some(&THINGS));
        assert_eq!(stack.weir(&["state", "list"]).expect_success().stdout, "");
    }
    assert!(killed > 50, "weir was killed {killed} times in the middle");
}

#[test]
fn ctrl_c_finishes_what_is_in_flight_and_records_it() {
    let stack = stack(200);
    let run = stack.spawn(&["apply", "-auto-approve"]);
    weir_tests::wait::eventually("things are being made", Duration::from_secs(30), || {
        log(&stack).contains_key("Created")
    });
    run.interrupt();
    let run = run.wait().expect_code(1);
    assert!(run.stderr.contains("nterrupt"), "{}", run.stderr);

    let made = log(&stack)["Created"];
    let recorded = stack
        .weir(&["state", "list"])
        .expect_success()
        .stdout
        .lines()
        .count();
    assert_eq!(recorded, made, "what was made is recorded");
    assert!(made < THINGS, "the run stopped early");
    stack.weir(&["apply", "-auto-approve"]).expect_success();
    assert_eq!(log(&stack)["Created"], THINGS);
}
