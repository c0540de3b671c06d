# W10 for weir: on every host 5 packages, 20 files that all differ, 5 units running.

stack "w10" {}

variable "hosts" {
  description = "The machines: for each name its address and its SSH host key."
  type = map(object({
    address  = string
    host_key = string
  }))
}

variable "private_key_file" {
  description = "The SSH key that the machines admit."
  type        = string
}

locals {
  peers = [for name, host in var.hosts : { name = name, addr = host.address }]
}

site "onprem" {
  ssh {
    user             = "root"
    private_key_file = var.private_key_file
  }

  dynamic "host" {
    for_each = var.hosts
    labels   = [host.key]
    content {
      address  = host.value.address
      host_key = host.value.host_key
    }
  }
}

cluster "main" {
  pool "base" { site = site.onprem }
}

service "labapp" {
  cluster = cluster.main

  pod "node" {
    every    = "host"
    packages = ["redis-server", "memcached", "nginx-light", "prometheus-node-exporter", "mosquitto"]

    dynamic "file" {
      for_each = range(1, 21)
      labels   = [format("/etc/labapp/f%02d.conf", file.value)]
      content {
        template = "conf.j2"
        mode     = "0644"
        vars = {
          n     = file.value
          host_ = self.host
          addr  = self.address
          role  = "web"
          peers = local.peers
        }
      }
    }

    task "redis" { unit = "redis-server.service" }
    task "memcached" { unit = "memcached.service" }
    task "nginx" { unit = "nginx.service" }
    task "exporter" { unit = "prometheus-node-exporter.service" }
    task "mosquitto" { unit = "mosquitto.service" }
  }

  plan "deploy" {
    phase "node" {
      pod   = pod.node
      order = "parallel"
    }
  }
}
