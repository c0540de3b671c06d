//! The README's first command, on this machine, as any user: install, survive, change, destroy.

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::Command,
    time::Duration,
};
use weir_tests::{cli::Stack, wait::eventually};

/// How long the service may take to come back: bounds a broken test, measures nothing.
const LIMIT: Duration = Duration::from_secs(30);

/// A port nobody listens on.
fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
    listener.local_addr().expect("it is bound").port()
}

/// The body of the page, or why it could not be had.
fn page(port: u16) -> Result<String, String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).map_err(|e| e.to_string())?;
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .map_err(|e| e.to_string())?;
    stream
        .write_all(b"GET / HTTP/1.0\r\n\r\n")
        .map_err(|e| e.to_string())?;
    let mut text = String::new();
    stream
        .read_to_string(&mut text)
        .map_err(|e| e.to_string())?;
    match text.split_once("\r\n\r\n") {
        Some((_, body)) if !body.is_empty() => Ok(body.to_owned()),
        _ => Err(format!("not a page: {text:?}")),
    }
}

/// The page, when it holds this text.
fn page_with(port: u16, text: &str) -> Result<String, String> {
    page(port).and_then(|p| if p.contains(text) { Ok(p) } else { Err(p) })
}

/// The ids of the running processes whose command line holds all of these words.
fn processes(words: &[&str]) -> Vec<i32> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").expect("/proc is mounted").flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse().ok()) else {
            continue;
        };
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        if words.iter().all(|w| line.contains(w)) {
            found.push(pid);
        }
    }
    found
}

fn kill9(pid: i32) {
    let status = Command::new("kill").args(["-9", &pid.to_string()]).status();
    assert!(status.expect("kill is there").success());
}

fn quickstart(port: u16) -> Stack {
    let stack = Stack::new();
    stack.copy_from(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/quickstart"));
    stack.file("test.auto.vars.hcl", &format!("port = {port}\n"));
    stack
}

#[test]
fn it_serves_survives_changes_and_goes() {
    let port = free_port();
    let stack = quickstart(port);

    let run = stack.weir(&["apply", "-auto-approve"]).expect_success();
    assert!(
        run.stdout.contains(&format!("http://127.0.0.1:{port}/")),
        "{}",
        run.stdout
    );
    let first = page(port).expect("the service is ready when apply ends");
    assert!(first.contains("The base flow is held here"), "{first}");

    // A second plan is empty.
    stack.weir(&["plan", "-detailed-exitcode"]).expect_code(0);

    // kill -9 of the service's process: it answers again.
    let port_word = format!(" {port} index.html");
    let server = processes(&["perl", &port_word]);
    assert_eq!(server.len(), 1, "one server runs");
    kill9(server[0]);
    eventually("the service answers again", LIMIT, || page(port));
    stack.weir(&["plan", "-detailed-exitcode"]).expect_code(0);

    // A new text: one file changes, the server reloads and is not restarted.
    let server = processes(&["perl", &port_word]);
    let message = ["-var", "message=Another text"];
    let plan = stack
        .weir(&["plan", "-detailed-exitcode", message[0], message[1]])
        .expect_code(2);
    assert!(
        plan.stdout.contains("0 to add, 1 to change, 0 to destroy"),
        "{}",
        plan.stdout
    );
    assert!(plan.stdout.contains("Another text"), "{}", plan.stdout);
    assert!(
        !plan.stdout.contains("server.pl\""),
        "only the page is in the plan: {}",
        plan.stdout
    );
    stack
        .weir(&["apply", "-auto-approve", message[0], message[1]])
        .expect_success();
    eventually("the new page is served", LIMIT, || {
        page_with(port, "Another text")
    });
    assert_eq!(
        processes(&["perl", &port_word]),
        server,
        "reloaded, not restarted"
    );
    stack
        .weir(&["plan", "-detailed-exitcode", message[0], message[1]])
        .expect_code(0);

    // A file edited by hand is drift, and is put back.
    let edited = processes(&["perl", &port_word])[0];
    let directory = fs::read_link(format!("/proc/{edited}/cwd")).expect("the server has a folder");
    fs::write(directory.join("index.html"), "tampered").expect("the page can be written");
    let plan = stack
        .weir(&["plan", "-detailed-exitcode", message[0], message[1]])
        .expect_code(2);
    assert!(plan.stdout.contains("tampered"), "{}", plan.stdout);
    stack
        .weir(&["apply", "-auto-approve", message[0], message[1]])
        .expect_success();
    eventually("the page is put back", LIMIT, || {
        page_with(port, "Another text")
    });

    // Destroy leaves no process, no file, no state entry.
    stack
        .weir(&["destroy", "-auto-approve", message[0], message[1]])
        .expect_success();
    assert_eq!(processes(&["perl", &port_word]), Vec::<i32>::new());
    let home = stack.home();
    let home = home.to_str().expect("temporary folders have plain names");
    eventually("the agent goes", LIMIT, || {
        match processes(&[home]).as_slice() {
            [] => Ok(()),
            left => Err(format!("processes {left:?} are left")),
        }
    });
    assert!(!directory.exists(), "{} is left", directory.display());
    let left: Vec<_> = walk(&stack.home());
    assert!(left.is_empty(), "left behind: {left:?}");
    let list = stack.weir(&["state", "list"]).expect_success();
    assert_eq!(list.stdout, "");
    stack
        .weir(&["plan", "-destroy", "-detailed-exitcode"])
        .expect_code(0);
}

/// Every file below a folder.
fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(walk(&path))
        } else {
            files.push(path)
        }
    }
    files
}

#[test]
fn a_taken_port_is_told_with_its_holder() {
    let holder = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
    let port = holder.local_addr().expect("it is bound").port();
    let stack = quickstart(port);
    let run = stack.weir(&["apply", "-auto-approve"]).expect_code(1);
    assert!(
        run.stderr.contains(&format!("Port {port} is taken by")),
        "{}",
        run.stderr
    );
    assert!(
        !run.stdout.contains("\nOutputs:"),
        "nothing is served: {}",
        run.stdout
    );
    drop(holder);
    stack.weir(&["apply", "-auto-approve"]).expect_success();
    stack.weir(&["plan", "-detailed-exitcode"]).expect_code(0);
    stack.weir(&["destroy", "-auto-approve"]).expect_success();
}
