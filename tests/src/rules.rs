//! The architecture's rules as pure functions: packages and source text in, violations out.
//!
//! A violation is one line that names the place, the rule and the way out, so that a failing test
//! reads as an answer. `ARCHITECTURE.md` says why each rule exists.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// A broken rule: where, what, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation(String);

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The workspace's packages, as `cargo metadata --no-deps --format-version 1` prints them.
#[derive(Debug, Clone, Deserialize)]
pub struct Metadata {
    /// Every member of the workspace.
    pub packages: Vec<Package>,
    /// The folder that holds the workspace.
    pub workspace_root: PathBuf,
}

/// One package of the workspace.
#[derive(Debug, Clone, Deserialize)]
pub struct Package {
    /// Its name, such as `weir-core`.
    pub name: String,
    /// What it depends on, of this workspace and of others.
    pub dependencies: Vec<Dependency>,
}

/// A dependency of a package.
#[derive(Debug, Clone, Deserialize)]
pub struct Dependency {
    /// The other package's name.
    pub name: String,
    /// For what it is needed.
    #[serde(default, deserialize_with = "kind")]
    pub kind: Kind,
}

/// For what a dependency is needed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Kind {
    /// By what the package builds.
    #[default]
    Normal,
    /// By its tests.
    Dev,
    /// By its build script.
    Build,
}

fn kind<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Kind, D::Error> {
    Ok(
        match Option::<String>::deserialize(deserializer)?.as_deref() {
            None => Kind::Normal,
            Some("dev") => Kind::Dev,
            Some("build") => Kind::Build,
            Some(other) => {
                return Err(serde::de::Error::custom(format!(
                    "dependency kind {other:?}"
                )));
            }
        },
    )
}

/// More packages than this and a newcomer no longer finds the room.
pub const MAX_PACKAGES: usize = 18;

/// More lines than this and a file holds more than one idea.
pub const MAX_LINES: usize = 800;

/// A package's place in the building: its floor, and what it may use below where that is less than
/// everything below.
struct Room {
    name: &'static str,
    floor: u8,
    only: Option<&'static [&'static str]>,
}

const fn room(name: &'static str, floor: u8) -> Room {
    Room {
        name,
        floor,
        only: None,
    }
}

const fn narrow(name: &'static str, floor: u8, only: &'static [&'static str]) -> Room {
    Room {
        name,
        floor,
        only: Some(only),
    }
}

const PROVIDER: &[&str] = &["weir-core", "weir-provider"];

/// Every package that may exist. A new one is added here and in `ARCHITECTURE.md` together.
const ROOMS: &[Room] = &[
    // The clouds of tests know nothing of weir: what weir gets wrong they can't share.
    narrow("weir-clouds", 0, &[]),
    room("weir-core", 0),
    room("weir-state", 1),
    room("weir-lang", 1),
    narrow("weir-source", 1, &["weir-core"]),
    room("weir-provider", 1),
    room("weir-agent", 1),
    room("weir-modules", 1),
    narrow("weir-plan", 2, &["weir-core", "weir-lang"]),
    // The provider `terraform` decodes text of the language.
    narrow("weir-fake", 2, &["weir-core", "weir-provider", "weir-lang"]),
    narrow("weir-aws", 2, PROVIDER),
    narrow("weir-azure", 2, PROVIDER),
    narrow("weir-google", 2, PROVIDER),
    narrow("weir-plugin", 2, PROVIDER),
    narrow(
        "weir-host",
        2,
        &["weir-core", "weir-provider", "weir-agent"],
    ),
    narrow(
        "weir-engine",
        3,
        &[
            "weir-core",
            "weir-lang",
            "weir-plan",
            "weir-state",
            "weir-provider",
        ],
    ),
    narrow(
        "weir-tftest",
        4,
        &[
            "weir-core",
            "weir-lang",
            "weir-plan",
            "weir-state",
            "weir-provider",
            "weir-engine",
        ],
    ),
    room("weir-control", 4),
    room("weir-cli", 5),
    room("weir-tests", 5),
];

fn find(name: &str) -> Option<&'static Room> {
    ROOMS.iter().find(|room| room.name == name)
}

/// Packages that use one from their own floor or a floor above, or more than they may.
///
/// Tests may use what stands on their own floor or below (an engine's test drives the fake
/// provider), never what stands above.
pub fn climbs(packages: &[Package]) -> Vec<Violation> {
    let mut found = Vec::new();
    if packages.len() > MAX_PACKAGES {
        found.push(Violation(format!(
            "the workspace has {} packages, and {MAX_PACKAGES} is the ceiling: put the code into a room that exists",
            packages.len()
        )));
    }
    for package in packages {
        let Some(room) = find(&package.name) else {
            found.push(Violation(format!(
                "{} stands on no floor: give it one in ARCHITECTURE.md and in tests/src/rules.rs",
                package.name
            )));
            continue;
        };
        let ours = package
            .dependencies
            .iter()
            .filter_map(|dependency| find(&dependency.name).map(|other| (dependency.kind, other)));
        found.extend(ours.filter_map(|(kind, other)| climb(room, kind, other)));
    }
    found
}

fn climb(room: &Room, kind: Kind, other: &Room) -> Option<Violation> {
    let (name, floor, used, above) = (room.name, room.floor, other.name, other.floor);
    let reason = match kind {
        Kind::Dev if above <= floor => return None,
        Kind::Dev => format!("floor {floor}, uses {used} (floor {above}) in its tests"),
        Kind::Normal | Kind::Build if above >= floor => {
            format!("floor {floor}, uses {used} (floor {above})")
        }
        Kind::Normal | Kind::Build => match room.only {
            Some(only) if !only.contains(&used) => {
                format!("may use {} only, uses {used}", only.join(", "))
            }
            _ => return None,
        },
    };
    Some(Violation(format!(
        "{name}: {reason}: move what both need to a floor below both"
    )))
}

/// A Rust file of the repository.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its path from the root of the repository, such as `stacks/plan/src/diff.rs`.
    pub path: PathBuf,
    /// All of it.
    pub text: String,
}

impl Source {
    fn is_in(&self, folder: &str) -> bool {
        self.path.starts_with(folder)
    }

    /// Tests, the kit and build scripts: code that is no part of what a user runs.
    fn is_test(&self) -> bool {
        let name = self.path.file_stem().unwrap_or_default().to_string_lossy();
        self.is_in("tests")
            || self.is_in("benches")
            || name == "tests"
            || name.ends_with("_tests")
            || name == "build"
            || self
                .path
                .components()
                .any(|part| part.as_os_str() == "tests")
    }
}

/// Everything that the rules on source text find in one file.
pub fn source_violations(source: &Source) -> Vec<Violation> {
    let mut found = Vec::new();
    let lines = source.text.lines().count();
    if lines > MAX_LINES {
        found.push(Violation(format!(
            "{}: {lines} lines, and {MAX_LINES} is the cap: split it by idea",
            source.path.display()
        )));
    }
    if is_crate_root(&source.path) && !starts_with_docs(&source.text) {
        found.push(Violation(format!(
            "{}: a crate's root starts with a page of docs (`//!`): what it is, what it never does, its main flow",
            source.path.display()
        )));
    }
    for (index, line) in source.text.lines().enumerate() {
        let place = format!("{}:{}", source.path.display(), index + 1);
        found.extend(
            line_violations(source, line).map(|rule| Violation(format!("{place}: {rule}"))),
        );
    }
    found
}

fn line_violations<'a>(source: &'a Source, line: &str) -> impl Iterator<Item = String> + use<'a> {
    let unfinished = UNFINISHED.iter().filter(|mark| line.contains(**mark));
    let code = code_of(line);
    let printed = PRINTS
        .iter()
        .filter(|call| calls(code, call) && !may_print(source));
    let impure = IMPURE
        .iter()
        .filter(|path| code.contains(**path) && must_be_pure(source));
    let found: Vec<String> = unfinished
        .map(|mark| format!("`{mark}` stands for work not done: do it, or leave it out"))
        .chain(printed.map(|call| {
            format!("`{call}` outside cli: return the text, or emit an event, and let cli print it")
        }))
        .chain(impure.map(|path| {
            format!("`{path}` in a crate that has to be pure: take what it needs as an argument")
        }))
        .collect();
    found.into_iter()
}

/// Marks of work not done. Written in two halves so that this file passes its own rule.
const UNFINISHED: &[&str] = &[
    concat!("to", "do!("),
    concat!("unimpl", "emented!("),
    concat!("FIX", "ME"),
    concat!("TO", "DO"),
];

const PRINTS: &[&str] = &["println!", "eprintln!", "print!", "eprint!", "dbg!"];

/// The network, the clock, randomness, the environment, other processes. Addresses of the network
/// are data: only what opens a socket or asks a resolver is refused.
const IMPURE: &[&str] = &[
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "ToSocketAddrs",
    "std::process",
    "std::env::",
    "SystemTime::now",
    "Instant::now",
    "tokio::",
    "rand::",
    "Uuid::new_v4",
];

fn may_print(source: &Source) -> bool {
    source.is_in("cli") || source.path == Path::new("agent/src/main.rs") || source.is_test()
}

fn must_be_pure(source: &Source) -> bool {
    ["core/src", "stacks/lang/src", "stacks/plan/src"]
        .iter()
        .any(|room| source.is_in(room))
        && !source.is_test()
}

fn is_crate_root(path: &Path) -> bool {
    path.ends_with("src/lib.rs")
}

/// At least five lines of docs at the very top.
fn starts_with_docs(text: &str) -> bool {
    text.lines()
        .take_while(|line| line.starts_with("//!"))
        .count()
        >= 5
}

/// The line without its comment. A `//` within a string ends the code too early, which can only
/// hide a violation on that line, never invent one.
fn code_of(line: &str) -> &str {
    line.find("//").map_or(line, |start| &line[..start])
}

/// True when a macro is called by this very name: `print!` is no part of `eprint!`.
fn calls(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(start, _)| {
        let before = code[..start].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
    })
}
