"""The machines behind the sandbox's clouds: one Protocol, a real and a simulated kind."""
