//! The results of tests as JUnit XML.

use super::{
    diagnostics::{self, Warnings},
    style::Paint,
};
use crate::clock;
use std::fmt::Write as _;
use weir_core::Diagnostics;
use weir_tftest::{FileReport, Report, RunReport, Status};

/// The document: a suite for each file, a case for each run.
pub(crate) fn report(report: &Report) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?><testsuites>\n");
    for (path, file) in &report.files {
        suite(&mut out, path, file);
    }
    out.push_str("</testsuites>\n");
    out
}

fn suite(out: &mut String, path: &str, file: &FileReport) {
    let count = |status| file.runs.iter().filter(|(_, r)| r.status == status).count();
    // Writing to a string does not fail.
    let _ = writeln!(
        out,
        "  <testsuite name=\"{}\" tests=\"{}\" skipped=\"{}\" failures=\"{}\" errors=\"{}\">",
        escaped(path),
        file.runs.len(),
        count(Status::Skip),
        count(Status::Fail),
        count(Status::Error),
    );
    let mut broken: Option<&str> = None;
    for (name, run) in &file.runs {
        case(out, path, name, run, broken);
        if run.status == Status::Error {
            broken = broken.or(Some(name));
        }
    }
    out.push_str("  </testsuite>\n");
}

fn case(out: &mut String, path: &str, name: &str, run: &RunReport, broken: Option<&str>) {
    let _ = write!(
        out,
        "    <testcase name=\"{}\" classname=\"{}\"",
        escaped(name),
        escaped(path)
    );
    if let Some(began) = run.began {
        let _ = write!(
            out,
            " time=\"{}\" timestamp=\"{}\"",
            run.elapsed.as_secs_f64(),
            clock::rfc3339(began)
        );
    }
    out.push('>');
    let of = |errors: bool| {
        let found = run.diagnostics.0.iter();
        Diagnostics(found.filter(|d| d.is_error() == errors).cloned().collect())
    };
    let (errors, warnings) = (of(true), of(false));
    let element = match run.status {
        Status::Skip => Some(match broken {
            Some(earlier) => (
                "skipped",
                "Testcase skipped due to a previous testcase error",
                format!(
                    "Previous testcase \"{earlier}\" ended in error, which caused the remaining tests in the file to be skipped"
                ),
            ),
            None => (
                "skipped",
                "Testcase skipped due to an interrupt",
                String::new(),
            ),
        }),
        Status::Fail => Some(("failure", &*failure(run, &errors), text(&errors))),
        Status::Error => Some(("error", "Encountered an error", text(&errors))),
        Status::Pass | Status::Pending => None,
    };
    let inner = element.is_some() || !warnings.is_empty();
    if let Some((element, message, text)) = element {
        let _ = write!(
            out,
            "\n      <{element} message=\"{}\">{}</{element}>",
            escaped(message),
            data(&text)
        );
    }
    if !warnings.is_empty() {
        let _ = write!(
            out,
            "\n      <system-err>{}</system-err>",
            data(&text(&warnings))
        );
    }
    out.push_str(if inner {
        "\n    </testcase>\n"
    } else {
        "</testcase>\n"
    });
}

/// How many asserts did not hold, and what the first says.
fn failure(run: &RunReport, errors: &Diagnostics) -> String {
    let first = errors.0.first().map(|d| d.detail.as_str());
    let (failed, all) = (errors.0.len(), run.asserts);
    match (failed, first) {
        (0, _) | (_, None) => "Test run failed".to_owned(),
        (1, Some(first)) => format!("1 of {all} assertions failed: {first}"),
        (_, Some(first)) => format!("{failed} of {all} assertions failed, including: {first}"),
    }
}

fn text(found: &Diagnostics) -> String {
    diagnostics::render(found, Warnings::Full, Paint::Plain)
}

/// Text that may hold anything but what XML can't.
fn data(text: &str) -> String {
    let text: String = text.chars().filter(|c| is_xml(*c)).collect();
    format!("<![CDATA[{}]]>", text.replace("]]>", "]]]]><![CDATA[>"))
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars().filter(|c| is_xml(*c)) {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // As they are, a reader makes spaces of them.
            '\n' => out.push_str("&#xA;"),
            '\r' => out.push_str("&#xD;"),
            '\t' => out.push_str("&#x9;"),
            c => out.push(c),
        }
    }
    out
}

fn is_xml(c: char) -> bool {
    !c.is_control() || matches!(c, '\n' | '\t' | '\r')
}
