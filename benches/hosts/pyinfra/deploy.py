"""W10 for pyinfra."""

import os

from pyinfra import host
from pyinfra.operations import apt, files, systemd

PACKAGES = ["redis-server", "memcached", "nginx-light", "prometheus-node-exporter", "mosquitto"]
UNITS = ["redis-server", "memcached", "nginx", "prometheus-node-exporter", "mosquitto"]
TEMPLATE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "conf.j2")

apt.packages(name="packages present", packages=PACKAGES, present=True)
files.directory(name="directory", path="/etc/labapp", mode="755")
for n in range(1, 21):
    files.template(
        name=f"template {n}",
        src=TEMPLATE,
        dest=f"/etc/labapp/f{n:02d}.conf",
        mode="644",
        n=n,
        host_=host.data.get("lab_name"),
        addr=host.data.get("addr"),
        role="web",
        peers=host.data.get("lab_peers"),
    )
for unit in UNITS:
    systemd.service(name=f"{unit} running", service=unit, running=True)
