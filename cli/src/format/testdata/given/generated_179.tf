x170=  provider::x::y(var.a... )
  /* a
  block */
x ""{

	long_name32=	<<EOT
EOT
} # end
