a = "tests"
c = "tests"
e = "tests"
