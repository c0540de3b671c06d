use super::{DiskFiles, Entry, EntryKind, Files, MemoryFiles, Mounted, Recording, normal};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

#[test]
fn paths_are_taken_back_to_their_shortest() {
    let cases = [
        ("./a/../b", "b"),
        ("a/./b", "a/b"),
        ("../x", "../x"),
        ("a/../../x", "../x"),
        ("/a/..", "/"),
    ];
    for (path, wanted) in cases {
        assert_eq!(normal(Path::new(path)), PathBuf::from(wanted), "{path}");
    }
}

#[test]
fn memory_lists_like_a_folder() {
    let files = MemoryFiles::of([("a.hcl", ""), ("m/b.hcl", ""), ("m/n/c.hcl", "")]);
    let entry = |name: &str, kind| Entry {
        name: name.into(),
        kind,
    };
    assert_eq!(
        files.list(Path::new("")).unwrap(),
        [
            entry("a.hcl", EntryKind::File),
            entry("m", EntryKind::Folder)
        ]
    );
    assert_eq!(
        files.list(Path::new("./m")).unwrap(),
        [
            entry("b.hcl", EntryKind::File),
            entry("n", EntryKind::Folder)
        ]
    );
    assert!(files.list(Path::new("gone")).is_err());
}

#[test]
fn disk_and_memory_agree() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("m")).unwrap();
    std::fs::write(dir.path().join("m/x.hcl"), "text").unwrap();
    std::fs::write(dir.path().join("bytes"), [0xff, 0xfe]).unwrap();
    let disk = DiskFiles::new(dir.path());
    let memory = MemoryFiles(
        [
            (PathBuf::from("m/x.hcl"), b"text".to_vec()),
            (PathBuf::from("bytes"), vec![0xff, 0xfe]),
        ]
        .into(),
    );
    for folder in ["", "m"] {
        let folder = Path::new(folder);
        assert_eq!(disk.list(folder).unwrap(), memory.list(folder).unwrap());
    }
    for path in ["m/x.hcl", "bytes", "gone"] {
        let path = Path::new(path);
        assert_eq!(disk.read_bytes(path).ok(), memory.read_bytes(path).ok());
        assert_eq!(
            disk.read(path).map_err(|e| e.kind()),
            memory.read(path).map_err(|e| e.kind())
        );
    }
}

#[test]
fn what_a_plan_carries_wins_over_the_catalogue() {
    let folder = Path::new("catalog:m");
    let module = || BTreeMap::from([(PathBuf::from("main.hcl"), &b"new"[..])]);
    let fresh = Mounted::new(Arc::new(MemoryFiles::default()));
    fresh.mount(folder, module());
    assert_eq!(&*fresh.read(&folder.join("main.hcl")).unwrap(), "new");
    assert_eq!(fresh.list(folder).unwrap().len(), 1);
    let carried = MemoryFiles::of([("catalog:m/main.hcl", "old")]);
    let carried = Mounted::new(Arc::new(carried));
    carried.mount(folder, module());
    assert_eq!(&*carried.read(&folder.join("main.hcl")).unwrap(), "old");
}

#[test]
fn a_recording_has_what_was_read() {
    let recording = Recording::new(Arc::new(MemoryFiles::of([("a", "1"), ("b", "2")])));
    recording.read(Path::new("./a")).unwrap();
    assert!(recording.read(Path::new("c")).is_err());
    assert_eq!(
        recording.files().keys().collect::<Vec<_>>(),
        [Path::new("a")]
    );
}
