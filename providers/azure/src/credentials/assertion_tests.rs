//! Assertions of certificates, checked with the certificate's own key.

use super::*;
use rsa::{RsaPublicKey, traits::PublicKeyParts as _};
use std::process::Command;

/// A key and a certificate of openssl; none, said loudly, where there is no openssl.
fn pair(folder: &std::path::Path) -> Option<()> {
    let run = |arguments: &[&str]| {
        let done = Command::new("openssl")
            .args(arguments)
            .current_dir(folder)
            .output();
        done.is_ok_and(|o| o.status.success())
    };
    let made = run(&[
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem",
        "-days", "2", "-subj", "/CN=weir",
    ]) && run(&[
        "pkcs12",
        "-export",
        "-inkey",
        "key.pem",
        "-in",
        "cert.pem",
        "-passout",
        "pass:word",
        "-out",
        "both.pfx",
    ]);
    if !made {
        println!("SKIPPED: there is no openssl to make a certificate");
    }
    made.then_some(())
}

fn parts(token: &str) -> (String, Json, Json, Vec<u8>) {
    let [head, claims, signature] = token.split('.').collect::<Vec<_>>()[..] else {
        panic!("{token}")
    };
    let read = |part: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    let signed = format!("{head}.{claims}");
    (
        signed,
        read(head),
        read(claims),
        URL_SAFE_NO_PAD.decode(signature).unwrap(),
    )
}

#[test]
fn certificates_sign_in_either_form() {
    let folder = tempfile::tempdir().unwrap();
    if pair(folder.path()).is_none() {
        return;
    }
    let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
    let pem = [read("key.pem"), read("cert.pem")].concat();
    let of_pem = CertificateAssertion::new(&pem, "", "client", "aud".into()).unwrap();
    let of_pfx =
        CertificateAssertion::new(&read("both.pfx"), "word", "client", "aud".into()).unwrap();
    assert_eq!(of_pem.thumbprint, of_pfx.thumbprint);
    assert_eq!(of_pem.key.n(), of_pfx.key.n());
    let (signed, head, claims, signature) = parts(&of_pfx.signed(1000).unwrap());
    assert_eq!(head["alg"], "RS256");
    assert_eq!(head["x5t"], of_pem.thumbprint.as_str());
    assert_eq!(claims["aud"], "aud");
    assert_eq!(claims["iss"], "client");
    assert_eq!(claims["exp"], 1000 + LIFETIME);
    let key = RsaPublicKey::from(&of_pem.key);
    let digest = Sha256::digest(signed.as_bytes());
    key.verify(Pkcs1v15Sign::new::<Sha256>(), &digest, &signature)
        .unwrap();
    assert!(!format!("{of_pem:?}").contains("key"));
}

#[test]
fn what_is_no_certificate_is_told() {
    for (bytes, password) in [
        (&b"hello"[..], ""),
        (
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "",
        ),
    ] {
        assert!(CertificateAssertion::new(bytes, password, "c", "a".into()).is_err());
    }
}
