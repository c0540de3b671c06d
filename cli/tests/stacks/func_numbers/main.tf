# step:
output "big" { value = 123456789012345678901234567890 + 1 }
output "tiny" { value = 1e-20 }
output "third" { value = 1 / 3 }
output "sum" { value = 0.1 + 0.2 }
output "pow" { value = [pow(2, 64), pow(2, 0.5), pow(10, -3)] }
output "log" { value = [log(8, 2), log(10, 3)] }
output "round" { value = [ceil(-1.5), floor(-1.5), ceil(1.2)] }
output "mod" { value = [-7 % 2, 7.5 % 2] }
output "text" { value = "${1e21} ${1e-7} ${100000000000000000000000}" }
output "parse" { value = [parseint("ff", 16), parseint("-zZ", 62)] }
resource "terraform_data" "r" { input = [1e21, 0.1, 1e-7, 12345678901234567890] }
