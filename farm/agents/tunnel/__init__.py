"""Opening an agent where there is no edge: a local port that leads to each agent's own gateway."""

from farm.agents.tunnel.door import run_tunnel

__all__ = ["run_tunnel"]
