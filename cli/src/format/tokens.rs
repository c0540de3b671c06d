//! Text to tokens. A string with all its interpolations is one token, and so are a heredoc and a
//! comment: nothing inside them is touched.

use super::FormatError;

/// A piece of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'t> {
    pub(super) kind: Kind,
    pub(super) text: &'t str,
}

/// What a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name, a keyword or a number.
    Word,
    /// `"..."`
    String,
    /// `<<EOT ... EOT`
    Heredoc,
    /// `# ...`, `// ...`, `/* ... */`
    Comment,
    /// An operator, a bracket, a comma, ...
    Punctuation,
    /// The end of a line.
    Newline,
}

const LONG: [&str; 10] = ["...", "=>", "==", "!=", ">=", "<=", "&&", "||", "::", "~}"];

/// All tokens of a text.
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, FormatError> {
    let mut out = Vec::new();
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut line = 1;
    while let Some(c) = rest.chars().next() {
        let error = |cause| FormatError { line, cause };
        let (kind, len) = match c {
            ' ' | '\t' | '\r' => {
                rest = &rest[1..];
                continue;
            }
            '\n' => (Kind::Newline, 1),
            '"' => (
                Kind::String,
                string(rest).ok_or_else(|| error("the string does not end"))?,
            ),
            '#' => (Kind::Comment, to_line_end(rest)),
            '/' if rest.starts_with("//") => (Kind::Comment, to_line_end(rest)),
            '/' if rest.starts_with("/*") => {
                let end = rest
                    .find("*/")
                    .ok_or_else(|| error("the comment does not end"))?;
                (Kind::Comment, end + 2)
            }
            '<' if heredoc_marker(rest).is_some() => {
                let end = heredoc(rest).ok_or_else(|| error("the heredoc does not end"))?;
                (Kind::Heredoc, end)
            }
            c if is_word(c) => (Kind::Word, word(rest)),
            c => {
                let long = LONG.iter().find(|l| rest.starts_with(**l));
                (Kind::Punctuation, long.map_or(c.len_utf8(), |l| l.len()))
            }
        };
        let (token, tail) = rest.split_at(len);
        line += token.matches('\n').count();
        let token = if kind == Kind::Comment {
            token.trim_end()
        } else {
            token
        };
        out.push(Token { kind, text: token });
        rest = tail;
    }
    Ok(out)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Names may hold `-`; numbers a fraction and an exponent.
fn word(rest: &str) -> usize {
    let number = rest.starts_with(|c: char| c.is_ascii_digit());
    let mut end = 0;
    let mut before = ' ';
    for (at, c) in rest.char_indices() {
        let next = rest[at + c.len_utf8()..].chars().next();
        let inside = is_word(c)
            || (c == '-' && !number)
            || (c == '.' && number && next.is_some_and(|c| c.is_ascii_digit()))
            || (matches!(c, '+' | '-') && number && matches!(before, 'e' | 'E'));
        if !inside {
            break;
        }
        before = c;
        end = at + c.len_utf8();
    }
    end
}

fn to_line_end(rest: &str) -> usize {
    rest.find('\n').unwrap_or(rest.len())
}

/// The length of the string at the start, with its quotes.
fn string(rest: &str) -> Option<usize> {
    let mut at = 1;
    loop {
        let tail = rest.get(at..)?;
        let c = tail.chars().next()?;
        match c {
            '"' => return Some(at + 1),
            '\\' => at += 1 + tail[1..].chars().next()?.len_utf8(),
            // `$${` is not an interpolation.
            '$' | '%' if tail[1..].starts_with(c) && tail[2..].starts_with('{') => at += 3,
            '$' | '%' if tail[1..].starts_with('{') => at += interpolation(tail)?,
            '\n' => return None,
            c => at += c.len_utf8(),
        }
    }
}

/// The length of `${ ... }` at the start.
fn interpolation(rest: &str) -> Option<usize> {
    let mut at = 2;
    let mut depth = 1;
    loop {
        let tail = rest.get(at..)?;
        let c = tail.chars().next()?;
        at += match c {
            '"' => string(tail)?,
            '#' => to_line_end(tail),
            '/' if tail.starts_with("/*") => tail.find("*/")? + 2,
            c => c.len_utf8(),
        };
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
}

/// The marker of the heredoc that begins here.
fn heredoc_marker(rest: &str) -> Option<&str> {
    let tail = rest.strip_prefix("<<")?;
    let tail = tail.strip_prefix('-').unwrap_or(tail);
    let marker = &tail[..word(tail)];
    let ended = tail[marker.len()..]
        .trim_start_matches(['\r', ' ', '\t'])
        .starts_with('\n');
    (!marker.is_empty() && ended).then_some(marker)
}

/// The length of the heredoc at the start, with the line of its end marker but not its line end.
fn heredoc(rest: &str) -> Option<usize> {
    let marker = heredoc_marker(rest)?;
    let mut at = rest.find('\n')? + 1;
    loop {
        let line = &rest[at..at + to_line_end(rest.get(at..)?)];
        if line.trim() == marker {
            return Some(at + line.trim_end().len());
        }
        at += line.len() + 1;
        if at > rest.len() {
            return None;
        }
    }
}
