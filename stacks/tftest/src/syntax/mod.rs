//! Test files to types: everything wrong with a file at once.

mod blocks;
mod fields;
mod file;

pub(crate) use file::{
    Assert, During, MockBlock, MockedKind, ModuleSource, OverrideBlock, OverrideTarget,
};
pub use file::{Command, RunBlock, TestFile};

use blocks::{mock, mock_contents, override_block, run};
use fields::{Fields, Report};
use std::{collections::BTreeMap, path::Path, sync::Arc};
use weir_core::{Diagnostic, Diagnostics};
use weir_lang::{
    Files, Sources,
    ir::{Attribute, Body},
    parse,
};

/// The names of `override_...` blocks.
pub(crate) const OVERRIDES: [&str; 3] = ["override_resource", "override_data", "override_module"];

/// A file of tests, parsed. Its text and that of what it refers to is added to `sources`.
pub(crate) fn read(
    files: &dyn Files,
    path: &str,
    sources: &mut Sources,
) -> Result<TestFile, Diagnostics> {
    let body = parsed(files, Path::new(path), sources, parse::parse_tests)?;
    let mut mocked: BTreeMap<String, Vec<Body>> = BTreeMap::new();
    for block in body.blocks("mock_provider") {
        let source = block.body.attribute("source");
        if let Some(source) = source.and_then(|a| fields::literal(&a.expr)) {
            let bodies = mock_files(files, &source, sources)?;
            mocked.insert(source, bodies);
        }
    }
    let mut report = Report {
        sources,
        found: Diagnostics::new(),
    };
    let file = lower(path.into(), &body, &mocked, &mut report);
    report.found.sort();
    match report.found.has_errors() {
        true => Err(report.found),
        false => Ok(file),
    }
}

fn parsed(
    files: &dyn Files,
    path: &Path,
    sources: &mut Sources,
    parse: fn(Arc<str>, &Arc<str>) -> (Body, Diagnostics),
) -> Result<Body, Diagnostics> {
    let name: Arc<str> = path.to_string_lossy().into();
    let text = files.read(path).map_err(|e| {
        Diagnostics::from(
            Diagnostic::error(format!("{name} can't be read"))
                .because(format!("{e}."))
                .help("Check that you may read the file, and that it is UTF-8 text."),
        )
    })?;
    sources.add(name.clone(), text.clone());
    let (body, found) = parse(name, &text);
    match found.has_errors() {
        true => Err(found),
        false => Ok(body),
    }
}

/// How names of files of mocks end.
const MOCKS: [&str; 4] = [".tfmock.hcl", ".tfmock.json", ".mock.hcl", ".mock.json"];

/// The mocks that lie in a folder: `*.tfmock.hcl`.
fn mock_files(
    files: &dyn Files,
    folder: &str,
    sources: &mut Sources,
) -> Result<Vec<Body>, Diagnostics> {
    let entries = files.list(Path::new(folder)).map_err(|e| {
        Diagnostics::from(
            Diagnostic::error(format!("The folder of mocks {folder} can't be read"))
                .because(format!("{e}."))
                .help("`source` of a mock_provider is relative to the stack's folder."),
        )
    })?;
    let names = entries.iter().map(|e| e.name.as_str());
    names
        .filter(|n| MOCKS.iter().any(|end| n.ends_with(end)))
        .map(|name| {
            let path = Path::new(folder).join(name);
            parsed(files, &path, sources, parse::parse_mocks)
        })
        .collect()
}

fn lower(
    path: Arc<str>,
    body: &Body,
    mocked: &BTreeMap<String, Vec<Body>>,
    report: &mut Report<'_>,
) -> TestFile {
    let mut fields = Fields::new("A test file", body);
    let mut file = TestFile {
        path,
        runs: Vec::new(),
        variables: variables(&mut fields, report),
        providers: fields.blocks("provider").cloned().collect(),
        mocks: Vec::new(),
        overrides: overrides(&mut fields, report),
    };
    // Terraform's settings of the file itself; `parallel` changes nothing here.
    if let Some(block) = fields.block("test", report) {
        let mut settings = Fields::new("`test`", &block.body);
        settings.flag("parallel", report);
        settings.finish(report);
    }
    for block in fields.blocks("mock_provider") {
        if let Some(mut found) = mock(block, report) {
            let source = block.body.attribute("source");
            let source = source.and_then(|a| fields::literal(&a.expr));
            for body in source.iter().filter_map(|s| mocked.get(s)).flatten() {
                mock_contents(&mut found, body, report);
            }
            file.mocks.push(found);
        }
    }
    for block in fields.blocks("run") {
        let Some(found) = run(block, report) else {
            continue;
        };
        if let Some(first) = file.runs.iter().find(|r| r.name == found.name) {
            let d = Diagnostic::error("Duplicate \"run\" block names")
                .because(format!(
                    "This test file already has a run named {} defined at {}.",
                    found.name, first.span
                ))
                .help("Rename one of them.");
            report.push(d, &found.span);
            continue;
        }
        file.runs.push(found);
    }
    fields.finish(report);
    file
}

/// `variables { name = expression }`
fn variables(fields: &mut Fields<'_>, report: &mut Report<'_>) -> Vec<Attribute> {
    let Some(block) = fields.block("variables", report) else {
        return Vec::new();
    };
    Fields::new(
        "`variables`",
        &Body {
            attributes: Vec::new(),
            ..block.body.clone()
        },
    )
    .finish(report);
    block.body.attributes.clone()
}

fn overrides(fields: &mut Fields<'_>, report: &mut Report<'_>) -> Vec<OverrideBlock> {
    let mut found: Vec<OverrideBlock> = Vec::new();
    for ident in OVERRIDES {
        for block in fields.blocks(ident) {
            let Some(next) = override_block(block, report) else {
                continue;
            };
            if let Some(first) = found.iter().find(|o| o.target == next.target) {
                let d = Diagnostic::error(format!("Duplicate {ident} block"))
                    .because(format!(
                        "The same target is overridden at {} already.",
                        first.span
                    ))
                    .help("Remove one of the two.");
                report.push(d, &next.span);
                continue;
            }
            found.push(next);
        }
    }
    found
}
