a = "setup"
b = "setup"
