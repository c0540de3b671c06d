//! Values as text of the language, laid out as `terraform fmt` would.

use std::fmt::Write as _;
use unicode_ident::{is_xid_continue, is_xid_start};
use unicode_segmentation::UnicodeSegmentation as _;
use weir_core::{Entries, Kind, Value};

/// A value as an expression.
pub(super) fn expression(value: &Value) -> String {
    let mut lines = Lines::default();
    write(&mut lines, value);
    lines.laid_out()
}

/// Attributes, each with its line end.
pub(super) fn attributes(entries: &Entries) -> String {
    let mut lines = Lines::default();
    for (name, value) in entries {
        lines.text(name);
        assign(&mut lines, value);
        lines.end();
    }
    lines.laid_out()
}

/// Whether the text is a name of the language.
pub(super) fn is_identifier(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c == '_' || is_xid_start(c))
        && chars.all(|c| c == '-' || is_xid_continue(c))
}

fn write(lines: &mut Lines, value: &Value) {
    match value.kind() {
        Kind::Null(_) | Kind::Unknown(..) => lines.text("null"),
        Kind::Bool(b) => lines.text(if *b { "true" } else { "false" }),
        Kind::Number(n) => lines.text(&n.to_string()),
        Kind::String(s) => lines.text(&quoted(s)),
        Kind::List(..) | Kind::Set(..) | Kind::Tuple(_) => {
            lines.open("[");
            for (i, item) in value.children().enumerate() {
                if i > 0 {
                    lines.text(", ");
                }
                write(lines, item);
            }
            lines.close("]");
        }
        Kind::Map(_, entries) | Kind::Object(entries) => {
            lines.open("{");
            for (i, (key, item)) in entries.iter().enumerate() {
                if i == 0 {
                    lines.end();
                }
                match is_identifier(key) {
                    true => lines.text(key),
                    false => lines.text(&quoted(key)),
                }
                assign(lines, item);
                lines.end();
            }
            lines.close("}");
        }
    }
}

fn assign(lines: &mut Lines, value: &Value) {
    lines.last.equals = Some(lines.last.text.len());
    lines.last.opened_before = lines.last.net;
    write(lines, value);
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '$' | '%' if chars.peek() == Some(&'{') => out.extend([c, c]),
            c if printable(c) => out.push(c),
            // Writing to a string does not fail.
            c if c <= '\u{ffff}' => drop(write!(out, "\\u{:04x}", u32::from(c))),
            c => drop(write!(out, "\\U{:08x}", u32::from(c))),
        }
    }
    out.push('"');
    out
}

/// Whether a character has a shape of its own. After a letter, a combining mark has one.
fn printable(c: char) -> bool {
    let mut letter = String::from("a");
    letter.push(c);
    letter.escape_debug().eq(letter.chars())
}

/// One line: its text, where its `=` belongs, and how many brackets it leaves open.
#[derive(Default)]
struct Line {
    text: String,
    equals: Option<usize>,
    net: i64,
    /// Of those, the ones before the `=`.
    opened_before: i64,
}

/// Lines without indentation, then laid out.
#[derive(Default)]
struct Lines {
    done: Vec<Line>,
    last: Line,
}

impl Lines {
    fn text(&mut self, text: &str) {
        self.last.text.push_str(text);
    }
    fn open(&mut self, bracket: &str) {
        self.text(bracket);
        self.last.net += 1;
    }
    fn close(&mut self, bracket: &str) {
        self.text(bracket);
        self.last.net -= 1;
    }
    fn end(&mut self) {
        self.done.push(std::mem::take(&mut self.last));
    }

    /// With indentation, and with the `=` of neighbouring one-line entries aligned.
    fn laid_out(mut self) -> String {
        let ends_with_line = self.last.text.is_empty() && !self.done.is_empty();
        if !ends_with_line {
            self.end();
        }
        let lines = self.done;
        let indents = indents(&lines);
        let mut out = String::new();
        let mut at = 0;
        while at < lines.len() {
            let chain = lines[at..].iter().take_while(|l| l.is_whole()).count();
            let widths = lines[at..at + chain].iter().zip(&indents[at..]);
            let width = widths.map(|(l, indent)| l.key_width() + indent).max();
            for (line, indent) in lines.iter().zip(&indents).skip(at).take(chain.max(1)) {
                line.write(&mut out, *indent, width);
            }
            at += chain.max(1);
        }
        if !ends_with_line {
            out.pop();
        }
        out
    }
}

impl Line {
    /// Whether it is an entry that begins and ends on it.
    fn is_whole(&self) -> bool {
        self.equals.is_some() && self.net == self.opened_before
    }
    fn key_width(&self) -> usize {
        let key = self.equals.and_then(|at| self.text.get(..at));
        key.map_or(0, |key| key.graphemes(true).count())
    }
    fn write(&self, out: &mut String, indent: usize, width: Option<usize>) {
        out.extend(std::iter::repeat_n(' ', indent));
        match self.equals {
            Some(at) => {
                let (key, value) = self.text.split_at(at);
                out.push_str(key);
                let used = indent + self.key_width();
                let space = width.map_or(0, |w| w.saturating_sub(used)) + 1;
                out.extend(std::iter::repeat_n(' ', space));
                out.push_str("= ");
                out.push_str(value);
            }
            None => out.push_str(&self.text),
        }
        out.push('\n');
    }
}

/// The indentation of each line: brackets that a line opens count as one level, and closing some
/// of them leaves the level.
fn indents(lines: &[Line]) -> Vec<usize> {
    let mut open: Vec<i64> = Vec::new();
    let mut out = Vec::with_capacity(lines.len());
    for line in lines {
        let mut closed = -line.net;
        while closed > 0 {
            match open.last_mut() {
                Some(level) if closed < *level => {
                    *level -= closed;
                    closed = 0;
                }
                Some(level) => {
                    closed -= *level;
                    open.pop();
                }
                None => break,
            }
        }
        out.push(2 * open.len());
        if line.net > 0 {
            open.push(line.net);
        }
    }
    out
}
