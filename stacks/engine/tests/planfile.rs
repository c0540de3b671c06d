//! The plan file's format, held by a golden file.
#![allow(clippy::unwrap_used)]

mod common;

use common::World;
use std::{path::Path, sync::Arc};
use tokio_util::sync::CancellationToken;
use weir_core::Value;
use weir_engine::{PlanInput, PlanOptions, Planned, planfile::SavedPlan};
use weir_lang::{Files, Inputs, MemoryFiles, NoCatalog, load};
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
        let saved = SavedPlan::read(&bytes, common::no_files(), &NoCatalog)
            .unwrap_or_else(|d| panic!("{d}"));
        assert_eq!(saved.plan().changes.len(), 2);
        assert_eq!(saved.plan().nodes.len(), 2);
        assert_eq!(saved.plan().steps.len(), 2);
    }
}

/// Functions of files, some of them called with what is known at apply alone.
const FILES: &str = r#"
resource "terraform_data" "late" {
  input = "late"
}
output "read" {
  value = [file("d/x"), try(file("gone"), "none"), filesha1("d/x"), can(file("d"))]
}
output "exists" {
  value = [fileexists("d/x"), fileexists("gone"), can(fileexists("d")), fileexists("d/../gone")]
}
output "sets" {
  value = [fileset("d", "*"), fileset("gone", "*"), fileset(".", "d/*"), fileset("d", "**")]
}
output "late" {
  value = [for p in [terraform_data.late.output] : [file(p), fileexists("${p}r"), fileset(p == "late" ? "e" : "", "*")]]
}
"#;

fn folder(more: &[(&'static str, &'static str)]) -> Arc<MemoryFiles> {
    let files = [
        ("main.tf", FILES),
        ("d/x", "1"),
        ("d/y", "1"),
        ("late", "planned"),
    ];
    Arc::new(MemoryFiles::of(
        files.into_iter().chain(more.iter().copied()),
    ))
}

async fn plan(world: &World, files: Arc<dyn Files>) -> Planned {
    let inputs = Inputs::default();
    let config = load(files, &NoCatalog, &inputs)
        .unwrap_or_else(|d| panic!("{d}"))
        .config;
    let input = PlanInput {
        config,
        inputs,
        options: PlanOptions::default(),
    };
    let lease = world.lease().await;
    let planned = world.engine().plan(&input, &lease).await;
    world.store.release(lease).await.unwrap();
    planned.unwrap_or_else(|d| panic!("{d}"))
}

#[tokio::test]
async fn a_plan_carries_what_it_found_of_files() {
    let world = World::new();
    let planned = plan(&world, folder(&[])).await;
    let shown: Vec<Option<Value>> = ["read", "exists", "sets"]
        .map(|o| planned.plan.plan().outputs[o].after.clone())
        .into();
    let bytes = planned.to_bytes();
    // All is another there where it is applied.
    let there = MemoryFiles::of([
        ("main.tf", "output \"read\" { value = 1 }"),
        ("d/x", "2"),
        ("d/z", "2"),
        ("gone", "2"),
        ("gone/x", "2"),
        ("late", "applied"),
        ("later", ""),
        ("e/x", "2"),
    ]);
    let saved = SavedPlan::read(&bytes, Arc::new(there), &NoCatalog).unwrap();
    let (lease, engine) = (world.lease().await, world.engine());
    let opened = engine.open(saved, &lease).await.unwrap();
    assert_eq!(opened.digest(), planned.digest());
    assert_eq!(opened.config_digest(), planned.config_digest());
    let report = engine
        .apply(&opened, &lease, CancellationToken::new())
        .await;
    let report = report.unwrap();
    assert_eq!(report.diagnostics.0, []);
    world.store.release(lease).await.unwrap();
    let sets = r#"[["x", "y"], [], ["d/x", "d/y"], ["x", "y"]]"#;
    assert_eq!(world.output("sets").await.unwrap().to_string(), sets);
    for (name, shown) in ["read", "exists", "sets"].iter().zip(shown) {
        assert_eq!(world.output(name).await, shown, "{name}");
    }
    // What could not be looked at when it was planned is looked at where it is applied.
    let late = world.output("late").await.unwrap().to_string();
    assert_eq!(late, r#"[["applied", true, ["x"]]]"#);
}

#[tokio::test]
async fn the_digest_of_a_configuration_covers_what_was_found() {
    let world = World::new();
    let of = async |more: &[(&'static str, &'static str)]| {
        plan(&world, folder(more)).await.config_digest()
    };
    let as_it_is = of(&[]).await;
    assert_eq!(of(&[("readme.md", ""), ("f/x", "")]).await, as_it_is);
    for more in [("d/z", ""), ("gone", ""), ("d/x", "2"), ("d/e/z", "")] {
        assert_ne!(of(&[more]).await, as_it_is, "{more:?}");
    }
}
