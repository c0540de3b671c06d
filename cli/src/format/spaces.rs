//! Which neighbours have a space between them.

use super::tokens::{Kind, Token};

/// The tokens with the spaces between them.
pub(super) fn write(tokens: &[Token<'_>], out: &mut String) {
    for (i, token) in tokens.iter().enumerate() {
        if i > 0 && between(i.checked_sub(2).map(|b| &tokens[b]), &tokens[i - 1], token) {
            out.push(' ');
        }
        out.push_str(token.text);
    }
}

/// How many columns that takes.
pub(super) fn width(tokens: &[Token<'_>]) -> usize {
    let mut text = String::new();
    write(tokens, &mut text);
    // Of a heredoc only the first line stands beside others.
    text.lines().next().unwrap_or("").chars().count()
}

/// Whether a space stands between `left` and `right`; `before` is what stands before `left`.
fn between(before: Option<&Token<'_>>, left: &Token<'_>, right: &Token<'_>) -> bool {
    let sign = |t: &Token<'_>| match t.kind {
        Kind::Punctuation => t.text.to_owned(),
        _ => String::new(),
    };
    let (l, r) = (sign(left), sign(right));
    match (l.as_str(), r.as_str()) {
        (_, "," | "." | "...") | ("." | "!", _) => false,
        ("::", _) | (_, "::") => false,
        // A sign of a number, not a difference.
        ("-", _) if before.is_none_or(|b| !ends_value(b)) => false,
        ("{", "}") => false,
        ("{", _) | (_, "}") => true,
        ("(" | "[", _) | (_, ")" | "]") => false,
        // A call and an index stand close; a group and a list do not.
        (_, "(" | "[") => !ends_value(left),
        ("*", _) if before.is_some_and(|b| b.text == ".") => false,
        _ => true,
    }
}

/// Whether an operator may follow.
fn ends_value(token: &Token<'_>) -> bool {
    match token.kind {
        Kind::Word => !is_keyword(token),
        Kind::String | Kind::Heredoc => true,
        Kind::Punctuation => matches!(token.text, ")" | "]" | "}" | "*"),
        Kind::Comment | Kind::Newline => false,
    }
}

fn is_keyword(token: &Token<'_>) -> bool {
    token.kind == Kind::Word && matches!(token.text, "for" | "in" | "if")
}
