//! Which neighbours have a space between them.

use super::tokens::{Kind, Token};
use std::ops::Range;

/// Sets the spaces before every token of a cell but the first.
pub(super) fn set(tokens: &mut [Token<'_>], cell: Range<usize>) {
    for i in cell.start + 1..cell.end {
        let before = (i > cell.start + 1).then(|| &tokens[i - 2]);
        tokens[i].spaces = usize::from(between(before, &tokens[i - 1], &tokens[i]));
    }
}

/// Whether a space stands between `left` and `right`; `before` is what stands before `left`.
fn between(before: Option<&Token<'_>>, left: &Token<'_>, right: &Token<'_>) -> bool {
    let template = |l: Kind, r: Kind| {
        matches!(l, Kind::Literal | Kind::QuoteOpen | Kind::HeredocOpen)
            || matches!(r, Kind::Literal | Kind::QuoteClose | Kind::HeredocClose)
    };
    let (l, r) = (left.kind, right.kind);
    match (sign(left), sign(right)) {
        _ if r == Kind::Newline => false,
        (_, "(") if l == Kind::Name => false,
        (_, "::") if l == Kind::Name => false,
        ("::", _) if r == Kind::Name => false,
        (".", _) | (_, "." | "," | "...") => false,
        (",", _) => true,
        _ if template(l, r) => false,
        // `in [x]` of a `for` is not an index.
        _ if is_in(left) && before.is_some_and(|b| b.kind == Kind::Name) => true,
        (_, "[") if matches!(l, Kind::Name | Kind::Number) || left.brackets() < 0 => false,
        ("!", _) => false,
        ("-", _) => before.is_some_and(ends_operand),
        ("{", "}") => false,
        ("{", _) | (_, "}") => true,
        // `${ {a = 1} }`: the braces stand apart from those of the sequence.
        (_, "{") if matches!(l, Kind::Interpolation | Kind::Directive) => true,
        ("}", _) if r == Kind::SequenceEnd => true,
        _ if l == Kind::SequenceEnd && matches!(r, Kind::Interpolation | Kind::Directive) => false,
        _ => left.brackets() <= 0 && right.brackets() >= 0,
    }
}

fn sign<'a>(token: &'a Token<'_>) -> &'a str {
    match token.kind {
        Kind::Sign => &token.text,
        _ => "",
    }
}

fn is_in(token: &Token<'_>) -> bool {
    token.kind == Kind::Name && token.text == "in"
}

/// Whether a `-` after it is a difference, and not the sign of a number.
fn ends_operand(token: &Token<'_>) -> bool {
    !matches!(
        sign(token),
        "(" | "{"
            | "["
            | "="
            | ":"
            | ","
            | "?"
            | "+"
            | "*"
            | "/"
            | "%"
            | "-"
            | "=="
            | "!="
            | ">"
            | ">="
            | "<"
            | "<="
            | "&&"
            | "||"
            | "!"
    )
}
