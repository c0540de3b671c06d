//! What an interrupted run has left is told for what it is.

use crate::{
    errors::{provider, request},
    proxy::{Proxy, Way},
    server::{Moto, texts},
};
use serde_json::json;
use std::time::Duration;
use weir_core::plan::Op;
use weir_provider::{
    ApplyRequest, Completeness, NoProgress, PlanRequest, Provider, Settled, conformance::body,
    proposed,
};

/// AWS lets everything out of a new group, which is taken back at once: a group whose creation ended
/// between the two is half of one.
#[tokio::test]
async fn a_group_that_still_lets_everything_out_is_not_whole() {
    let Some(moto) = Moto::start() else { return };
    let vpc = moto.ask("CreateVpc", &[("CidrBlock", "10.0.0.0/16")]);
    let vpc = texts(&vpc, "vpcId").remove(0);
    let proxy = Proxy::start(&moto.address());
    let provider = provider(&proxy).await;
    let kind = "aws_security_group";
    let schema = &provider.schema().resources[kind];
    let config = body(&schema.block, &json!({ "name": "web", "vpc_id": vpc }));
    let plan = PlanRequest {
        type_name: kind.into(),
        address: format!("{kind}.this"),
        prior: None,
        proposed: proposed::merge(schema, None, &config),
        config: config.clone(),
        private: Vec::new(),
    };
    let planned = provider.plan(plan).await.unwrap().planned;
    let request = || ApplyRequest {
        planned: Some(planned.clone()),
        config: Some(config.clone()),
        ..request(Op::Create, kind)
    };
    proxy.answer(
        "RevokeSecurityGroupEgress",
        Way::Refused(500, "InternalError".into(), "no".into()),
        1_000_000,
    );
    let dies = provider.apply(request(), &NoProgress);
    let _ = tokio::time::timeout(Duration::from_millis(100), dies).await;
    for (done, wanted) in [(false, Completeness::Partial), (true, Completeness::Whole)] {
        if done {
            let group = moto.ask(
                "DescribeSecurityGroups",
                &[("Filter.1.Name", "group-name"), ("Filter.1.Value.1", "web")],
            );
            let group = texts(&group, "groupId").remove(0);
            moto.ask(
                "RevokeSecurityGroupEgress",
                &[
                    ("GroupId", &group),
                    ("IpPermissions.1.IpProtocol", "-1"),
                    ("IpPermissions.1.IpRanges.1.CidrIp", "0.0.0.0/0"),
                ],
            );
        }
        match provider.settle(request()).await {
            Settled::Done { completeness, .. } => assert_eq!(completeness, wanted),
            other => panic!("{other:?}"),
        }
    }
}
