//! What went wrong: what, where, why, what next; all of it, then how much it was.

use super::style::{Ink, Paint};
use weir_core::{Diagnostic, Diagnostics, Severity, diag::Snippet};

/// How warnings are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Warnings {
    /// Like errors.
    Full,
    /// One line each (`-compact-warnings`), unless there is an error too.
    Compact,
}

/// All of them, and the count; empty where there is none.
pub(crate) fn render(found: &Diagnostics, warnings: Warnings, paint: Paint) -> String {
    let mut out = String::new();
    let compact = warnings == Warnings::Compact && !found.has_errors();
    for d in &found.0 {
        if compact {
            out.push_str(&paint.ink(Ink::Changed, "Warning: "));
            out.push_str(&sentence(&d.summary));
            if let Some(span) = &d.span {
                out.push_str(&format!(" ({span})"));
            }
            out.push('\n');
        } else {
            out.push_str(&one(d, paint));
            out.push('\n');
        }
    }
    if !found.is_empty() {
        out.push_str(&paint.strong(&count(found)));
        out.push('\n');
    }
    out
}

/// `2 errors, 1 warning`
pub(crate) fn count(found: &Diagnostics) -> String {
    let number = |severity, word: &str| {
        let n = found.0.iter().filter(|d| d.severity == severity).count();
        match n {
            0 => None,
            1 => Some(format!("1 {word}")),
            n => Some(format!("{n} {word}s")),
        }
    };
    let parts = [
        number(Severity::Error, "error"),
        number(Severity::Warning, "warning"),
    ];
    format!(
        "{}.",
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    )
}

/// A summary as a sentence begins: a plain first word gets a capital, a name stays as it is.
pub(crate) fn sentence(summary: &str) -> String {
    let first = summary.split(' ').next().unwrap_or_default();
    let plain = first.chars().all(|c| c.is_ascii_lowercase() || c == '\'') && first != "weir";
    match summary.split_at_checked(1) {
        Some((initial, rest)) if plain => format!("{}{rest}", initial.to_ascii_uppercase()),
        _ => summary.to_owned(),
    }
}

fn one(d: &Diagnostic, paint: Paint) -> String {
    let (word, ink) = match d.severity {
        Severity::Error => ("Error:", Ink::Bad),
        Severity::Warning => ("Warning:", Ink::Changed),
    };
    let summary = sentence(&d.summary);
    let mut out = format!("{} {}\n", paint.ink(ink, word), paint.strong(&summary));
    let width = d.snippet.as_ref().map_or(1, |s| {
        let last = s.first_line as usize + s.lines.len();
        last.saturating_sub(1).to_string().len()
    });
    let gutter = " ".repeat(width);
    match (&d.span, &d.address) {
        (Some(span), _) => {
            out.push_str(&format!("{gutter}{} {span}\n", paint.ink(Ink::Dim, "-->")));
        }
        (None, Some(address)) if !d.summary.contains(&address.to_string()) => {
            out.push_str(&format!(
                "{gutter}{} {address}\n",
                paint.ink(Ink::Dim, "-->")
            ));
        }
        _ => {}
    }
    if let Some(s) = &d.snippet {
        snippet(&mut out, s, width, ink, paint);
    }
    for (name, value) in &d.values {
        out.push_str(&format!(
            "{gutter} {} {name} is {value}\n",
            paint.ink(Ink::Dim, "=")
        ));
    }
    if !d.detail.is_empty() {
        out.push_str(&indented("", &d.detail));
    }
    if let Some(help) = &d.help {
        out.push_str(&indented(
            &format!("{} ", paint.ink(Ink::Good, "help:")),
            help,
        ));
    }
    out
}

/// Text below the summary, each line two columns in.
fn indented(lead: &str, text: &str) -> String {
    let mut out = String::new();
    for (i, line) in text.lines().enumerate() {
        out.push_str(&format!("  {}{line}\n", if i == 0 { lead } else { "" }));
    }
    out
}

fn snippet(out: &mut String, s: &Snippet, width: usize, ink: Ink, paint: Paint) {
    let bar = paint.ink(Ink::Dim, "|");
    out.push_str(&format!("{:width$} {bar}\n", ""));
    let last = s.lines.len().saturating_sub(1);
    for (i, line) in s.lines.iter().enumerate() {
        let number = s.first_line as usize + i;
        // Tabs would move the underline: one column each, as they are counted.
        let line = line.replace('\t', " ");
        let number = paint.ink(Ink::Dim, &format!("{number:width$}"));
        out.push_str(format!("{number} {bar} {line}").trim_end());
        out.push('\n');
        let start = if i == 0 {
            s.underline_start.max(1) as usize
        } else {
            1
        };
        let end = if i == last {
            s.underline_end as usize
        } else {
            line.chars().count() + 1
        };
        // On lines in the middle the underline begins where the text does.
        let blank = line.chars().take_while(|c| c.is_whitespace()).count();
        let start = if i == 0 { start } else { start + blank };
        let carets = end.saturating_sub(start).max(usize::from(i == 0));
        if carets > 0 {
            let carets = paint.ink(ink, &"^".repeat(carets));
            out.push_str(&format!(
                "{:width$} {bar} {}{carets}\n",
                "",
                " ".repeat(start - 1)
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_core::Span;

    fn found() -> Diagnostics {
        let span = Span {
            file: "main.hcl".into(),
            start: 40,
            end: 45,
            line: 9,
            column: 11,
        };
        let mut undefined = Diagnostic::error("there is no variable \"cuont\"")
            .at(span)
            .because("The configuration declares `count` and `port`.")
            .help("Did you mean `var.count`?");
        undefined.snippet = Some(Snippet {
            first_line: 9,
            lines: vec!["  count = var.cuont + var.port".into()],
            underline_start: 11,
            underline_end: 20,
            end: (9, 20),
            context: None,
        });
        undefined.values = vec![("var.port".into(), "8480".into())];
        let mut block = Diagnostic::error("service \"web\" has no pod");
        block.snippet = Some(Snippet {
            first_line: 99,
            lines: vec![
                "service \"web\" {".into(),
                "  cluster = cluster.main".into(),
                "}".into(),
            ],
            underline_start: 1,
            underline_end: 2,
            end: (9, 2),
            context: None,
        });
        block.span = Some(Span {
            file: "web.hcl".into(),
            start: 0,
            end: 9,
            line: 99,
            column: 1,
        });
        let address = "fake_thing.a".parse().expect("an address");
        let failed = Diagnostic::error("the cloud refused")
            .because("Line one.\nLine two.")
            .on(address);
        let warning = Diagnostic::warning("`user` does nothing on a local host");
        Diagnostics(vec![undefined, block, failed, warning])
    }

    #[test]
    fn every_part_is_shown() {
        insta::assert_snapshot!(render(&found(), Warnings::Full, Paint::Plain));
    }

    #[test]
    fn compact_warnings_are_compact_unless_there_is_an_error() {
        let with_error = render(&found(), Warnings::Compact, Paint::Plain);
        assert_eq!(with_error, render(&found(), Warnings::Full, Paint::Plain));
        let only = Diagnostics(found().0.split_off(3));
        insta::assert_snapshot!(render(&only, Warnings::Compact, Paint::Plain), @r"
        Warning: `user` does nothing on a local host
        1 warning.
        ");
    }

    #[test]
    fn a_summary_begins_as_a_sentence_does() {
        let table = [
            ("the plan is stale", "The plan is stale"),
            ("fake_thing.a is refused", "fake_thing.a is refused"),
            ("`count` is null", "`count` is null"),
            ("weir can't listen", "weir can't listen"),
            ("Variable `v` has no value", "Variable `v` has no value"),
            ("écru", "écru"),
            ("", ""),
        ];
        for (given, expected) in table {
            assert_eq!(sentence(given), expected);
        }
    }

    #[test]
    fn nothing_found_says_nothing() {
        assert_eq!(
            render(&Diagnostics::new(), Warnings::Full, Paint::Colored),
            ""
        );
    }
}
