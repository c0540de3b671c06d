//! Images by names that mean the same everywhere.

use super::{Arch, Cloud};
use std::{collections::BTreeSet, fmt, sync::LazyLock};

/// What a cloud is asked for an image. The newest answer is the image, so that a machine that is
/// made today has today's security fixes; machines there are keep theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageLookup {
    /// `aws_ami`, the most recent one.
    Aws {
        /// The account that publishes it.
        owner: &'static str,
        /// A pattern of names, with `*`.
        name: &'static str,
    },
    /// The version `latest` of an Azure image.
    Azure {
        /// Its publisher.
        publisher: &'static str,
        /// Its offer.
        offer: &'static str,
        /// Its SKU.
        sku: &'static str,
    },
    /// The newest image of a family of Google Compute Engine.
    Google {
        /// The project that publishes it.
        project: &'static str,
        /// The family.
        family: &'static str,
    },
}

impl fmt::Display for ImageLookup {
    /// As the cloud's own tools write it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ImageLookup::Aws { owner, name } => write!(f, "newest of owner {owner}, name {name}"),
            ImageLookup::Azure {
                publisher,
                offer,
                sku,
            } => write!(f, "{publisher}:{offer}:{sku}:latest"),
            ImageLookup::Google { project, family } => {
                write!(f, "projects/{project}/global/images/family/{family}")
            }
        }
    }
}

/// Why there is no such image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoImage {
    /// The name is none.
    Unknown,
    /// The cloud has it, but for other architectures.
    Arch(Vec<Arch>),
    /// Only these clouds have it.
    Cloud(Vec<Cloud>),
}

struct Row {
    name: &'static str,
    arch: Arch,
    lookup: ImageLookup,
}

impl Row {
    fn cloud(&self) -> Cloud {
        match self.lookup {
            ImageLookup::Aws { .. } => Cloud::Aws,
            ImageLookup::Azure { .. } => Cloud::Azure,
            ImageLookup::Google { .. } => Cloud::Google,
        }
    }
}

const TABLE: &str = include_str!("../../data/machines/images.tsv");

/// The lines after the notes and the header.
static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let lines = TABLE.lines().filter(|l| !l.starts_with('#')).skip(1);
    lines.filter_map(row).collect()
});

fn row(line: &'static str) -> Option<Row> {
    let cells: Vec<&'static str> = line.split('\t').collect();
    let (name, arch, lookup) = match *cells.as_slice() {
        [name, arch, "aws", owner, pattern] => {
            let lookup = ImageLookup::Aws {
                owner,
                name: pattern,
            };
            (name, arch, lookup)
        }
        [name, arch, "azurerm", publisher, offer, sku] => {
            let lookup = ImageLookup::Azure {
                publisher,
                offer,
                sku,
            };
            (name, arch, lookup)
        }
        [name, arch, "google", project, family] => {
            (name, arch, ImageLookup::Google { project, family })
        }
        _ => return None,
    };
    Some(Row {
        name,
        arch: Arch::parse(arch)?,
        lookup,
    })
}

/// The names there are, sorted.
pub fn images() -> Vec<&'static str> {
    let names: BTreeSet<&str> = ROWS.iter().map(|r| r.name).collect();
    names.into_iter().collect()
}

/// Where a cloud looks up the image of that name.
///
/// # Errors
/// What there is instead.
pub fn image(name: &str, cloud: Cloud, arch: Arch) -> Result<&'static ImageLookup, NoImage> {
    let named: Vec<&Row> = ROWS.iter().filter(|r| r.name == name).collect();
    if named.is_empty() {
        return Err(NoImage::Unknown);
    }
    let here: Vec<&Row> = named
        .iter()
        .copied()
        .filter(|r| r.cloud() == cloud)
        .collect();
    if let Some(row) = here.iter().find(|r| r.arch == arch) {
        return Ok(&row.lookup);
    }
    if here.is_empty() {
        let clouds: BTreeSet<Cloud> = named.iter().map(|r| r.cloud()).collect();
        return Err(NoImage::Cloud(clouds.into_iter().collect()));
    }
    Err(NoImage::Arch(here.iter().map(|r| r.arch).collect()))
}

#[cfg(test)]
#[path = "images_tests.rs"]
mod tests;
