"""The engine: machines at clouds and the runtime on them, in plain Python."""
