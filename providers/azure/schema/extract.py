#!/usr/bin/env python3
"""Writes terraform.txt and docs.txt: what hashicorp/azurerm says of the types that weir-azure has.

Run by hand when a type is added, with two packages of PyPI unpacked (`pip download --no-deps`,
`unzip`; the archive in the first one's `_jsii` folder too, by `tar xzf`):

    extract.py PATH/TO/package/lib PATH/TO/pulumi_azure PATH/TO/schema

`cdktf-cdktf-provider-azurerm` is generated from the provider's schema: names, types, blocks, what
is required and what only the provider sets. It does not tell an optional attribute that the
provider may fill in from one that it leaves; `pulumi_azure` does, by the types of its outputs, and
its texts, which are the provider's documentation, say defaults and what forces a new resource.
terraform.txt has the schema in the form that weir_provider::declared reads; docs.txt has the rules
that the texts tell. What they do not tell stands in rules.txt, which people write.
"""
import ast
import json
import re
import sys
from pathlib import Path

RESOURCES = {
    "availability_set": "compute/availability_set",
    "linux_virtual_machine": "compute/linux_virtual_machine",
    "managed_disk": "compute/managed_disk",
    "network_interface": "network/network_interface",
    "network_interface_security_group_association": "network/network_interface_security_group_association",
    "network_security_group": "network/network_security_group",
    "network_security_rule": "network/network_security_rule",
    "proximity_placement_group": "proximity/placement_group",
    "public_ip": "network/public_ip",
    "resource_group": "core/resource_group",
    "ssh_public_key": "compute/ssh_public_key",
    "subnet": "network/subnet",
    "subnet_network_security_group_association": "network/subnet_network_security_group_association",
    "virtual_machine_data_disk_attachment": "compute/data_disk_attachment",
    "virtual_network": "network/virtual_network",
}
DATA = ["client_config", "location", "platform_image", "resource_group", "subscription"]
SENSITIVE = {"admin_password", "client_certificate", "client_certificate_password", "client_secret",
             "custom_data", "oidc_request_token", "oidc_token"}
# Where the texts speak of a default that is the API's, of one that depends, or of a change that
# forces a new resource only sometimes.
NO_DEFAULT = {
    "linux_virtual_machine computer_name", "linux_virtual_machine platform_fault_domain",
    "managed_disk tier", "public_ip zones", "network_interface internal_dns_name_label",
    "network_interface ip_configuration.primary", "virtual_network flow_timeout_in_minutes", "linux_virtual_machine patch_assessment_mode",
}
# What the provider fills in of nested blocks: outputs of pulumi_azure do not tell it there.
FILLED = {
    "linux_virtual_machine os_disk.name", "linux_virtual_machine os_disk.disk_size_gb",
    "linux_virtual_machine os_disk.storage_account_type", "network_interface ip_configuration.primary",
    "network_interface ip_configuration.private_ip_address", "subnet delegation.service_delegation.actions",
    "virtual_network dns_servers", "virtual_network address_space", "linux_virtual_machine admin_username",
}
NOT_NEW = {"linux_virtual_machine os_disk.disk_size_gb"}
CDKTF, PULUMI, OUT = (Path(p) for p in sys.argv[1:])
TYPES = {"string": '"string"', "number": '"number"', "boolean": '"bool"'}


def camel(name):
    first, *rest = name.split("_")
    return first + "".join(w[:1].upper() + w[1:] for w in rest)


class Module:
    """What one generated module says."""

    def __init__(self, folder):
        self.js = (CDKTF / folder / "index.js").read_text()
        self.ts = (CDKTF / folder / "index.d.ts").read_text()

    def interface(self, name):
        """Attribute to whether it is required."""
        found = re.search(rf"export interface {name}(?: extends [\w.]+)? {{(.*?)\n}}", self.ts, re.S)
        pairs = re.findall(r"#(\w+) \w+#\w+}.*?\n\s*\*/\s*readonly \w+(\??):", found[1], re.S)
        return {n: not optional for n, optional in pairs}

    def written(self, text):
        """(name, is block, kind, storage) of what can be configured."""
        return re.findall(
            r"\n\s+(\w+): {\s+value: .*?\n\s+isBlock: (\w+),\s+type: \"(\w+)\",\s+storageClassType: \"(\w+)\"", text, re.S)

    def told(self, text):
        """Name to type of what getters give."""
        found = {}
        for way, name in re.findall(r"return this\.get(\w+)Attribute\('(\w+)'\)", text):
            found[name] = {"String": '"string"', "Number": '"number"', "Boolean": '"bool"', "List": '["list","string"]',
                           "StringMap": '["map","string"]', "NumberList": '["list","number"]'}.get(way, '"string"')
        for name in re.findall(r"new cdktf\.StringMap\(this, \"(\w+)\"\)", text):
            found[name] = '["map","string"]'
        for name in re.findall(r"tolist\(this\.get\w+Attribute\('(\w+)'\)\)", text):
            found[name] = '["set","string"]'
        return found

    def of_class(self, name):
        return re.search(rf"\nclass {name} extends .*?\n}}\n", self.js, re.S)[0]

    def complex_flags(self, text):
        """Of blocks: (computed, optional)."""
        found = re.findall(r"// (\w+) - computed: (\w+), optional: (\w+), required: (\w+)", text)
        return {n: (c == "true", o == "true", r == "true") for n, c, o, r in found}


def type_of(kind, storage):
    plain = TYPES.get(storage)
    if plain:
        return plain
    inner = TYPES.get(re.sub(r"(List|Map)$", "", storage), '"string"')
    return f'["{kind}",{inner}]'


class Docs:
    """What the texts say of one type."""

    def __init__(self, file):
        self.file = PULUMI / f"{file}.py" if file else None
        self.classes = {}
        if self.file:
            for path in filter(Path.exists, [self.file, self.file.parent / "_inputs.py"]):
                for node in ast.parse(path.read_text()).body:
                    if isinstance(node, ast.ClassDef):
                        self.classes[node.name] = node
            self.name = "".join(w.capitalize() for w in self.file.stem.split("_"))
            if self.name not in self.classes:
                self.name = next(n for n in self.classes if n.lower() == self.name.lower())

    def properties(self, cls):
        found = {}
        for node in self.classes[cls].body if cls in self.classes else []:
            if isinstance(node, ast.FunctionDef) and node.returns is not None:
                found.setdefault(node.name, (ast.unparse(node.returns), ast.get_docstring(node) or ""))
        return found

    def of(self, cls, name):
        """(may be missing, text) of an attribute; its plural where it has one."""
        all_ = self.properties(cls)
        for way in [name, name + "s", name + "es", re.sub("y$", "ies", name)]:
            if way in all_:
                return all_[way]
        return None


def rules_of(kind, path, text, ty):
    """Lines of docs.txt."""
    if re.search(r"[Cc]hanging this (?:value |field |property )?forces a new|[Cc]hanging this (?:value )?forces (?:a )?(?:new|the)", text) and f"{kind} {path}" not in NOT_NEW:
        yield f"  {path} new"
    default = re.search(r"[Dd]efaults? to `([^`]*)`|[Tt]he default value is `([^`]*)`", text)
    if default and f"{kind} {path}" not in NO_DEFAULT and ty in TYPES.values():
        value = (default[1] or default[2] or "").strip('"')
        value = value.lower() if ty == '"bool"' else json.dumps(value) if ty == '"string"' else value
        yield f"  {path} default {value}"


class Writer:
    def __init__(self):
        self.schema, self.docs = [], []

    def block(self, module, cls, interface, depth, path, docs, kind, filled=False):
        """One body, and what stands in it."""
        pad = "  " * depth
        text = module.of_class(cls)
        if interface.endswith("Config"):
            written = module.written(text[text.index("synthesizeHclAttributes"):])
        else:
            function = interface[:1].lower() + interface[1:] + "ToHclTerraform"
            found = re.search(rf"\nfunction {function}\(.*?\n}}\n", module.js, re.S)
            written = module.written(found[0]) if found else []
        required = module.interface(interface) if f"export interface {interface}" in module.ts else {}
        told, flags = module.told(text), module.complex_flags(text)
        names = {n: (b == "true", k, s) for n, b, k, s in written}
        pulumi = docs.name if depth == 1 and docs.file else f"{docs.name}{''.join(p.capitalize() for w in path.split('.') for p in w.split('_'))}Args" if docs.file else ""
        for name in sorted(set(names) | set(told)):
            way = f"{path}.{name}" if path else name
            said = docs.of(pulumi, name) if docs.file else None
            if name not in names:
                self.schema.append(f"{pad}{name} {told[name]} computed")
                continue
            is_block, how, storage = names[name]
            if storage in TYPES or re.sub(r"(List|Map)$", "", storage) in TYPES:
                ty = type_of(how, storage)
                words = ["required"] if required.get(name) else ["optional"]
                missing = said and "Optional[" in said[0]
                default = said and any(" default " in r for r in rules_of(kind, way, said[1], ty))
                if (name == "id" and not required.get(name)) or filled or f"{kind} {way}" in FILLED or (said and not required.get(name) and not missing and not default and depth == 1):
                    words.append("computed")
                if name in SENSITIVE:
                    words.append("sensitive")
                self.schema.append(" ".join([pad + name, ty, *words]))
                if said:
                    self.docs.extend(rules_of(kind, way, said[1], ty))
                continue
            self.nested(module, (name, how, storage, filled), (required, flags, depth, path), docs, kind, said)
        return

    def nested(self, module, it, around, docs, kind, said):
        name, how, storage, filled = it
        required, flags, depth, path = around
        way = f"{path}.{name}" if path else name
        pad = "  " * depth
        inner = re.sub(r"List$", "", storage)
        is_many = f"class {inner}List extends" in module.js
        low = 1 if required.get(name) else 0
        mode = "single" if name == "timeouts" else how if how in ("list", "set") else "list"
        computed = filled or flags.get(name, (False,))[0]
        self.schema.append(f"{pad}{name} block {mode} {low} {'-' if is_many or mode == 'single' else 1}")
        if computed and depth == 1:
            self.docs.append(f"  {way} provider")
        if said and name != "timeouts":
            self.docs.extend(r for r in rules_of(kind, way, said[1], "block"))
        self.block(module, f"{inner}OutputReference", inner, depth + 1, way, docs, kind, computed)


def main():
    writer = Writer()
    writer.schema.append("provider")
    provider(writer)
    for name, file in sorted(RESOURCES.items()):
        module = Module(name.replace("_", "-"))
        cls = re.search(r"class (\w+) extends cdktf\.TerraformResource", module.js)[1]
        writer.schema.append(f"resource azurerm_{name} 0")
        writer.docs.append(f"azurerm_{name}")
        writer.block(module, cls, f"{cls}Config", 1, "", Docs(file), name)
    for name in DATA:
        module = Module("data-azurerm-" + name.replace("_", "-"))
        cls = re.search(r"class (\w+) extends cdktf\.TerraformDataSource", module.js)[1]
        writer.schema.append(f"data azurerm_{name} 0")
        writer.block(module, cls, f"{cls}Config", 1, "", Docs(None), name)
    head = "# What the documentation of hashicorp/azurerm says of defaults and of what forces a new resource.\n# Written by extract.py.\n"
    (OUT / "terraform.txt").write_text("\n".join(writer.schema) + "\n")
    (OUT / "docs.txt").write_text(head + "\n".join(writer.docs) + "\n")


def provider(writer):
    module = Module("provider")
    text = module.of_class("AzurermProvider")
    required = module.interface("AzurermProviderConfig")
    for name, _, how, storage in sorted(module.written(text[text.index("synthesizeHclAttributes"):])):
        if name in ("alias",):
            continue
        if re.sub(r"(List|Map)$", "", storage) in TYPES:
            secret = " sensitive" if name in SENSITIVE else ""
            writer.schema.append(f"  {name} {type_of(how, storage)} optional{secret}")
        else:
            low = 1 if required.get(name) else 0
            writer.schema.append(f"  {name} block list {low} -")
            features(writer, module, re.sub(r"List$", "", storage), 2)


def features(writer, module, inner, depth):
    function = inner[:1].lower() + inner[1:] + "ToHclTerraform"
    found = re.search(rf"\nfunction {function}\(.*?\n}}\n", module.js, re.S)
    for name, _, how, storage in sorted(module.written(found[0])):
        if re.sub(r"(List|Map)$", "", storage) in TYPES:
            writer.schema.append(f"{'  ' * depth}{name} {type_of(how, storage)} optional")
        else:
            writer.schema.append(f"{'  ' * depth}{name} block list 0 1")
            features(writer, module, re.sub(r"List$", "", storage), depth + 1)


main()
