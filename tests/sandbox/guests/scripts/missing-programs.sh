no-such-program; echo $?; ./no-such-file; echo $?; touch plain; ./plain; echo $?
