# Any command as a service: supervised, restarted, checked.

variable "cluster" {
  description = "The cluster it runs on."
  type        = any
}

variable "command" {
  description = "The command line, run by the shell in the pod's directory."
  type        = string
}

variable "instances" {
  description = "How many run."
  type        = number
  default     = 1
}

variable "env" {
  description = "Environment variables."
  type        = map(string)
  default     = {}
}

variable "files" {
  description = "Files in the pod's directory: their content by path."
  type        = map(string)
  default     = {}
}

variable "packages" {
  description = "Debian packages it needs."
  type        = set(string)
  default     = []
}

variable "port" {
  description = "The port it listens on, handed over as PORT; 0 lets weir choose one and keep it."
  type        = number
  default     = 0
}

variable "kill_grace" {
  description = "How long it may take to stop."
  type        = string
  default     = "10s"
}

service "process" {
  cluster = var.cluster

  pod "main" {
    count    = var.instances
    packages = var.packages
    env      = merge({ PORT = tostring(self.port.main) }, var.env)

    resources {
      port "main" { number = var.port == 0 ? null : var.port }
    }

    dynamic "file" {
      for_each = var.files
      labels   = [file.key]
      content { content = file.value }
    }

    task "main" {
      run        = var.command
      kill_grace = var.kill_grace
      ready {
        tcp     = "127.0.0.1:${self.port.main}"
        timeout = "1m"
      }
    }
  }
}

output "endpoints" {
  description = "Where the instances listen."
  value       = service.process.endpoints.main
}
