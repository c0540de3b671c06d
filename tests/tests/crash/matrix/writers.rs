//! Two weirs that apply disjoint parts of one stack at the same time, of which one or both are
//! killed: who is not killed lands, and the next run settles the rest.

use super::{Row, THINGS, settle, sooner, stack_of};
use std::time::{Duration, Instant};
use weir_tests::cli::{Run, Running, Stack};

/// Two groups of things, in chains of two, that depend on one thing.
fn things(count: usize) -> String {
    let mut text = "resource \"fake_thing\" \"shared\" {\n  name = \"shared\"\n}\n".to_owned();
    for group in ["a", "b"] {
        text.push_str(&format!(
            r#"
resource "fake_thing" "{group}" {{
  count = {n}
  name  = "{group}-${{count.index}}"
  tags  = {{ of = fake_thing.shared.id }}
}}

resource "fake_thing" "{group}_top" {{
  count = {n}
  name  = "{group}-top-${{count.index}}"
  tags  = {{ of = fake_thing.{group}[count.index].id }}
}}

output "{group}" {{
  value = fake_thing.{group}_top[*].id
}}
"#,
            n = count / 4
        ));
    }
    text
}

/// A stack in which what both groups need is there.
fn stack(settings: &str, faults: u32, seed: u64) -> Stack {
    let stack = stack_of(&things(THINGS), settings, faults, seed);
    for _ in 0..super::TRIES {
        let run = stack.weir(&["apply", "-auto-approve", "-target=fake_thing.shared"]);
        if run.status.success() {
            return stack;
        }
    }
    panic!("the faults never ended");
}

/// An apply of each group, both begun now.
fn both(stack: &Stack) -> [Running; 2] {
    ["-target=fake_thing.a_top", "-target=fake_thing.b_top"]
        .map(|target| stack.spawn(&["apply", "-auto-approve", target]))
}

/// What happens to one of the two.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Lives,
    KilledAfter(Duration),
}

fn end(run: Running, fate: Fate) -> Run {
    match fate {
        Fate::Lives => run.wait(),
        Fate::KilledAfter(moment) => run.kill_after(moment),
    }
}

/// One row: stacks with these settings and faults. In turn the first, the second and both are
/// killed.
pub(super) fn row(settings: &dyn Fn(u64) -> String, faults: u32, kills: u64, seed: u64) -> Row {
    // How long they take on this machine, now. Faults end them sooner.
    let whole = stack(&settings(seed), faults, seed);
    let started = Instant::now();
    for run in both(&whole) {
        let run = run.wait();
        assert!(run.status.success() || faults > 0, "{}", run.transcript());
    }
    let mut whole = started.elapsed();
    let mut random = fastrand::Rng::with_seed(seed);
    let mut row = Row::default();
    for kill in 1..=kills {
        let stack = stack(&settings(seed + kill), faults, seed + kill);
        let mut moment = || Fate::KilledAfter(whole.mul_f64(random.f64() * 1.05));
        let fates = match kill % 3 {
            0 => [moment(), moment()],
            1 => [moment(), Fate::Lives],
            _ => [Fate::Lives, moment()],
        };
        let started = Instant::now();
        let runs = std::thread::scope(|scope| {
            let [one, two] = both(&stack);
            let two = scope.spawn(move || end(two, fates[1]));
            [end(one, fates[0]), two.join().expect("a run that ends")]
        });
        row.kills += 1;
        match runs.iter().any(Run::was_killed) {
            true => row.hit += 1,
            false => whole = sooner(whole, started.elapsed()),
        }
        for (run, fate) in runs.iter().zip(fates) {
            let fell = run.status.code().is_some_and(|code| code != 0);
            assert!(
                !fell || faults > 0,
                "who was not killed lands, whatever becomes of the other ({fate:?})\n{}",
                run.transcript()
            );
            assert!(
                !run.stderr.contains("locked by"),
                "they have nothing in common\n{}",
                run.transcript()
            );
        }
        settle(&stack, &mut row);
    }
    row
}
