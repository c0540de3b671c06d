//! The kit's own tests: output, golden files, processes, waiting.

use std::cell::Cell;
use std::fs;
use std::time::Duration;

use weir_tests::cli::Stack;
use weir_tests::golden::{Filters, check};
use weir_tests::wait::eventually;

#[test]
fn standard_filters_take_out_what_differs_from_run_to_run() {
    let cases = [
        ("done in 1.2s", "done in [DURATION]"),
        ("done in 340ms (2m 3s)", "done in [DURATION] ([DURATION])"),
        ("at 2026-01-02T03:04:05Z", "at [TIME]"),
        ("at 2026-01-02 03:04:05.678 UTC", "at [TIME]"),
        ("id 0f8fad5b-d9cb-469f-a165-70867728950e.", "id [UUID]."),
        (&format!("sum {}", "ab".repeat(32)), "sum [SHA256]"),
        ("\x1b[1;32mgreen\x1b[0m", "green"),
        ("3 hosts, 20 files, 5 units", "3 hosts, 20 files, 5 units"),
        ("listens at 10.1.0.11:8080", "listens at 10.1.0.11:8080"),
    ];
    for (text, expected) in cases {
        assert_eq!(
            Filters::standard().apply(text),
            format!("{expected}\n"),
            "{text}"
        );
    }
}

#[test]
fn filters_apply_in_order_and_literally() {
    let filters = Filters::none()
        .literal("/tmp/a.b", "[DIR]")
        .pattern(r"(\d)\d*", "${1}x");
    assert_eq!(filters.apply("/tmp/a.b/c 123  \n\n\n"), "[DIR]/c 1x\n");
    assert_eq!(filters.apply("/tmp/aXb"), "/tmp/aXb\n");
    assert_eq!(Filters::none().literal("p", "$1").apply("p"), "$1\n");
}

#[test]
fn a_golden_file_that_differs_is_shown_as_a_diff() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plan.txt");
    let missing = check(&file, "a\n").unwrap_err();
    assert!(missing.contains("UPDATE_GOLDEN=1"), "{missing}");
    fs::write(&file, "a\nb\n").unwrap();
    assert_eq!(check(&file, "a\nb\n"), Ok(()));
    let difference = check(&file, "a\nc\n").unwrap_err();
    assert!(difference.contains("-b\n+c\n"), "{difference}");
}

#[test]
fn a_run_has_code_streams_and_its_own_home() {
    let mut stack = Stack::with_program("/bin/sh");
    stack.set_env("EXTRA", "yes");
    stack.file("a/b.hcl", "text");
    let run = stack
        .weir(&[
            "-c",
            "cat a/b.hcl; echo $EXTRA $HOME $CARGO_MANIFEST_DIR; echo bad >&2; exit 3",
        ])
        .expect_code(3);
    assert_eq!(run.stderr, "bad\n");
    assert_eq!(stack.filters().apply(&run.stdout), "textyes [HOME]\n");
    assert!(
        run.transcript()
            .contains("exit code 3\n--- stdout\ntextyes")
    );
}

#[test]
#[should_panic(expected = "expected exit code 0")]
fn a_run_that_fails_shows_its_output() {
    Stack::with_program("/bin/sh")
        .weir(&["-c", "exit 1"])
        .expect_success();
}

#[test]
fn a_killed_run_is_told_from_one_that_ended() {
    let stack = Stack::with_program("/bin/sh");
    let run = stack.spawn(&["-c", "echo started; exec sleep 600"]);
    eventually("it says that it started", Duration::from_secs(30), || {
        if run.stdout() == "started\n" {
            Ok(())
        } else {
            Err(run.stdout())
        }
    });
    let run = run.kill_after(Duration::from_millis(1));
    assert!(run.was_killed(), "{}", run.status);
    assert_eq!(run.stdout, "started\n");
    let run = stack
        .spawn(&["-c", "exit 0"])
        .kill_after(Duration::from_secs(60));
    assert!(!run.was_killed());
    run.expect_success();
}

#[test]
fn an_interrupt_reaches_the_process() {
    let stack = Stack::with_program("/bin/sh");
    let run = stack.spawn(&[
        "-c",
        "trap 'echo stopping; exit 9' INT; echo ready; while :; do sleep 0.05; done",
    ]);
    eventually("it is ready", Duration::from_secs(30), || {
        if run.stdout().contains("ready") {
            Ok(())
        } else {
            Err("not yet")
        }
    });
    run.interrupt();
    assert!(run.wait().expect_code(9).stdout.ends_with("stopping\n"));
}

#[test]
fn a_process_left_behind_does_not_hold_the_run() {
    let stack = Stack::with_program("/bin/sh");
    let run = stack.weir(&["-c", "sleep 20 & echo $!"]).expect_success();
    let left: i32 = run.stdout.trim().parse().unwrap();
    let left = nix::unistd::Pid::from_raw(left);
    // Still there: the run did not wait for it.
    nix::sys::signal::kill(left, nix::sys::signal::Signal::SIGKILL).unwrap();
}

#[test]
fn waiting_ends_with_the_first_success() {
    let tries = Cell::new(0);
    let found = eventually("third try", Duration::from_secs(30), || {
        tries.set(tries.get() + 1);
        if tries.get() == 3 {
            Ok("here")
        } else {
            Err("not yet")
        }
    });
    assert_eq!((found, tries.get()), ("here", 3));
}

#[test]
#[should_panic(expected = "the impossible: not within 0 s; last: never")]
fn waiting_for_what_never_comes_says_so() {
    eventually("the impossible", Duration::ZERO, || Err::<(), _>("never"));
}
