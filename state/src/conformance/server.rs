//! A Postgres server for tests: of Debian's package, in a folder of its own, on a socket of its own.

use nix::unistd::{Gid, Uid, User, chown};
use std::{
    ffi::OsStr,
    fs, io,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

/// A server that runs until it is dropped.
#[derive(Debug)]
pub struct Server {
    programs: PathBuf,
    folder: PathBuf,
    /// Who runs it where we are root, which it refuses to be run by.
    user: Option<(Uid, Gid)>,
    settings: String,
}

static COUNT: AtomicU32 = AtomicU32::new(0);

impl Server {
    /// Makes and starts a server.
    ///
    /// # Errors
    /// Why there is none: a test that needs it says so and is skipped.
    pub fn start() -> Result<Server, String> {
        Server::start_with("")
    }

    /// As [`Server::start`], with more settings (`-c name=value ...`).
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn start_with(settings: &str) -> Result<Server, String> {
        let programs = programs().ok_or("Postgres is not installed (package `postgresql`)")?;
        let user = match Uid::effective().is_root() {
            true => Some(somebody_else().ok_or("there is neither a user postgres nor nobody")?),
            false => None,
        };
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        // A socket's path has at most 107 bytes: it is not for `TMPDIR` to make it longer.
        let folder = PathBuf::from(format!("/tmp/weir-pg-{}-{number}", std::process::id()));
        let said = |e: io::Error| format!("{}: {e}", folder.display());
        fs::create_dir(&folder).map_err(said)?;
        if let Some((uid, gid)) = user {
            chown(&folder, Some(uid), Some(gid)).map_err(|e| said(e.into()))?;
        }
        let server = Server {
            programs,
            settings: format!(
                "-k {} -c listen_addresses='' -c fsync=off -c max_connections=40 {settings}",
                folder.display()
            ),
            folder,
            user,
        };
        let data = server.data();
        let data = data.as_os_str();
        let flags = [
            "-A",
            "trust",
            "-U",
            "weir",
            "-E",
            "UTF8",
            "--no-locale",
            "--no-sync",
        ];
        server.run(
            "initdb",
            flags
                .map(OsStr::new)
                .into_iter()
                .chain([OsStr::new("-D"), data]),
        )?;
        server.pg_ctl(&["start", "-o", &server.settings])?;
        Ok(server)
    }

    /// The folder, in which the socket is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A connection string for its superuser `weir`.
    pub fn url(&self) -> String {
        format!("host={} user=weir dbname=postgres", self.folder.display())
    }

    /// Stops it as a crash would and starts it again.
    ///
    /// # Errors
    /// What `pg_ctl` said.
    pub fn crash_and_restart(&self) -> Result<(), String> {
        self.pg_ctl(&["restart", "-m", "immediate", "-o", &self.settings])
    }

    /// Starts it anew with what `ALTER SYSTEM` was told, on its socket and wherever else that says.
    ///
    /// # Errors
    /// What `pg_ctl` said.
    pub fn restart_with_own_settings(&self) -> Result<(), String> {
        let settings = format!("-k {} -c fsync=off", self.folder.display());
        self.pg_ctl(&["restart", "-m", "fast", "-o", &settings])
    }

    /// Stops it as a crash would.
    ///
    /// # Errors
    /// What `pg_ctl` said.
    pub fn crash(&self) -> Result<(), String> {
        self.pg_ctl(&["stop", "-m", "immediate"])
    }

    /// Starts it again.
    ///
    /// # Errors
    /// What `pg_ctl` said.
    pub fn restart(&self) -> Result<(), String> {
        self.pg_ctl(&["start", "-o", &self.settings])
    }

    /// Runs SQL in a database as the superuser; what it printed.
    ///
    /// # Errors
    /// What `psql` said.
    pub fn sql(&self, database: &str, sql: &str) -> Result<String, String> {
        let folder = self.folder.display().to_string();
        let args = [
            "-X",
            "-q",
            "-A",
            "-t",
            "-v",
            "ON_ERROR_STOP=1",
            "-U",
            "weir",
            "-h",
        ];
        let rest = [folder.as_str(), "-d", database, "-c", sql];
        self.run("psql", args.iter().chain(&rest).map(OsStr::new))
    }

    /// Where it keeps what it keeps; `pg_hba.conf` is there.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn pg_ctl(&self, args: &[&str]) -> Result<(), String> {
        let (data, log) = (self.data(), self.folder.join("log"));
        let fixed = [
            OsStr::new("-w"),
            OsStr::new("-t"),
            OsStr::new("120"),
            OsStr::new("-D"),
            data.as_os_str(),
            OsStr::new("-l"),
            log.as_os_str(),
        ];
        let args = args.iter().map(OsStr::new).chain(fixed);
        self.run("pg_ctl", args)
            .map(drop)
            .map_err(|e| format!("{e}\n{}", fs::read_to_string(&log).unwrap_or_default()))
    }

    fn run<'a>(
        &self,
        program: &str,
        args: impl IntoIterator<Item = &'a OsStr>,
    ) -> Result<String, String> {
        // The server inherits what is not said: a pipe would never end.
        let (out, err) = (self.folder.join("out"), self.folder.join("err"));
        let said = |e: io::Error| format!("{program}: {e}");
        let mut command = Command::new(self.programs.join(program));
        command
            .args(args)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("LC_ALL", "C")
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(fs::File::create(&out).map_err(said)?)
            .stderr(fs::File::create(&err).map_err(said)?);
        if let Some((uid, gid)) = self.user {
            command.uid(uid.as_raw()).gid(gid.as_raw());
        }
        let status = command.status().map_err(said)?;
        let read = |path: &Path| fs::read_to_string(path).unwrap_or_default();
        match status.success() {
            true => Ok(read(&out)),
            false => Err(format!("{program}: {status}: {}{}", read(&err), read(&out))),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be down already.
        let _ = self.crash();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Where the server's programs are.
fn programs() -> Option<PathBuf> {
    let mut of_debian: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .collect();
    of_debian.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    of_debian
        .into_iter()
        .rev()
        .chain(std::env::split_paths(&path))
        .find(|folder| folder.join("initdb").exists() && folder.join("psql").exists())
}

fn somebody_else() -> Option<(Uid, Gid)> {
    ["postgres", "nobody"]
        .into_iter()
        .find_map(|name| User::from_name(name).ok().flatten())
        .map(|user| (user.uid, user.gid))
}
