e=; set -- a '' "$e" $e b; echo $#; for w in "$@"; do echo "<$w>"; done; set -- "$@" 'x y'; echo "$*"; IFS=,; echo "$*"
