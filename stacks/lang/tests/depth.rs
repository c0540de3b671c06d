//! Nothing nests too deep and no chain is too long: each of these would overflow a stack or take
//! time that grows with the square, were it not for care. They run on a thread with the stack that
//! `weir` gives its threads.

#![allow(clippy::unwrap_used)] // helpers of tests

use std::{path::PathBuf, sync::Arc};
use weir_core::{Diagnostic, Value};
use weir_lang::{
    eval::{Context, EvalError, Resolved, Scope, eval},
    functions::Registry,
    ir::Reference,
    parse,
    sources::Sources,
};

struct Numbers(Context);

/// `big` is a list of 100,000 numbers.
impl Scope for Numbers {
    fn resolve(&self, reference: &Reference) -> Result<Resolved, EvalError> {
        if &*reference.root != "big" {
            return Err(Diagnostic::error(format!("there is no `{reference}`")).into());
        }
        let items = (0..100_000i64).map(Value::number).collect();
        Ok(Resolved {
            value: Value::tuple(items),
            consumed: 0,
        })
    }
    fn context(&self) -> &Context {
        &self.0
    }
}

fn on_a_thread(f: fn()) {
    let thread = std::thread::Builder::new().stack_size(256 << 20);
    thread.spawn(f).unwrap().join().unwrap();
}

fn numbers(text: &Arc<str>) -> Numbers {
    let mut sources = Sources::new();
    sources.add("test".into(), text.clone());
    Numbers(Context {
        sources: Arc::new(sources),
        functions: Arc::new(Registry::standard()),
        files: None,
        module_dir: PathBuf::new(),
        root_dir: PathBuf::new(),
        home: None,
        now: None,
        settled: None,
    })
}

fn run(text: &str) -> Value {
    let text: Arc<str> = text.into();
    let expr = parse::parse_expr("test".into(), &text).unwrap();
    eval(&expr, &numbers(&text)).unwrap()
}

/// What an expression is refused for.
fn refusal(text: &str) -> String {
    let text: Arc<str> = text.into();
    let expr = parse::parse_expr("test".into(), &text).unwrap();
    match eval(&expr, &numbers(&text)) {
        Err(EvalError::Diagnostic(error)) => error.summary,
        _ => panic!("it is not refused"),
    }
}

fn number(text: &str) -> i64 {
    run(text).as_i64().unwrap()
}

#[test]
fn chains_are_as_long_as_they_are() {
    on_a_thread(chains);
}

fn chains() {
    assert_eq!(number(&vec!["1"; 10_000].join(" + ")), 10_000);
    assert_eq!(number(&vec!["1"; 10_000].join(" * ")), 1);
    let all = vec!["true"; 10_000].join(" && ");
    assert_eq!(run(&all).as_bool(), Some(true));
    let none = vec!["1 == 2"; 10_000].join(" || ");
    assert_eq!(run(&none).as_bool(), Some(false));
    assert_eq!(number(&format!("{}1", "-".repeat(10_000))), 1);
}

#[test]
fn nesting_is_as_deep_as_it_is() {
    on_a_thread(nesting);
}

fn nesting() {
    const DEEP: usize = 10_000;
    let parens = format!("{}1{}", "(".repeat(DEEP), ")".repeat(DEEP));
    assert_eq!(number(&parens), 1);
    let conditions = format!("{}0", "false ? 1 : ".repeat(DEEP));
    assert_eq!(number(&conditions), 0);
    let calls = format!("{}1{}", "abs(".repeat(DEEP), ")".repeat(DEEP));
    assert_eq!(number(&calls), 1);
    let indexes = format!("{}1{}", "[".repeat(DEEP), "][0]".repeat(DEEP));
    assert_eq!(number(&indexes), 1);
    let templates = format!(
        "{}a{}",
        "\"x${".repeat(1_000) + "\"",
        "\"".to_owned() + &"}\"".repeat(1_000)
    );
    assert_eq!(run(&templates).as_str().unwrap().len(), 1_001);
}

#[test]
fn collections_are_as_large_as_they_are() {
    on_a_thread(collections);
}

fn collections() {
    let list = format!("length([{}])", vec!["1"; 100_000].join(", "));
    assert_eq!(number(&list), 100_000);
    assert_eq!(
        number("length([for n in big : n + 1 if n % 2 == 0])"),
        50_000
    );
    assert_eq!(number("length({for n in big : n => n})"), 100_000);
    assert_eq!(number("length({for n in big : n % 10 => n...})"), 10);
    assert_eq!(number("length(keys({for n in big : n => n}))"), 100_000);
    assert_eq!(number("sum(big)"), 4_999_950_000);
    assert_eq!(number("length(toset(big))"), 100_000);
    assert_eq!(number("length(distinct(big))"), 100_000);
    assert_eq!(number("length(flatten([big, [big]]))"), 200_000);
    assert_eq!(number("length(big[*])"), 100_000);
    assert_eq!(number("max(big...)"), 99_999);
    assert_eq!(number("length(setunion(toset(big), toset([1])))"), 100_000);
    let maps: Vec<String> = (0..10_000).map(|i| format!("{{k{i} = {i}}}")).collect();
    assert_eq!(
        number(&format!("length(merge({}))", maps.join(", "))),
        10_000
    );
    let text = format!("length(\"{}\")", "${1}".repeat(10_000));
    assert_eq!(number(&text), 10_000);
}

#[test]
fn what_an_expression_makes_has_bounds() {
    on_a_thread(bounds);
}

fn bounds() {
    // `big` is shared: it takes no memory to hold it a hundred times, but to print it.
    assert_eq!(
        refusal("[for n in range(100) : big]"),
        "a value grows out of bounds"
    );
    assert_eq!(
        refusal("jsonencode({ a = [for n in range(100) : { b = big }] })"),
        "a value grows out of bounds"
    );
    assert_eq!(number("length([for n in range(40) : big])"), 40);
    let piece = "x".repeat(1 << 20);
    assert_eq!(
        refusal(&format!(
            "\"%{{ for n in range(257) }}${{n}}{piece}%{{ endfor }}\""
        )),
        "a text grows beyond 256 MiB"
    );
    assert_eq!(refusal("1e100000 * 10"), "a number is out of bounds");
    assert_eq!(refusal("1e-100000 / 10"), "a number is out of bounds");
    assert_eq!(
        refusal("sum([9e100000, 9e100000])"),
        "a number is out of bounds"
    );
    assert_eq!(number("1e100000 / 1e99999"), 10);
    assert_eq!(number("length(tostring(1e100000))"), 100_001);
    assert_eq!(number("0e999999999 + 1"), 1);
}
