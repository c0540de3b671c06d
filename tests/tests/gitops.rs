//! `examples/gitops`: a push to a branch is planned, a push to `main` is applied, and the policy
//! stands between.

use std::{
    net::TcpListener,
    path::Path,
    process::{Command, Output},
};
use weir_tests::cli::{Stack, binary};

/// A stack's folder with a bare repository and a clone of it.
struct Repository {
    stack: Stack,
    port: u16,
}

impl Repository {
    fn new() -> Repository {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
        let stack = Stack::new();
        let this = Repository { stack, port };
        let examples = examples.display();
        let state = this.stack.home().join("state.db");
        let block = format!(
            "stack \"quickstart\" {{\n  state \"sqlite\" {{ path = \"{}\" }}\n}}",
            state.display()
        );
        this.sh(&format!(
            "git config --global user.email ada@example.org
             git config --global user.name Ada
             git init -q --bare -b main server.git
             cp {examples}/gitops/post-receive server.git/hooks/
             git clone -q server.git work
             cp -r {examples}/quickstart/. work/
             cp {examples}/gitops/pipeline work/"
        ));
        this.edit("stack \"quickstart\" {}", &block);
        this.edit("= 8480", &format!("= {port}"));
        this
    }

    fn run(&self, script: &str) -> Output {
        let weir = binary("weir");
        let folder = weir.parent().expect("a program lies in a folder").display();
        let path = std::env::var("PATH").unwrap_or_default();
        Command::new("sh")
            .args(["-ec", script])
            .current_dir(self.stack.path())
            .env("HOME", self.stack.home())
            .env("PATH", format!("{folder}:{path}"))
            .output()
            .expect("sh is there")
    }

    /// Runs a script that must succeed; both streams.
    fn sh(&self, script: &str) -> String {
        let output = self.run(script);
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        assert!(output.status.success(), "{script}\n{text}");
        text
    }

    /// Replaces a text of the stack's file.
    fn edit(&self, from: &str, to: &str) {
        let path = self.stack.path().join("work/stack.hcl");
        let text = std::fs::read_to_string(&path).expect("the stack was copied");
        assert!(text.contains(from), "{from}");
        std::fs::write(&path, text.replace(from, to)).expect("the stack can be written");
    }

    fn push(&self, branch: &str) -> String {
        self.sh(&format!(
            "cd work && git add . && git commit -qm change && git push origin HEAD:{branch}"
        ))
    }

    /// What the service answers.
    fn page(&self) -> String {
        let port = self.port;
        self.sh(&format!(
            "perl -MIO::Socket::INET -e '
               my $s = IO::Socket::INET->new(\"127.0.0.1:{port}\") or die $!;
               print $s \"GET / HTTP/1.0\\r\\n\\r\\n\"; print <$s>'"
        ))
    }
}

#[test]
fn a_push_is_planned_or_applied() {
    for tool in ["git", "jq"] {
        if Command::new(tool).arg("--version").output().is_err() {
            println!("skipped: {tool} is not installed");
            return;
        }
    }
    let repository = Repository::new();
    let said = repository.push("main");
    assert!(said.contains("2 added, 0 changed, 0 destroyed"), "{said}");
    assert!(said.contains("apply ended with code 0"), "{said}");

    // A branch is planned, and changes nothing.
    repository.edit("The base flow is held here", "The gate is open");
    let said = repository.push("gate");
    assert!(
        said.contains("0 to add, 1 to change, 0 to destroy"),
        "{said}"
    );
    assert!(said.contains("plan ended with code 0"), "{said}");
    assert!(repository.page().contains("The base flow"));

    // Merged, it is applied; pushed once more, there is nothing to do.
    let said = repository.sh("cd work && git push origin HEAD:main");
    assert!(said.contains("0 added, 1 changed, 0 destroyed"), "{said}");
    assert!(repository.page().contains("The gate is open"));
    let said =
        repository.sh("cd work && git commit -qm same --allow-empty && git push origin HEAD:main");
    assert!(said.contains("nothing to do"), "{said}");
    assert!(said.contains("apply ended with code 0"), "{said}");

    // What is destroyed is refused by the policy, also on main.
    repository.edit("pod \"app\"", "pod \"other\"");
    let said = repository.push("main");
    assert!(
        said.contains("policy: the plan destroys: service.web.pod.app"),
        "{said}"
    );
    assert!(said.contains("apply ended with code 3"), "{said}");
    assert!(repository.page().contains("The gate is open"));

    repository.sh("cd work && weir destroy -auto-approve");
}
