//! Sources of modules: what an address means, and how what it names comes into a stack's folder.
//!
//! A stack's `module` blocks name packages: git repositories, archives, folders, modules of a
//! registry. This crate fetches them below `.weir/modules`, pins each by a digest of its content
//! in `weir.lock.hcl` beside the stack, and refuses what differs from its pin. It reads no
//! configuration and no environment, prints nothing and asks nothing; it never runs anything but
//! `git`, and nothing in a package is executed.
//!
//! 1. [`Source::parse`] says what an address is, by Terraform's rules.
//! 2. [`Installer::open`] takes the lock of `.weir/modules` and reads what is installed and pinned.
//! 3. [`Installer::install`] brings one call's package: what is there already and unchanged stays;
//!    else `registry` finds its version, `git`, `http` or a copy brings it to a folder of its
//!    own, `archive` unpacks it, `folder` checks its links and sizes and makes its digest, which
//!    is held against the pin, and one rename puts it in its place.
//! 4. [`Installer::finish`] writes the manifest and the pins, and removes what nothing uses.

mod address;
mod archive;
mod error;
mod folder;
mod git;
mod http;
mod install;
mod lock;
mod manifest;
mod registry;
mod version;

pub use address::{ArchiveKind, Checksum, Fetch, Package, RegistryModule, Source, shown};
pub use error::SourceError;
pub use folder::{Limits, digest};
pub use install::{Installed, Installer, Options, Upgrade, Wanted};
pub use lock::{LOCK_FILE, Lock, Pin};
pub use manifest::{Entry, MODULES_DIR, Manifest};
pub use registry::Host;
pub use version::Constraint;
