x197 /* c */ = !2.5 # end
long_name67  = module.a[-1]["k"][*]
x14 /*é*/    = provider::x::y({}...) # end
/* a
  block */
