//! Packages fetched, pinned and refused.

#![allow(clippy::unwrap_used)] // helpers of tests

mod common;

use common::{Answer, Server, commit, git, gz, install, repository, tar, zip};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};
use tempfile::TempDir;
use weir_source::{
    Host, Installer, LOCK_FILE, Limits, Lock, Options, SourceError, Upgrade, Wanted,
};

struct Lab {
    root: TempDir,
    stack: PathBuf,
}

fn lab() -> Lab {
    let root = tempfile::tempdir().unwrap();
    let stack = root.path().join("stack");
    fs::create_dir(&stack).unwrap();
    Lab { root, stack }
}

impl Lab {
    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.stack.join(path)).unwrap()
    }
    fn forget(&self) {
        fs::remove_dir_all(self.stack.join(".weir")).unwrap();
    }
}

fn upgrade() -> Options {
    Options {
        upgrade: Upgrade::Newest,
        ..Options::default()
    }
}

fn refused(result: Result<weir_source::Installed, SourceError>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn a_repository_is_pinned_to_its_commit() {
    let lab = lab();
    let folder = lab.root.path().join("repo");
    let source = repository(&folder);
    let tagged = format!("{source}//sub?ref=v1");
    let options = Options::default();
    let done = install(&lab.stack, &options, &tagged, None).unwrap();
    assert_eq!(done.entry.dir, ".weir/modules/net/sub");
    assert_eq!(lab.read(".weir/modules/net/main.tf"), "# one\n");
    assert!(!lab.stack.join(".weir/modules/net/.git").exists());
    assert!(
        !install(&lab.stack, &options, &tagged, None)
            .unwrap()
            .fetched
    );
    // What somebody changed in the installed folder is fetched anew.
    fs::write(lab.stack.join(".weir/modules/net/main.tf"), "# mine\n").unwrap();
    assert!(
        install(&lab.stack, &options, &tagged, None)
            .unwrap()
            .fetched
    );
    assert_eq!(lab.read(".weir/modules/net/main.tf"), "# one\n");
    // A tag that was moved is refused, and taken with an upgrade.
    let second = commit(&folder, "# two\n");
    git(&folder, &["tag", "-f", "v1"]);
    lab.forget();
    let before = lab.read(LOCK_FILE);
    let said = refused(install(&lab.stack, &options, &tagged, None));
    assert!(
        said.contains("`v1` was moved") && said.contains(&second),
        "{said}"
    );
    assert_eq!(lab.read(LOCK_FILE), before);
    install(&lab.stack, &upgrade(), &tagged, None).unwrap();
    assert!(lab.read(LOCK_FILE).contains(&second));
    assert_eq!(lab.read(".weir/modules/net/main.tf"), "# two\n");
}

#[test]
fn a_branch_that_goes_on_stays_at_its_pin() {
    let lab = lab();
    let folder = lab.root.path().join("repo");
    let source = repository(&folder);
    for source in [
        source.clone(),
        format!("{source}?ref=main"),
        format!("{source}?ref=main&depth=1"),
    ] {
        commit(&folder, "# pinned\n");
        install(&lab.stack, &upgrade(), &source, None).unwrap();
        commit(&folder, "# later\n");
        lab.forget();
        let kept = install(&lab.stack, &Options::default(), &source, None);
        // A server need not give a commit that no name stands for.
        if let Err(SourceError::Changed { what }) = &kept {
            assert!(source.contains("depth"), "{what}");
        } else {
            kept.unwrap();
            assert_eq!(
                lab.read(".weir/modules/net/main.tf"),
                "# pinned\n",
                "{source}"
            );
        }
        install(&lab.stack, &upgrade(), &source, None).unwrap();
        assert_eq!(
            lab.read(".weir/modules/net/main.tf"),
            "# later\n",
            "{source}"
        );
    }
    git(&folder, &["checkout", "-q", "--orphan", "other"]);
    let said = refused(install(
        &lab.stack,
        &Options::default(),
        &format!("{source}?ref=nope"),
        None,
    ));
    assert!(said.contains("no branch, tag or commit `nope`"), "{said}");
}

#[test]
fn archives_of_every_kind() {
    let server = Server::start();
    let lab = lab();
    let files = [
        ("main.tf", "# a\n"),
        ("sub/main.tf", "# sub\n"),
        ("link@", "main.tf"),
    ];
    let plain = tar(&files);
    let mut bz2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    bz2.write_all(&plain).unwrap();
    let mut xz = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::default()).unwrap();
    xz.write_all(&plain).unwrap();
    let all = [
        ("zip", zip(&files)),
        ("tar", plain.clone()),
        ("tar.gz", gz(&plain)),
        ("tgz", gz(&plain)),
        ("tar.bz2", bz2.finish().unwrap()),
        ("tar.xz", xz.finish().unwrap()),
    ];
    let mut digests = Vec::new();
    for (kind, bytes) in all {
        server.page(&format!("/net.{kind}"), Answer::body(bytes));
        let source = format!("{}/net.{kind}//sub", server.url);
        let done = install(&lab.stack, &Options::default(), &source, None).unwrap();
        assert_eq!(done.entry.dir, ".weir/modules/net/sub", "{kind}");
        assert_eq!(lab.read(".weir/modules/net/link"), "# a\n", "{kind}");
        digests.push(Lock::read(&lab.stack).unwrap().pins[0].digest.clone());
    }
    digests.dedup();
    assert_eq!(
        digests.len(),
        1,
        "the content is the same however it was packed"
    );
}

#[test]
fn a_changed_archive_is_refused() {
    let server = Server::start();
    let lab = lab();
    let source = format!("{}/net.zip", server.url);
    server.page("/net.zip", Answer::body(zip(&[("main.tf", "# one\n")])));
    install(&lab.stack, &Options::default(), &source, None).unwrap();
    server.page("/net.zip", Answer::body(zip(&[("main.tf", "# two\n")])));
    lab.forget();
    let error = install(&lab.stack, &Options::default(), &source, None).unwrap_err();
    assert!(
        error.to_string().contains("is not what is pinned"),
        "{error}"
    );
    assert!(error.help().unwrap().contains("weir init -upgrade"));
    assert!(!lab.stack.join(".weir/modules/net").exists());
    install(&lab.stack, &upgrade(), &source, None).unwrap();
    let sum = format!("{source}?checksum=sha1:{}", "0".repeat(40));
    let said = refused(install(&lab.stack, &Options::default(), &sum, None));
    assert!(said.contains("its checksum is"), "{said}");
}

#[test]
fn archives_stay_in_their_folder() {
    let server = Server::start();
    let lab = lab();
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("a.tar", tar(&[("../evil", "x")]), "leads out of it"),
        ("b.tar", tar(&[("/etc/evil", "x")]), "leads out of it"),
        ("c.tar", tar(&[("a/../../evil", "x")]), "leads out of it"),
        ("d.tar", tar(&[("link@", "../..")]), "leads out of it"),
        ("e.tar", tar(&[("link@", "/etc/passwd")]), "leads out of it"),
        // Through a link that by itself stays inside, to a place beside the folder.
        (
            "f.tar",
            tar(&[
                ("a/b/c", "x"),
                ("d@", "a/b"),
                ("e@", "d/../../.."),
                ("main.tf", ""),
            ]),
            "leads out of it",
        ),
        ("g.zip", zip(&[("../evil", "x")]), "leads out of it"),
        ("h.zip", zip(&[("link@", "../../x")]), "leads out of it"),
        ("i.zip", zip(&[("..\\evil", "x")]), "leads out of it"),
        ("j.zip", b"no archive".to_vec(), "can't be unpacked"),
        (
            "k.tar.gz",
            gz(&tar(&[("big", &"x".repeat(2000))])),
            "larger than a package may be",
        ),
    ];
    let options = Options {
        limits: Limits {
            bytes: 1000,
            ..Limits::default()
        },
        ..Options::default()
    };
    for (name, bytes, why) in cases {
        server.page(&format!("/{name}"), Answer::body(bytes));
        let source = format!("{}/{name}", server.url);
        let said = refused(install(&lab.stack, &options, &source, None));
        assert!(said.contains(why), "{name}: {said}");
        assert!(!lab.stack.join(".weir/modules/net").exists(), "{name}");
    }
    assert!(!lab.root.path().join("evil").exists() && !Path::new("/etc/evil").exists());
    let many: Vec<(String, &str)> = (0..50).map(|i| (format!("f{i}"), "")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(n, t)| (n.as_str(), *t)).collect();
    server.page("/many.tar", Answer::body(tar(&many)));
    let few = Options {
        limits: Limits {
            entries: 20,
            ..Limits::default()
        },
        ..Options::default()
    };
    let said = refused(install(
        &lab.stack,
        &few,
        &format!("{}/many.tar", server.url),
        None,
    ));
    assert!(said.contains("more files"), "{said}");
}

#[test]
fn registries_are_asked_as_terraform_asks_them() {
    let server = Server::start();
    let lab = lab();
    let base = "/v1/modules/acme/net/aws";
    server.page(
        &format!("{base}/versions"),
        Answer::body(r#"{"modules": [{"versions": [{"version": "1.0.0"}, {"version": "1.2.0"}, {"version": "2.0.0-rc1"}, {"version": "1.10.0"}]}]}"#),
    );
    for version in ["1.0.0", "1.2.0", "1.10.0", "2.0.0-rc1"] {
        let archive = format!("{}/dl/{version}?archive=tar.gz", server.url);
        server.page(
            &format!("{base}/{version}/download"),
            Answer::get(&archive.replace("?", "//*?")),
        );
        let tar = tar(&[("top-1/main.tf", version), ("top-1/sub/main.tf", "# sub")]);
        server.page(&format!("/dl/{version}"), Answer::body(gz(&tar)));
    }
    let host = Host {
        modules: Some(format!("{}/v1/modules/", server.url).parse().unwrap()),
        token: Some("hush".into()),
    };
    let options = Options {
        hosts: [("registry.example.com".to_owned(), host)].into(),
        ..Options::default()
    };
    let source = "registry.example.com/acme/net/aws//sub";
    let done = install(&lab.stack, &options, source, Some("~> 1.0, < 1.5")).unwrap();
    assert_eq!(done.entry.version.as_deref(), Some("1.2.0"));
    assert_eq!(done.entry.dir, ".weir/modules/net/top-1/sub");
    assert_eq!(lab.read(".weir/modules/net/top-1/main.tf"), "1.2.0");
    let asked = server.asked.lock().unwrap().clone();
    let with_token = |path: &str| {
        let request = asked
            .iter()
            .find(|r| r.contains(path))
            .unwrap()
            .to_lowercase();
        request.contains("authorization: bearer hush")
    };
    assert!(with_token("/versions") && with_token("/download"));
    assert!(
        !with_token("/dl/1.2.0"),
        "the token is the registry's alone"
    );
    // The pin wins over a newer version, as long as it will do.
    lab.forget();
    let again = install(&lab.stack, &options, source, Some(">= 1.0")).unwrap();
    assert_eq!(again.entry.version.as_deref(), Some("1.2.0"));
    let newest = Options {
        upgrade: Upgrade::Newest,
        ..options.clone()
    };
    let newest = install(&lab.stack, &newest, source, Some(">= 1.0")).unwrap();
    assert_eq!(newest.entry.version.as_deref(), Some("1.10.0"));
    let exact = install(&lab.stack, &options, source, Some("2.0.0-rc1")).unwrap();
    assert_eq!(exact.entry.version.as_deref(), Some("2.0.0-rc1"));
    let said = refused(install(&lab.stack, &options, source, Some("~> 3.0")));
    assert!(
        said.contains("no version is `~> 3.0`") && said.contains("1.10.0"),
        "{said}"
    );
    let said = refused(install(&lab.stack, &options, "./x", Some("1.0.0")));
    assert!(said.contains("not fetched"), "{said}");
    let said = refused(install(
        &lab.stack,
        &options,
        "git::file:///x",
        Some("1.0.0"),
    ));
    assert!(
        said.contains("only modules of a registry have versions"),
        "{said}"
    );
}

#[test]
fn pages_may_say_where_a_package_is() {
    let server = Server::start();
    let lab = lab();
    server.page("/net?terraform-get=1", Answer::get("/real.zip//sub"));
    server.page(
        "/real.zip",
        Answer::body(zip(&[("sub/deep/main.tf", "# deep\n")])),
    );
    let done = install(
        &lab.stack,
        &Options::default(),
        &format!("{}/net//deep", server.url),
        None,
    );
    assert_eq!(done.unwrap().entry.dir, ".weir/modules/net/sub/deep");
    let page = format!(
        "<html><meta name=\"terraform-get\" content=\"{}/real.zip\"></html>",
        server.url
    );
    server.page("/meta?terraform-get=1", Answer::body(page));
    install(
        &lab.stack,
        &Options::default(),
        &format!("{}/meta", server.url),
        None,
    )
    .unwrap();
    server.page("/loop?terraform-get=1", Answer::get("/loop"));
    let said = refused(install(
        &lab.stack,
        &Options::default(),
        &format!("{}/loop", server.url),
        None,
    ));
    assert!(said.contains("without end"), "{said}");
    server.page("/file?terraform-get=1", Answer::get("file:///etc"));
    let said = refused(install(
        &lab.stack,
        &Options::default(),
        &format!("{}/file", server.url),
        None,
    ));
    assert!(said.contains("files of this machine"), "{said}");
    let said = refused(install(
        &lab.stack,
        &Options::default(),
        &format!("{}/none.zip", server.url),
        None,
    ));
    assert!(said.contains("404"), "{said}");
}

#[test]
fn a_killed_run_leaves_nothing_that_matters() {
    let lab = lab();
    let folder = lab.root.path().join("local");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("main.tf"), "# one\n").unwrap();
    let source = folder.display().to_string();
    install(&lab.stack, &Options::default(), &source, None).unwrap();
    let before = lab.read(LOCK_FILE);
    // Killed after a module was put in its place and before the end.
    fs::write(folder.join("main.tf"), "# two\n").unwrap();
    let mut installer = Installer::open(&lab.stack, upgrade()).unwrap();
    let wanted = Wanted {
        key: "net".into(),
        source: source.clone(),
        version: None,
    };
    installer.install(&wanted).unwrap();
    drop(installer);
    fs::create_dir(lab.stack.join(".weir/modules/.staging-old")).unwrap();
    assert_eq!(lab.read(LOCK_FILE), before);
    assert!(
        !lab.read(".weir/modules/modules.json").contains("net"),
        "it is not said to be installed"
    );
    fs::write(folder.join("main.tf"), "# one\n").unwrap();
    install(&lab.stack, &Options::default(), &source, None).unwrap();
    assert_eq!(lab.read(".weir/modules/net/main.tf"), "# one\n");
    let left: Vec<_> = fs::read_dir(lab.stack.join(".weir/modules"))
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .filter(|n| n.starts_with(".staging"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn runs_at_the_same_time_wait_for_each_other() {
    let lab = lab();
    let folder = lab.root.path().join("repo");
    let source = repository(&folder);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| install(&lab.stack, &Options::default(), &source, None).unwrap());
        }
    });
    assert_eq!(lab.read(".weir/modules/net/main.tf"), "# one\n");
}

#[test]
fn the_lock_file_keeps_what_is_not_of_modules() {
    let lab = lab();
    let folder = lab.root.path().join("local");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("main.tf"), "").unwrap();
    let theirs = "provider \"example.org/acme/net\" {\n  version = \"1.0.0\"\n}";
    fs::write(lab.stack.join(LOCK_FILE), format!("{theirs}\n")).unwrap();
    let source = folder.display().to_string();
    install(&lab.stack, &Options::default(), &source, None).unwrap();
    let once = lab.read(LOCK_FILE);
    assert!(
        once.contains(theirs) && once.contains("module \"file://"),
        "{once}"
    );
    install(&lab.stack, &Options::default(), &source, None).unwrap();
    assert_eq!(lab.read(LOCK_FILE), once);
    fs::write(lab.stack.join(LOCK_FILE), "module \"x\" {").unwrap();
    let error = Lock::read(&lab.stack).unwrap_err();
    assert!(error.to_string().contains("can't be read"), "{error}");
    for key in ["../x", "a/b", "", ".git"] {
        fs::write(lab.stack.join(LOCK_FILE), "").unwrap();
        let mut installer = Installer::open(&lab.stack, Options::default()).unwrap();
        let wanted = Wanted {
            key: key.into(),
            source: source.clone(),
            version: None,
        };
        let error = installer.install(&wanted).unwrap_err().to_string();
        assert!(error.contains("no path of a module call"), "{error}");
    }
}
