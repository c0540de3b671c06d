//! JSON text to a tree that knows where everything stands.

use super::super::{MAX_NESTING, cursor::Lines};
use std::{str::FromStr, sync::Arc};
use weir_core::{Diagnostic, Number, Span};

/// A JSON file: its text, and where its lines start.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) file: Arc<str>,
    pub(crate) text: Arc<str>,
    lines: Lines,
}

/// A JSON value.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) kind: NodeKind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// What a JSON value is.
#[derive(Debug, Clone)]
pub(crate) enum NodeKind {
    Null,
    Bool(bool),
    Number(Number),
    String(Text),
    Array(Vec<Node>),
    Object(Vec<Member>),
}

/// `"name": value`
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) name: Text,
    pub(crate) value: Node,
}

/// A string without its quotes and escapes.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    pub(crate) value: Arc<str>,
    /// Where its opening quote stands.
    pub(crate) start: usize,
    /// Where its closing quote ends.
    pub(crate) end: usize,
    /// After each escape: how far the value goes, and where the source goes on.
    escapes: Vec<(usize, usize)>,
}

/// The text of a string beside the document it stands in.
#[derive(Clone, Copy)]
pub(crate) struct Quoted<'a> {
    pub(crate) document: &'a Document,
    pub(crate) text: &'a str,
    start: usize,
    escapes: &'a [(usize, usize)],
}

impl Quoted<'_> {
    /// The place in the file of a part of the text.
    pub(crate) fn span(&self, start: usize, end: usize) -> Span {
        self.document.span(self.source(start), self.source(end))
    }

    fn source(&self, at: usize) -> usize {
        let after = self.escapes.partition_point(|(value, _)| *value <= at);
        match after.checked_sub(1).and_then(|i| self.escapes.get(i)) {
            Some((value, source)) => source + (at - value),
            None => self.start + 1 + at,
        }
    }
}

impl Document {
    pub(crate) fn new(file: Arc<str>, text: Arc<str>) -> Document {
        let lines = Lines::of(&text);
        Document { file, text, lines }
    }

    pub(crate) fn span(&self, start: usize, end: usize) -> Span {
        let (line, column) = self.lines.place(&self.text, start);
        Span {
            file: self.file.clone(),
            start,
            end,
            line,
            column,
        }
    }

    pub(crate) fn quoted<'a>(&'a self, text: &'a Text) -> Quoted<'a> {
        Quoted {
            document: self,
            text: &text.value,
            start: text.start,
            escapes: &text.escapes,
        }
    }

    pub(crate) fn error(&self, summary: impl Into<String>, span: Span) -> Diagnostic {
        let mut d = Diagnostic::error(summary);
        d.snippet = crate::sources::snippet(&self.text, &span);
        d.at(span)
    }

    /// The value the file is.
    ///
    /// # Errors
    /// The first place where it is not JSON.
    pub(crate) fn read(&self) -> Result<Node, Box<Diagnostic>> {
        let mut scanner = Scanner {
            document: self,
            pos: if self.text.starts_with('\u{feff}') {
                3
            } else {
                0
            },
            depth: 0,
        };
        let node = scanner.value()?;
        scanner.space();
        if scanner.pos < self.text.len() {
            let mut error = scanner.expected("the end of the file");
            error.detail = "A JSON file holds one value.".into();
            error.help = Some("Remove what follows, or put all of it into one object.".into());
            return Err(error);
        }
        Ok(node)
    }
}

struct Scanner<'a> {
    document: &'a Document,
    pos: usize,
    depth: usize,
}

type Read<T> = Result<T, Box<Diagnostic>>;

impl Scanner<'_> {
    fn rest(&self) -> &str {
        &self.document.text[self.pos..]
    }

    fn byte(&self) -> Option<u8> {
        self.document.text.as_bytes().get(self.pos).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.byte() {
            self.pos += 1;
        }
    }

    /// How far the token here goes.
    fn token(&self) -> usize {
        let word = |c: char| c.is_alphanumeric() || "_-+.".contains(c);
        match self.rest().chars().next() {
            None | Some('\n' | '\r') => 0,
            Some(c) if word(c) => self
                .rest()
                .find(|c| !word(c))
                .unwrap_or_else(|| self.rest().len()),
            Some(c) => c.len_utf8(),
        }
    }

    fn expected(&self, what: &str) -> Box<Diagnostic> {
        let token = self.token();
        let found = match self.byte() {
            None => "the end of the file".to_owned(),
            Some(b'\n' | b'\r') => "the end of the line".to_owned(),
            Some(b'"') => "a string".to_owned(),
            _ => format!("`{}`", &self.rest()[..token]),
        };
        let span = self.document.span(self.pos, self.pos + token);
        let mut error = self
            .document
            .error(format!("expected {what}, found {found}"), span);
        error.help = match self.byte() {
            Some(b'\'') => Some("JSON's strings stand between double quotes.".into()),
            Some(b'/' | b'#') => {
                Some("JSON has no comments; a property named `//` serves as one.".into())
            }
            _ => None,
        };
        Box::new(error)
    }

    fn value(&mut self) -> Read<Node> {
        self.space();
        let start = self.pos;
        let kind = match self.byte() {
            Some(b'{') => self.nested(Scanner::object)?,
            Some(b'[') => self.nested(Scanner::array)?,
            Some(b'"') => NodeKind::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => NodeKind::Number(self.number()?),
            _ => {
                let word = &self.rest()[..self.token()];
                let kind = match word {
                    "null" => NodeKind::Null,
                    "true" => NodeKind::Bool(true),
                    "false" => NodeKind::Bool(false),
                    _ => return Err(self.not_a_value(word)),
                };
                self.pos += word.len();
                kind
            }
        };
        Ok(Node {
            kind,
            start,
            end: self.pos,
        })
    }

    fn not_a_value(&self, word: &str) -> Box<Diagnostic> {
        let mut error = self.expected("a value");
        let named = word.starts_with(|c: char| c.is_alphabetic() || c == '_');
        if named {
            error.help = match word.to_lowercase().as_str() {
                known @ ("true" | "false" | "null") => Some(format!("Did you mean `{known}`?")),
                _ => Some(format!(
                    "Text stands between double quotes, an expression in a template: `\"${{{word}}}\"`."
                )),
            };
        } else if self.byte().is_none() && self.document.text.trim().is_empty() {
            error.help = Some("A file without anything in it is `{}`.".into());
        }
        error
    }

    fn nested(&mut self, f: impl FnOnce(&mut Self) -> Read<NodeKind>) -> Read<NodeKind> {
        if self.depth >= MAX_NESTING {
            let span = self.document.span(self.pos, self.pos + 1);
            let summary = format!("this is nested more than {MAX_NESTING} levels deep");
            let error = self.document.error(summary, span);
            return Err(Box::new(error.help("Move inner parts into `locals`.")));
        }
        self.depth += 1;
        let result = stacker::maybe_grow(64 * 1024, 1024 * 1024, || f(self));
        self.depth -= 1;
        result
    }

    fn array(&mut self) -> Read<NodeKind> {
        let open = self.pos;
        self.pos += 1;
        self.space();
        let mut items = Vec::new();
        if self.byte() == Some(b']') {
            self.pos += 1;
            return Ok(NodeKind::Array(items));
        }
        loop {
            items.push(self.value()?);
            if self.separator(open, b']', "an element")? {
                return Ok(NodeKind::Array(items));
            }
        }
    }

    fn object(&mut self) -> Read<NodeKind> {
        let open = self.pos;
        self.pos += 1;
        self.space();
        let mut members = Vec::new();
        if self.byte() == Some(b'}') {
            self.pos += 1;
            return Ok(NodeKind::Object(members));
        }
        loop {
            self.space();
            if self.byte() != Some(b'"') {
                let mut error = self.expected("the name of a property");
                let word = &self.rest()[..self.token()];
                if word.starts_with(|c: char| c.is_alphabetic() || c == '_') {
                    error.help = Some(format!("Put the name in double quotes: `\"{word}\"`."));
                }
                return Err(self.within(error, open));
            }
            let name = self.string()?;
            self.space();
            if self.byte() != Some(b':') {
                let mut error = self.expected("`:` after the name of a property");
                if self.byte() == Some(b'=') {
                    error.help = Some("JSON writes `\"name\": value`.".into());
                }
                return Err(self.within(error, open));
            }
            self.pos += 1;
            let value = self.value()?;
            members.push(Member { name, value });
            if self.separator(open, b'}', "a property")? {
                return Ok(NodeKind::Object(members));
            }
        }
    }

    /// What stands between two items; `true` at the end.
    fn separator(&mut self, open: usize, close: u8, item: &str) -> Read<bool> {
        self.space();
        let end = char::from(close);
        match self.byte() {
            Some(b) if b == close => {
                self.pos += 1;
                Ok(true)
            }
            Some(b',') => {
                let comma = self.pos;
                self.pos += 1;
                self.space();
                if self.byte() == Some(close) {
                    let span = self.document.span(comma, comma + 1);
                    let error = self
                        .document
                        .error(format!("expected {item} after `,`, found `{end}`"), span);
                    return Err(Box::new(
                        error.help(format!("JSON has no comma before `{end}`: remove it.")),
                    ));
                }
                Ok(false)
            }
            _ => {
                let mut error = self.expected(&format!("`,` or `{end}` after {item}"));
                error.help = Some(match self.byte() {
                    None => format!("Add `{end}` at the end."),
                    Some(_) => format!("Put a `,` after {item}, or `{end}` after the last."),
                });
                Err(self.within(error, open))
            }
        }
    }

    /// Says what is still open where that may be the cause.
    fn within(&self, mut error: Box<Diagnostic>, open: usize) -> Box<Diagnostic> {
        let span = self.document.span(open, open + 1);
        if self.byte().is_none() {
            let bracket = &self.document.text[open..=open];
            error.detail = format!("The `{bracket}` of line {} is not closed.", span.line);
        }
        error
    }

    fn number(&mut self) -> Read<Number> {
        let text = &self.rest()[..self.token()];
        let span = self.document.span(self.pos, self.pos + text.len());
        if !is_json_number(text) {
            let error = self
                .document
                .error(format!("`{text}` is not a number of JSON"), span);
            return Err(Box::new(error.help(
                "A number is digits without a leading zero or `+`, with a fraction or an exponent if need be.",
            )));
        }
        match Number::from_str(text) {
            Ok(number) => {
                self.pos += text.len();
                Ok(number)
            }
            Err(e) => {
                let error = self.document.error(e.to_string(), span);
                Err(Box::new(
                    error.help("Write a number that is nearer to zero or to one."),
                ))
            }
        }
    }

    fn string(&mut self) -> Read<Text> {
        let start = self.pos;
        self.pos += 1;
        let (mut value, mut escapes) = (String::new(), Vec::new());
        loop {
            let rest = self.rest();
            let plain = rest
                .find(|c: char| c == '"' || c == '\\' || c < ' ')
                .unwrap_or(rest.len());
            value.push_str(&rest[..plain]);
            self.pos += plain;
            match self.byte() {
                Some(b'"') => {
                    self.pos += 1;
                    return Ok(Text {
                        value: value.into(),
                        start,
                        end: self.pos,
                        escapes,
                    });
                }
                Some(b'\\') => {
                    value.push(self.escape()?);
                    escapes.push((value.len(), self.pos));
                }
                None | Some(b'\n' | b'\r') => {
                    let span = self.document.span(start, self.pos);
                    let error = self
                        .document
                        .error("a string is not closed on its line", span);
                    return Err(Box::new(error.help(
                        "Add the closing quote `\"`; a line break in a string is written `\\n`.",
                    )));
                }
                Some(other) => {
                    let span = self.document.span(self.pos, self.pos + 1);
                    let error = self
                        .document
                        .error("a string holds a control character", span);
                    return Err(Box::new(
                        error.help(format!("Write it as an escape: `\\u{other:04x}`.")),
                    ));
                }
            }
        }
    }

    fn escape(&mut self) -> Read<char> {
        let start = self.pos;
        let escaped = self.rest()[1..].chars().next();
        self.pos += 1 + escaped.map_or(0, char::len_utf8);
        let wrong = |scanner: &Self, end: usize| {
            let text = scanner.document.text.get(start..end).unwrap_or("\\");
            let error = scanner.document.error(
                format!("`{text}` is not an escape of JSON"),
                scanner.document.span(start, end),
            );
            Box::new(error.help(
                "There are \\\", \\\\, \\/, \\b, \\f, \\n, \\r, \\t and \\u with four digits.",
            ))
        };
        Ok(match escaped {
            Some(c @ ('"' | '\\' | '/')) => c,
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => {
                let Some(first) = self.hex4() else {
                    return Err(wrong(self, self.pos));
                };
                let low = if (0xd800..0xdc00).contains(&first) && self.rest().starts_with("\\u") {
                    let before = self.pos;
                    self.pos += 2;
                    let low = self.hex4().filter(|l| (0xdc00..0xe000).contains(l));
                    if low.is_none() {
                        self.pos = before;
                    }
                    low
                } else {
                    None
                };
                let code = match low {
                    Some(low) => 0x10000 + ((first - 0xd800) << 10) + (low - 0xdc00),
                    None => first,
                };
                // Half a pair stands for nothing, as in every reader of JSON in Go.
                char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            _ => return Err(wrong(self, self.pos)),
        })
    }

    fn hex4(&mut self) -> Option<u32> {
        let digits = self.rest().get(..4)?;
        let all = digits.bytes().all(|b| b.is_ascii_hexdigit());
        let code = u32::from_str_radix(digits, 16).ok().filter(|_| all)?;
        self.pos += 4;
        Some(code)
    }
}

/// Whether the text is a number by JSON's grammar.
fn is_json_number(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(i) => (&text[..i], Some(&text[i + 1..])),
        None => (text, None),
    };
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|e| digits(e.strip_prefix(['+', '-']).unwrap_or(e)))
}
