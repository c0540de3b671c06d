  é99 = <<EOT
  EOT
名前92=	var.a
  名前5=  {}  
      resource{
	名前53= var[ "k" ].*.id
}  
