%{ for x in l ~}
item ${x} ${v}
%{ endfor ~}
