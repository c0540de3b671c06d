//! Parsing: what is wrong is said in plain words, with its place, and more than the first is found.
#![allow(clippy::unwrap_used)] // helpers of tests

use proptest::prelude::*;
use std::{fmt::Write as _, sync::Arc};
use weir_core::Diagnostics;
use weir_lang::{
    ir::{Body, Expr, ExprKind},
    parse,
};

fn body(text: &str) -> (Body, Diagnostics) {
    parse::parse_body("main.hcl".into(), &Arc::from(text))
}

fn expr(text: &str) -> Expr {
    parse::parse_expr("x".into(), &Arc::from(text)).unwrap_or_else(|d| panic!("{text}: {d}"))
}

/// Every error as `line:column+length summary / detail / help`; with the help or without it.
fn errors(text: &str, with_help: bool) -> String {
    let mut out = String::new();
    for d in body(text).1 {
        let span = d.span.as_ref().unwrap();
        let length = span.end - span.start;
        let _ = write!(out, "{}:{}+{length} {}", span.line, span.column, d.summary);
        if !d.detail.is_empty() {
            let _ = write!(out, " / {}", d.detail);
        }
        if let Some(help) = d.help.as_ref().filter(|_| with_help) {
            let _ = write!(out, " / {help}");
        }
        out.push('\n');
    }
    out
}

/// Checks the errors in a text.
fn check(text: &str, expected: &str) {
    let whole = errors(text, true);
    let bare = errors(text, false);
    assert!(
        [&whole, &bare].iter().any(|e| e.trim_end() == expected),
        "{whole}\n{text}"
    );
}

#[test]
fn errors_say_what_is_missing() {
    check(
        "a = \n",
        "1:5+0 expected an expression, found the end of the line / An expression ends with its \
         line, unless it stands in brackets.",
    );
    check(
        "a \"b\"\n",
        "1:6+0 expected `{` to open the block `a`, found the end of the line / If `a` is an \
         attribute, write `a = \"b\"`.",
    );
    check(
        "a = \"b\nc = 1\n",
        "1:5+2 a quoted string is not closed on its line / Add the closing quote `\"`. For text \
         over several lines use a heredoc, or write `\\n`.",
    );
    check(
        "resource \"a\" \"b\"\n{\n  x = 1\n}\n",
        "1:17+0 expected `{` to open the block `resource`, found the end of the line / Put `{` on \
         the same line as `resource`.",
    );
    check(
        "a = 'x'\n",
        "1:5+1 expected an expression, found `'` / Strings are written with double quotes: \"text\".",
    );
    check(
        "a = 1\na = 2\n",
        "2:1+1 `a` is set twice in one block / It was set on line 1 already. / Remove one of them.",
    );
    check(
        "a { b = 1 c = 2 }\n",
        "1:11+1 expected `}`, found the name `c` / A block on one line holds one attribute; start \
         a new line after `{` for more.",
    );
    check(
        "a = \"\\d\"\n",
        "1:6+2 the escape `\\d` is not known / Known are \\n, \\r, \\t, \\\", \\\\, \\u with four \
         hexadecimal digits and \\U with eight. / For a backslash as it is, write `\\\\`.",
    );
    check(
        "x \"${y}\" {\n}\n",
        "1:3+6 a label can't hold an interpolation / Labels are part of an address, which must be \
         known before anything is evaluated.",
    );
}

#[test]
fn errors_say_where_a_bracket_was_opened() {
    check(
        "a = {\n  b = 1\n",
        "3:1+0 expected an expression, found the end of the file / The object opened on line 1 is \
         not closed.",
    );
    check(
        "a = foo(\n  1\nb = 2\n",
        "3:1+1 expected `,` and the next argument, or `)`, found the name `b` / The call opened on \
         line 1 is not closed.",
    );
    check(
        "x \"y\" {\n  a = 1\n\nz \"w\" {\n}\n",
        "4:1+5 the block `x` is not closed before this one / It was opened on line 1. / Add `}` on \
         a line before this one.",
    );
    check(
        "x {\n  a = 1\n",
        "1:3+1 the block `x` is not closed / The file ends before its `}`. / Add the missing `}`.",
    );
    check(
        "a = <<EOT\nfoo\n",
        "1:5+2 the heredoc has no line `EOT` that ends it / Put `EOT` alone on the line after the \
         text.",
    );
    check(
        "a = <<EOT\nfoo\nEOT",
        "1:5+2 the heredoc has no line `EOT` that ends it / Put a line break after `EOT`, where the \
         file ends.",
    );
    check(
        "a = \"${b}%{ if c }\"\n",
        "1:10+9 the directive `if` has no `endif` / Close it with `%{ endif }`.",
    );
}

#[test]
fn parsing_goes_on_after_an_error() {
    let text = "x {\n  a = = 1\n  b = 2\n  c = }\n}\ny {\n  d = [1, 2\n  e = 3\n}\nf = 4\n";
    let (body, errors) = body(text);
    let lines: Vec<u32> = errors.into_iter().map(|d| d.span.unwrap().line).collect();
    assert_eq!(lines, [2, 4, 8]);
    assert!(body.attribute("f").is_some());
    assert!(body.blocks[0].body.attribute("b").is_some());
    assert!(body.blocks[1].body.attribute("e").is_some());
}

#[test]
fn places_count_characters() {
    let (body, errors) = body("é = \"ü\" # ö\n  ñ = [1, \"${a.b}\"]\n");
    assert!(errors.is_empty(), "{errors}");
    let second = &body.attributes[1];
    assert_eq!((second.name_span.line, second.name_span.column), (2, 3));
    let references = second.expr.references();
    let span = &references[0].span;
    assert_eq!((span.line, span.column, span.end - span.start), (2, 14, 3));
}

#[test]
fn windows_lines_and_a_byte_order_mark_are_taken() {
    let (body, errors) =
        body("\u{feff}a = 1\r\nb {\r\n  c = 2 # x\r\n}\r\n// y\r\nd = <<E\r\nx\r\nE\r\n");
    assert!(errors.is_empty(), "{errors}");
    assert_eq!(body.attributes.len(), 2);
    assert_eq!(body.blocks[0].body.attributes.len(), 1);
}

#[test]
fn names_are_found_unless_bound() {
    let references = |text: &str| {
        expr(text)
            .references()
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    };
    assert_eq!(references("a.b[0].c + d[\"k\"]"), ["a.b[0].c", "d[\"k\"]"]);
    assert_eq!(references("a[*].b"), ["a[*].b"]);
    assert_eq!(references("a[b.c].d"), ["a[...].d", "b.c"]);
    assert_eq!(references("[for x in y : x.z + w]"), ["y", "w"]);
    assert_eq!(references("{for k, v in m : k => [for v in v : v]}"), ["m"]);
    assert_eq!(
        references("\"${a}%{ for i in b }${i}${c}%{ endfor }\""),
        ["a", "b", "c"]
    );
    assert_eq!(references("f(a, b...)"), ["a", "b"]);
    assert_eq!(references("{(a) = b, c = d}"), ["a", "b", "d"]);
    assert_eq!(references("[for x in x : x]"), ["x"]);
}

#[test]
fn a_chain_has_no_limit() {
    let text = vec!["1"; 10_000].join(" + ");
    match &*expr(&text).kind {
        ExprKind::Binary(chain) => assert_eq!(chain.rest.len(), 9_999),
        other => panic!("{other:?}"),
    }
    // Two precedences in turn make one chain of chains, not a tree ten thousand deep.
    assert_eq!(
        expr(&vec!["a * b"; 10_000].join(" - ")).references().len(),
        20_000
    );
}

/// On a thread with the stack that `weir` gives its threads.
#[test]
fn depth_is_limited_by_an_error_not_by_the_stack() {
    let thread = std::thread::Builder::new().stack_size(256 << 20);
    thread.spawn(depth_is_limited).unwrap().join().unwrap();
}

fn depth_is_limited() {
    let too_deep = parse::MAX_NESTING + 1;
    for (open, inner, close) in [
        ("(", "1", ")"),
        ("[", "1", "]"),
        ("{a=", "1", "}"),
        ("\"${", "1", "}\""),
        ("f(", "1", ")"),
        ("!", "true", ""),
        ("-", "1", ""),
        ("a ? b : ", "c", ""),
        ("a[", "0", "]"),
        ("[for x in y : ", "x", "]"),
    ] {
        let deep = |n: usize| -> Arc<str> {
            format!("{}{inner}{}", open.repeat(n), close.repeat(n)).into()
        };
        assert!(parse::parse_expr("x".into(), &deep(200)).is_ok(), "{open}");
        let error = parse::parse_expr("x".into(), &deep(too_deep)).unwrap_err();
        assert_eq!(
            error.summary, "this is nested more than 20000 levels deep",
            "{open}"
        );
    }
    let blocks = "a {\n".repeat(too_deep) + &"}\n".repeat(too_deep);
    let (_, errors) = body(&blocks);
    assert_eq!(
        errors.0[0].summary,
        "this is nested more than 500 levels deep"
    );
    let blocks = "a {\n".repeat(500) + &"}\n".repeat(500);
    assert!(!body(&blocks).1.has_errors());
    let directives = "%{ if true }".repeat(too_deep) + &"%{ endif }".repeat(too_deep);
    assert!(parse::parse_template("x".into(), &directives.into()).is_err());
}

/// What HCL is made of, so that random texts get past the first character.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a", "b.c", "=", "{", "}", "[", "]", "(", ")", "\"", "${", "%{", "~}", "<<EOT\n", "EOT",
        "\n", "\r\n", " ", ",", "...", "for", "in", ":", "=>", "if", "else", "endif", "endfor",
        "?", "*", ".", "[*]", ".*", "1", "2.5e3", "-", "!", "&&", "||", "==", "#", "//", "/*",
        "*/", "\\", "\\u00e9", "é", "\u{0}", "::", "<", "<<-X\n", "$${", "'", "null", "@",
    ]);
    prop::collection::vec(piece, 0..60).prop_map(|p| p.concat())
}

proptest! {
    #[test]
    fn no_text_is_too_odd(text in pieces()) {
        let (body, errors) = body(&text);
        // What was read lies in the text, and every error points into it.
        for span in body.attributes.iter().map(|a| &a.expr.span).chain(body.blocks.iter().map(|b| &b.span)) {
            prop_assert!(text.get(span.start..span.end).is_some());
        }
        for error in errors {
            let span = error.span.unwrap();
            prop_assert!(text.get(span.start..span.end).is_some());
        }
        let _ = parse::parse_expr("x".into(), &text.as_str().into());
        let _ = parse::parse_template("x".into(), &text.as_str().into());
    }

    #[test]
    fn a_parser_beside_ours_reads_the_same(text in pieces()) {
        // What hcl-edit takes, in its own limits, is taken here with the same names.
        if let Ok(theirs) = hcl_edit::parser::parse_body(&text) {
            let (ours, errors) = body(&text);
            prop_assert!(errors.is_empty(), "{text:?}: {errors}");
            let names: Vec<String> = theirs.attributes().map(|a| a.key.to_string()).collect();
            let found: Vec<String> = ours.attributes.iter().map(|a| a.name.to_string()).collect();
            prop_assert_eq!(names, found);
            prop_assert_eq!(theirs.blocks().count(), ours.blocks.len());
        }
    }
}
