//! Tasks on hosts that systemd runs: units that fail, that are killed, and that are stopped.

use std::time::Duration;
use weir_tests::{
    cli::{Run, Stack},
    lab::Lab,
    wait::eventually,
};

/// Bounds a broken test, measures nothing.
const LIMIT: Duration = Duration::from_secs(30);

/// A pod on the lab's one host, with this body.
fn write(stack: &Stack, lab: &Lab, pod: &str) {
    let text = lab.site("lab", &["onprem1"])
        + &format!(
            r#"
stack "units" {{}}

cluster "main" {{
  pool "base" {{ site = site.lab }}
}}

service "web" {{
  cluster = cluster.main
  pod "app" {{
    count = 1
{pod}
  }}
}}
"#
        );
    stack.file("stack.hcl", &text);
}

/// The state of the pod's only task, and its process.
fn state(stack: &Stack) -> (String, String) {
    let run = stack
        .weir(&["service", "status", "--json"])
        .expect_success();
    let json: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON was asked for");
    let task = &json["tasks"][0];
    let text = |name: &str| task[name].as_str().unwrap_or_default().to_owned();
    (text("state"), text("detail"))
}

fn expect_one_error(run: &Run) {
    let errors = run.stderr.lines().filter(|l| l.starts_with("Error: "));
    assert_eq!(errors.count(), 1, "{}", run.stderr);
}

#[test]
fn a_unit_that_systemd_gives_up_fails_at_once_with_its_last_words() {
    let Some(lab) = Lab::up(1) else { return };
    let stack = Stack::new();
    // The timeout is longer than a run may take: only an error that comes at once passes.
    write(
        &stack,
        &lab,
        r#"    file "/etc/systemd/system/doomed.service" {
      content = <<-END
        [Service]
        ExecStart=/bin/sh -c 'sleep 0.6; echo the disk of doom is missing; exit 7'
        Restart=on-failure
        RestartSec=100ms
        StartLimitIntervalSec=60
        StartLimitBurst=3
        [Install]
        WantedBy=multi-user.target
      END
    }
    task "main" {
      unit = "doomed"
      ready {
        tcp     = "127.0.0.1:4"
        timeout = "2h"
      }
    }"#,
    );
    let run = stack.weir(&["apply", "-auto-approve"]).expect_code(1);
    expect_one_error(&run);
    for words in [
        "step `task main` failed on host lab/onprem1",
        "exit code 7",
        "the disk of doom is missing",
    ] {
        assert!(run.stderr.contains(words), "{words}: {}", run.stderr);
    }
    stack.weir(&["destroy", "-auto-approve"]).expect_success();
}

#[test]
fn a_killed_task_is_not_ready_until_it_is_again() {
    let Some(lab) = Lab::up(1) else { return };
    let stack = Stack::new();
    write(
        &stack,
        &lab,
        r#"    task "main" {
      run = "test -e /var/tmp/slow || touch /var/tmp/ready; exec sleep 1000000"
      ready { exec = "test -e /var/tmp/ready" }
    }"#,
    );
    stack.weir(&["apply", "-auto-approve"]).expect_success();
    assert_eq!(state(&stack).0, "running");

    lab.must_ssh(
        "onprem1",
        "touch /var/tmp/slow; rm /var/tmp/ready; pkill -9 -f '^sleep 1000000'",
    );
    eventually("the new process is not ready", LIMIT, || {
        match state(&stack) {
            (state, _) if state == "starting" => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
    lab.must_ssh("onprem1", "touch /var/tmp/ready");
    eventually("it is ready", LIMIT, || match state(&stack) {
        (state, _) if state == "running" => Ok(()),
        other => Err(format!("{other:?}")),
    });
    stack.weir(&["plan", "-detailed-exitcode"]).expect_code(0);
    stack.weir(&["destroy", "-auto-approve"]).expect_success();
    let left = lab.must_ssh(
        "onprem1",
        "pgrep -fc '^sleep 1000000'; ls /etc/systemd/system | grep -c weir-; true",
    );
    assert_eq!(left, "0\n0");
}
