//! Builds the agent for the hosts and hands it to the compiler, so that `weir` is one file.
//!
//! The agent must run on any distribution, whatever its libc: it is linked statically, in a build
//! of its own. `+crt-static` can't be had for `weir` itself, as it would reach proc macros too.
//!
//! `WEIR_AGENT_BINARY` names an agent that is built already; then nothing is built here.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

fn main() {
    let root = manifest_dir().join("..");
    for path in ["agent/src", "agent/Cargo.toml", "Cargo.toml", "Cargo.lock"] {
        println!("cargo:rerun-if-changed={}", root.join(path).display());
    }
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=WEIR_AGENT_BINARY");
    let built = match env::var_os("WEIR_AGENT_BINARY") {
        Some(given) => PathBuf::from(given),
        None => build(&root),
    };
    let embedded = out_dir().join("weir-agent");
    if let Err(e) = fs::copy(&built, &embedded) {
        panic!(
            "the agent {} can't be copied to {}: {e}",
            built.display(),
            embedded.display()
        );
    }
}

fn build(root: &Path) -> PathBuf {
    let target = variable("TARGET");
    assert!(
        target.ends_with("-unknown-linux-gnu"),
        "weir builds its agent for {target}, and only the targets *-unknown-linux-gnu are \
         supported. Build the agent elsewhere and name it with WEIR_AGENT_BINARY."
    );
    let target_dir = agent_target_dir();
    let mut cargo = Command::new(variable("CARGO"));
    for (name, _) in env::vars_os() {
        let inherited = name.to_str().is_some_and(is_of_outer_build);
        if inherited {
            cargo.env_remove(&name);
        }
    }
    cargo
        .current_dir(root)
        .env("RUSTFLAGS", "-C target-feature=+crt-static")
        .args([
            "build",
            "--locked",
            "--package",
            "weir-agent",
            "--bin",
            "weir-agent",
        ])
        .args(["--profile", "agent", "--target", &target, "--target-dir"])
        .arg(&target_dir);
    match cargo.status() {
        Ok(status) if status.success() => {}
        Ok(status) => panic!(
            "the agent can't be built: `cargo build --package weir-agent` ended with {status}; \
             its own messages stand above"
        ),
        Err(e) => panic!("the agent can't be built: cargo can't be started: {e}"),
    }
    target_dir.join(target).join("agent").join("weir-agent")
}

/// What cargo and its wrappers tell this build and must not tell the one inside. What the user
/// says about registries, proxies and toolchains stays.
fn is_of_outer_build(name: &str) -> bool {
    const PREFIXES: [&str; 6] = [
        "CARGO_CFG_",
        "CARGO_FEATURE_",
        "CARGO_MANIFEST",
        "CARGO_PKG_",
        "CARGO_PROFILE_",
        "CARGO_BUILD_",
    ];
    const NAMES: [&str; 18] = [
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_MAKEFLAGS",
        "CARGO_PRIMARY_PACKAGE",
        "CARGO_TARGET_DIR",
        "CARGO_INCREMENTAL",
        "CLIPPY_ARGS",
        "DEBUG",
        "HOST",
        "MAKEFLAGS",
        "MFLAGS",
        "NUM_JOBS",
        "OPT_LEVEL",
        "OUT_DIR",
        "PROFILE",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTDOCFLAGS",
        "RUSTFLAGS",
        "TARGET",
    ];
    PREFIXES.iter().any(|p| name.starts_with(p)) || NAMES.contains(&name)
}

/// Below the target directory in use, shared by all profiles. It is one of its own: the outer
/// build holds the lock of the other while this runs.
fn agent_target_dir() -> PathBuf {
    let out = out_dir();
    // <target dir>/<profile>/build/<package>/out
    match out.ancestors().nth(4) {
        Some(target_dir) => target_dir.join("agent"),
        None => panic!("{} is not where cargo puts build output", out.display()),
    }
}

fn out_dir() -> PathBuf {
    PathBuf::from(variable("OUT_DIR"))
}

fn manifest_dir() -> PathBuf {
    PathBuf::from(variable("CARGO_MANIFEST_DIR"))
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|e| panic!("cargo did not set {name}: {e}"))
}
