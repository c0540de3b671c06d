#!/usr/bin/env python3
"""inventory.py FOLDER KEY KNOWN_HOSTS: reads "NAME ADDRESS" lines and writes each tool's inventory.

FOLDER gets hosts.json (pyinfra), inventory.yml (Ansible) and weir.auto.vars.hcl (weir).
"""

import json
import sys
from pathlib import Path


def main() -> None:
    folder, key, known_hosts = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    keys = dict(line.split(" ", 1) for line in Path(known_hosts).read_text().splitlines())
    hosts = [dict(zip(("name", "addr"), line.split())) for line in sys.stdin]

    lab = {"key": key, "known_hosts": known_hosts, "hosts": hosts}
    (folder / "hosts.json").write_text(json.dumps(lab))

    ssh_options = f"-o UserKnownHostsFile={known_hosts} -o StrictHostKeyChecking=yes"
    ansible = {
        "lab": {
            "hosts": {host["name"]: {"ansible_host": host["addr"]} for host in hosts},
            "vars": {
                "ansible_user": "root",
                "ansible_ssh_private_key_file": key,
                "ansible_python_interpreter": "/usr/bin/python3",
                "ansible_ssh_common_args": ssh_options,
                "lab_peers": hosts,
            },
        }
    }
    # JSON is YAML.
    (folder / "inventory.yml").write_text(json.dumps(ansible, indent=1))

    machines = "".join(
        f'  "{host["name"]}" = {{ address = "{host["addr"]}", host_key = "{keys[host["addr"]]}" }}\n'
        for host in hosts
    )
    variables = f'private_key_file = "{key}"\nhosts = {{\n{machines}}}\n'
    (folder / "weir.auto.vars.hcl").write_text(variables)


main()
