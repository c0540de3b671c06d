//! The resource types: a file each.

mod cidr;
mod ebs_volume;
mod eip;
mod eip_association;
mod group_rule;
mod instance;
mod internet_gateway;
mod key_pair;
mod launch_template;
mod nat_gateway;
mod network_interface;
mod permissions;
mod placement_group;
mod route;
mod route_table;
mod route_table_association;
mod route_target;
mod security_group;
mod security_group_rule;
pub(crate) mod subnet;
mod volume_attachment;
pub(crate) mod vpc;

use crate::{client::Aws, resource::Call};
use permissions::Direction;
use weir_core::{Kind, Type, Value};
use weir_provider::{
    cloud::{Failure, Resource},
    declared::{
        Fields as _,
        checks::{at_most_one, choice, is_set, not_both, one_of, within},
    },
};

const ALL: [&dyn Resource<Aws>; 20] = [
    &ebs_volume::EbsVolume,
    &eip::Eip,
    &eip_association::EipAssociation,
    &group_rule::GroupRule(Direction::Egress),
    &group_rule::GroupRule(Direction::Ingress),
    &instance::InstanceResource,
    &internet_gateway::InternetGateway,
    &key_pair::KeyPair,
    &launch_template::Template,
    &nat_gateway::Nat,
    &network_interface::Interface,
    &placement_group::PlacementGroup,
    &route::RouteResource,
    &route_table::RouteTable,
    &route_table_association::Association,
    &security_group::SecurityGroup,
    &security_group_rule::Rule,
    &subnet::Subnet,
    &volume_attachment::Attachment,
    &vpc::Vpc,
];

/// The type of that name.
pub(crate) fn by_name(name: &str) -> Option<&'static dyn Resource<Aws>> {
    ALL.into_iter().find(|r| r.name() == name)
}

/// The API made something and did not say what.
fn nameless(what: &str) -> Failure {
    Failure::new(what, "the answer has no id")
}

/// The blocks of one type with what they leave out filled in: what the API says of them later.
fn filled(config: &Value, key: &str, empty: &[(&str, Value)]) -> Value {
    let Some(blocks) = config.get(key) else {
        return Value::null();
    };
    let Kind::Set(ty, rows) = blocks.kind() else {
        return blocks.clone();
    };
    let rows = rows.iter().map(|row| {
        let fill = |row: Value, (name, value): &(&str, Value)| match row.get(name) {
            Some(is) if !is.is_null() => row,
            _ => row.with(name, value.clone()),
        };
        empty.iter().fold(row.clone(), fill)
    });
    Value::set(ty.clone(), rows).mark(blocks.marks())
}

/// The checksum that Terraform's ids of things without an id of their own end with.
fn crc32(text: &str) -> u32 {
    crc32fast::hash(text.as_bytes())
}

/// The name that a creation gives: the configuration's, or one that begins as it says and ends in
/// what no other operation has.
fn name_of(cx: &Call<'_>, planned: &Value, name: &str, prefix: &str) -> String {
    planned.text(name).unwrap_or_else(|| {
        let prefix = planned.text(prefix).unwrap_or_else(|| PREFIX.to_owned());
        format!("{prefix}{}", &cx.token[..26])
    })
}

/// How names begin that nobody chose.
const PREFIX: &str = "weir-";

/// What `name_prefix` is of a thing with a name that ends as ours do.
fn prefix_of(known: &Value, name: &str) -> String {
    let set = known.text("name_prefix").or(known.text("key_name_prefix"));
    match set {
        Some(prefix) if name.starts_with(&prefix) => prefix,
        _ if name.starts_with(PREFIX) && name.len() == PREFIX.len() + 26 => PREFIX.to_owned(),
        _ => String::new(),
    }
}

/// The planned value where one of `name` and `name_prefix` follows from the other.
fn named(config: &Value, prior: Option<&Value>, planned: Value) -> Value {
    named_by(config, prior, planned, ("name", "name_prefix"))
}

fn named_by(
    config: &Value,
    prior: Option<&Value>,
    planned: Value,
    (name, prefix): (&str, &str),
) -> Value {
    let set = |key: &str| config.get(key).is_some_and(|v| !v.is_null());
    let open = |v: Value, key: &str| v.with(key, Value::unknown(Type::String));
    let differs = |key: &str| prior.is_some_and(|p| p.get(key) != config.get(key));
    match (set(name), set(prefix)) {
        // A name of one's own has no prefix.
        (true, _) if prior.is_none() => planned.with(prefix, Value::from("")),
        (true, _) if differs(name) => open(planned, prefix),
        (false, true) if differs(prefix) => open(planned, name),
        _ => planned,
    }
}

/// A moment as RFC 3339 writes it, from seconds since 1970.
fn rfc3339(seconds: i64) -> String {
    let time = aws_sdk_ec2::primitives::DateTime::from_secs(seconds);
    let format = aws_sdk_ec2::primitives::DateTimeFormat::DateTime;
    time.fmt(format).unwrap_or_default()
}
