//! What is read from systemd and written for it.

use std::sync::Arc;

use weir_agent::wire::{Limits, PodSpec, TaskSpec};

use super::*;
use crate::daemon::accounts::Accounts;
use crate::daemon::home::Home;

#[test]
fn units_are_read_by_each_of_their_names() {
    let units = parse_show(
        "Id=ssh.service\nNames=ssh.service sshd.service\nLoadState=loaded\nActiveState=active\nSubState=running\nMainPID=321\nNRestarts=2\nUnitFileState=enabled\nActiveEnterTimestampMonotonic=5000000\n\n\
         Id=nope.service\nNames=nope.service\nLoadState=not-found\nActiveState=inactive\nSubState=dead\nMainPID=0\nUnitFileState=\n\n\
         Id=web.service\nNames=web.service\nLoadState=loaded\nActiveState=activating\nSubState=auto-restart\nExecMainCode=1\nExecMainStatus=7\nUnitFileState=disabled\n",
    );
    let sshd = &units["sshd.service"];
    assert!(sshd.is_active() && sshd.is_enabled());
    assert_eq!(
        (sshd.main_pid, sshd.restarts, sshd.active_since_us),
        (321, 2, 5_000_000)
    );
    assert_eq!(units["nope.service"].load, "not-found");
    assert!(!units["nope.service"].is_active());
    let web = &units["web.service"];
    assert!(web.is_waiting() && !web.is_active() && !web.is_enabled());
    assert_eq!((web.exit_code, web.exit_status), (1, 7));
}

#[test]
fn names_get_their_suffix() {
    assert_eq!(full_name("redis-server"), "redis-server.service");
    assert_eq!(full_name("getty@tty1.service"), "getty@tty1.service");
    assert_eq!(full_name("php8.2-fpm"), "php8.2-fpm.service");
}

fn config(change: impl FnOnce(&mut PodSpec)) -> TaskConfig {
    let mut pod = PodSpec::new("service.web.pod.app[\"0\"]", "web-app-0");
    pod.tasks.push(TaskSpec::command(
        "main",
        "exec bin/web --share 50% \"$HOST\"",
    ));
    change(&mut pod);
    let pod = Arc::new(pod);
    let home = Home::new("/var/lib/weir".into());
    TaskConfig::new("scope", &pod, &pod.tasks[0], &home, &Accounts::default())
        .expect("the pod has no user")
}

#[test]
fn a_unit_holds_all_of_a_task() {
    let config = config(|pod| {
        pod.limits = Limits {
            cpus: Some(1.5),
            memory_bytes: Some(1 << 30),
        };
        pod.tasks[0].kill_signal = "int".into();
        pod.tasks.push(TaskSpec::command("db", "db"));
        pod.tasks[1].essential = true;
    });
    let text = render_unit(&config, "exec bin/web --share 50% \"$HOST\"");
    let scope = crate::daemon::home::short_scope("scope");
    for line in [
        "Type=exec".to_owned(),
        "ExecStart=/bin/sh -c \"exec bin/web --share 50%% \\\"$$HOST\\\"\"".to_owned(),
        format!("WorkingDirectory=/var/lib/weir/pods/{scope}/web-app-0"),
        format!("EnvironmentFile=/var/lib/weir/state/{scope}/web-app-0/main.env"),
        format!("StandardOutput=append:/var/lib/weir/logs/{scope}/web-app-0/main.log"),
        format!("PartOf=weir-{scope}-web-app-0-db.service"),
        "Restart=always".to_owned(),
        "RestartSec=500ms".to_owned(),
        "StartLimitIntervalSec=0".to_owned(),
        "KillSignal=SIGINT".to_owned(),
        "TimeoutStopSec=10000ms".to_owned(),
        "CPUQuota=150%".to_owned(),
        "MemoryMax=1073741824".to_owned(),
        "WantedBy=multi-user.target".to_owned(),
    ] {
        assert!(
            text.lines().any(|got| got == line),
            "{line} is not in\n{text}"
        );
    }
    assert!(!text.contains("User="));
}

#[test]
fn a_task_with_an_end_is_not_restarted_or_enabled() {
    let config = config(|pod| pod.tasks[0].goal = weir_agent::wire::Goal::Finish);
    let text = render_unit(&config, "true");
    assert!(text.contains("Type=oneshot"));
    assert!(!text.contains("Restart=") && !text.contains("[Install]"));
}

#[test]
fn secrets_go_to_the_environment_file_only() {
    let config = config(|pod| {
        pod.env.insert("TOKEN".into(), "a\"b$c\\d`e".into());
    });
    assert!(!render_unit(&config, "true").contains("TOKEN"));
    let env = render_env(&config);
    assert!(env.contains("TOKEN=\"a\\\"b\\$c\\\\d\\`e\"\n"), "{env}");
}
