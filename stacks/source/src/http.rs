//! Downloads.

use crate::{address::without_password, error::SourceError, folder::Limits};
use base64::Engine;
use std::{
    fs::File,
    io::{self, Read},
    time::Duration,
};
use ureq::{Agent, Body, http::Response};
use url::Url;

/// A client that gives up in the end.
pub(crate) fn agent() -> Agent {
    let config = Agent::config_builder()
        .timeout_connect(Some(Duration::from_secs(20)))
        .timeout_recv_response(Some(Duration::from_secs(60)))
        .timeout_global(Some(Duration::from_secs(30 * 60)))
        .http_status_as_error(false)
        .user_agent(concat!("weir/", env!("CARGO_PKG_VERSION")))
        .build();
    config.into()
}

/// Asks for a page. A user and a password in the address are sent as such, and only to its host.
pub(crate) fn get(
    agent: &Agent,
    url: &Url,
    token: Option<&str>,
) -> Result<Response<Body>, SourceError> {
    let what = without_password(url.as_str());
    let mut plain = url.clone();
    let mut authorization = token.map(|t| format!("Bearer {t}"));
    if !url.username().is_empty() || url.password().is_some() {
        let login = format!(
            "{}:{}",
            decoded(url.username()),
            decoded(url.password().unwrap_or_default())
        );
        let login = base64::engine::general_purpose::STANDARD.encode(login);
        authorization = Some(format!("Basic {login}"));
        // An HTTP URL has a host: neither call can fail.
        let _ = plain.set_username("");
        let _ = plain.set_password(None);
    }
    let mut request = agent.get(plain.as_str());
    if let Some(value) = &authorization {
        request = request.header("Authorization", value);
    }
    let response = request.call().map_err(|e| SourceError::fetch(&what, e))?;
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    Err(SourceError::fetch(
        what,
        format!("the server says {status}"),
    ))
}

fn decoded(text: &str) -> String {
    url::form_urlencoded::parse(format!("x={}", text.replace('+', "%2B")).as_bytes())
        .next()
        .map_or_else(String::new, |(_, value)| value.into_owned())
}

/// Brings a file.
pub(crate) fn download(
    agent: &Agent,
    url: &Url,
    limits: Limits,
    into: &mut File,
) -> Result<(), SourceError> {
    let what = without_password(url.as_str());
    let mut response = get(agent, url, None)?;
    let reader = response.body_mut().as_reader();
    let mut bounded = reader.take(limits.download.saturating_add(1));
    let written = io::copy(&mut bounded, into).map_err(|e| SourceError::fetch(&what, e))?;
    if written > limits.download {
        return Err(SourceError::refused(format!(
            "{what} is larger than a download may be"
        )));
    }
    Ok(())
}

/// The text of an answer; a megabyte at most.
pub(crate) fn text(mut response: Response<Body>, what: &str) -> Result<String, SourceError> {
    let mut text = String::new();
    response
        .body_mut()
        .as_reader()
        .take(1 << 20)
        .read_to_string(&mut text)
        .map_err(|e| SourceError::fetch(what, e))?;
    Ok(text)
}

/// Where a page says that the package is: in the header `X-Terraform-Get`, or in a `meta` element
/// `terraform-get`.
pub(crate) fn redirection(agent: &Agent, url: &Url) -> Result<String, SourceError> {
    let what = without_password(url.as_str());
    let mut asked = url.clone();
    asked.query_pairs_mut().append_pair("terraform-get", "1");
    let response = get(agent, &asked, None)?;
    if let Some(place) = header(&response) {
        return Ok(place);
    }
    let page = text(response, &what)?;
    meta(&page).ok_or_else(|| {
        SourceError::fetch(
            what,
            "it is no archive by its name, and the page does not say where one is; for an archive add `?archive=zip` or `?archive=tar.gz`",
        )
    })
}

pub(crate) fn header(response: &Response<Body>) -> Option<String> {
    let value = response.headers().get("X-Terraform-Get")?;
    Some(value.to_str().ok()?.to_owned()).filter(|v| !v.is_empty())
}

/// The content of `<meta name="terraform-get" content="...">`.
fn meta(page: &str) -> Option<String> {
    for element in page.split("<meta").skip(1) {
        let element = &element[..element.find('>')?];
        if attribute(element, "name").as_deref() == Some("terraform-get") {
            return attribute(element, "content");
        }
    }
    None
}

fn attribute(element: &str, name: &str) -> Option<String> {
    let at = element.find(&format!(" {name}="))? + name.len() + 2;
    let rest = &element[at..];
    let quote = rest.chars().next().filter(|c| "\"'".contains(*c))?;
    let value = &rest[1..];
    Some(value[..value.find(quote)?].replace("&amp;", "&"))
}
