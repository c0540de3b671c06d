//! Digests.

use super::{Function, filesystem, signature::string, text};
use base64::{Engine, engine::general_purpose::STANDARD};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
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
