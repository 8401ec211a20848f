"""What a sandbox is asked to be, and the sentence it ends with when it cannot."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class SandboxError(Exception):
    """The sandbox cannot start or go on; the message is a sentence that says what to do."""


class GuestsWish(StrEnum):
    """Which kind of machines stand behind its clouds: GUESTS in the environment."""

    AUTO = "auto"
    REAL = "real"
    SIMULATED = "simulated"


@dataclass(frozen=True, slots=True)
class Ports:
    """A TCP port for each service; 0 is the one of the last start, or a free one at the first."""

    hetzner: int = 0
    scaleway: int = 0
    model: int = 0
    telegram: int = 0
    slack: int = 0
    stripe: int = 0
    relay: int = 0
    smtp: int = 0
    mailbox: int = 0
    control: int = 0


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """`state` keeps what must survive a stop; `cache` keeps built guest images for all sandboxes.

    `relay` is where the farm's relay listens on this machine; "" for a farm without one. `webhooks`
    is where the farm takes Stripe's; "" leaves it as it was at the last start.
    With `farm_inside` clouds and mail answer among the guests too, for a farm on one of them.
    With `as_json` standard output gets the one line that programs read, else a table for people.
    """

    state: Path
    cache: Path
    guests: GuestsWish = GuestsWish.AUTO
    ports: Ports = field(default_factory=Ports)
    speed: float = 1.0
    relay: str = ""
    webhooks: str = ""
    farm_inside: bool = False
    as_json: bool = False
