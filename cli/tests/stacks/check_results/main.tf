# What conditions come to, in plan and state.
#
# step:
# step: -var=v=q
variable "v" { 
  default = "x" 
  validation {
    condition = length(var.v) > 0
    error_message = "empty"
  }
}
resource "terraform_data" "a" {
  input = "x"
  lifecycle {
    postcondition {
      condition = self.output == "x"
      error_message = "post ${self.output}"
    }
  }
}
resource "terraform_data" "b" {
  count = 2
  lifecycle {
    precondition {
      condition = var.v != "no"
      error_message = "pre"
    }
  }
}
resource "terraform_data" "each" {
  for_each = toset(["k"])
  lifecycle {
    precondition {
      condition = var.v != "no"
      error_message = "pre"
    }
  }
}
resource "terraform_data" "none" {
  count = 0
  lifecycle {
    precondition {
      condition = var.v != "no"
      error_message = "pre"
    }
  }
}
check "fails" {
  assert {
    condition = var.v == "q"
    error_message = "v is ${var.v}"
  }
  assert {
    condition = terraform_data.a.output == "x"
    error_message = "a"
  }
}
check "unknown" {
  assert {
    condition = terraform_data.a.id != "x"
    error_message = "a"
  }
}
check "err" {
  assert {
    condition = terraform_data.a.input == null
    error_message = "a"
  }
}
output "o" {
  value = terraform_data.a.output
  precondition {
    condition = terraform_data.a.output != "z"
    error_message = "o"
  }
}
module "m" {
  source = "./m"
  count = 1
}
