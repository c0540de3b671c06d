//! What a plan leaves to the apply: times, random identifiers, salted hashes.

#![allow(clippy::unwrap_used)] // helpers of tests

use std::{path::PathBuf, sync::Arc};
use weir_core::{Diagnostic, Type, Value};
use weir_lang::{
    eval::{Context, EvalError, Resolved, Scope, Settled, eval},
    functions::Registry,
    ir::Reference,
    parse,
    sources::Sources,
};

struct Names(Context);

impl Scope for Names {
    fn resolve(&self, reference: &Reference) -> Result<Resolved, EvalError> {
        Err(Diagnostic::error(format!("there is no `{reference}`")).into())
    }
    fn context(&self) -> &Context {
        &self.0
    }
}

impl Names {
    fn new(settled: Option<Settled>) -> Names {
        Names(Context {
            sources: Arc::new(Sources::new()),
            functions: Arc::new(Registry::standard()),
            files: None,
            module_dir: PathBuf::new(),
            root_dir: PathBuf::new(),
            home: None,
            now: Some("2026-01-02T03:04:05Z".into()),
            settled: settled.map(Arc::new),
        })
    }
    fn eval(&self, source: &str) -> Value {
        let expr = parse::parse_expr("test".into(), &source.into()).unwrap();
        eval(&expr, self).unwrap()
    }
    fn text(&self, source: &str) -> String {
        self.eval(source).as_str().unwrap().to_owned()
    }
}

fn applying(seed: u8) -> Names {
    Names::new(Some(Settled::new("2026-01-02T09:09:09Z", [seed; 32])))
}

#[test]
fn a_plan_does_not_know_them_and_knows_that_they_are_text() {
    let plan = Names::new(None);
    for source in ["timestamp()", "uuid()", "bcrypt(\"x\")", "bcrypt(\"x\", 5)"] {
        let value = plan.eval(source);
        assert!(value.is_unknown() && value.ty() == Type::String, "{source}");
        let null = plan.eval(&format!("{source} == null"));
        assert_eq!(null.as_bool(), Some(false), "{source}");
    }
    assert_eq!(plan.text("plantimestamp()"), "2026-01-02T03:04:05Z");
}

#[test]
fn an_apply_has_one_time_and_many_identifiers() {
    let apply = applying(1);
    assert_eq!(apply.text("timestamp()"), "2026-01-02T09:09:09Z");
    assert_eq!(apply.text("plantimestamp()"), "2026-01-02T03:04:05Z");
    let (a, b) = (apply.text("uuid()"), apply.text("uuid()"));
    assert_ne!(a, b);
    let parsed = uuid::Uuid::parse_str(&a).unwrap();
    assert_eq!(parsed.get_version_num(), 4, "{a}");
    assert_ne!(applying(2).text("uuid()"), a, "the seed decides");
    assert_eq!(applying(1).text("uuid()"), a, "and nothing else");
}

#[test]
fn a_password_fits_its_hash_and_no_other() {
    let apply = applying(1);
    let (a, b) = (
        apply.text("bcrypt(\"pass\", 4)"),
        apply.text("bcrypt(\"pass\", 4)"),
    );
    assert!(a.starts_with("$2a$04$") && a.len() == 60, "{a}");
    assert_ne!(a, b, "the salts differ");
    assert!(bcrypt::verify("pass", &a).unwrap() && bcrypt::verify("pass", &b).unwrap());
    assert!(!bcrypt::verify("word", &a).unwrap());
    // A cost that is too low means the usual one, as in Terraform.
    assert!(apply.text("bcrypt(\"p\", 3)").starts_with("$2a$10$"));
}

/// Encrypted by `openssl pkeyutl` for the key that is here in the three forms it may have.
#[test]
fn rsa_keys_decrypt_in_every_form() {
    let plan = Names::new(None);
    let cipher = include_str!("keys/cipher.txt").trim();
    for pem in [
        include_str!("keys/pkcs1.txt"),
        include_str!("keys/pkcs8.txt"),
        include_str!("keys/openssh.txt"),
    ] {
        let source = format!("rsadecrypt({cipher:?}, <<EOT\n{pem}EOT\n)");
        assert_eq!(plan.text(&source), "the password", "{pem}");
        let other = format!(
            "can(rsadecrypt(\"{}\", <<EOT\n{pem}EOT\n))",
            "AAAA".repeat(20)
        );
        assert_eq!(plan.eval(&other).as_bool(), Some(false));
    }
}
