//! `aws_security_group_rule`: one row of a group's rules, of one kind of source or more.

use super::permissions::{self as rules, Direction};
use crate::{
    client::Aws,
    resource::{Call, Failure, Found, Minutes, Resource},
};
use async_trait::async_trait;
use aws_sdk_ec2::types::IpPermission;
use serde_json::json;
use weir_core::{Diagnostics, Value};
use weir_provider::declared::{Fields as _, changed, object};

pub(super) struct Rule;

const SOURCES: [&str; 5] = [
    "cidr_blocks",
    "ipv6_cidr_blocks",
    "prefix_list_ids",
    "self",
    "source_security_group_id",
];

#[async_trait]
impl Resource<Aws> for Rule {
    fn name(&self) -> &'static str {
        "aws_security_group_rule"
    }
    fn minutes(&self) -> Minutes {
        (5, 5, 5)
    }

    fn validate(&self, config: &Value, out: &mut Diagnostics) {
        super::choice(config, "type", &["ingress", "egress"], out);
        super::one_of(config, &SOURCES, out);
        rules::validate_ranges(config, out);
        super::within(config, "from_port", -1..=65535, out);
        super::within(config, "to_port", -1..=65535, out);
    }

    fn plan(
        &self,
        _: Option<&Aws>,
        config: &Value,
        prior: Option<&Value>,
        planned: Value,
    ) -> (Value, Vec<weir_core::Path>) {
        let source = "source_security_group_id";
        let none = config.get(source).is_none_or(Value::is_null);
        let planned = match none && prior.is_none() {
            true => planned.with(source, Value::null_of(weir_core::Type::String)),
            false => planned,
        };
        let planned = match prior {
            Some(prior) => rules::same_protocol(prior, planned, "protocol"),
            None => planned,
        };
        (planned, Vec::new())
    }

    async fn create(&self, cx: &Call<'_>, planned: &Value) -> Result<String, Failure> {
        let group = planned.text("security_group_id").unwrap_or_default();
        let all = rules::of_row(planned, &group);
        rules::authorize(cx, &group, side(planned), all).await?;
        Ok(id(planned))
    }

    /// A rule is known by what it allows.
    async fn find(&self, cx: &Call<'_>, planned: &Value) -> Result<Option<String>, Failure> {
        let found = self.read(cx.cloud, "", planned).await?;
        Ok(found.map(|_| id(planned)))
    }

    async fn read(&self, aws: &Aws, _id: &str, known: &Value) -> Result<Option<Found>, Failure> {
        let name = known.text("security_group_id").unwrap_or_default();
        let Some(group) = super::security_group::group(aws, &name).await? else {
            return Ok(None);
        };
        let owner = group.owner_id().unwrap_or_default();
        let have: &[IpPermission] = match side(known) {
            Direction::Ingress => group.ip_permissions(),
            Direction::Egress => group.ip_permissions_egress(),
        };
        if !rules::holds(have, known, (&name, owner)) {
            return Ok(None);
        }
        let mut fields = object(json!({ "security_group_rule_id": "" }));
        fields.insert("id".into(), json!(id(known)));
        if let Some(id) = rules::rule_id(aws, &name, known, side(known)).await? {
            fields.insert("security_group_rule_id".into(), json!(id));
        }
        Ok(Some(fields))
    }

    async fn update(
        &self,
        cx: &Call<'_>,
        _id: &str,
        prior: &Value,
        planned: &Value,
    ) -> Result<Option<String>, Failure> {
        if changed(prior, planned, "description") {
            let group = planned.text("security_group_id").unwrap_or_default();
            let all = rules::of_row(planned, &group);
            rules::describe(cx, &group, side(planned), all).await?;
        }
        Ok(None)
    }

    async fn delete(&self, cx: &Call<'_>, _id: &str, prior: &Value) -> Result<(), Failure> {
        let group = prior.text("security_group_id").unwrap_or_default();
        rules::revoke(cx, &group, side(prior), rules::of_row(prior, &group)).await
    }

    fn import(&self, id: &str) -> Result<Found, String> {
        let how = "the id is GROUP_TYPE_PROTOCOL_FROM_TO_SOURCE[_SOURCE...], as sg-1_ingress_tcp_22_22_10.0.0.0/8";
        let parts: Vec<&str> = id.split('_').collect();
        let [group, side, protocol, from, to, sources @ ..] = parts.as_slice() else {
            return Err(how.into());
        };
        let port = |text: &str| match text {
            "all" => Ok(0),
            _ => text.parse::<i64>().map_err(|_| how.to_owned()),
        };
        if sources.is_empty() || !matches!(*side, "ingress" | "egress") {
            return Err(how.into());
        }
        let mut fields = object(json!({
            "security_group_id": group,
            "type": side,
            "protocol": rules::protocol(protocol),
            "from_port": port(from)?,
            "to_port": port(to)?,
            "self": false,
        }));
        let of = |f: fn(&str) -> bool| {
            let of = sources.iter().copied().filter(|s| f(s));
            of.collect::<Vec<_>>()
        };
        let (v4, v6) = (of(|s| s.contains('.')), of(|s| s.contains(':')));
        let lists = of(|s| s.starts_with("pl-"));
        for (key, ids) in [
            ("cidr_blocks", v4),
            ("ipv6_cidr_blocks", v6),
            ("prefix_list_ids", lists),
        ] {
            if !ids.is_empty() {
                fields.insert(key.into(), json!(ids));
            }
        }
        if sources.contains(&"self") {
            fields.insert("self".into(), json!(true));
        }
        if let Some(group) = sources.iter().find(|s| s.starts_with("sg-")) {
            fields.insert("source_security_group_id".into(), json!(group));
        }
        let value = weir_provider::declared::typed(
            &serde_json::Value::Object(fields.clone()),
            &weir_core::Type::Dynamic,
        );
        fields.insert("id".into(), json!(self::id(&value)));
        Ok(fields)
    }
}

fn side(value: &Value) -> Direction {
    match value.text("type").as_deref() {
        Some("egress") => Direction::Egress,
        _ => Direction::Ingress,
    }
}

/// The id of a rule without one of its own: a hash of what it allows, as Terraform makes it.
fn id(value: &Value) -> String {
    let number = |key: &str| value.int(key).unwrap_or(0);
    let mut text = format!("{}-", value.text("security_group_id").unwrap_or_default());
    let protocol = rules::protocol(&value.text("protocol").unwrap_or_default());
    // Zero counts as not set there.
    for port in ["from_port", "to_port"].map(number) {
        if port > 0 {
            text += &format!("{port}-");
        }
    }
    text += &format!("{protocol}-{}-", value.text("type").unwrap_or_default());
    for key in ["cidr_blocks", "ipv6_cidr_blocks", "prefix_list_ids"] {
        let mut all = value.texts(key).unwrap_or_default();
        all.sort();
        all.iter().for_each(|one| text += &format!("{one},"));
        if !all.is_empty() && key != "prefix_list_ids" {
            text += "-";
        }
    }
    let groups = match value.is_on("self") {
        true => value.text("security_group_id"),
        false => value.text("source_security_group_id"),
    };
    if let Some(group) = groups {
        text += &format!("{group},");
    }
    format!("sgrule-{}", super::crc32(&text))
}
