terraform {
  require_version = "1.0"
}
