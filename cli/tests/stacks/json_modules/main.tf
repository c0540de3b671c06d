# step:
# step: -var=n=3
