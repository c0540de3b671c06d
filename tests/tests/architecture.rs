//! The architecture's rules, applied to this repository and to what they must refuse.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test may panic as the test may"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use weir_tests::rules::{
    Dependency, Kind, MAX_LINES, MAX_PACKAGES, Metadata, Package, Source, Violation, climbs,
    source_violations,
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .unwrap()
}

fn assert_none(violations: &[Violation]) {
    let lines: Vec<String> = violations.iter().map(ToString::to_string).collect();
    assert!(
        lines.is_empty(),
        "{} broken:\n{}",
        lines.len(),
        lines.join("\n")
    );
}

fn assert_one(violations: &[Violation], expected: &str) {
    let lines: Vec<String> = violations.iter().map(ToString::to_string).collect();
    assert_eq!(lines, [expected]);
}

// ---- this repository

#[test]
fn no_package_climbs() {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--format-version",
            "1",
            "--offline",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Metadata = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(metadata.workspace_root.canonicalize().unwrap(), root());
    assert!(
        metadata
            .packages
            .iter()
            .any(|package| package.name == "weir-core")
    );
    assert_none(&climbs(&metadata.packages));
}

#[test]
fn every_file_keeps_the_rules() {
    let root = root();
    let mut sources = Vec::new();
    collect(&root, &root, &mut sources);
    let here = Path::new("tests/tests/architecture.rs");
    assert!(
        sources.iter().any(|source| source.path == here),
        "the walk finds this file"
    );
    let violations: Vec<Violation> = sources
        .iter()
        .filter(|source| source.path != here)
        .flat_map(source_violations)
        .collect();
    assert_none(&violations);
}

/// Every Rust file below `folder`, but for what is built and what is hidden.
fn collect(root: &Path, folder: &Path, into: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy();
        if name.starts_with('.') || name == "target" {
            continue;
        }
        if path.is_dir() {
            collect(root, &path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            // A file may go between the listing and the reading while somebody edits.
            let Ok(text) = fs::read_to_string(&path) else {
                continue;
            };
            let path = path.strip_prefix(root).unwrap().to_owned();
            into.push(Source { path, text });
        }
    }
}

// ---- what the rules must refuse

fn package(name: &str, uses: &[(&str, Kind)]) -> Package {
    let dependencies = uses.iter().map(|(name, kind)| Dependency {
        name: (*name).to_owned(),
        kind: *kind,
    });
    Package {
        name: name.to_owned(),
        dependencies: dependencies.collect(),
    }
}

#[test]
fn a_climb_is_refused() {
    assert_one(
        &climbs(&[package("weir-core", &[("weir-engine", Kind::Normal)])]),
        "weir-core: floor 0, uses weir-engine (floor 3): move what both need to a floor below both",
    );
}

#[test]
fn a_neighbour_on_the_same_floor_is_refused() {
    for kind in [Kind::Normal, Kind::Build] {
        assert_one(
            &climbs(&[package("weir-state", &[("weir-lang", kind)])]),
            "weir-state: floor 1, uses weir-lang (floor 1): move what both need to a floor below both",
        );
    }
}

#[test]
fn a_room_with_a_short_list_may_not_use_more() {
    assert_one(
        &climbs(&[package(
            "weir-plan",
            &[("weir-core", Kind::Normal), ("weir-state", Kind::Normal)],
        )]),
        "weir-plan: may use weir-core, weir-lang only, uses weir-state: move what both need to a floor below both",
    );
}

#[test]
fn tests_may_use_a_neighbour_but_not_climb() {
    assert_none(&climbs(&[package(
        "weir-host",
        &[("weir-fake", Kind::Dev)],
    )]));
    assert_none(&climbs(&[package(
        "weir-engine",
        &[("weir-fake", Kind::Dev)],
    )]));
    assert_one(
        &climbs(&[package("weir-provider", &[("weir-fake", Kind::Dev)])]),
        "weir-provider: floor 1, uses weir-fake (floor 2) in its tests: move what both need to a floor below both",
    );
}

#[test]
fn other_peoples_crates_are_not_ours_to_judge() {
    assert_none(&climbs(&[package("weir-core", &[("serde", Kind::Normal)])]));
}

#[test]
fn an_unknown_package_is_refused() {
    assert_one(
        &climbs(&[package("weir-utils", &[])]),
        "weir-utils stands on no floor: give it one in ARCHITECTURE.md and in tests/src/rules.rs",
    );
}

#[test]
fn too_many_packages_are_refused() {
    let many: Vec<Package> = (0..=MAX_PACKAGES)
        .map(|_| package("weir-core", &[]))
        .collect();
    assert_one(
        &climbs(&many),
        "the workspace has 19 packages, and 18 is the ceiling: put the code into a room that exists",
    );
}

#[test]
fn metadata_of_cargo_is_read() {
    let text = r#"{"packages": [{"name": "weir-state", "version": "0.1.0", "dependencies": [
        {"name": "weir-core", "kind": null}, {"name": "tempfile", "kind": "dev"}]}],
        "workspace_root": "/w", "target_directory": "/w/target"}"#;
    let metadata: Metadata = serde_json::from_str(text).unwrap();
    let kinds: Vec<Kind> = metadata.packages[0]
        .dependencies
        .iter()
        .map(|d| d.kind)
        .collect();
    assert_eq!(kinds, [Kind::Normal, Kind::Dev]);
}

fn check(path: &str, text: &str) -> Vec<Violation> {
    source_violations(&Source {
        path: path.into(),
        text: text.to_owned(),
    })
}

#[test]
fn a_file_over_the_cap_is_refused() {
    assert_none(&check("core/src/a.rs", &"//\n".repeat(MAX_LINES)));
    assert_one(
        &check("core/src/a.rs", &"//\n".repeat(MAX_LINES + 1)),
        "core/src/a.rs: 801 lines, and 800 is the cap: split it by idea",
    );
}

#[test]
fn a_crate_without_its_page_of_docs_is_refused() {
    assert_eq!(check("state/src/lib.rs", "//! Placeholder.\n").len(), 1);
    assert_none(&check("state/src/lib.rs", &"//! Text.\n".repeat(5)));
}

#[test]
fn work_not_done_is_refused_everywhere() {
    for text in [
        "fn f() { todo!() }",
        "unimplemented!(\"x\")",
        "// FIXME: later",
        "// TODO later",
    ] {
        for path in [
            "core/src/a.rs",
            "cli/src/a.rs",
            "tests/tests/a.rs",
            "agent/src/tests.rs",
        ] {
            assert_eq!(check(path, text).len(), 1, "{path}: {text}");
        }
    }
}

#[test]
fn printing_is_for_the_cli() {
    for text in [
        "println!(\"x\");",
        "    eprint!(\"x\")",
        "std::println!()",
        "dbg!(x)",
    ] {
        for path in [
            "core/src/a.rs",
            "agent/src/lib_a.rs",
            "providers/host/src/a.rs",
        ] {
            assert_eq!(check(path, text).len(), 1, "{path}: {text}");
        }
        let free = [
            "cli/src/a.rs",
            "agent/src/main.rs",
            "state/src/tests.rs",
            "state/tests/a.rs",
            "cli/build.rs",
        ];
        for path in free {
            assert_none(&check(path, text));
        }
    }
    assert_none(&check(
        "core/src/a.rs",
        "/// Unlike `println!`, it returns the text.",
    ));
    assert_none(&check("core/src/a.rs", "my_print!(x); x.print();"));
}

#[test]
fn pure_crates_touch_nothing_outside() {
    for text in [
        "use std::net::TcpStream;",
        "let t = Instant::now();",
        "std::env::var(\"X\")",
    ] {
        for path in [
            "core/src/a.rs",
            "stacks/plan/src/a.rs",
            "stacks/lang/src/functions/a.rs",
        ] {
            assert_eq!(check(path, text).len(), 1, "{path}: {text}");
        }
        for path in [
            "stacks/engine/src/a.rs",
            "stacks/plan/tests/a.rs",
            "stacks/plan/src/diff/tests.rs",
        ] {
            assert_none(&check(path, text));
        }
    }
}
