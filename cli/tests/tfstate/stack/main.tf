terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
variable "endpoint" {}
variable "password" {
  default   = "hush-hush"
  sensitive = true
}
provider "aws" {
  region                      = "eu-central-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
  s3_use_path_style           = true
  endpoints {
    ec2            = var.endpoint
    s3             = var.endpoint
    iam            = var.endpoint
    sqs            = var.endpoint
    sns            = var.endpoint
    ssm            = var.endpoint
    dynamodb       = var.endpoint
    sts            = var.endpoint
    secretsmanager = var.endpoint
    cloudwatchlogs = var.endpoint
  }
}
provider "aws" {
  alias                       = "west"
  region                      = "us-west-2"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
  endpoints {
    sqs = var.endpoint
    sns = var.endpoint
    sts = var.endpoint
  }
}
module "net" {
  source   = "./net"
  for_each = { "eu" = "10.1.0.0/16", "us.east" = "10.2.0.0/16" }
  cidr     = each.value
  name     = each.key
}
module "west" {
  source    = "./queues"
  providers = { aws = aws.west }
}
resource "aws_ssm_parameter" "p" {
  count = 60
  name  = "/app/p${count.index}"
  type  = count.index % 2 == 0 ? "String" : "SecureString"
  value = "${var.password}-${count.index}"
}
resource "aws_sqs_queue" "q" {
  for_each = toset([for i in range(30) : "q-${i}"])
  name     = each.key
  tags     = { vpc = module.net["eu"].vpc }
}
resource "aws_sns_topic" "t" {
  count = 20
  name  = "t-${count.index}"
}
resource "aws_sns_topic_subscription" "s" {
  count     = 20
  topic_arn = aws_sns_topic.t[count.index].arn
  protocol  = "sqs"
  endpoint  = aws_sqs_queue.q["q-${count.index}"].arn
}
data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}
resource "aws_iam_role" "r" {
  count              = 12
  name               = "role-${count.index}"
  assume_role_policy = data.aws_iam_policy_document.assume.json
}
resource "aws_iam_role_policy" "rp" {
  count  = 12
  role   = aws_iam_role.r[count.index].name
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "sqs:*", Resource = aws_sqs_queue.q["q-1"].arn }] })
}
resource "aws_dynamodb_table" "d" {
  count        = 5
  name         = "d-${count.index}"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "id"
  attribute {
    name = "id"
    type = "S"
  }
}
resource "aws_secretsmanager_secret" "s" {
  count = 6
  name  = "secret-${count.index}"
}
resource "aws_secretsmanager_secret_version" "v" {
  count         = 6
  secret_id     = aws_secretsmanager_secret.s[count.index].id
  secret_string = jsonencode({ user = "app", password = var.password })
}
resource "aws_s3_bucket" "b" {
  count  = 6
  bucket = "weir-bucket-${count.index}"
  lifecycle { create_before_destroy = true }
}
resource "aws_s3_object" "o" {
  count   = 6
  bucket  = aws_s3_bucket.b[count.index].bucket
  key     = "k"
  content = var.password
}
resource "terraform_data" "mark" {
  input = { n = 1.50, big = 12345678901234567890, list = ["a", 1, true, null], nested = { secret = var.password } }
}
check "there" {
  assert {
    condition     = length(aws_sqs_queue.q) > 0
    error_message = "No queues."
  }
}
output "vpcs" { value = { for k, n in module.net : k => n.vpc } }
output "password" {
  value     = var.password
  sensitive = true
}
output "mixed" { value = [1, "a", true, null, { x = 1.5 }] }
output "nothing" { value = null }
