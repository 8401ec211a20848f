echo one > f; echo two >> f; cat < f; cat f missing 2> err; wc -l < f; { echo a; echo b >&2; } > out 2>&1; cat out; echo x 2>&1 >/dev/null; : > f; test -s f || echo empty
