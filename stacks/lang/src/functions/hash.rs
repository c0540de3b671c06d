//! Digests and identifiers made of them.

use super::{Function, FunctionError, Outcome, filesystem, signature::string, text};
use crate::eval::Context;
use base64::{Engine, engine::general_purpose::STANDARD};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use uuid::Uuid;
use weir_core::{Type, Value};

pub(super) fn functions() -> Vec<Function> {
    let of = |name, body| Function::new(name, [string("str")], body).gives(Type::String);
    let of_file = |name, body| Function::new(name, [string("path")], body).gives(Type::String);
    vec![
        of("md5", |a, _| Ok(hex::<Md5>(text(a, 0).as_bytes()))),
        of("sha1", |a, _| Ok(hex::<Sha1>(text(a, 0).as_bytes()))),
        of("sha256", |a, _| Ok(hex::<Sha256>(text(a, 0).as_bytes()))),
        of("sha512", |a, _| Ok(hex::<Sha512>(text(a, 0).as_bytes()))),
        of("base64sha256", |a, _| {
            Ok(base64::<Sha256>(text(a, 0).as_bytes()))
        }),
        of("base64sha512", |a, _| {
            Ok(base64::<Sha512>(text(a, 0).as_bytes()))
        }),
        of_file("filemd5", |a, c| Ok(hex::<Md5>(&filesystem::bytes(a, c)?))),
        of_file("filesha1", |a, c| {
            Ok(hex::<Sha1>(&filesystem::bytes(a, c)?))
        }),
        of_file("filesha256", |a, c| {
            Ok(hex::<Sha256>(&filesystem::bytes(a, c)?))
        }),
        of_file("filesha512", |a, c| {
            Ok(hex::<Sha512>(&filesystem::bytes(a, c)?))
        }),
        of_file("filebase64sha256", |a, c| {
            Ok(base64::<Sha256>(&filesystem::bytes(a, c)?))
        }),
        of_file("filebase64sha512", |a, c| {
            Ok(base64::<Sha512>(&filesystem::bytes(a, c)?))
        }),
        Function::new("uuidv5", [string("namespace"), string("name")], uuidv5).gives(Type::String),
        Function::new("uuid", [], |_, _| {
            Err(FunctionError::call(
                "a random identifier would make every plan differ; derive one with uuidv5 from \
                 names that are stable",
            ))
        })
        .gives(Type::String),
    ]
}

fn hex<D: Digest>(bytes: &[u8]) -> Value {
    let digest = D::digest(bytes);
    Value::string(
        digest
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect::<String>(),
    )
}

fn base64<D: Digest>(bytes: &[u8]) -> Value {
    Value::string(STANDARD.encode(D::digest(bytes)))
}

fn uuidv5(args: &[Value], _: &Context) -> Outcome {
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
