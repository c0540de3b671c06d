//! Machines of clouds, chosen by what is needed and not by what a cloud calls them.
//!
//! Everything here is a function of its arguments and of tables that are built in: nothing is
//! looked up, no account is needed, and the same question has the same answer in every run.
//!
//! 1. [`Catalogue::of`] has a cloud's types: cores, memory, architecture, GPUs, and per region the
//!    price of an hour on demand. `data/machines/make.py` makes the tables and says from what.
//! 2. [`choose`] sorts the types of a region by price, keeps those that fit a [`Requirement`], and
//!    says of each other what it lacks.
//! 3. [`image`] says where each cloud looks up an image that goes by a name such as `debian-12`:
//!    a lookup, and no id, as ids go stale.
//! 4. [`assign`] says which offer of a pool makes which of its machines: those that are there stay.

mod assign;
mod catalogue;
mod choose;
mod images;
mod price;

pub use assign::{Assigned, Bidder, Condition, Spent, Standing, assign};
pub use catalogue::{Arch, Burstable, Catalogue, Gpus, Machine};
pub use choose::{
    Candidate, Choice, Market, Misfit, NoChoice, PassedOver, Requirement, Wish, choose,
};
pub use images::{ImageLookup, NoImage, image, images};
pub use price::Price;
use weir_core::ModulePath;

/// What makes nothing more in a run: an offer of a pool, or one of its zones.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exhausted {
    /// The offer, by the module path of what it makes.
    pub offer: ModulePath,
    /// The zone, where others of the offer may have machines.
    pub zone: Option<String>,
}

/// A cloud whose machines weir can choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cloud {
    /// Amazon Web Services.
    Aws,
    /// Microsoft Azure.
    Azure,
    /// Google Cloud.
    Google,
}

impl Cloud {
    /// All of them.
    pub const ALL: [Cloud; 3] = [Cloud::Aws, Cloud::Azure, Cloud::Google];

    /// The provider's type: `aws`, `azurerm` or `google`.
    pub fn provider(self) -> &'static str {
        match self {
            Cloud::Aws => "aws",
            Cloud::Azure => "azurerm",
            Cloud::Google => "google",
        }
    }

    /// The cloud that a provider of that type serves.
    pub fn of_provider(ty: &str) -> Option<Cloud> {
        Cloud::ALL.into_iter().find(|c| c.provider() == ty)
    }
}
