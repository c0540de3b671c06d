//! `weir_ssh_key`: what it makes is a key that others take, and its private half is shown nowhere.
#![allow(clippy::unwrap_used)] // helpers of tests

use russh::keys::{PrivateKey, PublicKey};
use weir_core::{Known, Value, plan::Op};
use weir_host::{AgentBinary, HostProvider, schema::SSH_KEY, ssh::Environment};
use weir_provider::{
    ApplyRequest, NoProgress, PlanRequest, Provider as _, ReadRequest, Settled, Token, proposed,
};

fn provider() -> HostProvider {
    HostProvider::new(AgentBinary::new(Vec::new(), "1"), Environment::default())
}

fn config(comment: &str) -> Value {
    let null = || Value::null_of(weir_core::Type::String);
    Value::object([
        ("comment", Value::string(comment)),
        ("public_key", null()),
        ("private_key", null()),
        ("fingerprint", null()),
    ])
}

fn request(op: Op, prior: Option<Known>, planned: Option<Value>) -> ApplyRequest {
    ApplyRequest {
        type_name: SSH_KEY.to_owned(),
        address: "weir_ssh_key.login".to_owned(),
        op,
        prior,
        config: planned.clone(),
        planned,
        private: Vec::new(),
        token: Token {
            lineage: "l".to_owned(),
            epoch: 1,
            step: 1,
        },
    }
}

async fn make(provider: &HostProvider) -> Known {
    let schema = provider.schema().resources[SSH_KEY].clone();
    let config = config("main-cloud-0");
    let response = provider
        .plan(PlanRequest {
            type_name: SSH_KEY.to_owned(),
            address: "weir_ssh_key.login".to_owned(),
            prior: None,
            proposed: proposed::merge(&schema, None, &config),
            config,
            private: Vec::new(),
        })
        .await
        .unwrap();
    assert!(response.planned.get("private_key").unwrap().is_unknown());
    let made = request(Op::Create, None, Some(response.planned));
    let response = provider.apply(made, &NoProgress).await;
    assert!(response.diagnostics.is_empty(), "{}", response.diagnostics);
    response.value.unwrap()
}

#[tokio::test]
async fn a_key_is_made_once_and_its_halves_belong_together() {
    let provider = provider();
    let value = make(&provider).await;
    let text = |name: &str| {
        value
            .value()
            .get(name)
            .unwrap()
            .as_str()
            .unwrap()
            .to_owned()
    };
    let private = PrivateKey::from_openssh(text("private_key")).unwrap();
    let public = PublicKey::from_openssh(&text("public_key")).unwrap();
    assert_eq!(private.public_key().key_data(), public.key_data());
    assert!(text("public_key").starts_with("ssh-ed25519 "));
    assert!(text("public_key").ends_with(" main-cloud-0"));
    assert!(text("fingerprint").starts_with("SHA256:"));
    assert!(value.value().get("private_key").unwrap().is_sensitive());
    let shown = format!("{} {:?}", value.value(), value.value());
    assert!(!shown.contains("OPENSSH"), "{shown}");

    let another = make(&provider).await;
    assert_ne!(
        another.value().get("public_key"),
        value.value().get("public_key")
    );

    // It is what state says it is, whoever looks.
    let read = ReadRequest {
        type_name: SSH_KEY.to_owned(),
        address: "weir_ssh_key.login".to_owned(),
        prior: value.clone(),
        private: Vec::new(),
    };
    let read = provider.read(read).await.unwrap();
    assert_eq!(read.value.as_ref(), Some(&value));
    let gone = request(Op::Delete, Some(value), None);
    assert!(
        provider
            .apply(gone.clone(), &NoProgress)
            .await
            .value
            .is_none()
    );
    let settled = provider.settle(gone).await;
    assert!(matches!(settled, Settled::Done { value: None, .. }));
    let settled = provider
        .settle(request(Op::Create, None, Some(config("x"))))
        .await;
    assert!(matches!(settled, Settled::NotDone));
}
