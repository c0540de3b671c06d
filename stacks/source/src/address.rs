//! Addresses of modules, by Terraform's rules.

use crate::error::SourceError;
use std::path::PathBuf;
use url::Url;

/// What a module's `source` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A folder of the same package: `./net`, `../net`.
    Local(String),
    /// A module of the built-in catalogue: `catalog:NAME`.
    Catalog(String),
    /// A module of a registry.
    Registry(RegistryModule),
    /// A package that is fetched.
    Package(Package),
}

/// `[HOST/]NAMESPACE/NAME/SYSTEM[//SUBDIR]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryModule {
    /// The registry's host, in lower case.
    pub host: String,
    /// Who publishes it.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The system it is for: `aws`.
    pub system: String,
    /// The folder within the package.
    pub subdir: Option<String>,
}

/// Something to fetch, and the folder within it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// How it is fetched.
    pub fetch: Fetch,
    /// The folder of the module within it; one `*` in it stands for the one name there is.
    pub subdir: Option<String>,
}

/// How a package is fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetch {
    /// By `git`.
    Git {
        /// The repository.
        url: String,
        /// A branch, a tag or a commit; the default branch where there is none.
        reference: Option<String>,
        /// How many commits of history; all where there is none.
        depth: Option<u32>,
        /// A private key for SSH, in base64.
        ssh_key: Option<String>,
    },
    /// Over HTTP: an archive, or a page that says where the package is.
    Http {
        /// Where.
        url: Url,
        /// The kind of archive; `None` for a page.
        archive: Option<ArchiveKind>,
        /// What the download must be.
        checksum: Option<Checksum>,
    },
    /// A folder or an archive on this machine.
    File {
        /// The absolute path.
        path: PathBuf,
        /// The kind of archive; `None` for a folder.
        archive: Option<ArchiveKind>,
        /// What the archive must be.
        checksum: Option<Checksum>,
    },
}

/// A kind of archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveKind {
    /// `.zip`
    Zip,
    /// `.tar`
    Tar,
    /// `.tar.gz`, `.tgz`
    TarGz,
    /// `.tar.bz2`, `.tbz2`
    TarBz2,
    /// `.tar.xz`, `.txz`
    TarXz,
}

/// `?checksum=TYPE:HEX`
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checksum {
    /// MD5.
    Md5(String),
    /// SHA-1.
    Sha1(String),
    /// SHA-256.
    Sha256(String),
    /// SHA-512.
    Sha512(String),
}

/// The host of modules without one.
pub(crate) const DEFAULT_HOST: &str = "registry.terraform.io";

const FORMS: &str = "Write `./FOLDER`, `catalog:NAME`, `NAMESPACE/NAME/SYSTEM` for a registry, `git::https://HOST/REPOSITORY.git?ref=TAG`, or `https://HOST/ARCHIVE.zip`.";

impl Source {
    /// What an address is.
    ///
    /// # Errors
    /// It is none, or one of a kind that can't be fetched.
    pub fn parse(raw: &str) -> Result<Source, SourceError> {
        if raw.is_empty() || raw.trim() != raw {
            return Err(SourceError::Address {
                why: "the address is empty, or has spaces around it".into(),
                help: Some(FORMS.into()),
            });
        }
        if raw.chars().any(char::is_control) {
            return Err(SourceError::address(
                "the address holds a control character",
            ));
        }
        if ["./", "../", ".\\", "..\\"]
            .iter()
            .any(|p| raw.starts_with(p))
            || raw == "."
            || raw == ".."
        {
            return Ok(Source::Local(raw.replace('\\', "/")));
        }
        if let Some(name) = raw.strip_prefix("catalog:") {
            return Ok(Source::Catalog(name.to_owned()));
        }
        if let Some(module) = RegistryModule::parse(raw)? {
            return Ok(Source::Registry(module));
        }
        Package::parse(raw).map(Source::Package)
    }
}

impl RegistryModule {
    /// `None` where it does not look like an address of a registry: then it is one of a package.
    fn parse(raw: &str) -> Result<Option<RegistryModule>, SourceError> {
        let (address, subdir) = split_subdir(raw)?;
        let mut parts: Vec<&str> = address.split('/').collect();
        let host = match parts.len() {
            3 => DEFAULT_HOST.to_owned(),
            4 => {
                let host = parts.remove(0).to_lowercase();
                if !is_host(&host) {
                    return Ok(None);
                }
                host
            }
            _ => return Ok(None),
        };
        if ["github.com", "bitbucket.org"].contains(&host.as_str()) {
            return Ok(None);
        }
        if !is_name(parts[0]) || !is_name(parts[1]) || !is_system(parts[2]) {
            return Ok(None);
        }
        Ok(Some(RegistryModule {
            host,
            namespace: parts[0].into(),
            name: parts[1].into(),
            system: parts[2].into(),
            subdir,
        }))
    }

    /// The address with its host and without a folder: what the lock file calls it.
    pub fn package(&self) -> String {
        let RegistryModule {
            host,
            namespace,
            name,
            system,
            ..
        } = self;
        format!("{host}/{namespace}/{name}/{system}")
    }
}

/// A host with a dot, and a port if need be.
fn is_host(text: &str) -> bool {
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (text, None),
    };
    let label = |l: &str| {
        !l.is_empty()
            && !l.starts_with('-')
            && !l.ends_with('-')
            && l.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    name.contains('.')
        && name.split('.').all(label)
        && !name.contains("--")
        && port.is_none_or(|p| p.parse::<u16>().is_ok())
}

fn is_name(text: &str) -> bool {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    text.len() <= 64
        && edge(text.chars().next())
        && edge(text.chars().next_back())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

fn is_system(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || b.is_ascii_lowercase())
}

/// Takes `//SUBDIR` out of an address.
pub(crate) fn split_subdir(raw: &str) -> Result<(String, Option<String>), SourceError> {
    let stop = raw.find('?').unwrap_or(raw.len());
    let scheme = raw[..stop].find("://").map_or(0, |i| i + 3);
    let Some(at) = raw[scheme..stop].find("//").map(|i| i + scheme) else {
        return Ok((raw.to_owned(), None));
    };
    let address = format!("{}{}", &raw[..at], &raw[stop..]);
    Ok((address, clean_subdir(&raw[at + 2..stop])?))
}

/// The folder without `.` and `..`.
pub(crate) fn clean_subdir(text: &str) -> Result<Option<String>, SourceError> {
    let mut parts: Vec<&str> = Vec::new();
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if parts.pop().is_none() {
                    return Err(SourceError::address(format!(
                        "the folder `{text}` leads out of the package"
                    )));
                }
            }
            other => parts.push(other),
        }
    }
    Ok((!parts.is_empty()).then(|| parts.join("/")))
}

/// A folder within a folder.
pub(crate) fn joined(outer: Option<String>, inner: Option<String>) -> Option<String> {
    match (outer, inner) {
        (Some(outer), Some(inner)) => Some(format!("{outer}/{inner}")),
        (outer, inner) => outer.or(inner),
    }
}

impl Package {
    /// What an address that is neither local nor of a registry names.
    ///
    /// # Errors
    /// It names nothing, or a kind that can't be fetched.
    pub fn parse(raw: &str) -> Result<Package, SourceError> {
        let (address, subdir) = split_subdir(raw)?;
        let (force, rest) = forced(&address);
        let (detected, inner) = detect(rest)?;
        let (detected_force, url) = forced(&detected);
        let force = force.or(detected_force);
        let fetch = fetch(force, url)?;
        Ok(Package {
            fetch,
            subdir: joined(inner, subdir),
        })
    }

    /// The address in one form, without its folder: what the lock file calls it. It never holds a
    /// private key.
    pub fn address(&self) -> String {
        match &self.fetch {
            Fetch::Git {
                url,
                reference,
                depth,
                ..
            } => {
                let mut query = Vec::new();
                query.extend(reference.as_ref().map(|r| format!("ref={r}")));
                query.extend(depth.map(|d| format!("depth={d}")));
                let mark = if url.contains('?') { "&" } else { "?" };
                let query = if query.is_empty() {
                    String::new()
                } else {
                    format!("{mark}{}", query.join("&"))
                };
                format!("git::{}{query}", without_password(url))
            }
            Fetch::Http { url, .. } => without_password(url.as_str()),
            Fetch::File { path, .. } => format!("file://{}", path.display()),
        }
    }
}

/// The address as it may be shown: without passwords and private keys.
pub fn shown(raw: &str) -> String {
    let (force, rest) = match forced(raw) {
        (Some(force), rest) => (format!("{force}::"), rest),
        (None, rest) => (String::new(), rest),
    };
    let mut text = without_password(rest);
    if let Some(at) = text.find("sshkey=") {
        let end = text[at..].find('&').map_or(text.len(), |i| at + i);
        text.replace_range(at..end, "sshkey=...");
    }
    force + &text
}

/// The address without what lets somebody in.
pub(crate) fn without_password(text: &str) -> String {
    match Url::parse(text) {
        Ok(mut url) if url.password().is_some() => {
            // It has a host, as it has a password: neither call can fail.
            let _ = url.set_password(None);
            url.into()
        }
        _ => text.to_owned(),
    }
}

/// Takes `git::` off.
fn forced(text: &str) -> (Option<&str>, &str) {
    match text.split_once("::") {
        Some((force, rest))
            if !force.is_empty() && force.bytes().all(|b| b.is_ascii_alphanumeric()) =>
        {
            (Some(force), rest)
        }
        _ => (None, text),
    }
}

/// The short forms, written out; with the folder they name.
fn detect(text: &str) -> Result<(String, Option<String>), SourceError> {
    if has_scheme(text) {
        return Ok((text.to_owned(), None));
    }
    let (path, query) = match text.split_once('?') {
        Some((path, query)) => (path, format!("?{query}")),
        None => (text, String::new()),
    };
    for host in ["github.com", "bitbucket.org"] {
        if let Some(rest) = path.strip_prefix(host).and_then(|r| r.strip_prefix('/')) {
            let parts: Vec<&str> = rest.split('/').filter(|p| !p.is_empty()).collect();
            let [owner, repository, inner @ ..] = parts.as_slice() else {
                return Err(SourceError::Address {
                    why: format!("an address at {host} names an owner and a repository"),
                    help: Some(format!("Write `{host}/OWNER/REPOSITORY`.")),
                });
            };
            let repository = repository.strip_suffix(".git").unwrap_or(repository);
            let url = format!("git::https://{host}/{owner}/{repository}.git{query}");
            return Ok((url, clean_subdir(&inner.join("/"))?));
        }
    }
    // The form of scp: `git@github.com:owner/repository.git`.
    if let Some((login, place)) = path.split_once(':')
        && let Some(host) = login.strip_prefix("git@")
        && !host.is_empty()
        && !host.contains('/')
    {
        let place = place.trim_start_matches('/');
        return Ok((format!("git::ssh://git@{host}/{place}{query}"), None));
    }
    if path.contains(".amazonaws.com/") {
        return Err(SourceError::Refused { what: "S3" });
    }
    if path.starts_with("www.googleapis.com/storage/") {
        return Err(SourceError::Refused {
            what: "Google Cloud Storage",
        });
    }
    if path.starts_with('/') {
        return Ok((format!("file://{path}{query}"), None));
    }
    Err(SourceError::Address {
        why: "it is no address of a module".into(),
        help: Some(match text.contains('/') {
            true => format!("For a local folder write `./{text}`. {FORMS}"),
            false => format!(
                "For a local folder write `./{text}`, for a module of the catalogue `catalog:{text}`."
            ),
        }),
    })
}

fn has_scheme(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
    })
}

fn fetch(force: Option<&str>, text: &str) -> Result<Fetch, SourceError> {
    let mut url = Url::parse(text).map_err(|e| {
        SourceError::address(format!("`{}` is no URL: {e}", without_password(text)))
    })?;
    let kind = force.unwrap_or(url.scheme()).to_owned();
    match kind.as_str() {
        "git" => git(url),
        "http" | "https" if !["http", "https"].contains(&url.scheme()) => Err(
            SourceError::address(format!("`{kind}::` can't fetch from `{}:`", url.scheme())),
        ),
        "http" | "https" => {
            let (archive, checksum) = archive_query(&mut url)?;
            Ok(Fetch::Http {
                url,
                archive,
                checksum,
            })
        }
        "file" if url.scheme() == "file" => {
            let (archive, checksum) = archive_query(&mut url)?;
            let path = url.to_file_path().map_err(|()| {
                SourceError::address("a `file:` URL holds an absolute path: `file:///PATH`")
            })?;
            Ok(Fetch::File {
                path,
                archive,
                checksum,
            })
        }
        "hg" => Err(SourceError::Refused { what: "Mercurial" }),
        "s3" => Err(SourceError::Refused { what: "S3" }),
        "gcs" => Err(SourceError::Refused {
            what: "Google Cloud Storage",
        }),
        "ssh" => Err(SourceError::Address {
            why: "`ssh:` alone does not say what is fetched".into(),
            help: Some("Write `git::ssh://...`.".into()),
        }),
        other => Err(SourceError::Address {
            why: format!("nothing fetches from `{other}:`"),
            help: Some(FORMS.into()),
        }),
    }
}

fn git(mut url: Url) -> Result<Fetch, SourceError> {
    // Other transports of git run programs that the address names.
    if !["https", "http", "ssh", "git", "file"].contains(&url.scheme()) {
        return Err(SourceError::address(format!(
            "git does not fetch from `{}:` here",
            url.scheme()
        )));
    }
    let dash = |text: &str| text.starts_with('-');
    if url.host_str().is_some_and(dash) || dash(url.username()) {
        return Err(SourceError::address(
            "a host or a user that begins with `-` would be an option of a program",
        ));
    }
    let (mut reference, mut depth, mut ssh_key) = (None, None, None);
    let mut rest = Vec::new();
    for (key, value) in url.query_pairs().into_owned().collect::<Vec<_>>() {
        match key.as_str() {
            "ref" => reference = Some(value).filter(|v| !v.is_empty()),
            "depth" => {
                let number = value.parse().ok().filter(|n| *n > 0);
                depth = Some(number.ok_or_else(|| {
                    SourceError::address(format!("`depth={value}` must be a number above 0"))
                })?);
            }
            "sshkey" => ssh_key = Some(value),
            _ => rest.push((key, value)),
        }
    }
    if let Some(reference) = reference.as_deref().filter(|r| !is_reference(r)) {
        return Err(SourceError::address(format!(
            "`ref={reference}` is no name of a branch, a tag or a commit"
        )));
    }
    url.set_query(None);
    if !rest.is_empty() {
        url.query_pairs_mut().extend_pairs(rest);
    }
    Ok(Fetch::Git {
        url: url.into(),
        reference,
        depth,
        ssh_key,
    })
}

/// Whether git takes the text as a name, and not as an option or an expression over names.
fn is_reference(text: &str) -> bool {
    !text.starts_with('-')
        && !text.contains("..")
        && !text.contains("@{")
        && !text
            .chars()
            .any(|c| c.is_whitespace() || c.is_control() || "~^:?*[\\".contains(c))
}

/// Takes `archive` and `checksum` out of the query.
fn archive_query(url: &mut Url) -> Result<(Option<ArchiveKind>, Option<Checksum>), SourceError> {
    let (mut named, mut checksum, mut rest) = (None, None, Vec::new());
    for (key, value) in url.query_pairs().into_owned().collect::<Vec<_>>() {
        match key.as_str() {
            "archive" => named = Some(value),
            "checksum" => checksum = Some(Checksum::parse(&value)?),
            _ => rest.push((key, value)),
        }
    }
    // The query is written anew only where something was taken out: servers may sign it.
    if named.is_some() || checksum.is_some() {
        url.set_query(None);
        if !rest.is_empty() {
            url.query_pairs_mut().extend_pairs(rest);
        }
    }
    let archive =
        match named.as_deref() {
            Some("false") => None,
            Some(name) => Some(ArchiveKind::of_name(&format!(".{name}")).ok_or_else(|| {
                SourceError::Address {
                    why: format!("`archive={name}` is no kind of archive"),
                    help: Some("There are zip, tar, tar.gz, tar.bz2 and tar.xz.".into()),
                }
            })?),
            None => ArchiveKind::of_name(url.path()),
        };
    Ok((archive, checksum))
}

impl ArchiveKind {
    /// The kind a file's name says.
    pub fn of_name(name: &str) -> Option<ArchiveKind> {
        const ENDS: [(&str, ArchiveKind); 9] = [
            (".zip", ArchiveKind::Zip),
            (".tar.gz", ArchiveKind::TarGz),
            (".tgz", ArchiveKind::TarGz),
            (".tar.bz2", ArchiveKind::TarBz2),
            (".tbz2", ArchiveKind::TarBz2),
            (".tbz", ArchiveKind::TarBz2),
            (".tar.xz", ArchiveKind::TarXz),
            (".txz", ArchiveKind::TarXz),
            (".tar", ArchiveKind::Tar),
        ];
        let name = name.to_ascii_lowercase();
        ENDS.iter()
            .find(|(end, _)| name.ends_with(end))
            .map(|(_, kind)| *kind)
    }
}

impl Checksum {
    fn parse(text: &str) -> Result<Checksum, SourceError> {
        let wrong = |why: String| SourceError::Address {
            why,
            help: Some("Write `checksum=sha256:HEX`.".into()),
        };
        let (kind, hex) = match text.split_once(':') {
            Some((kind, hex)) => (Some(kind), hex),
            None => (None, text),
        };
        if kind == Some("file") {
            return Err(wrong("a checksum in another file is not read".into()));
        }
        let hex = hex.to_ascii_lowercase();
        if hex.is_empty() || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(wrong(format!("`checksum={text}` is not written in hex")));
        }
        let (length, checksum) = match (kind, hex.len()) {
            (Some("md5"), _) | (None, 32) => (32, Checksum::Md5(hex.clone())),
            (Some("sha1"), _) | (None, 40) => (40, Checksum::Sha1(hex.clone())),
            (Some("sha256"), _) | (None, 64) => (64, Checksum::Sha256(hex.clone())),
            (Some("sha512"), _) | (None, 128) => (128, Checksum::Sha512(hex.clone())),
            _ => return Err(wrong(format!("`checksum={text}` is of no known kind"))),
        };
        if hex.len() != length {
            return Err(wrong(format!(
                "`checksum={text}` does not have {length} digits"
            )));
        }
        Ok(checksum)
    }
}
