//! Asks the `terraform` binary: each expression is the input of a resource of one plan.

use super::{
    fixtures,
    names::{HOME, PRELUDE},
    plan_file,
};
use serde_json::Value as Json;
use std::{collections::BTreeMap, fs, path::Path, process::Command};

/// How many expressions one run is asked.
const BATCH: usize = 400;

/// Whether the binary is there.
pub(crate) fn is_there() -> bool {
    Command::new("terraform").arg("version").output().is_ok()
}

/// What it makes of expressions that parse.
pub(crate) fn answers(sources: &[&str]) -> BTreeMap<String, Json> {
    let mut answers = BTreeMap::new();
    for batch in sources.chunks(BATCH) {
        ask(batch, &mut answers);
    }
    answers
}

/// One plan over all of them, and again without those that are refused. Where it fails and says
/// not of which, halves are asked.
pub(crate) fn ask(sources: &[&str], answers: &mut BTreeMap<String, Json>) {
    let folder = tempfile::tempdir().unwrap();
    fixtures::write(folder.path());
    let mut asked: Vec<&str> = sources.to_vec();
    while !asked.is_empty() {
        let lines = write(folder.path(), &asked);
        let run = Command::new("terraform")
            .args(["plan", "-out=plan", "-json", "-lock=false"])
            .current_dir(folder.path())
            .env("TF_CLI_CONFIG_FILE", "/dev/null")
            .env("CHECKPOINT_DISABLE", "1")
            .env("HOME", HOME)
            .output()
            .unwrap();
        if run.status.success() {
            let inputs = plan_file::inputs(&folder.path().join("plan"));
            for (address, answer) in inputs {
                let number = address
                    .strip_prefix("terraform_data.t")
                    .map(str::parse::<usize>);
                if let Some(Ok(number)) = number {
                    answers.insert(asked[number].to_owned(), answer.json());
                }
            }
            return;
        }
        let refused = refused(&String::from_utf8_lossy(&run.stdout), &lines);
        match asked.as_slice() {
            [only] => {
                answers.insert((*only).to_owned(), Json::Null);
                return;
            }
            many if refused.is_empty() => {
                let (a, b) = many.split_at(many.len() / 2);
                ask(a, answers);
                return ask(b, answers);
            }
            _ => {}
        }
        let mut at = 0;
        asked.retain(|source| {
            let wrong = refused.contains(&at);
            at += 1;
            if wrong {
                answers.insert((*source).to_owned(), Json::Null);
            }
            !wrong
        });
    }
}

/// Writes the configuration; gives the number of the expression on each line.
fn write(folder: &Path, asked: &[&str]) -> Vec<usize> {
    let mut config = String::new();
    let mut lines = vec![usize::MAX];
    for (i, source) in asked.iter().enumerate() {
        let block = format!("resource \"terraform_data\" \"t{i}\" {{\n  input = {source}\n}}\n");
        lines.extend(std::iter::repeat_n(i, block.matches('\n').count()));
        config.push_str(&block);
    }
    fs::write(folder.join("main.tf"), config).unwrap();
    fs::write(folder.join("prelude.tf"), PRELUDE).unwrap();
    lines
}

/// Which are refused: those a diagnostic points at.
fn refused(stdout: &str, lines: &[usize]) -> Vec<usize> {
    stdout
        .lines()
        .filter_map(|line| serde_json::from_str::<Json>(line).ok())
        .filter(|m| m["diagnostic"]["severity"] == "error")
        .filter(|m| m["diagnostic"]["range"]["filename"] == "main.tf")
        .filter_map(|m| m["diagnostic"]["range"]["start"]["line"].as_u64())
        .filter_map(|line| lines.get(usize::try_from(line).ok()?).copied())
        .collect()
}
