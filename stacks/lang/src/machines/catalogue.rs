//! The tables of machine types that are built in.

use super::{Cloud, Price};
use std::{fmt, sync::LazyLock};

/// The instruction set of a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Arch {
    /// x86-64.
    #[default]
    Amd64,
    /// 64-bit Arm.
    Arm64,
}

impl Arch {
    /// As it is written: `amd64` or `arm64`.
    pub fn as_str(self) -> &'static str {
        match self {
            Arch::Amd64 => "amd64",
            Arch::Arm64 => "arm64",
        }
    }

    /// Reads what [`Arch::as_str`] writes.
    pub fn parse(text: &str) -> Option<Arch> {
        [Arch::Amd64, Arch::Arm64]
            .into_iter()
            .find(|a| a.as_str() == text)
    }
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Whether a machine's cores are its own, or are throttled once its credits are used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Burstable {
    /// A share of the cores is guaranteed, the rest is lent.
    Yes,
    /// They are its own.
    No,
}

/// The GPUs of a machine.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Gpus {
    /// How many.
    pub count: u32,
    /// What they are: `T4`; empty where there are none.
    pub model: String,
}

/// A machine type of a cloud.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// What the cloud calls it: `m7g.large`.
    pub name: String,
    /// Virtual cores.
    pub cpus: u32,
    /// Memory in MiB.
    pub memory_mib: u64,
    /// Its instruction set.
    pub arch: Arch,
    /// Its GPUs.
    pub gpus: Gpus,
    /// Whether its cores are lent.
    pub burstable: Burstable,
}

/// The machine types of a cloud, and what they cost where.
#[derive(Debug)]
pub struct Catalogue {
    cloud: Cloud,
    /// Of the prices: `2025-03-02`.
    date: String,
    /// What it was made from.
    source: String,
    regions: Vec<String>,
    /// Each with a price per region, in the order of `regions`.
    rows: Vec<(Machine, Vec<Option<Price>>)>,
}

/// In the order of [`Cloud::ALL`].
static BUILT_IN: LazyLock<[Catalogue; 3]> = LazyLock::new(|| {
    [
        Catalogue::read(Cloud::Aws, include_str!("../../data/machines/aws.tsv")),
        Catalogue::read(
            Cloud::Azure,
            include_str!("../../data/machines/azurerm.tsv"),
        ),
        Catalogue::read(
            Cloud::Google,
            include_str!("../../data/machines/google.tsv"),
        ),
    ]
});

/// The columns before those of the regions.
const COLUMNS: usize = 7;

impl Catalogue {
    /// The one of a cloud.
    pub fn of(cloud: Cloud) -> &'static Catalogue {
        match cloud {
            Cloud::Aws => &BUILT_IN[0],
            Cloud::Azure => &BUILT_IN[1],
            Cloud::Google => &BUILT_IN[2],
        }
    }

    /// Reads a table as `make.py` writes it. A line that is none of it is left out: the tests hold
    /// the tables against their lines, so that none is.
    fn read(cloud: Cloud, text: &str) -> Catalogue {
        let (notes, table): (Vec<&str>, Vec<&str>) = text.lines().partition(|l| l.starts_with('#'));
        let note = |before: &str, after: &str| {
            let found = notes.iter().find_map(|l| {
                let rest = l.strip_prefix(before)?;
                Some(rest.split_once(after).map_or(rest, |(note, _)| note))
            });
            found.unwrap_or_default().to_owned()
        };
        let mut lines = table.into_iter();
        let header = lines.next().unwrap_or_default();
        Catalogue {
            cloud,
            date: note("# prices of ", ","),
            source: note("# made by make.py of ", "\n"),
            regions: header
                .split('\t')
                .skip(COLUMNS)
                .map(str::to_owned)
                .collect(),
            rows: lines.filter_map(row).collect(),
        }
    }

    /// Whose types it has.
    pub fn cloud(&self) -> Cloud {
        self.cloud
    }

    /// The day of the prices: `2025-03-02`.
    pub fn date(&self) -> &str {
        &self.date
    }

    /// What it was made from, with versions.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The regions it has prices of, sorted.
    pub fn regions(&self) -> &[String] {
        &self.regions
    }

    /// Every type with its price in a region, where it has one there; `None` for a region that the
    /// catalogue does not know.
    pub fn types_in(
        &self,
        region: &str,
    ) -> Option<impl Iterator<Item = (&Machine, Option<Price>)> + use<'_>> {
        let column = self.regions.iter().position(|r| r == region)?;
        let rows = self.rows.iter();
        Some(rows.map(move |(machine, prices)| (machine, prices[column])))
    }

    /// A type by its name, in whatever region.
    pub fn machine(&self, name: &str) -> Option<&Machine> {
        let mut machines = self.rows.iter().map(|(machine, _)| machine);
        machines.find(|m| m.name == name)
    }

    /// The names of all types.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.rows.iter().map(|(machine, _)| machine.name.as_str())
    }
}

fn row(line: &str) -> Option<(Machine, Vec<Option<Price>>)> {
    let mut cells = line.split('\t');
    let mut cell = || cells.next();
    let machine = Machine {
        name: cell()?.to_owned(),
        cpus: cell()?.parse().ok()?,
        memory_mib: cell()?.parse().ok()?,
        arch: Arch::parse(cell()?)?,
        gpus: Gpus {
            count: cell()?.parse().ok()?,
            model: cell()?.to_owned(),
        },
        burstable: match cell()? {
            "yes" => Burstable::Yes,
            _ => Burstable::No,
        },
    };
    Some((machine, cells.map(|price| price.parse().ok()).collect()))
}

#[cfg(test)]
#[path = "catalogue_tests.rs"]
mod tests;
