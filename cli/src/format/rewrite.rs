//! What is written in an older way: `"${x}"` becomes `x`, `type = "string"` becomes
//! `type = string`, and labels get quotes.

use super::tokens::{Kind, Token};
use std::{borrow::Cow, collections::BTreeMap, ops::Range};
use weir_lang::ir::{Attribute, Block, Body};

/// The tokens with all that is old replaced.
pub(super) fn rewrite<'t>(tokens: Vec<Token<'t>>, body: &Body) -> Vec<Token<'t>> {
    let mut edits = Edits {
        tokens,
        replaced: BTreeMap::new(),
    };
    edits.body(body, Inside::File);
    edits.apply()
}

/// Which block a body belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    File,
    /// `variable` at the top of the file.
    Variable,
    Block,
}

struct Edits<'t> {
    tokens: Vec<Token<'t>>,
    /// What stands in the place of a range of tokens, by its start.
    replaced: BTreeMap<usize, (usize, Vec<Token<'t>>)>,
}

impl<'t> Edits<'t> {
    fn apply(self) -> Vec<Token<'t>> {
        let mut out = Vec::with_capacity(self.tokens.len());
        let mut replaced = self.replaced.into_iter().peekable();
        let mut skip_to = 0;
        for (i, token) in self.tokens.into_iter().enumerate() {
            if let Some((_, (end, new))) = replaced.next_if(|(start, _)| *start == i) {
                out.extend(new);
                skip_to = end;
            }
            if i >= skip_to {
                out.push(token);
            }
        }
        out
    }

    fn body(&mut self, body: &Body, inside: Inside) {
        for attribute in &body.attributes {
            let Some(range) = self.value(attribute) else {
                continue;
            };
            let new = match inside == Inside::Variable && &*attribute.name == "type" {
                true => type_of(&self.tokens[range.clone()]),
                false => unwrapped(&self.tokens[range.clone()]),
            };
            if let Some(new) = new {
                self.replaced.insert(range.start, (range.end, new));
            }
        }
        for block in &body.blocks {
            self.labels(block);
            let variable = inside == Inside::File && &*block.ident == "variable";
            self.body(
                &block.body,
                if variable {
                    Inside::Variable
                } else {
                    Inside::Block
                },
            );
        }
    }

    /// The first token at this place of the text, or after it.
    fn token_at(&self, at: usize) -> usize {
        self.tokens.partition_point(|t| t.at < at)
    }

    /// The tokens of an attribute's value, where it is one name or one string.
    fn value(&self, attribute: &Attribute) -> Option<Range<usize>> {
        let comment = |t: &Token<'_>| t.kind == Kind::Comment && !t.ends_line();
        let equals = self.token_at(attribute.name_span.end);
        let equals = equals + self.tokens[equals..].iter().position(|t| t.is("="))?;
        let start = equals + 1 + self.tokens[equals + 1..].iter().position(|t| !comment(t))?;
        let end = match self.tokens[start].kind {
            Kind::Name => start + 1,
            Kind::QuoteOpen => start + 1 + closing(&self.tokens[start + 1..])? + 1,
            _ => return None,
        };
        let next = self.tokens[end..].iter().find(|t| !comment(t));
        next.is_none_or(|t| t.ends_line() || t.is("}") || t.kind == Kind::Comment)
            .then_some(start..end)
    }

    /// Every label in quotes, with nothing between them.
    fn labels(&mut self, block: &Block) {
        let (Some(first), Some(last)) = (block.labels.first(), block.labels.last()) else {
            return;
        };
        let start = self.token_at(block.span.start) + 1;
        let end = self.token_at(last.1.end);
        if self.tokens[start..end].iter().all(|t| {
            matches!(t.kind, Kind::QuoteOpen | Kind::Literal | Kind::QuoteClose)
                && !t.text.contains('\\')
        }) {
            return;
        }
        let at = first.1.start;
        let token = |kind, text: Cow<'t, str>| Token {
            kind,
            text,
            at,
            spaces: 0,
        };
        let new = block.labels.iter().flat_map(|(label, _)| {
            [
                token(Kind::QuoteOpen, "\"".into()),
                token(Kind::Literal, escaped(label).into()),
                token(Kind::QuoteClose, "\"".into()),
            ]
        });
        let new = new.filter(|t| !t.text.is_empty()).collect();
        self.replaced.insert(start, (end, new));
    }
}

/// The position of the quote that closes the string these tokens are in.
fn closing(tokens: &[Token<'_>]) -> Option<usize> {
    let mut open = 1;
    tokens.iter().position(|t| {
        match t.kind {
            Kind::QuoteOpen => open += 1,
            Kind::QuoteClose => open -= 1,
            _ => {}
        }
        open == 0
    })
}

/// The text as it stands between quotes.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (i, c) in text.char_indices() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '$' | '%' if text[i + 1..].starts_with('{') => out.extend([c, c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

/// What stands in `"${...}"`, where the string is that alone.
fn unwrapped<'t>(tokens: &[Token<'t>]) -> Option<Vec<Token<'t>>> {
    let [open, interpolation, inside @ .., end, close] = tokens else {
        return None;
    };
    let kinds = [open.kind, interpolation.kind, end.kind, close.kind];
    let wanted = [
        Kind::QuoteOpen,
        Kind::Interpolation,
        Kind::SequenceEnd,
        Kind::QuoteClose,
    ];
    if kinds != wanted || inside.is_empty() {
        return None;
    }
    let (mut quotes, mut heredocs) = (0, 0);
    for token in inside {
        match token.kind {
            Kind::QuoteOpen => quotes += 1,
            Kind::QuoteClose => quotes -= 1,
            Kind::HeredocOpen => heredocs += 1,
            Kind::HeredocClose => heredocs -= 1,
            Kind::Literal if heredocs > 0 => {}
            // Another sequence, or text: the string is more than one value.
            Kind::Interpolation | Kind::SequenceEnd | Kind::Literal if quotes == 0 => return None,
            _ => {}
        }
    }
    let newline = |t: &Token<'_>| t.kind == Kind::Newline;
    let start = inside.iter().position(|t| !newline(t))?;
    let end = inside.iter().rposition(|t| !newline(t))? + 1;
    let inside = &inside[start..end];
    let wrapped =
        inside.first().is_some_and(|t| t.is("(")) && inside.last().is_some_and(|t| t.is(")"));
    if let Some(inner) = unwrapped(inside) {
        return Some(inner);
    }
    // Without the string a line end would end the attribute.
    if wrapped || !ends_early(inside) {
        return Some(inside.to_vec());
    }
    let sign = |text: &'t str, at| Token {
        kind: Kind::Sign,
        text: text.into(),
        at,
        spaces: 0,
    };
    let mut out = vec![sign("(", open.at)];
    out.extend(inside.iter().cloned());
    out.push(sign(")", close.at));
    Some(out)
}

/// Whether a line end is in it that would end the attribute; Terraform takes any for one, but for
/// those of comments, of which only some are.
fn ends_early(tokens: &[Token<'_>]) -> bool {
    let mut depth = 0;
    tokens.iter().enumerate().any(|(i, t)| {
        depth += t.brackets();
        t.kind == Kind::Newline || (t.ends_line() && depth == 0 && i + 1 < tokens.len())
    })
}

/// A type written as Terraform once had it, as it is written now.
fn type_of<'t>(tokens: &[Token<'t>]) -> Option<Vec<Token<'t>>> {
    let new: &[&str] = match tokens {
        [name] => match &*name.text {
            "list" => &["list", "(", "any", ")"],
            "map" => &["map", "(", "any", ")"],
            "set" => &["set", "(", "any", ")"],
            _ => return None,
        },
        [_, literal, _] => match &*literal.text {
            "string" => &["string"],
            "list" => &["list", "(", "string", ")"],
            "map" => &["map", "(", "string", ")"],
            _ => return None,
        },
        _ => return None,
    };
    let token = |text: &&'static str| Token {
        kind: match *text {
            "(" | ")" => Kind::Sign,
            _ => Kind::Name,
        },
        text: Cow::Borrowed(*text),
        at: tokens[0].at,
        spaces: 0,
    };
    Some(new.iter().map(token).collect())
}
