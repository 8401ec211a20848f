printf 'a b c\nd\n' | while read x y; do echo "$x,$y"; done; printf 'p:q\n' | { IFS=: read a b; echo $b; }
