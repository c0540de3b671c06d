//! Packages, with a fake apt-get that is a shell script.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::*;

const STATUS: &str = "Package: curl\nStatus: install ok installed\nArchitecture: amd64\nVersion: 7.88\nDescription: a\n tool\n\n\
    Package: gone\nStatus: deinstall ok config-files\nArchitecture: all\nVersion: 1\n\n\
    Package: half\nStatus: install ok half-configured\nArchitecture: all\nVersion: 1\n";

#[test]
fn only_installed_packages_count() {
    let installed = parse_status(STATUS);
    assert_eq!(installed.get("curl").map(String::as_str), Some("7.88"));
    assert_eq!(
        installed.get("curl:amd64").map(String::as_str),
        Some("7.88")
    );
    assert!(!installed.contains_key("gone") && !installed.contains_key("half"));
    assert!(is_met("curl", &installed) && is_met("curl=7.88", &installed));
    assert!(!is_met("curl=8", &installed) && !is_met("gone", &installed));
}

#[test]
fn trouble_is_told_from_the_output() {
    let cases = [
        (
            "E: Unable to locate package nope",
            Trouble::Missing {
                package: "nope".into(),
            },
        ),
        (
            "E: Package 'nope' has no installation candidate",
            Trouble::Missing {
                package: "nope".into(),
            },
        ),
        (
            "E: Version '9' for 'curl' was not found",
            Trouble::NoVersion {
                package: "curl".into(),
                version: "9".into(),
            },
        ),
        ("Err:1 http://deb x 404  Not Found [IP: 1]", Trouble::Stale),
        (
            "E: dpkg was interrupted, you must manually run 'dpkg --configure -a'",
            Trouble::Interrupted,
        ),
        ("E: broken", Trouble::Other("E: broken".into())),
    ];
    for (line, expected) in cases {
        assert_eq!(diagnose(&[line.to_owned()]), expected, "{line}");
    }
}

fn script(path: &Path, text: &str) {
    fs::write(path, format!("#!/bin/sh\n{text}")).expect("the test directory can be written");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("the file is ours");
}

/// An apt-get that knows `good`, and `late` after an update.
fn fake(dir: &Path) -> Packages {
    fs::create_dir_all(dir).expect("the test directory can be made");
    let status = dir.join("status");
    fs::write(&status, STATUS).expect("the test directory can be written");
    let apt = dir.join("apt-get");
    script(
        &apt,
        &format!(
            "cd {dir}\necho \"$*\" >> calls\n\
             case \"$*\" in *update) touch updated; exit 0;; esac\n\
             for last in \"$@\"; do :; done\n\
             case \"$*\" in *bad*) echo 'E: Unable to locate package bad' >&2; exit 100;; esac\n\
             case \"$*\" in *late*) [ -e updated ] || {{ echo 'E: Unable to locate package late' >&2; exit 100; }};; esac\n\
             shift_names=0\n\
             for name in \"$@\"; do [ $shift_names = 1 ] && printf '\\nPackage: %s\\nStatus: install ok installed\\nArchitecture: all\\nVersion: 1\\n' \"$name\" >> status; [ \"$name\" = -- ] && shift_names=1; done\nexit 0\n",
            dir = dir.display()
        ),
    );
    Packages::with(status, apt, "/bin/true".into())
}

#[tokio::test]
async fn a_bad_package_fails_alone() {
    let dir = std::env::temp_dir().join(format!("weir-apt-{}", std::process::id()));
    let packages = fake(&dir);
    let wanted: BTreeSet<String> = ["bad", "good", "late"].map(str::to_owned).into();
    assert_eq!(packages.missing(&wanted), wanted);
    let failures = packages.install(&wanted, &|_| {}).await;
    assert_eq!(
        failures.get("bad").map(String::as_str),
        Some(
            "package \"bad\" does not exist in this host's apt sources; check its name, or add the source that has it"
        )
    );
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert_eq!(
        packages.missing(&wanted),
        BTreeSet::from(["bad".to_owned()])
    );
    let calls = fs::read_to_string(dir.join("calls")).expect("apt was called");
    let updates = calls
        .lines()
        .filter(|line| line.ends_with("update"))
        .count();
    assert_eq!(updates, 1, "{calls}");
    fs::remove_dir_all(dir).expect("the test directory is ours");
}
