# step:
# step: -var=n=2
