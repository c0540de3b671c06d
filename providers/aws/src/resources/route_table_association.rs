//! `aws_route_table_association`

use crate::{
    client::Aws,
    resource::{Call, Failure, Found, Minutes, Resource, filter, found, unless_gone},
};
use async_trait::async_trait;
use aws_sdk_ec2::types::RouteTableAssociation;
use serde_json::json;
use weir_core::{Diagnostics, Path, Type, Value};
use weir_provider::declared::{Fields as _, changed, object};

pub(super) struct Association;

const ENDS: [&str; 2] = ["subnet_id", "gateway_id"];

#[async_trait]
impl Resource<Aws> for Association {
    fn name(&self) -> &'static str {
        "aws_route_table_association"
    }
    fn minutes(&self) -> Minutes {
        (5, 2, 5)
    }

    fn validate(&self, config: &Value, out: &mut Diagnostics) {
        super::one_of(config, &ENDS, out);
        super::at_most_one(config, &ENDS, out);
    }

    fn plan(
        &self,
        _: Option<&Aws>,
        _: &Value,
        prior: Option<&Value>,
        planned: Value,
    ) -> (Value, Vec<Path>) {
        let moved = prior.is_some_and(|p| p.get("route_table_id") != planned.get("route_table_id"));
        match moved {
            // AWS gives the association another id.
            true => (planned.with("id", Value::unknown(Type::String)), Vec::new()),
            false => (planned, Vec::new()),
        }
    }

    async fn create(&self, cx: &Call<'_>, planned: &Value) -> Result<String, Failure> {
        let made = cx
            .cloud
            .call("AssociateRouteTable", || {
                let call = cx.cloud.ec2.associate_route_table();
                call.set_route_table_id(planned.text("route_table_id"))
                    .set_subnet_id(planned.text("subnet_id"))
                    .set_gateway_id(planned.text("gateway_id"))
                    .send()
            })
            .await?;
        let id = made.association_id();
        id.map(str::to_owned)
            .ok_or_else(|| super::nameless("AssociateRouteTable"))
    }

    /// An association has no tags: it is known by its ends.
    async fn find(&self, cx: &Call<'_>, planned: &Value) -> Result<Option<String>, Failure> {
        let Some(table) = planned.text("route_table_id") else {
            return Ok(None);
        };
        let table = super::route_table::table(cx.cloud, &table).await?;
        let mut all = table.iter().flat_map(|t| t.associations());
        let found = all.find(|a| {
            is_whole(a)
                && ((a.subnet_id().is_some()
                    && a.subnet_id() == planned.text("subnet_id").as_deref())
                    || (a.gateway_id().is_some()
                        && a.gateway_id() == planned.text("gateway_id").as_deref()))
        });
        Ok(found.and_then(|a| a.route_table_association_id.clone()))
    }

    async fn read(&self, aws: &Aws, id: &str, _known: &Value) -> Result<Option<Found>, Failure> {
        let answer = aws.call("DescribeRouteTables", || {
            let call = aws.ec2.describe_route_tables();
            call.filters(filter("association.route-table-association-id", id))
                .send()
        });
        let Some(answer) = unless_gone(answer.await)? else {
            return Ok(None);
        };
        let mut all = answer.route_tables().iter().flat_map(|t| t.associations());
        match all.find(|a| a.route_table_association_id() == Some(id)) {
            Some(a) if is_whole(a) => found(json!({
                "gateway_id": a.gateway_id().unwrap_or_default(),
                "route_table_id": a.route_table_id(),
                "subnet_id": a.subnet_id().unwrap_or_default(),
            })),
            _ => Ok(None),
        }
    }

    async fn update(
        &self,
        cx: &Call<'_>,
        id: &str,
        prior: &Value,
        planned: &Value,
    ) -> Result<Option<String>, Failure> {
        if !changed(prior, planned, "route_table_id") {
            return Ok(None);
        }
        let done = cx
            .cloud
            .call("ReplaceRouteTableAssociation", || {
                let call = cx.cloud.ec2.replace_route_table_association();
                call.association_id(id)
                    .set_route_table_id(planned.text("route_table_id"))
                    .send()
            })
            .await;
        match done {
            Ok(done) => Ok(done.new_association_id().map(str::to_owned)),
            // An earlier answer was lost: it was done, and the association has another id since.
            Err(gone) if gone.is_gone() => match self.find(cx, planned).await? {
                Some(new) => Ok(Some(new)),
                None => Err(gone),
            },
            Err(failure) => Err(failure),
        }
    }

    async fn delete(&self, cx: &Call<'_>, id: &str, _prior: &Value) -> Result<(), Failure> {
        remove(cx, id).await
    }

    fn import(&self, id: &str) -> Result<Found, String> {
        let how = "the id is SUBNET/ROUTETABLE or GATEWAY/ROUTETABLE, as subnet-1/rtb-1";
        let (end, table) = id.split_once('/').ok_or(how)?;
        let key = if end.starts_with("subnet-") {
            ENDS[0]
        } else {
            ENDS[1]
        };
        Ok(object(json!({ "route_table_id": table, key: end })))
    }
}

fn is_whole(a: &RouteTableAssociation) -> bool {
    let state = a.association_state().and_then(|s| s.state());
    state.is_none_or(|s| !matches!(s.as_str(), "disassociated" | "disassociating" | "failed"))
}

/// Ends an association; one that is gone has ended.
pub(super) async fn remove(cx: &Call<'_>, id: &str) -> Result<(), Failure> {
    let done = cx
        .cloud
        .call("DisassociateRouteTable", || {
            cx.cloud
                .ec2
                .disassociate_route_table()
                .association_id(id)
                .send()
        })
        .await;
    unless_gone(done).map(|_| ())
}
