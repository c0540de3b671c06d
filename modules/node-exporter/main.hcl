# Prometheus' node exporter on every host of a cluster, from Debian's package.

variable "cluster" {
  description = "The cluster whose hosts are watched."
  type        = any
}

variable "port" {
  description = "Where the exporter listens."
  type        = number
  default     = 9100
}

variable "arguments" {
  description = "More arguments for the exporter, as on its command line."
  type        = list(string)
  default     = []
}

service "node_exporter" {
  cluster = var.cluster

  pod "exporter" {
    every    = "host"
    packages = ["prometheus-node-exporter"]

    resources {
      port "metrics" { number = var.port }
    }

    file "/etc/default/prometheus-node-exporter" {
      content = "ARGS=\"${join(" ", concat(["--web.listen-address=:${var.port}"], var.arguments))}\"\n"
    }

    task "exporter" {
      unit = "prometheus-node-exporter.service"
      ready {
        http    = "http://127.0.0.1:${self.port.metrics}/metrics"
        timeout = "1m"
      }
    }
  }

  plan "deploy" {
    phase "exporter" {
      pod   = pod.exporter
      order = "parallel"
    }
  }
}

output "endpoints" {
  description = "One address and port for each host: what Prometheus scrapes."
  value       = service.node_exporter.endpoints.metrics
}
