      long_name21=- x
é80  =	! 2.5/* end */
x "a b"  {  type=	{} *  2.5}// end
	bb89= "#"// end

      x154= <<-EOT
  "quoted"
% 5
  EOT
