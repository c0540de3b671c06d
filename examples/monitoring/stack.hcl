# node-exporter on every host, and one Prometheus that scrapes them all. A host added to `hosts`
# is installed and scraped after the next apply, with no other edit.

stack "monitoring" {}

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
  default     = "~/.ssh/id_ed25519"
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

module "nodes" {
  source  = "catalog:node-exporter"
  cluster = cluster.main
}

module "metrics" {
  source  = "catalog:prometheus"
  cluster = cluster.main
  targets = { node = module.nodes.endpoints }
}

output "prometheus" {
  value = module.metrics.url
}
