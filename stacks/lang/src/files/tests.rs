use super::{DiskFiles, Entry, EntryKind, Failure, Files, MemoryFiles, Mounted, Recording, normal};
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
        ("/../a", "/a"),
        ("../../a", "../../a"),
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
        *files.list(Path::new("")).unwrap(),
        [
            entry("a.hcl", EntryKind::File),
            entry("m", EntryKind::Folder)
        ]
    );
    assert_eq!(
        *files.list(Path::new("./m")).unwrap(),
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
    for path in ["m/x.hcl", "bytes", "gone", "m", ""] {
        let path = Path::new(path);
        assert_eq!(disk.read_bytes(path).ok(), memory.read_bytes(path).ok());
        assert_eq!(
            disk.read(path).map_err(|e| e.kind()),
            memory.read(path).map_err(|e| e.kind())
        );
    }
    for path in ["", "m", "m/x.hcl", "bytes", "gone", "m/gone"] {
        let path = Path::new(path);
        assert_eq!(
            disk.list(path).map_err(|e| e.kind()),
            memory.list(path).map_err(|e| e.kind())
        );
        assert_eq!(
            disk.kind(path).map_err(|e| e.kind()),
            memory.kind(path).map_err(|e| e.kind())
        );
    }
}

#[cfg(unix)]
#[test]
fn a_folder_may_hold_other_things() {
    let dir = tempfile::tempdir().unwrap();
    let link = |to: &str, name: &str| {
        std::os::unix::fs::symlink(to, dir.path().join(name)).unwrap();
    };
    link("gone", "dangling");
    link("/dev/null", "device");
    link(".", "folder");
    std::fs::write(dir.path().join("x"), "").unwrap();
    link("x", "file");
    let disk = DiskFiles::new(dir.path());
    let entries = disk.list(Path::new("")).unwrap();
    let found: Vec<_> = entries.iter().map(|e| (e.name.as_str(), e.kind)).collect();
    let wanted = [
        ("dangling", EntryKind::Dangling),
        ("device", EntryKind::Special),
        ("file", EntryKind::File),
        ("folder", EntryKind::Folder),
        ("x", EntryKind::File),
    ];
    assert_eq!(found, wanted);
    assert_eq!(disk.kind(Path::new("device")).unwrap(), EntryKind::Special);
    assert_eq!(
        disk.kind(Path::new("dangling")).unwrap(),
        EntryKind::Dangling
    );
}

#[test]
fn the_catalogue_lies_beside_the_stack() {
    let folder = Path::new("catalog:m");
    let mounted = Mounted::new(Arc::new(MemoryFiles::default()));
    mounted.mount(
        folder,
        BTreeMap::from([(PathBuf::from("main.hcl"), &b"new"[..])]),
    );
    assert_eq!(&*mounted.read(&folder.join("main.hcl")).unwrap(), "new");
    assert_eq!(mounted.list(folder).unwrap().len(), 1);
    assert_eq!(mounted.kind(folder).unwrap(), EntryKind::Folder);
    assert!(mounted.kind(&folder.join("gone")).is_err());
}

#[test]
fn a_recording_has_what_was_found() {
    let inner = MemoryFiles::of([("a", "1"), ("b", "2"), ("d/x", ""), ("d/e/y", "")]);
    let recording = Recording::new(Arc::new(inner));
    recording.read(Path::new("./a")).unwrap();
    assert!(recording.read(Path::new("c")).is_err());
    recording.list(Path::new("d")).unwrap();
    recording.kind(Path::new("d/e")).unwrap();
    recording.configuration(Path::new("")).unwrap();
    let found = recording.found();
    let paths: Vec<_> = found.keys().map(|p| p.display().to_string()).collect();
    assert_eq!(paths, ["a", "c", "d", "d/e"]);
    let content = |path: &str| found[Path::new(path)].content.clone();
    assert_eq!(content("a"), Some(Ok(b"1"[..].into())));
    assert!(matches!(content("c"), Some(Err(Failure::Absent(_)))));
}

#[test]
fn a_run_sees_each_file_as_it_was_first() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    let recording = Recording::new(Arc::new(DiskFiles::new(dir.path())));
    write("a", "1");
    let look = || {
        (
            recording.read(Path::new("a")).ok(),
            recording.read(Path::new("b")).ok(),
            recording.list(Path::new("")).unwrap().len(),
            recording.kind(Path::new("c")).ok(),
        )
    };
    let before = look();
    write("a", "2");
    write("b", "2");
    write("c", "2");
    assert_eq!(look(), before);
    recording.forget();
    assert_eq!(
        look(),
        (Some("2".into()), Some("2".into()), 3, Some(EntryKind::File))
    );
}

#[test]
fn a_plan_goes_on_from_what_it_carries() {
    let then = MemoryFiles::of([("main.tf", "old"), ("d/x", "1"), ("catalog:m/m.tf", "old")]);
    let first = Recording::new(Arc::new(then));
    for path in ["main.tf", "gone", "catalog:m/m.tf"] {
        let _ = first.read(Path::new(path));
    }
    first.list(Path::new("d")).unwrap();
    let now = MemoryFiles::of([
        ("main.tf", "new"),
        ("more.tf", "new"),
        ("gone", "new"),
        ("d/x", "2"),
        ("d/y", "2"),
        ("catalog:m/m.tf", "new"),
        ("catalog:m/n.tf", "new"),
    ]);
    let second = Recording::resumed(first.found(), Arc::new(now));
    let read = |path: &str| second.read(Path::new(path)).map_err(|e| e.kind());
    assert_eq!(read("main.tf").unwrap(), "old".into());
    assert_eq!(read("catalog:m/m.tf").unwrap(), "old".into());
    assert_eq!(read("gone"), Err(std::io::ErrorKind::NotFound));
    // What is not there is not there, whoever asks.
    assert!(second.kind(Path::new("gone")).is_err());
    assert!(second.list(Path::new("gone")).is_err());
    let names = |folder: &str| -> Vec<String> {
        let entries = second.configuration(Path::new(folder)).unwrap();
        entries.iter().map(|e| e.name.clone()).collect()
    };
    assert_eq!(names(""), ["catalog:m", "main.tf"]);
    assert_eq!(names("catalog:m"), ["m.tf"]);
    assert_eq!(second.list(Path::new("d")).unwrap().len(), 1);
    assert_eq!(second.kind(Path::new("d")).unwrap(), EntryKind::Folder);
    // Nobody read it then.
    assert_eq!(read("d/x").unwrap(), "2".into());
}
