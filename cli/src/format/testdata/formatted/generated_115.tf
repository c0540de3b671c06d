dynamic { type = [] } /* end */

a93 = {}