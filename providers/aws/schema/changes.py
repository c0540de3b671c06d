#!/usr/bin/env python3
"""Writes changes.txt: what hashicorp/aws plans when one attribute of an object changes alone.

Run by hand when a type or a rule is added, with `terraform` and `moto_server` on the path and the
provider in a filesystem mirror (WEIR_TF_PLUGINS, /opt/tf-plugins where that is not set):

    providers/aws/schema/changes.py > providers/aws/schema/changes.txt
    providers/aws/schema/changes.py aws_eip       # what there is to say of one type alone

The objects are made on moto, one of each type or more; then, without looking at them again, one
attribute of each is changed at a time. A block of the file is an object: its type and name, its
configuration, its state, and a line per change with what Terraform plans (`no-op`, `update`,
`replace` and the paths that ask for it, or `refused`).
"""
import json
import os
import socket
import subprocess
import sys
import tempfile
import time

PLUGINS = os.environ.get("WEIR_TF_PLUGINS", "/opt/tf-plugins")
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE5sZ2J4b3hJbHRvRkZ4dWJvZ3VzMDEyMzQ1Njc4OTAx me@here"
KEY2 = KEY.replace("OTAx", "OTAy")
SUPPORT = """
resource "aws_vpc" "s" { cidr_block = "10.0.0.0/16" }
resource "aws_vpc" "s2" { cidr_block = "10.1.0.0/16" }
resource "aws_subnet" "s" {
  vpc_id            = aws_vpc.s.id
  cidr_block        = "10.0.0.0/24"
  availability_zone = "eu-central-1a"
}
resource "aws_subnet" "s2" {
  vpc_id            = aws_vpc.s.id
  cidr_block        = "10.0.1.0/24"
  availability_zone = "eu-central-1a"
}
resource "aws_security_group" "s" { vpc_id = aws_vpc.s.id }
resource "aws_security_group" "s2" { vpc_id = aws_vpc.s.id }
resource "aws_internet_gateway" "s" { vpc_id = aws_vpc.s.id }
resource "aws_internet_gateway" "s2" { vpc_id = aws_vpc.s2.id }
resource "aws_route_table" "s" { vpc_id = aws_vpc.s.id }
resource "aws_route_table" "s2" { vpc_id = aws_vpc.s.id }
resource "aws_eip" "s" { domain = "vpc" }
resource "aws_eip" "s2" { domain = "vpc" }
resource "aws_network_interface" "s" { subnet_id = aws_subnet.s.id }
resource "aws_network_interface" "s2" { subnet_id = aws_subnet.s.id }
resource "aws_instance" "s" {
  ami           = "ami-12c6146b"
  instance_type = "t3.micro"
  subnet_id     = aws_subnet.s.id
}
resource "aws_instance" "s2" {
  ami           = "ami-12c6146b"
  instance_type = "t3.micro"
  subnet_id     = aws_subnet.s.id
}
resource "aws_ebs_volume" "s" {
  availability_zone = "eu-central-1a"
  size              = 1
}
resource "aws_ebs_volume" "s2" {
  availability_zone = "eu-central-1a"
  size              = 1
}
"""


def rule(port, ip="10.0.0.0/8"):
    return {"from_port": port, "to_port": port, "protocol": "tcp", "cidr_blocks": [ip]}


def subjects():
    """Type, name, configuration, changes. "@TYPE.NAME" stands for the id of a supporting object."""
    instance = {"ami": "ami-12c6146b", "instance_type": "t3.micro", "subnet_id": "@aws_subnet.s"}
    disk = {"device_name": "/dev/sdf", "volume_size": 5}
    yield "aws_vpc", "base", {"cidr_block": "10.9.0.0/16", "tags": {"a": "b"}}, [
        {"cidr_block": "10.8.0.0/16"}, {"enable_dns_hostnames": True}, {"enable_dns_support": False},
        {"enable_network_address_usage_metrics": True}, {"instance_tenancy": "dedicated"},
        {"instance_tenancy": "default"}, {"tags": None}, {"tags": {"a": "c"}}, {"tags": {}},
    ]
    yield "aws_subnet", "base", {
        "vpc_id": "@aws_vpc.s", "cidr_block": "10.0.7.0/24", "availability_zone": "eu-central-1a"
    }, [
        {"vpc_id": "@aws_vpc.s2"}, {"cidr_block": "10.0.8.0/24"}, {"availability_zone": "eu-central-1b"},
        {"availability_zone": None, "availability_zone_id": "euc1-az2"}, {"availability_zone": None},
        {"map_public_ip_on_launch": True}, {"enable_dns64": True}, {"ipv6_native": True},
        {"assign_ipv6_address_on_creation": True}, {"private_dns_hostname_type_on_launch": "resource-name"},
        {"enable_resource_name_dns_a_record_on_launch": True},
        {"enable_resource_name_dns_aaaa_record_on_launch": True},
        {"ipv6_cidr_block": "2001:db8:1234:1a00::/64"}, {"tags": {"a": "b"}},
    ]
    yield "aws_internet_gateway", "base", {"tags": {"a": "b"}}, [
        {"vpc_id": "@aws_vpc.s2"}, {"tags": {"a": "c"}},
    ]
    yield "aws_route_table", "base", {
        "vpc_id": "@aws_vpc.s", "route": [{"cidr_block": "0.0.0.0/0", "gateway_id": "@aws_internet_gateway.s"}]
    }, [
        {"vpc_id": "@aws_vpc.s2"}, {"route": []}, {"route": None},
        {"route": [{"cidr_block": "0.0.0.0/0", "network_interface_id": "@aws_network_interface.s"}]},
        {"route": [{"cidr_block": "1.0.0.0/8", "gateway_id": "@aws_internet_gateway.s"}]},
        {"tags": {"a": "b"}},
    ]
    yield "aws_route_table_association", "base", {
        "subnet_id": "@aws_subnet.s", "route_table_id": "@aws_route_table.s"
    }, [
        {"route_table_id": "@aws_route_table.s2"}, {"subnet_id": "@aws_subnet.s2"},
        {"subnet_id": None, "gateway_id": "@aws_internet_gateway.s"},
    ]
    yield "aws_route", "base", {
        "route_table_id": "@aws_route_table.s", "destination_cidr_block": "0.0.0.0/0",
        "gateway_id": "@aws_internet_gateway.s"
    }, [
        {"route_table_id": "@aws_route_table.s2"}, {"destination_cidr_block": "1.0.0.0/8"},
        {"destination_cidr_block": None, "destination_ipv6_cidr_block": "::/0"},
        {"destination_cidr_block": None, "destination_prefix_list_id": "pl-12345678"},
        {"gateway_id": "@aws_internet_gateway.s2"},
        {"gateway_id": None, "network_interface_id": "@aws_network_interface.s"},
        {"gateway_id": None, "nat_gateway_id": "nat-12345678"},
        {"gateway_id": None, "egress_only_gateway_id": "eigw-12345678"},
        {"gateway_id": None, "transit_gateway_id": "tgw-12345678"},
        {"gateway_id": None, "vpc_endpoint_id": "vpce-12345678"},
        {"gateway_id": None, "vpc_peering_connection_id": "pcx-12345678"},
    ]
    yield "aws_nat_gateway", "base", {"subnet_id": "@aws_subnet.s", "connectivity_type": "private"}, [
        {"subnet_id": "@aws_subnet.s2"}, {"connectivity_type": "public", "allocation_id": "@aws_eip.s"},
        {"connectivity_type": None, "allocation_id": "@aws_eip.s"}, {"private_ip": "10.0.0.99"}, {"tags": {"a": "b"}},
    ]
    yield "aws_nat_gateway", "public", {"subnet_id": "@aws_subnet.s", "allocation_id": "@aws_eip.s"}, [
        {"allocation_id": "@aws_eip.s2"},
    ]
    yield "aws_eip", "base", {"domain": "vpc"}, [
        {"instance": "@aws_instance.s"}, {"network_interface": "@aws_network_interface.s"},
        {"network_interface": "@aws_network_interface.s", "associate_with_private_ip": "10.0.0.9"},
        {"domain": "standard"}, {"domain": None}, {"network_border_group": "eu-central-1-ham-1a"},
        {"public_ipv4_pool": "ipv4pool-ec2-1"}, {"tags": {"a": "b"}},
    ]
    yield "aws_eip", "used", {"domain": "vpc", "instance": "@aws_instance.s"}, [
        {"instance": "@aws_instance.s2"}, {"instance": None},
        {"instance": None, "network_interface": "@aws_network_interface.s"},
    ]
    yield "aws_eip_association", "base", {"allocation_id": "@aws_eip.s", "instance_id": "@aws_instance.s"}, [
        {"allocation_id": "@aws_eip.s2"}, {"instance_id": "@aws_instance.s2"}, {"allow_reassociation": True},
        {"instance_id": None, "network_interface_id": "@aws_network_interface.s"},
        {"private_ip_address": "10.0.0.98"}, {"allocation_id": None, "public_ip": "1.2.3.4"},
    ]
    yield "aws_network_interface", "base", {"subnet_id": "@aws_subnet.s", "security_groups": ["@aws_security_group.s"]}, [
        {"subnet_id": "@aws_subnet.s2"}, {"description": "x"}, {"source_dest_check": False},
        {"security_groups": ["@aws_security_group.s2"]}, {"security_groups": None},
        {"private_ips": ["10.0.0.77"]}, {"private_ips_count": 2}, {"interface_type": "efa"},
        {"private_ip": "10.0.0.78"}, {"attachment": [{"instance": "@aws_instance.s", "device_index": 1}]},
        {"tags": {"a": "b"}},
    ]
    yield "aws_network_interface", "ips", {"subnet_id": "@aws_subnet.s", "private_ips": ["10.0.0.50"]}, [
        {"private_ips": ["10.0.0.51"]}, {"private_ips": ["10.0.0.50", "10.0.0.52"]}, {"private_ips": None},
    ]
    web = [rule(80)]
    out = [{"from_port": 0, "to_port": 0, "protocol": "-1", "cidr_blocks": ["0.0.0.0/0"]}]
    yield "aws_security_group", "base", {"vpc_id": "@aws_vpc.s", "name": "base", "ingress": web, "egress": out}, [
        {"vpc_id": "@aws_vpc.s2"}, {"name": "other"}, {"name": None, "name_prefix": "p-"}, {"name": None},
        {"description": "x"}, {"ingress": []}, {"ingress": None}, {"ingress": [rule(81)]}, {"egress": []},
        {"ingress": web + [rule(81)]}, {"revoke_rules_on_delete": True}, {"tags": {"a": "b"}},
    ]
    yield "aws_security_group", "prefix", {"vpc_id": "@aws_vpc.s", "name_prefix": "p-"}, [
        {"name_prefix": "q-"}, {"name_prefix": None, "name": "n"}, {"name_prefix": None},
    ]
    yield "aws_security_group_rule", "base", {
        "security_group_id": "@aws_security_group.s", "type": "ingress", "protocol": "tcp",
        "from_port": 8080, "to_port": 8080, "cidr_blocks": ["10.9.0.0/16"]
    }, [
        {"security_group_id": "@aws_security_group.s2"}, {"type": "egress"}, {"protocol": "udp"},
        {"from_port": 8079}, {"to_port": 8081}, {"cidr_blocks": ["10.8.0.0/16"]}, {"description": "x"},
        {"cidr_blocks": None, "ipv6_cidr_blocks": ["::/0"]}, {"cidr_blocks": None, "self": True},
        {"cidr_blocks": None, "source_security_group_id": "@aws_security_group.s2"}, {"protocol": "6"},
        {"cidr_blocks": None, "prefix_list_ids": ["pl-12345678"]},
    ]
    for kind, port in (("ingress", 443), ("egress", 444)):
        yield f"aws_vpc_security_group_{kind}_rule", "base", {
            "security_group_id": "@aws_security_group.s", "ip_protocol": "tcp",
            "from_port": port, "to_port": port, "cidr_ipv4": "10.7.0.0/16"
        }, [
            {"security_group_id": "@aws_security_group.s2"}, {"ip_protocol": "udp"}, {"from_port": 1}, {"to_port": 500},
            {"cidr_ipv4": "10.6.0.0/16"}, {"cidr_ipv4": None, "cidr_ipv6": "::/0"}, {"description": "x"},
            {"cidr_ipv4": None, "referenced_security_group_id": "@aws_security_group.s2"},
            {"cidr_ipv4": None, "prefix_list_id": "pl-12345678"}, {"tags": {"a": "b"}},
        ]
    yield "aws_key_pair", "base", {"key_name": "base", "public_key": KEY}, [
        {"key_name": "other"}, {"key_name": None, "key_name_prefix": "p-"}, {"key_name": None},
        {"public_key": KEY2}, {"public_key": KEY + "\n"}, {"tags": {"a": "b"}},
    ]
    # Without tags: moto would have them in `tag_specifications` as well.
    template = {"name": "base", "image_id": "ami-12c6146b", "instance_type": "t3.micro"}
    mapping = {"device_name": "/dev/sdf", "ebs": [{"volume_size": 5, "volume_type": "gp3"}]}
    template_changes = [
        {"name": "other"}, {"name": None, "name_prefix": "pre-"}, {"name": None}, {"tags": {"a": "c"}},
        {"image_id": "ami-785db401"}, {"instance_type": "t3.small"}, {"description": "x"},
        {"update_default_version": True}, {"default_version": 1}, {"default_version": 2}, {"key_name": "k"},
        {"disable_api_stop": True}, {"disable_api_termination": True}, {"ebs_optimized": "true"},
        {"ebs_optimized": "perhaps"}, {"instance_initiated_shutdown_behavior": "terminate"},
        {"instance_initiated_shutdown_behavior": "sleep"}, {"kernel_id": "aki-1"}, {"ram_disk_id": "ari-1"},
        {"user_data": "YQ=="}, {"vpc_security_group_ids": ["@aws_security_group.s"]},
        {"security_group_names": ["x"]}, {"block_device_mappings": [mapping]},
        {"network_interfaces": [{"associate_public_ip_address": "true", "device_index": 0}]},
        {"metadata_options": [{"http_tokens": "required"}]}, {"metadata_options": [{"http_tokens": "never"}]},
        {"iam_instance_profile": [{"name": "p"}]}, {"iam_instance_profile": [{"name": "p", "arn": "arn:aws:iam::123456789012:instance-profile/p"}]},
        {"instance_market_options": [{"market_type": "spot", "spot_options": [{"max_price": "0.1"}]}]},
        {"monitoring": [{"enabled": True}]}, {"placement": [{"tenancy": "dedicated"}]},
        {"placement": [{"tenancy": "alone"}]}, {"cpu_options": [{"core_count": 1, "threads_per_core": 1}]},
        {"credit_specification": [{"cpu_credits": "unlimited"}]}, {"enclave_options": [{"enabled": True}]},
        {"hibernation_options": [{"configured": True}]}, {"maintenance_options": [{"auto_recovery": "disabled"}]},
        {"private_dns_name_options": [{"hostname_type": "resource-name"}]},
        {"tag_specifications": [{"resource_type": "instance", "tags": {"a": "b"}}]},
        {"tag_specifications": [{"resource_type": "vpc", "tags": {"a": "b"}}]},
        {"default_version": 1, "update_default_version": True}, {"name_prefix": "pre-"},
    ]
    for part in range(3):
        yield "aws_launch_template", f"part{part}", template | {"name": f"part{part}"}, template_changes[part::3]
    yield "aws_launch_template", "full", {
        "name_prefix": "full-", "image_id": "ami-12c6146b", "user_data": "YQ==", "update_default_version": True,
        "block_device_mappings": [mapping], "monitoring": [{"enabled": True}],
        "metadata_options": [{"http_tokens": "required"}],
    }, [
        {"name_prefix": "more-"}, {"image_id": None}, {"user_data": None}, {"user_data": "Yg=="},
        {"update_default_version": False}, {"update_default_version": None}, {"block_device_mappings": []},
        {"block_device_mappings": [mapping, mapping | {"device_name": "/dev/sdg"}]},
        {"block_device_mappings": [mapping | {"ebs": [{"volume_size": 6, "volume_type": "gp3"}]}]},
        {"monitoring": []}, {"monitoring": [{"enabled": False}]}, {"metadata_options": []},
        {"metadata_options": [{"http_tokens": "optional"}]},
        {"metadata_options": [{"http_tokens": "required", "http_put_response_hop_limit": 2}]},
    ]
    yield "aws_ebs_volume", "base", {"availability_zone": "eu-central-1a", "size": 4, "type": "gp3"}, [
        {"availability_zone": "eu-central-1b"}, {"size": 8}, {"size": 2}, {"type": "gp2"}, {"iops": 4000},
        {"throughput": 200}, {"encrypted": True}, {"encrypted": False}, {"multi_attach_enabled": True},
        {"kms_key_id": "arn:aws:kms:eu-central-1:123456789012:key/1"}, {"snapshot_id": "snap-12345678"},
        {"type": "io2", "iops": 100}, {"tags": {"a": "b"}},
    ]
    yield "aws_volume_attachment", "base", {
        "device_name": "/dev/sdh", "instance_id": "@aws_instance.s", "volume_id": "@aws_ebs_volume.s"
    }, [
        {"device_name": "/dev/sdi"}, {"instance_id": "@aws_instance.s2"}, {"volume_id": "@aws_ebs_volume.s2"},
        {"force_detach": True}, {"skip_destroy": True},
    ]
    yield "aws_placement_group", "base", {"name": "base", "strategy": "cluster"}, [
        {"name": "other"}, {"strategy": "spread"}, {"strategy": "partition", "partition_count": 2},
        {"tags": {"a": "b"}},
    ]
    instance_changes = [
        {"ami": "ami-785db401"}, {"instance_type": "t3.small"}, {"subnet_id": "@aws_subnet.s2"},
        {"availability_zone": "eu-central-1b"}, {"associate_public_ip_address": True}, {"key_name": "k"},
        {"private_ip": "10.0.0.200"}, {"monitoring": True}, {"ebs_optimized": True}, {"tenancy": "dedicated"},
        {"tenancy": "default"}, {"source_dest_check": False}, {"disable_api_stop": True},
        {"disable_api_termination": True}, {"iam_instance_profile": "p"}, {"placement_group": "g"},
        {"placement_group": "g", "placement_partition_number": 2},
        {"instance_initiated_shutdown_behavior": "terminate"}, {"user_data": "#!/bin/sh\n"},
        {"user_data": "#!/bin/sh\n", "user_data_replace_on_change": True}, {"user_data_base64": "YQ=="},
        {"user_data_replace_on_change": True}, {"vpc_security_group_ids": ["@aws_security_group.s2"]},
        {"security_groups": ["x"]}, {"tags": {"a": "c"}}, {"tags": None},
        {"cpu_options": [{"core_count": 1, "threads_per_core": 1}]}, {"cpu_options": [{"amd_sev_snp": "enabled"}]},
        {"instance_market_options": [{"market_type": "spot"}]},
        {"launch_template": [{"id": "lt-12345678", "version": "$Latest"}]},
        {"metadata_options": [{"http_tokens": "required"}]},
        {"metadata_options": [{"http_endpoint": "disabled"}]},
        {"metadata_options": [{"http_put_response_hop_limit": 2}]},
        {"metadata_options": [{"instance_metadata_tags": "enabled"}]},
        {"network_interface": [{"device_index": 0, "network_interface_id": "@aws_network_interface.s"}], "subnet_id": None},
        {"root_block_device": [{"volume_size": 30}]}, {"root_block_device": [{"volume_type": "gp3"}]},
        {"root_block_device": [{"encrypted": True}]}, {"root_block_device": [{"delete_on_termination": False}]},
        {"root_block_device": [{"iops": 4000}]}, {"root_block_device": [{"throughput": 200}]},
        {"root_block_device": [{"kms_key_id": "arn:aws:kms:eu-central-1:123456789012:key/1"}]},
        {"ebs_block_device": [disk]}, {"ebs_block_device": []},
    ]
    full = instance | {"tags": {"a": "b"}, "vpc_security_group_ids": ["@aws_security_group.s"]}
    for part in range(3):
        yield "aws_instance", f"part{part}", full, instance_changes[part::3]
    yield "aws_instance", "data", full | {"user_data": "#!/bin/sh\necho hi\n", "user_data_replace_on_change": True}, [
        {"user_data": "#!/bin/sh\n"}, {"user_data": None}, {"user_data_replace_on_change": False},
    ]
    yield "aws_instance", "disk", full | {
        "ebs_block_device": [disk], "root_block_device": [{"volume_size": 20, "volume_type": "gp3"}]
    }, [
        {"ebs_block_device": [disk | {"volume_size": 6}]}, {"ebs_block_device": [disk | {"volume_type": "gp3"}]},
        {"ebs_block_device": [disk | {"device_name": "/dev/sdg"}]}, {"ebs_block_device": [disk | {"encrypted": True}]},
        {"ebs_block_device": [disk | {"delete_on_termination": False}]},
        {"ebs_block_device": [disk, disk | {"device_name": "/dev/sdg"}]}, {"ebs_block_device": []},
        {"ebs_block_device": None}, {"root_block_device": [{"volume_size": 21, "volume_type": "gp3"}]},
        {"root_block_device": None},
    ]


# moto has none: as AWS would have it.
PLANTED = {
    "aws_placement_group.base": {
        "arn": "arn:aws:ec2:eu-central-1:123456789012:placement-group/base", "id": "base", "name": "base",
        "partition_count": 0, "placement_group_id": "pg-12345678", "spread_level": "", "strategy": "cluster",
        "tags": None, "tags_all": {},
    },
}


def run(*words, check=True):
    done = subprocess.run(["terraform", *words], capture_output=True, text=True)
    if check and done.returncode:
        sys.exit(done.stdout + done.stderr)
    return done


def state():
    with open("terraform.tfstate") as f:
        return json.load(f)


def resolved(value, ids):
    match value:
        case str() if value.startswith("@"):
            return ids[value[1:]]
        case list():
            return [resolved(v, ids) for v in value]
        case dict():
            return {k: resolved(v, ids) for k, v in value.items()}
    return value


# Blocks that the protocol has as attributes: JSON has to say all of one.
ROUTE = """carrier_gateway_id cidr_block core_network_arn destination_prefix_list_id
egress_only_gateway_id gateway_id ipv6_cidr_block local_gateway_id nat_gateway_id
network_interface_id transit_gateway_id vpc_endpoint_id vpc_peering_connection_id""".split()
RULE = """cidr_blocks description from_port ipv6_cidr_blocks prefix_list_ids protocol
security_groups self to_port""".split()
WHOLE = {"route": ROUTE, "ingress": RULE, "egress": RULE}


def write(kind, name, config):
    with open(f"{kind}.{name}.tf.json", "w") as f:
        set_ones = {k: v for k, v in config.items() if v is not None}
        for key in WHOLE.keys() & set_ones.keys():
            empty = dict.fromkeys(WHOLE[key])
            set_ones[key] = [empty | row for row in set_ones[key]]
        json.dump({"resource": {kind: {name: set_ones}}}, f)


def plant():
    """Puts what moto can't make into the state, as if it had been made."""
    whole = state()
    for address, attributes in PLANTED.items():
        kind, name = address.split(".")
        if sys.argv[1:] and kind not in sys.argv[1:]:
            continue
        whole["resources"].append({
            "mode": "managed", "type": kind, "name": name,
            "provider": 'provider["registry.terraform.io/hashicorp/aws"]',
            "instances": [{"schema_version": 0, "attributes": attributes, "sensitive_attributes": []}],
        })
    whole["serial"] += 1
    with open("terraform.tfstate", "w") as f:
        json.dump(whole, f)


def plan(touched):
    """What is planned of each object; those that are refused are put back and it is tried again."""
    refused = set()
    while True:
        done = run("plan", "-refresh=false", "-input=false", "-json", "-out=plan.bin", check=False)
        if done.returncode == 0:
            break
        wrong = set()
        for line in done.stdout.splitlines():
            d = json.loads(line).get("diagnostic", {})
            if d.get("severity") == "error":
                file = d.get("range", {}).get("filename", "").removesuffix(".tf.json")
                wrong.add(d.get("address") or file)
        if not wrong or wrong <= refused:
            sys.exit(done.stdout + done.stderr)
        for address in wrong:
            write(*address.split("."), touched[address][0])
        refused |= wrong
    changes = {c["address"]: c["change"] for c in json.loads(run("show", "-json", "plan.bin").stdout)["resource_changes"]}
    for address, (_, change) in touched.items():
        found = changes[address]
        action = {"no-op": "no-op", "update": "update", "delete create": "replace"}.get(" ".join(found["actions"]), "?")
        paths = sorted({".".join(str(s) for s in p) for p in found.get("replace_paths", [])})
        yield address, change, "refused" if address in refused else " ".join([action, *paths])


def main():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    moto = subprocess.Popen(["moto_server", "-H", "127.0.0.1", "-p", str(port)],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.1)
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            os.environ["CHECKPOINT_DISABLE"] = "1"
            os.environ["TF_CLI_CONFIG_FILE"] = "rc"
            with open("rc", "w") as f:
                f.write(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{PLUGINS}"\n  }}\n}}\n')
            with open("main.tf", "w") as f:
                url = f"http://127.0.0.1:{port}"
                f.write(f"""terraform {{
  required_providers {{
    aws = {{
      source  = "hashicorp/aws"
      version = "5.100.0"
    }}
  }}
}}
provider "aws" {{
  region                      = "eu-central-1"
  access_key                  = "weir"
  secret_key                  = "weir-secret"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  endpoints {{
    ec2 = "{url}"
    sts = "{url}"
  }}
}}
{SUPPORT}""")
            print_all()
    finally:
        moto.kill()


def print_all():
    run("init", "-input=false")
    run("apply", "-auto-approve", "-input=false")
    ids = {f"{r['type']}.{r['name']}": r["instances"][0]["attributes"]["id"] for r in state()["resources"]}
    todo = []
    only = sys.argv[1:]
    for kind, name, config, changes in subjects():
        if only and kind not in only:
            continue
        config = resolved(config, ids)
        todo.append((kind, name, config, [(c, resolved(c, ids)) for c in changes]))
        if f"{kind}.{name}" not in PLANTED:
            write(kind, name, config)
    run("apply", "-auto-approve", "-input=false")
    plant()
    for kind, name, config, _ in todo:
        write(kind, name, config)
    prior = {f"{r['type']}.{r['name']}": r["instances"][0]["attributes"] for r in state()["resources"]}
    said = {}
    for number in range(max(len(changes) for *_, changes in todo)):
        touched = {}
        for kind, name, config, changes in todo:
            change = changes[number][1] if number < len(changes) else None
            write(kind, name, config | (change or {}))
            if change is not None:
                touched[f"{kind}.{name}"] = (config, change)
        for address, change, answer in plan(touched):
            said.setdefault(address, []).append((change, answer))
        print(f"{number + 1} rounds", file=sys.stderr)
    for kind, name, config, _ in todo:
        address = f"{kind}.{name}"
        print("object", kind, name)
        print("config", json.dumps(config, sort_keys=True))
        print("state", json.dumps(prior[address], sort_keys=True))
        for change, answer in said.get(address, []):
            print(" ", json.dumps(change, sort_keys=True), "=>", answer)


main()
