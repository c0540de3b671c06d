//! Characters of one file, with places, space and comments.

use super::json::Quoted;
use std::{
    cell::Cell,
    sync::{Arc, OnceLock},
};
use unicode_ident::{is_xid_continue, is_xid_start};
use unicode_normalization::{UnicodeNormalization, is_nfc};
use weir_core::{Diagnostic, Span};

/// A syntax error, on its way to where parsing can go on.
pub(super) type Parsed<T> = Result<T, Box<Diagnostic>>;

/// Whether a line end separates, or is space like any other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Newlines {
    /// It ends an attribute or an item.
    Separate,
    /// It is skipped, as between parentheses.
    Skip,
}

/// A bracket that is open.
#[derive(Debug, Clone)]
pub(super) struct Open {
    /// What it is in words: `The list`.
    pub(super) what: &'static str,
    /// Where it stands.
    pub(super) at: usize,
}

/// The text and how far it has been read.
pub(super) struct Cursor<'a> {
    pub(super) text: &'a str,
    pub(super) pos: usize,
    pub(super) newlines: Newlines,
    /// Brackets open inside the current attribute or header, innermost last.
    pub(super) open: Vec<Open>,
    file: Arc<str>,
    lines: SharedLines,
    /// The line that was asked for last, counted from 0: the next is near.
    line: Cell<usize>,
    /// Where the text was written between the quotes of a JSON file, whose places are meant.
    quoted: Option<Quoted<'a>>,
}

/// Lines of a file, found when somebody asks: whoever reads portions of the file shares them.
pub(super) type SharedLines = Arc<OnceLock<Lines>>;

/// Where lines start, and whether each is ASCII (then a column is a subtraction).
#[derive(Debug)]
pub(super) struct Lines(Vec<(usize, bool)>);

impl<'a> Cursor<'a> {
    pub(super) fn new(file: Arc<str>, text: &'a str) -> Cursor<'a> {
        // A byte order mark is not part of the language, and offsets are those of the file.
        let pos = if text.starts_with('\u{feff}') { 3 } else { 0 };
        Cursor {
            text,
            pos,
            newlines: Newlines::Separate,
            open: Vec::new(),
            file,
            lines: SharedLines::default(),
            line: Cell::new(0),
            quoted: None,
        }
    }

    /// From the middle of a file on.
    pub(super) fn portion(file: Arc<str>, text: &'a str, at: usize, lines: SharedLines) -> Self {
        let whole = Cursor::new(file, text);
        Cursor {
            pos: whole.pos.max(at),
            lines,
            ..whole
        }
    }

    /// Over text that a JSON file holds; its places are those of the file.
    pub(super) fn quoted(quoted: Quoted<'a>) -> Cursor<'a> {
        Cursor {
            pos: 0,
            quoted: Some(quoted),
            ..Cursor::new(quoted.document.file.clone(), quoted.text)
        }
    }

    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.pos..]
    }
    pub(super) fn peek(&self) -> Option<char> {
        let first = *self.text.as_bytes().get(self.pos)?;
        if first < 0x80 {
            Some(char::from(first))
        } else {
            self.rest().chars().next()
        }
    }
    pub(super) fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.pos).copied()
    }
    pub(super) fn at(&self, text: &str) -> bool {
        self.text.as_bytes()[self.pos..].starts_with(text.as_bytes())
    }
    pub(super) fn at_end(&self) -> bool {
        self.pos >= self.text.len()
    }
    /// Reads `text` if it stands here.
    pub(super) fn eat(&mut self, text: &str) -> bool {
        let found = self.at(text);
        if found {
            self.pos += text.len();
        }
        found
    }

    /// Skips spaces and comments, and line ends where they don't separate.
    pub(super) fn space(&mut self) {
        loop {
            match self.byte() {
                Some(b' ' | b'\t') => self.pos += 1,
                Some(b'\r') if self.at("\r\n") && self.newlines == Newlines::Separate => return,
                Some(b'\r') => self.pos += 1,
                Some(b'\n') if self.newlines == Newlines::Skip => self.pos += 1,
                Some(b'#') => self.skip_line(),
                Some(b'/') if self.at("//") => self.skip_line(),
                Some(b'/') if self.at("/*") => {
                    let end = self.rest()[2..]
                        .find("*/")
                        .map_or(self.text.len(), |i| self.pos + i + 4);
                    self.pos = end;
                }
                _ => return,
            }
        }
    }
    /// Skips spaces, comments and line ends.
    pub(super) fn blank(&mut self) {
        let before = std::mem::replace(&mut self.newlines, Newlines::Skip);
        self.space();
        self.newlines = before;
    }
    fn skip_line(&mut self) {
        self.pos = self
            .rest()
            .find('\n')
            .map_or(self.text.len(), |i| self.pos + i);
        if self.text[..self.pos].ends_with('\r') && !self.at_end() {
            self.pos -= 1;
        }
    }
    /// Reads a line end if one stands here.
    pub(super) fn eat_newline(&mut self) -> bool {
        self.eat("\n") || self.eat("\r\n")
    }

    /// Reads a name: a letter or `_`, then letters, digits, `_` and `-`.
    pub(super) fn ident(&mut self) -> Option<&'a str> {
        let rest = self.rest();
        let first = rest.chars().next()?;
        if !is_ident_start(first) {
            return None;
        }
        let len = rest
            .find(|c: char| !is_ident_continue(c))
            .unwrap_or(rest.len());
        self.pos += len;
        Some(&rest[..len])
    }
    /// The name that stands here, without reading it.
    pub(super) fn peek_ident(&self) -> Option<&'a str> {
        let rest = self.rest();
        rest.chars().next().filter(|c| is_ident_start(*c))?;
        let len = rest
            .find(|c: char| !is_ident_continue(c))
            .unwrap_or(rest.len());
        Some(&rest[..len])
    }

    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        if let Some(quoted) = &self.quoted {
            return quoted.span(start, end);
        }
        let (line, column) = self.place(start);
        Span {
            file: self.file.clone(),
            start,
            end,
            line,
            column,
        }
    }
    /// The place of what stands here, as far as the token goes.
    pub(super) fn span_here(&self) -> Span {
        let len = match self.peek() {
            None | Some('\n' | '\r') => 0,
            Some(c) if is_ident_start(c) => self.peek_ident().map_or(1, str::len),
            Some(c) => c.len_utf8(),
        };
        self.span(self.pos, self.pos + len)
    }
    pub(super) fn line(&self, at: usize) -> u32 {
        self.place(at).0
    }
    fn place(&self, at: usize) -> (u32, u32) {
        if let Some(quoted) = &self.quoted {
            let span = quoted.span(at, at);
            return (span.line, span.column);
        }
        let lines = self.lines.get_or_init(|| Lines::of(self.text));
        let line = lines.line(at, self.line.get());
        self.line.set(line);
        lines.place_on(line, self.text, at)
    }

    /// What stands here, in words.
    pub(super) fn found(&self) -> String {
        match self.peek() {
            None => "the end of the file".into(),
            Some('\n' | '\r') => "the end of the line".into(),
            Some('"') => "a quoted string".into(),
            Some(c) if is_ident_start(c) => {
                format!("the name `{}`", self.peek_ident().unwrap_or(""))
            }
            Some(c) if c.is_ascii_digit() => "a number".into(),
            Some(c) => format!("`{c}`"),
        }
    }

    /// An error at a place.
    pub(super) fn error(&self, summary: impl Into<String>, span: Span) -> Box<Diagnostic> {
        let mut diagnostic = Diagnostic::error(summary);
        let text = self.quoted.map_or(self.text, |q| &q.document.text);
        diagnostic.snippet = crate::sources::snippet(text, &span);
        Box::new(diagnostic.at(span))
    }
    /// As [`Cursor::expected`], with the next step.
    pub(super) fn expected_with(&self, what: &str, help: &str) -> Box<Diagnostic> {
        Box::new((*self.expected(what)).help(help))
    }
    /// An error here: something else was expected.
    pub(super) fn expected(&self, what: &str) -> Box<Diagnostic> {
        let mut error = self.error(
            format!("expected {what}, found {}", self.found()),
            self.span_here(),
        );
        // What is still open matters where it may be the cause: on an earlier line, or at the end.
        if let Some(open) = self.open.last()
            && (self.at_end() || self.line(open.at) < self.line(self.pos))
        {
            let line = self.line(open.at);
            error.detail = format!("{} opened on line {line} is not closed.", open.what);
        }
        error
    }
}

impl Lines {
    pub(super) fn of(text: &str) -> Lines {
        let ends = memchr::memchr_iter(b'\n', text.as_bytes());
        let mut lines = Vec::with_capacity(ends.clone().count() + 1);
        let mut start = 0;
        for end in ends.map(|at| at + 1) {
            lines.push((start, text[start..end].is_ascii()));
            start = end;
        }
        if start < text.len() || start > 0 {
            lines.push((start, text[start..].is_ascii()));
        }
        Lines(lines)
    }

    /// The line of a place, counted from 0. It is found at once where it is this one, or the next.
    fn line(&self, at: usize, near: usize) -> usize {
        let has = |line: &usize| {
            let starts = |line: usize| self.0.get(line).is_none_or(|(start, _)| at < *start);
            !starts(*line) && starts(line + 1)
        };
        [near, near + 1].into_iter().find(has).unwrap_or_else(|| {
            let before = self.0.partition_point(|(start, _)| *start <= at);
            before.saturating_sub(1)
        })
    }

    /// Line and column, counted from 1, of a place in the text.
    pub(super) fn place(&self, text: &str, at: usize) -> (u32, u32) {
        self.place_on(self.line(at, 0), text, at)
    }

    fn place_on(&self, line: usize, text: &str, at: usize) -> (u32, u32) {
        let (start, ascii) = self.0.get(line).copied().unwrap_or((0, true));
        let before = text.get(start..at).unwrap_or("");
        let column = if ascii {
            before.len()
        } else {
            before.chars().count()
        };
        (clamp(line), clamp(column))
    }
}

/// A line or column from 0, counted from 1.
fn clamp(n: usize) -> u32 {
    u32::try_from(n).map_or(u32::MAX, |n| n.saturating_add(1))
}

pub(super) fn is_ident_start(c: char) -> bool {
    c == '_' || is_xid_start(c)
}
fn is_ident_continue(c: char) -> bool {
    c == '-' || is_xid_continue(c)
}

/// The text in Unicode normal form C, as all strings of the language are.
pub(crate) fn nfc(text: &str) -> Arc<str> {
    if text.is_ascii() || is_nfc(text) {
        text.into()
    } else {
        text.nfc().collect::<String>().into()
    }
}
