"""How a service says no; the same word as in the room of accounts."""

from farm.accounts.refusals import Refused

__all__ = ["Refused"]
