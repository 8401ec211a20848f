n=7; cat <<E; cat <<'E'; cat <<-E
val $n $((n*2)) `echo c`
E
raw $n
E
	tabs $n
	E
