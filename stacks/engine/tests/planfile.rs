//! The plan file's format, held by a golden file.
#![allow(clippy::unwrap_used)]

mod common;

use common::World;
use std::path::Path;
use weir_engine::planfile::SavedPlan;
use weir_lang::NoCatalog;
use weir_state::Store;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/plan-v2.json");
const VERSION_1: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/plan-v1.json");

const STACK: &str = r#"
variable "name" {
  default = "weir"
}
resource "terraform_data" "a" {
  input            = var.name
  triggers_replace = ["one"]
}
resource "terraform_data" "b" {
  input = terraform_data.a.id
}
output "secret" {
  value     = terraform_data.b.output
  sensitive = true
}
"#;

/// The file with what differs from run to run replaced.
async fn written() -> String {
    let world = World::new();
    let planned = world.plan(STACK).await;
    let lineage = world.store.lineage().0;
    let cloud = world.cloud_path().display().to_string();
    String::from_utf8(planned.to_bytes())
        .unwrap()
        .replace(&lineage, "LINEAGE")
        .replace(&cloud, "CLOUD")
        .replace(env!("CARGO_PKG_VERSION"), "VERSION")
}

/// A change of this file is a change of the format: raise the version, and keep reading this one.
/// With `UPDATE_GOLDEN=1` in the environment it is written anew.
#[tokio::test]
async fn version_2_is_written_as_ever() {
    let now = written().await;
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(Path::new(GOLDEN).parent().unwrap()).unwrap();
        std::fs::write(GOLDEN, &now).unwrap();
    }
    assert_eq!(now, std::fs::read_to_string(GOLDEN).unwrap());
}

#[test]
fn every_version_is_read_as_ever() {
    for file in [VERSION_1, GOLDEN] {
        let bytes = std::fs::read(file).unwrap();
        let saved = SavedPlan::read(&bytes, &NoCatalog).unwrap_or_else(|d| panic!("{d}"));
        assert_eq!(saved.plan().changes.len(), 2);
        assert_eq!(saved.plan().nodes.len(), 2);
        assert_eq!(saved.plan().steps.len(), 2);
    }
}
