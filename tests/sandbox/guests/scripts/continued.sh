echo a \
  b && \
echo c |
cat
