//! The service catalogue: ready services a stack uses with `source = "catalog:NAME"`.
//!
//! Each folder beside `src` is a module: HCL files and a `templates/` folder, with no Rust in it.
//! This crate only embeds them, so that `weir` is one file; it interprets nothing.
//!
//! 1. [`names`] lists what there is;
//! 2. [`module`] hands the files of one module to the language, which loads them as it loads any
//!    module's.

use include_dir::{Dir, include_dir};
use std::{collections::BTreeMap, path::PathBuf};

static CATALOGUE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR");

/// The names of all modules, sorted.
pub fn names() -> Vec<&'static str> {
    let mut names: Vec<_> = CATALOGUE
        .dirs()
        .filter(|d| {
            d.files()
                .any(|f| f.path().extension().is_some_and(|e| e == "hcl"))
        })
        .filter_map(|d| d.path().to_str())
        .collect();
    names.sort_unstable();
    names
}

/// The files of a module by their path inside it; `None` where the catalogue has no such module.
pub fn module(name: &str) -> Option<BTreeMap<PathBuf, &'static [u8]>> {
    if !names().contains(&name) {
        return None;
    }
    let mut files = BTreeMap::new();
    let mut folders = vec![CATALOGUE.get_dir(name)?];
    while let Some(folder) = folders.pop() {
        folders.extend(folder.dirs());
        for file in folder.files() {
            if let Ok(inside) = file.path().strip_prefix(name) {
                files.insert(inside.to_owned(), file.contents());
            }
        }
    }
    Some(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_module_has_its_hcl_and_its_templates() {
        assert_eq!(names(), ["node-exporter", "process", "prometheus"]);
        let prometheus = module("prometheus").expect("listed above");
        assert!(prometheus.contains_key(&PathBuf::from("main.hcl")));
        assert!(prometheus.contains_key(&PathBuf::from("templates/prometheus.yml.j2")));
    }

    #[test]
    fn what_is_no_module_is_not_served() {
        assert_eq!(module("src"), None);
        assert_eq!(module("../cli"), None);
    }
}
