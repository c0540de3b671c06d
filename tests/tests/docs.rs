//! The book says what is: its stacks load, its links lead somewhere, and its tables of attributes
//! are those of the language.

use regex::Regex;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};
use weir_core::{
    Type,
    schema::{Block, SetBy},
};
use weir_tests::cli::Stack;

/// A page of the book, or the README.
struct Page {
    path: PathBuf,
    text: String,
}

impl Page {
    fn name(&self) -> String {
        let root = root().canonicalize().expect("the workspace is there");
        let path = self.path.canonicalize().expect("the page was read");
        path.strip_prefix(root)
            .expect("pages lie in the workspace")
            .display()
            .to_string()
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every page of `docs/`, and the README at the root.
fn pages() -> Vec<Page> {
    let folder = fs::read_dir(root().join("docs")).expect("the book is there");
    let mut paths: Vec<PathBuf> = folder
        .map(|entry| entry.expect("an entry of a folder").path())
        .filter(|path| path.extension().is_some_and(|e| e == "md"))
        .chain(
            [root().join("README.md")]
                .into_iter()
                .filter(|p| p.exists()),
        )
        .collect();
    paths.sort();
    let read = |path: PathBuf| Page {
        text: fs::read_to_string(&path).expect("a page is text"),
        path,
    };
    paths.into_iter().map(read).collect()
}

fn page(name: &str) -> Page {
    let found = pages().into_iter().find(|p| p.name() == name);
    found.unwrap_or_else(|| panic!("there is no page {name}"))
}

/// The fenced blocks with this word after the fence: the line they begin on, and their text.
fn fenced(text: &str, word: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut open: Option<(bool, usize, String)> = None;
    for (number, line) in text.lines().enumerate() {
        match (line.strip_prefix("```"), open.take()) {
            (Some(after), None) => open = Some((after.trim() == word, number + 1, String::new())),
            (Some(_), Some((wanted, start, body))) => {
                if wanted {
                    found.push((start, body));
                }
            }
            (None, Some((wanted, start, body))) => {
                open = Some((wanted, start, body + line + "\n"));
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a fence is not closed");
    found
}

#[test]
fn every_whole_stack_is_valid() {
    let mut checked = 0;
    for page in pages() {
        let stacks = fenced(&page.text, "hcl stack");
        for (line, text) in stacks {
            let stack = Stack::new();
            stack.file("stack.hcl", &text);
            // Templates that a page shows belong to its stacks: `jinja NAME`.
            for (name, template) in templates(&page.text) {
                stack.file(&format!("templates/{name}"), &template);
            }
            let run = stack.weir(&["validate"]);
            assert!(
                run.status.success(),
                "{}:{line}: the stack is not valid\n{}",
                page.name(),
                run.transcript()
            );
            let run = stack.weir(&["fmt", "-check", "-diff"]);
            assert!(
                run.status.success(),
                "{}:{line}: the stack is not formatted\n{}",
                page.name(),
                run.transcript()
            );
            checked += 1;
        }
    }
    assert!(checked >= 4, "only {checked} stacks are in the book");
}

/// The templates of a page, by name: the language's fence is `jinja NAME`.
fn templates(text: &str) -> BTreeMap<String, String> {
    let names = Regex::new(r"(?m)^```jinja (\S+)$").expect("a sound expression");
    names
        .captures_iter(text)
        .flat_map(|c| {
            let name = c[1].to_owned();
            let bodies = fenced(text, &format!("jinja {name}"));
            bodies.into_iter().map(move |(_, b)| (name.clone(), b))
        })
        .collect()
}

#[test]
fn every_relative_link_resolves() {
    let link = Regex::new(r"\]\(([^)\s]+)\)").expect("a sound expression");
    let mut checked = 0;
    for page in pages() {
        let folder = page.path.parent().expect("a page lies in a folder");
        for target in link.captures_iter(&page.text).map(|c| c[1].to_owned()) {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let path = match file {
                "" => page.path.clone(),
                file => folder.join(file),
            };
            assert!(path.exists(), "{}: {target} leads nowhere", page.name());
            if !anchor.is_empty() {
                let text = fs::read_to_string(&path).expect("an anchor is one of a page");
                assert!(
                    anchors(&text).contains(anchor),
                    "{}: {target}: there is no such heading",
                    page.name()
                );
            }
            checked += 1;
        }
    }
    assert!(checked > 20, "only {checked} links are in the book");
}

/// The anchors of a page's headings, as Markdown renderers make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|l| l.starts_with('#'));
    headings
        .map(|line| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            let kept = title
                .chars()
                .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

#[test]
fn every_page_is_in_the_index() {
    let index = page("docs/README.md");
    for page in pages() {
        let name = page.path.file_name().expect("a page has a name");
        let name = name.to_string_lossy();
        if name != "README.md" {
            let link = format!("]({name}");
            assert!(
                index.text.contains(&link),
                "docs/README.md leaves out {name}"
            );
        }
    }
}

/// The attributes in a page's tables: heading path (`task` inside `pod` is `pod.task`) and name, to
/// the type and the default that stand beside it.
fn documented(text: &str) -> BTreeMap<(String, String), (String, String)> {
    let row = Regex::new(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|").expect("a sound expression");
    let heading = Regex::new(r"^#+ .*\(`([\w.]+)`\)$").expect("a sound expression");
    let mut block = None;
    let mut found = BTreeMap::new();
    for line in text.lines() {
        if let Some(c) = heading.captures(line) {
            block = Some(c[1].to_owned());
        } else if line.starts_with('#') {
            block = None;
        } else if let (Some(block), Some(c)) = (&block, row.captures(line)) {
            let cell = |i: usize| c[i].trim().trim_matches('`').to_owned();
            let old = found.insert((block.clone(), cell(1)), (cell(2), cell(3)));
            assert!(old.is_none(), "{block}.{} stands twice", cell(1));
        }
    }
    found
}

/// The attributes and blocks of a schema, under the path of their block: (type, required).
fn listed(path: &str, block: &Block, out: &mut BTreeMap<(String, String), (Type, bool)>) {
    for (name, a) in &block.attributes {
        let key = (path.to_owned(), name.clone());
        out.insert(key, (a.ty.clone(), a.set_by == SetBy::Required));
    }
    for (name, nested) in &block.blocks {
        listed(&format!("{path}.{name}"), &nested.block, out);
    }
}

/// The tables an attribute of a block may stand in: a host has all that its site's `ssh` has, and
/// `alive` asks as `ready` does.
fn tables(block: &str) -> [&str; 2] {
    match block {
        "site.host" => ["site.host", "site.ssh"],
        "pod.task.alive" => ["pod.task.ready"; 2],
        own => [own; 2],
    }
}

#[test]
fn the_tables_of_attributes_are_the_languages() {
    let pages = ["docs/services.md", "docs/pools.md"].map(|name| page(name).text);
    let documented = documented(&pages.concat());
    let mut schema = BTreeMap::new();
    for (name, block) in weir_lang::service_schema() {
        listed(name, block, &mut schema);
    }
    for ((block, name), (ty, required)) in &schema {
        let row = tables(block)
            .into_iter()
            .find_map(|b| documented.get(&(b.to_owned(), name.clone())));
        let Some((shown, default)) = row else {
            panic!("docs/services.md, docs/pools.md: `{name}` of `{block}` is in no table");
        };
        if *ty != Type::Dynamic && !ty.to_string().contains("any") {
            assert_eq!(*shown, ty.to_string(), "the type of `{name}` of `{block}`");
        }
        let says = default == "required";
        assert_eq!(says, *required, "whether `{block}` must have `{name}`");
    }
    for (block, name) in documented.keys() {
        assert!(
            schema.contains_key(&(block.clone(), name.clone())),
            "docs/services.md, docs/pools.md: `{block}` has no `{name}`"
        );
    }
}

/// The commands that the help of a command lists.
fn commands(of: &[&str]) -> Vec<String> {
    let line: Vec<&str> = of.iter().copied().chain(["--help"]).collect();
    let help = Stack::new().weir(&line).expect_success().stdout;
    let Some((_, list)) = help.split_once("Commands:\n") else {
        return Vec::new();
    };
    list.lines()
        .take_while(|l| !l.is_empty())
        .filter_map(|l| l.split_whitespace().next().map(str::to_owned))
        .collect()
}

#[test]
fn every_command_and_flag_is_in_the_book() {
    let page = page("docs/commands.md");
    let flag = Regex::new(r"--([a-z][a-z-]+)").expect("a sound expression");
    let top = commands(&[]);
    assert!(top.len() > 10, "{top:?}");
    for name in &top {
        let below = commands(&[name]);
        let lines = match below.is_empty() {
            true => vec![vec![name.as_str()]],
            false => below.iter().map(|b| vec![name.as_str(), b]).collect(),
        };
        for line in lines {
            let title = format!("`weir {}", line.join(" "));
            assert!(
                page.text.contains(&title),
                "docs/commands.md leaves out {title}`"
            );
            let line: Vec<&str> = line.into_iter().chain(["--help"]).collect();
            let help = Stack::new().weir(&line).expect_success().stdout;
            for flag in flag.captures_iter(&help).map(|c| format!("`-{}", &c[1])) {
                assert!(
                    flag == "`-help" || page.text.contains(&flag),
                    "docs/commands.md leaves out {flag}` of {title}`"
                );
            }
        }
    }
}
