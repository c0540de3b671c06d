//! `kill -9` of weir, and faults of hosts, in the middle of an apply on real hosts.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};
use weir_tests::{
    cli::{Run, Stack},
    lab::{Lab, Options},
    wait::eventually,
};

/// A lab of several hosts loads a small machine: one at a time.
static ONE_LAB: Mutex<()> = Mutex::new(());

/// So often is weir killed.
const MOMENTS: u32 = 20;

/// One service over these hosts: a package, a file, a process that counts its starts and one that
/// runs once and says so.
fn stack_over(lab: &Lab, hosts: &[&str]) -> Stack {
    let stack = Stack::new();
    let text = lab.site("lab", hosts)
        + r#"
stack "crash" {}

cluster "main" {
  pool "base" { site = site.lab }
}

variable "text" {
  type    = string
  default = "one"
}

service "counted" {
  cluster = cluster.main
  pod "app" {
    every    = "host"
    packages = ["redis-server"]
    file "/etc/counted.conf" { content = "${var.text} on ${self.name}\n" }
    task "once" {
      goal = "once"
      run  = "echo ran >> /var/tmp/once.log"
    }
    task "main" {
      run = "echo started >> /var/tmp/starts.log; exec sleep 1000000"
    }
  }
  plan "deploy" {
    phase "app" {
      pod   = pod.app
      order = "parallel"
    }
  }
}
"#;
    stack.file("stack.hcl", &text);
    stack
}

/// Everything there once: the package, the file, one process, one run of the task that runs once.
fn expect_whole(lab: &Lab, hosts: &[&str], text: &str) {
    for host in hosts {
        let seen = lab.must_ssh(
            host,
            "cat /etc/counted.conf | cut -d' ' -f1; pgrep -fc '^sleep 1000000'; \
             wc -l < /var/tmp/once.log; dpkg-query -W -f '${Status}\\n' redis-server; \
             grep -c 'status installed redis-server' /var/log/dpkg.log; pgrep -fc 'weir-agent.* run'",
        );
        let seen: Vec<&str> = seen.lines().map(str::trim).collect();
        assert_eq!(
            seen,
            [text, "1", "1", "install ok installed", "1", "1"],
            "on {host}"
        );
    }
}

/// So many things went wrong, so many errors are shown, whatever they keep from its turn.
fn expect_errors(run: &Run, count: usize) {
    let errors = run.stderr.lines().filter(|l| l.starts_with("Error: "));
    assert_eq!(errors.count(), count, "{}", run.stderr);
}

#[test]
fn weir_killed_at_twenty_moments_converges() {
    let _one = ONE_LAB.lock();
    let Some(lab) = Lab::up(3) else { return };
    let hosts = ["onprem1", "onprem2", "onprem3"];
    let stack = stack_over(&lab, &hosts);

    // How long an undisturbed apply takes, on hosts that are then emptied.
    let begun = Instant::now();
    stack.weir(&["apply", "-auto-approve"]).expect_success();
    let mut whole = begun.elapsed();
    expect_whole(&lab, &hosts, "one");

    // Twenty moments, spread over the whole run and each on hosts that are empty again.
    let mut killed = 0;
    for _ in 0..2 * MOMENTS {
        if killed == MOMENTS {
            break;
        }
        stack.weir(&["destroy", "-auto-approve"]).expect_success();
        empty(&lab, &hosts);
        let after = whole * (2 * killed + 1) / (2 * MOMENTS);
        let begun = Instant::now();
        let run = stack.spawn(&["apply", "-auto-approve"]).kill_after(after);
        match run.was_killed() {
            true => killed += 1,
            // It was quicker than the first one: the moments that are left are closer together.
            false => whole = whole.min(begun.elapsed()) * 9 / 10,
        }
        stack.weir(&["apply", "-auto-approve"]).expect_success();
        stack.weir(&["plan", "-detailed-exitcode"]).expect_code(0);
        expect_whole(&lab, &hosts, "one");
    }
    assert_eq!(killed, MOMENTS, "times that weir was killed in the middle");
}

/// Takes away what earlier rounds left on the hosts, on all at the same time.
fn empty(lab: &Lab, hosts: &[&str]) {
    std::thread::scope(|threads| {
        for host in hosts {
            threads.spawn(|| {
                lab.must_ssh(
                    host,
                    "apt-get purge -y -qq redis-server >/dev/null 2>&1; : > /var/log/dpkg.log; \
                     rm -f /var/tmp/once.log /var/tmp/starts.log",
                )
            });
        }
    });
}

#[test]
fn a_host_that_fails_in_the_middle_is_named_and_the_others_finish() {
    let _one = ONE_LAB.lock();
    let options = Options {
        disk: Some("400m".into()),
        ..Options::default()
    };
    let Some(lab) = Lab::up_with(3, &options) else {
        return;
    };
    let hosts = ["onprem1", "onprem2", "onprem3"];
    let stack = stack_over(&lab, &hosts);

    // One host loses power and one its cable while they are being set up.
    let run = stack.spawn(&["apply", "-auto-approve"]);
    for host in ["onprem2", "onprem3"] {
        eventually("the agent comes up", Duration::from_secs(60), || {
            lab.ssh(host, "test -e /var/lib/weir")
        });
    }
    lab.crash("onprem2");
    lab.cut("onprem3");
    let run = run.wait().expect_code(1);
    for host in ["onprem2", "onprem3"] {
        let lost = format!("host lab/{host} was lost in step `");
        assert!(run.stderr.contains(&lost), "{}", run.stderr);
    }
    assert!(run.stderr.contains("no sign of life"), "{}", run.stderr);
    expect_errors(&run, 2);
    expect_whole(&lab, &["onprem1"], "one");
    lab.start("onprem2");
    lab.heal("onprem3");
    stack.weir(&["apply", "-auto-approve"]).expect_success();
    stack.weir(&["plan", "-detailed-exitcode"]).expect_code(0);
    expect_whole(&lab, &hosts, "one");

    // A full disk.
    lab.fill("onprem3");
    let change = ["apply", "-auto-approve", "-var", "text=two"];
    let run = stack.weir(&change).expect_code(1);
    assert!(
        run.stderr.contains("lab/onprem3") && run.stderr.contains("No space left"),
        "{}",
        run.stderr
    );
    expect_errors(&run, 1);
    lab.unfill("onprem3");
    stack.weir(&change).expect_success();
    expect_whole(&lab, &hosts, "two");

    // A cable cut before: nothing can be read, so nothing is planned for it.
    lab.cut("onprem1");
    let run = stack
        .weir(&["apply", "-auto-approve", "-var", "text=three"])
        .expect_code(1);
    assert!(
        run.stderr.contains("lab/onprem1 can't be reached"),
        "{}",
        run.stderr
    );
    expect_errors(&run, 1);
    lab.heal("onprem1");
    let change = ["apply", "-auto-approve", "-var", "text=three"];
    stack.weir(&change).expect_success();
    stack
        .weir(&["plan", "-detailed-exitcode", "-var", "text=three"])
        .expect_code(0);
    expect_whole(&lab, &hosts, "three");
}

#[test]
fn a_reboot_brings_the_tasks_back_with_nobody_connected() {
    let _one = ONE_LAB.lock();
    let Some(lab) = Lab::up(1) else { return };
    let stack = Stack::new();
    let text = lab.site("lab", &["onprem1"])
        + r#"
stack "reboot" {}

cluster "main" {
  pool "base" { site = site.lab }
}

service "kept" {
  cluster = cluster.main
  pod "unit" {
    count    = 1
    packages = ["redis-server"]
    task "redis" {
      unit = "redis-server"
      ready { tcp = "127.0.0.1:6379" }
    }
  }
  pod "command" {
    count = 2
    task "once" {
      goal = "once"
      run  = "echo ran >> /var/tmp/once.log"
    }
    task "main" {
      run = "echo started >> /var/tmp/starts.log; exec sleep 1000000"
      ready { exec = "pgrep -f '^sleep 1000000'" }
    }
  }
}
"#;
    stack.file("stack.hcl", &text);
    stack.weir(&["apply", "-auto-approve"]).expect_success();
    let expect = |starts: &str| {
        let look = "pgrep -fc '^sleep 1000000'; pgrep -c redis-server; \
                    wc -l < /var/tmp/starts.log; wc -l < /var/tmp/once.log";
        eventually("the tasks run", Duration::from_secs(60), || {
            match lab.ssh("onprem1", look) {
                Ok(seen) if seen.split_whitespace().eq(["2", "1", starts, "2"]) => Ok(()),
                Ok(seen) => Err(seen.replace('\n', " ")),
                Err(error) => Err(error),
            }
        });
    };
    expect("2");

    lab.reboot("onprem1");
    expect("4");
    stack.weir(&["plan", "-detailed-exitcode"]).expect_code(0);

    lab.crash("onprem1");
    lab.start("onprem1");
    expect("6");
    stack.weir(&["plan", "-detailed-exitcode"]).expect_code(0);

    // Three pods on a host that is off, one error.
    lab.stop("onprem1");
    let looks: [&[&str]; 4] = [
        &["plan"],
        &["destroy", "-auto-approve"],
        &["service", "status"],
        &["service", "logs"],
    ];
    for look in looks {
        let run = stack.weir(look).expect_code(1);
        let lost = run.stderr.contains("lab/onprem1 can't be reached");
        assert!(lost, "{}", run.stderr);
        expect_errors(&run, 1);
    }
}
