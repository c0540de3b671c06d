# Every resource type of Google, twice where that makes a difference.
stack "google" {}

variable "kind" {
  type    = string
  default = "e2-small"
}
variable "machines" {
  type    = number
  default = 2
}
variable "disk" {
  type    = number
  default = 20
}

provider "google" {
  region         = "europe-west1"
  zone           = "europe-west1-b"
  default_labels = { team = "platform" }
}

data "google_compute_zones" "here" {
}

data "google_compute_image" "debian" {
  family  = "debian-12"
  project = "debian-cloud"
}

resource "google_compute_network" "main" {
  name                    = "main"
  auto_create_subnetworks = false
}
resource "google_compute_subnetwork" "main" {
  for_each      = { a = 1, b = 2, c = 3 }
  name          = "sub-${each.key}"
  network       = google_compute_network.main.id
  ip_cidr_range = cidrsubnet("10.0.0.0/16", 8, each.value)
}
resource "google_compute_firewall" "main" {
  for_each      = { ssh = 22, web = 443 }
  name          = each.key
  network       = google_compute_network.main.name
  source_ranges = ["0.0.0.0/0"]
  target_tags   = ["main"]
  allow {
    protocol = "tcp"
    ports    = [each.value]
  }
}
resource "google_compute_router" "main" {
  name    = "main"
  network = google_compute_network.main.self_link
}
resource "google_compute_address" "nat" {
  name = "nat"
}
resource "google_compute_router_nat" "main" {
  for_each                           = google_compute_subnetwork.main
  name                               = each.key
  router                             = google_compute_router.main.name
  nat_ip_allocate_option             = each.key == "a" ? "MANUAL_ONLY" : "AUTO_ONLY"
  nat_ips                            = each.key == "a" ? [google_compute_address.nat.self_link] : []
  source_subnetwork_ip_ranges_to_nat = "LIST_OF_SUBNETWORKS"
  subnetwork {
    name                    = each.value.id
    source_ip_ranges_to_nat = ["ALL_IP_RANGES"]
  }
}
resource "google_compute_address" "machine" {
  count = var.machines
  name  = "machine-${count.index}"
}
resource "google_compute_instance" "main" {
  count                     = var.machines
  name                      = "machine-${count.index}"
  machine_type              = var.kind
  tags                      = ["main"]
  allow_stopping_for_update = true
  labels                    = { number = count.index }
  metadata = {
    user-data = "#cloud-config\n"
  }
  boot_disk {
    initialize_params {
      image = data.google_compute_image.debian.self_link
      size  = var.disk
    }
  }
  network_interface {
    subnetwork = google_compute_subnetwork.main["a"].id
    access_config {
      nat_ip = google_compute_address.machine[count.index].address
    }
  }
}
resource "google_compute_disk" "data" {
  count = var.machines
  name  = "data-${count.index}"
  size  = 10
  type  = "pd-ssd"
}
resource "google_compute_attached_disk" "data" {
  count    = var.machines
  disk     = google_compute_disk.data[count.index].id
  instance = google_compute_instance.main[count.index].id
}
resource "google_compute_instance_template" "main" {
  name_prefix  = "main-"
  machine_type = var.kind
  disk {
    source_image = "debian-cloud/debian-12"
    boot         = true
  }
  network_interface {
    subnetwork = google_compute_subnetwork.main["b"].id
  }
  lifecycle {
    create_before_destroy = true
  }
}

output "addresses" {
  value = google_compute_instance.main[*].network_interface[0].access_config[0].nat_ip
}
output "machines" {
  value = google_compute_instance.main[*].instance_id
}
output "zones" {
  value = data.google_compute_zones.here.names
}
