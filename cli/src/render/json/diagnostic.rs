//! Diagnostics, as `validate -json` has them.

use crate::render::diagnostics::sentence;
use serde_json::{Value as Json, json};
use weir_core::{Diagnostic, Diagnostics, Severity};

/// `validate -json`
pub(crate) fn validation(found: &Diagnostics) -> Json {
    let count = |severity| found.0.iter().filter(|d| d.severity == severity).count();
    json!({
        "format_version": "1.0",
        "valid": !found.has_errors(),
        "error_count": count(Severity::Error),
        "warning_count": count(Severity::Warning),
        "diagnostics": found.0.iter().map(one).collect::<Vec<_>>(),
    })
}

/// One diagnostic.
pub(crate) fn one(d: &Diagnostic) -> Json {
    let detail = match &d.help {
        Some(help) if d.detail.is_empty() => help.clone(),
        Some(help) => format!("{}\n\n{help}", d.detail),
        None => d.detail.clone(),
    };
    let severity = match d.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let mut out =
        json!({ "severity": severity, "summary": sentence(&d.summary), "detail": detail });
    if let Some(address) = &d.address {
        out["address"] = json!(address.to_string());
    }
    if let Some(span) = &d.span {
        let (end_line, end_column) = match &d.snippet {
            Some(s) => s.end,
            None => (span.line, span.column + (span.end - span.start) as u32),
        };
        out["range"] = json!({
            "filename": &*span.file,
            "start": { "line": span.line, "column": span.column, "byte": span.start },
            "end": { "line": end_line, "column": end_column, "byte": span.end },
        });
    }
    if let Some(s) = &d.snippet {
        let code = s.lines.join("\n");
        let (last, above) = s.lines.split_last().map_or(("", &[][..]), |(l, a)| (l, a));
        let before: usize = above.iter().map(|l| l.len() + 1).sum();
        let first = s.lines.first().map_or("", |l| l);
        out["snippet"] = json!({
            "context": s.context,
            "code": code,
            "start_line": s.first_line,
            "highlight_start_offset": bytes(first, s.underline_start),
            "highlight_end_offset": before + bytes(last, s.underline_end),
            "values": values(d),
        });
    }
    out
}

/// The bytes before a column: offsets into the code count bytes, as Terraform's do.
fn bytes(line: &str, column: u32) -> usize {
    let before = column.saturating_sub(1) as usize;
    line.char_indices()
        .nth(before)
        .map_or(line.len(), |(at, _)| at)
}

fn values(d: &Diagnostic) -> Vec<Json> {
    let one = |(name, value): &(String, String)| json!({ "traversal": name, "statement": format!("is {value}") });
    d.values.iter().map(one).collect()
}
