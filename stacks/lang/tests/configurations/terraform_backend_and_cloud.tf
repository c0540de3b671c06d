terraform {
  backend "local" {}
  cloud {
    organization = "o"
    workspaces {
      name = "w"
    }
  }
}
