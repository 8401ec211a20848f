"""Which rung of a ladder a machine is asked for on, and why on none above it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from farm.agents.models import PlacingReason
from farm.agents.placement import Rung, ladder
from farm.agents.projects import closed_clouds, full_clouds
from farm.billing.prices import Rate
from farm.catalog import Plan, Region


@dataclass(frozen=True, slots=True)
class Passed:
    """A rung that was not taken, and why."""

    rung: Rung
    why: PlacingReason

    @property
    def line(self) -> str:
        """As a placing keeps it."""
        rung = self.rung
        return f"{rung.provider} {rung.server_type} {rung.location} {self.why}"


@dataclass(frozen=True, slots=True)
class Choice:
    """The rung to take, None while there is none; what is cheaper or comes earlier was passed."""

    rung: Rung | None
    passed: Sequence[Passed]

    @property
    def why(self) -> PlacingReason:
        """Whether it is the first of its ladder."""
        return PlacingReason.NEXT if self.passed else PlacingReason.FIRST


def choose(
    plan: Plan,
    region: Region,
    agreed: Rate,
    failures: Callable[[Rung], int] = lambda _: 0,
    fits: Callable[[Rung], bool] = lambda _: True,
) -> Choice:
    """The cheapest rung that is free by its cloud's list, for no more than was agreed to.

    Clouds that make no machines for us come last, to wait there; and so does, as often as a
    machine did not come up on it (`failures`), a rung. Only rungs that it `fits` count.
    """
    rungs, closed = [rung for rung in ladder(plan, region) if fits(rung)], closed_clouds()
    free = [rung for rung in rungs if rung.available and rung.within(agreed)]
    best = min(
        free,
        key=lambda rung: (rung.provider in closed, failures(rung), rungs.index(rung)),
        default=None,
    )
    above, full = rungs if best is None else rungs[: rungs.index(best)], full_clouds()
    return Choice(best, [Passed(rung, _why_not(rung, agreed, full)) for rung in above])


def _why_not(rung: Rung, agreed: Rate, full: Collection[str]) -> PlacingReason:
    if not rung.available:
        return PlacingReason.SOLD_OUT
    if not rung.within(agreed):
        return PlacingReason.DEARER
    return PlacingReason.FULL if rung.provider in full else PlacingReason.FAILED
