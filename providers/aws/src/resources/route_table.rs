//! `aws_route_table`: it owns its routes where the configuration lists some.

use super::route_target::{self as target, Target};
use crate::{
    client::Aws,
    resource::{Call, Failure, Found, Minutes, Resource, found, unless_gone},
    tags,
};
use async_trait::async_trait;
use aws_sdk_ec2::types::{ResourceType, Route, RouteOrigin};
use serde_json::{Value as Json, json};
use weir_core::{Diagnostics, Path, Value};
use weir_provider::declared::{Fields as _, changed};

pub(super) struct RouteTable;

/// The fields of a `route` block, all of which a route has in state.
const FIELDS: [&str; 13] = [
    "carrier_gateway_id",
    "cidr_block",
    "core_network_arn",
    "destination_prefix_list_id",
    "egress_only_gateway_id",
    "gateway_id",
    "ipv6_cidr_block",
    "local_gateway_id",
    "nat_gateway_id",
    "network_interface_id",
    "transit_gateway_id",
    "vpc_endpoint_id",
    "vpc_peering_connection_id",
];
/// What a route leads to, of them.
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
impl Resource<Aws> for RouteTable {
    fn name(&self) -> &'static str {
        "aws_route_table"
    }
    fn kind(&self) -> Option<ResourceType> {
        Some(ResourceType::RouteTable)
    }
    fn minutes(&self) -> Minutes {
        (5, 2, 5)
    }

    fn validate(&self, config: &Value, out: &mut Diagnostics) {
        for route in config.rows("route") {
            if route.is_unknown() {
                continue;
            }
            super::cidr::check(route, "cidr_block", super::cidr::ANY, out);
            super::cidr::check_v6(route, "ipv6_cidr_block", out);
            let ends = [
                "cidr_block",
                "ipv6_cidr_block",
                "destination_prefix_list_id",
            ];
            super::one_of(route, &ends, out);
            super::at_most_one(route, &ends, out);
            super::one_of(route, &TARGETS, out);
            super::at_most_one(route, &TARGETS, out);
        }
    }

    fn plan(
        &self,
        _: Option<&Aws>,
        config: &Value,
        _: Option<&Value>,
        planned: Value,
    ) -> (Value, Vec<Path>) {
        if config
            .get("route")
            .is_none_or(|r| r.is_null() || r.is_unknown())
        {
            return (planned, Vec::new());
        }
        let routes = super::filled(config, "route", &FIELDS.map(|name| (name, Value::from(""))));
        (planned.with("route", routes), Vec::new())
    }

    async fn create(&self, cx: &Call<'_>, planned: &Value) -> Result<String, Failure> {
        let made = cx
            .cloud
            .make("CreateRouteTable", || {
                let call = cx.cloud.ec2.create_route_table();
                call.set_vpc_id(planned.text("vpc_id"))
                    .client_token(&cx.token)
                    .tag_specifications(tags::specification(cx, ResourceType::RouteTable, planned))
                    .send()
            })
            .await?;
        let id = made.route_table().and_then(|t| t.route_table_id());
        id.map(str::to_owned)
            .ok_or_else(|| super::nameless("CreateRouteTable"))
    }

    async fn finish(&self, cx: &Call<'_>, id: &str, planned: &Value) -> Result<(), Failure> {
        for route in planned.rows("route") {
            let (end, to) = (end(route), to(route)?);
            target::create(cx, id, &end, &to).await?;
        }
        Ok(())
    }

    async fn read(&self, aws: &Aws, id: &str, _known: &Value) -> Result<Option<Found>, Failure> {
        let Some(table) = table(aws, id).await? else {
            return Ok(None);
        };
        let owner = table.owner_id().unwrap_or_default();
        let routes: Vec<Json> = (table.routes().iter().filter(|r| is_own(r)))
            .map(route)
            .collect();
        let vgws = table.propagating_vgws().iter().map(|v| v.gateway_id());
        found(json!({
            "arn": aws.arn(owner, "route-table", id),
            "owner_id": owner,
            "propagating_vgws": vgws.collect::<Vec<_>>(),
            "route": routes,
            "tags_all": tags::found(aws, table.tags()),
            "vpc_id": table.vpc_id(),
        }))
    }

    async fn update(
        &self,
        cx: &Call<'_>,
        id: &str,
        prior: &Value,
        planned: &Value,
    ) -> Result<Option<String>, Failure> {
        if !changed(prior, planned, "route") {
            return Ok(None);
        }
        let (was, is) = (prior.rows("route"), planned.rows("route"));
        for old in &was {
            if !is.iter().any(|new| end(new) == end(old)) {
                target::delete(cx, id, &end(old)).await?;
            }
        }
        for new in is {
            let to = to(new)?;
            match was.iter().find(|old| end(old) == end(new)) {
                Some(old) if *old == new => {}
                Some(_) => target::replace(cx, id, &end(new), &to).await?,
                None => target::create(cx, id, &end(new), &to).await?,
            }
        }
        Ok(None)
    }

    async fn delete(&self, cx: &Call<'_>, id: &str, _prior: &Value) -> Result<(), Failure> {
        if let Some(table) = table(cx.cloud, id).await? {
            for a in table
                .associations()
                .iter()
                .filter(|a| a.main() != Some(true))
            {
                if let Some(association) = a.route_table_association_id() {
                    super::route_table_association::remove(cx, association).await?;
                }
            }
        }
        cx.cloud
            .call("DeleteRouteTable", || {
                cx.cloud.ec2.delete_route_table().route_table_id(id).send()
            })
            .await?;
        Ok(())
    }
}

/// The route table; `None` where there is none.
pub(super) async fn table(
    aws: &Aws,
    id: &str,
) -> Result<Option<aws_sdk_ec2::types::RouteTable>, Failure> {
    let answer = aws.call("DescribeRouteTables", || {
        aws.ec2.describe_route_tables().route_table_ids(id).send()
    });
    Ok(unless_gone(answer.await)?.and_then(|a| a.route_tables().first().cloned()))
}

/// Whether somebody made the route: AWS makes those to the VPC itself and what a VPN announces.
fn is_own(route: &Route) -> bool {
    route.gateway_id() != Some("local")
        && route.origin() != Some(&RouteOrigin::EnableVgwRoutePropagation)
        && !(route.gateway_id().is_some_and(|g| g.starts_with("vpce-"))
            && route.destination_prefix_list_id().is_some())
}

fn route(r: &Route) -> Json {
    let mut fields = FIELDS
        .map(|name| (name.to_owned(), json!("")))
        .into_iter()
        .collect::<serde_json::Map<_, _>>();
    let ends = [
        ("cidr_block", r.destination_cidr_block()),
        ("ipv6_cidr_block", r.destination_ipv6_cidr_block()),
        ("destination_prefix_list_id", r.destination_prefix_list_id()),
    ];
    for (name, value) in ends {
        fields.insert(name.into(), json!(value.unwrap_or_default()));
    }
    if let Some(Target { field, id }) = Target::of(r) {
        fields.insert(field.into(), json!(id));
    }
    Json::Object(fields)
}

/// Where a `route` block leads from: its range or list.
fn end(route: &Value) -> target::End {
    target::End {
        v4: route.text("cidr_block"),
        v6: route.text("ipv6_cidr_block"),
        list: route.text("destination_prefix_list_id"),
    }
}

fn to(route: &Value) -> Result<Target, Failure> {
    let found = TARGETS.into_iter().find_map(|field| {
        let id = route.text(field)?;
        Some(Target { field, id })
    });
    found.ok_or_else(|| Failure::new("route", "it leads nowhere: its target is empty"))
}
