# step:
output "nfc" { value = length("cafe\u0301") }
output "emoji" { value = [length("👨‍👩‍👧"), strrev("a👨‍👩‍👧b"), substr("👨‍👩‍👧ab", 0, 2)] }
output "case" { value = [upper("straße"), title("o'neil ǆ"), lower("İ")] }
output "regex" { value = [regexall("[a-z]+", "ab 1 cd"), regex("(?P<y>\\d+)-(?P<m>\\d+)", "2020-01")] }
output "replace" { value = [replace("a-b", "/(a)-(b)/", "$2-$1"), replace("a.b", ".", "/")] }
output "heredoc" {
  value = <<-EOT
    %{for x in ["a", "b"]~}
    - ${x}
    %{endfor~}
    end
  EOT
}
output "trim" { value = "a ${~ "b" ~} c" }
