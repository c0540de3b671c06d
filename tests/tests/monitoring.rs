//! `examples/monitoring` on real hosts: install from nothing, scrape, grow, reboot.

use std::{path::Path, time::Duration};
use weir_tests::{cli::Stack, lab::Lab, wait::eventually};

/// Bounds a broken test; Prometheus scrapes every 15 s.
const LIMIT: Duration = Duration::from_secs(120);

fn monitoring(lab: &Lab) -> Stack {
    let stack = Stack::new();
    stack.copy_from(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/monitoring"));
    write_hosts(&stack, lab, &lab.hosts());
    stack
}

/// The variables of the example: these hosts of the lab.
fn write_hosts(stack: &Stack, lab: &Lab, hosts: &[String]) {
    let mut text = format!("private_key_file = {:?}\nhosts = {{\n", lab.key());
    for host in hosts {
        text += &format!(
            "  {host} = {{ address = {:?}, host_key = {:?} }}\n",
            lab.address(host),
            lab.host_key(host)
        );
    }
    stack.file("lab.auto.vars.hcl", &(text + "}\n"));
}

/// How many targets Prometheus itself says are up.
fn targets_up(lab: &Lab, stack: &Stack) -> Result<usize, String> {
    let url = stack
        .weir(&["output", "-json", "prometheus"])
        .expect_success()
        .stdout;
    let url = url.trim().trim_matches('"').to_owned();
    let query = format!("{url}/api/v1/query?query=count(up%7Bjob=%22node%22%7D==1)");
    let hosts = lab.hosts();
    let answer = lab.ssh(&hosts[0], &format!("curl -sf '{query}'"))?;
    let json: serde_json::Value = serde_json::from_str(&answer).map_err(|e| e.to_string())?;
    json["data"]["result"][0]["value"][1]
        .as_str()
        .and_then(|n| n.parse().ok())
        .ok_or_else(|| format!("no count in {answer}"))
}

fn expect_up(lab: &Lab, stack: &Stack, wanted: usize) {
    eventually(
        "Prometheus scrapes every host",
        LIMIT,
        || match targets_up(lab, stack) {
            Ok(n) if n == wanted => Ok(()),
            Ok(n) => Err(format!("{n} of {wanted} targets are up")),
            Err(e) => Err(e),
        },
    );
}

#[test]
fn five_hosts_then_six_then_a_reboot() {
    let Some(lab) = Lab::up(5) else { return };
    let stack = monitoring(&lab);

    stack.weir(&["apply", "-auto-approve"]).expect_success();
    expect_up(&lab, &stack, 5);
    stack.weir(&["plan", "-detailed-exitcode"]).expect_code(0);

    // A sixth host: only what must be touched is.
    lab.add("onprem6");
    write_hosts(&stack, &lab, &lab.hosts());
    let plan = stack.weir(&["plan", "-detailed-exitcode"]).expect_code(2);
    assert!(
        plan.stdout.contains("2 to add, 1 to change, 0 to destroy"),
        "{}",
        plan.stdout
    );
    stack.weir(&["apply", "-auto-approve"]).expect_success();
    expect_up(&lab, &stack, 6);
    stack.weir(&["plan", "-detailed-exitcode"]).expect_code(0);

    // A reboot with no weir connected brings everything back.
    lab.reboot("onprem1");
    lab.reboot("onprem2");
    expect_up(&lab, &stack, 6);
    stack.weir(&["plan", "-detailed-exitcode"]).expect_code(0);

    // A unit stopped and a package removed by hand are found and mended.
    lab.must_ssh("onprem3", "apt-get remove -y prometheus-node-exporter");
    let plan = stack.weir(&["plan", "-detailed-exitcode"]).expect_code(2);
    assert!(
        plan.stdout.contains("prometheus-node-exporter"),
        "{}",
        plan.stdout
    );
    stack.weir(&["apply", "-auto-approve"]).expect_success();
    expect_up(&lab, &stack, 6);
    stack.weir(&["plan", "-detailed-exitcode"]).expect_code(0);

    let status = stack.weir(&["service", "status"]).expect_success();
    assert_eq!(
        status.stdout.matches("running").count(),
        7,
        "{}",
        status.stdout
    );

    // Destroy: no agent, no unit of ours, no file.
    stack.weir(&["destroy", "-auto-approve"]).expect_success();
    assert_eq!(stack.weir(&["state", "list"]).expect_success().stdout, "");
    for host in lab.hosts() {
        let left = lab.must_ssh(
            &host,
            "pgrep -a weir-agent; pgrep -a prometheus; \
             ls -d /var/lib/weir /run/weir /etc/systemd/system/weir* /usr/local/lib/weir 2>/dev/null; true",
        );
        assert_eq!(left, "", "left on {host}");
    }
}
