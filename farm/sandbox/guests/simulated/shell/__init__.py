"""A POSIX shell: read a script into a tree, expand its words, run it on a guest."""
