# step: -var=l=["a","b"] -var=m={x=1,y=2} -var=o={n="x"} -var=t=plain -var=s=["b","a","b"]
# step: -var=l=["${1+1}"] -var=m={} -var=o={n=5,p=7} -var=t=[1] -var=s=[]
# step: ! -var=l=plain -var=m={} -var=o={n=5} -var=t=x -var=s=[]
# step: ! -var=l=[] -var=m={x=1 -var=o={n=5} -var=t=x -var=s=[]
# step: ! -var=l=[] -var=m={} -var=o={} -var=t=x -var=s=[]
variable "l" { type = list(string) }
variable "m" { type = map(number) }
variable "o" { type = object({ n = string, p = optional(number, 3) }) }
variable "t" {}
variable "s" { type = set(string) }
output "o" { value = [var.l, var.m, var.o, var.t, var.s] }
