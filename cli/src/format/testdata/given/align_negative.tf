a=[1
]
b=1
cc=2
