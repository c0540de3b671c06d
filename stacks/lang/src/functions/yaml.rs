//! YAML, as Terraform's functions read and write it.

use super::{FunctionError, Outcome, time};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use saphyr_parser::{Event, Parser, ScalarStyle, StrInput, Tag};
use std::{collections::BTreeMap, str::FromStr, sync::Arc};
use weir_core::{Entries, Kind, Number, Type, Value, convert::convert};

/// The width at which the writer folds quoted text.
const WIDTH: usize = 80;

/// A value as a YAML document.
pub(super) fn encode(value: &Value) -> String {
    let mut writer = Writer { out: String::new() };
    writer.value(value, 0, Position::Top);
    // A plain scalar could go on, unless the document is said to end.
    if matches!(
        value.kind(),
        Kind::Null(_) | Kind::Bool(_) | Kind::Number(_)
    ) {
        writer.out.push_str("...\n");
    }
    writer.out
}

struct Writer {
    out: String,
}

/// Where a value stands: that decides where a block collection starts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Position {
    Top,
    /// After `key:`.
    Entry,
    /// After `- `.
    Item,
}

impl Writer {
    fn value(&mut self, value: &Value, indent: usize, position: Position) {
        match value.kind() {
            Kind::List(..) | Kind::Set(..) | Kind::Tuple(_) => {
                self.sequence(value, indent, position)
            }
            Kind::Map(_, entries) | Kind::Object(entries) => {
                self.mapping(entries, indent, position)
            }
            scalar => {
                if position == Position::Entry {
                    self.out.push(' ');
                }
                self.scalar(scalar, indent);
                self.out.push('\n');
            }
        }
    }

    fn sequence(&mut self, value: &Value, indent: usize, position: Position) {
        if value.children().next().is_none() {
            return self.empty("[]", position);
        }
        // A sequence in a mapping is not indented further; one in a sequence starts on its line.
        let indent = if position == Position::Entry {
            self.out.push('\n');
            indent.saturating_sub(2)
        } else {
            indent
        };
        for (i, item) in value.children().enumerate() {
            if i > 0 || position != Position::Item {
                self.indent(indent);
            }
            self.out.push_str("- ");
            self.value(item, indent + 2, Position::Item);
        }
    }

    fn mapping(&mut self, entries: &Entries, indent: usize, position: Position) {
        if entries.is_empty() {
            return self.empty("{}", position);
        }
        if position == Position::Entry {
            self.out.push('\n');
        }
        for (i, (key, value)) in entries.iter().enumerate() {
            if i > 0 || position != Position::Item {
                self.indent(indent);
            }
            self.quoted(key, indent + 2);
            self.out.push(':');
            self.value(value, indent + 2, Position::Entry);
        }
    }

    fn empty(&mut self, brackets: &str, position: Position) {
        if position == Position::Entry {
            self.out.push(' ');
        }
        self.out.push_str(brackets);
        self.out.push('\n');
    }

    fn indent(&mut self, indent: usize) {
        self.out.extend(std::iter::repeat_n(' ', indent));
    }

    fn scalar(&mut self, kind: &Kind, indent: usize) {
        match kind {
            Kind::Bool(b) => self.out.push_str(if *b { "true" } else { "false" }),
            Kind::Number(n) => self.out.push_str(&n.to_string()),
            Kind::String(s) if s.contains('\n') => self.literal(s, indent),
            Kind::String(s) => self.quoted(s, indent),
            _ => self.out.push_str("null"),
        }
    }

    /// A literal block, without the end of its last line.
    fn literal(&mut self, text: &str, indent: usize) {
        self.out.push('|');
        if text.starts_with([' ', '\n']) {
            self.out.push('2');
        }
        let body = text.strip_suffix('\n').unwrap_or(text);
        if !text.ends_with('\n') {
            self.out.push('-');
        } else if body.is_empty() || body.ends_with('\n') {
            self.out.push('+');
        }
        let indent = indent.max(2);
        for line in body.split('\n') {
            self.out.push('\n');
            if !line.is_empty() {
                self.indent(indent);
                self.out.push_str(line);
            }
        }
    }

    /// Text in double quotes, folded at a space past the width.
    fn quoted(&mut self, text: &str, indent: usize) {
        let line_start = self.out.rfind('\n').map_or(0, |i| i + 1);
        let mut column = self.out[line_start..].chars().count() + 1;
        self.out.push('"');
        let chars: Vec<char> = text.chars().collect();
        let mut after_break = false;
        for (i, c) in chars.iter().enumerate() {
            if *c == ' ' {
                let inner = i > 0 && i + 1 < chars.len();
                if inner && column > WIDTH && !after_break {
                    self.out.push('\n');
                    self.indent(indent.max(2));
                    column = indent.max(2);
                    if chars.get(i + 1) == Some(&' ') {
                        self.out.push('\\');
                        column += 1;
                    }
                } else {
                    self.out.push(' ');
                    column += 1;
                }
                after_break = true;
                continue;
            }
            after_break = false;
            let before = self.out.len();
            match c {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\0' => self.out.push_str("\\0"),
                '\u{7}' => self.out.push_str("\\a"),
                '\u{8}' => self.out.push_str("\\b"),
                '\t' => self.out.push_str("\\t"),
                '\r' => self.out.push_str("\\r"),
                '\u{b}' => self.out.push_str("\\v"),
                '\u{c}' => self.out.push_str("\\f"),
                '\u{1b}' => self.out.push_str("\\e"),
                '\u{85}' => self.out.push_str("\\N"),
                '\u{2028}' => self.out.push_str("\\L"),
                '\u{2029}' => self.out.push_str("\\P"),
                c if c.is_control() => self.out.push_str(&format!("\\x{:02X}", u32::from(*c))),
                c => self.out.push(*c),
            }
            column += self.out[before..].chars().count();
        }
        self.out.push('"');
    }
}

/// A YAML document as a value.
pub(super) fn decode(text: &str) -> Outcome {
    let mut reader = Reader {
        parser: Parser::new_from_str(text),
        anchors: BTreeMap::new(),
        nodes: 0,
    };
    reader.document()
}

struct Reader<'t> {
    parser: Parser<'t, StrInput<'t>>,
    /// What has a name, and how many nodes it is.
    anchors: BTreeMap<usize, (Value, usize)>,
    /// How many nodes were read, those behind aliases again for each alias.
    nodes: usize,
}

fn wrong(why: impl std::fmt::Display) -> FunctionError {
    FunctionError::Argument(0, why.to_string())
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Outcome<Event<'t>> {
        match self.parser.next_event() {
            Some(Ok((event, _))) => Ok(event),
            Some(Err(e)) => Err(wrong(e)),
            None => Ok(Event::StreamEnd),
        }
    }

    fn document(&mut self) -> Outcome {
        let value = loop {
            match self.next()? {
                Event::StreamStart | Event::DocumentStart(_) | Event::Nothing => {}
                Event::StreamEnd | Event::DocumentEnd => {
                    return Err(wrong("missing start of document"));
                }
                event => break self.node(event)?,
            }
        };
        loop {
            match self.next()? {
                Event::StreamEnd => return Ok(value),
                Event::DocumentEnd | Event::Nothing => {}
                _ => return Err(wrong("only a single document is allowed")),
            }
        }
    }

    fn node(&mut self, event: Event<'t>) -> Outcome {
        self.nodes += 1;
        let before = self.nodes - 1;
        match event {
            Event::Alias(id) => {
                let (value, nodes) = self
                    .anchors
                    .get(&id)
                    .cloned()
                    .ok_or_else(|| wrong("an alias stands inside what it refers to"))?;
                self.nodes = self.nodes.saturating_add(nodes);
                match self.nodes > crate::eval::MAX_ELEMENTS {
                    true => Err(wrong(format!(
                        "its aliases stand for more than {} values",
                        crate::eval::MAX_ELEMENTS
                    ))),
                    false => Ok(value),
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                if let Some(tag) = tag.as_ref().filter(|t| !t.is_yaml_core_schema()) {
                    return Err(wrong(format!(
                        "unsupported tag {}{}",
                        tag.handle, tag.suffix
                    )));
                }
                let value = match (tag.as_ref().map(|t| t.suffix.as_str()), style) {
                    (Some("str"), _) => Value::string(&*text),
                    (Some("null"), _) if !text.is_empty() => Value::null(),
                    (Some(tag), ScalarStyle::Plain) => tagged(&text, tag)?,
                    (None, ScalarStyle::Plain) => plain(&text)?,
                    _ => Value::string(&*text),
                };
                Ok(self.remember(anchor, value, before))
            }
            Event::SequenceStart(anchor, tag) => {
                of_kind(tag.as_deref(), "seq")?;
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        Event::SequenceEnd => break,
                        event => {
                            let item =
                                stacker::maybe_grow(64 * 1024, 1024 * 1024, || self.node(event))?;
                            items.push(item);
                        }
                    }
                }
                Ok(self.remember(anchor, Value::tuple(items), before))
            }
            Event::MappingStart(anchor, tag) => {
                of_kind(tag.as_deref(), "map")?;
                let value = stacker::maybe_grow(64 * 1024, 1024 * 1024, || self.mapping())?;
                Ok(self.remember(anchor, value, before))
            }
            _ => Err(wrong("unexpected end of the document")),
        }
    }

    fn mapping(&mut self) -> Outcome {
        let mut fields: BTreeMap<Arc<str>, Value> = BTreeMap::new();
        let mut merged: BTreeMap<Arc<str>, Value> = BTreeMap::new();
        loop {
            let event = self.next()?;
            if event == Event::MappingEnd {
                break;
            }
            let merge =
                matches!(&event, Event::Scalar(t, ScalarStyle::Plain, _, None) if t == "<<");
            let key = self.node(event)?;
            let event = self.next()?;
            let value = self.node(event)?;
            if merge {
                let sources = value.elements().unwrap_or_else(|| vec![&value]);
                for source in sources {
                    let entries = source
                        .as_entries()
                        .ok_or_else(|| wrong("a merge needs a mapping"))?;
                    for (k, v) in entries {
                        merged.entry(k.clone()).or_insert_with(|| v.clone());
                    }
                }
                continue;
            }
            let key = convert(&key, &Type::String).ok().filter(|k| !k.is_null());
            let key = key
                .as_ref()
                .and_then(Value::as_str)
                .ok_or_else(|| wrong("only strings can be keys"))?;
            fields.insert(key.into(), value);
        }
        merged.extend(fields);
        Ok(Value::object(merged))
    }

    /// Keeps what has a name; `before` is how many nodes were read before it.
    fn remember(&mut self, anchor: usize, value: Value, before: usize) -> Value {
        if anchor > 0 {
            let nodes = self.nodes - before;
            self.anchors.insert(anchor, (value.clone(), nodes));
        }
        value
    }
}

/// Refuses a tag that says something is another kind of thing.
fn of_kind(tag: Option<&Tag>, kind: &str) -> Outcome<()> {
    match tag {
        Some(tag) if !(tag.is_yaml_core_schema() && tag.suffix == kind) => Err(wrong(format!(
            "can't take {}{} for !!{kind}",
            tag.handle, tag.suffix
        ))),
        _ => Ok(()),
    }
}

fn tagged(text: &str, tag: &str) -> Outcome {
    let value = plain(text)?;
    let fits = match tag {
        "int" | "float" => value.as_number().is_some(),
        "bool" => value.as_bool().is_some(),
        // Whatever stands there.
        "null" => return Ok(Value::null()),
        "timestamp" => time::of_yaml(text).is_some(),
        "binary" => {
            let text: String = text.split_ascii_whitespace().collect();
            STANDARD.decode(&text).map_err(wrong)?;
            return Ok(Value::string(text));
        }
        _ => return Err(wrong(format!("unsupported tag !!{tag}"))),
    };
    if fits {
        Ok(value)
    } else {
        Err(wrong(format!("cannot parse {text:?} as !!{tag}")))
    }
}

/// What text without quotes means.
fn plain(text: &str) -> Outcome {
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::null(),
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Value::bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Value::bool(false)
        }
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" | "-.inf" | "-.Inf" | "-.INF"
        | ".nan" | ".NaN" | ".NAN" => {
            return Err(wrong(
                "floating point values that are not finite are not supported",
            ));
        }
        _ => match number(text) {
            Some(n) => Value::number(n),
            None => match time::of_yaml(text) {
                Some(time) => time.into(),
                None => Value::string(crate::parse::nfc(text)),
            },
        },
    })
}

fn number(text: &str) -> Option<Number> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    for (prefix, base) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            return i64::from_str_radix(digits, base).ok().map(Number::from);
        }
    }
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent_digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    let sound = digits(whole)
        && digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && digits(exponent_digits)
        && !exponent_digits.is_empty();
    let whole = if whole.is_empty() { "0" } else { whole };
    let sign = if text.starts_with('-') { "-" } else { "" };
    sound.then(|| Number::from_str(&format!("{sign}{whole}.{fraction}0e{exponent}")).ok())?
}
