//! The desk: faults come when they are due, and every request is logged.

#![expect(clippy::unwrap_used, reason = "a helper of a test may panic as it may")]

use std::net::{Ipv4Addr, SocketAddr};
use weir_clouds::{Clouds, Options};

struct Door(String);

impl Door {
    fn open() -> (Clouds, Door) {
        let clouds = Clouds::start(&Options {
            azure: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
            ..Options::default()
        })
        .unwrap();
        let door = Door(format!("http://{}", clouds.azure.unwrap()));
        (clouds, door)
    }

    fn get(&self, path: &str) -> Result<(u16, String), ureq::Error> {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build()
            .into();
        let mut reply = agent.get(format!("{}{path}", self.0)).call()?;
        Ok((reply.status().as_u16(), reply.body_mut().read_to_string()?))
    }

    fn post(&self, path: &str, body: &str) -> u16 {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build()
            .into();
        let reply = agent.post(format!("{}{path}", self.0)).send(body).unwrap();
        reply.status().as_u16()
    }
}

#[test]
fn the_second_and_third_call_that_fit_fail() {
    let (_clouds, door) = Door::open();
    let fault = r#"{"path": "/x", "nth": 2, "times": 2,
        "answer": {"reply": {"status": 503, "body": {"why": "so"}, "headers": {"retry-after": "1"}}}}"#;
    assert_eq!(door.post("/_faults", fault), 204);
    let answers: Vec<u16> = ["/x", "/y", "/x", "/y", "/x", "/x"]
        .iter()
        .map(|p| door.get(p).unwrap().0)
        .collect();
    // Without a token, Azure lets nobody in.
    assert_eq!(answers, [401, 401, 503, 401, 503, 401]);
    let log: serde_json::Value = serde_json::from_str(&door.get("/_requests").unwrap().1).unwrap();
    let log = log.as_array().unwrap();
    assert_eq!(log.len(), 6);
    assert_eq!(
        (&log[2]["path"], &log[2]["status"]),
        (&"/x".into(), &503.into())
    );
}

#[test]
fn a_cut_ends_the_connection_and_is_in_the_log() {
    let (_clouds, door) = Door::open();
    assert_eq!(door.post("/_faults", r#"{"answer": "cut"}"#), 204);
    assert!(door.get("/x").is_err());
    assert_eq!(door.get("/x").unwrap().0, 401);
    assert!(
        door.get("/_requests")
            .unwrap()
            .1
            .contains(r#""status":null"#)
    );
}

#[test]
fn a_fault_that_says_nothing_clear_is_refused() {
    let (_clouds, door) = Door::open();
    for fault in [
        "",
        "{}",
        r#"{"answer": "explode"}"#,
        r#"{"answer": "cut", "nht": 1}"#,
    ] {
        assert_eq!(door.post("/_faults", fault), 400, "{fault}");
    }
}

#[test]
fn each_third_call_fails_and_is_counted() {
    let (clouds, door) = Door::open();
    let fault = r#"{"nth": 2, "every": 3, "times": 2, "answer": {"reply": {"status": 503}}}"#;
    assert_eq!(door.post("/_faults", fault), 204);
    let answers: Vec<u16> = (0..9).map(|_| door.get("/x").unwrap().0).collect();
    assert_eq!(answers, [401, 503, 401, 401, 503, 401, 401, 401, 401]);
    assert_eq!(door.get("/_faults").unwrap().1, r#"{"struck":2}"#);
    let desk = clouds.desk("azure").unwrap();
    desk.disarm();
    assert_eq!(desk.struck(), 0);
    assert!(clouds.desk("google").is_none());
}

#[test]
fn a_silent_call_is_done_and_never_answered() {
    let (clouds, door) = Door::open();
    assert_eq!(door.post("/_faults", r#"{"answer": "silent"}"#), 204);
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(std::time::Duration::from_millis(300)))
        .build()
        .into();
    let told = agent.get(format!("{}/x", door.0)).call();
    assert!(matches!(told, Err(ureq::Error::Timeout(_))), "{told:?}");
    assert_eq!(clouds.desk("azure").unwrap().struck(), 1);
    assert_eq!(door.get("/x").unwrap().0, 401);
}
