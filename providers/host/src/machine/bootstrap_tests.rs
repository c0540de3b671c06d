use super::{AgentBinary, Layout, Probe, local_layout};
use crate::ssh::Environment;

#[test]
fn a_probe_is_understood_or_refused() {
    let agent = AgentBinary::new(b"agent".to_vec(), "1.0");
    let answer = format!("0\n/root\nx86_64\nsystemd\n{}\n\n", agent.sha256());
    let probe = Probe::parse(&answer).expect("a sound answer");
    assert_eq!((probe.uid, probe.systemd), (0, true));
    assert!(probe.has(&Layout::unit(), &agent));
    assert!(!probe.has(
        &Layout::daemon("/home/u/x".into(), "/home/u/y".into()),
        &agent
    ));

    for answer in [
        "",
        "Welcome\n0\n/root\nx86_64\nsystemd\n\n\n",
        "0\n/root\nx86_64\nmaybe\n\n\n",
    ] {
        assert_eq!(Probe::parse(answer), None, "{answer:?}");
    }
}

#[test]
fn a_local_agent_lies_beside_its_home() {
    let env = Environment {
        home: Some("/home/ada".into()),
        ssh_auth_sock: None,
    };
    let usual = local_layout(None, &env);
    assert_eq!(usual.socket, "/home/ada/.local/state/weir/agent/agent.sock");
    assert_eq!(usual.binaries, "/home/ada/.local/state/weir");
    assert_eq!(
        local_layout(Some("~/x/agent"), &env).socket,
        "/home/ada/x/agent/agent.sock"
    );
    assert_eq!(local_layout(Some("/srv/agent"), &env).binaries, "/srv");
}
