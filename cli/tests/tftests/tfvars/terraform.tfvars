a = "root"
b = "root"
d = "root"
