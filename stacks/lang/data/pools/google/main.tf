# What an offer of a pool makes in Google Cloud: machines with public addresses and, where none is
# given, a network for them. SSH is admitted from the addresses of `ssh_from` alone. How a
# machine is set up stands in ../machines.tf.

locals {
  # Its firewall is the network's.
  makes_group = local.makes_network

  subnet  = local.makes_network ? google_compute_subnetwork.network[0].id : var.offer.subnet
  network = local.makes_network ? google_compute_network.network[0].id : null

  # Where a machine stands that no zone was chosen for: zones in turn.
  zone_names = data.google_compute_zones.here.names
  zones = {
    for number, machine in var.offer.machines : number => (
      machine.zone != null ? machine.zone
      : element(local.free_zones, tonumber(number) % length(local.free_zones))
    )
  }

  # The images of Google Cloud that have no cloud-init run this at every boot.
  startup_script = {
    for number, machine in var.offer.machines : number => <<-EOT
      #!/bin/sh
      set -eu
      command -v cloud-init >/dev/null && exit 0
      umask 077
      mkdir -p /root/.ssh
      touch /root/.ssh/authorized_keys
      grep -qxF '${weir_ssh_key.login.public_key}' /root/.ssh/authorized_keys ||
        echo '${weir_ssh_key.login.public_key}' >>/root/.ssh/authorized_keys
      cd /etc/ssh
      grep -qsxF '${weir_ssh_key.host[number].public_key}' ssh_host_ed25519_key.pub && exit 0
      rm -f ssh_host_*
      cat >ssh_host_ed25519_key <<'KEY'
      ${trimspace(weir_ssh_key.host[number].private_key)}
      KEY
      echo '${weir_ssh_key.host[number].public_key}' >ssh_host_ed25519_key.pub
      echo 'PermitRootLogin prohibit-password' >sshd_config.d/00-weir.conf
      chmod 0644 ssh_host_ed25519_key.pub sshd_config.d/00-weir.conf
      systemctl restart ssh 2>/dev/null || systemctl restart sshd
    EOT
  }
}

data "google_compute_zones" "here" {
  region = var.offer.region
  status = "UP"
}

resource "google_compute_network" "network" {
  count                   = local.makes_network ? 1 : 0
  name                    = var.offer.name
  auto_create_subnetworks = false

  lifecycle {
    ignore_changes = [name]
  }
}

resource "google_compute_subnetwork" "network" {
  count         = local.makes_network ? 1 : 0
  name          = var.offer.name
  region        = var.offer.region
  network       = google_compute_network.network[0].id
  ip_cidr_range = "10.0.0.0/20"

  lifecycle {
    ignore_changes = [name]
  }
}

resource "google_compute_firewall" "ssh" {
  count         = local.makes_network ? 1 : 0
  name          = "${var.offer.name}-ssh"
  description   = "SSH from where weir runs"
  network = local.network
  source_ranges = local.ssh_from
  target_tags   = [var.offer.name]

  allow {
    protocol = "tcp"
    ports    = ["22"]
  }

  lifecycle {
    ignore_changes = [name, target_tags]
  }
}

resource "google_compute_firewall" "among" {
  count         = local.makes_network ? 1 : 0
  name          = "${var.offer.name}-among"
  description   = "Everything among the machines"
  network = local.network
  source_ranges = [google_compute_subnetwork.network[0].ip_cidr_range]
  target_tags   = google_compute_firewall.ssh[0].target_tags

  allow {
    protocol = "all"
  }

  lifecycle {
    ignore_changes = [name]
  }
}

resource "google_compute_instance" "machine" {
  for_each     = var.offer.machines
  name         = "${var.offer.name}-${each.key}"
  machine_type = each.value.type
  zone         = local.zones[each.key]
  labels       = var.offer.tags
  tags = (
    local.makes_network ? google_compute_firewall.ssh[0].target_tags : var.offer.security_groups
  )

  boot_disk {
    initialize_params {
      image = var.offer.image.id
      size  = var.offer.disk
      type  = "pd-balanced"
    }
  }

  network_interface {
    subnetwork = local.subnet
    # A public address.
    access_config {}
  }

  metadata = {
    user-data              = local.user_data[each.key]
    startup-script         = local.startup_script[each.key]
    block-project-ssh-keys = "true"
  }

  scheduling {
    provisioning_model          = var.offer.spot ? "SPOT" : "STANDARD"
    preemptible                 = var.offer.spot
    automatic_restart           = !var.offer.spot
    instance_termination_action = var.offer.spot ? "DELETE" : null
  }

  lifecycle {
    # A newer image, or another way to set a machine up, is for machines that are made from now on.
    ignore_changes = [
      name,
      boot_disk[0].initialize_params[0].image,
      metadata["user-data"],
      metadata["startup-script"],
    ]
  }
}

site "machines" {
  dynamic "host" {
    for_each = var.offer.machines
    labels   = [host.value.host]
    content {
      address = (
        google_compute_instance.machine[host.key].network_interface[0].access_config[0].nat_ip
      )
      host_key     = weir_ssh_key.host[host.key].public_key
      private_key  = weir_ssh_key.login.private_key
      boot_timeout = var.offer.boot_timeout
      labels       = merge(var.offer.labels, { type = host.value.type, zone = local.zones[host.key] })
    }
  }
}
