//! Stacks in steps beside Terraform (`differential/*.txt`): what weir plans and leaves is what
//! Terraform plans and leaves, step by step; where Terraform ends in a cycle, weir goes on, and
//! where it won't destroy or refresh for a condition or an output, weir may, and what is to be kept
//! by a `removed` block is kept by a destroy too.
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
const SECTIONS: &[&str] = &[];

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
        step.answer.clone_from(&answer.lines);
        if answer.broken() {
            break;
        }
    }
    scenario.steps.truncate(asked);
}

/// Whether Terraform refuses where weir goes on, on purpose: no condition and no output stands in
/// the way of destroying, or of recording what is there. What follows can't be compared.
fn goes_on(step: &Step, theirs: &[String], ours: &Answer) -> bool {
    let looks_back = (step.flags.iter()).any(|f| f == "-destroy" || f == "-refresh-only");
    let done = |line: &str| ours.lines.iter().any(|l| l == line);
    let refused = theirs.last().is_some_and(|l| l == "plan: refused");
    looks_back && refused && done("plan: ok") && done("apply: ok")
}

/// What a `removed` block with `destroy = false` names is forgotten by a destroy, where Terraform
/// deletes it against what the block says.
fn kept_by_destroy(step: &Step, ours: &mut Answer) {
    if !step.flags.iter().any(|f| f == "-destroy") {
        return;
    }
    for line in &mut ours.lines {
        if let Some((address, _)) = line.split_once(" forget") {
            *line = format!("{address} delete");
        }
    }
}

/// Whether Terraform refuses an output for an instance that targets leave out, which weir takes from
/// state.
fn partly_there(step: &Step, theirs: &Answer, ours: &Answer) -> bool {
    step.flags.iter().any(|f| f.starts_with("-target="))
        && theirs.said.contains("Error: Invalid index")
        && ours.lines.iter().any(|l| l == "apply: ok")
}

/// The first difference from the stored answers.
fn check(scenario: &Scenario) -> Result<(), String> {
    let mut weir = Tool::weir();
    for (at, step) in scenario.steps.iter().enumerate() {
        let mut ours = weir.step(step);
        kept_by_destroy(step, &mut ours);
        if goes_on(step, &step.answer, &ours) {
            break;
        }
        if let Some(found) = difference(&step.answer, None, &ours, SECTIONS) {
            return Err(format!("step {at} {:?}\n{found}", step.flags));
        }
    }
    Ok(())
}

/// The first difference from Terraform itself, with the sections that differ.
fn check_live(scenario: &Scenario, sections: &[&str]) -> Result<(), String> {
    let (mut weir, mut terraform) = (Tool::weir(), Tool::terraform());
    for (at, step) in scenario.steps.iter().enumerate() {
        let theirs = terraform.step(step);
        let mut ours = weir.step(step);
        kept_by_destroy(step, &mut ours);
        let live = Some(&theirs.sections);
        if goes_on(step, &theirs.lines, &ours) || partly_there(step, &theirs, &ours) {
            break;
        }
        if let Some(found) = difference(&theirs.lines, live, &ours, sections) {
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

fn stored() -> Vec<(PathBuf, Scenario)> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder())
        .expect("the folder of stored stacks")
        .map(|e| e.expect("an entry").path())
        .collect();
    files.sort();
    if let Ok(names) = env::var("WEIR_STORED") {
        files.retain(|f| {
            f.file_stem()
                .is_some_and(|stem| names.split(',').any(|n| stem == n))
        });
    }
    let read = |f: &PathBuf| Scenario::parse(&fs::read_to_string(f).expect("a stored stack"));
    files.iter().map(|f| (f.clone(), read(f))).collect()
}

fn regenerate() {
    fs::create_dir_all(folder()).expect("a folder");
    for seed in 1..=number("WEIR_STACKS").unwrap_or(0) {
        let file = folder().join(format!("seed-{seed:04}.txt"));
        if !file.exists() {
            let mut scenario = Program::random(seed, MADE_OF).scenario();
            scenario.about = format!("# The stack of seed {seed}.\n");
            fs::write(file, scenario.text()).expect("a file");
        }
    }
    let new = env::var("WEIR_REGENERATE").is_ok_and(|v| v == "new");
    let answered = |s: &Scenario| s.steps.iter().any(|s| !s.answer.is_empty());
    let mut all = stored();
    all.retain(|(_, s)| !new || !answered(s));
    for_each(all, |(file, mut scenario)| {
        ask(&mut scenario);
        fs::write(file, scenario.text()).expect("a file");
    });
}

#[test]
fn stored_stacks_are_terraforms() {
    if env::var_os("WEIR_REGENERATE").is_some() {
        regenerate();
    }
    let all = stored();
    assert!(all.iter().all(|(_, s)| s.steps.len() > 1));
    let failed = Mutex::new(Vec::new());
    for_each(all, |(file, scenario)| {
        if let Err(found) = check(&scenario) {
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
    let sections: Vec<&str> = match &chosen {
        Some(names) => names.split(',').collect(),
        None => SECTIONS.to_vec(),
    };
    let tries = number("WEIR_SHRINK").map_or(400, |n| n as usize);
    let failed = Mutex::new(Vec::new());
    println!("seeds from {first}: {cases} cases");
    for_each((first..first + cases).collect(), |seed| {
        let program = Program::random(seed, &features);
        if check_live(&program.scenario(), &sections).is_ok() {
            return;
        }
        let small = program.smaller(tries, |p| check_live(&p.scenario(), &sections).is_err());
        let found = check_live(&small.scenario(), &sections).err();
        let (text, found) = (small.scenario().text(), found.unwrap_or_default());
        println!("##### seed {seed}\n{text}\n{found}");
        failed.lock().expect("no thread panicked").push(seed);
    });
    let failed = failed.into_inner().expect("no thread panicked");
    assert!(failed.is_empty(), "{} differ: {failed:?}", failed.len());
}
