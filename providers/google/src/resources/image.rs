//! Images by the many names that people use: a link, `PROJECT/FAMILY`, `PROJECT/IMAGE`, `family/F`,
//! or a family or image alone.

use crate::{
    client::Google,
    name::same_link,
    resource::{Failure, unless_gone},
};
use serde_json::{Value as Json, json};

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
