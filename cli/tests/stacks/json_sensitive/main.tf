# step:
# Terraform differs: it writes secrets into the JSON of a plan.
# step: -var=s=other
