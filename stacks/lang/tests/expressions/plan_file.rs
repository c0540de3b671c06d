//! What a Terraform plan file says of the values in it: types, unknowns with what is known of them,
//! and which are sensitive. `show -json` says less.

use super::answer::{Answer, Node};
use rmpv::Value as Pack;
use serde_json::{Value as Json, json};
use std::{collections::BTreeMap, io::Read as _, path::Path};
use weir_core::{
    Number, Type,
    json::type_from_json,
    value::{Bound, Refinements},
};

/// The planned `input` of every resource in it, by address.
pub(crate) fn inputs(path: &Path) -> BTreeMap<String, Answer> {
    let mut archive = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    let mut plan = Vec::new();
    let mut file = archive.by_name("tfplan").unwrap();
    file.read_to_end(&mut plan).unwrap();
    let changes = fields(&plan, 3).into_iter();
    changes
        .filter_map(|change| {
            let address = String::from_utf8(fields(change, 13).first()?.to_vec()).unwrap();
            let change = *fields(change, 9).first()?;
            let after = *fields(change, 2).last()?;
            let object = unpack(fields(after, 1).first()?);
            let input = object
                .as_map()?
                .iter()
                .find(|(k, _)| k.as_str() == Some("input"))?;
            let mut sensitive: Vec<String> = fields(change, 4)
                .into_iter()
                .filter_map(sensitive_path)
                .collect();
            sensitive.sort();
            Some((
                address,
                Answer {
                    node: dynamic(&input.1),
                    sensitive,
                },
            ))
        })
        .collect()
}

/// The length-delimited fields of that number in a protobuf message.
fn fields(mut message: &[u8], wanted: u64) -> Vec<&[u8]> {
    let mut found = Vec::new();
    while !message.is_empty() {
        let tag = varint(&mut message);
        match tag & 7 {
            0 => drop(varint(&mut message)),
            2 => {
                let length = usize::try_from(varint(&mut message)).unwrap();
                let (field, rest) = message.split_at(length);
                message = rest;
                if tag >> 3 == wanted {
                    found.push(field);
                }
            }
            other => panic!("wire type {other} in a plan file"),
        }
    }
    found
}

fn varint(message: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = message.split_first().unwrap();
        *message = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    value
}

fn unpack(mut bytes: &[u8]) -> Pack {
    rmpv::decode::read_value(&mut bytes).unwrap()
}

/// The path inside `input`; `None` where it leads elsewhere (`output` has the same marks).
fn sensitive_path(path: &[u8]) -> Option<String> {
    let mut steps = fields(path, 1).into_iter();
    if fields(steps.next()?, 1) != [b"input"] {
        return None;
    }
    let mut text = "$".to_owned();
    for step in steps {
        match (fields(step, 1).first(), fields(step, 2).first()) {
            (Some(name), _) => text.push_str(&format!("[{:?}]", String::from_utf8_lossy(name))),
            (_, Some(key)) => {
                let key = unpack(fields(key, 1).first()?);
                // The key of an element carries its type where that is open.
                let key = match key.as_array() {
                    Some(pair) => pair[1].clone(),
                    None => key,
                };
                match key.as_str() {
                    Some(key) => text.push_str(&format!("[{key:?}]")),
                    None => text.push_str(&format!("[{key}]")),
                }
            }
            _ => return None,
        }
    }
    Some(text)
}

/// A value that brings its type along.
fn dynamic(pack: &Pack) -> Node {
    match pack {
        Pack::Nil => Node {
            ty: json!("dynamic"),
            value: Json::Null,
        },
        Pack::Ext(..) => Node {
            ty: json!("dynamic"),
            value: unknown(pack),
        },
        _ => {
            let pair = pack.as_array().unwrap();
            let ty: Json = serde_json::from_slice(&bytes(&pair[0])).unwrap();
            let value = plain(&pair[1], &type_from_json(&ty).unwrap());
            Node { ty, value }
        }
    }
}

fn bytes(pack: &Pack) -> Vec<u8> {
    match pack {
        Pack::Binary(b) => b.clone(),
        other => other.as_str().unwrap().as_bytes().to_vec(),
    }
}

fn plain(pack: &Pack, ty: &Type) -> Json {
    let each = |of: &dyn Fn(usize) -> Type| -> Json {
        let items = pack.as_array().unwrap().iter().enumerate();
        items.map(|(i, v)| plain(v, &of(i))).collect()
    };
    let entries = |of: &dyn Fn(&str) -> Type| -> Json {
        let entries = pack.as_map().unwrap().iter();
        entries
            .map(|(k, v)| {
                let k = k.as_str().unwrap();
                (k.to_owned(), plain(v, &of(k)))
            })
            .collect()
    };
    match (pack, ty) {
        (Pack::Nil, _) => Json::Null,
        (Pack::Ext(..), _) => unknown(pack),
        (_, Type::Dynamic) => {
            let node = dynamic(pack);
            json!({"(any)": node.ty, "value": node.value})
        }
        (_, Type::Bool) => json!(pack.as_bool().unwrap()),
        (_, Type::Number) => json!({"(number)": number(pack).to_string()}),
        (_, Type::String) => json!(String::from_utf8(bytes(pack)).unwrap()),
        (_, Type::List(of) | Type::Set(of)) => each(&|_| (**of).clone()),
        (_, Type::Tuple(of)) => each(&|i| of[i].clone()),
        (_, Type::Map(of)) => entries(&|_| (**of).clone()),
        (_, Type::Object(of)) => entries(&|k| of[k].ty.clone()),
    }
}

fn number(pack: &Pack) -> Number {
    match pack {
        Pack::Integer(n) => n.to_string().parse().unwrap(),
        Pack::F32(f) => Number::from_f64(f64::from(*f)).unwrap(),
        Pack::F64(f) => Number::from_f64(*f).unwrap_or_else(|| panic!("{f} is no number")),
        text => text.as_str().unwrap().parse().unwrap(),
    }
}

/// What is known of an unknown value.
fn unknown(pack: &Pack) -> Json {
    let Pack::Ext(12, bytes) = pack else {
        return super::answer::unknown(&Refinements::default());
    };
    let mut known = Refinements::default();
    for (key, value) in unpack(bytes).as_map().unwrap() {
        let bound = || {
            let pair = value.as_array().unwrap();
            Bound {
                number: number(&pair[0]),
                inclusive: pair[1].as_bool().unwrap(),
            }
        };
        let length = || usize::try_from(value.as_u64().unwrap()).unwrap();
        match key.as_u64() {
            Some(1) => known.not_null = value.as_bool() == Some(false),
            Some(2) => known.prefix = Some(value.as_str().unwrap().into()),
            Some(3) => known.min = Some(bound()),
            Some(4) => known.max = Some(bound()),
            Some(5) => known.min_len = Some(length()),
            Some(6) => known.max_len = Some(length()),
            _ => {}
        }
    }
    super::answer::unknown(&known)
}
