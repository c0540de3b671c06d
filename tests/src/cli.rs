//! The `weir` command as a user runs it: a stack's folder, a process, its output.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::golden::Filters;

/// The environment variable that names the binary under test.
pub const BINARY: &str = "WEIR_BIN";

/// A run that takes longer than this hangs; it is killed and the test fails.
const RUN_LIMIT: Duration = Duration::from_secs(600);

/// The path of a built binary: `$WEIR_BIN` for `weir`, else beside the folder of this test's
/// executable, where cargo puts it.
///
/// # Panics
/// When it isn't there, with the command that builds it.
#[track_caller]
pub fn binary(name: &str) -> PathBuf {
    if name == "weir"
        && let Some(path) = std::env::var_os(BINARY)
    {
        return PathBuf::from(path);
    }
    let test = std::env::current_exe().expect("a running test has an executable");
    let path = test
        .ancestors()
        .skip(1)
        .map(|folder| folder.join(name))
        .take(3)
        .find(|candidate| candidate.is_file());
    path.unwrap_or_else(|| {
        panic!(
            "{name} isn't built near {}; build it first: cargo build -p weir-cli -p weir-agent",
            test.display()
        )
    })
}

/// A stack in a temporary folder, with a home folder of its own so that no setting of the user who
/// runs the tests takes part. Both are removed when the value is dropped.
#[derive(Debug)]
pub struct Stack {
    program: PathBuf,
    root: TempDir,
    environment: Vec<(String, String)>,
}

impl Stack {
    /// An empty stack for the built `weir`.
    ///
    /// # Panics
    /// When `weir` isn't built or no temporary folder can be made.
    #[track_caller]
    #[expect(clippy::new_without_default, reason = "it makes a folder on disk")]
    pub fn new() -> Self {
        Self::with_program(binary("weir"))
    }

    /// An empty stack for another program that takes weir's place.
    ///
    /// # Panics
    /// When no temporary folder can be made.
    #[track_caller]
    pub fn with_program(program: impl Into<PathBuf>) -> Self {
        let root = tempfile::Builder::new()
            .prefix("weir-test-")
            .tempdir()
            .expect("a temporary folder for the stack");
        for folder in ["stack", "home", "run"] {
            fs::create_dir(root.path().join(folder)).expect("a folder in a new temporary folder");
        }
        Self {
            program: program.into(),
            root,
            environment: Vec::new(),
        }
    }

    /// The stack's folder: where `weir` runs.
    pub fn path(&self) -> PathBuf {
        self.root.path().join("stack")
    }

    /// The home folder that `weir` sees.
    pub fn home(&self) -> PathBuf {
        self.root.path().join("home")
    }

    /// Sets an environment variable for every run from now on.
    pub fn set_env(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Writes a file of the stack, with the folders above it.
    ///
    /// # Panics
    /// When the file can't be written.
    #[track_caller]
    pub fn file(&self, path: &str, text: &str) -> &Self {
        let path = self.path().join(path);
        let folder = path.parent().expect("a path below the stack's folder");
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, text))
            .unwrap_or_else(|error| panic!("{}: can't be written: {error}", path.display()));
        self
    }

    /// Copies a folder of files into the stack, such as one of `examples/`.
    ///
    /// # Panics
    /// When something can't be read or written.
    #[track_caller]
    pub fn copy_from(&self, folder: &Path) -> &Self {
        copy_folder(folder, &self.path())
            .unwrap_or_else(|error| panic!("{}: can't be copied: {error}", folder.display()));
        self
    }

    /// Runs `weir` with these arguments to its end.
    ///
    /// # Panics
    /// When it can't be started or hangs.
    #[track_caller]
    pub fn weir(&self, arguments: &[&str]) -> Run {
        self.spawn(arguments).wait()
    }

    /// Starts `weir` and returns while it runs.
    ///
    /// Its output goes to files, not pipes: a process that outlives weir and holds its output open
    /// can't make the test hang.
    ///
    /// # Panics
    /// When it can't be started.
    #[track_caller]
    pub fn spawn(&self, arguments: &[&str]) -> Running {
        let run = tempfile::tempdir_in(self.root.path().join("run")).expect("a folder for the run");
        let open = |name: &str| File::create(run.path().join(name)).expect("a file for the output");
        let child = Command::new(&self.program)
            .args(arguments)
            .current_dir(self.path())
            .env_clear()
            .envs(std::env::vars().filter(|(name, _)| passes_through(name)))
            .env("HOME", self.home())
            .env("NO_COLOR", "1")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(open("stdout"))
            .stderr(open("stderr"))
            .spawn()
            .unwrap_or_else(|error| {
                panic!("{}: can't be started: {error}", self.program.display())
            });
        Running {
            child,
            output: run,
            command: format!("weir {}", arguments.join(" ")),
        }
    }

    /// The standard filters, and this stack's folders.
    pub fn filters(&self) -> Filters {
        Filters::none()
            .literal(&self.path().to_string_lossy(), "[STACK]")
            .literal(&self.home().to_string_lossy(), "[HOME]")
            .then(Filters::standard())
    }
}

/// What a run inherits from the test's environment; `WEIR_*`, `TF_*` and the clouds' variables of
/// whoever runs the tests don't.
fn passes_through(name: &str) -> bool {
    matches!(
        name,
        "PATH" | "LANG" | "TMPDIR" | "USER" | "LOGNAME" | "RUST_BACKTRACE"
    ) || name.ends_with("_CA_BUNDLE")
        || name.starts_with("SSL_CERT_")
        || name.starts_with("LLVM_PROFILE_")
}

fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// A `weir` that runs. Dropping it kills it.
#[derive(Debug)]
pub struct Running {
    child: Child,
    output: TempDir,
    command: String,
}

impl Running {
    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Standard error so far.
    pub fn stderr(&self) -> String {
        read_lossy(&self.output.path().join("stderr"))
    }

    /// Standard output so far.
    pub fn stdout(&self) -> String {
        read_lossy(&self.output.path().join("stdout"))
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it hangs, with what it said until then.
    #[track_caller]
    pub fn wait(mut self) -> Run {
        let Some(status) = self.wait_for(RUN_LIMIT) else {
            let said = self.stderr();
            panic!(
                "{}: hangs since {} s\n{said}",
                self.command,
                RUN_LIMIT.as_secs()
            );
        };
        self.finish(status)
    }

    /// Lets it run for `time`, then kills it as `kill -9` does. A run that ends by itself before
    /// that is returned as it is: [`Run::was_killed`] tells them apart.
    ///
    /// # Panics
    /// When the process can't be waited for.
    #[track_caller]
    pub fn kill_after(mut self, time: Duration) -> Run {
        let status = self.wait_for(time).unwrap_or_else(|| {
            // It may end between the two calls; then there is nothing to kill.
            let _ = self.child.kill();
            self.child.wait().expect("a child that can be waited for")
        });
        self.finish(status)
    }

    /// Presses Ctrl-C.
    ///
    /// # Panics
    /// When the signal can't be sent.
    #[track_caller]
    pub fn interrupt(&self) {
        let pid = Pid::from_raw(i32::try_from(self.pid()).expect("a process id fits in 31 bits"));
        kill(pid, Signal::SIGINT).expect("a child that has not been waited for takes a signal");
    }

    /// `None` when it still runs after `limit`.
    fn wait_for(&mut self, limit: Duration) -> Option<ExitStatus> {
        let start = Instant::now();
        loop {
            let ended = self
                .child
                .try_wait()
                .expect("a child that can be waited for");
            if ended.is_some() {
                return ended;
            }
            let left = limit.checked_sub(start.elapsed())?;
            sleep(left.min(Duration::from_millis(5)));
        }
    }

    fn finish(&self, status: ExitStatus) -> Run {
        Run {
            command: self.command.clone(),
            status,
            stdout: self.stdout(),
            stderr: self.stderr(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail on a process that was waited for, which is what they should achieve.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read_lossy(path: &Path) -> String {
    fs::read(path).map_or_else(
        |error| format!("[{}: {error}]", path.display()),
        |bytes| String::from_utf8_lossy(&bytes).into_owned(),
    )
}

/// A run that ended.
#[derive(Debug, Clone)]
pub struct Run {
    /// The command line, for messages.
    pub command: String,
    /// How it ended.
    pub status: ExitStatus,
    /// All of its standard output.
    pub stdout: String,
    /// All of its standard error.
    pub stderr: String,
}

impl Run {
    /// Asserts that it exited with `code`.
    ///
    /// # Panics
    /// When it ended otherwise, with its whole output.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert!(
            self.status.code() == Some(code),
            "{}: {}, expected exit code {code}\n{}",
            self.command,
            self.status,
            self.transcript()
        );
        self
    }

    /// Asserts that it exited with 0.
    ///
    /// # Panics
    /// When it ended otherwise, with its whole output.
    #[track_caller]
    pub fn expect_success(self) -> Self {
        self.expect_code(0)
    }

    /// True when `kill -9` ended it.
    pub fn was_killed(&self) -> bool {
        self.status.signal() == Some(Signal::SIGKILL as i32)
    }

    /// Exit code and both streams in one text, for golden files.
    pub fn transcript(&self) -> String {
        let code = self.status.code().map_or_else(
            || self.status.to_string(),
            |code| format!("exit code {code}"),
        );
        format!(
            "$ {}\n{code}\n--- stdout\n{}\n--- stderr\n{}\n",
            self.command,
            self.stdout.trim_end(),
            self.stderr.trim_end()
        )
    }
}
