x174 = {
}
bb62 = "\"text${x /* c */ >= f()~}"
名前37 = local.é