terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
resource "aws_sqs_queue" "w" {
  count = 10
  name  = "w-${count.index}"
}
