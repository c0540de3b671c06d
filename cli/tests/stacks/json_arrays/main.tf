# step:
