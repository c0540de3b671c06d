x "" {}
x176 = "s" != !2.5
each-key31 = [/* c */ for k, v in((1)) : (
  [for k, v in 1e3 : ""]) if[for k, v in f() : {

for k, v in 1e3 : true => var.a... }]]
a50 = max({} % var.a) // end
