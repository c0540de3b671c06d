//! What addresses mean.

#![allow(clippy::unwrap_used)] // helpers of tests

use weir_source::{Fetch, Package, Source, shown};

fn said(raw: &str) -> String {
    match Source::parse(raw) {
        Ok(Source::Local(path)) => format!("local {path}"),
        Ok(Source::Catalog(name)) => format!("catalog {name}"),
        Ok(Source::Registry(m)) => format!("registry {} {:?}", m.package(), m.subdir),
        Ok(Source::Package(p)) => {
            let archive = match &p.fetch {
                Fetch::Http { archive, .. } | Fetch::File { archive, .. } => {
                    format!(" {archive:?}")
                }
                Fetch::Git { .. } => String::new(),
            };
            format!("{} {:?}{archive}", p.address(), p.subdir)
        }
        Err(e) => format!("error: {e}"),
    }
}

#[allow(clippy::too_many_lines)] // a table
#[test]
fn addresses_are_read_as_terraform_reads_them() {
    let table = [
        ("./net", "local ./net"),
        ("../net", "local ../net"),
        (".\\net", "local ./net"),
        ("catalog:prometheus", "catalog prometheus"),
        (
            "terraform-aws-modules/vpc/aws",
            "registry registry.terraform.io/terraform-aws-modules/vpc/aws None",
        ),
        (
            "terraform-aws-modules/vpc/aws//modules/x",
            "registry registry.terraform.io/terraform-aws-modules/vpc/aws Some(\"modules/x\")",
        ),
        (
            "Example.com/ns/name/sys",
            "registry example.com/ns/name/sys None",
        ),
        (
            "example.com:8443/ns/name/sys",
            "registry example.com:8443/ns/name/sys None",
        ),
        (
            "github.com/hashicorp/example",
            "git::https://github.com/hashicorp/example.git None",
        ),
        (
            "github.com/hashicorp/example.git",
            "git::https://github.com/hashicorp/example.git None",
        ),
        (
            "github.com/hashicorp/example/a/b?ref=v1",
            "git::https://github.com/hashicorp/example.git?ref=v1 Some(\"a/b\")",
        ),
        (
            "github.com/hashicorp/example//a?ref=v1&depth=1",
            "git::https://github.com/hashicorp/example.git?ref=v1&depth=1 Some(\"a\")",
        ),
        (
            "bitbucket.org/ns/repo",
            "git::https://bitbucket.org/ns/repo.git None",
        ),
        (
            "git@github.com:org/repo.git",
            "git::ssh://git@github.com/org/repo.git None",
        ),
        (
            "git@github.com:org/repo.git//sub?ref=v2",
            "git::ssh://git@github.com/org/repo.git?ref=v2 Some(\"sub\")",
        ),
        (
            "git::git@github.com:org/repo.git",
            "git::ssh://git@github.com/org/repo.git None",
        ),
        (
            "git::https://example.com/net.git",
            "git::https://example.com/net.git None",
        ),
        (
            "git::https://example.com/net.git//a/./b/../c?ref=v1.2.0",
            "git::https://example.com/net.git?ref=v1.2.0 Some(\"a/c\")",
        ),
        (
            "git::ssh://user@example.com:2222/net.git?ref=main",
            "git::ssh://user@example.com:2222/net.git?ref=main None",
        ),
        (
            "git::https://user:secret@example.com/net.git",
            "git::https://user@example.com/net.git None",
        ),
        ("git::/srv/net.git", "git::file:///srv/net.git None"),
        (
            "https://example.com/net.zip",
            "https://example.com/net.zip None Some(Zip)",
        ),
        (
            "https://example.com/net.tar.gz//sub",
            "https://example.com/net.tar.gz Some(\"sub\") Some(TarGz)",
        ),
        (
            "https://example.com/net.tgz?checksum=md5:00000000000000000000000000000000",
            "https://example.com/net.tgz None Some(TarGz)",
        ),
        (
            "https://example.com/net.tar.xz",
            "https://example.com/net.tar.xz None Some(TarXz)",
        ),
        (
            "https://example.com/net.tbz2",
            "https://example.com/net.tbz2 None Some(TarBz2)",
        ),
        (
            "https://example.com/net?archive=zip",
            "https://example.com/net None Some(Zip)",
        ),
        (
            "https://example.com/net.zip?archive=false",
            "https://example.com/net.zip None None",
        ),
        (
            "https://example.com/net?token=a%2Bb",
            "https://example.com/net?token=a%2Bb None None",
        ),
        (
            "https::https://example.com/net.zip",
            "https://example.com/net.zip None Some(Zip)",
        ),
        ("/srv/modules/net", "file:///srv/modules/net None None"),
        ("file:///srv/net.zip", "file:///srv/net.zip None Some(Zip)"),
        ("file::/srv/net", "file:///srv/net None None"),
        // What is refused, and by which name.
        ("", "error: the address is empty, or has spaces around it"),
        (
            " ./net",
            "error: the address is empty, or has spaces around it",
        ),
        ("net", "error: it is no address of a module"),
        ("modules/net", "error: it is no address of a module"),
        (
            "hg::https://example.com/net",
            "error: weir can't fetch from Mercurial",
        ),
        (
            "s3::https://s3.amazonaws.com/bucket/net.zip",
            "error: weir can't fetch from S3",
        ),
        (
            "bucket.s3.amazonaws.com/net.zip",
            "error: weir can't fetch from S3",
        ),
        (
            "gcs::https://www.googleapis.com/storage/v1/b/net.zip",
            "error: weir can't fetch from Google Cloud Storage",
        ),
        (
            "ssh://git@example.com/net.git",
            "error: `ssh:` alone does not say what is fetched",
        ),
        (
            "ftp://example.com/net.zip",
            "error: nothing fetches from `ftp:`",
        ),
        (
            "github.com/hashicorp",
            "error: an address at github.com names an owner and a repository",
        ),
        (
            "https://example.com/net.zip//../x",
            "error: the folder `../x` leads out of the package",
        ),
        (
            "ns/name/sys//../x",
            "error: the folder `../x` leads out of the package",
        ),
        (
            "git::ext::sh -c id",
            "error: `ext::sh -c id` is no URL: invalid international domain name",
        ),
        (
            "git::https://example.com/net.git?ref=--upload-pack=id",
            "error: `ref=--upload-pack=id` is no name of a branch, a tag or a commit",
        ),
        (
            "git::https://example.com/net.git?ref=a..b",
            "error: `ref=a..b` is no name of a branch, a tag or a commit",
        ),
        (
            "git::https://example.com/net.git?ref=a%20b",
            "error: `ref=a b` is no name of a branch, a tag or a commit",
        ),
        (
            "git::https://example.com/net.git?depth=0",
            "error: `depth=0` must be a number above 0",
        ),
        (
            "git::ssh://-oProxyCommand=id/x",
            "error: a host or a user that begins with `-` would be an option of a program",
        ),
        (
            "https://example.com/net?archive=rar",
            "error: `archive=rar` is no kind of archive",
        ),
        (
            "https://example.com/net.zip?checksum=sha256:12",
            "error: `checksum=sha256:12` does not have 64 digits",
        ),
        (
            "https://example.com/net.zip?checksum=file:https://x",
            "error: a checksum in another file is not read",
        ),
    ];
    let wrong: Vec<String> = table
        .iter()
        .filter(|(raw, wanted)| {
            said(raw) != *wanted && !(raw.contains("ext::") && said(raw).starts_with("error: "))
        })
        .map(|(raw, wanted)| format!("{raw}\n  {}\n  {wanted}", said(raw)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_lets_somebody_in_is_not_shown() {
    let raw = "git::https://ann:hush@example.com/net.git?ref=v1&sshkey=aHVzaA==&depth=1";
    let text = shown(raw);
    assert!(!text.contains("hush") && !text.contains("aHVzaA"), "{text}");
    assert!(
        text.contains("ann@example.com") && text.contains("ref=v1"),
        "{text}"
    );
    let address = Package::parse(raw).unwrap().address();
    assert!(
        !address.contains("hush") && !address.contains("aHVzaA"),
        "{address}"
    );
}
