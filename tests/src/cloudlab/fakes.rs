//! The machines of a cloud that `weir-clouds` plays.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;

use super::Machine;

/// All machines that run or are stopped.
///
/// # Errors
/// It could not be reached, or said something else.
pub fn machines(address: &str) -> Result<Vec<Machine>, String> {
    told(&format!("http://{address}/_machines?all=true"))
}

/// The ids of everything that the cloud has.
///
/// # Errors
/// As [`machines`].
pub fn objects(address: &str) -> Result<BTreeSet<String>, String> {
    told(&format!("http://{address}/_objects"))
}

fn told<T: DeserializeOwned>(url: &str) -> Result<T, String> {
    let request = ureq::get(url)
        .config()
        .timeout_global(Some(super::PATIENCE));
    let answer = request.build().call();
    let mut answer = answer.map_err(|e| format!("{url}: {e}"))?;
    let text = answer.body_mut().read_to_string();
    let text = text.map_err(|e| format!("{url}: {e}"))?;
    serde_json::from_str(&text).map_err(|e| format!("{url}: {e}: {text}"))
}
