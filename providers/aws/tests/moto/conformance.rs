//! Every resource type passes the conformance kit. Where moto lacks something, the proxy before it
//! fills it in. New user data for a machine is not tried: moto wants it encoded twice.

use crate::{
    proxy::{Proxy, Way},
    server::{Moto, texts},
};
use async_trait::async_trait;
use serde_json::{Value as Json, json};
use std::{sync::Arc, time::Duration};
use weir_aws::{AwsProvider, Pacing};
use weir_core::{Known, Value};
use weir_provider::{
    Provider,
    conformance::{Calls, Case, Copies, Existence, Fault, Fixture, Vanished, body, run},
};

/// What the objects under test refer to.
struct World {
    moto: Moto,
    proxy: Proxy,
    vpc: String,
    vpc2: String,
    subnet: String,
    table: String,
    table2: String,
    group: String,
    gateway: String,
    instance: String,
    volume: String,
    ami: String,
    address: String,
}

/// No waiting: moto is at once where AWS takes its time.
pub fn quick() -> Pacing {
    Pacing {
        backoff: Duration::from_millis(20),
        budget: Duration::from_secs(20),
        consistency: Duration::from_millis(400),
        poll: Duration::from_millis(40),
    }
}

pub fn provider_config(address: &str, schema: &weir_core::schema::Block) -> Value {
    let endpoint = format!("http://{address}");
    body(
        schema,
        &json!({
            "region": "eu-central-1",
            "access_key": "weir",
            "secret_key": "weir-secret",
            "endpoints": [{ "ec2": endpoint, "sts": endpoint }],
            "default_tags": [{ "tags": { "team": "weir" } }],
        }),
    )
}

impl World {
    fn start() -> Option<World> {
        let moto = Moto::start()?;
        let one = |action: &str, parameters: &[(&str, &str)], tag: &str| {
            texts(&moto.ask(action, parameters), tag).remove(0)
        };
        let vpc = one("CreateVpc", &[("CidrBlock", "10.0.0.0/16")], "vpcId");
        let vpc2 = one("CreateVpc", &[("CidrBlock", "10.1.0.0/16")], "vpcId");
        let zone = ("AvailabilityZone", "eu-central-1a");
        let subnet = one(
            "CreateSubnet",
            &[("VpcId", &vpc), ("CidrBlock", "10.0.0.0/24"), zone],
            "subnetId",
        );
        let table = one("CreateRouteTable", &[("VpcId", &vpc)], "routeTableId");
        let table2 = one("CreateRouteTable", &[("VpcId", &vpc)], "routeTableId");
        let group = one(
            "CreateSecurityGroup",
            &[
                ("VpcId", &vpc),
                ("GroupName", "base"),
                ("GroupDescription", "base"),
            ],
            "groupId",
        );
        let gateway = one("CreateInternetGateway", &[], "internetGatewayId");
        moto.ask(
            "AttachInternetGateway",
            &[("InternetGatewayId", &gateway), ("VpcId", &vpc)],
        );
        let images = moto.ask("DescribeImages", &[("Owner.1", "amazon")]);
        let ami = texts(&images, "imageId").remove(0);
        let instance = one(
            "RunInstances",
            &[
                ("ImageId", &ami),
                ("MinCount", "1"),
                ("MaxCount", "1"),
                ("SubnetId", &subnet),
            ],
            "instanceId",
        );
        let volume = one("CreateVolume", &[("Size", "1"), zone], "volumeId");
        let address = one("AllocateAddress", &[("Domain", "vpc")], "allocationId");
        Some(World {
            vpc,
            vpc2,
            subnet,
            table,
            table2,
            group,
            gateway,
            instance,
            volume,
            ami,
            address,
            proxy: Proxy::start(&moto.address()),
            moto,
        })
    }

    fn case(&self, name: &str, configs: [Option<Json>; 3], refused: &[Json]) -> Case {
        let provider = AwsProvider::new(quick());
        let block = provider.schema().resources[name].block.clone();
        let [config, update, replace] = configs.map(|c| c.map(|c| body(&block, &c)));
        Case {
            type_name: name.into(),
            existence: Existence::Outside,
            copies: Copies::Many,
            config: config.unwrap(),
            update,
            replace,
            refused: refused.iter().map(|r| body(&block, r)).collect(),
        }
    }

    fn networks(&self) -> Vec<Case> {
        let (vpc, vpc2, table) = (&self.vpc, &self.vpc2, &self.table);
        let route = |gateway: &str| json!([{ "cidr_block": "0.0.0.0/0", "gateway_id": gateway }]);
        vec![
            self.case(
                "aws_vpc",
                [
                    Some(json!({ "cidr_block": "10.9.0.0/16", "tags": { "Name": "a" } })),
                    Some(json!({ "cidr_block": "10.9.0.0/16", "enable_dns_hostnames": true })),
                    Some(json!({ "cidr_block": "10.8.0.0/16" })),
                ],
                &[
                    json!({ "cidr_block": "10.9.0.0/8" }),
                    json!({ "cidr_block": "10.9.0.1/16" }),
                    json!({ "cidr_block": "10.9.0.0/16", "instance_tenancy": "alone" }),
                    json!({ "cidr_block": "10.9.0.0/16", "ipv4_ipam_pool_id": "ipam-1" }),
                ],
            ),
            Case {
                copies: Copies::One,
                ..self.case(
                    "aws_subnet",
                    [
                        Some(json!({ "vpc_id": vpc, "cidr_block": "10.0.7.0/24", "availability_zone": "eu-central-1a" })),
                        Some(json!({ "vpc_id": vpc, "cidr_block": "10.0.7.0/24", "map_public_ip_on_launch": true, "tags": { "a": "b" } })),
                        Some(json!({ "vpc_id": vpc, "cidr_block": "10.0.8.0/24" })),
                    ],
                    &[json!({ "vpc_id": vpc, "cidr_block": "ten" })],
                )
            },
            self.case(
                "aws_internet_gateway",
                [
                    Some(json!({ "tags": { "Name": "a" } })),
                    Some(json!({ "vpc_id": vpc2 })),
                    None,
                ],
                &[],
            ),
            self.case(
                "aws_route_table",
                [
                    Some(json!({ "vpc_id": vpc, "route": route(&self.gateway) })),
                    Some(json!({ "vpc_id": vpc, "route": [], "tags": { "Name": "b" } })),
                    Some(json!({ "vpc_id": vpc2 })),
                ],
                &[json!({ "vpc_id": vpc, "route": [{ "cidr_block": "0.0.0.0/0" }] })],
            ),
            Case {
                copies: Copies::One,
                ..self.case(
                    "aws_route_table_association",
                    [
                        Some(json!({ "subnet_id": self.subnet, "route_table_id": table })),
                        Some(json!({ "subnet_id": self.subnet, "route_table_id": self.table2 })),
                        None,
                    ],
                    &[json!({ "route_table_id": table })],
                )
            },
            Case {
                copies: Copies::One,
                ..self.case(
                    "aws_route",
                    [
                        Some(json!({ "route_table_id": table, "destination_cidr_block": "0.0.0.0/0", "gateway_id": self.gateway })),
                        None,
                        Some(json!({ "route_table_id": table, "destination_cidr_block": "1.0.0.0/8", "gateway_id": self.gateway })),
                    ],
                    &[json!({ "route_table_id": table, "gateway_id": "igw-1" })],
                )
            },
            self.case(
                "aws_nat_gateway",
                [
                    Some(json!({ "subnet_id": self.subnet, "connectivity_type": "private" })),
                    Some(json!({ "subnet_id": self.subnet, "connectivity_type": "private", "tags": { "Name": "n" } })),
                    Some(json!({ "subnet_id": self.subnet, "allocation_id": self.address })),
                ],
                &[json!({ "subnet_id": self.subnet })],
            ),
            self.case(
                "aws_eip",
                [
                    Some(json!({ "domain": "vpc" })),
                    Some(json!({ "domain": "vpc", "instance": self.instance })),
                    None,
                ],
                &[json!({ "domain": "standard" })],
            ),
            Case {
                copies: Copies::One,
                ..self.case(
                    "aws_eip_association",
                    [
                        Some(json!({ "allocation_id": self.address, "instance_id": self.instance })),
                        None,
                        None,
                    ],
                    &[json!({ "allocation_id": self.address })],
                )
            },
            self.case(
                "aws_network_interface",
                [
                    Some(json!({ "subnet_id": self.subnet, "security_groups": [self.group] })),
                    Some(json!({ "subnet_id": self.subnet, "security_groups": [self.group], "description": "x", "source_dest_check": false })),
                    None,
                ],
                &[json!({ "subnet_id": self.subnet, "private_ips": ["10.0.0.9"], "private_ips_count": 2 })],
            ),
        ]
    }

    fn groups(&self) -> Vec<Case> {
        let (vpc, group) = (&self.vpc, &self.group);
        let ssh = json!([{ "from_port": 22, "to_port": 22, "protocol": "tcp", "cidr_blocks": ["10.0.0.0/8", "192.168.0.0/16"] }]);
        let web = json!([
            { "from_port": 80, "to_port": 80, "protocol": "tcp", "cidr_blocks": ["0.0.0.0/0"], "description": "web" },
            { "from_port": 0, "to_port": 0, "protocol": "-1", "self": true },
        ]);
        let out = json!([{ "from_port": 0, "to_port": 0, "protocol": "-1", "cidr_blocks": ["0.0.0.0/0"] }]);
        let one = |ip: &str, port: u16| json!({ "security_group_id": group, "ip_protocol": "tcp", "from_port": port, "to_port": port, "cidr_ipv4": ip });
        let old = |port: u16| json!({ "security_group_id": group, "type": "ingress", "protocol": "tcp", "from_port": port, "to_port": port, "cidr_blocks": ["10.9.0.0/16"] });
        let mut cases = vec![
            self.case(
                "aws_security_group",
                [
                    Some(json!({ "vpc_id": vpc, "ingress": ssh, "egress": out })),
                    Some(json!({ "vpc_id": vpc, "ingress": web, "egress": [] })),
                    Some(json!({ "vpc_id": vpc, "description": "another" })),
                ],
                &[
                    json!({ "name": "sg-x" }),
                    json!({ "ingress": [{ "protocol": "tcp" }] }),
                ],
            ),
            Case {
                copies: Copies::One,
                ..self.case(
                    "aws_security_group_rule",
                    [Some(old(8080)), None, Some(old(8081))],
                    &[json!({ "security_group_id": group, "type": "both", "protocol": "tcp", "from_port": 1, "to_port": 1, "self": true })],
                )
            },
        ];
        for name in [
            "aws_vpc_security_group_ingress_rule",
            "aws_vpc_security_group_egress_rule",
        ] {
            cases.push(Case {
                copies: Copies::One,
                ..self.case(
                    name,
                    [Some(one("10.7.0.0/16", 443)), Some(one("10.6.0.0/16", 444)), None],
                    &[json!({ "security_group_id": group, "ip_protocol": "tcp", "cidr_ipv4": "10.0.0.0/8" })],
                )
            });
        }
        cases
    }

    fn machines(&self) -> Vec<Case> {
        let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE5sZ2J4b3hJbHRvRkZ4dWJvZ3VzMDEyMzQ1Njc4OTAx me@here";
        let key2 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE5sZ2J4b3hJbHRvRkZ4dWJvZ3VzMDEyMzQ1Njc4OTAy me@here";
        let machine = |more: Json| {
            let mut all = json!({ "ami": self.ami, "instance_type": "t3.micro", "subnet_id": self.subnet, "vpc_security_group_ids": [self.group] });
            all.as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            all
        };
        vec![
            self.case(
                "aws_key_pair",
                [
                    Some(json!({ "public_key": key })),
                    Some(json!({ "public_key": key, "tags": { "a": "b" } })),
                    Some(json!({ "public_key": key2 })),
                ],
                &[json!({ "public_key": "hello" })],
            ),
            self.case(
                "aws_ebs_volume",
                [
                    Some(json!({ "availability_zone": "eu-central-1a", "size": 4, "type": "gp3" })),
                    Some(json!({ "availability_zone": "eu-central-1a", "size": 8, "type": "gp3" })),
                    Some(json!({ "availability_zone": "eu-central-1b", "size": 4 })),
                ],
                &[
                    json!({ "availability_zone": "eu-central-1a", "size": 4, "type": "quick" }),
                    json!({ "availability_zone": "eu-central-1a", "size": 4, "type": "io2" }),
                ],
            ),
            self.template(),
            Case {
                copies: Copies::One,
                ..self.case(
                    "aws_placement_group",
                    [
                        Some(json!({ "name": "near", "strategy": "cluster", "tags": { "a": "b" } })),
                        Some(json!({ "name": "near", "strategy": "cluster", "tags": { "a": "c" } })),
                        Some(json!({ "name": "near", "strategy": "partition", "partition_count": 3 })),
                    ],
                    &[
                        json!({ "name": "near", "strategy": "close" }),
                        json!({ "name": "near", "strategy": "partition", "partition_count": 8 }),
                    ],
                )
            },
            Case {
                copies: Copies::One,
                ..self.case(
                    "aws_volume_attachment",
                    [
                        Some(json!({ "device_name": "/dev/sdh", "instance_id": self.instance, "volume_id": self.volume })),
                        None,
                        Some(json!({ "device_name": "/dev/sdi", "instance_id": self.instance, "volume_id": self.volume })),
                    ],
                    &[],
                )
            },
            self.case(
                "aws_instance",
                [
                    Some(machine(json!({ "user_data": "#!/bin/sh\necho hi\n", "tags": { "Name": "a" } }))),
                    Some(machine(json!({ "instance_type": "t3.small", "user_data": "#!/bin/sh\necho hi\n" }))),
                    Some(machine(json!({ "key_name": "other" }))),
                ],
                &[
                    machine(json!({ "user_data": "a", "user_data_base64": "YQ==" })),
                    machine(json!({ "user_data_base64": "?" })),
                    machine(json!({ "hibernation": true })),
                    json!({ "instance_type": "t3.micro" }),
                ],
            ),
        ]
    }
}

impl World {
    /// A template that says something in each block, and one that says it otherwise.
    fn template(&self) -> Case {
        let one = |size: u16, kind: &str, on: bool| {
            json!({
                "image_id": self.ami,
                "instance_type": "t3.micro",
                "ebs_optimized": "true",
                "user_data": "ZWNobyBoaQo=",
                "update_default_version": on,
                "block_device_mappings": [
                    { "device_name": "/dev/sda1", "ebs": [{ "volume_size": size, "volume_type": kind, "encrypted": "true" }] },
                    { "device_name": "/dev/sdb", "no_device": "true" },
                ],
                "cpu_options": [{ "core_count": 1, "threads_per_core": 2 }],
                "credit_specification": [{ "cpu_credits": "standard" }],
                "iam_instance_profile": [{ "name": "web" }],
                "instance_market_options": [{ "market_type": "spot", "spot_options": [{ "max_price": "0.02", "spot_instance_type": "one-time" }] }],
                "maintenance_options": [{ "auto_recovery": "disabled" }],
                "metadata_options": [{ "http_endpoint": "enabled", "http_tokens": "required", "http_put_response_hop_limit": 1, "instance_metadata_tags": "enabled" }],
                "monitoring": [{ "enabled": on }],
                "network_interfaces": [
                    { "associate_public_ip_address": "true", "device_index": 0, "security_groups": [self.group], "subnet_id": self.subnet },
                    { "delete_on_termination": "false", "device_index": 1, "ipv4_addresses": ["10.0.0.21", "10.0.0.22"], "private_ip_address": "10.0.0.21" },
                ],
                "placement": [{ "availability_zone": "eu-central-1a", "tenancy": "default" }],
                "private_dns_name_options": [{ "hostname_type": "resource-name", "enable_resource_name_dns_a_record": true }],
                "tag_specifications": [
                    { "resource_type": "instance", "tags": { "Name": "web" } },
                    { "resource_type": "volume", "tags": { "Name": "disk" } },
                ],
                "tags": { "Name": "first" },
            })
        };
        let mut renamed = one(8, "gp3", true);
        renamed["name"] = json!("another");
        self.case(
            "aws_launch_template",
            [
                Some(one(8, "gp3", true)),
                Some(one(9, "gp2", false)),
                Some(renamed),
            ],
            &[
                json!({ "user_data": "#!/bin/sh" }),
                json!({ "ebs_optimized": "perhaps" }),
                json!({ "name": "a", "name_prefix": "b" }),
                json!({ "default_version": 1, "update_default_version": true }),
                json!({ "tag_specifications": [{ "resource_type": "vpc", "tags": {} }] }),
                json!({ "instance_requirements": [{ "memory_mib": [{ "min": 1 }], "vcpu_count": [{ "min": 1 }] }] }),
            ],
        )
    }
}

/// How moto lists a type's objects: the action and the tag of the ids.
fn listing(type_name: &str) -> (&'static str, &'static str) {
    match type_name {
        "aws_vpc" => ("DescribeVpcs", "vpcId"),
        "aws_subnet" => ("DescribeSubnets", "subnetId"),
        "aws_internet_gateway" => ("DescribeInternetGateways", "internetGatewayId"),
        "aws_route_table" => ("DescribeRouteTables", "vpcId"),
        "aws_route_table_association" => ("DescribeRouteTables", "routeTableAssociationId"),
        "aws_route" => ("DescribeRouteTables", "state"),
        "aws_nat_gateway" => ("DescribeNatGateways", "natGatewayId"),
        "aws_eip" => ("DescribeAddresses", "allocationId"),
        "aws_eip_association" => ("DescribeAddresses", "associationId"),
        "aws_network_interface" => ("DescribeNetworkInterfaces", "networkInterfaceId"),
        "aws_security_group" => ("DescribeSecurityGroups", "groupName"),
        "aws_key_pair" => ("DescribeKeyPairs", "keyPairId"),
        "aws_launch_template" => ("DescribeLaunchTemplates", "launchTemplateId"),
        "aws_ebs_volume" => ("DescribeVolumes", "createTime"),
        "aws_volume_attachment" => ("DescribeVolumes", "attachTime"),
        "aws_instance" => ("DescribeInstances", "instanceId"),
        _ => ("DescribeSecurityGroupRules", "securityGroupRuleId"),
    }
}

struct Types(Arc<World>, Vec<Case>);

#[async_trait]
impl Fixture for Types {
    fn provider(&self) -> &str {
        "aws"
    }
    async fn start(&self) -> Arc<dyn Provider> {
        let provider = AwsProvider::new(quick()).alone();
        let config = provider_config(&self.0.proxy.address, &provider.schema().provider.block);
        provider.configure(&config).await.unwrap();
        Arc::new(provider)
    }
    fn cases(&self) -> Vec<Case> {
        self.1.clone()
    }
    async fn count(&self, type_name: &str) -> Option<usize> {
        if type_name == "aws_placement_group" {
            return Some(self.0.proxy.filled().groups());
        }
        let (action, tag) = listing(type_name);
        let answer = self.0.moto.ask(action, &[]);
        let count = texts(&answer, tag).len();
        let gone = match type_name {
            "aws_nat_gateway" => texts(&answer, "state")
                .iter()
                .filter(|s| *s == "deleted")
                .count(),
            "aws_instance" => answer.matches("<name>terminated</name>").count(),
            _ => 0,
        };
        Some(count - gone)
    }
    async fn vanish(&self, type_name: &str, value: &Known) -> Vanished {
        let get = |key: &str| {
            let text = value.value().get(key).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        let id = get("id");
        let (action, key, id) = match type_name {
            "aws_placement_group" => {
                self.0.proxy.filled().lose(&id);
                return Vanished::Gone;
            }
            "aws_launch_template" => ("DeleteLaunchTemplate", "LaunchTemplateId", id),
            "aws_vpc" => ("DeleteVpc", "VpcId", id),
            "aws_subnet" => ("DeleteSubnet", "SubnetId", id),
            "aws_internet_gateway" => ("DeleteInternetGateway", "InternetGatewayId", id),
            "aws_route_table" => ("DeleteRouteTable", "RouteTableId", id),
            "aws_route_table_association" => ("DisassociateRouteTable", "AssociationId", id),
            "aws_nat_gateway" => ("DeleteNatGateway", "NatGatewayId", id),
            "aws_eip" => ("ReleaseAddress", "AllocationId", id),
            "aws_eip_association" => ("DisassociateAddress", "AssociationId", id),
            "aws_network_interface" => ("DeleteNetworkInterface", "NetworkInterfaceId", id),
            "aws_security_group" => ("DeleteSecurityGroup", "GroupId", id),
            "aws_key_pair" => ("DeleteKeyPair", "KeyName", id),
            "aws_ebs_volume" => ("DeleteVolume", "VolumeId", id),
            "aws_volume_attachment" => ("DetachVolume", "VolumeId", get("volume_id")),
            "aws_instance" => ("TerminateInstances", "InstanceId.1", id),
            _ => return Vanished::Unsupported,
        };
        let (instance, device) = (get("instance_id"), get("device_name"));
        let mut parameters = vec![(key, id.as_str())];
        if type_name == "aws_volume_attachment" {
            parameters.extend([
                ("InstanceId", instance.as_str()),
                ("Device", device.as_str()),
            ]);
        }
        self.0.moto.ask(action, &parameters);
        Vanished::Gone
    }
    async fn trap(&self, calls: Calls, fault: Fault) -> bool {
        let later = "Request limit exceeded.";
        let way = match fault {
            Fault::Throttled => Way::Refused(503, "RequestLimitExceeded".into(), later.into()),
            Fault::Broken => Way::Refused(500, "InternalError".into(), "Try again.".into()),
            Fault::Lost => Way::Lost,
            Fault::Silent => Way::Silent,
            Fault::Repeated => Way::Repeated,
        };
        let (nth, again) = match calls {
            Calls::EveryThird(first) => (first, true),
            Calls::Nth(nth) => (nth, false),
        };
        self.0.proxy.lay(nth, again, way);
        true
    }
    async fn sprung(&self) {
        while !self.0.proxy.is_sprung() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    async fn spring(&self) -> bool {
        self.0.proxy.spring()
    }
    fn import_id(&self, type_name: &str, value: &Known) -> Option<String> {
        imported_by(type_name, value.value())
    }
    fn not_imported(&self, type_name: &str) -> &[&str] {
        match type_name {
            // EC2 keeps a digest of the key.
            "aws_key_pair" => &["public_key"],
            // What is done with the next version is weir's business alone.
            "aws_launch_template" => &["update_default_version"],
            _ => &[],
        }
    }
    fn alone(&self, case: &Case) -> Vec<Value> {
        alone(&self.0, case)
    }
}

/// What each type is imported by.
fn imported_by(type_name: &str, value: &Value) -> Option<String> {
    let get = |key: &str| value.get(key)?.as_str().map(str::to_owned);
    Some(match type_name {
        "aws_route" => format!(
            "{}_{}",
            get("route_table_id")?,
            get("destination_cidr_block")?
        ),
        "aws_route_table_association" => {
            format!("{}/{}", get("subnet_id")?, get("route_table_id")?)
        }
        "aws_volume_attachment" => {
            format!(
                "{}:{}:{}",
                get("device_name")?,
                get("volume_id")?,
                get("instance_id")?
            )
        }
        "aws_security_group_rule" => {
            let port = |key: &str| value.get(key)?.as_i64();
            let (from, to) = (port("from_port")?, port("to_port")?);
            let (group, side) = (get("security_group_id")?, get("type")?);
            let sources = value.get("cidr_blocks")?.elements()?;
            let sources = sources
                .iter()
                .filter_map(|s| s.as_str())
                .collect::<Vec<_>>()
                .join("_");
            format!("{group}_{side}_{}_{from}_{to}_{sources}", get("protocol")?)
        }
        _ => get("id")?,
    })
}

/// Changes of one attribute that are made in place.
fn alone(world: &World, case: &Case) -> Vec<Value> {
    let text = |t: &str| Value::from(t);
    let on = || Value::from(true);
    let tags = || Value::map(weir_core::Type::String, [("x", text("y"))]);
    let changes: Vec<(&str, Value)> = match case.type_name.as_str() {
        "aws_vpc" => vec![
            ("enable_dns_support", Value::from(false)),
            ("enable_network_address_usage_metrics", on()),
        ],
        "aws_subnet" => vec![
            ("map_public_ip_on_launch", on()),
            ("enable_resource_name_dns_a_record_on_launch", on()),
            ("private_dns_hostname_type_on_launch", text("resource-name")),
        ],
        "aws_internet_gateway" => vec![("vpc_id", text(&world.vpc2))],
        "aws_route_table" | "aws_nat_gateway" | "aws_eip" | "aws_key_pair" => Vec::new(),
        "aws_network_interface" => {
            vec![
                ("description", text("x")),
                ("source_dest_check", Value::from(false)),
            ]
        }
        "aws_security_group" => vec![("revoke_rules_on_delete", on())],
        "aws_security_group_rule" => vec![("description", text("x"))],
        "aws_vpc_security_group_ingress_rule" | "aws_vpc_security_group_egress_rule" => vec![
            ("description", text("x")),
            ("cidr_ipv4", text("10.77.0.0/16")),
            ("ip_protocol", text("udp")),
        ],
        "aws_ebs_volume" => vec![
            ("size", Value::from(9)),
            ("iops", Value::from(4000)),
            ("throughput", Value::from(200)),
            ("type", text("gp2")),
        ],
        "aws_launch_template" => vec![
            ("description", text("x")),
            ("instance_type", text("t3.large")),
            ("disable_api_stop", on()),
            ("ebs_optimized", text("false")),
            ("user_data", text("ZWNobyBoZXkK")),
            ("update_default_version", Value::from(false)),
        ],
        "aws_volume_attachment" => {
            vec![("force_detach", on()), ("skip_destroy", Value::from(false))]
        }
        // Not what a shutdown from within leads to: moto takes a change of that, and keeps what was.
        "aws_instance" => vec![
            ("instance_type", text("t3.large")),
            ("source_dest_check", Value::from(false)),
            ("user_data_replace_on_change", on()),
        ],
        _ => return Vec::new(),
    };
    let mut all: Vec<Value> = changes
        .into_iter()
        .map(|(k, v)| case.config.clone().with(k, v))
        .collect();
    if case.config.get("tags").is_some() {
        all.push(case.config.clone().with("tags", tags()));
    }
    all.retain(|c| *c != case.config);
    all
}

/// Puts the types through the kit, on a server of their own.
#[allow(clippy::print_stdout)] // the table is for whoever reads the log
async fn conform(cases: impl Fn(&World) -> Vec<Case>) {
    let Some(world) = World::start() else { return };
    let only = std::env::var("WEIR_AWS_TYPE").ok();
    let mut cases = cases(&world);
    cases.retain(|c| only.as_ref().is_none_or(|only| c.type_name == *only));
    let report = run(&Types(Arc::new(world), cases)).await;
    println!("{report}");
    assert!(report.passed(), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn networks_conform() {
    conform(World::networks).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_conform() {
    conform(World::groups).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn machines_conform() {
    conform(World::machines).await;
}
