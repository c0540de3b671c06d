run "x" {
command=plan
variables{
a=1
bbb=2
}
assert{
condition=output.a==1
error_message="no"
}
}
