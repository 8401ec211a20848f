"""The product: a farm of agents for a team."""
