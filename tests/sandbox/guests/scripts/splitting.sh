IFS=:; p='a:b::c'; set -- $p; echo $#; unset IFS; v=' a  b '; set -- $v; echo $#
