a = <<E
%{for x in y~}
${x}
%{endfor~}
  %{if a}  b %{else}  c %{endif}
$${ no }  %%{ no }
E
b = 1
