//! Packages into their places.

use crate::{
    address::{Fetch, Package, RegistryModule, Source, joined},
    archive,
    error::SourceError,
    folder::{self, Limits},
    git, http,
    lock::{Lock, Pin},
    manifest::{Entry, MODULES_DIR, Manifest},
    registry::{Host, Registries},
    version::{Constraint, version},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    path::{Path, PathBuf},
};
use tempfile::TempDir;
use url::Url;

/// With what packages are fetched.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// What is known of registries' hosts.
    pub hosts: BTreeMap<String, Host>,
    /// How large a package may be.
    pub limits: Limits,
    /// The user's command for SSH, for `git`.
    pub ssh_command: Option<String>,
    /// Whether pins are kept.
    pub upgrade: Upgrade,
}

/// Whether pins are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Upgrade {
    /// What is pinned is what is taken.
    #[default]
    Keep,
    /// The newest that will do is taken, and pinned.
    Newest,
}

/// A call of a module that is fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The path of the call: `net.dns`.
    pub key: String,
    /// Its `source`.
    pub source: String,
    /// Its `version`.
    pub version: Option<String>,
}

/// What became of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// What the manifest says of it.
    pub entry: Entry,
    /// Whether it was fetched, or was there.
    pub fetched: bool,
}

/// Installs the modules of one stack. While it lives nobody else does.
pub struct Installer {
    stack: PathBuf,
    options: Options,
    agent: ureq::Agent,
    /// What an earlier run left.
    before: Manifest,
    now: Manifest,
    pinned: Lock,
    used: BTreeSet<Pin>,
    /// Packages that this run fetched, by their pins.
    fetched: Vec<(Pin, PathBuf)>,
    scratch: TempDir,
    /// How many folders were made in `scratch`.
    made: usize,
    _lock: File,
}

/// How often one address may lead to another.
const REDIRECTIONS: usize = 10;

impl Installer {
    /// Takes the lock of a stack's modules, and waits for whoever has it.
    ///
    /// # Errors
    /// The folder can't be written, or the lock file is broken.
    pub fn open(stack: &Path, options: Options) -> Result<Installer, SourceError> {
        let folder = stack.join(MODULES_DIR);
        fs::create_dir_all(&folder).map_err(SourceError::io(&folder))?;
        let path = folder.join(".lock");
        let lock = File::create(&path).map_err(SourceError::io(&path))?;
        lock.lock().map_err(SourceError::io(&path))?;
        // What a run left that was killed: nobody else is here now.
        for entry in fs::read_dir(&folder).map_err(SourceError::io(&folder))? {
            let entry = entry.map_err(SourceError::io(&folder))?;
            if entry.file_name().to_string_lossy().starts_with(".staging-") {
                remove(&entry.path())?;
            }
        }
        let scratch = tempfile::Builder::new()
            .prefix(".staging-")
            .tempdir_in(&folder)
            .map_err(SourceError::io(&folder))?;
        Ok(Installer {
            before: Manifest::read(stack)?,
            now: Manifest::default(),
            pinned: Lock::read(stack)?,
            used: BTreeSet::new(),
            fetched: Vec::new(),
            agent: http::agent(),
            stack: stack.to_owned(),
            options,
            scratch,
            made: 0,
            _lock: lock,
        })
    }

    /// Brings a module to its place, below `.weir/modules`.
    ///
    /// # Errors
    /// It can't be had, differs from its pin, or is refused.
    pub fn install(&mut self, wanted: &Wanted) -> Result<Installed, SourceError> {
        // A key becomes the name of a folder.
        let part = |c: char| c.is_alphanumeric() || c == '_' || c == '-' || c == '.';
        if wanted.key.is_empty() || wanted.key.starts_with('.') || !wanted.key.chars().all(part) {
            return Err(SourceError::address(format!(
                "`{}` is no path of a module call",
                wanted.key
            )));
        }
        let (source, subdir) = match Source::parse(&wanted.source)? {
            Source::Local(_) | Source::Catalog(_) => {
                return Err(SourceError::address("it is not fetched"));
            }
            Source::Registry(module) => {
                let subdir = module.subdir.clone();
                (Origin::Registry(module), subdir)
            }
            Source::Package(package) => {
                if wanted.version.is_some() {
                    return Err(SourceError::Address {
                        why: "only modules of a registry have versions".into(),
                        help: Some(
                            "Remove `version`, and name a tag in the address: `?ref=v1.2.3`."
                                .into(),
                        ),
                    });
                }
                let subdir = package.subdir.clone();
                (Origin::Package(package), subdir)
            }
        };
        let constraint = Constraint::parse(wanted.version.as_deref().unwrap_or_default())?;
        let pin = self.pin(&source, &constraint);
        if let Some(pin) = &pin
            && let Some(entry) = self.there(wanted, pin)?
        {
            self.used.insert(pin.clone());
            self.now.0.insert(entry.key.clone(), entry.clone());
            return Ok(Installed {
                entry,
                fetched: false,
            });
        }
        let (pin, folder, inner) = self.bring(&source, &constraint, wanted, pin)?;
        let subdir = joined(inner, subdir);
        let dir = self.place(&wanted.key, &folder, subdir.as_deref())?;
        let entry = Entry {
            key: wanted.key.clone(),
            source: wanted.source.clone(),
            version: pin.version.clone(),
            constraint: wanted.version.clone(),
            dir,
        };
        self.used.insert(pin);
        self.now.0.insert(entry.key.clone(), entry.clone());
        Ok(Installed {
            entry,
            fetched: true,
        })
    }

    /// What is installed so far.
    pub fn manifest(&self) -> &Manifest {
        &self.now
    }

    /// Writes what is installed and pinned, and removes what no call uses.
    ///
    /// # Errors
    /// Something can't be written or removed.
    pub fn finish(mut self) -> Result<Manifest, SourceError> {
        self.pinned.pins = self.used.into_iter().collect();
        self.pinned.write(&self.stack)?;
        self.now.write(&self.stack)?;
        let folder = self.stack.join(MODULES_DIR);
        for entry in fs::read_dir(&folder).map_err(SourceError::io(&folder))? {
            let entry = entry.map_err(SourceError::io(&folder))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_folder = entry.file_type().is_ok_and(|t| t.is_dir());
            if is_folder && !name.starts_with('.') && !self.now.0.contains_key(&name) {
                remove(&entry.path())?;
            }
        }
        Ok(self.now)
    }

    /// The pin that serves a call.
    fn pin(&self, source: &Origin, constraint: &Constraint) -> Option<Pin> {
        // What an earlier call of this run took is taken again, that both are the same.
        let pinned = match self.options.upgrade {
            Upgrade::Keep => self.pinned.pins.as_slice(),
            Upgrade::Newest => &[],
        };
        let address = source.address();
        let all = self.used.iter().chain(pinned);
        let fitting = all
            .filter(|p| p.source == address)
            .filter(|p| match source {
                Origin::Package(_) => true,
                Origin::Registry(_) => {
                    let version = p.version.as_deref().and_then(version);
                    version.is_some_and(|v| constraint.allows(&v))
                }
            });
        fitting
            .max_by_key(|p| p.version.as_deref().and_then(version))
            .cloned()
    }

    /// What an earlier run installed for the call, where it still is what is pinned.
    fn there(&self, wanted: &Wanted, pin: &Pin) -> Result<Option<Entry>, SourceError> {
        let Some(entry) = self.before.0.get(&wanted.key) else {
            return Ok(None);
        };
        if entry.source != wanted.source || entry.version != pin.version {
            return Ok(None);
        }
        let root = self.stack.join(MODULES_DIR).join(&wanted.key);
        if !self.stack.join(&entry.dir).is_dir() || !root.is_dir() {
            return Ok(None);
        }
        let same = folder::digest(&root)? == pin.digest;
        Ok(same.then(|| Entry {
            constraint: wanted.version.clone(),
            ..entry.clone()
        }))
    }

    /// Fetches a package, unless this run has it. Returns its pin, the folder it is in, and the
    /// folder within it that the registry names.
    fn bring(
        &mut self,
        source: &Origin,
        constraint: &Constraint,
        wanted: &Wanted,
        pin: Option<Pin>,
    ) -> Result<(Pin, PathBuf, Option<String>), SourceError> {
        let mut found = Pin {
            source: source.address(),
            ..Pin::default()
        };
        let package = match source {
            Origin::Package(package) => package.clone(),
            Origin::Registry(module) => {
                let hosts = self.options.hosts.clone();
                let mut registries = Registries::new(&self.agent, &hosts);
                let pinned = pin.as_ref().and_then(|p| p.version.as_deref());
                let version = match pinned.and_then(version) {
                    Some(version) => version,
                    None => {
                        let written = wanted.version.as_deref().unwrap_or_default();
                        registries.newest(module, constraint, written)?
                    }
                };
                let location = registries.location(module, &version)?;
                found.version = Some(version.to_string());
                let package = Package::parse(&location)?;
                found.location = Some(package.address());
                package
            }
        };
        // Within this run a package is the same wherever it is called.
        let same =
            |(p, _): &&(Pin, PathBuf)| p.source == found.source && p.version == found.version;
        if let Some((pin, folder)) = self.fetched.iter().find(same) {
            return Ok((
                pin.clone(),
                folder.clone(),
                registry_subdir(source, &package),
            ));
        }
        let folder = self.fresh("package");
        let commit = pin.as_ref().and_then(|p| p.commit.clone());
        let inner = self.fetch(&package, commit.as_deref(), &folder, &mut found)?;
        folder::check(&folder, self.options.limits)?;
        found.digest = folder::digest(&folder)?;
        if let Some(pin) = &pin
            && pin.digest != found.digest
        {
            return Err(SourceError::Changed {
                what: format!(
                    "the content of {} is not what is pinned: its digest is {}, and {} is pinned",
                    found.source, found.digest, pin.digest
                ),
            });
        }
        self.fetched.push((found.clone(), folder.clone()));
        let inner = joined(inner, registry_subdir(source, &package));
        Ok((found, folder, inner))
    }

    /// Fetches a package into a folder that is not there yet. Returns the folder within it that a
    /// page named.
    fn fetch(
        &self,
        package: &Package,
        pinned: Option<&str>,
        into: &Path,
        found: &mut Pin,
    ) -> Result<Option<String>, SourceError> {
        let limits = self.options.limits;
        let (mut fetch, mut inner) = (package.fetch.clone(), None);
        for _ in 0..REDIRECTIONS {
            let next: Package = match &fetch {
                Fetch::Git { .. } => {
                    let with = git::With {
                        pinned,
                        ssh_command: self.options.ssh_command.as_deref(),
                        scratch: self.scratch.path(),
                    };
                    found.commit = Some(git::fetch(&fetch, into, &with)?);
                    return Ok(inner);
                }
                Fetch::Http {
                    url,
                    archive: Some(kind),
                    checksum,
                } => {
                    let mut file = self.temporary()?;
                    http::download(&self.agent, url, limits, &mut file)?;
                    if let Some(checksum) = checksum {
                        checksum.check(&mut file)?;
                    }
                    fs::create_dir(into).map_err(SourceError::io(into))?;
                    archive::unpack(&mut file, *kind, into, limits)?;
                    return Ok(inner);
                }
                Fetch::Http {
                    url, archive: None, ..
                } => relative(url, &http::redirection(&self.agent, url)?)?,
                Fetch::File {
                    path,
                    archive: Some(kind),
                    checksum,
                } => {
                    let mut file = File::open(path).map_err(SourceError::io(path))?;
                    if let Some(checksum) = checksum {
                        checksum.check(&mut file)?;
                    }
                    fs::create_dir(into).map_err(SourceError::io(into))?;
                    archive::unpack(&mut file, *kind, into, limits)?;
                    return Ok(inner);
                }
                Fetch::File {
                    path,
                    archive: None,
                    ..
                } => {
                    if !path.is_dir() {
                        return Err(SourceError::fetch(
                            path.display().to_string(),
                            "there is no such folder",
                        ));
                    }
                    folder::copy(path, into, limits)?;
                    return Ok(inner);
                }
            };
            // A page may not lead a stack to files of this machine.
            if matches!(next.fetch, Fetch::File { .. }) {
                return Err(SourceError::refused(
                    "a page leads to files of this machine",
                ));
            }
            fetch = next.fetch;
            inner = joined(next.subdir, inner);
        }
        Err(SourceError::fetch(
            package.address(),
            "one page leads to another without end",
        ))
    }

    /// A path in the scratch folder where nothing is.
    fn fresh(&mut self, what: &str) -> PathBuf {
        self.made += 1;
        self.scratch.path().join(format!("{what}-{}", self.made))
    }

    fn temporary(&self) -> Result<File, SourceError> {
        let folder = self.scratch.path();
        tempfile::tempfile_in(folder).map_err(SourceError::io(folder))
    }

    /// Puts a package in the place of a call. Returns the module's folder, below the stack's.
    fn place(
        &mut self,
        key: &str,
        package: &Path,
        subdir: Option<&str>,
    ) -> Result<String, SourceError> {
        let subdir = subdir.map(|s| chosen(package, s)).transpose()?;
        let staged = self
            .scratch
            .path()
            .join(format!("call-{}", self.now.0.len()));
        folder::copy(package, &staged, self.options.limits)?;
        let place = self.stack.join(MODULES_DIR).join(key);
        // From here to `finish` the manifest does not name what is about to change.
        if self.before.0.remove(key).is_some() {
            self.before.write(&self.stack)?;
        }
        if fs::symlink_metadata(&place).is_ok() {
            let old = self
                .scratch
                .path()
                .join(format!("old-{}", self.now.0.len()));
            fs::rename(&place, old).map_err(SourceError::io(&place))?;
        }
        fs::rename(&staged, &place).map_err(SourceError::io(&place))?;
        Ok(match subdir {
            Some(subdir) => format!("{MODULES_DIR}/{key}/{subdir}"),
            None => format!("{MODULES_DIR}/{key}"),
        })
    }
}

/// Where a call's package comes from.
enum Origin {
    Registry(RegistryModule),
    Package(Package),
}

impl Origin {
    fn address(&self) -> String {
        match self {
            Origin::Registry(module) => module.package(),
            Origin::Package(package) => package.address(),
        }
    }
}

/// The folder that a registry's answer names; a package's own is part of the call.
fn registry_subdir(source: &Origin, package: &Package) -> Option<String> {
    match source {
        Origin::Registry(_) => package.subdir.clone(),
        Origin::Package(_) => None,
    }
}

/// An address that may be relative to the page that names it.
fn relative(page: &Url, place: &str) -> Result<Package, SourceError> {
    if ["/", "./", "../"].iter().any(|p| place.starts_with(p)) {
        let url = page.join(place).map_err(|e| SourceError::fetch(place, e))?;
        return Package::parse(url.as_str());
    }
    Package::parse(place)
}

/// The folder within a package; `*` stands for the one name there is.
fn chosen(package: &Path, subdir: &str) -> Result<String, SourceError> {
    let mut path = PathBuf::new();
    for part in subdir.split('/') {
        if part.contains('*') {
            let here = package.join(&path);
            let (before, after) = part.split_once('*').unwrap_or((part, ""));
            let mut names: Vec<String> = fs::read_dir(&here)
                .map_err(SourceError::io(&here))?
                .filter_map(|e| e.ok()?.file_name().into_string().ok())
                .filter(|n| {
                    n.len() + 1 >= part.len() && n.starts_with(before) && n.ends_with(after)
                })
                .collect();
            if names.len() != 1 {
                let why = format!("`{part}` is {} of its names, and must be one", names.len());
                return Err(SourceError::fetch(
                    format!("the folder `{subdir}` of the package"),
                    why,
                ));
            }
            path.extend(names.pop());
        } else {
            path.push(part);
        }
    }
    if !package.join(&path).is_dir() {
        return Err(SourceError::fetch(
            "the package",
            format!("it has no folder `{subdir}`"),
        ));
    }
    Ok(path.to_string_lossy().into_owned())
}

fn remove(path: &Path) -> Result<(), SourceError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(SourceError::Io {
            path: path.to_owned(),
            error,
        }),
        _ => Ok(()),
    }
}
