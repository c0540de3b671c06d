//! Stacks whose state is in Postgres: on servers that the tests start.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "helpers of tests")]

mod common;

use common::{Ended, Stack, THINGS, ended, kill};
use weir_state::conformance::Server;

/// A server, or a loud word.
fn server() -> Option<Server> {
    Server::start()
        .inspect_err(|why| eprintln!("SKIPPED, nothing of Postgres is tested: {why}"))
        .ok()
}

/// [`THINGS`] with its state there.
fn stack(state: &str) -> Stack {
    Stack::new(&THINGS.replace(
        "stack \"things\" {}",
        &format!("stack \"things\" {{\n  {state}\n}}"),
    ))
}

fn url(server: &Server, user: &str) -> String {
    let host = server.folder().display().to_string().replace('/', "%2F");
    format!("postgres://{user}@{host}/postgres")
}

#[test]
fn state_in_postgres_goes_all_the_way() {
    let Some(server) = server() else { return };
    let stack = stack(&format!(
        "state \"postgres\" {{ url = \"{}\" }}",
        url(&server, "weir")
    ));
    let looked = stack.expect(0, "state list");
    assert_eq!(looked.out, "", "nothing is made by looking");
    assert!(
        server
            .sql("postgres", "SELECT 1 FROM weir.weir_head")
            .is_err()
    );
    let made = stack.expect(0, "init");
    assert!(
        made.err
            .contains("was made in state things/default in postgres://weir@"),
        "{made:#?}"
    );
    assert!(stack.expect(0, "init").err.contains("was found in"));
    stack.expect(0, "apply -auto-approve");
    assert_eq!(stack.log("Created"), 3);
    stack.expect(0, "plan -detailed-exitcode");
    stack.expect(0, "apply -auto-approve -var size=2");
    let listed = stack.expect(0, "state list").out;
    assert_eq!(listed.lines().count(), 3, "{listed}");
    stack.expect(0, "state rm fake_thing.web[1]");
    stack.expect(2, "plan -detailed-exitcode -var size=2");
    assert!(!stack.path().join(".weir/state.db").exists());
    // A stack of another name in the same database knows nothing of it.
    let text = stack.read("main.hcl").replace("\"things\"", "\"others\"");
    stack.write("main.hcl", &text);
    assert_eq!(stack.expect(0, "state list").out, "");
}

#[test]
fn terraforms_backend_is_taken_as_it_is_written() {
    let Some(server) = server() else { return };
    let backend = format!(
        "terraform {{\n  backend \"pg\" {{\n    conn_str = \"{}?sslmode=disable\"\n    schema_name = \"shop\"\n  }}\n}}\n\
         resource \"terraform_data\" \"a\" {{\n  input = 1\n}}\n",
        url(&server, "weir")
    );
    let stack = Stack::new(&backend);
    stack.expect(0, "init");
    stack.expect(0, "apply -auto-approve");
    let found = server.sql("postgres", "SELECT stack FROM shop.weir_head");
    assert_eq!(found.unwrap().trim(), "terraform");
    // Without settings it is the environment that says.
    stack.write(
        "main.hcl",
        "terraform {\n  backend \"pg\" {}\n}\nresource \"terraform_data\" \"a\" {\n  input = 1\n}\n",
    );
    let output = stack
        .command("plan -detailed-exitcode")
        .env("PGHOST", server.folder())
        .env("PGUSER", "weir")
        .env("PGDATABASE", "postgres")
        .env("PG_SCHEMA_NAME", "shop")
        .output();
    let plan = ended(output.unwrap());
    assert_eq!(plan.code, Some(0), "{plan:#?}");
}

/// The password, however it is given and whatever goes wrong, is not printed.
#[test]
fn a_password_is_taken_and_never_printed() {
    let Some(server) = server() else { return };
    server
        .sql(
            "postgres",
            "CREATE ROLE ann LOGIN PASSWORD 'Sesame-1'; CREATE SCHEMA weir AUTHORIZATION ann",
        )
        .unwrap();
    let hba = server.data().join("pg_hba.conf");
    std::fs::write(&hba, "local all ann scram-sha-256\nlocal all all trust\n").unwrap();
    server.sql("postgres", "SELECT pg_reload_conf()").unwrap();
    let hush = |ended: Ended| {
        let all = format!("{}{}", ended.out, ended.err);
        assert!(!all.contains("Sesame"), "{all}");
        ended
    };
    let with = stack(&format!(
        "state \"postgres\" {{ url = \"{}\" }}",
        url(&server, "ann:Sesame-1")
    ));
    hush(with.expect(0, "init"));
    hush(with.expect(0, "apply -auto-approve"));
    let wrong = stack(&format!(
        "state \"postgres\" {{ url = \"{}\" }}",
        url(&server, "ann:Sesame-2")
    ));
    let refused = hush(wrong.expect(1, "plan"));
    assert!(
        refused.err.contains("password authentication failed"),
        "{refused:#?}"
    );
    assert!(refused.err.contains("PGPASSWORD"), "{refused:#?}");
    let without = stack(&format!(
        "state \"postgres\" {{ url = \"{}\" }}",
        url(&server, "ann")
    ));
    hush(without.expect(1, "plan"));
    let output = without
        .command("plan")
        .env("PGPASSWORD", "Sesame-1")
        .output();
    assert_eq!(hush(ended(output.unwrap())).code, Some(0));
    let passfile = without.path().join("pass");
    std::fs::write(&passfile, "*:*:other:*:no\n*:*:postgres:ann:Sesame-1\n").unwrap();
    for (mode, code) in [(0o644, 1), (0o600, 0)] {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&passfile, std::fs::Permissions::from_mode(mode)).unwrap();
        let output = without
            .command("plan")
            .env("PGPASSFILE", &passfile)
            .output();
        assert_eq!(
            hush(ended(output.unwrap())).code,
            Some(code),
            "mode {mode:o}"
        );
    }
    let broken = stack(&format!(
        "state \"postgres\" {{ url = \"{}?sslmode=Sesame\" }}",
        url(&server, "ann:Sesame%zz")
    ));
    let refused = hush(broken.expect(1, "validate"));
    assert!(
        refused.err.contains("a `%` that begins no character"),
        "{refused:#?}"
    );
}

/// The server crashes, and weir is killed, in the middle of applies: nothing is lost, nothing is
/// made twice, and a plan of what was done is empty.
#[test]
fn crashes_of_the_server_and_of_weir_lose_nothing() {
    let Some(server) = server() else { return };
    let stack = stack(&format!(
        "state \"postgres\" {{ url = \"{}\" }}",
        url(&server, "weir")
    ));
    let text = stack.read("main.hcl").replace("count = 2", "count = 40");
    stack.write("main.hcl", &text);
    stack.expect(0, "init");
    // The server comes back within the lease's life: the apply does not even notice.
    let apply = stack.spawn("apply -auto-approve -var latency=150 -parallelism=4");
    stack.until("Created", 5);
    server.crash_and_restart().unwrap();
    let done = ended(apply.wait_with_output().unwrap());
    assert_eq!(done.code, Some(0), "{done:#?}");
    stack.expect(0, "plan -detailed-exitcode");
    assert_eq!(stack.log("Created"), 41);
    // weir is killed, and the server with it.
    for made in [45, 50, 60] {
        let count = format!("count = {made}");
        stack.write("main.hcl", &text.replace("count = 40", &count));
        let before = stack.log("Created");
        let mut apply = stack.spawn("apply -auto-approve -var latency=150 -parallelism=4");
        stack.until("Created", before + 1);
        kill(&apply, "-KILL");
        apply.wait().unwrap();
        server.crash().unwrap();
        let away = stack.expect(1, "state list");
        assert!(away.err.contains("can't be reached"), "{away:#?}");
        server.restart().unwrap();
        stack.expect(0, "apply -auto-approve");
        stack.expect(0, "plan -detailed-exitcode");
        assert_eq!(stack.log("Created"), made + 1, "nothing is made twice");
        assert_eq!(stack.expect(0, "state list").out.lines().count(), made + 1);
    }
}

/// From the file that every stack begins with into a database, and back.
#[test]
fn a_stack_moves_into_a_database_and_back() {
    let Some(server) = server() else { return };
    let url = url(&server, "weir");
    let plain = stack("");
    plain.expect(0, "init");
    plain.expect(0, "apply -auto-approve");
    let before = plain.expect(0, "state pull").out;
    let in_file = plain.read("main.hcl");
    let in_database = in_file.replace(
        "stack \"things\" {",
        &format!("stack \"things\" {{\n  state \"postgres\" {{ url = \"{url}\" }}"),
    );
    let same = plain.expect(1, "state migrate");
    assert!(same.err.contains("already"), "{same:#?}");
    plain.write("main.hcl", &in_database);
    let nothing = plain.expect(1, "state migrate -from nowhere.db");
    assert!(
        nothing.err.contains("no state in nowhere.db"),
        "{nothing:#?}"
    );
    let moved = plain.expect(0, "state migrate");
    assert!(moved.err.contains("3 resources, 1 applies"), "{moved:#?}");
    assert!(plain.expect(0, "state migrate").err.contains("before"));
    assert_eq!(plain.expect(0, "state pull").out, before);
    plain.expect(0, "plan -detailed-exitcode");
    plain.expect(0, "apply -auto-approve -var size=2");
    // The old place is not written to by mistake.
    plain.write("main.hcl", &in_file);
    let old = plain.expect(1, "apply -auto-approve");
    assert!(
        old.err
            .contains("was moved to state things/default in postgres://"),
        "{old:#?}"
    );
    plain.expect(0, "state list");
    let mut back = plain.command("state migrate");
    let back = ended(back.args(["-from", &url]).output().unwrap());
    assert_eq!(back.code, Some(0), "{back:#?}");
    plain.expect(0, "plan -detailed-exitcode -var size=2");
    assert_eq!(plain.log("Created"), 3);
}

/// What Terraform's `backend "pg"` keeps in the schema is found, not overlooked and not changed.
#[test]
fn terraforms_own_table_is_noticed() {
    let Some(server) = server() else { return };
    server
        .sql(
            "postgres",
            "CREATE SCHEMA shop; CREATE TABLE shop.states (id bigint PRIMARY KEY, name text UNIQUE, data text);
             INSERT INTO shop.states VALUES (1, 'default', '{\"version\": 4, \"terraform_version\": \"1.11.4\",
             \"serial\": 3, \"lineage\": \"0f1e2d3c-0000-4000-8000-000000000002\", \"outputs\": {}, \"resources\": [
             {\"mode\": \"managed\", \"type\": \"terraform_data\", \"name\": \"a\",
             \"provider\": \"provider[\\\"terraform.io/builtin/terraform\\\"]\", \"instances\": [
             {\"schema_version\": 0, \"attributes\": {\"id\": \"i-7\", \"input\": null, \"output\": null,
             \"triggers_replace\": null}}]}]}')",
        )
        .unwrap();
    let stack = Stack::new(&format!(
        "terraform {{\n  backend \"pg\" {{\n    conn_str = \"{}?sslmode=disable\"\n    schema_name = \"shop\"\n  }}\n}}\n\
         resource \"terraform_data\" \"a\" {{}}\n",
        url(&server, "weir")
    ));
    let before = server.sql("postgres", "SELECT * FROM shop.states");
    for line in ["init", "plan"] {
        let run = stack.expect(1, line);
        assert!(
            run.err
                .replace("\n ", "")
                .contains("`weir state import` takes them over"),
            "{run:#?}"
        );
    }
    // Another workspace has none.
    stack.expect(0, "workspace new other");
    stack.expect(0, "workspace select default");
    stack.expect(0, "state import");
    stack.expect(0, "plan -detailed-exitcode");
    let shown = stack.expect(0, "state show terraform_data.a").out;
    assert!(shown.contains("i-7"), "{shown}");
    assert_eq!(server.sql("postgres", "SELECT * FROM shop.states"), before);
}
