# step:
locals {
  d = "${path.module}/d"
}
output "hashes" {
  value = [
    filemd5("${local.d}/x.txt"), filesha1("${local.d}/x.txt"), filesha256("${local.d}/x.txt"),
    filesha512("${local.d}/x.txt"), filebase64sha256("${local.d}/x.txt"), filebase64sha512("${local.d}/x.txt"),
    filemd5("${local.d}/bytes.bin"), filesha256("${local.d}/e/empty.bin"),
  ]
}
output "base64" { value = [filebase64("${local.d}/bytes.bin"), filebase64("${local.d}/e/empty.bin")] }
output "exists" { value = [fileexists("${local.d}/x.txt"), fileexists("${local.d}/none"), fileexists("d/./x.txt")] }
output "sets" {
  value = [
    fileset(local.d, "*"), fileset(local.d, "**"), fileset(local.d, "**/*.{json,bin}"), fileset(local.d, "?.txt"),
    fileset(local.d, "[a-x].t*"), fileset("${path.module}/none", "*"), fileset(local.d, "e"), fileset(path.module, "d/e/*"),
  ]
}
output "text" { value = [file("${local.d}/x.txt"), file("${local.d}/e/y.json")] }
output "template" { value = templatefile("${local.d}/t.tpl", { m = { b = 2, a = true } }) }
output "sensitive" {
  value     = filesha1(sensitive("${path.module}/d/x.txt"))
  sensitive = true
}
output "refused" {
  value = [
    can(file("${local.d}/none")), can(file("${local.d}/bytes.bin")), can(file(local.d)), can(filemd5("${local.d}/none")),
    can(templatefile("${local.d}/self.tpl", {})), can(templatefile("${local.d}/undefined.tpl", {})),
    can(templatefile("${local.d}/t.tpl", { m = {}, "not a name" = 1 })), can(templatefile("${local.d}/t.tpl", "text")),
    can(fileset(local.d, "[")), can(fileexists(local.d)), can(filebase64("${local.d}/none")), can(filesha512(local.d)),
  ]
}
