# Every resource type of Azure, twice where that makes a difference.
stack "azure" {}

variable "size" {
  type    = string
  default = "Standard_B1s"
}
variable "machines" {
  type    = number
  default = 2
}
variable "data" {
  type    = string
  default = "#cloud-config\n"
}
variable "key" {
  type    = string
  default = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK0wmN/Cr3JXqmLW7u+g9pTh+wyqDHpSQEIQczXkVx9q weir"
}

provider "azurerm" {
  features {}
}

locals {
  tags = { team = "platform" }
}

resource "azurerm_resource_group" "main" {
  name     = "weir"
  location = "West Europe"
  tags     = local.tags
}
resource "azurerm_virtual_network" "main" {
  name                = "net"
  resource_group_name = azurerm_resource_group.main.name
  location            = azurerm_resource_group.main.location
  address_space       = ["10.0.0.0/16"]
  tags                = local.tags
}
resource "azurerm_subnet" "main" {
  for_each             = { a = 1, b = 2, c = 3 }
  name                 = each.key
  resource_group_name  = azurerm_resource_group.main.name
  virtual_network_name = azurerm_virtual_network.main.name
  address_prefixes     = [cidrsubnet("10.0.0.0/16", 8, each.value)]
}
resource "azurerm_network_security_group" "main" {
  name                = "sec"
  resource_group_name = azurerm_resource_group.main.name
  location            = azurerm_resource_group.main.location
}
resource "azurerm_network_security_rule" "main" {
  for_each                    = { ssh = 22, web = 443 }
  name                        = each.key
  priority                    = each.value + 100
  direction                   = "Inbound"
  access                      = "Allow"
  protocol                    = "Tcp"
  source_port_range           = "*"
  destination_port_range      = tostring(each.value)
  source_address_prefix       = "*"
  destination_address_prefix  = "*"
  resource_group_name         = azurerm_resource_group.main.name
  network_security_group_name = azurerm_network_security_group.main.name
}
resource "azurerm_subnet_network_security_group_association" "main" {
  subnet_id                 = azurerm_subnet.main["a"].id
  network_security_group_id = azurerm_network_security_group.main.id
}
resource "azurerm_public_ip" "main" {
  count               = var.machines
  name                = "ip${count.index}"
  resource_group_name = azurerm_resource_group.main.name
  location            = azurerm_resource_group.main.location
  allocation_method   = "Static"
}
resource "azurerm_network_interface" "main" {
  count               = var.machines
  name                = "nic${count.index}"
  resource_group_name = azurerm_resource_group.main.name
  location            = azurerm_resource_group.main.location
  ip_configuration {
    name                          = "main"
    subnet_id                     = azurerm_subnet.main["a"].id
    private_ip_address_allocation = "Dynamic"
    public_ip_address_id          = azurerm_public_ip.main[count.index].id
  }
}
resource "azurerm_network_interface_security_group_association" "main" {
  count                     = var.machines
  network_interface_id      = azurerm_network_interface.main[count.index].id
  network_security_group_id = azurerm_network_security_group.main.id
}
resource "azurerm_proximity_placement_group" "main" {
  name                = "near"
  resource_group_name = azurerm_resource_group.main.name
  location            = azurerm_resource_group.main.location
}
resource "azurerm_availability_set" "main" {
  name                         = "set"
  resource_group_name          = azurerm_resource_group.main.name
  location                     = azurerm_resource_group.main.location
  proximity_placement_group_id = azurerm_proximity_placement_group.main.id
}
resource "azurerm_ssh_public_key" "main" {
  name                = "key"
  resource_group_name = azurerm_resource_group.main.name
  location            = azurerm_resource_group.main.location
  public_key          = var.key
}
data "azurerm_platform_image" "debian" {
  location  = "westeurope"
  publisher = "Debian"
  offer     = "debian-12"
  sku       = "12-gen2"
}
resource "azurerm_linux_virtual_machine" "main" {
  count                        = var.machines
  name                         = "vm${count.index}"
  resource_group_name          = azurerm_resource_group.main.name
  location                     = azurerm_resource_group.main.location
  size                         = var.size
  admin_username               = "weir"
  network_interface_ids        = [azurerm_network_interface.main[count.index].id]
  availability_set_id          = azurerm_availability_set.main.id
  proximity_placement_group_id = azurerm_proximity_placement_group.main.id
  custom_data                  = base64encode(var.data)
  tags                         = local.tags
  admin_ssh_key {
    username   = "weir"
    public_key = azurerm_ssh_public_key.main.public_key
  }
  os_disk {
    caching              = "ReadWrite"
    storage_account_type = "Standard_LRS"
  }
  source_image_reference {
    publisher = "Debian"
    offer     = "debian-12"
    sku       = "12-gen2"
    version   = data.azurerm_platform_image.debian.version
  }
}
resource "azurerm_managed_disk" "main" {
  count                = var.machines
  name                 = "data${count.index}"
  resource_group_name  = azurerm_resource_group.main.name
  location             = azurerm_resource_group.main.location
  storage_account_type = "Standard_LRS"
  create_option        = "Empty"
  disk_size_gb         = 8
}
resource "azurerm_virtual_machine_data_disk_attachment" "main" {
  count              = var.machines
  managed_disk_id    = azurerm_managed_disk.main[count.index].id
  virtual_machine_id = azurerm_linux_virtual_machine.main[count.index].id
  lun                = 0
  caching            = "None"
}
output "addresses" {
  value = azurerm_linux_virtual_machine.main[*].public_ip_address
}
output "machines" {
  value = azurerm_linux_virtual_machine.main[*].virtual_machine_id
}
