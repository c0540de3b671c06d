# step:
variable "v" {
  type = object({
    servers = optional(list(object({
      name = optional(string, "srv")
      port = optional(number, 80)
      tags = optional(map(string), { env = "dev" })
      disk = optional(object({
        size = optional(number, 10)
        type = optional(string, "ssd")
      }), {})
    })), [{}, { name = "b", port = null }])
    any = optional(any, 1)
  })
  default = {}
}
output "v" { value = var.v }
