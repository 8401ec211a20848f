"""Real guests: Debian systems booted by systemd-nspawn on one network of their own."""

from __future__ import annotations

from farm.sandbox.guests.real.guests import RealGuests
from farm.sandbox.guests.real.probe import PACKAGES, Verdict, probe

__all__ = ["PACKAGES", "RealGuests", "Verdict", "probe"]
