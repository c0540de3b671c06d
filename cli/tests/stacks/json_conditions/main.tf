# step:
# step: ! -var=n=-1
# step: ! -var=n=20
# step: ! -var=n=50
