//! Stacks in steps (`stacks/*.txt`), as Terraform with hashicorp/aws 5.100 does them on moto
//! (`stacks/*.out`): weir plans the same for the same addresses, leaves the same attributes, and
//! finds nothing to do after each step.
//!
//! The answers are stored, so that the suite needs moto alone. With `terraform` on the path and the
//! provider in a filesystem mirror (`WEIR_TF_PLUGINS`, /opt/tf-plugins where that is not set),
//! `WEIR_REGENERATE=1 cargo test -p weir-cli --features aws --test aws stacks` asks again and writes
//! them. `WEIR_STORED=vpc,nat` limits it to these.

use crate::{
    answer::Answer,
    moto::Moto,
    tool::{Kind, Tool, provider},
};
use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
};

/// How many stacks are done at once: much of their time is the emulator's.
const WORKERS: usize = 3;

/// A stack's step: what it is called, and its files.
struct Step {
    title: String,
    files: BTreeMap<String, String>,
}

#[allow(clippy::print_stdout)] // what is skipped is told
fn stacks() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/aws/stacks");
    let only = env::var("WEIR_STORED").ok();
    let asked = env::var_os("WEIR_REGENERATE").is_some();
    let mut all: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "txt"))
        .filter(|p| {
            let there = asked || p.with_extension("out").exists();
            if !there {
                println!("SKIPPED: {} has no answers of Terraform yet", p.display());
            }
            there
        })
        .filter(|p| {
            let name = p.file_stem().unwrap().to_string_lossy();
            only.as_ref()
                .is_none_or(|o| o.split(',').any(|o| o == name))
        })
        .collect();
    all.sort();
    all
}

fn steps(path: &Path) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut file = String::new();
    for line in fs::read_to_string(path).unwrap().lines() {
        if let Some(title) = line.strip_prefix("=== ") {
            let title = title.to_owned();
            steps.push(Step {
                title,
                files: BTreeMap::new(),
            });
        } else if let Some(name) = line.strip_prefix("--- ") {
            name.clone_into(&mut file);
            let files = &mut steps.last_mut().unwrap().files;
            files.insert(file.clone(), String::new());
        } else if let Some(step) = steps.last_mut() {
            let text = step.files.get_mut(&file).unwrap();
            text.push_str(line);
            text.push('\n');
        }
    }
    steps
}

fn answers(path: &Path) -> Vec<Answer> {
    let text = fs::read_to_string(path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let parts = lines.split(|l| l.starts_with("=== ")).skip(1);
    parts.map(Answer::read).collect()
}

/// All that the files say.
fn said(step: &Step) -> String {
    step.files.values().map(String::as_str).collect()
}

fn regenerate(path: &Path, moto: &Moto) {
    let mut tool = Tool::new(Kind::Terraform, &provider(&moto.address));
    let mut text = String::new();
    for step in steps(path) {
        tool.write(&step.files);
        let answer = tool.step().normal(&said(&step));
        text.push_str(&format!("=== {}\n{}", step.title, answer.text()));
    }
    fs::write(path.with_extension("out"), text).unwrap();
}

/// What differs from the stored answers.
fn check(path: &Path, moto: &Moto) -> (usize, Vec<String>) {
    let mut tool = Tool::new(Kind::Weir, &provider(&moto.address));
    let (mut differ, mut most) = (Vec::new(), 0);
    for (step, theirs) in steps(path).iter().zip(answers(&path.with_extension("out"))) {
        tool.write(&step.files);
        let ours = tool.step().normal(&said(step));
        most = most.max(ours.state.len());
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let place = |line| format!("{name}, {}: {line}", step.title);
        differ.extend(theirs.difference(&ours).into_iter().map(place));
        let again = tool.run(&["plan", "-no-color", "-detailed-exitcode"]);
        if again.status.code() != Some(0) {
            let text = crate::tool::text(&again.stdout);
            differ.push(format!(
                "{name}, {}: the second plan is not empty: {text}",
                step.title
            ));
        }
    }
    (most, differ)
}

/// What fails in one stack says nothing of the others.
fn survived(path: &Path, moto: &Moto) -> (usize, Vec<String>) {
    std::panic::catch_unwind(|| check(path, moto)).unwrap_or_else(|_| {
        let line = format!("{}: it failed, as said above", path.display());
        (0, vec![line])
    })
}

#[test]
#[allow(clippy::print_stdout)] // how much was compared is told
fn stacks_are_done_as_terraform_does_them() {
    let Some(moto) = Moto::start() else { return };
    let all = stacks();
    if env::var_os("WEIR_REGENERATE").is_some() {
        // Terraform waits most of its time: they wait together.
        let (moto, share) = (&moto, all.len().div_ceil(7).max(1));
        std::thread::scope(|scope| {
            for some in all.chunks(share) {
                scope.spawn(move || some.iter().for_each(|path| regenerate(path, moto)));
            }
        });
    }
    // They share the emulator, and each looks only for what is its own.
    let (moto, share) = (&moto, all.len().div_ceil(WORKERS).max(1));
    let checked: Vec<(usize, Vec<String>)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (all.chunks(share))
            .map(|some| scope.spawn(move || some.iter().map(|p| survived(p, moto)).collect()))
            .collect();
        let done = workers.into_iter().map(|w| w.join().unwrap());
        done.flat_map(|part: Vec<_>| part).collect()
    });
    let resources: usize = checked.iter().map(|(most, _)| most).sum();
    let differ: Vec<String> = checked.into_iter().flat_map(|(_, found)| found).collect();
    println!("{} stacks of {resources} resources", all.len());
    assert!(
        differ.is_empty(),
        "{} differ:\n{}",
        differ.len(),
        differ.join("\n")
    );
    assert!(
        env::var_os("WEIR_STORED").is_some() || resources >= 150,
        "{resources} resources"
    );
}
