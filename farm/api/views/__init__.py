"""One file per sort of thing."""
