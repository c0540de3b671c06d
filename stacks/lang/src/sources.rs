//! The text of every file that was read, to point into it.

use std::{collections::BTreeMap, sync::Arc};
use weir_core::{Diagnostic, Span, diag::Snippet};

/// File name to text. Cloning shares the texts.
#[derive(Debug, Clone, Default)]
pub struct Sources(BTreeMap<Arc<str>, Arc<str>>);

/// The most lines of source a snippet carries.
const SNIPPET_LINES: usize = 6;

impl Sources {
    /// None.
    pub fn new() -> Sources {
        Sources::default()
    }

    /// One more file.
    pub fn add(&mut self, file: Arc<str>, text: Arc<str>) {
        self.0.insert(file, text);
    }

    /// The files of others too.
    pub fn extend(&mut self, others: &Sources) {
        let others = others.0.iter();
        self.0.extend(others.map(|(k, v)| (k.clone(), v.clone())));
    }

    /// The text of a file.
    pub fn text(&self, file: &str) -> Option<&Arc<str>> {
        self.0.get(file)
    }

    /// The source a span covers, as written.
    pub fn slice(&self, span: &Span) -> Option<&str> {
        self.text(&span.file)?.get(span.start..span.end)
    }

    /// The diagnostic at a place, with the lines of source there.
    pub fn point(&self, diagnostic: Diagnostic, span: &Span) -> Diagnostic {
        let mut diagnostic = diagnostic.at(span.clone());
        diagnostic.snippet = self.text(&span.file).and_then(|text| snippet(text, span));
        diagnostic
    }
}

/// The lines a span touches, with where the underline goes.
pub fn snippet(text: &str, span: &Span) -> Option<Snippet> {
    let before = text.get(..span.start)?;
    let covered = text.get(span.start..span.end)?;
    let line_start = before.rfind('\n').map_or(0, |i| i + 1);
    // An underline that ends with a line break ends on the line before it.
    let covered = covered.strip_suffix('\n').unwrap_or(covered);
    let end = span.start + covered.len();
    let line_end = text[end..].find('\n').map_or(text.len(), |i| end + i);
    let mut lines: Vec<String> = text[line_start..line_end]
        .split('\n')
        .map(|l| l.strip_suffix('\r').unwrap_or(l).to_owned())
        .collect();
    let last_start = text[..end].rfind('\n').map_or(0, |i| i + 1);
    let mut underline_end = columns(&text[last_start..end]);
    let below = u32::try_from(lines.len().saturating_sub(1)).unwrap_or(u32::MAX);
    let end = (span.line.saturating_add(below), underline_end);
    if lines.len() > SNIPPET_LINES {
        lines.truncate(SNIPPET_LINES);
        underline_end = columns(lines.last()?);
    }
    Some(Snippet {
        first_line: span.line,
        underline_start: span.column,
        underline_end: underline_end.max(if lines.len() == 1 { span.column + 1 } else { 1 }),
        lines,
        end,
        context: context(text, span.start),
    })
}

/// The header of the outermost block that holds the place; a block does not hold its own start. Files are formatted: such a block is
/// opened, and closed, by a line that does not start with a space.
fn context(text: &str, at: usize) -> Option<String> {
    if text[..at].ends_with('\n') || at == 0 {
        return None;
    }
    let line_end = text[at..].find('\n').map_or(text.len(), |i| at + i);
    let mut lines = text[..line_end].lines().rev();
    let own = lines.next()?;
    let outer = |l: &str| l.starts_with(|c: char| c == '_' || c.is_alphabetic());
    let header = match outer(own) {
        true => own,
        false => lines.find(|l| outer(l) || l.starts_with('}'))?,
    };
    let (header, _) = header
        .split_once('{')
        .filter(|(h, _)| outer(h) && !h.contains('='))?;
    let mut words = header.split_whitespace();
    let mut out = words.next()?.to_owned();
    for label in words {
        let label = label.trim_matches('"');
        out.push_str(&format!(" \"{label}\""));
    }
    Some(out)
}

/// The column after the last character of this beginning of a line.
fn columns(text: &str) -> u32 {
    u32::try_from(text.chars().count()).map_or(u32::MAX, |n| n.saturating_add(1))
}
