/* a
  block */
	# a line
      resource{ b =""}  
