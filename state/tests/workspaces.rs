//! States of several workspaces beside each other.

use weir_state::{Backend, Holder, SqliteBackend, StateId, Wait, Workspace, conformance};

fn names(found: &[Workspace]) -> Vec<&str> {
    found.iter().map(Workspace::as_str).collect()
}

#[test]
fn names_of_workspaces() {
    let fits = ["default", "prod", "a.b", "A-1_~$&+:=@"];
    for text in &fits {
        assert_eq!(text.parse::<Workspace>().unwrap().as_str(), *text);
    }
    let long = "x".repeat(91);
    for wrong in [
        "", ".", "..", "a/b", "a b", "a%20b", "é", "a\0", "a?", &long,
    ] {
        assert!(wrong.parse::<Workspace>().is_err(), "{wrong:?}");
    }
    let id = StateId {
        stack: "shop".into(),
        workspace: "prod".parse().unwrap(),
    };
    assert_eq!(id.to_string(), "shop/prod");
}

#[tokio::test]
async fn each_workspace_has_a_state_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let backend = SqliteBackend::new(folder.path().join("state.db"));
    let (default, prod) = (Workspace::default(), "prod".parse().unwrap());
    assert!(backend.workspaces().await.unwrap().is_empty());
    assert!(backend.open_existing(&prod).await.unwrap().is_none());
    let a = backend.open(&default).await.unwrap();
    let b = backend.open(&prod).await.unwrap();
    assert_eq!(
        names(&backend.workspaces().await.unwrap()),
        ["default", "prod"]
    );
    assert_ne!(a.lineage(), b.lineage());
    let holder = || Holder::this_process("ann", "apply");
    let lease = b.acquire(holder(), Wait::None).await.unwrap();
    b.forget(&lease, &conformance::address("a.a"))
        .await
        .unwrap();
    // One does not lock the other.
    let other = a.acquire(holder(), Wait::None).await.unwrap();
    b.release(lease).await.unwrap();
    a.release(other).await.unwrap();
    drop(b);
    backend.delete(&prod).await.unwrap();
    assert_eq!(names(&backend.workspaces().await.unwrap()), ["default"]);
    let left: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .filter(|n| !n.to_string_lossy().starts_with("state.db-"))
        .collect();
    assert_eq!(left, ["state.db"]);
    // A new one of that name knows nothing of the old one.
    backend.open(&prod).await.unwrap();
    backend.delete(&prod).await.unwrap();
    backend.delete(&prod).await.unwrap();
}
