# What an offer of a pool makes in AWS: machines with public addresses and, where none is given, a
# network for them. SSH is admitted from the addresses of `ssh_from` alone. How a
# machine is set up stands in ../machines.tf.

locals {
  makes_group = length(var.offer.security_groups) == 0
  tags        = merge({ Name = var.offer.name }, var.offer.tags)

  # Where a machine stands that no zone was chosen for: zones in turn.
  zone_names = local.makes_network ? data.aws_availability_zones.here[0].names : []
  zones = {
    for number, machine in var.offer.machines : number => (
      machine.zone != null ? machine.zone
      : element(local.free_zones, tonumber(number) % length(local.free_zones))
    ) if local.makes_network
  }
  subnets = local.makes_network ? {
    for number, zone in local.zones : number => aws_subnet.network[zone].id
  } : { for number, machine in var.offer.machines : number => var.offer.subnet }
}

data "aws_availability_zones" "here" {
  count = local.makes_network ? 1 : 0
  state = "available"

  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

data "aws_ami" "image" {
  count       = var.offer.image.id == null ? 1 : 0
  owners      = [var.offer.image.owner]
  most_recent = true

  filter {
    name   = "name"
    values = [var.offer.image.name]
  }
}

resource "aws_vpc" "network" {
  count                = local.makes_network ? 1 : 0
  cidr_block           = "10.0.0.0/16"
  enable_dns_hostnames = true
  tags                 = local.tags
}

resource "aws_internet_gateway" "network" {
  count  = local.makes_network ? 1 : 0
  vpc_id = aws_vpc.network[0].id
  tags   = local.tags
}

resource "aws_route_table" "network" {
  count  = local.makes_network ? 1 : 0
  vpc_id = aws_vpc.network[0].id
  tags   = local.tags
}

resource "aws_route" "internet" {
  count                  = local.makes_network ? 1 : 0
  route_table_id         = aws_route_table.network[0].id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.network[0].id
}

resource "aws_subnet" "network" {
  for_each          = toset(values(local.zones))
  vpc_id            = aws_vpc.network[0].id
  availability_zone = each.key
  # By the last letter of the zone: the same for ever, whatever other zones come and go.
  cidr_block = cidrsubnet(aws_vpc.network[0].cidr_block, 5, (
    index(split("", "abcdefghijklmnopqrstuvwxyz"), substr(each.key, -1, 1))
  ))
  map_public_ip_on_launch = true
  tags                    = local.tags
}

resource "aws_route_table_association" "network" {
  for_each       = aws_subnet.network
  subnet_id      = each.value.id
  route_table_id = aws_route_table.network[0].id
}

data "aws_subnet" "given" {
  count = local.makes_group && !local.makes_network ? 1 : 0
  id    = var.offer.subnet
}

resource "aws_security_group" "machine" {
  count       = local.makes_group ? 1 : 0
  name_prefix = "${var.offer.name}-"
  description = "SSH from where weir runs, everything among the machines"
  vpc_id      = local.makes_network ? aws_vpc.network[0].id : data.aws_subnet.given[0].vpc_id
  tags        = local.tags

  lifecycle {
    ignore_changes = [name_prefix]
  }
}

resource "aws_vpc_security_group_ingress_rule" "ssh" {
  for_each          = local.makes_group ? toset(local.ssh_from) : toset([])
  security_group_id = aws_security_group.machine[0].id
  description       = "SSH from where weir runs"
  ip_protocol       = "tcp"
  from_port         = 22
  to_port           = 22
  cidr_ipv4         = strcontains(each.key, ":") ? null : each.key
  cidr_ipv6         = strcontains(each.key, ":") ? each.key : null
}

resource "aws_vpc_security_group_ingress_rule" "among" {
  count                        = local.makes_group ? 1 : 0
  security_group_id            = aws_security_group.machine[0].id
  ip_protocol                  = "-1"
  referenced_security_group_id = aws_security_group.machine[0].id
}

resource "aws_vpc_security_group_egress_rule" "all" {
  count             = local.makes_group ? 1 : 0
  security_group_id = aws_security_group.machine[0].id
  ip_protocol       = "-1"
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_key_pair" "login" {
  key_name_prefix = "${var.offer.name}-"
  public_key      = weir_ssh_key.login.public_key
  tags            = local.tags

  lifecycle {
    ignore_changes = [key_name_prefix]
  }
}

resource "aws_instance" "machine" {
  for_each                    = var.offer.machines
  ami                         = var.offer.image.id != null ? var.offer.image.id : data.aws_ami.image[0].id
  instance_type               = each.value.type
  availability_zone           = lookup(local.zones, each.key, null)
  subnet_id                   = local.subnets[each.key]
  associate_public_ip_address = true
  vpc_security_group_ids = (
    local.makes_group ? [aws_security_group.machine[0].id] : var.offer.security_groups
  )
  key_name  = aws_key_pair.login.key_name
  user_data = local.user_data[each.key]
  tags      = merge(local.tags, { Name = each.value.host })

  root_block_device {
    volume_size = var.offer.disk
    volume_type = "gp3"
    encrypted   = true
  }

  metadata_options {
    http_endpoint = "enabled"
    http_tokens   = "required"
  }

  dynamic "instance_market_options" {
    for_each = var.offer.spot ? ["spot"] : []
    content {
      market_type = instance_market_options.value
    }
  }

  lifecycle {
    # A newer image, or another way to set a machine up, is for machines that are made from now on.
    ignore_changes = [ami, user_data]
  }

  # Without a way out it could not be set up.
  depends_on = [aws_route.internet, aws_route_table_association.network]
}

site "machines" {
  dynamic "host" {
    for_each = var.offer.machines
    labels   = [host.value.host]
    content {
      address      = aws_instance.machine[host.key].public_ip
      host_key     = weir_ssh_key.host[host.key].public_key
      private_key  = weir_ssh_key.login.private_key
      boot_timeout = var.offer.boot_timeout
      labels = merge(var.offer.labels, { type = host.value.type }, (
        local.makes_network ? { zone = local.zones[host.key] } : {}
      ))
    }
  }
}
