"""How long things take on a simulated guest, in seconds of the sandbox's clock."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timings:
    """Small by default, so that a test suite lives through a thousand boots."""

    boot: float = 0.02
    halt: float = 0.02
    download: float = 0.005
    install: float = 0.02
    gateway: float = 0.05
    poll: float = 5.0
    """How long one Telegram long poll may last."""
    code: float = 20.0
    """How long a code for WhatsApp is shown."""
