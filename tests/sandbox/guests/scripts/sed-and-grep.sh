printf 'a=1\nb=2\n#c\n' > f; sed -i 's/^a=.*/a=9/; /^#/d' f; cat f; grep -c = f; grep -q b f && echo found; grep -v a f; sed -n 2p f; sed 's/[0-9]\+/<&>/g' f; grep -E '^(a|z)=' f
