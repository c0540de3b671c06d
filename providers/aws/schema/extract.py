#!/usr/bin/env python3
"""Writes terraform.txt: what hashicorp/aws says of the types that weir-aws has.

Run by hand when a type is added, in a folder where `terraform init` has installed the provider:

    terraform providers schema -json | .../providers/aws/schema/extract.py > .../schema/terraform.txt

A line is a type (`resource NAME VERSION`, `data NAME VERSION`, `provider`), an attribute
(`name type flags`, the type as JSON of the plugin protocol) or a nested block
(`name block nesting min max`); what stands deeper belongs to the block above.
"""
import json
import sys

RESOURCES = """aws_ebs_volume aws_eip aws_eip_association aws_instance aws_internet_gateway aws_key_pair
aws_launch_template aws_nat_gateway aws_network_interface aws_placement_group aws_route
aws_route_table aws_route_table_association aws_security_group aws_security_group_rule aws_subnet
aws_volume_attachment aws_vpc aws_vpc_security_group_egress_rule
aws_vpc_security_group_ingress_rule""".split()
DATA = """aws_ami aws_availability_zones aws_caller_identity aws_ec2_instance_type
aws_ec2_instance_types aws_region aws_subnet aws_subnets aws_vpc""".split()
FLAGS = ["required", "optional", "computed", "sensitive", "deprecated"]


def block(body, depth):
    pad = "  " * depth
    for name, a in sorted(body.get("attributes", {}).items()):
        flags = [f for f in FLAGS if a.get(f)]
        print(pad + name, json.dumps(a["type"], separators=(",", ":")), *flags)
    for name, b in sorted(body.get("block_types", {}).items()):
        print(pad + name, "block", b["nesting_mode"], b.get("min_items", 0), b.get("max_items", "-"))
        block(b["block"], depth + 1)


whole = json.load(sys.stdin)["provider_schemas"]["registry.terraform.io/hashicorp/aws"]
print("provider")
block(whole["provider"]["block"], 1)
for kind, names, where in [
    ("resource", RESOURCES, whole["resource_schemas"]),
    ("data", DATA, whole["data_source_schemas"]),
]:
    for name in names:
        print(kind, name, where[name]["version"])
        block(where[name]["block"], 1)
