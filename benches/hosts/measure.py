#!/usr/bin/env python3
"""measure.py OUT LOG LAB TOOL KIND -- CMD...: runs CMD in a cgroup of its own and appends to OUT
one line of JSON: exit code, wall seconds, CPU seconds of the controller's whole process tree and of
all hosts of the lab, and the tree's peak of anonymous memory in MiB. CMD's output goes to LOG.

A cgroup and not wait4(2): ssh's control masters and other daemons detach, and they count too.
"""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path


class Cgroup:
    """A cgroup of version 1 (one folder per controller) or 2 (one folder)."""

    def __init__(self, name: str) -> None:
        mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
        v1 = {c: m[1] for m in mounts if m[2] == "cgroup" for c in m[3].split(",")}
        v2 = next((m[1] for m in mounts if m[2] == "cgroup2"), None)
        if "cpuacct" in v1 and "memory" in v1:
            self.cpu, self.memory = Path(v1["cpuacct"]) / name, Path(v1["memory"]) / name
        elif v2:
            for controller in ("cpu", "memory"):
                (Path(v2) / "cgroup.subtree_control").write_text(f"+{controller}")
            self.cpu = self.memory = Path(v2) / name
        else:
            sys.exit("measure.py: no cgroup counts processor time and memory on this machine")
        for folder in {self.cpu, self.memory}:
            folder.mkdir(exist_ok=True)

    def enter(self) -> None:
        for folder in {self.cpu, self.memory}:
            (folder / "cgroup.procs").write_text(str(os.getpid()))

    def cpu_seconds(self) -> float:
        usage = self.cpu / "cpuacct.usage"
        if usage.exists():
            return int(usage.read_text()) / 1e9
        return int(self._stat(self.cpu / "cpu.stat", "usage_usec")) / 1e6

    def anonymous_bytes(self) -> int:
        file = self.memory / "memory.stat"
        return int(self._stat(file, "total_rss") or self._stat(file, "anon"))

    @staticmethod
    def _stat(file: Path, key: str) -> int:
        pairs = (line.split() for line in file.read_text().splitlines())
        return next((int(value) for name, value in pairs if name == key), 0)


def hosts_cpu_seconds(lab: str) -> float:
    stats = subprocess.run([lab, "stats"], check=True, capture_output=True, text=True).stdout
    return sum(int(line.split()[1]) for line in stats.splitlines()) / 1000


def main() -> None:
    split = sys.argv.index("--")
    out, log, lab, tool, kind = sys.argv[1:split]
    command = sys.argv[split + 1 :]
    cgroup = Cgroup("weir-bench")
    peak, done = 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.02):
            peak = max(peak, cgroup.anonymous_bytes())

    hosts_before, own_before, start = hosts_cpu_seconds(lab), cgroup.cpu_seconds(), time.monotonic()
    with open(log, "w") as output:
        process = subprocess.Popen(
            command, preexec_fn=cgroup.enter, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        watcher = threading.Thread(target=watch)
        watcher.start()
        code = process.wait()
    wall = time.monotonic() - start
    done.set()
    watcher.join()
    result = {
        "tool": tool,
        "kind": kind,
        "code": code,
        "wall": wall,
        "controller": cgroup.cpu_seconds() - own_before,
        "hosts": hosts_cpu_seconds(lab) - hosts_before,
        "peak": peak / 2**20,
        "load": os.getloadavg()[0],
    }
    with open(out, "a") as results:
        results.write(json.dumps(result) + "\n")


main()
