printf '#!/bin/sh\necho "$0 $1 $#"\n' > s; chmod +x s; ./s 'a b' c; sh s x; sh -c 'echo $0 $1' n m
