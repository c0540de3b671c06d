//! The life of pods on this machine, without root: more and fewer of them, changes and what they
//! restart, what the agent says of them, and two stacks under one agent.

use std::{
    collections::BTreeSet,
    fs,
    net::TcpStream,
    path::{Path, PathBuf},
    time::Duration,
};
use weir_tests::{
    cli::{Run, Stack},
    wait::eventually,
};

/// Bounds a broken test, measures nothing.
const LIMIT: Duration = Duration::from_secs(30);

const HERE: &str = r#"
site "here" {
  host "me" { connection = "local" }
}

cluster "main" {
  pool "base" { site = site.here }
}
"#;

/// A stack with the machine it runs on and this service.
fn stack(name: &str, rest: &str) -> Stack {
    let stack = Stack::new();
    write(&stack, name, rest);
    stack
}

fn write(stack: &Stack, name: &str, rest: &str) {
    stack.file("stack.hcl", &format!("stack \"{name}\" {{}}\n{HERE}{rest}"));
}

/// Applies, and finds nothing left to do.
fn converge(stack: &Stack, arguments: &[&str]) -> Run {
    let with = |first: &[&'static str]| [first, arguments].concat();
    let run = stack
        .weir(&with(&["apply", "-auto-approve"]))
        .expect_success();
    stack
        .weir(&with(&["plan", "-detailed-exitcode"]))
        .expect_code(0);
    run
}

/// What a file holds; empty where there is none.
fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// The lines of a file that tasks append to.
fn lines(path: &Path) -> usize {
    text(path).lines().count()
}

/// `service status --json` as values.
fn status(stack: &Stack) -> Vec<serde_json::Value> {
    let run = stack
        .weir(&["service", "status", "--json"])
        .expect_success();
    let json: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON was asked for");
    json["tasks"].as_array().expect("a list of tasks").clone()
}

/// The ports in the output `ports`, of which each answers.
fn ports(stack: &Stack) -> BTreeSet<u16> {
    let run = stack
        .weir(&["output", "-json", "endpoints"])
        .expect_success();
    let endpoints: Vec<String> = serde_json::from_str(&run.stdout).expect("a list of host:port");
    for endpoint in &endpoints {
        TcpStream::connect(endpoint).unwrap_or_else(|error| panic!("{endpoint}: {error}"));
    }
    let port = |endpoint: &String| endpoint.rsplit_once(':')?.1.parse().ok();
    let ports: BTreeSet<u16> = endpoints.iter().filter_map(port).collect();
    assert_eq!(ports.len(), endpoints.len(), "{endpoints:?}");
    ports
}

#[test]
fn a_pod_has_as_many_instances_as_it_counts_each_with_its_own_port() {
    let stack = stack(
        "count",
        r#"
variable "replicas" { type = number }

service "echo" {
  cluster = cluster.main
  pod "app" {
    count = var.replicas
    resources {
      port "tcp" {}
    }
    file "server.pl" {
      content = <<-END
        use IO::Socket::INET;
        my $s = IO::Socket::INET->new(LocalPort => $ARGV[0], Listen => 5, ReuseAddr => 1) or die $!;
        while (my $c = $s->accept) { print $c "here\n"; close $c }
      END
    }
    task "server" {
      run = "exec perl server.pl ${self.port.tcp}"
      ready { tcp = "127.0.0.1:${self.port.tcp}" }
    }
  }
}

output "endpoints" { value = service.echo.endpoints.tcp }
"#,
    );
    let mut before = BTreeSet::new();
    for count in ["1", "3", "2", "0"] {
        converge(&stack, &["-var", &format!("replicas={count}")]);
        let now = ports(&stack);
        assert_eq!(now.len().to_string(), count);
        assert!(
            now.is_subset(&before) || before.is_subset(&now),
            "those that stay keep their ports: {before:?}, {now:?}"
        );
        for gone in before.difference(&now) {
            assert!(TcpStream::connect(("127.0.0.1", *gone)).is_err(), "{gone}");
        }
        let running = status(&stack);
        assert_eq!(running.len(), now.len(), "{running:?}");
        before = now;
    }
    stack
        .weir(&["destroy", "-auto-approve", "-var", "replicas=0"])
        .expect_success();
}

/// A service whose tasks write to these files what they do.
fn counted(marks: &Path, env: &str, file: &str) -> String {
    let marks = marks.display();
    format!(
        r#"
service "counted" {{
  cluster = cluster.main
  pod "app" {{
    count = 1
    env   = {{ MODE = "{env}" }}
    {file}
    task "once" {{
      goal = "once"
      run  = "echo $MODE >> {marks}/once"
    }}
    task "finish" {{
      goal = "finish"
      run  = "echo $MODE >> {marks}/finish"
    }}
    task "main" {{
      run = "pwd > {marks}/folder; echo $MODE >> {marks}/main; echo said $MODE; exec sleep 100000"
    }}
  }}
}}
"#
    )
}

#[test]
fn a_change_runs_what_it_concerns_and_nothing_else() {
    let marks = tempfile::tempdir().expect("a temporary folder");
    let marks = marks.path();
    let seen = || ["once", "finish", "main"].map(|name| text(&marks.join(name)));
    let settings = r#"file "a.conf" { content = "settings" }"#;

    let stack = stack("change", &counted(marks, "one", settings));
    converge(&stack, &[]);
    assert_eq!(seen(), ["one\n", "one\n", "one\n"]);
    let folder = PathBuf::from(text(&marks.join("folder")).trim_end());
    assert_eq!(text(&folder.join("a.conf")), "settings");

    // Nothing new: nothing runs.
    converge(&stack, &[]);
    assert_eq!(seen(), ["one\n", "one\n", "one\n"]);

    // Another environment: what runs is restarted, what finishes runs again, what ran once did.
    write(&stack, "change", &counted(marks, "two", settings));
    converge(&stack, &[]);
    assert_eq!(seen(), ["one\n", "one\ntwo\n", "one\ntwo\n"]);

    // A file moves: the old one goes, and both are told.
    let moved = r#"file "conf.d/b.conf" { content = "settings" }"#;
    write(&stack, "change", &counted(marks, "two", moved));
    converge(&stack, &[]);
    assert!(!folder.join("a.conf").exists());
    assert_eq!(text(&folder.join("conf.d/b.conf")), "settings");
    assert_eq!(lines(&marks.join("once")), 1);
    assert_eq!(lines(&marks.join("finish")), 3);
    assert_eq!(lines(&marks.join("main")), 3);

    // A file with an owner that changes nothing that runs.
    let quiet = r#"
    file "conf.d/b.conf" { content = "settings" }
    file "notes" {
      content   = "for people"
      on_change = "nothing"
    }"#;
    write(&stack, "change", &counted(marks, "two", quiet));
    converge(&stack, &[]);
    assert_eq!(text(&folder.join("notes")), "for people");
    assert_eq!(lines(&marks.join("main")), 3);

    stack.weir(&["destroy", "-auto-approve"]).expect_success();
    assert!(!folder.exists(), "{} is left", folder.display());
}

#[test]
fn what_a_failed_creation_began_is_completed_in_place() {
    let marks = tempfile::tempdir().expect("a temporary folder");
    let once = marks.path().join("once");
    let body = |main: &str| {
        format!(
            r#"
service "late" {{
  cluster = cluster.main
  pod "app" {{
    count = 1
    task "once" {{
      goal = "once"
      run  = "echo ran >> {}"
    }}
    task "main" {{ run = "{main}" }}
  }}
}}
"#,
            once.display()
        )
    };
    let stack = stack("late", &body("echo no settings; exit 3"));
    let run = stack.weir(&["apply", "-auto-approve"]).expect_code(1);
    for words in [
        "service.late.pod.app[\"0\"]: step `task main` failed on host here/me",
        "It ended right after its start with exit code 3",
        "no settings",
        "Run `weir service logs late --task main` to see more",
        "1 error.",
    ] {
        assert!(run.stderr.contains(words), "{words}: {}", run.stderr);
    }

    let table = stack.weir(&["service", "status"]).expect_success().stdout;
    assert_eq!(table.lines().count(), 4, "{table}");

    write(&stack, "late", &body("exec sleep 100000"));
    let plan = stack.weir(&["plan"]).expect_success().stdout;
    assert!(
        plan.contains("0 to add, 1 to change, 0 to destroy"),
        "{plan}"
    );
    converge(&stack, &[]);
    assert_eq!(lines(&once), 1, "what ran once did not run again");
    stack.weir(&["destroy", "-auto-approve"]).expect_success();
}

#[test]
fn status_and_logs_say_what_tasks_do() {
    let marks = tempfile::tempdir().expect("a temporary folder");
    let stack = stack("look", &counted(marks.path(), "one", ""));
    converge(&stack, &[]);

    let states: Vec<(String, String)> = status(&stack)
        .iter()
        .map(|row| (row["task"].to_string(), row["state"].to_string()))
        .collect();
    let expected = [
        ("once", "finished"),
        ("finish", "finished"),
        ("main", "running"),
    ];
    assert_eq!(
        states,
        expected.map(|(task, state)| (format!("{task:?}"), format!("{state:?}")))
    );
    let table = stack.weir(&["service", "status"]).expect_success().stdout;
    assert!(
        table.contains("main") && table.contains("running"),
        "{table}"
    );
    let run = stack.weir(&["service", "status", "nosuch"]).expect_code(1);
    assert!(run.stderr.contains("counted"), "{}", run.stderr);

    let logs = stack
        .weir(&["service", "logs", "counted", "--task", "main"])
        .expect_success();
    assert_eq!(logs.stdout, "said one\n");

    // Followed while it is restarted, until Ctrl-C.
    let follow = stack.spawn(&["service", "logs", "-f", "--task", "main"]);
    eventually("the log so far", LIMIT, || {
        follow.stdout().contains("said one")
    });
    write(&stack, "look", &counted(marks.path(), "two", ""));
    converge(&stack, &[]);
    eventually("what is printed from now on", LIMIT, || {
        follow.stdout().contains("said two")
    });
    follow.interrupt();
    let run = follow.wait();
    assert_eq!(run.stdout, "said one\nsaid two\n", "{}", run.stderr);

    stack.weir(&["destroy", "-auto-approve"]).expect_success();
}

#[test]
fn two_stacks_share_this_machine_and_leave_each_other_alone() {
    let marks = tempfile::tempdir().expect("a temporary folder");
    let folder = |name: &str| {
        let folder = marks.path().join(name);
        fs::create_dir(&folder).expect("a new folder");
        folder
    };
    let (ours, theirs) = (folder("ours"), folder("theirs"));
    // The same names in both, and the same home: the same agent.
    let first = stack("first", &counted(&ours, "one", ""));
    let mut second = stack("second", &counted(&theirs, "one", ""));
    second.set_env("HOME", &first.home().to_string_lossy());
    converge(&first, &[]);
    converge(&second, &[]);
    first.weir(&["plan", "-detailed-exitcode"]).expect_code(0);
    assert_eq!(status(&first).len(), 3);
    assert_eq!(status(&second).len(), 3);

    write(&first, "first", &counted(&ours, "two", ""));
    converge(&first, &[]);
    assert_eq!(text(&ours.join("main")), "one\ntwo\n");
    assert_eq!(text(&theirs.join("main")), "one\n");

    first.weir(&["destroy", "-auto-approve"]).expect_success();
    second.weir(&["plan", "-detailed-exitcode"]).expect_code(0);
    let main = status(&second).pop().expect("three tasks");
    assert_eq!(main["state"], "running", "{main}");
    assert_eq!(text(&theirs.join("main")), "one\n", "never restarted");
    second.weir(&["destroy", "-auto-approve"]).expect_success();
}
