//! Routes: where from, where to, and the calls that both route tables and `aws_route` make.

use crate::resource::{Call, Failure};
use aws_sdk_ec2::types::Route;

/// Where a route leads from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct End {
    pub(super) v4: Option<String>,
    pub(super) v6: Option<String>,
    pub(super) list: Option<String>,
}

/// Where a route leads to: the attribute that names it, and its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) field: &'static str,
    pub(super) id: String,
}

impl Target {
    /// Where a route of the API leads to.
    pub(super) fn of(r: &Route) -> Option<Target> {
        let all = [
            (
                "egress_only_gateway_id",
                r.egress_only_internet_gateway_id(),
            ),
            ("nat_gateway_id", r.nat_gateway_id()),
            ("network_interface_id", r.network_interface_id()),
            ("transit_gateway_id", r.transit_gateway_id()),
            ("vpc_peering_connection_id", r.vpc_peering_connection_id()),
        ];
        if let Some(id) = r.gateway_id() {
            let field = match id.starts_with("vpce-") {
                true => "vpc_endpoint_id",
                false => "gateway_id",
            };
            return Some(Target {
                field,
                id: id.to_owned(),
            });
        }
        let (field, id) = all.into_iter().find_map(|(f, id)| Some((f, id?)))?;
        Some(Target {
            field,
            id: id.to_owned(),
        })
    }
    fn as_field(&self, field: &str) -> Option<String> {
        (self.field == field).then(|| self.id.clone())
    }
}

impl End {
    /// Whether the route begins there.
    pub(super) fn is_of(&self, r: &Route) -> bool {
        (self.v4.is_some() && self.v4.as_deref() == r.destination_cidr_block())
            || (self.v6.is_some() && self.v6.as_deref() == r.destination_ipv6_cidr_block())
            || (self.list.is_some() && self.list.as_deref() == r.destination_prefix_list_id())
    }
}

/// Sets every field of a call that makes or changes a route.
macro_rules! route {
    ($call:expr, $table:expr, $end:expr, $to:expr) => {
        $call
            .route_table_id($table)
            .set_destination_cidr_block($end.v4.clone())
            .set_destination_ipv6_cidr_block($end.v6.clone())
            .set_destination_prefix_list_id($end.list.clone())
            .set_egress_only_internet_gateway_id($to.as_field("egress_only_gateway_id"))
            .set_gateway_id($to.as_field("gateway_id"))
            .set_nat_gateway_id($to.as_field("nat_gateway_id"))
            .set_network_interface_id($to.as_field("network_interface_id"))
            .set_transit_gateway_id($to.as_field("transit_gateway_id"))
            .set_vpc_endpoint_id($to.as_field("vpc_endpoint_id"))
            .set_vpc_peering_connection_id($to.as_field("vpc_peering_connection_id"))
            .send()
    };
}

/// Makes a route. One that is there already and leads to the same place is it.
pub(super) async fn create(
    cx: &Call<'_>,
    table: &str,
    end: &End,
    to: &Target,
) -> Result<(), Failure> {
    let made = cx
        .cloud
        .call("CreateRoute", || {
            route!(cx.cloud.ec2.create_route(), table, end, to)
        })
        .await;
    match made {
        Err(f) if f.code == "RouteAlreadyExists" => {
            let found = super::route_table::table(cx.cloud, table).await?;
            let routes = found.iter().flat_map(|t| t.routes());
            let same = routes
                .filter(|r| end.is_of(r))
                .any(|r| Target::of(r).as_ref() == Some(to));
            if same { Ok(()) } else { Err(f) }
        }
        other => other.map(|_| ()),
    }
}

/// Makes a route lead elsewhere.
pub(super) async fn replace(
    cx: &Call<'_>,
    table: &str,
    end: &End,
    to: &Target,
) -> Result<(), Failure> {
    cx.cloud
        .call("ReplaceRoute", || {
            route!(cx.cloud.ec2.replace_route(), table, end, to)
        })
        .await?;
    Ok(())
}

/// Deletes a route; one that is gone is deleted.
pub(super) async fn delete(cx: &Call<'_>, table: &str, end: &End) -> Result<(), Failure> {
    let deleted = cx
        .cloud
        .call("DeleteRoute", || {
            let call = cx.cloud.ec2.delete_route().route_table_id(table);
            call.set_destination_cidr_block(end.v4.clone())
                .set_destination_ipv6_cidr_block(end.v6.clone())
                .set_destination_prefix_list_id(end.list.clone())
                .send()
        })
        .await;
    crate::resource::unless_gone(deleted).map(|_| ())
}
