touch b.x a.x c.y .h; echo *.x [ab]* '*' no*; echo "*"; for f in *.x; do echo $f; done
