//! Text with interpolations and directives: quoted, heredocs, whole files.
//!
//! Text is read into flat tokens first. Trims (`~`) and the dedent of `<<-` work on these, where a
//! line of a heredoc is one token, as Terraform's do; then they become a tree.

use super::{
    Parser,
    cursor::{Newlines, Open, Parsed, nfc},
};
use crate::ir::{Expr, ExprKind, Part, Template, TemplateForm};
use std::sync::Arc;
use weir_core::{Span, Value};

/// A piece of a template, before it is a tree.
enum Token {
    Text(String),
    Interpolation(Expr),
    If(Expr, Span),
    Else(Span),
    EndIf(Span),
    For(ForHead, Span),
    EndFor(Span),
}

/// `for k, v in collection`
struct ForHead {
    key: Option<Arc<str>>,
    value: Arc<str>,
    collection: Expr,
}

/// Where a template ends.
enum End<'a> {
    Quote,
    Marker(&'a str),
    File,
}

impl Parser<'_> {
    /// Text between quotes.
    pub(super) fn quoted(&mut self) -> Parsed<Expr> {
        let start = self.cursor.pos;
        self.cursor.pos += 1;
        if let Some(text) = self.plain() {
            let span = self.cursor.span(start, self.cursor.pos);
            return Ok(Expr::literal(text, span));
        }
        let tokens = self.tokens(&End::Quote, start)?;
        self.finish(tokens, TemplateForm::Quoted, start)
    }

    /// Text up to and with the closing quote, where it stands for itself letter by letter, as most
    /// does.
    fn plain(&mut self) -> Option<Value> {
        let rest = self.cursor.rest();
        let for_itself =
            |b: &u8| matches!(b, b' '..=b'~') && !matches!(b, b'"' | b'\\' | b'$' | b'%');
        let len = rest.bytes().position(|b| !for_itself(&b))?;
        if rest.as_bytes()[len] != b'"' {
            return None;
        }
        let text = Value::string(&rest[..len]);
        self.cursor.pos += len + 1;
        Some(text)
    }

    /// `<<EOT` or `<<-EOT`, up to the line that is `EOT` alone.
    pub(super) fn heredoc(&mut self) -> Parsed<Expr> {
        let start = self.cursor.pos;
        self.cursor.pos += 2;
        let dedented = self.cursor.eat("-");
        let Some(marker) = self.cursor.ident() else {
            let mut error = self.cursor.expected("the word that ends the heredoc");
            error.help =
                Some("Write `<<EOT`, then lines of text, then `EOT` on its own line.".into());
            return Err(error);
        };
        if !self.cursor.eat_newline() {
            return Err(self.cursor.expected_with(
                "a new line after the heredoc's first line",
                "Nothing may follow the word on its line: begin the text on the next.",
            ));
        }
        let mut tokens = self.tokens(&End::Marker(marker), start)?;
        if dedented {
            dedent(&mut tokens);
        }
        self.finish(tokens, TemplateForm::Heredoc, start)
    }

    /// A text that is a template as a whole.
    pub(super) fn bare_template(&mut self) -> Parsed<Expr> {
        let start = self.cursor.pos;
        let tokens = self.tokens(&End::File, start)?;
        self.finish(tokens, TemplateForm::Bare, start)
    }

    fn finish(&mut self, tokens: Vec<Token>, form: TemplateForm, start: usize) -> Parsed<Expr> {
        let span = self.cursor.span(start, self.cursor.pos);
        if tokens.iter().all(|t| matches!(t, Token::Text(_))) {
            let text: String = tokens
                .into_iter()
                .map(|t| match t {
                    Token::Text(text) => text,
                    _ => String::new(),
                })
                .collect();
            return Ok(Expr::literal(Value::string(nfc(&text)), span));
        }
        let mut tokens = tokens.into_iter();
        let (parts, stray) = self.tree(&mut tokens)?;
        if let Some(stray) = stray {
            let (name, span) = stray.end_name();
            let error = self.cursor.error(format!("`{name}` closes nothing"), span);
            return Err(Box::new((*error).help(
                "Remove it, or open what it closes: `%{ if ... }` or `%{ for ... }`.",
            )));
        }
        Ok(Expr::new(
            ExprKind::Template(Template { parts, form }),
            span,
        ))
    }

    /// Reads up to and with the end.
    fn tokens(&mut self, end: &End<'_>, start: usize) -> Parsed<Vec<Token>> {
        let mut tokens = Vec::new();
        let mut trim_next = false;
        let mut line_start = !matches!(end, End::Quote);
        loop {
            if line_start
                && let End::Marker(marker) = end
                && self.eat_marker(marker)
            {
                return Ok(tokens);
            }
            line_start = false;
            match (self.cursor.peek(), end) {
                (None, End::File) => return Ok(tokens),
                (None, End::Marker(marker)) => {
                    let error = self.cursor.error(
                        format!("the heredoc has no line `{marker}` that ends it"),
                        self.cursor.span(start, start + 2),
                    );
                    let last = self.cursor.text.lines().next_back().unwrap_or_default();
                    let help = match last.trim() == *marker {
                        true => format!("Put a line break after `{marker}`, where the file ends."),
                        false => format!("Put `{marker}` alone on the line after the text."),
                    };
                    return Err(Box::new((*error).help(help)));
                }
                (Some('"'), End::Quote) => {
                    self.cursor.pos += 1;
                    return Ok(tokens);
                }
                (None | Some('\n' | '\r'), End::Quote) => return Err(self.unclosed_quote(start)),
                _ => {}
            }
            if self.cursor.at("${") || self.cursor.at("%{") {
                let (token, trims) = self.sequence(tokens.last_mut())?;
                tokens.push(token);
                trim_next = trims;
                continue;
            }
            let mut text = if matches!(end, End::Quote) {
                self.quoted_text()?
            } else {
                let text = self.line_text();
                line_start = text.ends_with('\n');
                text
            };
            if std::mem::take(&mut trim_next) {
                text = text.trim_start().to_owned();
            }
            tokens.push(Token::Text(text));
        }
    }

    fn unclosed_quote(&self, start: usize) -> Box<weir_core::Diagnostic> {
        let error = self.cursor.error(
            "a quoted string is not closed on its line",
            self.cursor.span(start, self.cursor.pos.max(start + 1)),
        );
        Box::new((*error).help(
            "Add the closing quote `\"`. For text over several lines use a heredoc, or write `\\n`.",
        ))
    }

    /// Reads the line that ends a heredoc, up to the end of the word, if it is this one.
    fn eat_marker(&mut self, marker: &str) -> bool {
        // As in Terraform, it is a line: with a line break after it.
        let Some((line, _)) = self.cursor.rest().split_once('\n') else {
            return false;
        };
        if line.trim() != marker {
            return false;
        }
        self.cursor.pos += line.trim_end().len();
        true
    }

    /// Text up to a quote, a sequence or the end of the line, unescaped.
    fn quoted_text(&mut self) -> Parsed<String> {
        let mut text = String::new();
        loop {
            let rest = self.cursor.rest();
            let plain = rest
                .find(['"', '\\', '$', '%', '\n', '\r'])
                .unwrap_or(rest.len());
            text.push_str(&rest[..plain]);
            self.cursor.pos += plain;
            match self.cursor.peek() {
                Some('\\') => text.push(self.escape()?),
                Some(c @ ('$' | '%')) => {
                    if self.cursor.at("${") || self.cursor.at("%{") {
                        return Ok(text);
                    }
                    self.literal_sigil(c, &mut text);
                }
                _ => return Ok(text),
            }
        }
    }

    /// Text up to a sequence, or up to and with the end of the line.
    fn line_text(&mut self) -> String {
        let mut text = String::new();
        loop {
            let rest = self.cursor.rest();
            let plain = rest.find(['$', '%', '\n']).unwrap_or(rest.len());
            text.push_str(&rest[..plain]);
            self.cursor.pos += plain;
            match self.cursor.peek() {
                Some('\n') => {
                    self.cursor.pos += 1;
                    text.push('\n');
                    return text;
                }
                Some(c @ ('$' | '%')) => {
                    if self.cursor.at("${") || self.cursor.at("%{") {
                        return text;
                    }
                    self.literal_sigil(c, &mut text);
                }
                _ => return text,
            }
        }
    }

    /// `$${` is `${` as text; any other `$` is itself.
    fn literal_sigil(&mut self, sigil: char, text: &mut String) {
        text.push(sigil);
        self.cursor.pos += 1;
        let bytes = self.cursor.rest().as_bytes();
        if bytes.first().copied().map(char::from) == Some(sigil) && bytes.get(1) == Some(&b'{') {
            text.push('{');
            self.cursor.pos += 2;
        }
    }

    fn escape(&mut self) -> Parsed<char> {
        let start = self.cursor.pos;
        self.cursor.pos += 1;
        let letter = self.cursor.peek();
        let digits = match letter {
            Some('u') => 4,
            Some('U') => 8,
            _ => 0,
        };
        self.cursor.pos += letter.filter(|c| *c != '\n').map_or(0, char::len_utf8);
        match letter {
            Some('n') => return Ok('\n'),
            Some('r') => return Ok('\r'),
            Some('t') => return Ok('\t'),
            Some('"') => return Ok('"'),
            Some('\\') => return Ok('\\'),
            _ => {}
        }
        let code = self.cursor.rest().get(..digits);
        let code = code.filter(|c| !c.is_empty() && c.bytes().all(|b| b.is_ascii_hexdigit()));
        if let Some(code) = code
            && let Some(c) = u32::from_str_radix(code, 16).ok().and_then(char::from_u32)
        {
            self.cursor.pos += digits;
            return Ok(c);
        }
        let span = self.cursor.span(start, self.cursor.pos);
        let written = &self.cursor.text[start..self.cursor.pos];
        let error = self
            .cursor
            .error(format!("the escape `{written}` is not known"), span);
        Err(Box::new((*error).because(
            "Known are \\n, \\r, \\t, \\\", \\\\, \\u with four hexadecimal digits and \\U with eight.",
        ).help("For a backslash as it is, write `\\\\`.")))
    }

    /// `${...}` or `%{...}`; trims the text before it where it says so, and tells whether the text
    /// after it is to be trimmed.
    fn sequence(&mut self, before: Option<&mut Token>) -> Parsed<(Token, bool)> {
        let start = self.cursor.pos;
        let interpolation = self.cursor.at("${");
        let what = if interpolation {
            "The interpolation"
        } else {
            "The directive"
        };
        self.cursor.open.push(Open { what, at: start });
        let newlines = std::mem::replace(&mut self.cursor.newlines, Newlines::Skip);
        self.cursor.pos += 2;
        if self.cursor.eat("~")
            && let Some(Token::Text(text)) = before
        {
            text.truncate(text.trim_end().len());
        }
        self.cursor.space();
        let mut token = if interpolation {
            Token::Interpolation(self.expr()?)
        } else {
            self.directive(start)?
        };
        self.cursor.space();
        let trims = self.cursor.eat("~");
        if !self.cursor.eat("}") {
            return Err(self.cursor.expected_with("`}`", "Close the interpolation with `}`; for the two characters `${` themselves, write `$${`."));
        }
        let span = self.cursor.span(start, self.cursor.pos);
        match &mut token {
            Token::If(_, s)
            | Token::Else(s)
            | Token::EndIf(s)
            | Token::For(_, s)
            | Token::EndFor(s) => *s = span,
            Token::Text(_) | Token::Interpolation(_) => {}
        }
        self.cursor.newlines = newlines;
        self.cursor.open.pop();
        Ok((token, trims))
    }

    /// What stands in `%{...}`; its span is filled in by the caller.
    fn directive(&mut self, start: usize) -> Parsed<Token> {
        let span = self.cursor.span(start, self.cursor.pos);
        let word_at = self.cursor.span_here();
        Ok(match self.cursor.ident() {
            Some("if") => Token::If(self.expr()?, span),
            Some("else") => Token::Else(span),
            Some("endif") => Token::EndIf(span),
            Some("for") => {
                let (key, value) = self.for_names()?;
                let collection = self.expr()?;
                Token::For(
                    ForHead {
                        key,
                        value,
                        collection,
                    },
                    span,
                )
            }
            Some("endfor") => Token::EndFor(span),
            word => {
                let summary = match word {
                    Some(word) => format!("the directive `{word}` is not known"),
                    None => "a directive has no name".into(),
                };
                let error = self.cursor.error(summary, word_at);
                return Err(Box::new(
                    (*error)
                        .because("Known are if, else, endif, for and endfor.")
                        .help("For the characters as they are, write `%%{`."),
                ));
            }
        })
    }

    /// The parts up to the end, or up to a token that ends a directive around them.
    fn tree(
        &mut self,
        tokens: &mut std::vec::IntoIter<Token>,
    ) -> Parsed<(Vec<Part>, Option<Token>)> {
        self.nested(|p| {
            let mut parts = Vec::new();
            while let Some(token) = tokens.next() {
                parts.push(match token {
                    Token::Text(text) => Part::Text(nfc(&text)),
                    Token::Interpolation(expr) => Part::Interpolation(expr),
                    Token::If(condition, span) => p.if_part(condition, span, tokens)?,
                    Token::For(
                        ForHead {
                            key,
                            value,
                            collection,
                        },
                        span,
                    ) => {
                        let (body, end) = p.tree(tokens)?;
                        match end {
                            Some(Token::EndFor(_)) => {}
                            end => return Err(p.mismatched("for", "endfor", &span, end)),
                        }
                        Part::For {
                            key,
                            value,
                            collection,
                            body,
                            span,
                        }
                    }
                    end => return Ok((parts, Some(end))),
                });
            }
            Ok((parts, None))
        })
    }

    fn if_part(
        &mut self,
        condition: Expr,
        span: Span,
        tokens: &mut std::vec::IntoIter<Token>,
    ) -> Parsed<Part> {
        let (then, end) = self.tree(tokens)?;
        let (otherwise, end) = match end {
            Some(Token::Else(_)) => self.tree(tokens)?,
            end => (Vec::new(), end),
        };
        match end {
            Some(Token::EndIf(_)) => Ok(Part::If {
                condition,
                then,
                otherwise,
                span,
            }),
            end => Err(self.mismatched("if", "endif", &span, end)),
        }
    }

    fn mismatched(
        &self,
        opened: &str,
        wanted: &str,
        span: &Span,
        end: Option<Token>,
    ) -> Box<weir_core::Diagnostic> {
        let error = match end {
            None => self.cursor.error(
                format!("the directive `{opened}` has no `{wanted}`"),
                span.clone(),
            ),
            Some(end) => {
                let (name, at) = end.end_name();
                let mut error = self
                    .cursor
                    .error(format!("expected `{wanted}`, found `{name}`"), at);
                error.detail =
                    format!("The directive `{opened}` was opened on line {}.", span.line);
                error
            }
        };
        Box::new((*error).help(format!("Close it with `%{{ {wanted} }}`.")))
    }
}

impl Token {
    /// The word and place of a token that ends something.
    fn end_name(self) -> (&'static str, Span) {
        match self {
            Token::Else(span) => ("else", span),
            Token::EndIf(span) => ("endif", span),
            Token::EndFor(span) => ("endfor", span),
            Token::If(_, span) => ("if", span),
            Token::For(_, span) => ("for", span),
            Token::Interpolation(expr) => ("${", expr.span),
            // Text never ends anything; an empty place would point nowhere worse.
            Token::Text(_) => (
                "text",
                Span {
                    file: "".into(),
                    start: 0,
                    end: 0,
                    line: 1,
                    column: 1,
                },
            ),
        }
    }
}

/// Takes away the space all lines have in common. A line that is space alone doesn't count, and a
/// line that starts with a sequence has none.
fn dedent(tokens: &mut [Token]) {
    let mut common = usize::MAX;
    let mut line_start = true;
    let mut adjust = Vec::new();
    for (i, token) in tokens.iter().enumerate() {
        if std::mem::take(&mut line_start) {
            match token {
                Token::Text(text) if text.trim().is_empty() && text.ends_with('\n') => {}
                Token::Text(text) => {
                    let indent = text.chars().take_while(|c| c.is_whitespace()).count();
                    common = common.min(indent);
                    adjust.push(i);
                }
                _ => common = 0,
            }
        }
        line_start = matches!(token, Token::Text(text) if text.ends_with('\n'));
    }
    for i in adjust {
        if let Some(Token::Text(text)) = tokens.get_mut(i) {
            *text = text.chars().skip(common).collect();
        }
    }
}
