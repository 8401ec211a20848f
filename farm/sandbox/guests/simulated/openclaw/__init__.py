"""The simulated runtime: a gateway that reads the config, persona and secrets of its guest."""
