a = "one"
c = { x = ["1"] }
