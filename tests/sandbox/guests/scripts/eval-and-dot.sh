x='echo $y'; y=5; eval $x; echo 'z=9' > f; . ./f; echo $z; command -v no-such || echo none
