//! The lab itself: hosts boot, every fault does what it says, and nothing stays behind.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test may panic as the test may"
)]

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use weir_tests::lab::{Lab, Options};
use weir_tests::wait::eventually;

#[test]
fn hosts_boot_fail_and_come_back() {
    let small = Options {
        disk: Some("200m".to_owned()),
        layer: None,
    };
    let Some(lab) = Lab::up_with(2, &small) else {
        return;
    };
    assert_eq!(lab.hosts(), ["onprem1", "onprem2"]);
    assert_eq!(lab.must_ssh("onprem1", "hostname"), "onprem1");
    assert_eq!(lab.must_ssh("onprem1", "cat /proc/1/comm"), "systemd");

    // A full disk refuses to be written, and is there again afterwards.
    lab.fill("onprem1");
    let refused = lab.ssh("onprem1", "echo data > /root/file").unwrap_err();
    assert!(refused.contains("No space left on device"), "{refused}");
    lab.unfill("onprem1");
    lab.must_ssh("onprem1", "echo data > /root/file; sync");

    // A crash keeps the disk; a wipe does not, and brings another key.
    lab.crash("onprem1");
    assert!(lab.ssh("onprem1", "true").is_err());
    lab.start("onprem1");
    assert_eq!(lab.must_ssh("onprem1", "cat /root/file"), "data");
    let key = lab.host_key("onprem1");
    lab.wipe("onprem1");
    assert!(lab.ssh("onprem1", "cat /root/file").is_err());
    assert_ne!(lab.host_key("onprem1"), key);

    // A reboot is seen from outside as another boot.
    let before = lab.boot_id("onprem2").unwrap();
    lab.reboot("onprem2");
    assert_ne!(lab.boot_id("onprem2").unwrap(), before);

    // A host that is cut off still runs.
    lab.cut("onprem2");
    assert!(lab.ssh("onprem2", "true").is_err());
    assert_eq!(lab.enter("onprem2", "hostname"), "onprem2");
    lab.heal("onprem2");
    lab.must_ssh("onprem2", "true");
    lab.drop_packets("onprem2");
    assert!(lab.ssh("onprem2", "true").is_err());
    lab.pass_packets("onprem2");
    lab.must_ssh("onprem2", "true");

    // A frozen host gets nothing done until it is thawed.
    lab.freeze("onprem2");
    assert!(lab.ssh("onprem2", "true").is_err());
    lab.thaw("onprem2");
    lab.must_ssh("onprem2", "true");
}

#[test]
fn packages_come_from_the_pool_without_a_network() {
    let Some(lab) = Lab::up(1) else { return };
    lab.must_ssh(
        "onprem1",
        "apt-get update -qq && apt-get install -y -qq prometheus-node-exporter",
    );
    eventually("the exporter answers", Duration::from_secs(60), || {
        lab.ssh(
            "onprem1",
            "curl -sSf http://127.0.0.1:9100/metrics | grep -c ^node_",
        )
    });
    assert!(
        lab.ssh("onprem1", "curl -sS -m 2 http://192.0.2.1/")
            .is_err()
    );
}

#[test]
fn a_limit_inside_a_host_is_enforced() {
    let Some(lab) = Lab::up(1) else { return };
    let script = "x=$(head -c 64M /dev/zero | tr '\\0' x); echo held ${#x}";
    lab.must_ssh(
        "onprem1",
        &format!("cat >/root/hold <<'END'\n{script}\nEND"),
    );
    let holding = |limit: &str| {
        let run = format!(
            "systemd-run --wait --pipe --quiet -p MemoryMax={limit} -p MemorySwapMax=0 sh /root/hold"
        );
        lab.ssh("onprem1", &run)
    };
    assert_eq!(holding("1G").unwrap(), "held 67108864");
    assert!(holding("16M").is_err());
}

#[test]
fn a_site_block_pins_every_key() {
    let Some(lab) = Lab::up(2) else { return };
    let block = lab.site("zurich", &lab.hosts());
    assert!(block.starts_with("site \"zurich\" {\n  ssh {\n"), "{block}");
    for host in lab.hosts() {
        assert!(
            block.contains(&format!("host_key = \"{}\"", lab.host_key(&host))),
            "{block}"
        );
    }
    let text = lab.filters().apply(&block);
    assert!(
        text.contains("address  = \"10.0.1.11\"") && text.contains("ssh-ed25519 [KEY]"),
        "{text}"
    );
}

#[test]
fn a_lab_that_is_dropped_leaves_nothing_even_by_a_panic() {
    let Some(lab) = Lab::up(1) else { return };
    let name = lab.name().to_owned();
    let folder = lab.key().parent().unwrap().to_owned();
    assert!(
        traces(&name, &folder).len() > 3,
        "{:?}",
        traces(&name, &folder)
    );
    let panic = std::panic::catch_unwind(move || {
        let _lab = lab;
        panic!("a test fails");
    });
    assert!(panic.is_err());
    assert_eq!(traces(&name, &folder), Vec::<String>::new());
}

/// Whatever of a lab can be seen on this machine.
fn traces(name: &str, folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    if folder.exists() {
        found.push(format!("folder {}", folder.display()));
    }
    let places = [
        ("mount", "cat /proc/self/mounts"),
        ("namespace", "ip netns"),
        ("process", "ps -eo args"),
        ("table", "nft list tables"),
        (
            "cgroup",
            "find /sys/fs/cgroup -maxdepth 2 -name 'weir-lab-*'",
        ),
    ];
    for (kind, command) in places {
        let output = Command::new("sh").args(["-c", command]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let ours = |line: &&str| {
            line.contains(&format!("weir-{name}-"))
                || line.contains(&format!("{name} "))
                || line.ends_with(name)
                || line.contains(&format!("/{name}/"))
        };
        found.extend(
            text.lines()
                .filter(ours)
                .map(|line| format!("{kind} {line}")),
        );
    }
    found
}
