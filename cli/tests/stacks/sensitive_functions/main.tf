# step:
# Terraform differs: an output that will be sensitive is planned as one here.
variable "secret" {
  default   = "hush"
  sensitive = true
}
resource "terraform_data" "r" {
  input = {
    upper  = upper(var.secret)
    length = length(var.secret)
    keys   = keys({ a = var.secret })
    lookup = lookup({ a = var.secret, b = "open" }, "b", "")
    merged = merge({ a = var.secret }, { b = 1 })
    joined = join("-", ["a", var.secret])
    json   = jsonencode({ a = var.secret })
    concat = concat(["a"], [var.secret])
    slice  = slice(["a", var.secret], 0, 1)
    set    = toset(["a", var.secret])
    elem   = element([var.secret, "b"], 1)
    is     = issensitive(var.secret)
    non    = nonsensitive(var.secret)
    plain  = nonsensitive("open")
  }
}
