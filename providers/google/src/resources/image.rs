//! Images by the many names that people use: a link, `PROJECT/FAMILY`, `PROJECT/IMAGE`, `family/F`,
//! or a family or image alone.

use crate::{
    client::Google,
    name::same_link,
    resource::{Failure, unless_gone},
};
use serde_json::{Value as Json, json};
use weir_core::Value;
use weir_provider::declared::Fields as _;

/// The project of the images that begin so.
pub(crate) const PROJECTS: [(&str, &str); 11] = [
    ("centos", "centos-cloud"),
    ("cos", "cos-cloud"),
    ("debian", "debian-cloud"),
    ("fedora-coreos", "fedora-coreos-cloud"),
    ("opensuse", "opensuse-cloud"),
    ("rhel", "rhel-cloud"),
    ("rocky-linux", "rocky-linux-cloud"),
    ("sles", "suse-cloud"),
    ("ubuntu", "ubuntu-os-cloud"),
    ("windows", "windows-cloud"),
    ("sql", "windows-sql-cloud"),
];

/// The newest image of a family that is not deprecated.
pub(crate) async fn newest(
    google: &Google,
    project: &str,
    family: &str,
) -> Result<Option<Json>, Failure> {
    let call = || {
        let call = google.clients.images.get_from_family();
        call.set_project(project).set_family(family).send()
    };
    unless_gone(google.call("images.getFromFamily", call).await)
}

async fn named(google: &Google, project: &str, name: &str) -> Result<Option<Json>, Failure> {
    let call = || {
        let call = google.clients.images.get();
        call.set_project(project).set_image(name).send()
    };
    unless_gone(google.call("images.get", call).await)
}

/// The link that a name of an image stands for, as the API takes it.
///
/// # Errors
/// There is no such image.
pub(super) async fn resolve(google: &Google, text: &str, project: &str) -> Result<Json, Failure> {
    if text.contains("/images/") {
        let link = text
            .strip_prefix("global/")
            .map(|_| format!("projects/{project}/{text}"));
        return Ok(json!(link.unwrap_or_else(|| text.to_owned())));
    }
    let (projects, name) = match text.split('/').collect::<Vec<_>>().as_slice() {
        ["family", family] => (vec![project.to_owned()], (*family).to_owned()),
        [other, name] => (vec![(*other).to_owned()], (*name).to_owned()),
        _ => {
            let name = text.rsplit('/').next().unwrap_or(text);
            let public = PROJECTS.iter().find(|(begin, _)| name.starts_with(begin));
            let mut projects: Vec<String> =
                public.map(|(_, p)| (*p).to_owned()).into_iter().collect();
            projects.push(project.to_owned());
            (projects, name.to_owned())
        }
    };
    for project in &projects {
        let family = format!("projects/{project}/global/images/family/{name}");
        if newest(google, project, &name).await?.is_some() {
            return Ok(json!(family));
        }
        if named(google, project, &name).await?.is_some() {
            return Ok(json!(format!("projects/{project}/global/images/{name}")));
        }
    }
    let mut failure = Failure::new(
        "images.get",
        format!("there is no image {text:?} in {}", projects.join(" or ")),
    );
    failure.help = Some(
        "Name one as PROJECT/FAMILY (\"debian-cloud/debian-12\"), or look it up with `data \"google_compute_image\"`.",
    );
    Err(failure)
}

/// Whether the second names what is recorded as the first: the same image or family, or the family
/// that the recorded image is of.
pub(super) fn is_of(recorded: &str, written: &str) -> bool {
    let (was, is) = (parts(recorded), parts(written));
    let one_project = was.0.is_none() || is.0.is_none() || was.0 == is.0;
    one_project && (was.1 == is.1 || is_in_family(was.1, is.1))
}

/// The project, where it is said, and the name.
fn parts(text: &str) -> (Option<&str>, &str) {
    let words: Vec<&str> = text.split('/').collect();
    let name = words.last().copied().unwrap_or(text);
    let project = match words.as_slice() {
        ["family", _] => None,
        [project, _] => Some(*project),
        _ => {
            let at = words.iter().position(|w| *w == "projects");
            at.and_then(|at| words.get(at + 1)).copied()
        }
    };
    (project, name)
}

/// Whether the image is one of the family, by their names: `debian-12-bookworm-v20250610` is of
/// `debian-12`. Between the family and the version stand one code name and the architecture.
fn is_in_family(image: &str, family: &str) -> bool {
    let Some((image, version)) = image.rsplit_once("-v") else {
        return false;
    };
    if image.contains("-arm64") != family.contains("-arm64") {
        return false;
    }
    let bare = |text: &str| {
        let text = text.trim_end_matches("-arm64").trim_end_matches("-amd64");
        text.trim_end_matches("-lts").to_owned()
    };
    let (image, stem) = (bare(image), bare(family));
    let rest = image.strip_prefix(stem.as_str());
    let named = rest.is_some_and(|rest| {
        let word = rest.strip_prefix('-').unwrap_or(rest);
        rest.is_empty() || (rest != word && word.chars().all(char::is_alphabetic))
    });
    named && version.bytes().all(|b| b.is_ascii_digit())
}

/// The planned value with the image as it is recorded, where what is written names that.
pub(super) fn respelled(prior: &Value, planned: Value, key: &str) -> Value {
    match (prior.text(key), planned.text(key)) {
        (Some(was), Some(is)) if was != is && is_of(&was, &is) => {
            planned.with(key, Value::from(was))
        }
        _ => planned,
    }
}

/// The image as it was written, where the one that was found may be what that stands for: a disk
/// says the image, not the family that it was taken from, and its image can never change.
pub(super) fn keep(known: Option<&str>, found: &Json) -> Json {
    match (known, found.as_str()) {
        (Some(known), _) if !known.contains("/images/") || known.contains("/family/") => {
            json!(known)
        }
        (Some(known), Some(text)) if same_link(known, text) => json!(known),
        _ => found.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::is_of;

    #[test]
    fn an_image_is_of_its_family() {
        let link = "https://www.googleapis.com/compute/v1/projects/debian-cloud/global/images/debian-12-bookworm-v20250610";
        for same in [
            link,
            "debian-12",
            "debian-cloud/debian-12",
            "family/debian-12",
            "projects/debian-cloud/global/images/family/debian-12",
            "debian-cloud/debian-12-bookworm-v20250610",
        ] {
            assert!(is_of(link, same), "{same}");
        }
        for other in [
            "debian-1",
            "debian-11",
            "debian-12-arm64",
            "other/debian-12",
            "debian-cloud/debian-12-bookworm-v20250311",
        ] {
            assert!(!is_of(link, other), "{other}");
        }
        let ubuntu = "ubuntu-2404-noble-amd64-v20250606";
        assert!(is_of(ubuntu, "ubuntu-os-cloud/ubuntu-2404-lts-amd64"));
        assert!(!is_of(ubuntu, "ubuntu-os-cloud/ubuntu-2404-lts-arm64"));
        assert!(!is_of(
            "rocky-linux-8-optimized-gcp-v20250610",
            "rocky-linux-8"
        ));
        // Which image of the family it was made of is not known.
        assert!(!is_of("debian-12", "debian-12-bookworm-v20250610"));
    }
}
