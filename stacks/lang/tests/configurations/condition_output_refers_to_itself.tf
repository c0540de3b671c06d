output "o" {
  value = 1
  precondition {
    condition     = output.o == 1
    error_message = "no"
  }
}
