"""The farm's model proxy: a door that parses a call, has it allowed, and streams the answer."""
