//! A network of the test's own, in which every address there is leads to this machine: what clouds
//! hand out as public addresses can be reached, and collides with nobody's.

use std::{
    any::type_name_of_val,
    env,
    process::{Command, Stdio},
};

/// Set for a test that is inside.
const INSIDE: &str = "WEIR_TEST_NETWORK";

/// What makes the network, in it.
const SETUP: &str = r#"ip link set lo up && ip route add local 0.0.0.0/0 dev lo && exec "$0" "$@""#;

/// Runs a test in a process of its own, in a network of its own, which ends with it. Skipped, said
/// aloud, where that can't be made.
#[allow(clippy::print_stdout)] // what is skipped is told
pub fn alone(test: impl FnOnce()) {
    if env::var_os(INSIDE).is_some() {
        return test();
    }
    let able = Command::new("unshare")
        .args(["--net", "--mount", "--pid", "--fork", "sh", "-c"])
        .arg("test -x /usr/sbin/sshd && ip link set lo up")
        .stdin(Stdio::null())
        .output();
    if !able.is_ok_and(|out| out.status.success()) {
        println!(
            "SKIPPED: it needs root, iproute2 and openssh-server to make machines in a network"
        );
        return;
    }
    // The name of the closure says which test it is.
    let name = type_name_of_val(&test);
    let name = name.split_once("::").map_or(name, |(_, rest)| rest);
    let name = name.trim_end_matches("::{{closure}}");
    let out = Command::new("unshare")
        .args(["--net", "sh", "-c", SETUP])
        .arg(env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(INSIDE, "1")
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let (said, told) = (
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr),
    );
    assert!(out.status.success(), "{said}\n{told}");
    assert!(said.contains("1 passed"), "{name} was not run: {said}");
    print!("{said}");
}
