"""The base of rows that a worker drives, as every model here knows it."""

from farm.driven import Drivable

__all__ = ["Drivable"]
