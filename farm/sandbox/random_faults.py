"""Faults at random: which call suffers which one follows from a seed, and from the call alone."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from farm.sandbox.faults import Call, Fault
from farm.sandbox.named_faults import AT_CLOUDS_ALONE, Cloud, FaultName, Wish, fault_of

MENDED = (
    FaultName.RATE_LIMIT,
    FaultName.SOLD_OUT,
    FaultName.SERVER_ERROR,
    FaultName.SERVER_ERROR_AFTER,
    FaultName.BAD_GATEWAY,
    FaultName.BAD_GATEWAY_AFTER,
    FaultName.RESET_BEFORE,
    FaultName.RESET_AFTER,
    FaultName.ACTION_FAILS,
    FaultName.SSH_DIES,
)
"""What mends itself and is over at once: what is drawn from unless others are named."""


@dataclass(slots=True)
class Chance:
    """A `share` (0..1) of all calls suffers one of `names`, by `seed`.

    The n-th call of one wording has the same fate whatever comes between: workers that call at
    the same time do not change it. A 429 is over after `seconds`.
    """

    seed: int
    share: float
    names: Sequence[FaultName] = MENDED
    seconds: float = 2.0
    struck: int = 0
    _seen: Counter[tuple[str, str]] = field(default_factory=Counter)

    def draw(self, call: Call) -> Fault | None:
        """What this call suffers, if anything."""
        key = (call.kind, call.detail)
        self._seen[key] += 1
        dice = random.Random(f"{self.seed} {call.kind} {call.detail} {self._seen[key]}")  # noqa: S311 - no secret
        fitting = [fault for name in self.names if (fault := self._fault(name, call))]
        if not fitting or dice.random() >= self.share:
            return None
        self.struck += 1
        return dice.choice(fitting)

    def _fault(self, name: FaultName, call: Call) -> Fault | None:
        cloud = Cloud(call.kind) if call.kind in tuple(Cloud) else Cloud.HETZNER
        if cloud is Cloud.STRIPE and name in AT_CLOUDS_ALONE:
            return None
        fault = fault_of(Wish(name, cloud, seconds=self.seconds))
        return fault if fault.fits(call) else None
