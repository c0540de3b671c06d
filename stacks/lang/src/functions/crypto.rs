//! Passwords, keys, and identifiers nobody can guess.

use super::{
    Function, FunctionError, Outcome, or_unknown,
    signature::{number, string},
    text, whole,
};
use crate::eval::Context;
use base64::{Engine, engine::general_purpose::STANDARD};
use rsa::{
    Pkcs1v15Encrypt, RsaPrivateKey, pkcs1::DecodeRsaPrivateKey as _, pkcs8::DecodePrivateKey as _,
};
use ssh_key::PrivateKey;
use std::ops::RangeInclusive;
use uuid::Uuid;
use weir_core::Type;

/// The costs that bcrypt has; below them, Go takes its default.
const COSTS: RangeInclusive<i64> = 4..=31;
const DEFAULT_COST: u32 = 10;
/// The bytes of a password that bcrypt looks at.
const LONGEST_PASSWORD: usize = 72;

pub(super) fn functions() -> Vec<Function> {
    vec![
        Function::new("bcrypt", [string("str")], bcrypt)
            // Terraform takes several, and wants one at most.
            .rest(number("cost"))
            .gives(Type::String),
        Function::new("uuid", [], |_, c| {
            let id = c.settled.as_ref().map(|s| {
                uuid::Builder::from_random_bytes(s.draw())
                    .into_uuid()
                    .to_string()
            });
            Ok(or_unknown(id))
        })
        .gives(Type::String),
        Function::new("uuidv5", [string("namespace"), string("name")], uuidv5).gives(Type::String),
        Function::new(
            "rsadecrypt",
            [string("ciphertext"), string("privatekey")],
            rsadecrypt,
        )
        .gives(Type::String),
    ]
}

fn bcrypt(args: &[weir_core::Value], context: &Context) -> Outcome {
    if args.len() > 2 {
        return Err(FunctionError::call("it takes no more than two arguments"));
    }
    let cost = match args.get(1) {
        None => DEFAULT_COST,
        Some(_) => match whole(args, 1)? {
            low if low < *COSTS.start() => DEFAULT_COST,
            cost => u32::try_from(cost)
                .ok()
                .filter(|_| COSTS.contains(&cost))
                .ok_or_else(|| {
                    FunctionError::Argument(1, format!("cost {cost} is not within 4 and 31"))
                })?,
        },
    };
    let password = text(args, 0);
    if password.len() > LONGEST_PASSWORD {
        return Err(FunctionError::Argument(
            0,
            format!("a password has at most {LONGEST_PASSWORD} bytes"),
        ));
    }
    let Some(settled) = &context.settled else {
        return Ok(or_unknown(None::<String>));
    };
    let hash = bcrypt::hash_with_salt(password, cost, settled.draw())
        .map_err(|e| FunctionError::call(e.to_string()))?;
    Ok(hash.format_for_version(bcrypt::Version::TwoA).into())
}

fn uuidv5(args: &[weir_core::Value], _: &Context) -> Outcome {
    let namespace = match text(args, 0) {
        "dns" => Uuid::NAMESPACE_DNS,
        "url" => Uuid::NAMESPACE_URL,
        "oid" => Uuid::NAMESPACE_OID,
        "x500" => Uuid::NAMESPACE_X500,
        other => Uuid::parse_str(other).map_err(|e| {
            FunctionError::Argument(
                0,
                format!("{other:?} is neither a UUID nor one of dns, url, oid and x500 ({e})"),
            )
        })?,
    };
    Ok(Uuid::new_v5(&namespace, text(args, 1).as_bytes())
        .to_string()
        .into())
}

fn rsadecrypt(args: &[weir_core::Value], _: &Context) -> Outcome {
    let ciphertext = STANDARD
        .decode(text(args, 0))
        .map_err(|_| FunctionError::Argument(0, "the cipher text must be base64".into()))?;
    let key = private_key(text(args, 1)).ok_or_else(|| {
        FunctionError::Argument(
            1,
            "it must be an RSA private key in PEM that no password protects".into(),
        )
    })?;
    // The cause is kept back: telling it apart is what attacks on this padding live on.
    let plain = key
        .decrypt(Pkcs1v15Encrypt, &ciphertext)
        .map_err(|_| FunctionError::Argument(0, "it is not encrypted for this key".into()))?;
    String::from_utf8(plain)
        .map(Into::into)
        .map_err(|_| FunctionError::Argument(0, "what was encrypted is not UTF-8 text".into()))
}

/// A key as `openssl` writes it, in one form or the other, or as `ssh-keygen` does.
fn private_key(pem: &str) -> Option<RsaPrivateKey> {
    RsaPrivateKey::from_pkcs1_pem(pem)
        .ok()
        .or_else(|| RsaPrivateKey::from_pkcs8_pem(pem).ok())
        .or_else(|| {
            let key = PrivateKey::from_openssh(pem).ok()?;
            RsaPrivateKey::try_from(key.key_data().rsa()?).ok()
        })
}
