terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
variable "cidr" {}
variable "name" {}
resource "aws_vpc" "v" {
  cidr_block = var.cidr
  tags       = { Name = var.name }
}
resource "aws_subnet" "s" {
  count      = 4
  vpc_id     = aws_vpc.v.id
  cidr_block = cidrsubnet(var.cidr, 4, count.index)
}
resource "aws_security_group" "g" {
  for_each = toset(["web", "db"])
  name     = "${var.name}-${each.key}"
  vpc_id   = aws_vpc.v.id
}
resource "aws_security_group_rule" "in" {
  for_each          = aws_security_group.g
  type              = "ingress"
  from_port         = 443
  to_port           = 443
  protocol          = "tcp"
  cidr_blocks       = [var.cidr]
  security_group_id = each.value.id
}
output "vpc" { value = aws_vpc.v.id }
