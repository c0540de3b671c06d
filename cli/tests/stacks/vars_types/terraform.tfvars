z = null
