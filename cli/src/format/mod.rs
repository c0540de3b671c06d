//! The canonical form of configuration files: indentation, spaces, aligned `=` and comments.
//!
//! Only the space between tokens changes: what is in strings, heredocs and comments is left as
//! it is, no line is joined or split, and a file formatted twice is the same. The rules are those
//! of `terraform fmt`:
//! 1. the text becomes tokens, the tokens lines ([`mod@tokens`]);
//! 2. each line is indented by the brackets that are open before it;
//! 3. each pair of neighbours has a space between it or not ([`spaces`]);
//! 4. in consecutive lines the `=` stand below each other, and so do comments at the end.

mod spaces;
mod tokens;

use tokens::{Kind, Token, tokens};

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
#[derive(Default)]
struct Line<'t> {
    indent: usize,
    lead: Vec<Token<'t>>,
    assign: Vec<Token<'t>>,
    comment: Option<Token<'t>>,
    /// The column at which `assign` begins, less one; the same for the comment.
    assign_at: usize,
    comment_at: usize,
}

/// The text in canonical form.
///
/// # Errors
/// Where a string, a heredoc or a comment does not end.
pub(crate) fn format(text: &str) -> Result<String, FormatError> {
    let mut lines = split(tokens(text)?);
    indent(&mut lines);
    align(&mut lines);
    let mut out = String::with_capacity(text.len() + 64);
    for line in &lines {
        line.write(&mut out);
        out.push('\n');
    }
    // The last line of a text that ends with a line end is empty.
    out.pop();
    if text.ends_with('\n') || out.is_empty() {
        return Ok(out);
    }
    out.push('\n');
    Ok(out)
}

fn split(tokens: Vec<Token<'_>>) -> Vec<Line<'_>> {
    tokens
        .split(|t| t.kind == Kind::Newline)
        .map(|t| Line::of(t.to_vec()))
        .collect()
}

impl<'t> Line<'t> {
    fn of(mut tokens: Vec<Token<'t>>) -> Line<'t> {
        let mut line = Line::default();
        if tokens.len() > 1 {
            line.comment = tokens.pop_if(|t| t.kind == Kind::Comment);
        }
        let equals = tokens
            .iter()
            .position(|t| t.text == "=" && t.kind == Kind::Punctuation);
        // A value that goes on below is not aligned: its brackets do not close on this line.
        let at = equals.filter(|&i| i > 0 && brackets(&tokens[i..]) == 0);
        line.assign = at.map(|i| tokens.split_off(i)).unwrap_or_default();
        line.lead = tokens;
        line
    }

    /// How many brackets it leaves open (or closes, when negative).
    fn brackets(&self) -> isize {
        brackets(&self.lead) + brackets(&self.assign)
    }

    fn lead_width(&self) -> usize {
        self.indent + spaces::width(&self.lead)
    }

    fn width(&self) -> usize {
        if self.assign.is_empty() {
            return self.lead_width();
        }
        self.assign_at + spaces::width(&self.assign)
    }

    fn write(&self, out: &mut String) {
        if self.lead.is_empty() && self.comment.is_none() {
            return;
        }
        let pad = |out: &mut String, have: usize, want: usize| {
            out.extend(std::iter::repeat_n(' ', want.saturating_sub(have)));
        };
        pad(out, 0, self.indent);
        spaces::write(&self.lead, out);
        if !self.assign.is_empty() {
            pad(out, self.lead_width(), self.assign_at);
            spaces::write(&self.assign, out);
        }
        if let Some(comment) = &self.comment {
            pad(out, self.width(), self.comment_at);
            out.push_str(comment.text);
        }
    }
}

fn brackets(tokens: &[Token<'_>]) -> isize {
    let change = |t: &Token<'_>| match (t.kind, t.text) {
        (Kind::Punctuation, "{" | "[" | "(") => 1,
        (Kind::Punctuation, "}" | "]" | ")") => -1,
        _ => 0,
    };
    tokens.iter().map(change).sum()
}

/// Two columns for every line that left brackets open, until as many are closed.
fn indent(lines: &mut [Line<'_>]) {
    let mut open: Vec<isize> = Vec::new();
    for line in lines {
        let net = line.brackets();
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
        line.indent = 2 * open.len();
        if net > 0 {
            open.push(net);
        }
    }
}

fn align(lines: &mut [Line<'_>]) {
    runs(
        lines,
        |l| !l.assign.is_empty(),
        |run| {
            let at = run.iter().map(|l| l.lead_width()).max().unwrap_or(0) + 1;
            run.iter_mut().for_each(|l| l.assign_at = at);
        },
    );
    runs(
        lines,
        |l| l.comment.is_some(),
        |run| {
            let at = run.iter().map(|l| l.width()).max().unwrap_or(0) + 1;
            run.iter_mut().for_each(|l| l.comment_at = at);
        },
    );
}

/// Every longest run of consecutive lines that have it.
fn runs<'t>(
    lines: &mut [Line<'t>],
    has: impl Fn(&Line<'t>) -> bool,
    mut each: impl FnMut(&mut [Line<'t>]),
) {
    for run in lines.chunk_by_mut(|a, b| has(a) == has(b)) {
        if run.first().is_some_and(&has) {
            each(run);
        }
    }
}

#[cfg(test)]
mod tests;
