# What offers of pools have in common in every cloud, a part of each cloud's module: what they are
# given, and how machines are set up. Each machine gets its SSH host key from weir, so that the first
# connection to it is verified already.

variable "offer" {
  type = object({
    # What is made is called so.
    name   = string
    region = string
    # By number.
    machines = map(object({ host = string, type = string, zone = string }))
    # Zones that have no machines left now.
    full_zones = list(string)
    # An id, or where the cloud looks it up.
    image = map(string)
    # GiB
    disk = number
    spot = bool
    # CIDR blocks; from where weir comes, where there are none.
    ssh_from        = list(string)
    subnet          = string
    security_groups = list(string)
    tags            = map(string)
    labels          = map(string)
    # How long a machine may take until it lets weir in.
    boot_timeout = string
  })
}

locals {
  makes_network = var.offer.subnet == null
  asks          = local.makes_group && var.offer.ssh_from == null
  ssh_from      = local.asks ? weir_egress_address.here[*].cidr : var.offer.ssh_from

  # Where a machine may stand that no zone was chosen for. Without any left, all: the cloud says so.
  open_zones = [for z in sort(local.zone_names) : z if !contains(var.offer.full_zones, z)]
  free_zones = length(local.open_zones) > 0 ? local.open_zones : sort(local.zone_names)

  user_data = {
    for number, machine in var.offer.machines : number => join("\n", ["#cloud-config", jsonencode({
      hostname            = machine.host
      disable_root        = false
      ssh_pwauth          = false
      ssh_deletekeys      = true
      ssh_authorized_keys = [weir_ssh_key.login.public_key]
      ssh_keys = {
        ed25519_private = weir_ssh_key.host[number].private_key
        ed25519_public  = weir_ssh_key.host[number].public_key
      }
      write_files = [{
        path    = "/etc/ssh/sshd_config.d/00-weir.conf"
        content = "PermitRootLogin prohibit-password\n"
      }]
    })])
  }
}

# Asked for once: where weir comes from another address later, this is replaced, or `ssh_from` written.
resource "weir_egress_address" "here" {
  count = local.asks ? 1 : 0
}

resource "weir_ssh_key" "login" {
  comment = "weir"
}

resource "weir_ssh_key" "host" {
  for_each = var.offer.machines
  comment  = each.value.host
}

output "hosts" {
  value = site.machines.hosts
}
