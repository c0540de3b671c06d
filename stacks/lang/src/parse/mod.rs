//! Text to IR: a recursive-descent parser of HCL's native syntax.
//!
//! It reads characters directly, since what a character means depends on where it stands (a
//! template holds expressions, which hold templates). Operators are gathered into flat chains and
//! the stack grows as it must, so that the length of an expression has no limit and its depth a
//! generous one.
//!
//! 1. `body` reads attributes and blocks, and finds the next one after an error;
//! 2. `expr` reads expressions;
//! 3. `template` reads quoted text and heredocs: tokens, then trims and dedent, then a tree.
//!
//! `json` reads HCL's JSON syntax to the same IR; `files` reads many files at the same time.

mod body;
mod cursor;
mod expr;
mod files;
pub(crate) mod json;
mod template;

pub(crate) use cursor::nfc;
pub(crate) use files::{Text, parse_files};

use crate::ir::{Body, Expr};
use cursor::{Cursor, Newlines};
use std::{collections::VecDeque, sync::Arc};
use weir_core::{Diagnostic, Diagnostics};

/// How deep brackets, conditionals and templates may nest.
pub const MAX_NESTING: usize = 20_000;

/// How deep blocks may nest. No schema comes near it, and whatever goes through blocks goes down
/// the stack with them.
pub const MAX_BLOCKS: usize = 500;

/// Parses a file's text into a body. Never panics; after an error it goes on with the next
/// attribute or block, so that one run reports as many as it can. What is returned beside errors
/// is what could be read.
pub fn parse_body(file: Arc<str>, text: &Arc<str>) -> (Body, Diagnostics) {
    let mut parser = Parser::new(file, text);
    let body = parser.file();
    (body, parser.diagnostics)
}

/// Parses a file by its name: `*.json` is HCL's JSON syntax, all else its native syntax.
pub fn parse_file(file: Arc<str>, text: &Arc<str>) -> (Body, Diagnostics) {
    if file.ends_with(".json") {
        json::parse_body(file, text)
    } else {
        parse_body(file, text)
    }
}

/// Parses a file of tests by its name.
pub fn parse_tests(file: Arc<str>, text: &Arc<str>) -> (Body, Diagnostics) {
    if file.ends_with(".json") {
        json::parse_tests(file, text)
    } else {
        parse_body(file, text)
    }
}

/// Parses a file of mocks of tests by its name.
pub fn parse_mocks(file: Arc<str>, text: &Arc<str>) -> (Body, Diagnostics) {
    if file.ends_with(".json") {
        json::parse_mocks(file, text)
    } else {
        parse_body(file, text)
    }
}

/// Parses text that is one expression, such as the value of `-var`.
///
/// # Errors
/// The first syntax error.
pub fn parse_expr(file: Arc<str>, text: &Arc<str>) -> Result<Expr, Box<Diagnostic>> {
    Parser::new(file, text).whole_expr()
}

/// Parses text that is a template as a whole, such as a file for `templatefile`.
///
/// # Errors
/// The first syntax error.
pub fn parse_template(file: Arc<str>, text: &Arc<str>) -> Result<Expr, Box<Diagnostic>> {
    Parser::new(file, text).bare_template()
}

/// The state of parsing one file.
struct Parser<'a> {
    cursor: Cursor<'a>,
    diagnostics: Diagnostics,
    depth: usize,
    /// Whether something that is not closed took the text up to its end: that blocks around it
    /// are not closed either says nothing new.
    ran_out: bool,
    /// Words that came last: the same few begin most blocks and attributes, and are shared.
    words: VecDeque<Arc<str>>,
}

/// So many words are kept in mind.
const WORDS: usize = 8;

impl<'a> Parser<'a> {
    fn new(file: Arc<str>, text: &'a str) -> Parser<'a> {
        Parser::over(Cursor::new(file, text))
    }

    fn over(cursor: Cursor<'a>) -> Parser<'a> {
        Parser {
            cursor,
            diagnostics: Diagnostics::new(),
            depth: 0,
            ran_out: false,
            words: VecDeque::new(),
        }
    }

    /// The word, shared with where it stood before.
    fn word(&mut self, text: &str) -> Arc<str> {
        if let Some(word) = self.words.iter().find(|w| ***w == *text) {
            return word.clone();
        }
        let word: Arc<str> = text.into();
        if self.words.len() == WORDS {
            self.words.pop_front();
        }
        self.words.push_back(word.clone());
        word
    }

    /// One expression, with nothing after it.
    fn whole_expr(&mut self) -> cursor::Parsed<Expr> {
        self.cursor.newlines = Newlines::Skip;
        let expr = self.expr()?;
        self.cursor.space();
        if self.cursor.at_end() {
            Ok(expr)
        } else {
            Err(self.cursor.expected("the end of the expression"))
        }
    }

    /// Runs `f` one level deeper, on a stack with room for it.
    fn nested<T>(&mut self, f: impl FnOnce(&mut Self) -> cursor::Parsed<T>) -> cursor::Parsed<T> {
        self.nested_within(MAX_NESTING, "Move inner parts into `locals`.", f)
    }

    fn nested_within<T>(
        &mut self,
        limit: usize,
        help: &str,
        f: impl FnOnce(&mut Self) -> cursor::Parsed<T>,
    ) -> cursor::Parsed<T> {
        if self.depth >= limit {
            let span = self.cursor.span_here();
            let summary = format!("this is nested more than {limit} levels deep");
            return Err(Box::new((*self.cursor.error(summary, span)).help(help)));
        }
        self.depth += 1;
        let result = stacker::maybe_grow(64 * 1024, 1024 * 1024, || f(self));
        self.depth -= 1;
        result
    }
}
