# step:
output "plan" { value = length(formatdate("YYYY-MM-DD", plantimestamp())) }
resource "terraform_data" "now" {
  input            = length(timestamp())
  lifecycle { ignore_changes = [input] }
}
output "added" { value = timeadd("2020-02-28T23:00:00Z", "26h30m") }
output "cmp" { value = timecmp("2020-01-01T00:00:00Z", "2020-01-01T01:00:00+01:00") }
output "format" { value = formatdate("EEEE, DD MMM YYYY hh:mm:ss ZZZ", "2020-01-02T03:04:05+02:00") }
