//! Bodies: attributes and blocks, and where to go on after an error.

use super::{
    MAX_BLOCKS, Parser,
    cursor::{Newlines, Open, Parsed},
};
use crate::ir::{Attribute, Block, Body, ExprKind, Label};
use std::{collections::BTreeSet, sync::Arc};
use weir_core::Diagnostic;

/// Where a body stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    /// In a file: up to the first item that begins here or later.
    File(usize),
    Block,
}

/// What follows the opening brace of a block.
#[derive(PartialEq, Eq)]
enum Layout {
    /// `{ a = 1 }`
    OneLine,
    /// Items on lines of their own.
    Lines,
}

impl Parser<'_> {
    /// All of a file.
    pub(super) fn file(&mut self) -> Body {
        self.body(Within::File(usize::MAX), 0)
    }

    /// The items of a file from here up to the first that begins at `end` or later: about so many
    /// blocks.
    pub(super) fn items_to(&mut self, end: usize, about: usize) -> Body {
        self.body(Within::File(end), about)
    }

    /// Items up to the end of the file, or to the brace that closes the block; room is made for so
    /// many blocks.
    fn body(&mut self, within: Within, blocks: usize) -> Body {
        let start = self.cursor.pos;
        let mut body = Body {
            attributes: Vec::new(),
            blocks: Vec::with_capacity(blocks),
            span: self.cursor.span(start, start),
        };
        let mut names = BTreeSet::new();
        loop {
            self.cursor.blank();
            let ends = match within {
                Within::File(end) => self.cursor.pos >= end,
                Within::Block => self.cursor.at("}"),
            };
            if ends || self.cursor.at_end() {
                break;
            }
            let item_start = self.cursor.pos;
            if let Err(error) = self.item_of(&mut body, &mut names) {
                self.ran_out |= self.cursor.at_end();
                self.diagnostics.push(*error);
                self.recover(item_start);
            }
        }
        body.span = self.cursor.span(start, self.cursor.pos);
        body
    }

    /// One attribute or block, with the end of its line.
    fn item_of(&mut self, body: &mut Body, names: &mut BTreeSet<Arc<str>>) -> Parsed<()> {
        let start = self.cursor.pos;
        let Some(name) = self.cursor.ident() else {
            let mut error = self.cursor.expected("an attribute or a block");
            error.help = match self.cursor.peek() {
                Some('"') => Some("The name of an attribute has no quotes.".into()),
                Some('}') => Some("Remove the brace, or open its block before it.".into()),
                _ => None,
            };
            return Err(error);
        };
        let name = self.word(name);
        let name_end = self.cursor.pos;
        self.cursor.space();
        match self.cursor.byte() {
            Some(b'=') if !self.cursor.at("==") => {
                let attribute = self.attribute(name.clone(), start, name_end)?;
                if names.insert(name) {
                    if body.attributes.is_empty() {
                        // Many blocks have one: room for more is made where there are more.
                        body.attributes.reserve_exact(1);
                    }
                    body.attributes.push(attribute);
                } else {
                    let error = self.redefined(body, &attribute);
                    self.diagnostics.push(error);
                }
            }
            Some(b'{' | b'"') => body.blocks.push(self.block(name, start)?),
            _ if self.cursor.peek_ident().is_some() => body.blocks.push(self.block(name, start)?),
            _ => {
                let mut error = self.cursor.expected(&format!("`=` or `{{` after `{name}`"));
                error.help = Some(format!(
                    "Write `{name} = value` for an attribute, `{name} {{ ... }}` for a block."
                ));
                return Err(error);
            }
        }
        self.cursor.space();
        if self.cursor.at_end() || self.cursor.eat_newline() {
            return Ok(());
        }
        let mut error = self.cursor.expected("a new line");
        error.help = Some("Put each attribute and each block on a line of its own.".into());
        Err(error)
    }

    fn redefined(&self, body: &Body, attribute: &Attribute) -> Diagnostic {
        let name = &attribute.name;
        let error = self.cursor.error(
            format!("`{name}` is set twice in one block"),
            attribute.name_span.clone(),
        );
        let first = body.attribute(name).map_or(0, |a| a.name_span.line);
        (*error)
            .because(format!("It was set on line {first} already."))
            .help("Remove one of them.")
    }

    fn attribute(&mut self, name: Arc<str>, start: usize, end: usize) -> Parsed<Attribute> {
        self.cursor.pos += 1;
        self.cursor.newlines = Newlines::Separate;
        let expr = self.expr()?;
        Ok(Attribute {
            name,
            name_span: self.cursor.span(start, end),
            expr,
            json: None,
        })
    }

    fn block(&mut self, ident: Arc<str>, start: usize) -> Parsed<Block> {
        let mut labels: Vec<Label> = Vec::with_capacity(2);
        let mut header_end = start + ident.len();
        loop {
            self.cursor.space();
            if self.cursor.at("{") {
                break;
            }
            labels.push(self.label(&ident, &labels)?);
            header_end = self.cursor.pos;
        }
        let span = self.cursor.span(start, header_end);
        let brace = self.cursor.pos;
        self.cursor.pos += 1;
        let help = "Close blocks before the next one begins: a `}` is likely missing.";
        let body = self.nested_within(MAX_BLOCKS, help, |p| p.block_body(&ident, brace))?;
        Ok(Block {
            ident,
            labels,
            body,
            span,
        })
    }

    fn label(&mut self, ident: &str, before: &[Label]) -> Parsed<Label> {
        let start = self.cursor.pos;
        if let Some(name) = self.cursor.ident() {
            return Ok((name.into(), self.cursor.span(start, self.cursor.pos)));
        }
        if self.cursor.at("\"") {
            let expr = self.quoted()?;
            return match &*expr.kind {
                ExprKind::Literal(value) => {
                    let text = value.as_str().unwrap_or_default();
                    // The first is a type, as a rule, and others are names.
                    let label = match before {
                        [] => self.word(text),
                        _ => text.into(),
                    };
                    Ok((label, expr.span))
                }
                _ => {
                    let error = self
                        .cursor
                        .error("a label can't hold an interpolation", expr.span);
                    Err(Box::new((*error).because(
                        "Labels are part of an address, which must be known before anything is \
                         evaluated.",
                    ).help("Write the label out; for many such blocks, use `for_each`.")))
                }
            };
        }
        let mut error = self
            .cursor
            .expected(&format!("`{{` to open the block `{ident}`"));
        let here = self.cursor.pos;
        self.cursor.blank();
        if self.cursor.at("{") {
            // Recovery goes on from the brace, and so skips the block.
            error.help = Some(format!("Put `{{` on the same line as `{ident}`."));
            return Err(error);
        }
        self.cursor.pos = here;
        if let [(value, _)] = before {
            error.help = Some(format!(
                "If `{ident}` is an attribute, write `{ident} = \"{value}\"`."
            ));
        }
        Err(error)
    }

    /// What stands after the opening brace at `brace`, up to and with the closing one.
    fn block_body(&mut self, ident: &str, brace: usize) -> Parsed<Body> {
        self.cursor.space();
        let layout = if self.cursor.eat_newline() {
            Layout::Lines
        } else {
            Layout::OneLine
        };
        if layout == Layout::OneLine && !self.cursor.at_end() {
            return self.one_line(brace);
        }
        let body = self.body(Within::Block, 0);
        if self.cursor.eat("}") || self.ran_out {
            return Ok(body);
        }
        // Where an inner block starts no further in than this one, the brace is missing there.
        let indent = self.indent(brace);
        if let Some(inner) = body
            .blocks
            .iter()
            .find(|b| self.indent(b.span.start) <= indent)
        {
            let error = self.cursor.error(
                format!("the block `{ident}` is not closed before this one"),
                inner.span.clone(),
            );
            return Err(Box::new(
                (*error)
                    .because(format!(
                        "It was opened on line {}.",
                        self.cursor.line(brace)
                    ))
                    .help("Add `}` on a line before this one."),
            ));
        }
        let error = self.cursor.error(
            format!("the block `{ident}` is not closed"),
            self.cursor.span(brace, brace + 1),
        );
        Err(Box::new(
            (*error)
                .because("The file ends before its `}`.")
                .help("Add the missing `}`."),
        ))
    }

    fn one_line(&mut self, brace: usize) -> Parsed<Body> {
        // Open while it is read, so that recovery skips to after its brace.
        self.cursor.open.push(Open {
            what: "The block",
            at: brace,
        });
        let start = self.cursor.pos;
        let mut body = Body {
            attributes: Vec::new(),
            blocks: Vec::new(),
            span: self.cursor.span(start, start),
        };
        if !self.cursor.at("}") {
            let Some(name) = self.cursor.ident() else {
                let error = self.cursor.expected("an attribute or `}`");
                return Err(Box::new(
                    (*error).help("Write `NAME = VALUE`, or close the block."),
                ));
            };
            let end = self.cursor.pos;
            self.cursor.space();
            if !self.cursor.at("=") || self.cursor.at("==") {
                let mut error = self.cursor.expected(&format!("`=` after `{name}`"));
                error.help = Some(
                    "A block on one line holds one attribute; start a new line after `{` for more."
                        .into(),
                );
                return Err(error);
            }
            body.attributes
                .push(self.attribute(name.into(), start, end)?);
            self.cursor.space();
        }
        body.span = self.cursor.span(start, self.cursor.pos);
        if self.cursor.eat("}") {
            self.cursor.open.pop();
            return Ok(body);
        }
        let mut error = self.cursor.expected("`}`");
        error.help = Some(
            "A block on one line holds one attribute; start a new line after `{` for more.".into(),
        );
        Err(error)
    }

    /// The width of the space before the line on which `at` stands.
    fn indent(&self, at: usize) -> usize {
        let start = self.cursor.text[..at].rfind('\n').map_or(0, |i| i + 1);
        let line = &self.cursor.text[start..];
        line.len() - line.trim_start_matches([' ', '\t']).len()
    }

    /// Goes to where the next item starts: after the end of a line on which all brackets opened
    /// since `item_start` are closed, or at a line no further in than the item that looks like an
    /// item itself.
    fn recover(&mut self, item_start: usize) {
        let mut depth = self.cursor.open.len();
        self.cursor.open.clear();
        self.cursor.newlines = Newlines::Separate;
        let indent = self.indent(item_start);
        // The error may stand at the start of a line that is the next item.
        if self.cursor.pos > item_start && self.at_line_start() && self.looks_like_item(indent) {
            return;
        }
        let mut in_string = false;
        while let Some(c) = self.cursor.peek() {
            match c {
                '"' => in_string = !in_string,
                '\\' if in_string => self.cursor.pos += 1,
                '{' | '[' | '(' if !in_string => depth += 1,
                '}' if !in_string
                    && depth == 0
                    && self.cursor.pos > item_start
                    && self.at_line_start() =>
                {
                    return;
                }
                '}' | ']' | ')' if !in_string => depth = depth.saturating_sub(1),
                '#' if !in_string => {
                    self.cursor.space();
                    continue;
                }
                '\n' => {
                    in_string = false;
                    self.cursor.pos += 1;
                    if depth == 0 || self.looks_like_item(indent) {
                        return;
                    }
                    continue;
                }
                _ => {}
            }
            self.cursor.pos = (self.cursor.pos + c.len_utf8()).min(self.cursor.text.len());
            while !self.cursor.text.is_char_boundary(self.cursor.pos) {
                self.cursor.pos += 1;
            }
        }
    }

    fn at_line_start(&self) -> bool {
        let before = &self.cursor.text[..self.cursor.pos];
        before.trim_end_matches([' ', '\t']).ends_with('\n')
    }

    /// Whether the line here starts an item, or closes a block, no further in than `indent`.
    fn looks_like_item(&self, indent: usize) -> bool {
        let line = self.cursor.rest().trim_start_matches([' ', '\t']);
        let at = self.cursor.text.len() - line.len();
        if self.indent(at) > indent {
            return false;
        }
        if line.starts_with('}') {
            return self.indent(at) < indent;
        }
        let name = line.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'));
        let Some(name) = name.filter(|n| *n > 0) else {
            return false;
        };
        let after = line[name..].trim_start_matches([' ', '\t']);
        (after.starts_with('=') && !after.starts_with("==")) || after.starts_with(['{', '"'])
    }
}
