//! The way to a web address through TLS: whom weir trusts, and how it proves who it is. A server of
//! this test takes TLS off and hands each request to the one that knows no TLS.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{
    RootCertStore, ServerConfig, ServerConnection, StreamOwned,
    crypto::ring::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer},
    server::WebPkiClientVerifier,
};
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::Arc,
    time::Duration,
};
use weir_core::plan::Op;
use weir_state::{
    HttpSettings, HttpStore, Options, Outcome, StateError, Store, Wait,
    conformance::{WebServer, begin, me, resource, step},
};

/// Who vouches for others.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Authority(CertifiedIssuer::self_signed(params, key).unwrap())
    }
    fn pem(&self) -> String {
        self.0.pem()
    }
    /// A certificate and its key, for this name.
    fn vouches_for(&self, name: &str) -> Identity {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Identity {
            der: certificate.der().clone(),
            pem: certificate.pem(),
            key,
        }
    }
}

struct Identity {
    der: CertificateDer<'static>,
    pem: String,
    key: KeyPair,
}

/// Whether the server wants to know who asks.
enum Callers<'a> {
    Any,
    /// Those that this one vouches for.
    Of(&'a Authority),
}

/// The port of a server with TLS before this one.
fn serve(plain: &WebServer, identity: &Identity, callers: &Callers<'_>) -> u16 {
    let provider = Arc::new(default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = match callers {
        Callers::Any => builder.with_no_client_auth(),
        Callers::Of(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(authority.0.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let key = PrivateKeyDer::try_from(identity.key.serialize_der()).unwrap();
    let config = builder.with_single_cert(vec![identity.der.clone()], key);
    let config = Arc::new(config.unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let behind = plain.address("x");
    let behind = behind["http://".len()..]
        .split('/')
        .next()
        .unwrap()
        .to_owned();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (config, behind) = (config.clone(), behind.clone());
            // What is not trusted ends in an error here as well.
            std::thread::spawn(move || drop(pass_on(stream, config, &behind)));
        }
    });
    port
}

/// One request, and its answer.
fn pass_on(stream: TcpStream, config: Arc<ServerConfig>, behind: &str) -> std::io::Result<()> {
    let connection = ServerConnection::new(config).map_err(std::io::Error::other)?;
    let mut asked = BufReader::new(StreamOwned::new(connection, stream));
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        asked.read_line(&mut line)?;
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if lower.starts_with("expect:") {
            asked
                .get_mut()
                .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
            continue;
        }
        head.push_str(&line);
        if line.trim_end().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    asked.read_exact(&mut body)?;
    let mut to = TcpStream::connect(behind)?;
    to.write_all(head.as_bytes())?;
    to.write_all(&body)?;
    let mut answer = Vec::new();
    to.read_to_end(&mut answer)?;
    let stream = asked.get_mut();
    stream.write_all(&answer)?;
    stream.conn.send_close_notify();
    stream.flush()?;
    stream.sock.shutdown(Shutdown::Write)
}

/// Settings of TLS: those of the block, then those of the environment.
type Given<'a> = [(&'a str, &'a str)];

fn settings(port: u16, given: &Given<'_>) -> HttpSettings {
    let address = format!("https://localhost:{port}/api/v4/projects/1/terraform/state/shop");
    let find = |name: &str| {
        let found = given.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let setting = |name: &str| match name {
        "address" => Some(address.clone()),
        "lock_address" => Some(format!("{address}/lock")),
        "lock_method" => Some("POST".to_owned()),
        "unlock_method" => Some("DELETE".to_owned()),
        _ => find(name),
    };
    HttpSettings::new(&setting, &find).unwrap()
}

fn open(settings: HttpSettings) -> Result<HttpStore, StateError> {
    let options = Options {
        expiry: Duration::from_secs(4),
        ..Options::default()
    };
    HttpStore::open(settings, options)
}

fn trusting(pem: &str) -> [(&str, &str); 1] {
    [("client_ca_certificate_pem", pem)]
}

#[track_caller]
fn refused(settings: HttpSettings, words: &[&str]) {
    match open(settings).map(drop) {
        Err(e @ StateError::Refused { .. }) => {
            let told = e.to_string();
            for word in words {
                assert!(told.contains(word), "{word}: {told}");
            }
            assert!(!told.contains("PRIVATE KEY"), "{told}");
        }
        other => panic!("{words:?}: {other:?}"),
    }
}

async fn works(settings: HttpSettings, name: &str) {
    let store = open(settings).unwrap();
    let lease = store.acquire(me("apply"), Wait::None).await.unwrap();
    let put = Outcome::Put(resource(name, &[]));
    step(&store, &lease, begin(name, Op::Create), put)
        .await
        .unwrap();
    store.release(lease).await.unwrap();
    let there = store.snapshot().await.unwrap().resources;
    let names: BTreeMap<String, ()> = there.keys().map(|a| (a.to_string(), ())).collect();
    assert!(names.contains_key(name));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_server_that_somebody_trusted_vouches_for_is_asked() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let plain = WebServer::start().unwrap();
    let port = serve(&plain, &ours.vouches_for("localhost"), &Callers::Any);
    let not_trusted = [
        "the server's certificate is not trusted",
        "client_ca_certificate_pem",
    ];
    // Nobody on this machine knows who vouches for it.
    refused(settings(port, &[]), &not_trusted);
    let (ours_pem, theirs_pem) = (ours.pem(), theirs.pem());
    refused(settings(port, &trusting(&theirs_pem)), &not_trusted);
    works(settings(port, &trusting(&ours_pem)), "a.trusted").await;
    // Several may be named, and the environment may name them.
    let both = format!("{theirs_pem}{ours_pem}");
    let of_environment = [("TF_HTTP_CLIENT_CA_CERTIFICATE_PEM", both.as_str())];
    works(settings(port, &of_environment), "a.environment").await;
    works(settings(port, &[]).with_any_certificate(true), "a.any").await;
    assert!(plain.asked().len() > 9, "what was trusted was asked");

    // One for another name is somebody else's.
    let plain = WebServer::start().unwrap();
    let port = serve(
        &plain,
        &ours.vouches_for("elsewhere.example.com"),
        &Callers::Any,
    );
    refused(settings(port, &trusting(&ours_pem)), &not_trusted);
    assert!(plain.asked().is_empty(), "nothing was told to it");
    works(settings(port, &[]).with_any_certificate(true), "a.any").await;

    let broken = [(
        "client_ca_certificate_pem",
        "-----BEGIN CERTIFICATE-----\nx",
    )];
    refused(
        settings(port, &broken),
        &["Give certificates and keys as PEM"],
    );
    refused(
        settings(port, &trusting("")).with_any_certificate(false),
        &not_trusted,
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_wants_a_certificate_gets_ours() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let plain = WebServer::start().unwrap();
    let callers = Callers::Of(&theirs);
    let port = serve(&plain, &ours.vouches_for("localhost"), &callers);
    let ca = ours.pem();
    let ca = ("client_ca_certificate_pem", ca.as_str());
    let wanted = [
        "the server refuses this side of TLS",
        "client_certificate_pem",
    ];
    refused(settings(port, &[ca]), &wanted);
    // Not caring who it is does not tell it who we are.
    refused(settings(port, &[]).with_any_certificate(true), &wanted);
    let (good, bad) = (theirs.vouches_for("weir"), ours.vouches_for("weir"));
    let (good_key, bad_key) = (good.key.serialize_pem(), bad.key.serialize_pem());
    let one_of = |who: &Identity, key: &str| {
        let own = [
            ("client_certificate_pem", who.pem.as_str()),
            ("client_private_key_pem", key),
        ];
        settings(port, &[ca, own[0], own[1]])
    };
    refused(one_of(&bad, &bad_key), &wanted);
    works(one_of(&good, &good_key), "a.known").await;
    let of_environment = [
        ("TF_HTTP_CLIENT_CA_CERTIFICATE_PEM", ca.1),
        ("TF_HTTP_CLIENT_CERTIFICATE_PEM", good.pem.as_str()),
        ("TF_HTTP_CLIENT_PRIVATE_KEY_PEM", good_key.as_str()),
    ];
    works(settings(port, &of_environment), "a.environment").await;
    assert!(plain.asked().len() > 9);
}
