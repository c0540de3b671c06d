# step: !
locals { a = 1 }
