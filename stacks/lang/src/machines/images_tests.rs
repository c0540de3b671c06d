use super::*;

#[test]
fn every_line_of_the_table_is_read_once() {
    let lines = TABLE.lines().filter(|l| !l.starts_with('#')).count() - 1;
    assert_eq!(ROWS.len(), lines);
    let keys: BTreeSet<_> = ROWS.iter().map(|r| (r.name, r.arch, r.cloud())).collect();
    assert_eq!(keys.len(), lines);
}

#[test]
fn a_name_means_the_same_in_every_cloud() {
    for (cloud, arch, shown) in [
        (
            Cloud::Aws,
            Arch::Amd64,
            "newest of owner 136693071363, name debian-12-amd64-*",
        ),
        (Cloud::Azure, Arch::Amd64, "Debian:debian-12:12-gen2:latest"),
        (
            Cloud::Azure,
            Arch::Arm64,
            "Debian:debian-12:12-arm64:latest",
        ),
        (
            Cloud::Google,
            Arch::Arm64,
            "projects/debian-cloud/global/images/family/debian-12-arm64",
        ),
    ] {
        let found = image("debian-12", cloud, arch).map(ToString::to_string);
        assert_eq!(found.as_deref(), Ok(shown));
    }
}

#[test]
fn what_there_is_instead_is_said() {
    assert_eq!(
        image("debian-99", Cloud::Aws, Arch::Amd64),
        Err(NoImage::Unknown)
    );
    assert_eq!(
        image("debian-11", Cloud::Azure, Arch::Arm64),
        Err(NoImage::Arch(vec![Arch::Amd64]))
    );
    assert_eq!(
        image("rocky-9", Cloud::Azure, Arch::Amd64),
        Err(NoImage::Cloud(vec![Cloud::Aws, Cloud::Google]))
    );
    assert!(images().contains(&"ubuntu-24.04"));
}
