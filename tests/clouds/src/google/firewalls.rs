//! Firewall rules.

use super::{
    error::{Outcome, Refusal},
    kinds::Asked,
    world::{Object, World, default, merge},
};
use serde_json::{Value as Json, json};

/// Completes a new rule.
///
/// # Errors
/// A field can't be as it is.
pub fn insert(world: &mut World, asked: &mut Asked<'_>) -> Outcome<()> {
    default(&mut asked.body, "network", json!("global/networks/default"));
    let now = asked.at.now;
    world.refer(&mut asked.body, ("network", "networks"), &asked.key, now)?;
    complete(&mut asked.body)
}

fn complete(body: &mut Object) -> Outcome<()> {
    default(body, "direction", json!("INGRESS"));
    default(body, "priority", json!(1000));
    default(body, "disabled", json!(false));
    default(body, "logConfig", json!({"enable": false}));
    body.retain(|_, v| v.as_array().is_none_or(|a| !a.is_empty()));
    let has = |field: &str| body.contains_key(field);
    if has("allowed") == has("denied") {
        let message = "Exactly one of 'allowed' and 'denied' must be specified.";
        return Err(Refusal::new(400, "invalid", message));
    }
    let priority = &body["priority"];
    if priority.as_u64().is_none_or(|p| p > 65535) {
        return Err(Refusal::invalid(
            "priority",
            priority,
            "Must be between 0 and 65535.",
        ));
    }
    let ingress = body["direction"] == "INGRESS";
    let wrong = match ingress {
        true => ["destinationRanges", ""],
        false => ["sourceTags", "sourceServiceAccounts"],
    };
    let both = (has("sourceTags") || has("targetTags"))
        && (has("sourceServiceAccounts") || has("targetServiceAccounts"));
    if both {
        let message = "Tags and service accounts can't be combined in one rule.";
        return Err(Refusal::new(400, "invalid", message));
    }
    // Ingress may be limited by its destination too.
    if let Some(field) = wrong.iter().find(|f| !ingress && has(f)) {
        return Err(Refusal::invalid(
            field,
            &body[*field],
            "It does not go with the direction.",
        ));
    }
    for rule in [body.get("allowed"), body.get("denied")]
        .into_iter()
        .flatten()
    {
        for (i, entry) in rule.as_array().into_iter().flatten().enumerate() {
            let protocol = entry["IPProtocol"].as_str().unwrap_or_default();
            if protocol.is_empty() {
                return Err(Refusal::required(&format!("allowed[{i}].IPProtocol")));
            }
            let ports = entry["ports"].as_array().is_some_and(|p| !p.is_empty());
            if ports && !matches!(protocol, "tcp" | "udp" | "sctp" | "6" | "17" | "132") {
                let why = "Ports can't be given for this protocol.";
                let field = format!("allowed[{i}].ports");
                return Err(Refusal::invalid(&field, &entry["ports"], why));
            }
        }
    }
    let sources = ["sourceRanges", "sourceTags", "sourceServiceAccounts"];
    if ingress && !sources.iter().any(|f| has(f)) {
        body.insert("sourceRanges".into(), json!(["0.0.0.0/0"]));
    }
    if !ingress && !body.contains_key("destinationRanges") {
        body.insert("destinationRanges".into(), json!(["0.0.0.0/0"]));
    }
    Ok(())
}

/// Changes a rule; `whole` where all of it is given.
///
/// # Errors
/// A field can't be as it is.
pub fn change(world: &mut World, asked: &Asked<'_>, whole: bool) -> Outcome<()> {
    let thing = world.ready(&asked.key, asked.at.now)?;
    for field in ["direction", "network"] {
        let (old, new) = (thing.body.get(field), asked.body.get(field));
        let same = |o: &Json, n: &Json| {
            let (o, n) = (
                o.as_str().unwrap_or_default(),
                n.as_str().unwrap_or_default(),
            );
            o == n
                || o.ends_with(&format!("/{n}"))
                || n.ends_with(o.trim_start_matches("https://www.googleapis.com/compute/v1/"))
        };
        if let (Some(old), Some(new)) = (old, new)
            && !same(old, new)
        {
            return Err(Refusal::invalid(field, new, "It can't be changed."));
        }
    }
    let mut body = thing.body.clone();
    if whole {
        let kept = [
            "kind",
            "id",
            "name",
            "creationTimestamp",
            "selfLink",
            "network",
            "direction",
        ];
        body.retain(|f, _| kept.contains(&f.as_str()));
    }
    let mut patch = asked.body.clone();
    patch.remove("network");
    merge(&mut body, &patch);
    complete(&mut body)?;
    thing.body = body;
    Ok(())
}
