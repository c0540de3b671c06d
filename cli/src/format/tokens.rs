//! Text to tokens, as HCL's own scanner cuts it: the pieces of a template are tokens of their own,
//! and a comment to the end of a line includes that end.

use super::FormatError;
use std::borrow::Cow;
use unicode_ident::{is_xid_continue, is_xid_start};

/// A piece of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token<'t> {
    pub(super) kind: Kind,
    pub(super) text: Cow<'t, str>,
    /// Where it starts in the text; one that was put in stands where its neighbour does.
    pub(super) at: usize,
    /// How many spaces stand before it.
    pub(super) spaces: usize,
}

/// What a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name or a keyword.
    Name,
    /// A number.
    Number,
    /// The quote that opens a string.
    QuoteOpen,
    /// The quote that closes one.
    QuoteClose,
    /// `<<EOT` with its line end.
    HeredocOpen,
    /// `EOT`, without its line end.
    HeredocClose,
    /// Text in a string or a heredoc.
    Literal,
    /// `${`
    Interpolation,
    /// `%{`
    Directive,
    /// The `}` of the two.
    SequenceEnd,
    /// `# ...` and `// ...` with the line end, `/* ... */`
    Comment,
    /// An operator, a bracket, a comma, ...
    Sign,
    /// The end of a line.
    Newline,
}

impl Token<'_> {
    /// Whether it is this sign.
    pub(super) fn is(&self, sign: &str) -> bool {
        self.kind == Kind::Sign && self.text == sign
    }

    /// Whether the line ends with it.
    pub(super) fn ends_line(&self) -> bool {
        match self.kind {
            Kind::Newline => true,
            Kind::Comment => self.text.ends_with('\n'),
            _ => false,
        }
    }

    /// How many brackets it opens (or closes, when negative).
    pub(super) fn brackets(&self) -> isize {
        match (self.kind, &*self.text) {
            (Kind::Interpolation | Kind::Directive, _) | (Kind::Sign, "{" | "[" | "(") => 1,
            (Kind::SequenceEnd, _) | (Kind::Sign, "}" | "]" | ")") => -1,
            _ => 0,
        }
    }
}

const LONG: [&str; 9] = ["...", "=>", "==", "!=", ">=", "<=", "&&", "||", "::"];

/// What is being read.
enum Mode<'t> {
    /// An expression, with this many braces open in it.
    Code { braces: usize },
    /// A string.
    Quoted,
    /// A heredoc with this marker.
    Heredoc(&'t str),
}

/// All tokens of a text.
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, FormatError> {
    let start = if text.starts_with('\u{feff}') { 3 } else { 0 };
    let mut scan = Scan {
        text,
        at: start,
        end_of_last: start,
        out: Vec::new(),
        modes: vec![Mode::Code { braces: 0 }],
    };
    while scan.at < text.len() {
        match scan.modes.last() {
            Some(Mode::Quoted) => scan.quoted()?,
            Some(Mode::Heredoc(marker)) => {
                let marker = *marker;
                scan.heredoc(marker);
            }
            _ => scan.code()?,
        }
    }
    let unclosed = match scan.modes.last() {
        Some(Mode::Quoted) => Some("the string does not end"),
        Some(Mode::Heredoc(_)) => Some("the heredoc does not end"),
        _ if scan.modes.len() > 1 => Some("the template does not end"),
        _ => None,
    };
    match unclosed {
        Some(cause) => Err(scan.error(cause)),
        None => Ok(scan.out),
    }
}

struct Scan<'t> {
    text: &'t str,
    at: usize,
    end_of_last: usize,
    out: Vec<Token<'t>>,
    modes: Vec<Mode<'t>>,
}

impl<'t> Scan<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn error(&self, cause: &'static str) -> FormatError {
        let line = self.text[..self.at].matches('\n').count() + 1;
        FormatError { line, cause }
    }

    fn push(&mut self, kind: Kind, len: usize) {
        if len == 0 {
            return;
        }
        let end = self.at + len;
        self.out.push(Token {
            kind,
            text: Cow::Borrowed(&self.text[self.at..end]),
            at: self.at,
            spaces: self.at - self.end_of_last,
        });
        self.at = end;
        self.end_of_last = end;
    }

    fn code(&mut self) -> Result<(), FormatError> {
        let rest = self.rest();
        let Some(c) = rest.chars().next() else {
            return Ok(());
        };
        match c {
            ' ' | '\t' => self.at += 1,
            '\n' => self.push(Kind::Newline, 1),
            '\r' if rest.starts_with("\r\n") => self.push(Kind::Newline, 2),
            '"' => {
                self.push(Kind::QuoteOpen, 1);
                self.modes.push(Mode::Quoted);
            }
            '#' => self.push(Kind::Comment, with_line_end(rest)),
            '/' if rest.starts_with("//") => self.push(Kind::Comment, with_line_end(rest)),
            '/' if rest.starts_with("/*") => {
                let end = rest[2..]
                    .find("*/")
                    .ok_or_else(|| self.error("the comment does not end"))?;
                self.push(Kind::Comment, end + 4);
            }
            '<' if let Some((marker, len)) = heredoc_marker(rest) => {
                self.push(Kind::HeredocOpen, len);
                self.modes.push(Mode::Heredoc(marker));
            }
            '~' if rest.starts_with("~}") && self.in_sequence() => {
                self.push(Kind::SequenceEnd, 2);
                self.modes.pop();
            }
            '}' if self.in_sequence() => {
                self.push(Kind::SequenceEnd, 1);
                self.modes.pop();
            }
            '{' | '}' => {
                self.push(Kind::Sign, 1);
                if let Some(Mode::Code { braces }) = self.modes.last_mut() {
                    *braces = if c == '{' {
                        *braces + 1
                    } else {
                        braces.saturating_sub(1)
                    };
                }
            }
            c if c.is_ascii_digit() => self.push(Kind::Number, number(rest)),
            c if c == '_' || is_xid_start(c) => self.push(Kind::Name, name(rest)),
            c => {
                let long = LONG.iter().find(|l| rest.starts_with(**l));
                self.push(Kind::Sign, long.map_or(c.len_utf8(), |l| l.len()));
            }
        }
        Ok(())
    }

    /// Whether a `}` would close a `${` or a `%{`.
    fn in_sequence(&self) -> bool {
        self.modes.len() > 1 && matches!(self.modes.last(), Some(Mode::Code { braces: 0 }))
    }

    /// Opens the `${` or `%{` that stands here.
    fn sequence(&mut self) {
        let rest = self.rest();
        let kind = match rest.starts_with('$') {
            true => Kind::Interpolation,
            false => Kind::Directive,
        };
        let trims = rest[2..].starts_with('~');
        self.push(kind, 2 + usize::from(trims));
        self.modes.push(Mode::Code { braces: 0 });
    }

    fn quoted(&mut self) -> Result<(), FormatError> {
        let rest = self.rest();
        let mut len = 0;
        while let Some(c) = rest[len..].chars().next() {
            match c {
                '"' => {
                    self.push(Kind::Literal, len);
                    self.push(Kind::QuoteClose, 1);
                    self.modes.pop();
                    return Ok(());
                }
                '\n' => return Err(self.error("the string does not end")),
                '\\' => len += 1 + rest[len + 1..].chars().next().map_or(0, char::len_utf8),
                _ if opens(&rest[len..]) => {
                    self.push(Kind::Literal, len);
                    self.sequence();
                    return Ok(());
                }
                c => len += plain(&rest[len..], c),
            }
        }
        self.at = self.text.len();
        Err(self.error("the string does not end"))
    }

    /// Text up to the next sequence or to the end of the heredoc. Its end is looked for at the
    /// start of a line alone.
    fn heredoc(&mut self, marker: &'t str) {
        let rest = self.rest();
        let mut len = 0;
        let mut line_start = self.text[..self.at].ends_with('\n');
        while len < rest.len() {
            let line_end = rest[len..].find('\n').map_or(rest.len(), |i| len + i);
            if std::mem::take(&mut line_start) && rest[len..line_end].trim() == marker {
                self.push(Kind::Literal, len);
                let line = self.rest();
                let line = &line[..line.find('\n').unwrap_or(line.len())];
                self.push(Kind::HeredocClose, line.trim_end_matches('\r').len());
                self.modes.pop();
                return;
            }
            while len <= line_end && len < rest.len() {
                if opens(&rest[len..]) {
                    self.push(Kind::Literal, len);
                    self.sequence();
                    return;
                }
                // `len` stands before a character: every step is one long, or more.
                len += rest[len..]
                    .chars()
                    .next()
                    .map_or(1, |c| plain(&rest[len..], c));
            }
            line_start = true;
        }
        self.at = self.text.len();
    }
}

/// Whether `${` or `%{` stands here.
fn opens(rest: &str) -> bool {
    rest.starts_with("${") || rest.starts_with("%{")
}

/// How long the text `c` stands for is: `$${` is no sequence.
fn plain(rest: &str, c: char) -> usize {
    match rest.starts_with("$${") || rest.starts_with("%%{") {
        true => 3,
        false => c.len_utf8(),
    }
}

fn name(rest: &str) -> usize {
    rest.find(|c: char| !(is_xid_continue(c) || c == '-'))
        .unwrap_or(rest.len())
}

/// Digits, fractions and exponents; a point at the end is not part of it.
fn number(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let digit = |i: usize| bytes.get(i).is_some_and(u8::is_ascii_digit);
    let (mut at, mut end) = (0, 0);
    loop {
        at += match bytes.get(at) {
            Some(b) if b.is_ascii_digit() => 1,
            Some(b'.') => {
                at += 1;
                continue;
            }
            Some(b'e' | b'E') if digit(at + 1) => 2,
            Some(b'e' | b'E')
                if matches!(bytes.get(at + 1), Some(b'+' | b'-')) && digit(at + 2) =>
            {
                3
            }
            _ => return end,
        };
        end = at;
    }
}

fn with_line_end(rest: &str) -> usize {
    rest.find('\n').map_or(rest.len(), |i| i + 1)
}

/// The marker of the heredoc that begins here, and how long its opening is with the line end.
fn heredoc_marker(rest: &str) -> Option<(&str, usize)> {
    let tail = rest.strip_prefix("<<")?;
    let tail = tail.strip_prefix('-').unwrap_or(tail);
    if !tail.starts_with(|c: char| c == '_' || is_xid_start(c)) {
        return None;
    }
    let (marker, after) = tail.split_at(name(tail));
    let after = after
        .strip_prefix('\r')
        .unwrap_or(after)
        .strip_prefix('\n')?;
    Some((marker, rest.len() - after.len()))
}
