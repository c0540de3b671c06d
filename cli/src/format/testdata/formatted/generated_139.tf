long_name21 /* c */ = <<EOT
$${no}
EOT2
EOT
x110 = [for k in !{} # c
: {} ? { for k, v in {} : "s" => "s" } : x]

