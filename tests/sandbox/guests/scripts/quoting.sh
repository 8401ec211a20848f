a='x  y'; echo $a; echo "$a" '$a' "\$a" a\ b "it's"; printf '%s|' "$a" 'b"c'
