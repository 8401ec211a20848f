f() { echo "$1-$#"; return 4; echo no; }; f a 'b c'; echo $?; f; echo $#
