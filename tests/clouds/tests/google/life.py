"""Drives the fake of Google Compute by Google's own client: the whole life of each resource.

Run by tests/google/main.rs as `life.py ENDPOINT`. Prints one line for each thing that held; the
first that does not ends it.
"""
import json
import sys
import uuid

from google.auth.credentials import AnonymousCredentials
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

ENDPOINT, PROJECT, REGION, ZONE = sys.argv[1], "weir", "europe-west1", "europe-west1-b"
api = build("compute", "v1", credentials=AnonymousCredentials(), static_discovery=True,
            client_options={"api_endpoint": ENDPOINT + "/compute/v1/"})
GLOBAL, IN_REGION, IN_ZONE = {"project": PROJECT}, {"project": PROJECT, "region": REGION}, {"project": PROJECT, "zone": ZONE}


def done(operation):
    """Waits for an operation, by the method that waits."""
    at = {"project": PROJECT, "operation": operation["name"]}
    if "zone" in operation:
        waiting = api.zoneOperations().wait(zone=ZONE, **at)
    elif "region" in operation:
        waiting = api.regionOperations().wait(region=REGION, **at)
    else:
        waiting = api.globalOperations().wait(**at)
    ended = waiting.execute()
    assert ended["status"] == "DONE", ended
    return ended


def do(call):
    ended = done(call.execute())
    assert "error" not in ended, ended["error"]
    return ended


def refused(call, status, reason):
    try:
        call.execute()
    except HttpError as e:
        detail = json.loads(e.content)["error"]
        assert (detail["code"], detail["errors"][0]["reason"]) == (status, reason), detail
        return detail["message"]
    raise AssertionError(f"not refused with {status} {reason}")


def held(text):
    print("held:", text, flush=True)


# ---- networks
n = api.networks()
do(n.insert(body={"name": "net", "autoCreateSubnetworks": False}, **GLOBAL))
refused(n.insert(body={"name": "net"}, **GLOBAL), 409, "alreadyExists")
refused(n.insert(body={"name": "Net"}, **GLOBAL), 400, "invalid")
net = n.get(network="net", **GLOBAL).execute()
assert net["routingConfig"]["routingMode"] == "REGIONAL" and net["mtu"] == 1460, net
do(n.patch(network="net", body={"routingConfig": {"routingMode": "GLOBAL"}}, **GLOBAL))
assert n.get(network="net", **GLOBAL).execute()["routingConfig"]["routingMode"] == "GLOBAL"
do(n.insert(body={"name": "auto"}, **GLOBAL))
assert len(n.get(network="auto", **GLOBAL).execute()["subnetworks"]) == 7
do(n.delete(network="auto", **GLOBAL))
refused(n.get(network="auto", **GLOBAL), 404, "notFound")
held("networks")

# ---- subnetworks
s = api.subnetworks()
body = {"name": "sub", "network": "global/networks/net", "ipCidrRange": "10.1.0.0/24",
        "secondaryIpRanges": [{"rangeName": "pods", "ipCidrRange": "10.2.0.0/16"}]}
do(s.insert(body=body, **IN_REGION))
refused(s.insert(body=dict(body, name="twin"), **IN_REGION), 400, "invalid")
refused(s.insert(body=dict(body, name="x", network="global/networks/none"), **IN_REGION), 400, "invalid")
sub = s.get(subnetwork="sub", **IN_REGION).execute()
assert sub["gatewayAddress"] == "10.1.0.1" and sub["network"].endswith("/global/networks/net"), sub
refused(s.patch(subnetwork="sub", body={"logConfig": {"enable": True}, "fingerprint": "AAAA"}, **IN_REGION), 412, "conditionNotMet")
do(s.patch(subnetwork="sub", body={"logConfig": {"enable": True}, "fingerprint": sub["fingerprint"]}, **IN_REGION))
do(s.setPrivateIpGoogleAccess(subnetwork="sub", body={"privateIpGoogleAccess": True}, **IN_REGION))
do(s.expandIpCidrRange(subnetwork="sub", body={"ipCidrRange": "10.1.0.0/20"}, **IN_REGION))
sub = s.get(subnetwork="sub", **IN_REGION).execute()
assert sub["privateIpGoogleAccess"] and sub["ipCidrRange"] == "10.1.0.0/20" and sub["logConfig"]["flowSampling"] == 0.5, sub
message = refused(n.delete(network="net", **GLOBAL), 400, "resourceInUseByAnotherResource")
assert "subnetworks/sub" in message, message
held("subnetworks")

# ---- firewalls
f = api.firewalls()
do(f.insert(body={"name": "ssh", "network": net["selfLink"], "allowed": [{"IPProtocol": "tcp", "ports": ["22"]}]}, **GLOBAL))
rule = f.get(firewall="ssh", **GLOBAL).execute()
assert rule["sourceRanges"] == ["0.0.0.0/0"] and rule["priority"] == 1000, rule
refused(f.insert(body={"name": "none", "network": net["selfLink"]}, **GLOBAL), 400, "invalid")
do(f.patch(firewall="ssh", body={"name": "ssh", "disabled": True}, **GLOBAL))
do(f.update(firewall="ssh", body={"name": "ssh", "network": net["selfLink"], "allowed": [{"IPProtocol": "icmp"}], "sourceRanges": ["10.0.0.0/8"]}, **GLOBAL))
rule = f.get(firewall="ssh", **GLOBAL).execute()
assert rule["disabled"] is False and rule["sourceRanges"] == ["10.0.0.0/8"], rule
held("firewalls")

# ---- addresses
a = api.addresses()
do(a.insert(body={"name": "ip"}, **IN_REGION))
do(a.insert(body={"name": "inside", "addressType": "INTERNAL", "subnetwork": sub["selfLink"], "address": "10.1.0.9"}, **IN_REGION))
refused(a.insert(body={"name": "again", "addressType": "INTERNAL", "subnetwork": sub["selfLink"], "address": "10.1.0.9"}, **IN_REGION), 400, "resourceInUseByAnotherResource")
ip = a.get(address="ip", **IN_REGION).execute()
assert ip["status"] == "RESERVED" and ip["address"], ip
do(a.setLabels(resource="ip", body={"labels": {"a": "b"}, "labelFingerprint": ip["labelFingerprint"]}, **IN_REGION))
held("addresses")

# ---- disks
d = api.disks()
do(d.insert(body={"name": "data", "sizeGb": "20", "type": f"zones/{ZONE}/diskTypes/pd-ssd"}, **IN_ZONE))
refused(d.insert(body={"name": "bad", "type": f"zones/{ZONE}/diskTypes/floppy"}, **IN_ZONE), 400, "invalid")
refused(d.insert(body={"name": "bad", "sourceImage": "projects/debian-cloud/global/images/family/debian-99"}, **IN_ZONE), 404, "notFound")
do(d.resize(disk="data", body={"sizeGb": "30"}, **IN_ZONE))
refused(d.resize(disk="data", body={"sizeGb": "10"}, **IN_ZONE), 400, "invalid")
disk = d.get(disk="data", **IN_ZONE).execute()
assert disk["sizeGb"] == "30", disk
do(d.setLabels(resource="data", body={"labels": {"a": "b"}, "labelFingerprint": disk["labelFingerprint"]}, **IN_ZONE))
held("disks")

# ---- instances
i = api.instances()
body = {
    "name": "vm", "machineType": f"zones/{ZONE}/machineTypes/e2-medium",
    "disks": [{"boot": True, "autoDelete": True, "initializeParams": {"sourceImage": "projects/debian-cloud/global/images/family/debian-12"}}],
    "networkInterfaces": [{"subnetwork": sub["selfLink"], "accessConfigs": [{"type": "ONE_TO_ONE_NAT", "natIP": ip["address"]}]}],
    "metadata": {"items": [{"key": "ssh-keys", "value": "weir:ssh-ed25519 AAAA weir"}, {"key": "user-data", "value": "#cloud-config"}]},
}
refused(i.insert(body=dict(body, machineType=f"zones/{ZONE}/machineTypes/huge"), **IN_ZONE), 400, "invalid")
refused(i.insert(body=dict(body, disks=[]), **IN_ZONE), 400, "invalid")
begun = i.insert(body=body, **IN_ZONE).execute()
assert i.get(instance="vm", **IN_ZONE).execute()["status"] == "PROVISIONING"
refused(i.delete(instance="vm", **IN_ZONE), 400, "resourceNotReady")
done(begun)
vm = i.get(instance="vm", **IN_ZONE).execute()
assert vm["status"] == "RUNNING" and vm["networkInterfaces"][0]["networkIP"].startswith("10.1."), vm
assert vm["networkInterfaces"][0]["accessConfigs"][0]["natIP"] == ip["address"]
assert a.get(address="ip", **IN_REGION).execute()["status"] == "IN_USE"
refused(a.delete(address="ip", **IN_REGION), 400, "resourceInUseByAnotherResource")
do(i.attachDisk(instance="vm", body={"source": disk["selfLink"], "deviceName": "data"}, **IN_ZONE))
assert d.get(disk="data", **IN_ZONE).execute()["users"] == [vm["selfLink"]]
refused(d.delete(disk="data", **IN_ZONE), 400, "resourceInUseByAnotherResource")
do(i.detachDisk(instance="vm", deviceName="data", **IN_ZONE))
refused(i.setLabels(instance="vm", body={"labels": {}, "labelFingerprint": "AAAA"}, **IN_ZONE), 412, "conditionNotMet")
do(i.setLabels(instance="vm", body={"labels": {"k": "v"}, "labelFingerprint": vm["labelFingerprint"]}, **IN_ZONE))
do(i.setMetadata(instance="vm", body={"items": [], "fingerprint": vm["metadata"]["fingerprint"]}, **IN_ZONE))
do(i.setTags(instance="vm", body={"items": ["web"], "fingerprint": vm["tags"]["fingerprint"]}, **IN_ZONE))
refused(i.setMachineType(instance="vm", body={"machineType": f"zones/{ZONE}/machineTypes/e2-small"}, **IN_ZONE), 400, "badRequest")
do(i.stop(instance="vm", **IN_ZONE))
assert i.get(instance="vm", **IN_ZONE).execute()["status"] == "TERMINATED"
do(i.setMachineType(instance="vm", body={"machineType": f"zones/{ZONE}/machineTypes/e2-small"}, **IN_ZONE))
do(i.setServiceAccount(instance="vm", body={"email": "default", "scopes": ["https://www.googleapis.com/auth/compute"]}, **IN_ZONE))
do(i.start(instance="vm", **IN_ZONE))
do(i.deleteAccessConfig(instance="vm", accessConfig="external-nat", networkInterface="nic0", **IN_ZONE))
do(i.addAccessConfig(instance="vm", networkInterface="nic0", body={"name": "external-nat"}, **IN_ZONE))
do(i.setDeletionProtection(resource="vm", deletionProtection=True, **IN_ZONE))
refused(i.delete(instance="vm", **IN_ZONE), 400, "invalidResourceUsage")
do(i.setDeletionProtection(resource="vm", deletionProtection=False, **IN_ZONE))
vm = i.get(instance="vm", **IN_ZONE).execute()
assert vm["status"] == "RUNNING" and vm["machineType"].endswith("e2-small") and vm["labels"] == {"k": "v"}, vm
assert [x["name"] for x in i.list(filter="name = vm", **IN_ZONE).execute()["items"]] == ["vm"]
assert "items" not in i.list(filter="status = TERMINATED", **IN_ZONE).execute()
assert api.instances().aggregatedList(project=PROJECT).execute()["items"][f"zones/{ZONE}"]["instances"][0]["name"] == "vm"
held("instances")

# ---- routers
r = api.routers()
nat = {"name": "nat", "natIpAllocateOption": "AUTO_ONLY", "sourceSubnetworkIpRangesToNat": "ALL_SUBNETWORKS_ALL_IP_RANGES"}
do(r.insert(body={"name": "router", "network": net["selfLink"], "bgp": {"asn": 64514}}, **IN_REGION))
refused(r.insert(body={"name": "bad", "network": net["selfLink"], "bgp": {"asn": 1}}, **IN_REGION), 400, "invalid")
do(r.patch(router="router", body={"nats": [nat]}, **IN_REGION))
refused(r.patch(router="router", body={"nats": [nat, nat]}, **IN_REGION), 400, "invalid")
assert r.get(router="router", **IN_REGION).execute()["nats"][0]["type"] == "PUBLIC"
do(r.patch(router="router", body={"nats": []}, **IN_REGION))
assert "nats" not in r.get(router="router", **IN_REGION).execute()
held("routers")

# ---- instance templates
t = api.instanceTemplates()
properties = {k: v for k, v in body.items() if k not in ("name", "machineType", "networkInterfaces")}
properties |= {"machineType": "e2-medium", "networkInterfaces": [{"network": "global/networks/net"}]}
do(t.insert(body={"name": "template", "properties": properties}, **GLOBAL))
template = t.get(instanceTemplate="template", **GLOBAL).execute()
assert template["properties"]["networkInterfaces"][0]["network"] == net["selfLink"], template
refused(n.delete(network="net", **GLOBAL), 400, "resourceInUseByAnotherResource")
do(t.delete(instanceTemplate="template", **GLOBAL))
held("instance templates")

# ---- images, zones, regions, machine types
assert api.images().getFromFamily(project="debian-cloud", family="debian-12").execute()["name"].endswith("v20250610")
assert api.images().list(project="rocky-linux-cloud", filter="family = rocky-linux-9").execute()["items"][0]["diskSizeGb"] == "20"
zones = api.zones().list(project=PROJECT, maxResults=3).execute()
names = [z["name"] for z in zones["items"]]
while "nextPageToken" in zones:
    zones = api.zones().list(project=PROJECT, maxResults=3, pageToken=zones["nextPageToken"]).execute()
    names += [z["name"] for z in zones["items"]]
assert len(names) == len(set(names)) == 22, names
region = api.regions().get(**IN_REGION).execute()
assert {q["metric"]: q["usage"] for q in region["quotas"]}["STATIC_ADDRESSES"] == 2, region
assert api.machineTypes().get(machineType="e2-medium", **IN_ZONE).execute()["guestCpus"] == 2
held("images, zones, regions, machine types")

# ---- what Google's description does not allow
refused(n.insert(body={"name": "x", "colour": "red"}, **GLOBAL), 400, "badRequest")
refused(n.insert(body={"name": "x", "autoCreateSubnetworks": "maybe"}, **GLOBAL), 400, "badRequest")
refused(n.insert(body={"name": "x", "routingConfig": {"routingMode": "SIDEWAYS"}}, **GLOBAL), 400, "invalid")
refused(i.insert(body={"name": "x"}, **IN_ZONE), 400, "required")
held("the description of the API")

# ---- one request id, one thing
request = str(uuid.uuid4())
first = d.insert(body={"name": "once", "sizeGb": "10"}, requestId=request, **IN_ZONE).execute()
again = d.insert(body={"name": "once", "sizeGb": "10"}, requestId=request, **IN_ZONE).execute()
assert first["name"] == again["name"]
done(first)
refused(d.insert(body={"name": "once", "sizeGb": "10"}, requestId=str(uuid.uuid4()), **IN_ZONE), 409, "alreadyExists")
refused(d.insert(body={"name": "twice"}, requestId="weir", **IN_ZONE), 400, "invalid")
held("request ids")

# ---- quota: it fails in the operation
for number in range(6):
    do(a.insert(body={"name": f"more-{number}"}, **IN_REGION))
ended = done(a.insert(body={"name": "one-too-many"}, **IN_REGION).execute())
assert ended["error"]["errors"][0]["code"] == "QUOTA_EXCEEDED" and ended["httpErrorStatusCode"] == 403, ended
refused(a.get(address="one-too-many", **IN_REGION), 404, "notFound")
for number in range(6):
    do(a.delete(address=f"more-{number}", **IN_REGION))
held("quota")

# ---- and all of it goes
do(i.delete(instance="vm", **IN_ZONE))
refused(d.get(disk="vm", **IN_ZONE), 404, "notFound")
for call in [d.delete(disk="data", **IN_ZONE), d.delete(disk="once", **IN_ZONE),
             a.delete(address="ip", **IN_REGION), a.delete(address="inside", **IN_REGION),
             r.delete(router="router", **IN_REGION), f.delete(firewall="ssh", **GLOBAL),
             s.delete(subnetwork="sub", **IN_REGION), n.delete(network="net", **GLOBAL)]:
    do(call)
assert [x["name"] for x in n.list(**GLOBAL).execute()["items"]] == ["default"]
held("nothing is left")
