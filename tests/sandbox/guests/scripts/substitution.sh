x=$(printf 'a\n\n'; exit 5); echo "$? [$x]"; echo `echo \`echo deep\``; echo "$(echo "in ner")" $(echo two  words)
