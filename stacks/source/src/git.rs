//! Repositories, by the `git` of the machine.

use crate::{
    address::{Fetch, without_password},
    error::SourceError,
    folder,
};
use base64::Engine;
use std::{
    fs,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Variables that would make git work on another repository than the one it is told.
const OF_ANOTHER_REPOSITORY: [&str; 8] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
];

struct Git<'a> {
    url: &'a str,
    folder: PathBuf,
    key: Option<PathBuf>,
    ssh_command: Option<&'a str>,
}

/// With what a repository is fetched.
pub(crate) struct With<'a> {
    /// The commit of an earlier run.
    pub(crate) pinned: Option<&'a str>,
    /// The command for SSH that the user set.
    pub(crate) ssh_command: Option<&'a str>,
    /// A folder for what is needed while it is fetched.
    pub(crate) scratch: &'a Path,
}

/// Brings a commit's files into `into`, which is empty. Returns the commit.
pub(crate) fn fetch(wanted: &Fetch, into: &Path, with: &With<'_>) -> Result<String, SourceError> {
    let Fetch::Git {
        url,
        reference,
        depth,
        ssh_key,
    } = wanted
    else {
        return Err(SourceError::address("it is no repository"));
    };
    let git = Git {
        url,
        folder: into.to_owned(),
        key: ssh_key
            .as_deref()
            .map(|k| key_file(k, with.scratch))
            .transpose()?,
        ssh_command: with.ssh_command,
    };
    let depth_text = depth.map(|d| d.to_string());
    let mut clone = vec!["clone", "--quiet", "--no-checkout"];
    if let Some(depth) = &depth_text {
        clone.extend(["--depth", depth]);
        if let Some(reference) = reference {
            clone.extend(["--branch", reference]);
        }
    }
    let target = into.to_string_lossy().into_owned();
    clone.extend(["--", url, &target]);
    git.run(None, &clone)
        .map_err(|error| match (depth, reference) {
            (Some(_), Some(reference)) if is_commit(reference) => SourceError::fetch(
                format!("{} can't be cloned", without_password(url)),
                "with `depth`, `ref` must be a branch or a tag, not a commit",
            ),
            _ => error,
        })?;
    let (found, moves) = git.resolve(reference.as_deref())?;
    let commit = match with.pinned {
        None => found,
        Some(pinned) if pinned == found => found,
        // A branch goes on: what is pinned stays what is taken.
        Some(pinned) if moves && git.has(pinned, depth_text.as_deref()) => pinned.to_owned(),
        Some(pinned) => {
            let name = reference.as_deref().unwrap_or("the default branch");
            let what = if moves {
                format!("the commit {pinned} that is pinned is gone: {name} is at {found}")
            } else {
                format!("`{name}` was moved: it is {found}, and {pinned} is pinned")
            };
            return Err(SourceError::Changed { what });
        }
    };
    git.run(Some(into), &["checkout", "--quiet", "--detach", &commit])?;
    if into.join(".gitmodules").is_file() {
        let mut modules = vec!["submodule", "--quiet", "update", "--init", "--recursive"];
        if let Some(depth) = &depth_text {
            modules.extend(["--depth", depth]);
        }
        git.run(Some(into), &modules)?;
    }
    folder::without_git(into)?;
    Ok(commit)
}

fn is_commit(text: &str) -> bool {
    (7..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The private key that the address carries, where only this user reads it.
fn key_file(text: &str, scratch: &Path) -> Result<PathBuf, SourceError> {
    let key = base64::engine::general_purpose::STANDARD
        .decode(text)
        .map_err(|_| SourceError::address("`sshkey` is not base64"))?;
    let path = scratch.join("key");
    let mut options = fs::OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(0o600);
    file.open(&path)
        .and_then(|mut f| f.write_all(&key))
        .map_err(SourceError::io(&path))?;
    Ok(path)
}

impl Git<'_> {
    fn command(&self, folder: Option<&Path>, args: &[&str]) -> Command {
        let mut command = Command::new("git");
        // A repository's own hooks are not run: nothing in a package is executed.
        command
            .args([
                "-c",
                "core.hooksPath=/dev/null",
                "-c",
                "advice.detachedHead=false",
            ])
            .args(args)
            .stdin(Stdio::null())
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("LC_ALL", "C");
        for name in OF_ANOTHER_REPOSITORY {
            command.env_remove(name);
        }
        if let Some(folder) = folder {
            command.current_dir(folder);
        }
        let program = self.ssh_command.unwrap_or("ssh -o BatchMode=yes");
        let ssh = match &self.key {
            Some(key) => format!("{program} -o IdentitiesOnly=yes -i '{}'", key.display()),
            None => program.to_owned(),
        };
        command.env("GIT_SSH_COMMAND", ssh);
        command
    }

    fn run(&self, folder: Option<&Path>, args: &[&str]) -> Result<String, SourceError> {
        let what = format!("git {} of {}", args[0], without_password(self.url));
        let output = self
            .command(folder, args)
            .output()
            .map_err(|e| match e.kind() {
                std::io::ErrorKind::NotFound => {
                    SourceError::fetch(&what, "there is no `git` on the PATH")
                }
                _ => SourceError::fetch(&what, e),
            })?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.replace(self.url, &without_password(self.url));
        let lines: Vec<&str> = said
            .lines()
            .map(str::trim)
            .filter(|l| !l.is_empty())
            .collect();
        Err(SourceError::fetch(what, lines.join("; ")))
    }

    fn verify(&self, name: &str) -> Option<String> {
        let name = format!("{name}^{{commit}}");
        let args = [
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            &name,
        ];
        self.run(Some(&self.folder), &args).ok()
    }

    /// The commit a name stands for, and whether the name is one that moves by itself.
    fn resolve(&self, reference: Option<&str>) -> Result<(String, bool), SourceError> {
        let Some(name) = reference else {
            let head = self.verify("HEAD").ok_or_else(|| {
                SourceError::fetch(without_password(self.url), "the repository is empty")
            })?;
            return Ok((head, true));
        };
        let candidates = [
            (format!("refs/tags/{name}"), false),
            (format!("refs/remotes/origin/{name}"), true),
            (name.to_owned(), false),
        ];
        for (candidate, moves) in candidates {
            if let Some(commit) = self.verify(&candidate) {
                return Ok((commit, moves));
            }
        }
        Err(SourceError::fetch(
            without_password(self.url),
            format!("it has no branch, tag or commit `{name}`"),
        ))
    }

    /// Whether a commit is there, or can be had.
    fn has(&self, commit: &str, depth: Option<&str>) -> bool {
        let here = |git: &Git<'_>| git.verify(commit).is_some();
        if here(self) {
            return true;
        }
        let Some(depth) = depth else { return false };
        let args = ["fetch", "--quiet", "--depth", depth, "origin", commit];
        self.run(Some(&self.folder), &args).is_ok() && here(self)
    }
}
