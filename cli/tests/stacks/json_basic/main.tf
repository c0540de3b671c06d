# step:
# step: -var=size=3
