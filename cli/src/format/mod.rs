//! The canonical form of configuration files: indentation, spaces, aligned `=` and comments.
//!
//! What is in strings, heredocs and comments is left as it is, no line is joined or split, and a
//! file formatted twice is the same. The rules are those of `terraform fmt`:
//! 1. the text becomes tokens ([`mod@tokens`]);
//! 2. what is written in an older way is brought up to date ([`rewrite`]);
//! 3. the tokens become lines, and each line is indented by the brackets that are open before it;
//! 4. each pair of neighbours has a space between it or not ([`spaces`]);
//! 5. in consecutive lines the `=` stand below each other, and so do comments at the end.
//!
//! In two places it leaves alone what Terraform breaks: a label with `$` in it (which Terraform
//! drops), and a comment in an interpolation that is unwrapped.

mod rewrite;
mod spaces;
mod tokens;

use std::ops::Range;
use tokens::{Kind, Token, tokens};
use unicode_segmentation::UnicodeSegmentation;
use weir_lang::ir::Body;

/// The text can't be formatted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {cause}")]
pub(crate) struct FormatError {
    /// Where.
    pub(crate) line: usize,
    /// Why.
    pub(crate) cause: &'static str,
}

/// A line in three cells: what stands before `=`, from there on, and the comment at the end.
struct Line {
    lead: Range<usize>,
    assign: Range<usize>,
    comment: Range<usize>,
}

/// The text in canonical form; `body` is what the parser read in it.
///
/// # Errors
/// Where a string, a heredoc or a comment does not end.
pub(crate) fn format(text: &str, body: &Body) -> Result<String, FormatError> {
    let read = tokens(text)?;
    // The end of the file is not a line end: the spaces before it stay, as in Terraform.
    let read_to = read.last().map_or(0, |t| t.at + t.text.len());
    let trailing = text
        .trim_start_matches('\u{feff}')
        .len()
        .min(text.len() - read_to);
    let mut tokens = rewrite::rewrite(read, body);
    let lines = lines(&tokens);
    indent(&mut tokens, &lines);
    for line in &lines {
        spaces::set(&mut tokens, line.lead.clone());
        spaces::set(&mut tokens, line.assign.clone());
    }
    align(&mut tokens, &lines);
    let mut out = String::with_capacity(text.len() + 64);
    for token in &tokens {
        out.extend(std::iter::repeat_n(' ', token.spaces));
        out.push_str(&token.text);
    }
    out.extend(std::iter::repeat_n(' ', trailing));
    Ok(out)
}

fn lines(tokens: &[Token<'_>]) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut start = 0;
    for end in 1..=tokens.len() {
        if end == tokens.len() || tokens[end - 1].ends_line() {
            lines.push(line(tokens, start..end));
            start = end;
        }
    }
    lines
}

fn line(tokens: &[Token<'_>], all: Range<usize>) -> Line {
    let mut end = all.end;
    if all.len() > 1 && tokens[end - 1].kind == Kind::Comment {
        end -= 1;
    }
    let equals = (all.start + 1..end).find(|i| tokens[*i].is("="));
    // A value that goes on below is not aligned: its brackets do not close on this line.
    let at = equals
        .filter(|i| brackets(&tokens[*i..end]) == 0)
        .unwrap_or(end);
    Line {
        lead: all.start..at,
        assign: at..end,
        comment: end..all.end,
    }
}

fn brackets(tokens: &[Token<'_>]) -> isize {
    tokens.iter().map(Token::brackets).sum()
}

/// Two columns for every line that left brackets open, until as many are closed.
fn indent(tokens: &mut [Token<'_>], lines: &[Line]) {
    let mut open: Vec<isize> = Vec::new();
    for line in lines {
        let Some(first) = line.lead.clone().next() else {
            continue;
        };
        if tokens[first].kind == Kind::Newline {
            tokens[first].spaces = 0;
            continue;
        }
        // Of a heredoc only what stands before it counts.
        let lead = &tokens[line.lead.clone()];
        let heredoc = lead.iter().position(|t| t.kind == Kind::HeredocOpen);
        let net = brackets(&lead[..heredoc.unwrap_or(lead.len())])
            + brackets(&tokens[line.assign.clone()]);
        let mut closed = -net;
        while closed > 0 {
            match open.last_mut() {
                Some(top) if closed < *top => {
                    *top -= closed;
                    closed = 0;
                }
                Some(top) => {
                    closed -= *top;
                    open.pop();
                }
                None => break,
            }
        }
        tokens[first].spaces = 2 * open.len();
        if net > 0 {
            open.push(net);
        }
    }
}

fn align(tokens: &mut [Token<'_>], lines: &[Line]) {
    for run in runs(lines, |l| !l.assign.is_empty()) {
        let lead = |l: &Line| l.lead.clone();
        column(tokens, run, lead, |l| l.assign.start);
    }
    for run in runs(lines, |l| !l.comment.is_empty()) {
        let code = |l: &Line| l.lead.start..l.assign.end;
        column(tokens, run, code, |l| l.comment.start);
    }
}

/// Puts a token of every line at the same column, one after the widest of what stands before it.
fn column(
    tokens: &mut [Token<'_>],
    run: &[Line],
    before: impl Fn(&Line) -> Range<usize>,
    token: impl Fn(&Line) -> usize,
) {
    let widths: Vec<usize> = run.iter().map(|l| width(&tokens[before(l)])).collect();
    let widest = widths.iter().max().copied().unwrap_or(0);
    for (line, width) in run.iter().zip(widths) {
        tokens[token(line)].spaces = widest - width + 1;
    }
}

/// How many columns the tokens take, with the spaces before them.
fn width(tokens: &[Token<'_>]) -> usize {
    let columns = |t: &Token<'_>| t.spaces + t.text.graphemes(true).count();
    tokens.iter().map(columns).sum()
}

/// Every longest run of consecutive lines that have it.
fn runs(lines: &[Line], has: impl Fn(&Line) -> bool + Copy) -> impl Iterator<Item = &[Line]> {
    lines
        .chunk_by(move |a, b| has(a) == has(b))
        .filter(move |run| run.first().is_some_and(has))
}

#[cfg(test)]
mod tests;
