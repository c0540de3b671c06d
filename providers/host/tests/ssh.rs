//! The SSH transport against real servers.

#[allow(dead_code, reason = "each test program uses its part")]
mod sshd;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sshd::{Agent, Sshd, direct, keygen, me, public, public_line};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use weir_host::ssh::{
    AgentUse, ChannelKind, Connector, Endpoint, Environment, ExitStatus, Hop, HostKeyError,
    HostKeyPolicy, KeyFileError, KeyText, KnownAt, Phase, Refusal, Session, SshError, Timing,
    shell,
};

/// Returns from the test, loudly, where the tools are missing.
macro_rules! needs_sshd {
    () => {
        if !sshd::available() {
            return;
        }
    };
}

fn connector() -> Connector {
    Connector::new(Environment::default())
}

async fn connect(hop: Hop) -> Result<Session, SshError> {
    connector().connect(&direct(hop)).await
}

async fn host_key_error(hop: Hop) -> HostKeyError {
    match connect(hop).await {
        Err(SshError::HostKey(error)) => *error,
        other => panic!("expected a host key error, got {other:?}"),
    }
}

#[tokio::test]
async fn a_pinned_key_lets_us_in_and_commands_run() {
    needs_sshd!();
    let server = Sshd::start();
    let session = connect(server.hop()).await.expect("a session");
    let output = session
        .exec("cat; echo to stderr >&2; exit 7", b"fed")
        .await
        .expect("an output");
    assert_eq!(output.status, ExitStatus::Code(7));
    assert_eq!(output.stdout, b"fed");
    assert_eq!(output.stderr, b"to stderr\n");

    let killed = session.exec("kill -TERM $$", b"").await.expect("an output");
    assert_eq!(killed.status, ExitStatus::Signal("TERM".into()));

    let error = session.run("echo no room >&2; exit 3", b"").await;
    let text = error.expect_err("a failed command").to_string();
    assert!(
        text.contains("`echo no room >&2; exit 3` ended with status 3: no room"),
        "{text}"
    );

    session.close().await;
    let gone = session.exec("true", b"").await;
    assert!(
        matches!(gone, Err(SshError::Disconnected { .. })),
        "{gone:?}"
    );
}

#[tokio::test]
async fn a_wrong_pinned_key_is_refused_with_both_fingerprints() {
    needs_sshd!();
    let server = Sshd::start();
    let other = keygen(server.folder.path(), "other", "ed25519", "");
    let hop = Hop {
        host_key: HostKeyPolicy::Pinned(vec![public(&other)]),
        ..server.hop()
    };
    let error = host_key_error(hop).await;
    let text = format!("{error} {}", error.help());
    let HostKeyError::Changed {
        offered,
        known,
        known_at,
        ..
    } = error
    else {
        panic!("expected a changed key, got {error:?}");
    };
    assert_eq!(offered.line, public_line(&server.host_key));
    assert_eq!(known.line, public_line(&other));
    assert_eq!(known_at, KnownAt::Stack);
    assert!(
        text.contains(&offered.fingerprint) && text.contains(&known.fingerprint),
        "{text}"
    );
    assert!(
        text.contains(&format!("host_key = \"{}\"", offered.line)),
        "{text}"
    );
}

#[tokio::test]
async fn known_hosts_decides() {
    needs_sshd!();
    let server = Sshd::start();
    let other = public_line(&keygen(server.folder.path(), "other", "ed25519", ""));

    for text in [
        "HOST KEY".to_owned(),
        "[127.0.*]:* KEY".to_owned(),
        format!("HOST {other}\nHOST KEY"),
        format!("@cert-authority HOST {other}\nHOST KEY"),
    ] {
        let session = connect(server.hop_known_by(&text)).await;
        assert!(session.is_ok(), "{text}: {session:?}");
    }

    let unknown = host_key_error(server.hop_known_by("elsewhere KEY")).await;
    let text = unknown.help();
    assert!(
        matches!(unknown, HostKeyError::Unknown { .. }),
        "{unknown:?}"
    );
    assert!(
        text.contains(&format!("ssh-keyscan -p {} 127.0.0.1", server.port)),
        "{text}"
    );

    // An authority's key is not the host's, even if the host shows it.
    let authority = host_key_error(server.hop_known_by("@cert-authority HOST KEY")).await;
    assert!(
        matches!(authority, HostKeyError::Unknown { .. }),
        "{authority:?}"
    );

    let revoked = host_key_error(server.hop_known_by("HOST KEY\n@revoked * KEY")).await;
    let HostKeyError::Revoked { location, .. } = &revoked else {
        panic!("expected a revoked key, got {revoked:?}");
    };
    assert_eq!(location.line, 2);

    let changed = host_key_error(server.hop_known_by(&format!("# a line\nHOST {other}"))).await;
    let HostKeyError::Changed {
        known_at: KnownAt::File(at),
        ..
    } = &changed
    else {
        panic!("expected a changed key, got {changed:?}");
    };
    assert_eq!(at.line, 2);
    assert_eq!(at.file, server.folder.path().join("known_hosts"));
}

#[tokio::test]
async fn a_server_with_several_keys_presents_the_known_one() {
    needs_sshd!();
    let server = Sshd::start_with(|folder| {
        let rsa = keygen(folder, "host_rsa", "rsa", "");
        let ecdsa = keygen(folder, "host_ecdsa", "ecdsa", "");
        format!("HostKey {}\nHostKey {}", rsa.display(), ecdsa.display())
    });
    for name in ["host_rsa", "host_ecdsa", "host"] {
        let line = public_line(&server.folder.path().join(name));
        let session = connect(server.hop_known_by(&format!("HOST {line}"))).await;
        assert!(session.is_ok(), "{name}: {session:?}");
    }
}

#[tokio::test]
async fn an_unreadable_known_hosts_file_is_an_error_and_an_absent_one_is_not() {
    needs_sshd!();
    let server = Sshd::start();
    // A folder can't be read as a file, whoever tries.
    let unreadable = HostKeyPolicy::KnownHosts {
        files: vec![server.folder.path().to_owned()],
    };
    let error = host_key_error(Hop {
        host_key: unreadable,
        ..server.hop()
    })
    .await;
    assert!(matches!(error, HostKeyError::File { .. }), "{error:?}");

    let absent = HostKeyPolicy::KnownHosts {
        files: vec![server.folder.path().join("absent")],
    };
    let error = host_key_error(Hop {
        host_key: absent,
        ..server.hop()
    })
    .await;
    assert!(matches!(error, HostKeyError::Unknown { .. }), "{error:?}");
}

#[tokio::test]
async fn trust_on_first_use_learns_once_and_refuses_a_change() {
    needs_sshd!();
    let server = Sshd::start();
    let file = server.folder.path().join("ssh/known_hosts");
    let trusting = |files: Vec<PathBuf>| Hop {
        host_key: HostKeyPolicy::TrustOnFirstUse { files },
        ..server.hop()
    };
    for _ in 0..2 {
        connect(trusting(vec![file.clone()]))
            .await
            .expect("a session");
    }
    let expected = format!(
        "[127.0.0.1]:{} {}\n",
        server.port,
        public_line(&server.host_key)
    );
    assert_eq!(
        std::fs::read_to_string(&file).expect("known_hosts"),
        expected
    );
    let mode = std::fs::metadata(&file)
        .expect("known_hosts")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);

    let rsa = public_line(&keygen(server.folder.path(), "other", "rsa", ""));
    std::fs::write(&file, format!("[127.0.0.1]:{} {rsa}", server.port)).expect("known_hosts");
    let error = host_key_error(trusting(vec![file.clone()])).await;
    assert!(matches!(error, HostKeyError::Changed { .. }), "{error:?}");

    // A file whose last line has no end keeps that line whole.
    std::fs::write(&file, format!("elsewhere {rsa}")).expect("known_hosts");
    connect(trusting(vec![file.clone()]))
        .await
        .expect("a session");
    let text = std::fs::read_to_string(&file).expect("known_hosts");
    assert_eq!(text, format!("elsewhere {rsa}\n{expected}"));
}

#[tokio::test]
async fn host_certificates_hold_for_their_names_alone() {
    needs_sshd!();
    let server = Sshd::start_with(|folder| {
        keygen(folder, "ca", "ed25519", "");
        format!("HostCertificate {}", folder.join("host-cert.pub").display())
    });
    let path = |name: &str| server.folder.path().join(name).display().to_string();
    let sign = |principal: &str| {
        sshd::run(
            "ssh-keygen",
            &[
                "-q",
                "-s",
                &path("ca"),
                "-I",
                "id",
                "-h",
                "-n",
                principal,
                &path("host.pub"),
            ],
            &[],
        );
        // Each connection is served by a new process, but the listener holds
        // the certificate: make it read its configuration again.
        server.reload();
    };
    let ca = public_line(&server.folder.path().join("ca"));
    let by_authority = || server.hop_known_by(&format!("@cert-authority HOST {ca}"));

    sign("127.0.0.1");
    connect(by_authority()).await.expect("a session");

    let revoked = format!("@cert-authority HOST {ca}\n@revoked * {ca}");
    let error = host_key_error(server.hop_known_by(&revoked)).await;
    assert!(matches!(error, HostKeyError::Revoked { .. }), "{error:?}");

    sign("elsewhere");
    let error = host_key_error(by_authority()).await;
    let HostKeyError::Certificate { reason, .. } = &error else {
        panic!("expected a certificate error, got {error:?}");
    };
    assert_eq!(reason, "it is for elsewhere, not for 127.0.0.1");
}

#[tokio::test]
async fn refused_keys_are_listed() {
    needs_sshd!();
    let server = Sshd::start();
    let stranger = keygen(server.folder.path(), "stranger", "ed25519", "");
    let hop = Hop {
        keys: vec![stranger.clone()],
        ..server.hop()
    };
    let error = connect(hop).await.expect_err("a refusal");
    let SshError::AuthRefused(refused) = &error else {
        panic!("expected a refusal, got {error:?}");
    };
    assert_eq!(refused.user, me());
    assert_eq!(refused.server_takes, ["publickey"]);
    assert_eq!(refused.tried.len(), 1);
    assert_eq!(refused.tried[0].origin, stranger.display().to_string());
    assert!(refused.tried[0].fingerprint.starts_with("SHA256:"));

    // The right key after a wrong one is found.
    let hop = Hop {
        keys: vec![stranger, server.user_key.clone()],
        ..server.hop()
    };
    connect(hop).await.expect("a session");
}

#[tokio::test]
async fn key_files_that_do_not_serve_say_why() {
    needs_sshd!();
    let server = Sshd::start();
    let folder = server.folder.path();
    let with = |path: &Path| Hop {
        keys: vec![path.to_owned()],
        ..server.hop()
    };
    let cause = async |path: &Path| match connect(with(path)).await {
        Err(SshError::KeyFile { path: named, cause }) => {
            assert_eq!(named, path);
            cause
        }
        other => panic!("expected a key file error, got {other:?}"),
    };

    assert!(matches!(
        cause(&folder.join("absent")).await,
        KeyFileError::Read(_)
    ));
    assert!(matches!(
        cause(&folder.join("user.pub")).await,
        KeyFileError::Parse(_)
    ));
    let locked = keygen(folder, "locked", "ed25519", "secret");
    assert!(matches!(cause(&locked).await, KeyFileError::Encrypted));
}

#[tokio::test]
async fn rsa_keys_log_in() {
    needs_sshd!();
    let server = Sshd::start();
    let rsa = keygen(server.folder.path(), "rsa", "rsa", "");
    std::fs::copy(
        rsa.with_extension("pub"),
        server.folder.path().join("authorized"),
    )
    .expect("authorized keys");
    connect(Hop {
        keys: vec![rsa],
        ..server.hop()
    })
    .await
    .expect("a session");
}

#[tokio::test]
async fn the_agent_stands_in_for_files() {
    needs_sshd!();
    let server = Sshd::start();
    let folder = server.folder.path();
    let agent = Agent::start(folder);
    agent.add(&server.user_key);
    let connector = Connector::new(Environment {
        home: None,
        ssh_auth_sock: Some(agent.socket.clone()),
    });

    let hop = Hop {
        keys: Vec::new(),
        agent: AgentUse::AfterFiles,
        ..server.hop()
    };
    connector
        .connect(&direct(hop))
        .await
        .expect("a session by the agent's key");

    // An encrypted file whose key the agent holds is as good as a plain one.
    let file = server.user_key.display().to_string();
    sshd::run(
        "ssh-keygen",
        &["-q", "-p", "-P", "", "-N", "secret", "-f", &file],
        &[],
    );
    connector
        .connect(&direct(server.hop()))
        .await
        .expect("a session by an encrypted file");

    // An agent that has gone is named in the refusal.
    let stale = Connector::new(Environment {
        home: None,
        ssh_auth_sock: Some(folder.join("no-such-socket")),
    });
    let hop = Hop {
        keys: Vec::new(),
        agent: AgentUse::AfterFiles,
        ..server.hop()
    };
    let error = stale.connect(&direct(hop)).await.expect_err("a refusal");
    assert!(error.to_string().contains("no-such-socket"), "{error}");
}

#[tokio::test]
async fn a_host_that_is_down_is_unreachable() {
    let probe = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = probe.local_addr().expect("an address").port();
    drop(probe);
    let error = connect(nowhere(port)).await.expect_err("nobody there");
    assert!(matches!(error, SshError::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().starts_with(&format!(
        "no connection to 127.0.0.1:{port}: connection refused"
    )));
}

#[tokio::test]
async fn a_silent_listener_times_out() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = silent.local_addr().expect("an address").port();
    let endpoint = Endpoint {
        timing: Timing {
            connect: Duration::from_millis(200),
            ..Timing::default()
        },
        ..direct(nowhere(port))
    };
    let error = connector().connect(&endpoint).await.expect_err("no answer");
    let SshError::Timeout { phase, .. } = error else {
        panic!("expected a timeout, got {error:?}");
    };
    assert_eq!(phase, Phase::KeyExchange);
}

#[tokio::test]
async fn something_else_than_ssh_is_a_handshake_error() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().take(8).flatten() {
            let mut stream = stream;
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let error = connect(nowhere(port)).await.expect_err("no SSH there");
    assert!(matches!(error, SshError::Handshake { .. }), "{error:?}");
}

/// A hop to a port of this machine where no sshd of ours listens.
fn nowhere(port: u16) -> Hop {
    Hop {
        address: "127.0.0.1".into(),
        port,
        user: "nobody".into(),
        keys: Vec::new(),
        key: None,
        agent: AgentUse::EncryptedFilesOnly,
        host_key: HostKeyPolicy::KnownHosts { files: Vec::new() },
    }
}

#[tokio::test]
async fn a_server_that_sheds_load_is_dialled_again() {
    needs_sshd!();
    let server = Sshd::start();
    let shedding = shedding_proxy(server.port, 2);
    let session = connect(Hop {
        port: shedding,
        ..server.hop()
    })
    .await;
    session.expect("a session on the third try");
}

/// A proxy that hangs up on its first callers, as sshd does over MaxStartups.
fn shedding_proxy(to: u16, hang_ups: usize) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for (count, stream) in listener.incoming().flatten().enumerate() {
            if count < hang_ups {
                continue;
            }
            let server = TcpStream::connect(("127.0.0.1", to)).expect("the server");
            pump(
                stream.try_clone().expect("a clone"),
                server.try_clone().expect("a clone"),
            );
            pump(server, stream);
        }
    });
    port
}

fn pump(mut from: TcpStream, mut to: TcpStream) {
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(n @ 1..) = from.read(&mut buffer) {
            if to.write_all(&buffer[..n]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(std::net::Shutdown::Both);
    });
}

#[tokio::test]
async fn bastions_chain_and_are_shared() {
    needs_sshd!();
    let (first, second, target) = (Sshd::start(), Sshd::start(), Sshd::start());
    let endpoint = Endpoint {
        bastions: vec![first.hop(), second.hop()],
        ..direct(target.hop())
    };
    let connector = connector();
    let sessions = futures::future::join_all((0..4).map(|_| connector.connect(&endpoint))).await;
    for session in &sessions {
        let session = session.as_ref().expect("a session through two bastions");
        let output = session
            .run("echo $SSH_CONNECTION", b"")
            .await
            .expect("an output");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.trim().ends_with(&target.port.to_string()), "{text}");
    }
    let logins = |server: &Sshd| server.log().matches("Accepted publickey").count();
    assert_eq!(logins(&first), 1, "one login for all machines behind it");
    assert_eq!(logins(&second), 1, "one login for all machines behind it");
    assert_eq!(logins(&target), 4);
}

#[tokio::test]
async fn a_bastion_at_fault_is_named() {
    needs_sshd!();
    let (bastion, target) = (Sshd::start(), Sshd::start());
    let stranger = keygen(bastion.folder.path(), "stranger", "ed25519", "");
    let barred = Hop {
        keys: vec![stranger],
        ..bastion.hop()
    };
    let endpoint = Endpoint {
        bastions: vec![barred],
        ..direct(target.hop())
    };
    let error = connector().connect(&endpoint).await.expect_err("a refusal");
    let SshError::Bastion { hop, source } = &error else {
        panic!("expected the bastion's error, got {error:?}");
    };
    assert_eq!(*hop, format!("127.0.0.1:{}", bastion.port));
    assert!(matches!(**source, SshError::AuthRefused(_)), "{source:?}");

    // The same connector tries anew: nothing is stuck to the chain.
    let connector = connector();
    let down = Endpoint {
        bastions: vec![bastion.hop()],
        ..direct(nowhere(1))
    };
    let error = connector.connect(&down).await.expect_err("nobody there");
    assert!(matches!(error, SshError::Unreachable { .. }), "{error:?}");
    let endpoint = Endpoint {
        bastions: vec![bastion.hop()],
        ..direct(target.hop())
    };
    connector.connect(&endpoint).await.expect("a session");
}

#[tokio::test]
async fn unix_streams_echo_many_at_once_beside_commands() {
    needs_sshd!();
    let server = Sshd::start();
    let socket = server.folder.path().join("echo.sock");
    let listener = tokio::net::UnixListener::bind(&socket).expect("a socket");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut reader, mut writer) = stream.split();
                tokio::io::copy(&mut reader, &mut writer).await
            });
        }
    });
    let session = connect(server.hop()).await.expect("a session");
    let path = socket.display().to_string();
    let mut streams = Vec::new();
    // More than MaxSessions: forwarded channels are not sessions.
    for _ in 0..20 {
        streams.push(session.open_unix(&path).await.expect("a stream"));
    }
    session
        .run("true", b"")
        .await
        .expect("a command beside the streams");
    let big = vec![b'x'; 300_000];
    for mut stream in streams {
        let big = &big;
        let (mut reader, mut writer) = tokio::io::split(&mut stream);
        let send = async {
            writer.write_all(big).await.expect("sent");
            writer.shutdown().await.expect("shut");
        };
        let mut back = Vec::new();
        let (received, ()) = tokio::join!(reader.read_to_end(&mut back), send);
        assert_eq!(received.expect("received"), big.len());
    }

    let absent = session
        .open_unix("/no/such/socket")
        .await
        .expect_err("nobody there");
    let SshError::Channel {
        channel, refusal, ..
    } = &absent
    else {
        panic!("expected a refused channel, got {absent:?}");
    };
    assert_eq!(*channel, ChannelKind::Unix("/no/such/socket".into()));
    assert_eq!(*refusal, Refusal::ConnectFailed);
}

#[tokio::test]
async fn a_bridge_is_a_stream_through_a_command() {
    needs_sshd!();
    let server = Sshd::start();
    let session = connect(server.hop()).await.expect("a session");
    let mut stream = session.bridge("tr a-z A-Z").await.expect("a stream");
    stream.write_all(b"quiet").await.expect("sent");
    stream.shutdown().await.expect("shut");
    let mut back = String::new();
    stream.read_to_string(&mut back).await.expect("received");
    assert_eq!(back, "QUIET");
}

#[tokio::test]
async fn two_hundred_commands_in_parallel_all_succeed() {
    needs_sshd!();
    let server = Sshd::start();
    let session = connect(server.hop()).await.expect("a session");
    let commands = (0..200).map(|n| {
        let session = session.clone();
        async move { session.run(&format!("echo {n}"), b"").await }
    });
    for (n, output) in futures::future::join_all(commands)
        .await
        .into_iter()
        .enumerate()
    {
        let output = output.expect("an output");
        assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{n}\n"));
    }
}

#[tokio::test]
async fn a_server_with_few_sessions_is_waited_for() {
    needs_sshd!();
    let server = Sshd::start_with(|_| "MaxSessions 2".into());
    let session = connect(server.hop()).await.expect("a session");
    let commands = (0..20).map(|_| session.run("true", b""));
    for output in futures::future::join_all(commands).await {
        output.expect("an output");
    }
}

#[tokio::test]
async fn an_abandoned_command_gives_its_session_back() {
    needs_sshd!();
    let server = Sshd::start_with(|_| "MaxSessions 1".into());
    let session = connect(server.hop()).await.expect("a session");
    for _ in 0..3 {
        // Root's sshd passes no signal on: such a command ends when it writes.
        let endless = session.exec("while sleep 0.1; do echo; done", b"");
        let given_up = tokio::time::timeout(Duration::from_millis(200), endless).await;
        assert!(given_up.is_err(), "it has ended: {given_up:?}");
    }
    session
        .run("true", b"")
        .await
        .expect("room for another command");
}

#[tokio::test]
async fn large_input_and_output_flow_both_ways() {
    needs_sshd!();
    let server = Sshd::start();
    let session = connect(server.hop()).await.expect("a session");
    let bytes: Vec<u8> = (0..5_000_000_u32).map(|n| (n % 251) as u8).collect();
    let output = session.run("cat", &bytes).await.expect("an output");
    assert!(
        output.stdout == bytes,
        "{} bytes came back",
        output.stdout.len()
    );

    // A command that reads nothing doesn't hold us up.
    let output = session.run("echo done", &bytes).await.expect("an output");
    assert_eq!(output.stdout, b"done\n");
}

#[tokio::test]
async fn an_upload_is_whole_or_absent() {
    needs_sshd!();
    let server = Sshd::start();
    let session = connect(server.hop()).await.expect("a session");
    let folder = server.folder.path().join("it's new");
    let file = folder.join("weir agent");
    let path = file.display().to_string();
    for bytes in [vec![7_u8; 3_000_000], b"second".to_vec(), Vec::new()] {
        session
            .upload(&path, &bytes, 0o750)
            .await
            .expect("an upload");
        assert!(
            std::fs::read(&file).expect("the file") == bytes,
            "the file differs"
        );
        let mode = std::fs::metadata(&file)
            .expect("the file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o7777, 0o750);
    }
    let names = std::fs::read_dir(&folder).expect("the folder").count();
    assert_eq!(names, 1, "no temporary file is left");

    let below_a_file = format!("{path}/x");
    let error = session
        .upload(&below_a_file, b"x", 0o644)
        .await
        .expect_err("no such folder");
    assert!(matches!(error, SshError::Remote { .. }), "{error:?}");
}

#[tokio::test]
async fn a_lost_connection_is_told() {
    needs_sshd!();
    let server = Sshd::start();
    let session = connect(server.hop()).await.expect("a session");
    // The parent of the command is the sshd process that serves us.
    let error = session
        .exec("kill -9 $PPID; sleep 600", b"")
        .await
        .expect_err("no end");
    assert!(matches!(error, SshError::Disconnected { .. }), "{error:?}");
    assert!(session.is_closed());
}

#[tokio::test]
async fn scripts_reach_sh_whole() {
    needs_sshd!();
    let server = Sshd::start();
    let session = connect(server.hop()).await.expect("a session");
    let argument = "it's $HOME\n\"quoted\" `and` more\\";
    let command = shell::script(r#"printf %s "$1""#, &[argument]);
    let output = session.run(&command, b"").await.expect("an output");
    assert_eq!(String::from_utf8_lossy(&output.stdout), argument);
}

#[tokio::test]
async fn a_key_that_is_given_as_text_logs_in_and_is_never_shown() {
    needs_sshd!();
    let server = Sshd::start();
    let text = std::fs::read_to_string(&server.hop().keys[0]).expect("the user's key");
    let hop = Hop {
        keys: Vec::new(),
        key: Some(KeyText(text)),
        ..server.hop()
    };
    assert!(!format!("{hop:?}").contains("PRIVATE KEY"), "{hop:?}");
    connect(hop).await.expect("the key fits");
    let hop = Hop {
        key: Some(KeyText("no key at all".to_owned())),
        ..server.hop()
    };
    let error = connect(hop).await.expect_err("that is no key");
    assert!(error.to_string().contains("`private_key`"), "{error}");
    assert!(!error.to_string().contains("no key at all"), "{error}");
}
