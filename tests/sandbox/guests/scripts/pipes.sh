printf 'b\na\nb\n' | sort | uniq | tr a-z A-Z; echo hi | cat | (read v; echo "got $v"); false | true; echo $?; true | false; echo $?
