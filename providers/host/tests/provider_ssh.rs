//! The provider against real agents at the end of SSH connections.

#[allow(dead_code, reason = "each test program uses its part")]
mod driver;
#[allow(dead_code, reason = "each test program uses its part")]
mod sshd;

use driver::{APP, World, app};
use serde_json::{Value as Json, json};
use sshd::{Sshd, me, public_line};

/// A host at the end of an SSH connection.
fn remote_host(server: &Sshd) -> Json {
    json!({
        "name": "zrh-1", "site": "zurich", "address": "127.0.0.1", "port": server.port,
        "user": me(), "private_key_file": server.user_key,
        "host_key": [public_line(&server.host_key)],
    })
}

/// Whether a server can be isolated; says so on stderr where not.
fn can_isolate() -> bool {
    if !sshd::available() {
        return false;
    }
    if me() == "root" {
        return true;
    }
    use std::io::Write;
    let _ = writeln!(
        std::io::stderr(),
        "SKIPPED: run as root to test root's agent over SSH"
    );
    false
}

#[tokio::test]
async fn over_ssh_a_look_is_one_login_and_no_command() {
    if !can_isolate() {
        return;
    }
    let server = Sshd::start_isolated("");
    let mut world = World::new();
    let host = r#"site.zurich.host["zrh-1"]"#;
    world
        .apply(host, "weir_host", remote_host(&server))
        .await
        .expect("an agent");
    let addresses: Vec<_> = (0..3)
        .map(|n| format!("service.web.pod.app[\"{n}\"]"))
        .collect();
    let pods = || {
        addresses.iter().enumerate().map(|(n, address)| {
            let mut pod = app("over ssh");
            pod["host"] = json!("zurich/zrh-1");
            pod["slug"] = json!(format!("web-app-{n}"));
            (address.as_str(), "weir_pod", pod)
        })
    };
    let results = world.apply_all(pods().collect()).await;
    assert!(results.iter().all(|r| *r == Ok(true)), "{results:?}");
    let uploads = world
        .lines
        .0
        .lock()
        .expect("lines")
        .iter()
        .filter(|l| l.contains("uploading"))
        .count();
    assert_eq!(uploads, 1);

    let count = |what: &str| server.log().matches(what).count();
    let (logins, commands) = (
        count("Accepted publickey"),
        count("Starting session: command"),
    );
    world.next_run();
    world.refresh().await.expect("a look");
    let changed = world.apply(host, "weir_host", remote_host(&server)).await;
    assert_eq!(changed, Ok(false));
    let results = world.apply_all(pods().collect()).await;
    assert!(results.iter().all(|r| *r == Ok(false)), "{results:?}");
    assert_eq!(count("Accepted publickey"), logins + 1);
    assert_eq!(
        count("Starting session: command"),
        commands,
        "no command on the hot path"
    );

    for address in &addresses {
        world.delete(address).await.expect("deleted");
    }
    world.delete(host).await.expect("deleted");
}

#[tokio::test]
async fn a_server_that_forwards_no_sockets_is_bridged() {
    if !can_isolate() {
        return;
    }
    let server = Sshd::start_isolated("AllowStreamLocalForwarding no");
    let mut world = World::new();
    let host = r#"site.zurich.host["zrh-1"]"#;
    world
        .apply(host, "weir_host", remote_host(&server))
        .await
        .expect("an agent");
    let mut pod = app("bridged");
    pod["host"] = json!("zurich/zrh-1");
    world
        .apply(APP, "weir_pod", pod.clone())
        .await
        .expect("a pod");
    world.next_run();
    world.refresh().await.expect("a look");
    assert_eq!(world.apply(APP, "weir_pod", pod).await, Ok(false));
    world.delete(APP).await.expect("deleted");
    world.delete(host).await.expect("deleted");
}

#[tokio::test]
async fn a_host_that_is_down_is_named() {
    let mut world = World::new();
    let host = r#"site.zurich.host["zrh-1"]"#;
    let probe = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = probe.local_addr().expect("an address").port();
    drop(probe);
    let config = json!({"name": "zrh-1", "site": "zurich", "address": "127.0.0.1", "port": port});
    let error = world
        .apply(host, "weir_host", config)
        .await
        .expect_err("nobody there");
    let text = error.to_string();
    assert!(
        text.contains(&format!("{host}: host zurich/zrh-1 can't be reached")),
        "{text}"
    );
    assert!(text.contains(&format!("127.0.0.1:{port}")), "{text}");
    assert!(world.state.is_empty());
    // Its pods say the same.
    let mut pod = app("x");
    pod["host"] = json!("zurich/zrh-1");
    let error = world
        .apply(APP, "weir_pod", pod)
        .await
        .expect_err("nobody there");
    assert!(
        error
            .to_string()
            .contains("host zurich/zrh-1 can't be reached"),
        "{error}"
    );
}

#[tokio::test]
async fn a_pod_on_a_host_nobody_describes_is_an_error() {
    let mut world = World::new();
    let mut pod = app("x");
    pod["host"] = json!("no/where");
    let error = world
        .apply(APP, "weir_pod", pod)
        .await
        .expect_err("no such host");
    assert!(
        error.to_string().contains("host no/where is not known"),
        "{error}"
    );
}
