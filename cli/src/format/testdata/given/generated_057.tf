
é2= null &&[ /*é*/   ]
	x{} # end
