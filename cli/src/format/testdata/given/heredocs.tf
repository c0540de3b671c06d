a = <<EOT
  keep   this
EOT
b=<<-EOT
      keep   this
        ${  x  }
  EOT
c {
d = <<E
x
E
e=1
ff=2
}
