# first
echo a # not b
echo 'c # d' e#f

  # last
