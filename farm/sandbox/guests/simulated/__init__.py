"""Guests that live in this process: files, users, units and keys as state behind real SSH."""

from farm.sandbox.guests.simulated.kind import SimulatedGuests
from farm.sandbox.guests.simulated.timings import Timings

__all__ = ["SimulatedGuests", "Timings"]
