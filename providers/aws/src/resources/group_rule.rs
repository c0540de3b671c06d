//! `aws_vpc_security_group_ingress_rule` and `aws_vpc_security_group_egress_rule`: one rule, one
//! source, an id and tags of its own.

use super::permissions::{self as rules, Direction};
use crate::{
    client::Aws,
    resource::{Call, Failure, Found, Resource, found, unless_gone},
    tags,
};
use async_trait::async_trait;
use aws_sdk_ec2::types::{
    IpPermission, IpRange, Ipv6Range, PrefixListId, ResourceType, SecurityGroupRuleRequest,
    SecurityGroupRuleUpdate, UserIdGroupPair,
};
use serde_json::json;
use weir_core::{Diagnostic, Diagnostics, Path, Value};
use weir_provider::declared::{Fields as _, changed};

pub(super) struct GroupRule(pub(super) Direction);

const SOURCES: [&str; 4] = [
    "cidr_ipv4",
    "cidr_ipv6",
    "prefix_list_id",
    "referenced_security_group_id",
];
const FIELDS: [&str; 8] = [
    "cidr_ipv4",
    "cidr_ipv6",
    "description",
    "from_port",
    "ip_protocol",
    "prefix_list_id",
    "referenced_security_group_id",
    "to_port",
];

#[async_trait]
impl Resource<Aws> for GroupRule {
    fn name(&self) -> &'static str {
        match self.0 {
            Direction::Ingress => "aws_vpc_security_group_ingress_rule",
            Direction::Egress => "aws_vpc_security_group_egress_rule",
        }
    }
    fn kind(&self) -> Option<ResourceType> {
        Some(ResourceType::SecurityGroupRule)
    }

    /// What the traffic comes from or goes to can't become another kind of thing.
    fn plan(
        &self,
        _: Option<&Aws>,
        _: &Value,
        prior: Option<&Value>,
        planned: Value,
    ) -> (Value, Vec<Path>) {
        let Some(prior) = prior else {
            return (planned, Vec::new());
        };
        let none = |v: &Value, key: &str| v.get(key).is_none_or(Value::is_null);
        let turned = SOURCES
            .iter()
            .filter(|key| none(prior, key) != none(&planned, key));
        let replaces = turned.map(|key| Path::root().key(*key)).collect();
        (
            rules::same_protocol(prior, planned, "ip_protocol"),
            replaces,
        )
    }

    fn validate(&self, config: &Value, out: &mut Diagnostics) {
        super::one_of(config, &SOURCES, out);
        super::at_most_one(config, &SOURCES, out);
        super::cidr::check(config, "cidr_ipv4", super::cidr::ANY, out);
        super::cidr::check_v6(config, "cidr_ipv6", out);
        super::within(config, "from_port", -1..=65535, out);
        super::within(config, "to_port", -1..=65535, out);
        let ported = config.text("ip_protocol").map(|p| rules::protocol(&p));
        let ported = ported.is_some_and(|p| p == "tcp" || p == "udp");
        let missing = |key: &str| config.get(key).is_some_and(Value::is_null);
        if ported && (missing("from_port") || missing("to_port")) {
            out.push(
                Diagnostic::error("the rule's ports are missing")
                    .because("TCP and UDP have ports: from_port and to_port.")
                    .help("Set both; for all ports write 0 and 65535."),
            );
        }
    }

    async fn create(&self, cx: &Call<'_>, planned: &Value) -> Result<String, Failure> {
        let group = planned.text("security_group_id").unwrap_or_default();
        let tags = tags::specification(cx, ResourceType::SecurityGroupRule, planned);
        let rule = permission(planned);
        let made = match self.0 {
            Direction::Ingress => cx
                .cloud
                .make("AuthorizeSecurityGroupIngress", || {
                    let call = cx.cloud.ec2.authorize_security_group_ingress();
                    call.group_id(&group)
                        .ip_permissions(rule.clone())
                        .tag_specifications(tags.clone())
                        .send()
                })
                .await?
                .security_group_rules
                .unwrap_or_default(),
            Direction::Egress => cx
                .cloud
                .make("AuthorizeSecurityGroupEgress", || {
                    let call = cx.cloud.ec2.authorize_security_group_egress();
                    call.group_id(&group)
                        .ip_permissions(rule.clone())
                        .tag_specifications(tags.clone())
                        .send()
                })
                .await?
                .security_group_rules
                .unwrap_or_default(),
        };
        let id = made.first().and_then(|r| r.security_group_rule_id.clone());
        id.ok_or_else(|| super::nameless("AuthorizeSecurityGroup"))
    }

    async fn read(&self, aws: &Aws, id: &str, known: &Value) -> Result<Option<Found>, Failure> {
        let answer = aws.call("DescribeSecurityGroupRules", || {
            let call = aws.ec2.describe_security_group_rules();
            call.security_group_rule_ids(id).send()
        });
        let Some(answer) = unless_gone(answer.await)? else {
            return Ok(None);
        };
        let side = self.0 == Direction::Egress;
        let mut all = answer.security_group_rules().iter();
        let Some(rule) =
            all.find(|r| r.security_group_rule_id() == Some(id) && r.is_egress() == Some(side))
        else {
            return Ok(None);
        };
        let owner = rule.group_owner_id().unwrap_or_default();
        let account = aws.account().await?;
        // The API answers in its own words; what means the same stays as it was written.
        let had = known.text("ip_protocol");
        let has = rule.ip_protocol().unwrap_or("-1");
        let protocol = had
            .filter(|p| rules::protocol(p) == has)
            .unwrap_or_else(|| has.to_owned());
        let port = |name: &str, n: Option<i32>| match n {
            Some(-1) if has == "-1" && known.get(name).is_none_or(Value::is_null) => None,
            n => n,
        };
        let reference = rule.referenced_group_info().map(|g| {
            let id = g.group_id().unwrap_or_default();
            match g
                .user_id()
                .filter(|u| *u != owner && g.vpc_peering_connection_id().is_some())
            {
                Some(user) => format!("{user}/{id}"),
                None => id.to_owned(),
            }
        });
        let text = |t: Option<&str>| t.filter(|t| !t.is_empty()).map(str::to_owned);
        found(json!({
            "arn": aws.arn(&account, "security-group-rule", id),
            "cidr_ipv4": text(rule.cidr_ipv4()),
            "cidr_ipv6": text(rule.cidr_ipv6()),
            "description": text(rule.description()),
            "from_port": port("from_port", rule.from_port()),
            "ip_protocol": protocol,
            "prefix_list_id": text(rule.prefix_list_id()),
            "referenced_security_group_id": reference,
            "security_group_id": rule.group_id(),
            "security_group_rule_id": id,
            "tags_all": tags::found(aws, rule.tags()),
            "to_port": port("to_port", rule.to_port()),
        }))
    }

    async fn update(
        &self,
        cx: &Call<'_>,
        id: &str,
        prior: &Value,
        planned: &Value,
    ) -> Result<Option<String>, Failure> {
        if !FIELDS.iter().any(|f| changed(prior, planned, f)) {
            return Ok(None);
        }
        let any = protocol(planned) == "-1";
        let request = SecurityGroupRuleRequest::builder()
            .set_cidr_ipv4(planned.text("cidr_ipv4"))
            .set_cidr_ipv6(planned.text("cidr_ipv6"))
            .set_prefix_list_id(planned.text("prefix_list_id"))
            .set_referenced_group_id(planned.text("referenced_security_group_id"))
            .set_description(planned.text("description"))
            .ip_protocol(protocol(planned))
            .set_from_port(planned.int("from_port").filter(|_| !any))
            .set_to_port(planned.int("to_port").filter(|_| !any))
            .build();
        let update = SecurityGroupRuleUpdate::builder()
            .security_group_rule_id(id)
            .security_group_rule(request)
            .build();
        cx.cloud
            .call("ModifySecurityGroupRules", || {
                let call = cx.cloud.ec2.modify_security_group_rules();
                call.set_group_id(planned.text("security_group_id"))
                    .security_group_rules(update.clone())
                    .send()
            })
            .await?;
        Ok(None)
    }

    async fn delete(&self, cx: &Call<'_>, id: &str, prior: &Value) -> Result<(), Failure> {
        let group = prior.text("security_group_id").unwrap_or_default();
        match self.0 {
            Direction::Ingress => cx
                .cloud
                .call("RevokeSecurityGroupIngress", || {
                    let call = cx.cloud.ec2.revoke_security_group_ingress();
                    call.group_id(&group).security_group_rule_ids(id).send()
                })
                .await
                .map(|_| ()),
            Direction::Egress => cx
                .cloud
                .call("RevokeSecurityGroupEgress", || {
                    let call = cx.cloud.ec2.revoke_security_group_egress();
                    call.group_id(&group).security_group_rule_ids(id).send()
                })
                .await
                .map(|_| ()),
        }
    }
}

fn protocol(value: &Value) -> String {
    rules::protocol(&value.text("ip_protocol").unwrap_or_default())
}

fn permission(planned: &Value) -> IpPermission {
    let text = planned.text("description");
    let protocol = protocol(planned);
    let any = protocol == "-1";
    let mut p = IpPermission::builder()
        .ip_protocol(protocol)
        .set_from_port(planned.int("from_port").filter(|_| !any))
        .set_to_port(planned.int("to_port").filter(|_| !any));
    if let Some(range) = planned.text("cidr_ipv4") {
        p = p.ip_ranges(
            IpRange::builder()
                .cidr_ip(range)
                .set_description(text.clone())
                .build(),
        );
    }
    if let Some(range) = planned.text("cidr_ipv6") {
        p = p.ipv6_ranges(
            Ipv6Range::builder()
                .cidr_ipv6(range)
                .set_description(text.clone())
                .build(),
        );
    }
    if let Some(id) = planned.text("prefix_list_id") {
        p = p.prefix_list_ids(
            PrefixListId::builder()
                .prefix_list_id(id)
                .set_description(text.clone())
                .build(),
        );
    }
    if let Some(id) = planned.text("referenced_security_group_id") {
        let pair = UserIdGroupPair::builder().set_description(text);
        let pair = match id.split_once('/') {
            Some((account, id)) => pair.user_id(account).group_id(id),
            None => pair.group_id(id),
        };
        p = p.user_id_group_pairs(pair.build());
    }
    p.build()
}
