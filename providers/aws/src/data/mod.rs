//! The data sources: a file each.

mod ami;
mod instance_types;
mod network;
mod place;

use crate::{
    client::Aws,
    resource::{Failure, Found},
    tags,
};
use aws_sdk_ec2::types::Filter;
use weir_core::{Diagnostic, Diagnostics, Value};
use weir_provider::declared::Fields as _;

/// Refuses what the schema can't express.
pub(crate) fn validate(type_name: &str, config: &Value, out: &mut Diagnostics) {
    if type_name == "aws_ami"
        && let Some(text) = config.text("name_regex")
        && let Err(e) = regex::Regex::new(&text)
    {
        out.push(
            Diagnostic::error("`name_regex` is not a regular expression")
                .because(format!("{e}."))
                .help("Correct it, or use a `filter` with the name."),
        );
    }
}

/// What the source finds.
pub(crate) async fn read(aws: &Aws, type_name: &str, config: &Value) -> Result<Found, Failure> {
    let found = match type_name {
        "aws_ami" => ami::read(aws, config).await,
        "aws_availability_zones" => place::zones(aws, config).await,
        "aws_caller_identity" => place::caller(aws).await,
        "aws_ec2_instance_type" => instance_types::one(aws, config).await,
        "aws_ec2_instance_types" => instance_types::all(aws, config).await,
        "aws_region" => place::region(aws, config).await,
        "aws_subnet" => network::subnet(aws, config).await,
        "aws_subnets" => network::subnets(aws, config).await,
        "aws_vpc" => network::vpc(aws, config).await,
        _ => Err(Failure::new(type_name, "there is no such data source")),
    };
    let mut found = found?;
    if let Some(all) = found.remove("tags_all") {
        found.insert("tags".into(), all);
    }
    Ok(found)
}

/// The filters of a describe call: the blocks `filter`, and `tags`.
fn filters(config: &Value) -> Vec<Filter> {
    let blocks = config.rows("filter").into_iter().map(|row| {
        Filter::builder()
            .set_name(row.text("name"))
            .set_values(row.texts("values"))
            .build()
    });
    let tags = config
        .labels("tags")
        .into_iter()
        .map(|(k, v)| Filter::builder().name(format!("tag:{k}")).values(v).build());
    blocks.chain(tags).collect()
}

/// Filters by attributes of the configuration, each by the API's name for it.
fn by(config: &Value, names: &[(&str, &str)]) -> Vec<Filter> {
    let set = names.iter().filter_map(|(key, name)| {
        let value = match config.flag(key) {
            Some(flag) => flag.to_string(),
            None => config.text(key)?,
        };
        Some(crate::resource::filter(name, value))
    });
    set.collect()
}

/// The API takes no empty list of filters.
fn some(filters: Vec<Filter>) -> Option<Vec<Filter>> {
    Some(filters).filter(|f| !f.is_empty())
}

/// The one that was found.
fn single<T>(mut all: Vec<T>, what: &str) -> Result<T, Failure> {
    match (all.pop(), all.len()) {
        (Some(one), 0) => Ok(one),
        (None, _) => Err(Failure::new("the search", format!("no {what} fits it"))),
        (Some(_), more) => {
            let why = format!(
                "{} {what}s fit it, and it must be one; say more of it",
                more + 1
            );
            Err(Failure::new("the search", why))
        }
    }
}

/// Attributes of a JSON object.
fn fields(value: serde_json::Value) -> Found {
    weir_provider::declared::object(value)
}

/// Tags as they are, without weir's own.
fn tags_of(aws: &Aws, all: &[aws_sdk_ec2::types::Tag]) -> serde_json::Value {
    tags::found(aws, all)
}
