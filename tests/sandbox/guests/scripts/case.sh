for w in a.txt b 'c d' ''; do case $w in *.txt) echo text;; b|'c d') echo "<$w>";; *) echo other;; esac; done
