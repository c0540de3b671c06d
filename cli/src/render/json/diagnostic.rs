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
            Some(s) => (
                s.first_line + (s.lines.len() as u32).saturating_sub(1),
                s.underline_end,
            ),
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
        let before: usize = s
            .lines
            .iter()
            .rev()
            .skip(1)
            .map(|l| l.chars().count() + 1)
            .sum();
        out["snippet"] = json!({
            "context": null,
            "code": code,
            "start_line": s.first_line,
            "highlight_start_offset": s.underline_start.saturating_sub(1),
            "highlight_end_offset": before as u32 + s.underline_end.saturating_sub(1),
            "values": values(d),
        });
    }
    out
}

fn values(d: &Diagnostic) -> Vec<Json> {
    let one = |(name, value): &(String, String)| json!({ "traversal": name, "statement": format!("is {value}") });
    d.values.iter().map(one).collect()
}
