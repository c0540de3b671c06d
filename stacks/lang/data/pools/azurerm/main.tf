# What an offer of a pool makes in Azure: machines with public addresses and, where none is given, a
# network for them. SSH is admitted from the addresses of `ssh_from` alone. How a
# machine is set up stands in ../machines.tf.

locals {
  makes_group = length(var.offer.security_groups) == 0
  subnet      = local.makes_network ? azurerm_subnet.network[0].id : var.offer.subnet

  # Azure itself chooses, where nobody does.
  zone_names = []

  # An interface has one security group.
  group = (
    local.makes_group ? azurerm_network_security_group.machine[0].id : var.offer.security_groups[0]
  )
}

resource "azurerm_resource_group" "machines" {
  name     = var.offer.name
  location = var.offer.region
  tags     = var.offer.tags

  lifecycle {
    ignore_changes = [name]
  }
}

resource "azurerm_virtual_network" "network" {
  count               = local.makes_network ? 1 : 0
  name                = "network"
  resource_group_name = azurerm_resource_group.machines.name
  location            = azurerm_resource_group.machines.location
  address_space       = ["10.0.0.0/16"]
  tags                = var.offer.tags
}

resource "azurerm_subnet" "network" {
  count                = local.makes_network ? 1 : 0
  name                 = "machines"
  resource_group_name  = azurerm_resource_group.machines.name
  virtual_network_name = azurerm_virtual_network.network[0].name
  address_prefixes     = ["10.0.0.0/20"]
}

resource "azurerm_network_security_group" "machine" {
  count               = local.makes_group ? 1 : 0
  name                = "machines"
  resource_group_name = azurerm_resource_group.machines.name
  location            = azurerm_resource_group.machines.location
  tags                = var.offer.tags
}

# What the network itself allows, Azure allows without a rule; all else it refuses.
resource "azurerm_network_security_rule" "ssh" {
  count                       = local.makes_group ? 1 : 0
  name                        = "ssh"
  description                 = "SSH from where weir runs"
  resource_group_name         = azurerm_resource_group.machines.name
  network_security_group_name = azurerm_network_security_group.machine[0].name
  priority                    = 100
  direction                   = "Inbound"
  access                      = "Allow"
  protocol                    = "Tcp"
  source_port_range           = "*"
  destination_port_range      = "22"
  source_address_prefixes     = local.ssh_from
  destination_address_prefix  = "*"
}

resource "azurerm_public_ip" "machine" {
  for_each            = var.offer.machines
  name                = each.value.host
  resource_group_name = azurerm_resource_group.machines.name
  location            = azurerm_resource_group.machines.location
  allocation_method   = "Static"
  sku                 = "Standard"
  zones               = each.value.zone == null ? null : [each.value.zone]
  tags                = var.offer.tags
}

resource "azurerm_network_interface" "machine" {
  for_each            = var.offer.machines
  name                = each.value.host
  resource_group_name = azurerm_resource_group.machines.name
  location            = azurerm_resource_group.machines.location
  tags                = var.offer.tags

  ip_configuration {
    name                          = "machine"
    subnet_id                     = local.subnet
    private_ip_address_allocation = "Dynamic"
    public_ip_address_id          = azurerm_public_ip.machine[each.key].id
  }
}

resource "azurerm_network_interface_security_group_association" "machine" {
  for_each                  = var.offer.machines
  network_interface_id      = azurerm_network_interface.machine[each.key].id
  network_security_group_id = local.group
}

resource "azurerm_linux_virtual_machine" "machine" {
  for_each              = var.offer.machines
  name                  = each.value.host
  computer_name         = each.value.host
  resource_group_name   = azurerm_resource_group.machines.name
  location              = azurerm_resource_group.machines.location
  size                  = each.value.type
  zone                  = each.value.zone
  network_interface_ids = [azurerm_network_interface.machine[each.key].id]
  custom_data           = base64encode(local.user_data[each.key])
  source_image_id       = var.offer.image.id
  priority              = var.offer.spot ? "Spot" : "Regular"
  eviction_policy       = var.offer.spot ? "Delete" : null
  tags                  = var.offer.tags

  # Azure wants a user of its own; weir logs in as root.
  admin_username                  = "azure"
  disable_password_authentication = true

  admin_ssh_key {
    username   = "azure"
    public_key = weir_ssh_key.login.public_key
  }

  os_disk {
    caching              = "ReadWrite"
    storage_account_type = "StandardSSD_LRS"
    # Images of Azure's marketplace have 30 GiB, and no disk may be smaller than its image.
    disk_size_gb = max(var.offer.disk, 30)
  }

  dynamic "source_image_reference" {
    for_each = var.offer.image.id == null ? [var.offer.image] : []
    content {
      publisher = source_image_reference.value.publisher
      offer     = source_image_reference.value.offer
      sku       = source_image_reference.value.sku
      version   = "latest"
    }
  }

  lifecycle {
    # A newer image, or another way to set a machine up, is for machines that are made from now on.
    ignore_changes = [source_image_id, source_image_reference, custom_data]
  }

  # Without a rule nobody could reach it.
  depends_on = [
    azurerm_network_interface_security_group_association.machine,
    azurerm_network_security_rule.ssh,
  ]
}

site "machines" {
  dynamic "host" {
    for_each = var.offer.machines
    labels   = [host.value.host]
    content {
      address      = azurerm_linux_virtual_machine.machine[host.key].public_ip_address
      host_key     = weir_ssh_key.host[host.key].public_key
      private_key  = weir_ssh_key.login.private_key
      boot_timeout = var.offer.boot_timeout
      labels = merge(var.offer.labels, { type = host.value.type }, (
        host.value.zone == null ? {} : { zone = host.value.zone }
      ))
    }
  }
}
