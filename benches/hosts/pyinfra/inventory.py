"""The lab's hosts for pyinfra, from the file that benches/hosts/run wrote."""

import json
import os

with open(os.environ["W10_HOSTS"]) as file:
    _lab = json.load(file)

lab = (
    [(host["addr"], {"addr": host["addr"], "lab_name": host["name"]}) for host in _lab["hosts"]],
    {
        "ssh_user": "root",
        "ssh_key": _lab["key"],
        "ssh_known_hosts_file": _lab["known_hosts"],
        "ssh_strict_host_key_checking": "yes",
        "lab_peers": [{"name": host["name"], "addr": host["addr"]} for host in _lab["hosts"]],
    },
)
