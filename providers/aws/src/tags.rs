//! Tags: the user's, the provider block's, and weir's own.

use crate::{
    client::Aws,
    resource::{Call, Failure, filter},
};
use aws_sdk_ec2::types::{ResourceType, Tag, TagSpecification};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use weir_core::{Type, Value};
use weir_provider::declared::Fields as _;

/// Says which operation made a thing, so that a run after a crash finds it.
pub(crate) const TOKEN: &str = "weir:token";

/// The user's and the provider block's tags together; unknown while some are.
pub(crate) fn all(aws: Option<&Aws>, tags: &Value) -> Value {
    let (Some(aws), true) = (aws, tags.is_wholly_known()) else {
        return Value::unknown(Type::map(Type::String));
    };
    let mut all: BTreeMap<String, Value> = (aws.default_tags().iter())
        .map(|(k, v)| (k.clone(), Value::from(v.as_str())))
        .collect();
    for (k, v) in tags.as_entries().into_iter().flatten() {
        all.insert(k.to_string(), v.clone());
    }
    Value::map(Type::String, all).mark(tags.marks())
}

pub(crate) fn specification(
    cx: &Call<'_>,
    kind: ResourceType,
    planned: &Value,
) -> TagSpecification {
    let mut tags: Vec<Tag> = (planned.labels("tags_all").into_iter())
        .map(|(k, v)| tag(k, v))
        .collect();
    tags.push(tag(TOKEN, cx.token.as_str()));
    TagSpecification::builder()
        .resource_type(kind)
        .set_tags(Some(tags))
        .build()
}

fn tag(key: impl Into<String>, value: impl Into<String>) -> Tag {
    Tag::builder().key(key).value(value).build()
}

/// What the operation has made, if it has: one operation makes one thing.
pub(crate) async fn made_by(cx: &Call<'_>) -> Result<Option<String>, Failure> {
    let found = cx
        .cloud
        .call("DescribeTags", || {
            cx.cloud
                .ec2
                .describe_tags()
                .filters(filter("key", TOKEN))
                .filters(filter("value", cx.token.as_str()))
                .send()
        })
        .await?;
    let found = found.tags().first();
    Ok(found.and_then(|t| t.resource_id()).map(str::to_owned))
}

/// A filter of a describe call for what the operation has made.
pub(crate) fn mine(cx: &Call<'_>) -> aws_sdk_ec2::types::Filter {
    filter(&format!("tag:{TOKEN}"), cx.token.as_str())
}

/// A thing's tags, without those that are nobody's business here.
pub(crate) fn found(aws: &Aws, tags: &[Tag]) -> Json {
    let (keys, prefixes) = &aws.settings.ignored_tags;
    let ours = |key: &str| {
        key != TOKEN
            && !key.starts_with("aws:")
            && !keys.iter().any(|k| k == key)
            && !prefixes.iter().any(|p| key.starts_with(p.as_str()))
    };
    let pair = |t: &Tag| {
        let key = t.key()?;
        ours(key).then(|| {
            let value = t.value().unwrap_or_default();
            (key.to_owned(), Json::from(value))
        })
    };
    Json::Object(tags.iter().filter_map(pair).collect())
}

/// Of all the tags, those that the configuration sets: not those that are the provider block's.
pub(crate) fn own(aws: &Aws, all: &Json, known: &Value) -> Json {
    let set = known.labels("tags");
    let pairs = all.as_object().into_iter().flatten();
    let own = pairs.filter(|(k, v)| {
        let default = aws.default_tags().get(*k);
        set.contains_key(*k) || default.map(String::as_str) != v.as_str()
    });
    Json::Object(own.map(|(k, v)| (k.clone(), v.clone())).collect())
}

/// Makes the tags of a thing what is planned.
pub(crate) async fn change(
    cx: &Call<'_>,
    id: &str,
    prior: &Value,
    planned: &Value,
) -> Result<(), Failure> {
    let (was, is) = (prior.labels("tags_all"), planned.labels("tags_all"));
    let gone: Vec<Tag> = (was.keys().filter(|k| !is.contains_key(*k)))
        .map(|k| Tag::builder().key(k).build())
        .collect();
    let new: Vec<Tag> = (is.iter().filter(|(k, v)| was.get(*k) != Some(v)))
        .map(|(k, v)| tag(k, v))
        .collect();
    if !gone.is_empty() {
        cx.cloud
            .call("DeleteTags", || {
                let call = cx.cloud.ec2.delete_tags().resources(id);
                call.set_tags(Some(gone.clone())).send()
            })
            .await?;
    }
    if !new.is_empty() {
        cx.cloud
            .call("CreateTags", || {
                let call = cx.cloud.ec2.create_tags().resources(id);
                call.set_tags(Some(new.clone())).send()
            })
            .await?;
    }
    Ok(())
}
