//! Text in other character sets, as base64. Names are those of the IANA registry.

use super::{Function, FunctionError, Outcome, signature::string, text};
use crate::eval::Context;
use base64::{Engine, engine::general_purpose::STANDARD};
use encoding_rs::Encoding;
use weir_core::{Type, Value};

pub(super) fn functions() -> Vec<Function> {
    vec![
        Function::new(
            "textencodebase64",
            [string("string"), string("encoding")],
            encode,
        )
        .gives(Type::String),
        Function::new(
            "textdecodebase64",
            [string("source"), string("encoding")],
            decode,
        )
        .gives(Type::String),
    ]
}

/// A character set.
enum Charset {
    Utf8,
    /// The first 128 characters of Unicode.
    Ascii,
    Utf16 {
        order: ByteOrder,
        mark: Mark,
    },
    /// The first 256 characters of Unicode. Browsers take windows-1252 for it; Go does not.
    Latin1,
    /// One that browsers have as well.
    Web(&'static Encoding),
}

#[derive(Clone, Copy)]
enum ByteOrder {
    Big,
    Little,
}

/// Whether text begins with a mark that tells the byte order.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Written,
    None,
}

impl Charset {
    fn named(name: &str) -> Outcome<Charset> {
        let utf16 = |order, mark| Charset::Utf16 { order, mark };
        Ok(match name.to_ascii_lowercase().as_str() {
            "utf-8" | "utf8" => Charset::Utf8,
            "us-ascii" | "ascii" => Charset::Ascii,
            "utf-16" => utf16(ByteOrder::Big, Mark::Written),
            "utf-16be" => utf16(ByteOrder::Big, Mark::None),
            "utf-16le" => utf16(ByteOrder::Little, Mark::None),
            "iso-8859-1" | "iso_8859-1" | "iso_8859-1:1987" | "latin1" | "l1" | "ibm819"
            | "cp819" => Charset::Latin1,
            _ => Charset::Web(
                Encoding::for_label_no_replacement(name.as_bytes()).ok_or_else(|| {
                    FunctionError::Argument(1, format!("there is no character set {name:?}"))
                })?,
            ),
        })
    }

    fn encode(&self, text: &str) -> Option<Vec<u8>> {
        match self {
            Charset::Utf8 => Some(text.into()),
            Charset::Ascii => text.is_ascii().then(|| text.into()),
            Charset::Utf16 { order, mark } => {
                let mark = (*mark == Mark::Written).then_some(0xfeff);
                let units = mark.into_iter().chain(text.encode_utf16());
                Some(units.flat_map(|u| order.bytes(u)).collect())
            }
            Charset::Latin1 => text.chars().map(|c| u8::try_from(c).ok()).collect(),
            Charset::Web(encoding) => {
                let (bytes, _, unmappable) = encoding.encode(text);
                (!unmappable && !has_c1(text)).then(|| bytes.into_owned())
            }
        }
    }

    fn decode(&self, bytes: &[u8]) -> Option<String> {
        match self {
            Charset::Utf8 => String::from_utf8(bytes.into()).ok(),
            Charset::Ascii => String::from_utf8(bytes.into())
                .ok()
                .filter(|t| t.is_ascii()),
            Charset::Utf16 { order, mark } => {
                let (order, bytes) = match (mark, bytes) {
                    (Mark::Written, [0xff, 0xfe, rest @ ..]) => (ByteOrder::Little, rest),
                    (Mark::Written, [0xfe, 0xff, rest @ ..]) => (ByteOrder::Big, rest),
                    _ => (*order, bytes),
                };
                let pairs = bytes.chunks_exact(2);
                let whole = pairs.remainder().is_empty();
                let units: Vec<u16> = pairs.map(|p| order.unit([p[0], p[1]])).collect();
                String::from_utf16(&units).ok().filter(|_| whole)
            }
            Charset::Latin1 => Some(bytes.iter().map(|b| char::from(*b)).collect()),
            Charset::Web(encoding) => {
                let text = encoding.decode_without_bom_handling_and_without_replacement(bytes)?;
                (!has_c1(&text)).then(|| text.into_owned())
            }
        }
    }
}

/// Browsers give bytes that a character set leaves out a control character; Go refuses them.
fn has_c1(text: &str) -> bool {
    text.chars().any(|c| matches!(c, '\u{80}'..='\u{9f}'))
}

impl ByteOrder {
    fn bytes(self, unit: u16) -> [u8; 2] {
        match self {
            ByteOrder::Big => unit.to_be_bytes(),
            ByteOrder::Little => unit.to_le_bytes(),
        }
    }
    fn unit(self, bytes: [u8; 2]) -> u16 {
        match self {
            ByteOrder::Big => u16::from_be_bytes(bytes),
            ByteOrder::Little => u16::from_le_bytes(bytes),
        }
    }
}

fn encode(args: &[Value], _: &Context) -> Outcome {
    let bytes = Charset::named(text(args, 1))?.encode(text(args, 0));
    let bytes = bytes.ok_or_else(|| {
        FunctionError::Argument(
            0,
            format!("it has characters that {} has not", text(args, 1)),
        )
    })?;
    Ok(STANDARD.encode(bytes).into())
}

fn decode(args: &[Value], _: &Context) -> Outcome {
    let charset = Charset::named(text(args, 1))?;
    // Go's decoder skips line ends.
    let source: String = text(args, 0)
        .chars()
        .filter(|c| !matches!(c, '\n' | '\r'))
        .collect();
    let bytes = STANDARD
        .decode(source)
        .map_err(|e| FunctionError::Argument(0, format!("it is not base64: {e}")))?;
    charset
        .decode(&bytes)
        .map(|text| Value::string(crate::parse::nfc(&text)))
        .ok_or_else(|| FunctionError::Argument(0, format!("it is not {} text", text(args, 1))))
}
