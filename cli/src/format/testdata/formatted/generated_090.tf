long_name74 = x
dynamic "bare" "label" {
} /* end */
é55        = <<-EOT
      $${no}${var[-1][*].id}
"quoted"
EOT
for_each59 = ""