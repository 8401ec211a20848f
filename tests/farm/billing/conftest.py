"""Alice, Bob and Charlie, a cloud with prices, and the sandbox's model to think with."""

from tests.farm.agents.conftest import people

__all__ = ["people"]
