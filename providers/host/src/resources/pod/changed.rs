//! What a host can tell of who changed a pod: when a file was changed last, and whose it is. Who
//! did it no file says: its owner may have been given it.

use std::time::{Duration, UNIX_EPOCH};

use weir_agent::wire::{FileState, PodStatus};
use weir_core::{Diagnostics, Value};
use weir_provider::{Attribution, ChangedRequest};

use super::{host_of, observe};
use crate::hosts::{Hosts, Private};

/// Files that are named; of more, the number is told.
const NAMED: usize = 3;

pub(crate) async fn changed_by(
    hosts: &Hosts,
    request: ChangedRequest,
) -> Result<Option<Attribution>, Diagnostics> {
    let Some(found) = &request.found else {
        return Ok(None);
    };
    let private = Private::decode(&request.private);
    let id = host_of(found.value()).unwrap_or_default();
    let scope = private.scope.clone().unwrap_or_default();
    let look = async { hosts.find(id, &private)?.status(&scope).await };
    // The report that showed the drift: the host is not asked again.
    let report = look
        .await
        .map_err(|error| Diagnostics::from(error.diagnostic(&request.address, id)))?;
    let status = observe::pod_of(&report, &scope, &request.address);
    Ok(status.and_then(|s| attribution(request.recorded.value(), found.value(), s)))
}

/// Of the files that are not as state has them; `None` where no file is there to tell.
fn attribution(recorded: &Value, found: &Value, status: &PodStatus) -> Option<Attribution> {
    let file = |of: &Value, path: &str| of.get("files").and_then(|f| f.get(path)).cloned();
    let mut last = None;
    let mut named = Vec::new();
    for one in &status.files {
        if let FileState::Differs { owner, changed, .. } = &one.state
            && file(recorded, &one.path) != file(found, &one.path)
        {
            last = last.max(*changed);
            named.push(format!("{}, owned by {owner}", one.path));
        }
    }
    let more = named.len().saturating_sub(NAMED);
    named.truncate(NAMED);
    let mut how = named.join("; ");
    if more > 0 {
        how.push_str(&format!("; and {more} more"));
    }
    (!how.is_empty()).then(|| Attribution {
        who: None,
        when: last.and_then(|at| UNIX_EPOCH.checked_add(Duration::from_secs(at))),
        how: Some(how),
    })
}
