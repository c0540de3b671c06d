x {
} // end
dynamic "é" "é" {}
resource { # why
  名前0 = <<EOT
EOT2
  EOT
  é74 = { for k, v in true < 2.5 ? local.é : 1 : 2.5 =>
    x >= 2.5 &&
  x }
  # a line

} // end

