# step:
output "json" { value = jsonencode({ b = [1, null, "<&>"], a = 1.50 }) }
output "yaml" { value = yamlencode({ b = [1, null, "x: y"], a = "1", c = {} }) }
output "back" { value = [jsondecode("{\"a\": [1, 2.50]}"), yamldecode("a: [1, 0x1f, ~]")] }
output "csv" { value = csvdecode("a,b\n1,\"x,y\"") }
output "url" { value = urlencode("a b&c/é") }
output "b64" { value = [base64encode("é"), base64decode("w6k="), textencodebase64("é", "UTF-16LE")] }
output "hash" { value = [md5("a"), sha1("a"), sha256("a"), base64sha512("a"), uuidv5("dns", "a.b")] }
