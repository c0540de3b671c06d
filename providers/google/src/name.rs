//! Names of things: ids as Terraform writes them, links as the API does.

use crate::{client::Google, resource::Failure};

/// Where a kind of thing lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the project.
    Global,
    /// In a region.
    Region,
    /// In a zone.
    Zone,
}

/// One thing's place and name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) project: String,
    /// The region or zone; empty where the kind is global.
    pub(crate) place: String,
    pub(crate) name: String,
}

/// A kind of thing: what paths call it, and where it lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kind {
    /// As in paths: `subnetworks`.
    pub(crate) path: &'static str,
    pub(crate) place: Place,
}

impl Kind {
    /// The id: `projects/p/regions/r/subnetworks/s`.
    pub(crate) fn id(self, name: &Name) -> String {
        let Name {
            project,
            place,
            name,
        } = name;
        let path = self.path;
        match self.place {
            Place::Global => format!("projects/{project}/global/{path}/{name}"),
            Place::Region => format!("projects/{project}/regions/{place}/{path}/{name}"),
            Place::Zone => format!("projects/{project}/zones/{place}/{path}/{name}"),
        }
    }

    /// The thing that an id means: the whole of it, a link, or as imports may shorten it:
    /// `PROJECT/PLACE/NAME`, `PLACE/NAME` (`PROJECT/NAME` of what is global), `NAME`.
    ///
    /// # Errors
    /// How an id is written.
    pub(crate) fn parse(self, google: &Google, id: &str) -> Result<Name, Failure> {
        let path = match id.split_once("/compute/v1/") {
            Some((_, path)) => path,
            None => id,
        };
        let parts: Vec<&str> = path.split('/').collect();
        let own = |project: &str, place: &str, name: &str| Name {
            project: project.to_owned(),
            place: place.to_owned(),
            name: name.to_owned(),
        };
        let project = || google.project_of(None);
        let found = match (parts.as_slice(), self.place) {
            (["projects", project, "global", kind, name], Place::Global) if *kind == self.path => {
                own(project, "", name)
            }
            (["projects", project, "regions", place, kind, name], Place::Region)
            | (["projects", project, "zones", place, kind, name], Place::Zone)
                if *kind == self.path =>
            {
                own(project, place, name)
            }
            ([project, name], Place::Global) => own(project, "", name),
            ([name], Place::Global) => own(&project()?, "", name),
            ([project, place, name], Place::Region | Place::Zone) => own(project, place, name),
            ([place, name], Place::Region | Place::Zone) => own(&project()?, place, name),
            ([name], Place::Region) => own(&project()?, &google.region_of(None)?, name),
            ([name], Place::Zone) => own(&project()?, &google.zone_of(None)?, name),
            _ => {
                let whole = Name {
                    project: "PROJECT".into(),
                    place: "PLACE".into(),
                    name: "NAME".into(),
                };
                let short = match self.place {
                    Place::Global => "PROJECT/NAME or NAME",
                    _ => "PROJECT/PLACE/NAME, PLACE/NAME or NAME",
                };
                let why = format!("{id:?} is none of {}, {short}", self.id(&whole));
                return Err(Failure::new("import", why));
            }
        };
        Ok(found)
    }
}

/// The last part of a link: `europe-west1-b` of `.../zones/europe-west1-b`.
pub(crate) fn last(link: &str) -> &str {
    link.rsplit('/').next().unwrap_or(link)
}

/// Whether two links, whole or in part, mean the same: `default`, `global/networks/default`,
/// `projects/p/global/networks/default`, and with `https://.../compute/v1/` before it.
pub(crate) fn same_link(a: &str, b: &str) -> bool {
    let bare = |link: &str| match link.split_once("/compute/v1/") {
        Some((_, path)) => path.to_owned(),
        None => link.trim_start_matches('/').to_owned(),
    };
    let (a, b) = (bare(a), bare(b));
    let (long, short) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    long == short || !short.is_empty() && long.ends_with(&format!("/{short}"))
}

#[cfg(test)]
mod tests {
    use super::same_link;

    #[test]
    fn links_mean_the_same_however_long() {
        let whole = "https://www.googleapis.com/compute/v1/projects/p/global/networks/net";
        for short in [
            "net",
            "networks/net",
            "global/networks/net",
            "projects/p/global/networks/net",
            "https://compute.googleapis.com/compute/v1/projects/p/global/networks/net",
        ] {
            assert!(
                same_link(whole, short) && same_link(short, whole),
                "{short}"
            );
        }
        for other in [
            "",
            "et",
            "other",
            "projects/q/global/networks/net",
            "global/networks/nett",
        ] {
            assert!(!same_link(whole, other), "{other}");
        }
    }
}
