//! `weir_egress_address`: what an echo says is taken once, and nothing that leads nowhere.
#![allow(clippy::unwrap_used)] // helpers of tests

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};
use weir_core::{Known, Type, Value, plan::Op};
use weir_host::{AgentBinary, HostProvider, schema::EGRESS_ADDRESS, ssh::Environment};
use weir_provider::{
    ApplyRequest, NoProgress, PlanRequest, Provider as _, ReadRequest, Token, proposed,
};

const ADDRESS: &str = "weir_egress_address.here";

/// A server that says the text to everyone, and how many asked.
struct Echo {
    url: String,
    says: Arc<Mutex<String>>,
    asked: Arc<AtomicUsize>,
}

impl Echo {
    fn start(text: &str) -> Echo {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let echo = Echo {
            url: format!("http://{}/", listener.local_addr().unwrap()),
            says: Arc::new(Mutex::new(text.to_owned())),
            asked: Arc::default(),
        };
        let (says, asked) = (echo.says.clone(), echo.asked.clone());
        thread::spawn(move || {
            for mut client in listener.incoming().flatten() {
                let _ = client.read(&mut [0; 4096]);
                asked.fetch_add(1, Ordering::SeqCst);
                let text = says.lock().unwrap().clone();
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n", text.len());
                let _ =
                    client.write_all(format!("{head}Connection: close\r\n\r\n{text}").as_bytes());
            }
        });
        echo
    }

    fn provider(&self) -> HostProvider {
        let agent = AgentBinary::new(Vec::new(), "1");
        HostProvider::new(agent, Environment::default()).with_address_echo(&self.url)
    }
}

async fn plan(provider: &HostProvider, prior: Option<Known>) -> Result<Value, String> {
    let schema = provider.schema().resources[EGRESS_ADDRESS].clone();
    let null = || Value::null_of(Type::String);
    let config = Value::object([("address", null()), ("cidr", null())]);
    let request = PlanRequest {
        type_name: EGRESS_ADDRESS.to_owned(),
        address: ADDRESS.to_owned(),
        proposed: proposed::merge(&schema, prior.as_ref().map(Known::value), &config),
        prior,
        config,
        private: Vec::new(),
    };
    let planned = provider.plan(request).await;
    planned.map(|p| p.planned).map_err(|d| d.to_string())
}

#[tokio::test]
async fn it_is_known_by_the_plan_and_stays_as_it_was_found() {
    let echo = Echo::start("203.0.113.7\n");
    let provider = echo.provider();
    let planned = plan(&provider, None).await.unwrap();
    assert_eq!(
        planned.get("address").unwrap().as_str(),
        Some("203.0.113.7")
    );
    assert_eq!(
        planned.get("cidr").unwrap().as_str(),
        Some("203.0.113.7/32")
    );
    // Asked once in a run, however many want to know it.
    assert_eq!(plan(&provider, None).await.unwrap(), planned);
    assert_eq!(echo.asked.load(Ordering::SeqCst), 1);
    let request = ApplyRequest {
        type_name: EGRESS_ADDRESS.to_owned(),
        address: ADDRESS.to_owned(),
        op: Op::Create,
        prior: None,
        config: Some(planned.clone()),
        planned: Some(planned.clone()),
        private: Vec::new(),
        token: Token {
            lineage: "l".to_owned(),
            epoch: 1,
            step: 1,
        },
    };
    let made = provider.apply(request, &NoProgress).await.value.unwrap();
    assert_eq!(*made.value(), planned);

    // Another run, elsewhere: nobody is asked, nothing moves.
    *echo.says.lock().unwrap() = "203.0.113.8".to_owned();
    let provider = echo.provider();
    let read = ReadRequest {
        type_name: EGRESS_ADDRESS.to_owned(),
        address: ADDRESS.to_owned(),
        prior: made.clone(),
        private: Vec::new(),
    };
    let found = provider.read(read).await.unwrap().value.unwrap();
    assert_eq!(plan(&provider, Some(found)).await.unwrap(), planned);
    assert_eq!(echo.asked.load(Ordering::SeqCst), 1);
    let anew = plan(&provider, None).await.unwrap();
    assert_eq!(anew.get("cidr").unwrap().as_str(), Some("203.0.113.8/32"));
}

#[tokio::test]
async fn what_leads_to_nobody_is_refused() {
    for (said, why) in [
        ("127.0.0.1", "which leads nobody else to this machine"),
        ("::1", "which leads nobody else to this machine"),
        (
            "::ffff:127.0.0.1",
            "which leads nobody else to this machine",
        ),
        ("169.254.1.1", "which leads nobody else to this machine"),
        ("0.0.0.0", "which leads nobody else to this machine"),
        ("<html>log in</html>", "which is no address"),
        ("203.0.113.7/24", "which is no address"),
    ] {
        let error = plan(&Echo::start(said).provider(), None).await.unwrap_err();
        assert!(error.contains(why), "{said}: {error}");
    }
    let agent = AgentBinary::new(Vec::new(), "1");
    let nobody = HostProvider::new(agent, Environment::default());
    let error = plan(&nobody.with_address_echo("http://127.0.0.1:9/"), None).await;
    let error = error.unwrap_err();
    assert!(
        error.contains("http://127.0.0.1:9/ was asked for it"),
        "{error}"
    );
}

#[tokio::test]
async fn addresses_of_six_words_are_blocks_of_128_bits() {
    let planned = plan(&Echo::start("2001:db8::7").provider(), None).await;
    let cidr = planned.unwrap().get("cidr").unwrap().clone();
    assert_eq!(cidr.as_str(), Some("2001:db8::7/128"));
}
