a=1 sh -c 'echo $a'; b=2; sh -c 'echo [$b]'; export b; sh -c 'echo [$b]'; c=3 true; echo [$c]
