#!/usr/bin/env python3
"""Writes terraform.txt: what hashicorp/google says of the types that weir-google has.

Terraform's own `providers schema` needs the registry; the same schema is in PyPI's
`cdktf-cdktf-provider-google`, which is generated from it: each attribute with its type, whether it
is computed, optional or required, and whether it is a block. Which of the optional ones the provider
sets too (or has a default for), PyPI's `pulumi_gcp` says. Run by hand when a type is added:

    pip download --no-deps cdktf-cdktf-provider-google==16.12.1
    unzip cdktf_cdktf_provider_google-*.whl && tar xzf cdktf_cdktf_provider_google/_jsii/*.tgz
    pip download --no-deps pulumi_gcp==10.2.0 && unzip pulumi_gcp-*.whl
    .../providers/google/schema/extract.py package/lib pulumi_gcp/compute > .../providers/google/schema/terraform.txt

`weir_provider::declared` says what the lines are. What the generated code does not say is below:
what is sensitive, and which of the provider block's many endpoints are of use.
"""
import re
import sys
from pathlib import Path

RESOURCES = """compute_address compute_attached_disk compute_disk compute_firewall compute_instance
compute_instance_template compute_network compute_router compute_router_nat
compute_subnetwork""".split()
DATA = "compute_image compute_machine_types compute_zones".split()
SENSITIVE = {"access_token", "credentials", "raw_key", "rsa_encrypted_key", "disk_encryption_key_raw"}
# Nested attributes that the provider sets where the configuration does not.
COMPUTED_TOO = {
    f"Compute{path}"
    for path in """InstanceBootDisk.device_name InstanceBootDisk.initialize_params InstanceBootDisk.interface
    InstanceBootDisk.kms_key_self_link InstanceBootDisk.source InstanceBootDisk.guest_os_features
    InstanceBootDiskInitializeParams.image InstanceBootDiskInitializeParams.labels
    InstanceBootDiskInitializeParams.provisioned_iops
    InstanceBootDiskInitializeParams.provisioned_throughput InstanceBootDiskInitializeParams.size
    InstanceBootDiskInitializeParams.type InstanceBootDiskInitializeParams.architecture
    InstanceAttachedDisk.device_name InstanceAttachedDisk.kms_key_self_link
    InstanceScratchDisk.device_name InstanceNetworkInterface.network
    InstanceNetworkInterface.subnetwork InstanceNetworkInterface.subnetwork_project
    InstanceNetworkInterface.network_ip InstanceNetworkInterface.stack_type
    InstanceNetworkInterface.ipv6_address InstanceNetworkInterface.internal_ipv6_prefix_length
    InstanceNetworkInterface.network_attachment
    InstanceNetworkInterfaceAccessConfig.nat_ip InstanceNetworkInterfaceAccessConfig.network_tier
    InstanceNetworkInterfaceIpv6AccessConfig.external_ipv6
    InstanceNetworkInterfaceIpv6AccessConfig.external_ipv6_prefix_length
    InstanceNetworkInterfaceIpv6AccessConfig.name InstanceScheduling.on_host_maintenance
    InstanceScheduling.provisioning_model InstanceTemplateDisk.boot InstanceTemplateDisk.disk_size_gb
    InstanceTemplateDisk.disk_type InstanceTemplateDisk.interface InstanceTemplateDisk.mode
    InstanceTemplateDisk.provisioned_iops InstanceTemplateDisk.provisioned_throughput
    InstanceTemplateDisk.source_image InstanceTemplateDisk.type
    InstanceTemplateNetworkInterface.network InstanceTemplateNetworkInterface.subnetwork
    InstanceTemplateNetworkInterface.subnetwork_project InstanceTemplateNetworkInterface.network_ip
    InstanceTemplateNetworkInterface.stack_type InstanceTemplateNetworkInterface.ipv6_address
    InstanceTemplateNetworkInterface.internal_ipv6_prefix_length
    InstanceTemplateNetworkInterface.network_attachment
    InstanceTemplateNetworkInterfaceAccessConfig.nat_ip
    InstanceTemplateNetworkInterfaceAccessConfig.network_tier
    InstanceTemplateScheduling.on_host_maintenance InstanceTemplateScheduling.provisioning_model
    RouterBgp.identifier_range RouterBgp.keepalive_interval SubnetworkLogConfig.aggregation_interval
    SubnetworkSecondaryIpRange.ip_cidr_range""".split()
} | {
    f"DataGoogleCompute{path}"
    for path in "Image.family Image.name Image.project Zones.project MachineTypes.project".split()
}
# Of nested objects that only the provider sets, the protocol has attributes, not blocks.
SIMPLE = {"String": '"string"', "Number": '"number"', "Boolean": '"bool"'}


class File:
    def __init__(self, path, pulumi):
        text = path.read_text()
        parts = re.split(r"^class (\w+) extends ", text, flags=re.M)
        self.classes = dict(zip(parts[1::2], parts[2::2]))
        self.main = [n for n, body in self.classes.items() if body.startswith("cdktf.Terraform")][0]
        # What Pulumi's own copy of the schema always returns, its optional attributes do not.
        outputs = re.findall(r"def (\w+)\(self\) -> pulumi.Output\[(.*)\]:", pulumi.read_text()) if pulumi else []
        self.provided = {f"{self.main}.{a}" for a, ty in outputs if not ty.startswith("Optional")}
        self.blocks = {}
        for function, body in re.findall(r"^function (\w+)ToHclTerraform\(struct\) \{(.*?)^\}", text, flags=re.M | re.S):
            self.blocks[function[0].upper() + function[1:]] = dict(re.findall(r"^        (\w+): \{\n\s+value: .*\n\s+isBlock: (\w+)", body, flags=re.M))
        main = self.classes[self.main]
        self.blocks[self.main] = dict(re.findall(r"^            (\w+): \{\n\s+value: .*\n\s+isBlock: (\w+)", main, flags=re.M))

    def fields(self, name):
        """Attribute, flags, the class of a nested one, and how it is read."""
        body = self.classes[name]
        seen = set()
        for property, getter in re.findall(r"^    get (\w+)\(\) \{\n(?:.*//.*\n)*\s+return (.*);", body, flags=re.M):
            if property.endswith("Input") or property in ("internalValue", "fqn"):
                continue
            if getter.startswith("this._"):
                nested = re.search(r"this\.%s = new ([\w.]+)\(this, ['\"](\w+)['\"](?:, (\w+))?" % getter[5:], body)
                attribute = nested.group(2)
            else:
                nested = None
                attribute = re.search(r"['\"](\w+)['\"]", getter).group(1)
            if attribute in seen:
                continue
            seen.add(attribute)
            upper = property[0].upper() + property[1:]
            settable = f"get {property}Input()" in body
            optional = f"reset{upper}()" in body
            path = f"{name.removesuffix('OutputReference')}.{attribute}"
            flags = ["optional" if optional else "required"] if settable else ["computed"]
            if settable and optional and (path in COMPUTED_TOO or path in self.provided):
                flags.append("computed")
            if nested:
                # `this._x = new Y(this, "x", true)`: the third says that it is a set.
                nested = re.match(r"([\w.]+)(?:, (\w+))?", f"{nested.group(1)}, {nested.group(3)}")
            yield attribute, flags, nested, getter

    def block(self, name, depth, out):
        pad = "  " * depth
        nested_later = []
        plain = []
        for attribute, flags, nested, getter in self.fields(name):
            base = re.sub(r"OutputReference$", "", name)
            if nested and self.blocks.get(base, {}).get(attribute) == "true":
                nested_later.append((attribute, flags, nested))
            else:
                plain.append((attribute, flags + (["sensitive"] if attribute in SENSITIVE else []), self.type_of(nested, getter)))
        for attribute, flags, ty in sorted(plain):
            out.append(" ".join([pad + attribute, ty, *flags]))
        for attribute, flags, nested in sorted(nested_later, key=lambda b: b[0]):
            kind, least = nested.group(1), int("required" in flags)
            if attribute == "timeouts":
                out.append(f"{pad}{attribute} block single 0 -")
                inner = kind
            elif kind.endswith("OutputReference"):
                out.append(f"{pad}{attribute} block list {least} 1")
                inner = kind
            else:
                nesting = "set" if nested.group(2) == "true" else "list"
                out.append(f"{pad}{attribute} block {nesting} {least} -")
                inner = re.sub(r"List$", "OutputReference", kind)
            self.block(inner, depth + 1, out)

    def type_of(self, nested, getter):
        if nested:
            name = nested.group(1)
            if name == "cdktf.StringMap":
                return '["map","string"]'
            inner = name if name.endswith("OutputReference") else re.sub(r"List$", "OutputReference", name)
            fields = ",".join(f'"{a}":{self.type_of(n, g)}' for a, _, n, g in sorted(self.fields(inner), key=lambda f: f[0]))
            around = "set" if nested.group(2) == "true" else "list"
            return '["%s",["object",{%s}]]' % (around, fields)
        is_set = "tolist(" in getter
        for what, ty in SIMPLE.items():
            if f"get{what}Attribute(" in getter:
                return ty
            if f"get{what}MapAttribute(" in getter:
                return f'["map",{ty}]'
            if f"get{what}ListAttribute(" in getter:
                return f'["{"set" if is_set else "list"}",{ty}]'
        if "getListAttribute(" in getter:
            return '["%s","string"]' % ("set" if is_set else "list")
        if "Map(this," in getter or "interpolationForAttribute" in getter:
            return '["map","string"]'
        if getter.startswith("this._"):
            return None
        raise SystemExit(f"what is {getter}")


def provider(path):
    """The provider block's attributes are plain fields: name and type from their conversion."""
    text = path.read_text()
    main = re.search(r"^    synthesizeHclAttributes\(\) \{(.*?)^    \}", text, flags=re.M | re.S).group(1)
    types = {"string": '"string"', "boolean": '"bool"', "number": '"number"', "stringList": '["list","string"]', "stringMap": '["map","string"]'}
    for name, block, ty in re.findall(r"^            (\w+): \{\n\s+value: .*\n\s+isBlock: (\w+),\n\s+type: \"\w+\",\n\s+storageClassType: \"(\w+)\"", main, flags=re.M):
        if name == "alias" or name.endswith("_custom_endpoint") and name != "compute_custom_endpoint":
            continue
        if block == "false":
            print(" ".join(["  " + name, types[ty], "optional"] + (["sensitive"] if name in SENSITIVE else [])))
    print("  batching block list 0 1")
    print('    enable_batching "bool" optional')
    print('    send_after "string" optional')
    print("  external_credentials block list 0 1")
    print('    audience "string" required')
    print('    identity_token "string" required sensitive')
    print('    service_account_email "string" required')


library, pulumi = Path(sys.argv[1]), Path(sys.argv[2])
print("provider")
provider(library / "provider" / "index.js")
VERSIONS = {"compute_instance": 6, "compute_instance_template": 1, "compute_disk": 0, "compute_firewall": 1}
for kind, names, prefix in [("resource", RESOURCES, ""), ("data", DATA, "data-google-")]:
    for name in names:
        file = File(library / (prefix + name.replace("_", "-")) / "index.js", pulumi / f"{name.removeprefix('compute_')}.py" if kind == "resource" else None)
        print(kind, "google_" + name, VERSIONS.get(name, 0) if kind == "resource" else 0)
        out = []
        file.block(file.main, 1, out)
        print("\n".join(out))
