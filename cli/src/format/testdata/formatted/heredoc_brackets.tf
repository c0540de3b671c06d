a = [<<E
${[for x in y :
x]}
E
]
b = 1
