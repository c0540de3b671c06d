#!/usr/bin/env python3
"""Makes the catalogue of machine types: aws.tsv, azurerm.tsv and google.tsv beside this file.

Run by hand, in a virtual environment, when newer packages are out:

    python3 -m venv /tmp/catalogue && /tmp/catalogue/bin/pip install apache-libcloud moto
    /tmp/catalogue/bin/python stacks/lang/data/machines/make.py

Where each number comes from:

- Prices: `libcloud/data/pricing.json` of apache-libcloud, on-demand Linux, US dollars per hour. Its own field `updated`
  is the date of the prices.
- aws, cpus, memory, arch, gpus and regions: `moto/ec2/resources`, which moto makes of EC2's DescribeInstanceTypes and
  DescribeInstanceTypeOfferings.
- azurerm: cpus and memory of the series in AZURE below, from "Sizes for virtual machines in Azure"
  (learn.microsoft.com/azure/virtual-machines/sizes). A v2, E v4, Ea v4, Eas v4 and NC T4 v3 were held against the list
  of sizes that Microsoft makes of Azure's API for Aspire (`AksNodeVmSizes.cs`, 13.3.0).
- google: cpus and memory of the series in GOOGLE below, from "Machine families resource and comparison guide"
  (cloud.google.com/compute/docs/machine-resource). Google sells cores and memory apart: a type's price is the sum.

libcloud's list of EC2 mixes shared with dedicated tenancy, which costs 6 to 10 % more, and has zeros where it found
nothing. A type's price is therefore taken only where it lies on its family's line: the price per GiB of memory that
most sizes of the family, and at least two, have in the region. Where Linux's price does not, that of RHEL less its
licence (RHEL below: what most types of the two lists differ by) is tried in the same way. Types with GPUs, whose
prices are no line in memory, need Linux and RHEL to agree, and a region's prices to stand to those of the regions
US below as those of most sizes of the family do, and at least two. The three regions US have the same prices: one that
is higher in one of them is left out. What is found in neither way is left out, not estimated. Where most sizes of a
family have the price of dedicated tenancy in a region, that is what the table has: 6 to 10 % too much.
"""

import gzip
import importlib.metadata
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import libcloud
import moto

HERE = Path(__file__).parent
LIBCLOUD = json.loads((Path(libcloud.__file__).parent / "data/pricing.json").read_text())
PRICES = LIBCLOUD["compute"]
EC2 = Path(moto.__file__).parent / "ec2/resources"
RHEL = ((8, 0.0144), (127, 0.0108), (10_000, 0.0096))  # up to so many vCPUs: dollars per vCPU and hour
TOLERANCE = 0.004
US = ("us-east-1", "us-east-2", "us-west-2")
FEWEST_TYPES = 60  # a region with fewer is left out

HALVES = {2: 8, 4: 16, 8: 32, 16: 64, 32: 128, 48: 192, 64: 256}
E_V3 = {2: 16, 4: 32, 8: 64, 16: 128, 20: 160, 32: 256, 48: 384, 64: 432}
E_V4 = E_V3 | {64: 504}
E_AMD = E_V3 | {64: 512, 96: 672}
# Series of Azure: the name of a size, and per vCPUs the GiB of memory.
AZURE = {
    "Standard_A{}_v2": {1: 2, 2: 4, 4: 8, 8: 16},
    "Standard_A{}m_v2": {2: 16, 4: 32, 8: 64},
    "Standard_B{}s": {1: 1, 2: 4},
    "Standard_B{}ms": {1: 2, 2: 8, 4: 16, 8: 32, 12: 48, 16: 64, 20: 80},
    "Standard_D{}_v3": HALVES,
    "Standard_D{}s_v3": HALVES,
    "Standard_D{}_v4": HALVES,
    "Standard_D{}s_v4": HALVES,
    "Standard_D{}d_v4": HALVES,
    "Standard_D{}ds_v4": HALVES,
    "Standard_D{}a_v4": HALVES | {96: 384},
    "Standard_D{}as_v4": HALVES | {96: 384},
    "Standard_E{}_v3": E_V3,
    "Standard_E{}s_v3": E_V3,
    "Standard_E{}_v4": E_V4,
    "Standard_E{}s_v4": E_V4,
    "Standard_E{}d_v4": E_V4,
    "Standard_E{}ds_v4": E_V4,
    "Standard_E{}a_v4": E_AMD,
    "Standard_E{}as_v4": E_AMD,
    "Standard_F{}s_v2": {2: 4, 4: 8, 8: 16, 16: 32, 32: 64, 48: 96, 64: 128, 72: 144},
    "Standard_L{}s_v2": {8: 64, 16: 128, 32: 256, 48: 384, 64: 512, 80: 640},
    "Standard_NC{}as_T4_v3": {4: 28, 8: 56, 16: 110, 64: 440},
}
AZURE_GPUS = {("Standard_NC{}as_T4_v3", cpus): (n, "T4") for cpus, n in ((4, 1), (8, 1), (16, 1), (64, 4))}

TO_80 = (2, 4, 8, 16, 32, 48, 64, 80)
TO_224 = (*TO_80, 96, 128, 224)
N1 = (2, 4, 8, 16, 32, 64, 96)
# Series of Google: per name of a size its vCPUs, GB of memory, and the cores that are billed where they are fewer.
GOOGLE = {
    **{f"e2-standard-{n}": (n, 4 * n, n) for n in (2, 4, 8, 16, 32)},
    **{f"e2-highmem-{n}": (n, 8 * n, n) for n in (2, 4, 8, 16)},
    **{f"e2-highcpu-{n}": (n, n, n) for n in (2, 4, 8, 16, 32)},
    "e2-micro": (2, 1, 0.25),
    "e2-small": (2, 2, 0.5),
    "e2-medium": (2, 4, 1),
    **{f"n1-standard-{n}": (n, 3.75 * n, n) for n in (1, *N1)},
    **{f"n1-highmem-{n}": (n, 6.5 * n, n) for n in N1},
    **{f"n1-highcpu-{n}": (n, 0.9 * n, n) for n in N1},
    **{f"n2-standard-{n}": (n, 4 * n, n) for n in (*TO_80, 96, 128)},
    **{f"n2-highmem-{n}": (n, 8 * n, n) for n in (*TO_80, 96)},
    "n2-highmem-128": (128, 864, 128),
    **{f"n2-highcpu-{n}": (n, n, n) for n in (*TO_80, 96)},
    **{f"n2d-standard-{n}": (n, 4 * n, n) for n in TO_224},
    **{f"n2d-highmem-{n}": (n, 8 * n, n) for n in (*TO_80, 96)},
    **{f"n2d-highcpu-{n}": (n, n, n) for n in TO_224},
    **{f"c2-standard-{n}": (n, 4 * n, n) for n in (4, 8, 16, 30, 60)},
}
GOOGLE_BURSTABLE = ("e2-micro", "e2-small", "e2-medium")

AWS_REGION = re.compile(r"(af|ap|ca|eu|il|me|mx|sa|us)-[a-z]+-\d$")
AWS_LEFT_OUT = re.compile(r"(inf|trn|dl|f|vt|u-|mac|hpc|p)\d")


def row(name, cpus, mib, arch, gpus=(0, ""), burstable=False):
    return {"type": name, "cpus": cpus, "memory_mib": round(mib), "arch": arch, "gpus": gpus[0], "gpu": gpus[1],
            "burstable": "yes" if burstable else "no", "prices": {}}


def near(a, b):
    return abs(a - b) <= TOLERANCE * b


def aws():
    types = json.loads(gzip.open(EC2 / "instance_types.json.gz").read())
    rows = {}
    for name, t in sorted(types.items()):
        archs = t["ProcessorInfo"]["SupportedArchitectures"]
        arch = "arm64" if "arm64" in archs else "amd64" if "x86_64" in archs else None
        if arch is None or t["BareMetal"] or t.get("Hypervisor") != "nitro" or AWS_LEFT_OUT.match(name):
            continue
        if "on-demand" not in t["SupportedUsageClasses"]:
            continue
        gpus = t.get("GpuInfo", {}).get("Gpus", [])
        if any(not isinstance(g["Count"], int) or g.get("GpuPartitionSize", 1) != 1 for g in gpus):
            continue
        rows[name] = row(name, t["VCpuInfo"]["DefaultVCpus"], t["MemoryInfo"]["SizeInMiB"], arch,
                         (sum(g["Count"] for g in gpus), gpus[0]["Name"] if gpus else ""),
                         t["BurstablePerformanceSupported"])
    for file in sorted((EC2 / "instance_type_offerings/region").glob("*.json.gz")):
        region = file.name.removesuffix(".json.gz")
        if AWS_REGION.match(region):
            offered = {o["InstanceType"] for o in json.loads(gzip.open(file).read())}
            aws_region(region, rows, offered)
    for r in rows.values():
        least = min((p for k, p in r["prices"].items() if k in US), default=None)
        for region in US:
            if region in r["prices"] and not near(r["prices"][region], least):
                del r["prices"][region]
    aws_gpus([r for r in rows.values() if r["gpus"]])
    return rows.values()


def most(values):
    """The value that most values, and at least two, are near to; the lower one of two such."""
    values = sorted(values)
    shared = [sum(near(v, u) for v in values) for u in values]
    return values[shared.index(max(shared))] if max(shared, default=0) >= 2 else None


def aws_gpus(rows):
    """Takes out prices that do not stand to those of US as their family's do."""
    families = {}
    for r in rows:
        families.setdefault(r["type"].split(".")[0], []).append(r)
    for family in families.values():
        base = {r["type"]: min((p for k, p in r["prices"].items() if k in US), default=None) for r in family}
        ratios = {}
        for r in family:
            for region, price in r["prices"].items():
                if base[r["type"]]:
                    ratios.setdefault(region, {})[r["type"]] = price / base[r["type"]]
        for r in family:
            for region in list(r["prices"]):
                ratio, usual = ratios.get(region, {}).get(r["type"]), most(ratios.get(region, {}).values())
                if not (ratio and usual and near(ratio, usual)):
                    del r["prices"][region]


def aws_region(region, rows, offered):
    families = {}
    for name in offered & rows.keys():
        families.setdefault(name.split(".")[0], []).append(name)
    for names in families.values():
        found = {}
        for name in names:
            linux = PRICES["ec2_linux"].get(name, {}).get(region) or 0
            rhel = PRICES["ec2_rhel"].get(name, {}).get(region) or 0
            cpus = rows[name]["cpus"]
            less = rhel - next(p for most, p in RHEL if cpus <= most) * cpus if rhel else 0
            found[name] = [round(p, 6) for p in (linux, less) if p > 0]
        if any(rows[name]["gpus"] for name in names):
            for name, prices in found.items():
                if len(prices) == 2 and near(prices[1], prices[0]):
                    rows[name]["prices"][region] = prices[0]
            continue
        gib = {name: rows[name]["memory_mib"] / 1024 for name in names}
        units = sorted(p / gib[n] for n, prices in found.items() for p in prices)
        shared = [sum(any(near(p / gib[n], u) for p in prices) for n, prices in found.items()) for u in units]
        line = units[shared.index(max(shared))] if max(shared, default=0) >= 2 else None
        for name, prices in found.items():
            on = [p for p in prices if line and near(p / gib[name], line)]
            if on:
                rows[name]["prices"][region] = on[0]


def azure():
    for name, sizes in AZURE.items():
        for cpus, gib in sizes.items():
            size = name.format(cpus)
            key = size.lower().replace("_", "")
            r = row(size, cpus, gib * 1024, "amd64", AZURE_GPUS.get((name, cpus), (0, "")), "_B" in name)
            for region, price in PRICES["azure_linux"].get(key, {}).items():
                # Sovereign clouds have endpoints of their own.
                if price and not region.startswith("usgov") and region not in ("germanycentral", "germanynortheast"):
                    r["prices"][region] = price
            yield r


def google():
    for name, (cpus, gb, billed) in GOOGLE.items():
        prices = PRICES["gce_instances"][name.split("-")[0]]
        cores, memory = prices["cpu"]["on_demand"], prices["ram"]["on_demand"]
        r = row(name, cpus, gb * 1024, "amd64", burstable=name in GOOGLE_BURSTABLE)
        for region in cores.keys() & memory.keys():
            core, ram = cores[region]["price"], memory[region]["price"]
            if core and ram:
                r["prices"][region] = core * billed + ram * gb
        yield r


def write(name, rows, sources):
    rows = [r for r in rows if r["prices"]]
    count = {}
    for r in rows:
        for region in r["prices"]:
            count[region] = count.get(region, 0) + 1
    regions = sorted(r for r, n in count.items() if n >= FEWEST_TYPES)
    rows = [r for r in rows if any(region in r["prices"] for region in regions)]
    date = datetime.fromtimestamp(LIBCLOUD["updated"], UTC).date().isoformat()
    columns = ["type", "cpus", "memory_mib", "arch", "gpus", "gpu", "burstable"]
    with open(HERE / f"{name}.tsv", "w") as out:
        print(f"# prices of {date}, US dollars per hour, on demand, Linux", file=out)
        print(f"# made by make.py of {sources}", file=out)
        print("\t".join(columns + regions), file=out)
        for r in rows:
            prices = [r["prices"].get(region) for region in regions]
            cells = [str(r[c]) for c in columns] + [f"{p:.6f}".rstrip("0") if p else "" for p in prices]
            print("\t".join(cells), file=out)
    print(f"{name}: {len(rows)} types, {len(regions)} regions, prices of {date}")


def main():
    version = importlib.metadata.version
    prices = f"apache-libcloud {version('apache-libcloud')}"
    write("aws", aws(), f"{prices} and moto {version('moto')}")
    write("azurerm", azure(), f"{prices} and the series in make.py")
    write("google", google(), f"{prices} and the series in make.py")


if __name__ == "__main__":
    main()
