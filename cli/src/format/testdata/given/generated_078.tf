
      for_each55  =f()
名前6=max(  "s"

	=={}... )  
