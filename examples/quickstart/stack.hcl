# A small web service on this machine: no root, no cloud, no systemd.

stack "quickstart" {}

variable "message" {
  description = "What the page says. Change it and apply again."
  type        = string
  default     = "The base flow is held here; the flood spills over."
}

variable "port" {
  description = "Where the page is served."
  type        = number
  default     = 8480
}

site "here" {
  host "me" { connection = "local" }
}

cluster "main" {
  pool "base" { site = site.here }
}

service "web" {
  cluster = cluster.main

  pod "app" {
    count = 1

    resources {
      port "http" { number = var.port }
    }

    file "server.pl" { source = "server.pl" }

    file "index.html" {
      template  = "index.html.j2"
      vars      = { message = var.message }
      on_change = "reload"
    }

    task "server" {
      run    = "exec perl server.pl ${self.port.http} index.html"
      reload = "HUP" # server.pl reads the page again on SIGHUP
      ready {
        http    = "http://${self.address}:${self.port.http}/"
        every   = "200ms"
        timeout = "20s"
      }
      alive {
        http     = "http://${self.address}:${self.port.http}/"
        every    = "5s"
        failures = 3
      }
    }
  }
}

output "url" {
  value = "http://${service.web.endpoints.http[0]}/"
}
