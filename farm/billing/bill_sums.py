"""How exact parts become the cents of a bill: each rounded once, and nothing is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from farm.billing.transfers import CENT

LEAST_CENTS = 50
"""Stripe charges no card less than that; a smaller sum waits for the next bill."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one agent cost in one month, in micro-euros."""

    agent_uid: str
    name: str
    month: date
    machine: int
    ai: int
    fee: int

    @property
    def micros(self) -> int:
        """All of it."""
        return self.machine + self.ai + self.fee


@dataclass(frozen=True, slots=True)
class Item:
    """A part with its cents; that of no agent is what was brought over, and makes the sum exact."""

    part: Part
    micros: int
    cents: int


def items_of(parts: Sequence[Part], brought: int, month: date) -> Sequence[Item]:
    """The items of a bill: their cents differ from the exact sum by less than one, either way.

    `brought` is what is due, or was paid, besides. Where all of it is too little to be charged,
    the items cost nothing: everything is left over.
    """
    total = sum(part.micros for part in parts) + brought
    if total < LEAST_CENTS * CENT:
        cents = [0] * len(parts)
        rest = 0
    else:
        cents = [half_up(part.micros) for part in parts]
        rest = _towards_zero(total - sum(cents) * CENT)
    items = [Item(part, part.micros, one) for part, one in zip(parts, cents, strict=True)]
    if brought or rest:
        items.append(Item(Part("", "", month, 0, 0, 0), brought, rest))
    return items


def half_up(micros: int) -> int:
    """Whole cents, half a cent up."""
    return (micros + CENT // 2) // CENT


def _towards_zero(micros: int) -> int:
    return micros // CENT if micros >= 0 else -(-micros // CENT)
