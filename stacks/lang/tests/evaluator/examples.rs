//! The stacks of `examples/` and the modules of the catalogue load and plan.

use crate::kit::{Mode, all, drive, evaluator};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};
use weir_lang::{Catalog, DiskFiles, Inputs, load};

/// The catalogue, read from the repository.
struct FromDisk(BTreeMap<String, BTreeMap<PathBuf, &'static [u8]>>);

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read_all(folder: &Path, inside: &Path, out: &mut BTreeMap<PathBuf, &'static [u8]>) {
    for entry in fs::read_dir(folder.join(inside)).expect("a folder of the repository") {
        let entry = entry.expect("a folder of the repository");
        let path = inside.join(entry.file_name());
        if entry.path().is_dir() {
            read_all(folder, &path, out);
        } else {
            let bytes = fs::read(entry.path()).expect("a file of the repository");
            out.insert(path, Vec::leak(bytes));
        }
    }
}

impl FromDisk {
    fn new() -> FromDisk {
        let mut modules = BTreeMap::new();
        for entry in fs::read_dir(root().join("modules")).expect("modules/") {
            let entry = entry.expect("modules/");
            if entry.path().join("main.hcl").exists() {
                let mut files = BTreeMap::new();
                read_all(&entry.path(), Path::new(""), &mut files);
                modules.insert(entry.file_name().to_string_lossy().into_owned(), files);
            }
        }
        FromDisk(modules)
    }
}

impl Catalog for FromDisk {
    fn module(&self, name: &str) -> Option<BTreeMap<PathBuf, &'static [u8]>> {
        self.0.get(name).cloned()
    }
    fn names(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}

fn plan(example: &str, inputs: &Inputs) -> crate::kit::Run {
    let files = Arc::new(DiskFiles::new(root().join("examples").join(example)));
    let loaded = load(files, &FromDisk::new(), inputs).unwrap_or_else(|e| panic!("{}", all(&e)));
    let run = drive(&mut evaluator(loaded.config), &Mode::Plan, &BTreeSet::new());
    assert!(run.problems.is_empty(), "{}", all(&run.problems));
    run
}

#[test]
fn the_quickstart_plans() {
    let run = plan("quickstart", &Inputs::default());
    assert_eq!(
        run.addresses(),
        [r#"site.here.host["me"]"#, r#"service.web.pod.app["0"]"#]
    );
    assert_eq!(run.output("url"), r#""http://127.0.0.1:8480/""#);
    let files = run
        .config(r#"service.web.pod.app["0"]"#)
        .get("files")
        .cloned();
    let page = files
        .as_ref()
        .and_then(|f| f.get("index.html")?.get("content")?.as_str());
    assert!(
        page.is_some_and(|p| p.contains("Served by app-0.")),
        "{page:?}"
    );
}

#[test]
fn a_host_more_is_scraped() {
    let targets = |hosts: &str| {
        let run = plan("monitoring", &Inputs::default().var("hosts", hosts));
        let config = run.config(r#"module.metrics.service.prometheus.pod.server["0"]"#);
        let file = config
            .get("files")
            .and_then(|f| f.get("/etc/prometheus/prometheus.yml")?.get("content"));
        file.and_then(|v| v.as_str())
            .map(str::to_owned)
            .unwrap_or_default()
    };
    let one = r#"a = { address = "10.0.0.1", host_key = "k" }"#;
    let two = r#"b = { address = "10.0.0.2", host_key = "k" }"#;
    let text = targets(&format!("{{ {one} }}"));
    assert!(
        text.contains("\"10.0.0.1:9100\"") && !text.contains("10.0.0.2"),
        "{text}"
    );
    let text = targets(&format!("{{ {one}, {two} }}"));
    assert!(
        text.contains("\"10.0.0.1:9100\"") && text.contains("\"10.0.0.2:9100\""),
        "{text}"
    );
}
