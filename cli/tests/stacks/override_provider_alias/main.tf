# step: !
provider "terraform" {}
