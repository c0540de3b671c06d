# step: !
