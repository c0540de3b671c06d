"""Drives the fake of Azure by Microsoft's own clients: the whole life of each kind of resource.

    client.py http://127.0.0.1:PORT
"""
import json
import sys
import urllib.request

from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.network import NetworkManagementClient
from azure.mgmt.resource.resources import ResourceManagementClient

AT = sys.argv[1]
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK0wmN/Cr3JXqmLW7u+g9pTh+wyqDHpSQEIQczXkVx9q weir"
CHECKS = []


class Token(SansIOHTTPPolicy):
    """The bearer's token, without TLS."""

    def on_request(self, request):
        request.http_request.headers["Authorization"] = "Bearer weir"


class NoCredential:
    def get_token(self, *_, **__):
        raise AssertionError("the policy above has the token")


def client(kind):
    return kind(
        NoCredential(), SUBSCRIPTION, base_url=AT, credential_scopes=["x"],
        authentication_policy=Token(), polling_interval=0.05, retry_backoff_factor=0.01,
    )


compute, network, resource = (client(k) for k in (ComputeManagementClient, NetworkManagementClient, ResourceManagementClient))


def control(path, body=None, method=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(AT + path, data=data, method=method)
    with urllib.request.urlopen(request) as answer:
        text = answer.read()
        return json.loads(text) if text else None


def same(what, is_, wanted):
    assert is_ == wanted, f"{what}: {is_!r} is not {wanted!r}"
    CHECKS.append(what)


def refused(what, code, call):
    try:
        answer = call()
        if hasattr(answer, "result"):
            answer.result()
    except HttpResponseError as e:
        found = e.error.code if e.error else None
        if found is None and e.response is not None:
            found = json.loads(e.response.text())["error"]["code"]
        same(f"{what} is refused", found, code)
        return
    raise AssertionError(f"{what}: was not refused with {code}")


def gone(what, call):
    try:
        call()
    except ResourceNotFoundError:
        CHECKS.append(f"{what} is gone")
        return
    raise AssertionError(f"{what} is still there")


G, L = "lab", "westeurope"


def groups():
    made = resource.resource_groups.create_or_update(G, {"location": "West Europe", "tags": {"a": "1"}})
    same("group's location", made.location, L)
    same("group is there", resource.resource_groups.check_existence(G), True)
    same("group is not there", resource.resource_groups.check_existence("none"), False)
    same("group's tags", resource.resource_groups.update(G, {"tags": {"b": "2"}}).tags, {"b": "2"})
    refused("a group elsewhere", "InvalidResourceGroupLocation",
            lambda: resource.resource_groups.create_or_update(G, {"location": "eastus"}))
    refused("a group nowhere", "LocationNotAvailableForResourceGroup",
            lambda: resource.resource_groups.create_or_update("x", {"location": "atlantis"}))
    same("groups are listed", [g.name for g in resource.resource_groups.list()], [G])


def networks():
    v, s = network.virtual_networks, network.subnets
    space = {"address_prefixes": ["10.0.0.0/16"]}
    made = v.begin_create_or_update(G, "net", {"location": L, "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}}).result()
    same("network", made.properties.provisioning_state, "Succeeded")
    same("its space", made.properties.address_space.address_prefixes, space["address_prefixes"])
    refused("a bad range", "InvalidCIDRNotation",
            lambda: v.begin_create_or_update(G, "bad", {"location": L, "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.1/16"]}}}))
    refused("an unknown place", "LocationNotAvailableForResourceType",
            lambda: v.begin_create_or_update(G, "bad", {"location": "atlantis", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}}))
    refused("an unknown group", "ResourceGroupNotFound",
            lambda: v.begin_create_or_update("none", "bad", {"location": L, "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}}))
    subnet = s.begin_create_or_update(G, "net", "a", {"properties": {"addressPrefix": "10.0.1.0/24"}}).result()
    same("subnet", subnet.properties.address_prefix, "10.0.1.0/24")
    refused("a subnet outside", "NetcfgInvalidSubnet",
            lambda: s.begin_create_or_update(G, "net", "b", {"properties": {"addressPrefix": "10.1.1.0/24"}}))
    refused("subnets that overlap", "NetcfgSubnetRangesOverlap",
            lambda: s.begin_create_or_update(G, "net", "b", {"properties": {"addressPrefix": "10.0.1.128/25"}}))
    control("/_pace", {"slow_ms": 1000})
    first = s.begin_create_or_update(G, "net", "b", {"properties": {"addressPrefix": "10.0.2.0/24"}})
    refused("two at once", "AnotherOperationInProgress",
            lambda: s.begin_create_or_update(G, "net", "c", {"properties": {"addressPrefix": "10.0.3.0/24"}}))
    control("/_pace", {"slow_ms": 30})
    first.result()
    s.begin_delete(G, "net", "b").result()
    gone("subnet", lambda: s.get(G, "net", "b"))
    same("tags", v.update_tags(G, "net", {"tags": {"x": "y"}}).tags, {"x": "y"})
    same("subnets stay", [x.name for x in v.get(G, "net").properties.subnets], ["a"])
    for i in range(45):
        resource.resource_groups.create_or_update(f"many{i}", {"location": L})
    same("pages", len(list(resource.resource_groups.list())), 46)


def rule(priority, **more):
    return {"properties": {"priority": priority, "direction": "Inbound", "access": "Allow", "protocol": "Tcp",
                           "sourcePortRange": "*", "destinationPortRange": "22", "sourceAddressPrefix": "*",
                           "destinationAddressPrefix": "*", **more}}


def security():
    n, r = network.network_security_groups, network.security_rules
    n.begin_create_or_update(G, "sec", {"location": L, "properties": {"securityRules": [{"name": "ssh", **rule(100)}]}}).result()
    same("rules", [x.name for x in n.get(G, "sec").properties.security_rules], ["ssh"])
    same("built in rules", len(n.get(G, "sec").properties.default_security_rules), 6)
    r.begin_create_or_update(G, "sec", "web", rule(110, destinationPortRange="80-90")).result()
    refused("the same priority", "SecurityRuleConflict", lambda: r.begin_create_or_update(G, "sec", "x", rule(100)))
    refused("a priority too low", "SecurityRuleInvalidPriority", lambda: r.begin_create_or_update(G, "sec", "x", rule(99)))
    refused("a bad port", "SecurityRuleInvalidPortRange",
            lambda: r.begin_create_or_update(G, "sec", "x", rule(120, destinationPortRange="70000")))
    r.begin_delete(G, "sec", "web").result()
    gone("rule", lambda: r.get(G, "sec", "web"))
    subnet = network.subnets.get(G, "net", "a")
    body = {"properties": {"addressPrefix": "10.0.1.0/24", "networkSecurityGroup": {"id": n.get(G, "sec").id}}}
    network.subnets.begin_create_or_update(G, "net", "a", body).result()
    refused("a group that guards", "InUseNetworkSecurityGroupCannotBeDeleted", lambda: n.begin_delete(G, "sec"))
    same("what it guards", [s.id for s in n.get(G, "sec").properties.subnets], [subnet.id])


def addresses():
    p = network.public_ip_addresses
    body = {"location": L, "sku": {"name": "Standard"}, "zones": ["1", "2", "3"],
            "properties": {"publicIPAllocationMethod": "Static", "dnsSettings": {"domainNameLabel": "weir-lab"}}}
    made = p.begin_create_or_update(G, "ip", body).result()
    assert made.properties.ip_address, "a static address is known at once"
    same("its name", made.properties.dns_settings.fqdn, "weir-lab.westeurope.cloudapp.azure.com")
    refused("a standard one that is dynamic", "PublicIPAddressStandardSkuMustBeStatic",
            lambda: p.begin_create_or_update(G, "x", {"location": L, "sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Dynamic"}}))
    refused("another SKU", "PropertyChangeNotAllowed", lambda: p.begin_create_or_update(G, "ip", {**body, "sku": {"name": "Basic"}}))
    refused("another's label", "DnsRecordInUse", lambda: p.begin_create_or_update(G, "x", body))
    refused("a zone that is not there", "InvalidAvailabilityZone", lambda: p.begin_create_or_update(G, "x", {**body, "zones": ["4"]}))


def interfaces():
    n = network.network_interfaces
    subnet, ip = network.subnets.get(G, "net", "a").id, network.public_ip_addresses.get(G, "ip").id

    def body(**more):
        return {"location": L, "properties": {"ipConfigurations": [{"name": "main", "properties": {"subnet": {"id": subnet}, **more}}]}}
    made = n.begin_create_or_update(G, "nic", body(publicIPAddress={"id": ip})).result()
    same("its address", made.properties.ip_configurations[0].properties.private_ip_address, "10.0.1.4")
    refused("no such subnet", "InvalidResourceReference", lambda: n.begin_create_or_update(G, "x", body(subnet={"id": subnet + "x"})))
    refused("an address outside", "PrivateIPAddressNotInSubnet",
            lambda: n.begin_create_or_update(G, "x", body(privateIPAllocationMethod="Static", privateIPAddress="10.0.9.9")))
    refused("an address that is taken", "PrivateIPAddressInUse",
            lambda: n.begin_create_or_update(G, "x", body(privateIPAllocationMethod="Static", privateIPAddress="10.0.1.4")))
    refused("a public address that is taken", "PublicIPAddressInUse", lambda: n.begin_create_or_update(G, "x", body(publicIPAddress={"id": ip})))
    refused("a subnet in use", "InUseSubnetCannotBeDeleted", lambda: network.subnets.begin_delete(G, "net", "a"))
    refused("a network in use", "InUseSubnetCannotBeDeleted", lambda: network.virtual_networks.begin_delete(G, "net"))
    refused("an address in use", "PublicIPAddressCannotBeDeleted", lambda: network.public_ip_addresses.begin_delete(G, "ip"))


def small():
    s, a, p = compute.ssh_public_keys, compute.availability_sets, compute.proximity_placement_groups
    same("key", s.create(G, "key", {"location": L, "properties": {"publicKey": KEY}}).properties.public_key, KEY)
    refused("a bad key", "InvalidParameter", lambda: s.create(G, "x", {"location": L, "properties": {"publicKey": "ssh-rsa AAAA"}}))
    same("key pair", s.generate_key_pair(G, "key").public_key.split()[0], "ssh-ed25519")
    group = p.create_or_update(G, "near", {"location": L, "properties": {}})
    same("placement", group.properties.proximity_placement_group_type, "Standard")
    body = {"location": L, "sku": {"name": "Aligned"}, "properties": {"platformFaultDomainCount": 2, "proximityPlacementGroup": {"id": group.id}}}
    same("set", a.create_or_update(G, "set", body).properties.platform_update_domain_count, 5)
    refused("too many fault domains", "InvalidParameter",
            lambda: a.create_or_update(G, "x", {"location": L, "properties": {"platformFaultDomainCount": 9}}))
    s.delete(G, "key")
    a.delete(G, "set")
    p.delete(G, "near")
    gone("key", lambda: s.get(G, "key"))


def machine(nic, size="Standard_B1s", **more):
    return {"location": L, "tags": {"role": "web"}, "properties": {
        "hardwareProfile": {"vmSize": size},
        "storageProfile": {
            "imageReference": {"publisher": "Debian", "offer": "debian-12", "sku": "12-gen2", "version": "latest"},
            "osDisk": {"name": f"{nic}-os", "createOption": "FromImage", "deleteOption": "Delete", "managedDisk": {"storageAccountType": "Standard_LRS"}}},
        "osProfile": {"computerName": "web", "adminUsername": "weir", "customData": "I2Nsb3VkLWNvbmZpZwo=",
                      "linuxConfiguration": {"disablePasswordAuthentication": True, "ssh": {"publicKeys": [{"path": "/home/weir/.ssh/authorized_keys", "keyData": KEY}]}}},
        "networkProfile": {"networkInterfaces": [{"id": network.network_interfaces.get(G, "nic").id, "properties": {"primary": True}}]},
        **more}}


def machines():
    m, d = compute.virtual_machines, compute.disks
    control("/_pace", {"slow_ms": 1500})
    running = m.begin_create_or_update(G, "vm", machine("nic"))
    control("/_pace", {"slow_ms": 30})
    same("it is being made", m.get(G, "vm").properties.provisioning_state, "Creating")
    same("it does not run yet", control("/_machines"), [])
    made = running.result()
    same("machine", made.properties.provisioning_state, "Succeeded")
    same("no secret is told", made.properties.os_profile.custom_data, None)
    same("version", made.properties.storage_profile.image_reference.exact_version, "0.20250814.2204")
    codes = [s.code for s in m.instance_view(G, "vm").statuses]
    same("it runs", codes, ["ProvisioningState/succeeded", "PowerState/running"])
    [shown] = control("/_machines")
    same("its address for all", shown["public_address"], network.public_ip_addresses.get(G, "ip").properties.ip_address)
    same("its keys", shown["ssh_keys"], [{"user": "weir", "key": KEY}])
    same("its data", shown["user_data"], "#cloud-config\n")
    refused("another user", "PropertyChangeNotAllowed", lambda: m.begin_create_or_update(
        G, "vm", machine("nic", osProfile={"computerName": "web", "adminUsername": "other"})))
    refused("a size that is none", "InvalidParameter", lambda: m.begin_create_or_update(G, "vm", machine("nic", size="Standard_X1")))
    refused("an image that is none", "PlatformImageNotFound", lambda: m.begin_create_or_update(G, "vm2", machine(
        "x", storageProfile={"imageReference": {"publisher": "Debian", "offer": "debian-99", "sku": "99", "version": "latest"}, "osDisk": {"createOption": "FromImage"}})))
    refused("an interface in use", "NicInUse", lambda: network.network_interfaces.begin_delete(G, "nic"))
    refused("a disk in use", "OperationNotAllowed", lambda: d.begin_delete(G, "nic-os"))
    disk = d.begin_create_or_update(G, "data", {"location": L, "sku": {"name": "Standard_LRS"}, "properties": {"creationData": {"createOption": "Empty"}, "diskSizeGB": 8}}).result()
    same("disk", disk.properties.disk_state, "Unattached")
    refused("a smaller disk", "OperationNotAllowed", lambda: d.begin_update(G, "data", {"properties": {"diskSizeGB": 4}}))
    same("a larger disk", d.begin_update(G, "data", {"properties": {"diskSizeGB": 16}}).result().properties.disk_size_gb, 16)
    body = m.get(G, "vm")
    body.properties.storage_profile.data_disks = [{"lun": 0, "createOption": "Attach", "managedDisk": {"id": disk.id}}]
    m.begin_create_or_update(G, "vm", body).result()
    same("it is attached", d.get(G, "data").properties.disk_state, "Attached")
    refused("a disk that is attached", "OperationNotAllowed", lambda: d.begin_delete(G, "data"))
    m.begin_update(G, "vm", {"properties": {"hardwareProfile": {"vmSize": "Standard_B2s"}}}).result()
    same("another size", m.get(G, "vm").properties.hardware_profile.vm_size, "Standard_B2s")
    m.begin_deallocate(G, "vm").result()
    same("it stands", control("/_machines"), [])
    same("it is there", [m["power"] for m in control("/_machines?all=true")], ["stopped"])
    m.begin_start(G, "vm").result()
    same("it runs again", len(control("/_machines")), 1)
    same("machines", [x.name for x in m.list(G)], ["vm"])
    same("all machines", [x.name for x in m.list_all()], ["vm"])
    m.begin_delete(G, "vm").result()
    gone("machine", lambda: m.get(G, "vm"))
    gone("its disk", lambda: d.get(G, "nic-os"))
    same("its data stay", d.get(G, "data").properties.disk_state, "Unattached")
    d.begin_delete(G, "data").result()


def trouble():
    m = compute.virtual_machines
    control("/_faults", {"operation": "VirtualMachines_CreateOrUpdate", "answer": "capacity"})
    refused("no capacity", "AllocationFailed", lambda: m.begin_create_or_update(G, "full", machine("full")))
    same("what is left", m.get(G, "full").properties.provisioning_state, "Failed")
    m.begin_delete(G, "full").result()
    control("/_faults", {"operation": "VirtualMachines_CreateOrUpdate", "answer": "quota"})
    refused("no quota", "OperationNotAllowed", lambda: m.begin_create_or_update(G, "full", machine("full")))
    refused("a size that is short", "SkuNotAvailable", lambda: m.begin_create_or_update(G, "gpu", {**machine("gpu", size="Standard_NC24ads_A100_v4"), "location": "uksouth"}))
    control("/_faults", {"operation": "ResourceGroups_Get", "answer": "throttle"})
    same("throttled once", resource.resource_groups.get(G).name, G)
    asked = [r for r in control("/_requests") if r["operation"] == "ResourceGroups_Get"]
    same("statuses", [r["status"] for r in asked[-2:]], [429, 200])
    control("/_pace", {"blind_ms": 300})
    resource.resource_groups.create_or_update("new", {"location": L})
    gone("what is new", lambda: resource.resource_groups.get("new"))
    control("/_pace", {"blind_ms": 0})
    same("what was new", resource.resource_groups.get("new").name, "new")


def catalogues():
    images = compute.virtual_machine_images
    same("publishers", "Canonical" in [p.name for p in images.list_publishers(L)], True)
    same("offers", [o.name for o in images.list_offers(L, "Debian")], ["debian-12", "debian-13"])
    same("versions", [v.name for v in images.list(L, "Debian", "debian-12", "12-gen2", top=1, orderby="name desc")], ["0.20250814.2204"])
    same("image", images.get(L, "Debian", "debian-12", "12-gen2", "0.20250814.2204").properties.architecture, "x64")
    same("sizes", "Standard_B1s" in [s.name for s in compute.virtual_machine_sizes.list(L)], True)
    same("skus", len(list(compute.resource_skus.list(filter=f"location eq '{L}'"))), 12)
    same("usage", [u.limit for u in compute.usage.list(L)][0], 200)


def ends():
    network.network_interfaces.begin_delete(G, "nic").result()
    network.public_ip_addresses.begin_delete(G, "ip").result()
    resource.resource_groups.begin_delete(G).result()
    gone("group", lambda: resource.resource_groups.get(G))
    refused("what was in it", "ResourceGroupNotFound", lambda: network.virtual_networks.get(G, "net"))


for part in (groups, networks, security, addresses, interfaces, small, machines, trouble, catalogues, ends):
    part()
assert not [r for r in control("/_requests") if r["path"].startswith("/_")]
print(f"{len(CHECKS)} checks")
