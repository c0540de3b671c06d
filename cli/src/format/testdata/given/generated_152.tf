	x191 = var[ x ] . a # end
long_name23 = module[ "k" ][0] [ * ]
a85  =<<-EOT
é${~x	!= var[ x ][ - 1 ].0~}
      % 5
EOT
a80 = ""  
      x119 = [	
true // c 
==-var.a /*é*/ ,	]// end
  é94 =- {}
