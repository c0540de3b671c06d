//! Rules of a security group, between a block's row and the API's permissions.
//!
//! A row may hold many ranges. The API's permissions hold what it likes; so both are cut to one
//! source each to be compared, and what is read is put together as the known rows have it.

use crate::resource::{Call, Failure};
use aws_sdk_ec2::types::{IpPermission, IpRange, Ipv6Range, PrefixListId, UserIdGroupPair};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use weir_core::{Diagnostic, Diagnostics, Type, Value};
use weir_provider::declared::Fields as _;

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Ingress,
    Egress,
}

impl Direction {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Direction::Ingress => "ingress",
            Direction::Egress => "egress",
        }
    }
}

/// What a row says that leaves it out.
pub(super) fn empty() -> [(&'static str, Value); 6] {
    let texts = || Value::list(Type::String, Vec::new());
    [
        ("cidr_blocks", texts()),
        ("description", Value::from("")),
        ("ipv6_cidr_blocks", texts()),
        ("prefix_list_ids", texts()),
        ("security_groups", Value::set(Type::String, [])),
        ("self", Value::bool(false)),
    ]
}

/// The planned value with the protocol as it was written before, where both names are the same's.
pub(super) fn same_protocol(prior: &Value, planned: Value, key: &str) -> Value {
    let was = prior.text(key).map(|p| protocol(&p));
    match (was, planned.text(key).map(|p| protocol(&p))) {
        (Some(was), Some(is)) if was == is => {
            let before = prior.get(key).cloned().unwrap_or_else(Value::null);
            planned.with(key, before)
        }
        _ => planned,
    }
}

/// The protocol as the API names it: `-1` is any; `6`, `17`, `1` and `58` have names.
pub(super) fn protocol(text: &str) -> String {
    match text.to_ascii_lowercase().as_str() {
        "-1" | "all" => "-1".into(),
        "6" => "tcp".into(),
        "17" => "udp".into(),
        "1" => "icmp".into(),
        "58" => "icmpv6".into(),
        other => other.to_owned(),
    }
}

/// Refuses a row that the API would refuse.
pub(super) fn validate(row: &Value, out: &mut Diagnostics) {
    if row.is_unknown() {
        return;
    }
    for name in ["from_port", "to_port", "protocol"] {
        if row.get(name).is_none_or(Value::is_null) {
            out.push(
                Diagnostic::error(format!("`{name}` of a rule is missing"))
                    .because("A rule says its protocol and its ports.")
                    .help("For any, write protocol = \"-1\", from_port = 0 and to_port = 0."),
            );
        }
    }
    validate_ranges(row, out);
    let any = row.text("protocol").is_some_and(|p| protocol(&p) == "-1");
    let port = |name| row.get(name).and_then(Value::as_i64);
    if any && (port("from_port").unwrap_or(0) != 0 || port("to_port").unwrap_or(0) != 0) {
        out.push(
            Diagnostic::error("a rule for any protocol has ports")
                .because("AWS takes ports only of a protocol that has some.")
                .help("Write from_port = 0 and to_port = 0, or name the protocol."),
        );
    }
}

/// Refuses ranges that are none.
pub(super) fn validate_ranges(row: &Value, out: &mut Diagnostics) {
    for text in row.texts("cidr_blocks").unwrap_or_default() {
        if let Err(why) = super::cidr::v4(&text, &super::cidr::ANY) {
            out.push(
                Diagnostic::error(format!("{text:?} is not a range of IPv4 addresses"))
                    .because(why)
                    .help("Write it as \"10.0.0.0/16\"."),
            );
        }
    }
    for text in row.texts("ipv6_cidr_blocks").unwrap_or_default() {
        if let Err(why) = super::cidr::v6(&text) {
            out.push(
                Diagnostic::error(format!("{text:?} is not a range of IPv6 addresses"))
                    .because(why)
                    .help("Write it as \"2001:db8::/56\"."),
            );
        }
    }
}

/// The permissions of rows, one source each.
pub(super) fn of_rows(rows: &[&Value], group: &str) -> Vec<IpPermission> {
    let mut all: Vec<IpPermission> = Vec::new();
    for row in rows {
        for one in of_row(row, group) {
            if !all.contains(&one) {
                all.push(one);
            }
        }
    }
    all
}

/// The permissions of one row, one source each.
pub(super) fn of_row(row: &Value, group: &str) -> Vec<IpPermission> {
    let protocol = protocol(&row.text("protocol").unwrap_or_default());
    let description = row.text("description");
    let base = || {
        let p = IpPermission::builder().ip_protocol(&protocol);
        match protocol.as_str() {
            "-1" => p,
            _ => p
                .set_from_port(row.int("from_port"))
                .set_to_port(row.int("to_port")),
        }
    };
    let mut all = Vec::new();
    for text in row.texts("cidr_blocks").unwrap_or_default() {
        let range = IpRange::builder()
            .cidr_ip(text)
            .set_description(description.clone());
        all.push(base().ip_ranges(range.build()).build());
    }
    for text in row.texts("ipv6_cidr_blocks").unwrap_or_default() {
        let range = Ipv6Range::builder()
            .cidr_ipv6(text)
            .set_description(description.clone());
        all.push(base().ipv6_ranges(range.build()).build());
    }
    for id in row.texts("prefix_list_ids").unwrap_or_default() {
        let list = PrefixListId::builder()
            .prefix_list_id(id)
            .set_description(description.clone());
        all.push(base().prefix_list_ids(list.build()).build());
    }
    let mut groups = row.texts("security_groups").unwrap_or_default();
    groups.extend(row.text("source_security_group_id"));
    if row.is_on("self") {
        groups.push(group.to_owned());
    }
    for id in groups {
        let mut pair = UserIdGroupPair::builder().set_description(description.clone());
        pair = match id.split_once('/') {
            Some((account, id)) => pair.user_id(account).group_id(id),
            None => pair.group_id(id),
        };
        all.push(base().user_id_group_pairs(pair.build()).build());
    }
    all
}

/// Allows. A rule that is there already is one that an earlier attempt made.
pub(super) async fn authorize(
    cx: &Call<'_>,
    group: &str,
    side: Direction,
    rules: Vec<IpPermission>,
) -> Result<(), Failure> {
    if rules.is_empty() {
        return Ok(());
    }
    let done = match side {
        Direction::Ingress => cx
            .cloud
            .call("AuthorizeSecurityGroupIngress", || {
                let call = cx
                    .cloud
                    .ec2
                    .authorize_security_group_ingress()
                    .group_id(group);
                call.set_ip_permissions(Some(rules.clone())).send()
            })
            .await
            .map(|_| ()),
        Direction::Egress => cx
            .cloud
            .call("AuthorizeSecurityGroupEgress", || {
                let call = cx
                    .cloud
                    .ec2
                    .authorize_security_group_egress()
                    .group_id(group);
                call.set_ip_permissions(Some(rules.clone())).send()
            })
            .await
            .map(|_| ()),
    };
    match done {
        // AWS refuses all where one is there: each by itself then.
        Err(f) if f.code == "InvalidPermission.Duplicate" && rules.len() > 1 => {
            for rule in rules {
                Box::pin(authorize(cx, group, side, vec![rule])).await?;
            }
            Ok(())
        }
        Err(f) if f.code == "InvalidPermission.Duplicate" => Ok(()),
        other => other,
    }
}

/// Forbids what was allowed. What is not there is forbidden already.
pub(super) async fn revoke(
    cx: &Call<'_>,
    group: &str,
    side: Direction,
    rules: Vec<IpPermission>,
) -> Result<(), Failure> {
    if rules.is_empty() {
        return Ok(());
    }
    let done = match side {
        Direction::Ingress => cx
            .cloud
            .call("RevokeSecurityGroupIngress", || {
                let call = cx.cloud.ec2.revoke_security_group_ingress().group_id(group);
                call.set_ip_permissions(Some(rules.clone())).send()
            })
            .await
            .map(|_| ()),
        Direction::Egress => cx
            .cloud
            .call("RevokeSecurityGroupEgress", || {
                let call = cx.cloud.ec2.revoke_security_group_egress().group_id(group);
                call.set_ip_permissions(Some(rules.clone())).send()
            })
            .await
            .map(|_| ()),
    };
    match done {
        Err(f) if f.code == "InvalidPermission.NotFound" && rules.len() > 1 => {
            for rule in rules {
                Box::pin(revoke(cx, group, side, vec![rule])).await?;
            }
            Ok(())
        }
        Err(f) if f.code == "InvalidPermission.NotFound" => Ok(()),
        other => other,
    }
}

/// One source of the API's permissions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Source {
    protocol: String,
    ports: (i32, i32),
    description: String,
    field: &'static str,
    id: String,
}

/// What the API has, cut to one source each.
fn sources(have: &[IpPermission], (group, owner): (&str, &str)) -> Vec<Source> {
    let mut all = Vec::new();
    for p in have {
        let mut add = |field, id: Option<String>, description: Option<&str>| {
            all.push(Source {
                protocol: p.ip_protocol().unwrap_or("-1").to_owned(),
                ports: (p.from_port().unwrap_or(0), p.to_port().unwrap_or(0)),
                description: description.unwrap_or_default().to_owned(),
                field,
                id: id.unwrap_or_default(),
            });
        };
        for r in p.ip_ranges() {
            add("cidr_blocks", r.cidr_ip.clone(), r.description());
        }
        for r in p.ipv6_ranges() {
            add("ipv6_cidr_blocks", r.cidr_ipv6.clone(), r.description());
        }
        for l in p.prefix_list_ids() {
            add("prefix_list_ids", l.prefix_list_id.clone(), l.description());
        }
        for g in p.user_id_group_pairs() {
            let foreign = g.user_id().filter(|u| *u != owner && !owner.is_empty());
            match (g.group_id(), foreign) {
                (Some(id), _) if id == group => add("self", None, g.description()),
                (Some(id), Some(user)) if g.vpc_peering_connection_id().is_some() => {
                    add(
                        "security_groups",
                        Some(format!("{user}/{id}")),
                        g.description(),
                    );
                }
                (id, _) => add("security_groups", id.map(str::to_owned), g.description()),
            }
        }
    }
    all.sort();
    all.dedup();
    all
}

/// What the API has, as rows: those that are known come back as they are where all they say is
/// there; the rest is put together by protocol, ports and description.
pub(super) fn rows(have: &[IpPermission], known: &[&Value], who: (&str, &str)) -> Vec<Json> {
    let mut left = sources(have, who);
    let all = left.clone();
    let mut rows = Vec::new();
    for row in known {
        if !row.is_wholly_known() {
            continue;
        }
        let of_row = sources(&of_row(row, who.0), who);
        if !of_row.is_empty() && of_row.iter().all(|s| all.contains(s)) {
            left.retain(|s| !of_row.contains(s));
            rows.push(weir_core::json::to_json(row));
        }
    }
    let mut rest: BTreeMap<(String, (i32, i32), String), Vec<Source>> = BTreeMap::new();
    for s in left {
        let key = (s.protocol.clone(), s.ports, s.description.clone());
        rest.entry(key).or_default().push(s);
    }
    for ((protocol, (from, to), description), sources) in rest {
        let of = |field: &str| {
            let of = sources.iter().filter(|s| s.field == field);
            of.map(|s| s.id.clone()).collect::<Vec<_>>()
        };
        rows.push(json!({
            "cidr_blocks": of("cidr_blocks"),
            "description": description,
            "from_port": from,
            "ipv6_cidr_blocks": of("ipv6_cidr_blocks"),
            "prefix_list_ids": of("prefix_list_ids"),
            "protocol": protocol,
            "security_groups": of("security_groups"),
            "self": sources.iter().any(|s| s.field == "self"),
            "to_port": to,
        }));
    }
    rows
}

/// Whether all that a row says is allowed.
pub(super) fn holds(have: &[IpPermission], row: &Value, who: (&str, &str)) -> bool {
    let undescribed = |mut s: Source| {
        s.description.clear();
        s
    };
    let all: Vec<Source> = sources(have, who).into_iter().map(undescribed).collect();
    let wanted = sources(&of_row(row, who.0), who);
    !wanted.is_empty()
        && wanted
            .into_iter()
            .map(undescribed)
            .all(|s| all.contains(&s))
}

/// The API's id of a row of one source; `None` where it holds more.
pub(super) async fn rule_id(
    aws: &crate::client::Aws,
    group: &str,
    row: &Value,
    side: Direction,
) -> Result<Option<String>, Failure> {
    let wanted = of_row(row, group);
    let [one] = wanted.as_slice() else {
        return Ok(None);
    };
    let answer = aws
        .call("DescribeSecurityGroupRules", || {
            let call = aws.ec2.describe_security_group_rules();
            call.filters(crate::resource::filter("group-id", group))
                .send()
        })
        .await?;
    let ports = |a: Option<i32>| a.filter(|p| *p >= 0);
    let found = answer.security_group_rules().iter().find(|r| {
        let source = r.cidr_ipv4() == one.ip_ranges().first().and_then(|r| r.cidr_ip())
            && r.cidr_ipv6() == one.ipv6_ranges().first().and_then(|r| r.cidr_ipv6())
            && r.prefix_list_id()
                == one
                    .prefix_list_ids()
                    .first()
                    .and_then(|l| l.prefix_list_id())
            && r.referenced_group_info().and_then(|g| g.group_id())
                == one.user_id_group_pairs().first().and_then(|g| g.group_id());
        source
            && r.is_egress() == Some(side == Direction::Egress)
            && r.ip_protocol() == one.ip_protocol()
            && ports(r.from_port()) == ports(one.from_port())
            && ports(r.to_port()) == ports(one.to_port())
    });
    Ok(found.and_then(|r| r.security_group_rule_id.clone()))
}

/// Gives what is allowed another description.
pub(super) async fn describe(
    cx: &Call<'_>,
    group: &str,
    side: Direction,
    rules: Vec<IpPermission>,
) -> Result<(), Failure> {
    match side {
        Direction::Ingress => cx
            .cloud
            .call("UpdateSecurityGroupRuleDescriptionsIngress", || {
                let call = cx
                    .cloud
                    .ec2
                    .update_security_group_rule_descriptions_ingress();
                call.group_id(group)
                    .set_ip_permissions(Some(rules.clone()))
                    .send()
            })
            .await
            .map(|_| ()),
        Direction::Egress => cx
            .cloud
            .call("UpdateSecurityGroupRuleDescriptionsEgress", || {
                let call = cx
                    .cloud
                    .ec2
                    .update_security_group_rule_descriptions_egress();
                call.group_id(group)
                    .set_ip_permissions(Some(rules.clone()))
                    .send()
            })
            .await
            .map(|_| ()),
    }
}
