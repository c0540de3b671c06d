# The base load runs on three machines that exist; two of a cloud take the overflow.

stack "hybrid" {}

variable "hosts" {
  description = "The machines that exist, by name."
  type        = map(string)
  default = {
    zrh-1 = "10.65.1.11"
    zrh-2 = "10.65.1.12"
    zrh-3 = "10.65.1.13"
  }
}

variable "machines" {
  description = "How many machines the cloud makes."
  type        = number
  default     = 2
}

variable "ssh_from" {
  description = "The addresses of the machines that run weir, as CIDR blocks."
  type        = list(string)
}

variable "message" {
  description = "What the page says."
  type        = string
  default     = "The base flow is held here; the flood spills over."
}

provider "aws" {
  region = "eu-central-1"
}

site "zurich" {
  dynamic "host" {
    for_each = var.hosts
    labels   = [host.key]
    content { address = host.value }
  }
}

cluster "main" {
  pool "base" { site = site.zurich }

  pool "cloud" {
    count    = var.machines
    ssh_from = var.ssh_from

    machine {
      cpus   = 2
      memory = "4GiB"
      image  = "debian-12"
    }

    # Another cloud: another provider here, and the region as it calls it.
    offer "burst" {
      provider = aws
      region   = "eu-central-1"
    }
  }
}

service "web" {
  cluster = cluster.main

  pod "app" {
    every = "host"

    resources {
      memory = "256MiB"
      port "http" { number = 8480 }
    }

    file "server.pl" { source = "server.pl" }

    file "index.html" {
      template  = "index.html.j2"
      vars      = { message = var.message, host = self.host }
      on_change = "reload"
    }

    task "server" {
      run    = "exec perl server.pl ${self.port.http} index.html"
      reload = "HUP"
      ready {
        http    = "http://127.0.0.1:${self.port.http}/"
        every   = "200ms"
        timeout = "30s"
      }
      alive {
        http  = "http://127.0.0.1:${self.port.http}/"
        every = "5s"
      }
    }
  }
}

output "addresses" {
  value = { for host in cluster.main.hosts : host.name => host.address }
}
