"""What a nap saves: the same machine gone on with, beside one that ends, is kept, and begins again.

Pure, and in what the cloud charges: a payer pays no more than that, and no more than agreed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from farm.billing.prices import Rate
from farm.billing.rule import begin_of, month_of, next_month
from farm.billing.stays import HOUR

LONGEST_HOURS = 31 * 24
USUAL_MONTH_HOURS = 30 * 24
SHORTEST_MONTH_HOURS = 28 * 24


@dataclass(frozen=True, slots=True)
class Part:
    """What of a machine ends while it sleeps, and what it has cost in this month so far.

    Waking makes it anew: of a monthly price all is to be paid again.
    """

    rate: Rate
    so_far_micros: int


@dataclass(frozen=True, slots=True)
class Nap:
    """A machine that could go to sleep at `at`; `kept` is what its copy costs, if one is made.

    What goes on all the while, such as a disk and an address of its own, is in neither.
    """

    at: datetime
    parts: tuple[Part, ...]
    kept: Rate | None

    def saves(self, hours: int) -> int:
        """Micro-units that so many hours asleep save if it is awake from then to its month's end.

        Less than nothing where it costs. The hour in which it falls asleep is charged for in full,
        and waking begins one; what is left of a month's price is lost with its machine.
        """
        months = list(_months(self.at, self.at + hours * HOUR))
        awake = sum(_gone_on(part, months) for part in self.parts)
        again = sum(_capped(part.rate, sum(months) - hours, 0) for part in self.parts)
        return awake - again - _keeping(self.kept, hours)

    def saves_monthly(self, hours: int, naps: int) -> int:
        """What a month saves in which it sleeps so many hours, in so many naps, such as nights."""
        awake = sum(_capped(part.rate, USUAL_MONTH_HOURS, 0) for part in self.parts)
        begun = USUAL_MONTH_HOURS - hours + naps
        napping = sum(part.rate.hourly_micros * begun for part in self.parts)
        return awake - napping - _keeping(self.kept, hours)

    def break_even(self) -> int | None:
        """From how many whole hours on `saves` is more than nothing; None if not within a month."""
        tried = range(1, LONGEST_HOURS + 1)
        return next((hours for hours in tried if self.saves(hours) > 0), None)


def _months(since: datetime, until: datetime) -> Iterator[int]:
    """Hours from `since` to the end of its month, then those of each month to that of `until`."""
    month = month_of(since)
    begin = since.astimezone(UTC)
    while True:
        end = begin_of(next_month(month))
        yield -((begin - end) // HOUR)
        if until < end:
            return
        month, begin = next_month(month), end


def _gone_on(part: Part, months: Sequence[int]) -> int:
    """It stays as it is; the hour that has begun is not counted again."""
    first = _capped(part.rate, months[0] - 1, part.so_far_micros)
    return first + sum(_capped(part.rate, hours, 0) for hours in months[1:])


def _keeping(kept: Rate | None, asleep: int) -> int:
    if kept is None:
        return 0
    if kept.monthly_micros is None:
        return kept.hourly_micros * asleep
    # The shortest month's hours cost the most: no page shall promise more than there is.
    return -(-kept.monthly_micros * asleep // SHORTEST_MONTH_HOURS)


def _capped(rate: Rate, hours: int, so_far: int) -> int:
    most = rate.hourly_micros * max(0, hours)
    if rate.monthly_micros is None:
        return most
    return max(0, min(most, rate.monthly_micros - so_far))
