//! `aws_route`

use super::route_target::{self as target, End, Target};
use crate::{
    client::Aws,
    resource::{Call, Failure, Found, Minutes, Resource},
};
use async_trait::async_trait;
use serde_json::json;
use weir_core::{Diagnostic, Diagnostics, Path, Type, Value};
use weir_provider::declared::{Fields as _, object};

pub(super) struct RouteResource;

const ENDS: [&str; 3] = [
    "destination_cidr_block",
    "destination_ipv6_cidr_block",
    "destination_prefix_list_id",
];
const TARGETS: [&str; 7] = [
    "egress_only_gateway_id",
    "gateway_id",
    "nat_gateway_id",
    "network_interface_id",
    "transit_gateway_id",
    "vpc_endpoint_id",
    "vpc_peering_connection_id",
];

#[async_trait]
impl Resource<Aws> for RouteResource {
    fn name(&self) -> &'static str {
        "aws_route"
    }
    fn minutes(&self) -> Minutes {
        (5, 2, 5)
    }

    fn validate(&self, config: &Value, out: &mut Diagnostics) {
        super::cidr::check(config, ENDS[0], super::cidr::ANY, out);
        super::cidr::check_v6(config, ENDS[1], out);
        super::one_of(config, &ENDS, out);
        super::at_most_one(config, &ENDS, out);
        super::one_of(config, &TARGETS, out);
        super::at_most_one(config, &TARGETS, out);
        if super::is_set(config, "egress_only_gateway_id")
            && !super::is_set(config, "destination_ipv6_cidr_block")
        {
            out.push(
                Diagnostic::error(
                    "`egress_only_gateway_id` goes with `destination_ipv6_cidr_block`",
                )
                .because("Such a gateway carries IPv6 alone.")
                .help("Set the destination, or choose another target."),
            );
        }
    }

    fn plan(
        &self,
        _: Option<&Aws>,
        config: &Value,
        prior: Option<&Value>,
        planned: Value,
    ) -> (Value, Vec<Path>) {
        let mut planned = planned;
        let moved = |p: &Value| {
            TARGETS
                .iter()
                .any(|t| weir_provider::declared::may_change(p, &planned, t))
        };
        if prior.is_some_and(moved) {
            for name in ["instance_id", "instance_owner_id", "state"] {
                planned = planned.with(name, Value::unknown(Type::String));
            }
            // An interface that was found behind another target is not this route's any more.
            if config
                .get("network_interface_id")
                .is_none_or(Value::is_null)
            {
                planned = planned.with("network_interface_id", Value::unknown(Type::String));
            }
        }
        (planned, Vec::new())
    }

    async fn create(&self, cx: &Call<'_>, planned: &Value) -> Result<String, Failure> {
        let table = planned.text("route_table_id").unwrap_or_default();
        target::create(cx, &table, &end(planned), &to(planned)?).await?;
        Ok(id(&table, &end(planned)))
    }

    /// A route has no tags: it is known by its table and range.
    async fn find(&self, cx: &Call<'_>, planned: &Value) -> Result<Option<String>, Failure> {
        let Some(table) = planned.text("route_table_id") else {
            return Ok(None);
        };
        let (end, to) = (end(planned), to(planned)?);
        let found = super::route_table::table(cx.cloud, &table).await?;
        let mut routes = found
            .iter()
            .flat_map(|t| t.routes())
            .filter(|r| end.is_of(r));
        let same = routes.any(|r| Target::of(r).as_ref() == Some(&to));
        Ok(same.then(|| id(&table, &end)))
    }

    async fn read(&self, aws: &Aws, _id: &str, known: &Value) -> Result<Option<Found>, Failure> {
        let end = end(known);
        let Some(name) = known.text("route_table_id") else {
            return Ok(None);
        };
        let table = super::route_table::table(aws, &name).await?;
        let mut routes = table.iter().flat_map(|t| t.routes());
        let Some(route) = routes.find(|r| end.is_of(r)) else {
            return Ok(None);
        };
        let mut fields = object(json!({
            "instance_id": route.instance_id().unwrap_or_default(),
            "instance_owner_id": route.instance_owner_id().unwrap_or_default(),
            "origin": route.origin().map(|o| o.as_str()),
            "state": route.state().map(|s| s.as_str()),
            "route_table_id": name,
        }));
        for (name, value) in ENDS.iter().zip([&end.v4, &end.v6, &end.list]) {
            fields.insert((*name).into(), json!(value.as_deref().unwrap_or_default()));
        }
        for name in TARGETS {
            fields.insert(name.into(), json!(""));
        }
        if let Some(Target { field, id }) = Target::of(route) {
            fields.insert(field.into(), json!(id));
        }
        Ok(Some(fields))
    }

    async fn update(
        &self,
        cx: &Call<'_>,
        _id: &str,
        _prior: &Value,
        planned: &Value,
    ) -> Result<Option<String>, Failure> {
        let table = planned.text("route_table_id").unwrap_or_default();
        target::replace(cx, &table, &end(planned), &to(planned)?).await?;
        Ok(None)
    }

    async fn delete(&self, cx: &Call<'_>, _id: &str, prior: &Value) -> Result<(), Failure> {
        let table = prior.text("route_table_id").unwrap_or_default();
        target::delete(cx, &table, &end(prior)).await
    }

    fn import(&self, id: &str) -> Result<Found, String> {
        let how = "the id is ROUTETABLE_DESTINATION, as rtb-1_0.0.0.0/0";
        let (table, end) = id.split_once('_').ok_or(how)?;
        let key = match end {
            e if e.starts_with("pl-") => ENDS[2],
            e if e.contains(':') => ENDS[1],
            _ => ENDS[0],
        };
        let from = End {
            v4: (key == ENDS[0]).then(|| end.to_owned()),
            v6: (key == ENDS[1]).then(|| end.to_owned()),
            list: (key == ENDS[2]).then(|| end.to_owned()),
        };
        let id = self::id(table, &from);
        Ok(object(
            json!({ "id": id, "route_table_id": table, key: end }),
        ))
    }
}

/// The id that Terraform gives a route: a hash of the range, as it has none of its own.
fn id(table: &str, end: &End) -> String {
    let from = [&end.v4, &end.v6, &end.list].into_iter().flatten().next();
    let from = from.map_or("", String::as_str);
    format!("r-{table}{}", super::crc32(from))
}

fn end(value: &Value) -> End {
    End {
        v4: value.text(ENDS[0]),
        v6: value.text(ENDS[1]),
        list: value.text(ENDS[2]),
    }
}

/// What the configuration leads to. An interface that AWS found behind an instance does not count
/// where another target is set.
fn to(value: &Value) -> Result<Target, Failure> {
    let set = |field: &'static str| {
        let id = value.text(field)?;
        Some(Target { field, id })
    };
    let others = TARGETS.into_iter().filter(|f| *f != "network_interface_id");
    let target = others.into_iter().find_map(set);
    target
        .or_else(|| set("network_interface_id"))
        .ok_or_else(|| Failure::new("route", "it leads nowhere: its target is empty"))
}
