//! What weir prints for programs is what Terraform prints: stacks in steps (`messages/*.txt`), whose
//! commands are run by weir, and whose answers by Terraform are stored beside them.
//!
//! - `WEIR_REGENERATE=1 cargo test -p weir-tests --test messages` asks Terraform again and stores
//!   its answers.
//! - `WEIR_STORED=create,moved` limits it to these.
//!
//! Where there is a `terraform` on the path, some stacks are asked of it again, so that what is
//! stored stays what it says.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};
use weir_tests::{
    differential::Scenario,
    messages::{Said, Speaker, differs},
};

/// The version whose answers are stored.
const TERRAFORM: &str = "Terraform v1.11.4";

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/messages");
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
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
    files
}

fn read(file: &Path) -> Scenario {
    Scenario::parse(&fs::read_to_string(file).expect("a stored stack"))
}

fn regenerate(file: &Path) {
    let mut scenario = read(file);
    let mut terraform = Speaker::terraform();
    for step in &mut scenario.steps {
        step.answer.lines = terraform.step(step).lines();
    }
    fs::write(file, scenario.text()).expect("a file that can be written");
}

/// Whether the file says that weir differs at this step, and why.
fn on_purpose(scenario: &Scenario, at: usize) -> bool {
    let mark = format!("# Differs at {at}: ");
    scenario.about.lines().any(|l| l.starts_with(&mark))
}

/// How weir differs from the stored answers, step by step.
fn check(file: &Path) -> String {
    let mut weir = Speaker::weir();
    let mut out = String::new();
    let scenario = read(file);
    for (at, step) in scenario.steps.iter().enumerate() {
        let theirs = Said::stored(&step.answer.lines).expect("a stored answer");
        let ours = weir.step(step);
        let found = match (differs(&theirs, &ours), on_purpose(&scenario, at)) {
            (Some(found), false) => found,
            (None, true) => "It does not differ any more.".into(),
            _ => continue,
        };
        let name = file.file_stem().unwrap_or_default().display();
        let words = step.flags.join(" ");
        out.push_str(&format!("{name}, step {at}: {words}\n{found}\n"));
    }
    out
}

/// How what is stored differs from what the terraform on the path says now.
fn outdated(file: &Path) -> String {
    let mut terraform = Speaker::terraform();
    let mut out = String::new();
    for (at, step) in read(file).steps.iter().enumerate() {
        let stored = Said::stored(&step.answer.lines).expect("a stored answer");
        if let Some(found) = differs(&stored, &terraform.step(step)) {
            out.push_str(&format!("{}, step {at}\n{found}\n", file.display()));
        }
    }
    out
}

/// Whether there is the terraform whose answers are stored.
fn there_is_terraform() -> bool {
    let run = Command::new("terraform")
        .arg("version")
        .env("CHECKPOINT_DISABLE", "1")
        .output();
    run.is_ok_and(|r| String::from_utf8_lossy(&r.stdout).starts_with(TERRAFORM))
}

fn all(files: &[PathBuf], found: impl Fn(&Path) -> String + Sync) -> String {
    let (first, second) = files.split_at(files.len() / 2);
    let each = |part: &[PathBuf]| part.iter().map(|f| found(f)).collect::<String>();
    std::thread::scope(|scope| {
        let beside = scope.spawn(|| each(second));
        each(first) + &beside.join().expect("no thread panicked")
    })
}

#[test]
fn messages_are_terraforms() {
    let files = files();
    if env::var_os("WEIR_REGENERATE").is_some() {
        assert!(there_is_terraform(), "{TERRAFORM} is not on the path");
        files.iter().for_each(|f| regenerate(f));
    }
    let found = all(&files, check);
    assert!(found.is_empty(), "\n{found}");
}

#[test]
fn what_is_stored_is_what_terraform_says() {
    if !there_is_terraform() {
        println!("SKIPPED: {TERRAFORM} is not on the path: nothing is asked of it");
        return;
    }
    let some: Vec<PathBuf> = files().into_iter().step_by(4).collect();
    let found = all(&some, outdated);
    assert!(found.is_empty(), "\n{found}");
}
