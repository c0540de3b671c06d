resource{


  a45  =module[ - 1 ][0].a.*.id/* end */
      resource 	"a b"  "label"{
	//a line 
  variable ""{
  }/* end */
      dynamic bare{ }
for_each19=f()
}
  }
each-key63 =  { } # end
      each-key86=[for k,v in ""// c 
:"${  2.5~}"  if é[ "k" ].0]// end
      名前26=<<EOT
EOT
	variable  "é" bare{

}
