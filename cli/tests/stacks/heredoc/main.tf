# step:
# step: -var=v=2

variable "v" { default = 1 }
resource "terraform_data" "a" {
  input = <<-EOT
    line ${var.v}
      indented
    %{if var.v == 1}one%{else}other%{endif}
  EOT
}
output "o" { value = terraform_data.a.output }
