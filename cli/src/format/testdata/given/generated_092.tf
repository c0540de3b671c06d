
      a18=	! "s"
x198= /* c */2.5  
      名前87	/* c */=<<EOT
  "quoted"
  EOT
x ""{   }// end
