x=path/to/file.tar.gz; echo ${x#*/} ${x##*/} ${x%.*} ${x%%.*} ${#x}; echo ${y:-unset} ${y-no} ${y:+set} ${x:+set}; : ${y:=given}; echo $y
