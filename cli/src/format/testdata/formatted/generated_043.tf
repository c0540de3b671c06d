
each-key56 = module["k"].a                 // end
long_name28 = max(/*é*/ "${~null~}", -true # c
)
