//! Stacks in steps beside Terraform (`differential/*.txt`): what weir plans and leaves is what
//! Terraform plans and leaves, step by step; where Terraform ends in a cycle, weir goes on, and
//! where it won't destroy or refresh for a condition or an output, weir may, and what is to be kept
//! by a `removed` block is kept by a destroy too. What depends on an object that is moved by hand
//! goes on depending on it.
//!
//! The files hold the steps and Terraform's answers, so that the suite runs where there is no
//! `terraform`. With one on the path:
//!
//! - `WEIR_REGENERATE=1 cargo test -p weir-tests --test differential stored` asks it again and
//!   writes the answers; stacks of seeds up to `WEIR_STACKS` that are not there yet are added.
//!   `WEIR_REGENERATE=new` asks for stacks without answers alone.
//! - `WEIR_STORED=seed-0042,seed-0101` limits it to these.
//! - `WEIR_CASES=500 cargo test -p weir-tests --test differential random -- --ignored --nocapture`
//!   tries stacks of other seeds (`WEIR_SEED` is the first), and makes those that differ smaller.
//!   `WEIR_FEATURES=moved,import` limits what they are made of, `WEIR_SECTIONS` names the sections
//!   that are compared field by field, `WEIR_SHRINK` says how often a smaller stack is tried.
//!   `WEIR_TRY=a.txt,b.txt` tries the stacks of these files, wherever they are, instead of seeds.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
};
use weir_tests::differential::{
    Answer, FEATURES, Feature, Program, Scenario, Step, Tool, difference,
};

/// What is compared field by field.
const SECTIONS: &[&str] = &[
    "plan.format_version",
    "plan.variables",
    "plan.planned_values",
    "plan.resource_drift",
    "plan.resource_changes",
    "plan.output_changes",
    "plan.prior_state",
    "plan.configuration",
    "plan.relevant_attributes",
    "plan.checks",
    "plan.applyable",
    "plan.complete",
    "plan.errored",
    "state.format_version",
    "state.values",
    "state.checks",
];

/// What stacks are made of.
const MADE_OF: &[Feature] = &[
    Feature::Repeat,
    Feature::Modules,
    Feature::Lifecycle,
    Feature::Failures,
    Feature::Sensitive,
    Feature::Options,
    Feature::Checks,
    Feature::Triggers,
    Feature::Moved,
    Feature::Removed,
    Feature::Import,
    Feature::RefreshOnly,
    Feature::Commands,
    Feature::Combined,
    Feature::Wide,
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differential")
}

/// What still differs, by stack: `open.txt` says what. With sections after the name, in those
/// alone.
fn open(file: &Path) -> Option<Vec<String>> {
    let text = fs::read_to_string(folder().join("open.txt")).unwrap_or_default();
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    let said = text.lines().filter_map(|line| line.split(':').next());
    let mut of_stack = said.filter_map(|s| s.strip_prefix(&*name)).peekable();
    of_stack.peek()?;
    let words = of_stack.flat_map(str::split_whitespace);
    Some(words.map(str::to_owned).collect())
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}

/// Does it for all, on a few threads.
fn for_each<T: Send>(all: Vec<T>, work: impl Fn(T) + Sync) {
    let todo = Mutex::new(all.into_iter());
    let next = || todo.lock().unwrap_or_else(|e| e.into_inner()).next();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(one) = next() {
                    work(one);
                }
            });
        }
    });
}

/// Asks Terraform; steps after one that it can't do are dropped.
fn ask(scenario: &mut Scenario) {
    let mut terraform = Tool::terraform();
    let mut asked = 0;
    for step in &mut scenario.steps {
        let answer = terraform.step(step);
        asked += 1;
        step.answer = answer;
        if step.answer.broken() {
            break;
        }
    }
    scenario.steps.truncate(asked);
}

/// Whether Terraform refuses where weir goes on, on purpose: no condition and no output stands in
/// the way of destroying, or of recording what is there. What follows can't be compared.
fn goes_on(step: &Step, theirs: &Answer, ours: &Answer) -> bool {
    let looks_back = (step.flags.iter()).any(|f| f == "-destroy" || f == "-refresh-only");
    let done = |line: &str| ours.lines.iter().any(|l| l == line);
    let refused = theirs.lines.last().is_some_and(|l| l == "plan: refused");
    looks_back && refused && done("plan: ok") && done("apply: ok")
}

/// What a `removed` block with `destroy = false` names is forgotten by a destroy, where Terraform
/// deletes it against what the block says: the sections of what is planned differ by that.
fn kept_by_destroy(step: &Step, ours: &mut Answer) -> &'static [&'static str] {
    if !step.flags.iter().any(|f| f == "-destroy") {
        return &[];
    }
    let mut kept = false;
    for line in &mut ours.lines {
        if let Some((address, _)) = line.split_once(" forget") {
            kept = true;
            *line = format!("{address} delete");
        }
    }
    match kept {
        true => &["plan.planned_values", "plan.resource_changes"],
        false => &[],
    }
}

/// Whether a refresh has nothing to record in weir but may have in Terraform: its state keeps
/// `create_before_destroy` with each object, which weir takes from the configuration, and forgets
/// dependencies on what is moved by hand, which weir does not.
fn nothing_to_record(step: &Step, theirs: &Answer) -> bool {
    let of_note = |l: &&String| l.starts_with("drift ") || l.starts_with("output ");
    // A move alone is nothing to apply in either.
    let is_same = |l: &String| l.split(' ').nth(2) == Some("no-op");
    let mut found = theirs.lines.iter().filter(of_note);
    step.flags.iter().any(|f| f == "-refresh-only") && found.all(is_same)
}

/// Whether an instance that a target needs is brought where another target names other instances of
/// its block: Terraform leaves it out, and plans from what is there without it.
fn brings_more(step: &Step, theirs: &Answer, ours: &Answer) -> bool {
    let targets = step.flags.iter().filter_map(|f| f.strip_prefix("-target="));
    let keyed = |t: &str| {
        Some(format!(
            "change {}[",
            t.strip_suffix(']')?.rsplit_once('[')?.0
        ))
    };
    let blocks: Vec<String> = targets.filter_map(keyed).collect();
    (ours.lines.iter())
        .filter(|l| blocks.iter().any(|b| l.starts_with(b.as_str())))
        .any(|l| !theirs.lines.contains(l))
}

/// Whether Terraform refuses an output for an instance that targets leave out, which weir takes from
/// state.
fn partly_there(step: &Step, theirs: &Answer, ours: &Answer) -> bool {
    step.flags.iter().any(|f| f.starts_with("-target="))
        && theirs.said.contains("Error: Invalid index")
        && ours.lines.iter().any(|l| l == "apply: ok")
}

/// Whether an object that a `moved` block brings to a block with `count`, or has brought there, goes on
/// to its first instance.
/// Terraform makes no move of its own to where a statement leads, and deletes the object.
fn moves_on(theirs: &Answer, ours: &Answer) -> bool {
    let deleted = theirs.lines.iter().filter_map(|line| {
        let (address, rest) = line.strip_prefix("change ")?.split_once(' ')?;
        let from = rest.strip_prefix("delete because=delete_because_wrong_repetition")?;
        Some((address, from.strip_prefix(" from=").unwrap_or(address)))
    });
    let stays = |(address, from): (&str, &str)| {
        let first = format!("change {address}[0] ");
        let from = format!(" from={from}");
        (ours.lines.iter()).any(|l| l.starts_with(&first) && l.ends_with(&from))
    };
    deleted.into_iter().any(stays)
}

/// Whether a target names an instance that its block does not have. Terraform goes on without it: an
/// output made from it is recorded as null, and the apply of what depends on it fails. In weir it is
/// as if the target were not there for an output, and what depends on the block brings it.
fn names_nothing(step: &Step, ours: &Answer) -> bool {
    step.flags.iter().any(|f| f.starts_with("-target=")) && ours.said.contains("names nothing")
}

/// Whether `state mv` into a module moved an instance in weir, as into a folder; Terraform wants the
/// address it gets there.
fn moved_into_module(step: &Step, theirs: &Answer, ours: &Answer) -> bool {
    step.commands.iter().any(|words| {
        let is_mv = words.starts_with(&["state".into(), "mv".into()]);
        let into_module = words
            .last()
            .is_some_and(|w| w.rsplit('.').nth(1) == Some("module"));
        let line = |how: &str| format!("{}: {how}", words.join(" "));
        is_mv
            && into_module
            && theirs.lines.contains(&line("refused"))
            && ours.lines.contains(&line("ok"))
    })
}

/// Whether weir keeps secret what Terraform shows: what comes of a sensitive value is sensitive in an
/// output that is not declared so, and stays so behind a resource.
fn keeps_secret(theirs: &Answer, ours: &Answer) -> bool {
    theirs.lines.first().is_some_and(|l| l == "plan: ok")
        && ours.lines.iter().any(|l| l == "plan: refused")
        && ours.said.contains("holds a sensitive value")
        && ours.said.contains("1 error.")
}

/// Whether weir refuses a `moved` block whose old end is still declared, though targets leave that
/// block out and nothing is moved by it. Without targets either tool refuses it.
fn still_stands(step: &Step, theirs: &Answer, ours: &Answer) -> bool {
    step.flags.iter().any(|f| f.starts_with("-target="))
        && theirs.lines.first().is_some_and(|l| l == "plan: ok")
        && ours.lines.iter().any(|l| l == "plan: refused")
        && ours.said.contains("is moved, and is still there")
        && ours.said.contains("1 error.")
}

/// The sections that are compared in a step.
fn compared<'a>(all: &[&'a str], apart: &[&str], step: &Step, theirs: &Answer) -> Vec<&'a str> {
    let nothing = nothing_to_record(step, theirs);
    let is_apart = |s: &str| apart.contains(&s) || nothing && s == "plan.applyable";
    all.iter().copied().filter(|s| !is_apart(s)).collect()
}

/// What differs from the stored answers, step by step.
fn check(scenario: &Scenario, sections: &[&str]) -> Result<(), String> {
    let mut weir = Tool::weir();
    let mut all = Vec::new();
    for (at, step) in scenario.steps.iter().enumerate() {
        let mut ours = weir.step(step);
        let apart = kept_by_destroy(step, &mut ours);
        if goes_on(step, &step.answer, &ours) || moved_into_module(step, &step.answer, &ours) {
            break;
        }
        ours.follow_left_overs(&step.answer);
        let sections = compared(sections, apart, step, &step.answer);
        if let Some(found) = difference(&step.answer, &ours, &sections) {
            all.push(format!("step {at} {:?}\n{found}", step.flags));
        }
    }
    match all.is_empty() {
        true => Ok(()),
        false => Err(all.join("\n")),
    }
}

/// The first difference from Terraform itself, with the sections that differ.
fn check_live(scenario: &Scenario, sections: &[&str]) -> Result<(), String> {
    let (mut weir, mut terraform) = (Tool::weir(), Tool::terraform());
    let mut moved = false;
    for (at, step) in scenario.steps.iter().enumerate() {
        let theirs = terraform.step(step);
        let mut ours = weir.step(step);
        let left_out = kept_by_destroy(step, &mut ours);
        let apart = [
            goes_on(step, &theirs, &ours),
            partly_there(step, &theirs, &ours),
            moves_on(&theirs, &ours),
            keeps_secret(&theirs, &ours),
            still_stands(step, &theirs, &ours),
            brings_more(step, &theirs, &ours),
            moved_into_module(step, &theirs, &ours),
        ];
        if apart.contains(&true) {
            break;
        }
        let moves = |words: &Vec<String>| words.starts_with(&["state".into(), "mv".into()]);
        moved |= step.commands.iter().any(moves);
        if moved {
            ours.follow_moves(&theirs);
        }
        ours.follow_left_overs(&theirs);
        let sections = compared(sections, left_out, step, &theirs);
        if let Some(found) = difference(&theirs, &ours, &sections) {
            if names_nothing(step, &ours) {
                break;
            }
            // What both printed says little where they agree on how it went.
            let same = theirs.lines.first() == ours.lines.first();
            let said = match same && !theirs.broken() {
                true => String::new(),
                false => format!("{}\n{}", ours.said, theirs.said),
            };
            return Err(format!("step {at} {:?}\n{found}\n{said}", step.flags));
        }
        if theirs.broken() {
            break;
        }
    }
    Ok(())
}

/// The sections that are asked for, or all.
fn sections(chosen: Option<&str>) -> Vec<&str> {
    match chosen {
        Some(names) => names.split(',').collect(),
        None => SECTIONS.to_vec(),
    }
}

/// All files of stacks.
fn files() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder())
        .expect("the folder of stored stacks")
        .map(|e| e.expect("an entry").path())
        .filter(|f| f.extension().is_some_and(|e| e == "txt"))
        .filter(|f| f.file_stem().is_some_and(|n| n != "open"))
        .collect();
    files.sort();
    if let Ok(names) = env::var("WEIR_STORED") {
        files.retain(|f| {
            f.file_stem()
                .is_some_and(|stem| names.split(',').any(|n| stem == n))
        });
    }
    files
}

fn read(files: Vec<PathBuf>) -> Vec<(PathBuf, Scenario)> {
    let one = |f: PathBuf| {
        let scenario = Scenario::read(&f).expect("a stored stack");
        (f, scenario)
    };
    files.into_iter().map(one).collect()
}

/// The stacks that are compared: of the others, `open.txt` says what still differs.
fn stored() -> Vec<(PathBuf, Scenario)> {
    let only = env::var("WEIR_ONLY").ok();
    let mut files = files();
    files.retain(|file| {
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        let chosen = |only: &String| only.split(',').any(|o| o == name);
        only.as_ref().is_none_or(chosen) && open(file).is_none_or(|s| !s.is_empty())
    });
    read(files)
}

fn regenerate() {
    fs::create_dir_all(folder()).expect("a folder");
    for seed in 1..=number("WEIR_STACKS").unwrap_or(0) {
        let file = folder().join(format!("seed-{seed:04}.txt"));
        if !file.exists() {
            let mut scenario = Program::random(seed, MADE_OF).scenario();
            scenario.about = format!("# The stack of seed {seed}.\n");
            scenario.write(&file).expect("a file");
        }
    }
    let new = env::var("WEIR_REGENERATE").is_ok_and(|v| v == "new");
    let answered = |s: &Scenario| s.steps.iter().any(|s| !s.answer.lines.is_empty());
    let mut all = read(files());
    all.retain(|(_, s)| !new || !answered(s));
    for_each(all, |(file, mut scenario)| {
        ask(&mut scenario);
        scenario.write(&file).expect("a file");
    });
}

#[test]
fn stored_stacks_are_terraforms() {
    if env::var_os("WEIR_REGENERATE").is_some() {
        regenerate();
    }
    let all = stored();
    let broken = |s: &Scenario| s.steps.iter().any(|s| s.answer.broken());
    assert!(all.iter().all(|(_, s)| s.steps.len() > 1 || broken(s)));
    let chosen = env::var("WEIR_SECTIONS").ok();
    let sections = sections(chosen.as_deref());
    let failed = Mutex::new(Vec::new());
    for_each(all, |(file, scenario)| {
        let open = open(&file).unwrap_or_default();
        let closed = |s: &&&str| open.iter().all(|o| o != **s);
        let sections: Vec<&str> = sections.iter().filter(closed).copied().collect();
        if let Err(found) = check(&scenario, &sections) {
            let text = format!("{}: {found}", file.display());
            failed.lock().expect("no thread panicked").push(text);
        }
    });
    let failed = failed.into_inner().expect("no thread panicked");
    assert!(
        failed.is_empty(),
        "{} differ\n{}",
        failed.len(),
        failed.join("\n")
    );
}

/// Stacks of files, by what differs.
#[allow(clippy::print_stdout)] // what it finds is for whoever asked
fn try_written(names: &str, sections: &[&str], failed: &Mutex<Vec<String>>) {
    let all = read(names.split(',').map(PathBuf::from).collect());
    for_each(all, |(file, scenario)| {
        if let Err(found) = check_live(&scenario, sections) {
            println!("##### {}\n{found}", file.display());
            let name = file.display().to_string();
            failed.lock().expect("no thread panicked").push(name);
        }
    });
}

/// Stacks of seeds, by what differs once they are as small as they get.
#[allow(clippy::print_stdout)] // what it finds is for whoever asked
fn try_random(
    seeds: Vec<u64>,
    features: &[Feature],
    sections: &[&str],
    failed: &Mutex<Vec<String>>,
) {
    let tries = number("WEIR_SHRINK").map_or(400, |n| n as usize);
    for_each(seeds, |seed| {
        let program = Program::random(seed, features);
        if check_live(&program.scenario(), sections).is_ok() {
            return;
        }
        let small = program.smaller(tries, |p| check_live(&p.scenario(), sections).is_err());
        let found = check_live(&small.scenario(), sections).err();
        let (text, found) = (small.scenario().text(), found.unwrap_or_default());
        println!("##### seed {seed}\n{text}\n{found}");
        let name = seed.to_string();
        failed.lock().expect("no thread panicked").push(name);
    });
}

#[test]
#[ignore = "as long as WEIR_CASES says, beside a terraform on the path"]
fn random_stacks_are_terraforms() {
    assert!(Command::new("terraform").arg("version").output().is_ok());
    let first = number("WEIR_SEED").unwrap_or(10_000);
    let cases = number("WEIR_CASES").unwrap_or(20);
    let features: Vec<Feature> = match env::var("WEIR_FEATURES") {
        Ok(names) => (FEATURES.iter())
            .filter(|(name, _)| names == "all" || names.split(',').any(|n| n == *name))
            .map(|(_, f)| *f)
            .collect(),
        Err(_) => MADE_OF.to_vec(),
    };
    let chosen = env::var("WEIR_SECTIONS").ok();
    let sections = sections(chosen.as_deref());
    let failed = Mutex::new(Vec::new());
    match env::var("WEIR_TRY") {
        Ok(names) => try_written(&names, &sections, &failed),
        Err(_) => {
            println!("seeds from {first}: {cases} cases");
            let seeds = (first..first + cases).collect();
            try_random(seeds, &features, &sections, &failed);
        }
    }
    let failed = failed.into_inner().expect("no thread panicked");
    assert!(failed.is_empty(), "{} differ: {failed:?}", failed.len());
}
