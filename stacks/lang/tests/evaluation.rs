//! Evaluation: unknown and marked values through every operator, what a scope is asked for, and
//! what an error says.
#![allow(clippy::unwrap_used)] // helpers of tests

use std::{cell::RefCell, collections::BTreeMap, fmt::Write as _, path::PathBuf, sync::Arc};
use weir_core::{Diagnostic, Kind, Marks, Type, Value, value::Refinements};
use weir_lang::{
    eval::{Context, EvalError, NodeId, Resolved, Scope, eval},
    files::MemoryFiles,
    functions::Registry,
    ir::{RefStep, Reference},
    parse,
    sources::Sources,
};

/// Names with values, and a record of what was asked for.
struct Names {
    context: Context,
    values: BTreeMap<&'static str, Value>,
    asked: RefCell<Vec<String>>,
}

impl Names {
    fn new(text: &Arc<str>) -> Names {
        let mut sources = Sources::new();
        sources.add("main.hcl".into(), text.clone());
        let files = [
            ("m/a.txt", &b"hello\n"[..]),
            ("m/t.tpl", b"%{ for x in xs ~}\n- ${x}\n%{ endfor ~}\n"),
            ("m/bad.tpl", b"${nmae}"),
            ("m/bin", b"\xff\xfe"),
            ("m/d/b.json", b"{}"),
            ("m/d/e/c.yaml", b"a: 1"),
        ];
        let files = files.map(|(p, b)| (PathBuf::from(p), b.to_vec()));
        let unknown = |ty| Value::unknown(ty);
        let secret = |v: Value| v.mark(Marks::SENSITIVE);
        Names {
            context: Context {
                sources: Arc::new(sources),
                functions: Arc::new(Registry::standard()),
                files: Some(Arc::new(MemoryFiles(files.into_iter().collect()))),
                module_dir: "m".into(),
                root_dir: "/stack".into(),
                home: Some("/home/u".into()),
                now: Some("2026-01-02T03:04:05Z".into()),
                settled: None,
            },
            values: BTreeMap::from([
                ("n", Value::number(3i64)),
                ("s", Value::string("text")),
                ("nothing", Value::null()),
                ("us", unknown(Type::String)),
                ("un", unknown(Type::Number)),
                ("ub", unknown(Type::Bool)),
                ("ul", unknown(Type::list(Type::String))),
                ("um", unknown(Type::map(Type::Number))),
                ("ud", unknown(Type::Dynamic)),
                ("uo", unknown(Type::object([("id", Type::String)]))),
                ("secret", secret(Value::string("hunter2"))),
                (
                    "secrets",
                    secret(Value::list(Type::Number, vec![Value::number(1i64)])),
                ),
                (
                    "o",
                    Value::object([("id", Value::string("i")), ("name", Value::string("x"))]),
                ),
                (
                    "mixed",
                    Value::object([
                        ("a", secret(Value::number(1i64))),
                        ("b", Value::number(2i64)),
                    ]),
                ),
                (
                    "list",
                    Value::tuple(vec![Value::number(1i64), Value::string("b")]),
                ),
            ]),
            asked: RefCell::default(),
        }
    }
}

impl Scope for Names {
    fn resolve(&self, reference: &Reference) -> Result<Resolved, EvalError> {
        assert!(!reference.steps.contains(&RefStep::Dynamic));
        self.asked.borrow_mut().push(reference.to_string());
        if &*reference.root == "later" {
            return Err(EvalError::NotReady(NodeId(7)));
        }
        if &*reference.root == "pod" {
            // A counted thing of which one instance is looked up.
            return Ok(match reference.steps.first() {
                Some(RefStep::Index(key)) => Resolved {
                    value: Value::object([("key", key.clone().unmark().0)]),
                    consumed: 1,
                },
                _ => Resolved {
                    value: Value::tuple(vec![Value::object([("key", Value::number(0i64))])]),
                    consumed: 0,
                },
            });
        }
        match self.values.get(&*reference.root) {
            Some(value) => Ok(Resolved {
                value: value.clone(),
                consumed: 0,
            }),
            None => Err(Diagnostic::error(format!("there is no `{}`", reference.root)).into()),
        }
    }
    fn context(&self) -> &Context {
        &self.context
    }
}

fn run(text: &str) -> (Result<Value, EvalError>, Vec<String>) {
    let text: Arc<str> = text.into();
    let names = Names::new(&text);
    let expr =
        parse::parse_expr("main.hcl".into(), &text).unwrap_or_else(|d| panic!("{text}: {d}"));
    (eval(&expr, &names), names.asked.into_inner())
}

/// A value with what can't be seen of it: `unknown string "pre"...`, `secret`.
fn show(value: &Value) -> String {
    let mut out = String::new();
    if value.is_sensitive() {
        out.push_str("secret ");
    }
    match value.kind() {
        Kind::Unknown(ty, known) => {
            let Refinements {
                not_null, prefix, ..
            } = &**known;
            let _ = write!(out, "unknown {ty}");
            if *not_null {
                out.push('!');
            }
            if let Some(prefix) = prefix {
                let _ = write!(out, " {prefix:?}...");
            }
        }
        Kind::List(..) | Kind::Set(..) | Kind::Tuple(_) => {
            let items: Vec<String> = value.children().map(show).collect();
            let _ = write!(out, "[{}]", items.join(", "));
        }
        Kind::Map(..) | Kind::Object(_) => {
            let entries = value.as_entries().unwrap();
            let entries: Vec<String> = entries
                .iter()
                .map(|(k, v)| format!("{k} = {}", show(v)))
                .collect();
            let _ = write!(out, "{{{}}}", entries.join(", "));
        }
        _ => {
            let _ = write!(out, "{}", value.clone().unmark().0);
        }
    }
    out
}

fn check(text: &str, expected: &str) {
    match run(text).0 {
        Ok(value) => assert_eq!(show(&value), expected, "{text}"),
        Err(e) => panic!("{text}: {e}"),
    }
}

/// An error as `column+length summary / detail / help / name = value`; without the help, where the
/// golden texts of the evaluator show it.
fn refused(text: &str, expected: &str) {
    let Err(EvalError::Diagnostic(d)) = run(text).0 else {
        panic!("{text} is not refused")
    };
    let span = d.span.as_ref().unwrap();
    assert!(d.snippet.is_some(), "{text}");
    let shown = |help: Option<&String>| {
        let mut out = format!("{}+{} {}", span.column, span.end - span.start, d.summary);
        let parts = [Some(&d.detail), help].into_iter().flatten();
        for part in parts.filter(|p| !p.is_empty()) {
            let _ = write!(out, " / {part}");
        }
        for (name, value) in &d.values {
            let _ = write!(out, " / {name} = {value}");
        }
        out
    };
    let whole = shown(d.help.as_ref());
    assert!(
        whole == expected || shown(None) == expected,
        "{text}: {whole}"
    );
}

#[test]
fn unknown_goes_through_operators() {
    check("un + 1", "unknown number!");
    check("-un", "unknown number!");
    check("!ub", "unknown bool!");
    check("un > 1", "unknown bool!");
    check("us + 1", "unknown number!");
    check("us == \"a\"", "unknown bool!");
    check("us == null", "unknown bool!");
    check("\"a${us}\" == null", "false");
    check("\"a-${us}\" == \"b\"", "false");
    check("[us, 1] == [us, 2]", "false");
    check("ub && false", "false");
    check("ub && true", "unknown bool!");
    check("ub || true", "true");
    check("false && ub", "false");
    check("ub ? 1 : 2", "unknown number!");
    check("ub ? 1 : \"a\"", "unknown string!");
    check("ub ? null : \"a\"", "unknown string");
    check("ub ? us : us", "unknown string");
}

#[test]
fn unknown_goes_through_access_and_collections() {
    check("uo.id", "unknown string");
    check("ud.x.y", "unknown any");
    check("ul[0]", "unknown string");
    check("um[\"a\"]", "unknown number");
    check("list[un]", "unknown any");
    check("o[us]", "unknown any");
    check("ul[*]", "unknown list(string)!");
    check("ud[*].x", "unknown any");
    check("uo[*].id", "unknown any");
    check("[us, 1]", "[unknown string, 1]");
    check("{a = us}", "{a = unknown string}");
    check("{(us) = 1}", "unknown any");
    check("[for x in ul : x]", "unknown any");
    check("[for x in [1, us] : x]", "[1, unknown string]");
    check("[for x in [1, 2] : x if ub]", "unknown any");
    check("{for x in [us] : x => 1}", "unknown any");
}

#[test]
fn unknown_goes_through_templates_with_a_prefix() {
    check("\"a-${us}-b\"", "unknown string! \"a-\"...");
    check("\"${us}\"", "unknown string");
    check("\"${us}x\"", "unknown string!");
    check("\"a${\"b${us}\"}c\"", "unknown string!");
    check("\"ab%{ if ub }x%{ endif }\"", "unknown string! \"a\"...");
    check(
        "\"ab%{ for x in ul }x%{ endfor }\"",
        "unknown string! \"a\"...",
    );
}

#[test]
fn unknown_goes_through_functions() {
    check("upper(us)", "unknown string!");
    check("length(ul)", "unknown number!");
    check("length(uo)", "1");
    check("length([us, us])", "2");
    check("length(toset([us, \"a\"]))", "unknown number!");
    check("concat([us], [1])", "[unknown string, 1]");
    check("merge({a = us}, {b = 1})", "{a = unknown string, b = 1}");
    check("keys({a = us})", "[\"a\"]");
    check("join(\",\", [us])", "unknown string!");
    check("element([us, 1], 1)", "1");
    check("lookup({a = us, b = 1}, \"b\", 0)", "1");
    check("jsonencode({a = us})", "unknown string! \"{\"...");
    check("coalesce(us, \"a\")", "unknown string!");
    check("contains([us], \"a\")", "unknown bool!");
    check("contains([us, \"a\"], \"a\")", "true");
    check("try(us, 1)", "unknown any");
    check("can(us)", "unknown bool");
    check("max(ul...)", "unknown any");
    check("tolist([us, \"a\"])", "[unknown string, \"a\"]");
    check("tonumber(us)", "unknown number");
    check("flatten([ul, [1]])", "unknown any");
    check("flatten([[us], [1]])", "[unknown string, 1]");
    check("plantimestamp()", "\"2026-01-02T03:04:05Z\"");
}

#[test]
fn secrets_stay_secret() {
    check("secret", "secret \"hunter2\"");
    check("\"a${secret}\"", "secret \"ahunter2\"");
    check("secret == \"x\"", "secret false");
    check("upper(secret)", "secret \"HUNTER2\"");
    check("secrets[0]", "secret 1");
    check("secrets[*]", "secret [1]");
    check("[for x in secrets : x]", "secret [1]");
    check("length(secrets)", "secret 1");
    check("mixed.a", "secret 1");
    check("mixed.b", "2");
    check("mixed", "{a = secret 1, b = 2}");
    check("values(mixed)", "[secret 1, 2]");
    check("jsonencode(mixed)", "secret \"{\\\"a\\\":1,\\\"b\\\":2}\"");
    check("{(secret) = 1}", "secret {hunter2 = 1}");
    check("secret == \"hunter2\" ? 1 : 2", "secret 1");
    check("[\"a\", \"b\"][mixed.a]", "secret \"b\"");
    check("toset([secret])", "secret [\"hunter2\"]");
    check("try(secret, 1)", "secret \"hunter2\"");
    check("nonsensitive(secret)", "\"hunter2\"");
    check("us == secret", "secret unknown bool!");
    check("max(1, secrets...)", "secret 1");
}

#[test]
fn a_scope_is_asked_for_one_instance() {
    let (value, asked) = run("pod[n - 1].key");
    assert_eq!(show(&value.unwrap()), "2");
    assert_eq!(asked, ["n", "pod[2].key"]);
    let (value, asked) = run("pod[mixed.a].key");
    assert_eq!(show(&value.unwrap()), "secret 1");
    assert_eq!(asked, ["mixed.a", "pod[(sensitive)].key"]);
    assert_eq!(
        run("[for i in [4, 5] : pod[i].key]").1,
        ["pod[4].key", "pod[5].key"]
    );
    assert_eq!(run("pod[*].key").1, ["pod[*].key"]);
}

#[test]
fn what_is_not_ready_comes_through() {
    for text in [
        "later",
        "1 + later.x",
        "try(later, 1)",
        "can(later)",
        "true ? 1 : later",
        "f(1) == later",
    ] {
        let (result, _) = run(&text.replace("f(1)", "abs(1)"));
        assert_eq!(
            result.unwrap_err(),
            EvalError::NotReady(NodeId(7)),
            "{text}"
        );
    }
    // What decides alone doesn't wait.
    check("false && later", "false");
    check("true || later", "true");
}

#[test]
fn errors_point_at_the_smallest_part_and_show_values() {
    refused(
        "o.nmae",
        "2+5 this object has no attribute `nmae` / It has id, name. / Did you mean `name`? / o = \
         {\"id\" = \"i\", \"name\" = \"x\"}",
    );
    refused(
        "list[n]",
        "5+3 there is no element 3 / The sequence has 2 elements, of index 0 to 1. / Use \
         `try(list[i], default)` where an element may be missing. / list = [1, \"b\"] / n = 3",
    );
    refused(
        "1 + (2 * s)",
        "10+1 an operand of `*` is not a number / A number is required. / s = \"text\"",
    );
    refused(
        "\"x${nothing}\"",
        "5+7 a null value can't be part of a text / Give it a default: `${coalesce(x, \"\")}`. / \
         nothing = null",
    );
    refused(
        "n / 0",
        "5+1 a number is divided by zero / Test the divisor first: `n == 0 ? 0 : x / n`. / n = 3",
    );
    refused(
        "[for x in s : x]",
        "11+1 a string can't be iterated over / A `for` needs a list, set, tuple, map or object. / \
         For one element write `[x]`. / s = \"text\"",
    );
    refused(
        "[for k, v in o : v + 1]",
        "18+1 an operand of `+` is not a number / A number is required. / v = \"i\"",
    );
    refused(
        "uper(s)",
        "1+4 there is no function `uper` / Did you mean `upper`?",
    );
    refused(
        "substr(s, 0)",
        "1+6 `substr` takes 3 arguments, and got 2 / It is called as `substr(str, offset, length)`. \
         / s = \"text\"",
    );
    refused(
        "upper(nothing)",
        "7+7 argument `str` of `upper` is null / It must have a value. / Give it a default, for \
         instance with `coalesce`. / nothing = null",
    );
    refused(
        "cidrhost(s, 1)",
        "10+1 argument `prefix` of `cidrhost` is wrong / Invalid CIDR expression: invalid CIDR \
         address: text. / s = \"text\"",
    );
    refused(
        "true ? [1] : s",
        "1+14 the results of this conditional have different types / One is tuple([number]), the \
         other string, and neither converts to the other. / Give both the same type, for instance \
         with `tostring` or `tolist`. / s = \"text\"",
    );
}

#[test]
fn errors_show_no_secret() {
    for text in [
        "secret + 1",
        "mixed.a.x",
        "secrets[9]",
        "tonumber(secret)",
        "regex(\"x\", secret)",
    ] {
        let Err(EvalError::Diagnostic(d)) = run(text).0 else {
            panic!("{text} is not refused")
        };
        assert!(
            !format!("{d} {:?}", d.values).contains("hunter2"),
            "{text}: {d}"
        );
    }
    refused(
        "secret + 1",
        "1+6 an operand of `+` is not a number / A number is required. / secret = (sensitive)",
    );
}

#[test]
fn files_are_read_below_the_module() {
    check("file(\"a.txt\")", "\"hello\\n\"");
    check("filebase64(\"a.txt\")", "\"aGVsbG8K\"");
    check("fileexists(\"a.txt\")", "true");
    check("fileexists(\"b.txt\")", "false");
    check("filemd5(\"a.txt\")", "\"b1946ac92492d2347c6235b4d2611184\"");
    check("templatefile(\"t.tpl\", {xs = [1, 2]})", "\"- 1\\n- 2\\n\"");
    check("templatefile(\"t.tpl\", {xs = ul})", "unknown string!");
    check("templatestring(o.name, {b = n})", "\"x\"");
    check(
        "fileset(\".\", \"**/*.{json,yaml}\")",
        "[\"d/b.json\", \"d/e/c.yaml\"]",
    );
    check("fileset(\"d\", \"*\")", "[\"b.json\"]");
    check("fileset(\"none\", \"*\")", "[]");
    check("abspath(\"../x\")", "\"/stack/x\"");
    check("pathexpand(\"~/k\")", "\"/home/u/k\"");
    refused(
        "file(\"b.txt\")",
        "6+7 argument `path` of `file` is wrong / No file exists at \"b.txt\"; it must exist before \
         the run, and cannot be one a resource makes.",
    );
    refused(
        "file(\"bin\")",
        "6+5 argument `path` of `file` is wrong / Contents of \"bin\" are not valid UTF-8; use the \
         filebase64 function to obtain the Base64 encoded contents.",
    );
    // The place is in the template itself.
    let Err(EvalError::Diagnostic(d)) = run("templatefile(\"bad.tpl\", {name = 1})").0 else {
        panic!()
    };
    let span = d.span.clone().unwrap();
    assert_eq!((&*span.file, span.line, span.column), ("m/bad.tpl", 1, 3));
    assert_eq!(d.summary, "this template has no variable `nmae`");
    assert_eq!(d.help.as_deref(), Some("Did you mean `name`?"));
}

#[test]
fn size_has_no_small_limit() {
    check(&vec!["1"; 10_000].join(" + "), "10000");
    check(&format!("{}1{}", "(".repeat(900), ")".repeat(900)), "1");
    check(&format!("{}1", "false ? 0 : ".repeat(900)), "1");
    check("length([for i in range(1024) : \"${i}\"])", "1024");
}

#[test]
fn what_would_take_all_memory_is_refused() {
    let table = [
        (
            "[for a in range(1000) : [for b in range(1000) : [for c in range(1000) : c]]]",
            "the expression goes over more than 5000000 elements",
        ),
        ("indent(999999999, \"a\\nb\")", "longer than 256 MiB"),
        (
            "join(join(\"\", [for i in range(1000) : \"xxxxxxxxxx\"]), [for i in range(1000) : join(\"\", [for i in range(1000) : \"y\"])])",
            "",
        ),
        (
            "replace(join(\"\", [for i in range(1000) : \"aaaaaaaaaa\"]), \"/(a)/\", join(\"\", [for i in range(1000) : \"$1$1$1$1$1xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"]))",
            "longer than 256 MiB",
        ),
        (
            "yamldecode(join(\"\\n\", concat([\"a0: &a0 [x, x, x, x, x, x, x, x]\"], [for i in range(9) : \"a${i + 1}: &a${i + 1} [*a${i}, *a${i}, *a${i}, *a${i}, *a${i}, *a${i}, *a${i}, *a${i}]\"])))",
            "Its aliases stand for more than 5000000 values",
        ),
        ("range(1e9)", "1024"),
        ("format(\"%999999999d\", 1)", "width"),
        (
            "setproduct(range(1000), range(1000), range(1000))",
            "more than",
        ),
        ("pow(10, 1e9)", "no finite value"),
        (
            "regex(\"((a{1,1000}){1,1000}){1,1000}\", \"a\")",
            "size limit",
        ),
    ];
    for (text, part) in table {
        match run(text).0 {
            Err(EvalError::Diagnostic(d)) => assert!(
                d.to_string().to_lowercase().contains(&part.to_lowercase()),
                "{text}: {d}"
            ),
            _ => assert!(part.is_empty(), "{text} is not refused"),
        }
    }
}

#[test]
fn a_word_is_found_in_the_files_of_the_stack_alone() {
    let mentions = |path: &str, text: &str| {
        weir_lang::mentions(&MemoryFiles::of([(path, text)]), &["state", "backend"])
    };
    let cases = [
        ("main.hcl", "stack \"s\" {}\n", false),
        (
            "main.hcl",
            "stack \"s\" {\n  state \"sqlite\" {}\n}\n",
            true,
        ),
        ("main.tf", "terraform {\n  backend \"s3\" {}\n}\n", true),
        (
            "a_override.tf",
            "terraform {\n  backend \"s3\" {}\n}\n",
            true,
        ),
        ("main.tf.json", "{\"terraform\": {\"backend\": {}}}", true),
        (
            "main.tf.json",
            "{\"terraform\": {\"\\u0062ackend\": {}}}",
            true,
        ),
        ("main.tf.json", "{\"terraform\": {}}", false),
        // No configuration of the stack's own.
        ("notes.txt", "state", false),
        ("m/main.tf", "terraform {\n  backend \"s3\" {}\n}\n", false),
    ];
    for (path, text, found) in cases {
        assert_eq!(mentions(path, text), found, "{path}: {text}");
    }
}
