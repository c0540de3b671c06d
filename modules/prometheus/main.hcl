# One Prometheus server, from Debian's package, scraping what it is given.

variable "cluster" {
  description = "The cluster it runs on."
  type        = any
}

variable "targets" {
  description = "What is scraped: for each job, addresses with ports."
  type        = map(list(string))
  default     = {}
}

variable "port" {
  description = "Where it listens."
  type        = number
  default     = 9090
}

variable "retention" {
  description = "How long samples are kept."
  type        = string
  default     = "15d"
}

variable "scrape_interval" {
  description = "How often targets are scraped."
  type        = string
  default     = "15s"
}

service "prometheus" {
  cluster = var.cluster

  pod "server" {
    count    = 1
    packages = ["prometheus"]

    resources {
      port "http" { number = var.port }
    }

    file "/etc/prometheus/prometheus.yml" {
      template  = "prometheus.yml.j2"
      on_change = "reload"
      vars = {
        interval = var.scrape_interval
        targets  = var.targets
      }
    }

    file "/etc/default/prometheus" {
      content = "ARGS=\"--web.listen-address=:${var.port} --storage.tsdb.retention.time=${var.retention}\"\n"
    }

    task "server" {
      unit   = "prometheus.service"
      reload = "HUP"
      ready {
        http    = "http://127.0.0.1:${self.port.http}/-/ready"
        timeout = "2m"
      }
    }
  }
}

output "url" {
  description = "Prometheus' web page and API."
  value       = "http://${service.prometheus.endpoints.http[0]}"
}
