"""A machine's time at its cloud: the hours that it is charged for, and whose each of them is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from farm.billing.models import Cause, Kind

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Span:
    """A time for which a cloud charges for one kind; its end was known to the farm at `told_at`."""

    since: datetime
    until: datetime | None = None
    told_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """One started hour of a kind: its number, when it began, from when on all of it is known.

    The time of which it is an hour began at `since`.
    """

    index: int
    began_at: datetime
    sure_at: datetime
    since: datetime


@dataclass(frozen=True, slots=True)
class Stay:
    """A machine's time at its cloud, or that of a copy of its disk, as far as it is known.

    It surely existed until `known_until`; with `gone_at` (when the farm saw it gone) that is its
    end. It is the agent's (`agent_uid`, "" for none) since `joined_at`, and the agent answered on
    it from `serving_since` until its removal was ordered at `let_go_at`: those started hours are
    its payer's, the others the farm's. A successor (`succeeds`) was made ready beside the machine
    whose place it took: its payer's are only hours that began after it answered.

    Where a cloud charges for a machine's parts apart, `spans` tells by kind for which times, in
    order. At each moment of `anew` its cloud began to count hours of that kind from the start.
    """

    server_uid: str
    agent_uid: str
    created_at: datetime
    known_until: datetime
    serving_since: datetime | None = None
    let_go_at: datetime | None = None
    gone_at: datetime | None = None
    joined_at: datetime | None = None
    succeeds: bool = False
    spans: Mapping[str, Sequence[Span]] = field(default_factory=dict)
    anew: Mapping[str, Sequence[datetime]] = field(default_factory=dict)

    @property
    def charged_as(self) -> str:
        """Whose cap it counts in: the agent's over all its machines."""
        return self.agent_uid or self.server_uid

    @property
    def ends(self) -> bool:
        """Whether it is gone, or its removal is under way."""
        return self.gone_at is not None or self.let_go_at is not None

    def hours_begun(self, kind: str) -> int:
        """How many hours of that kind surely began."""
        return sum(self._hours_in(span) for span in self._charged(kind))

    def slots(self, kind: str, first: int = 0) -> Iterator[Slot]:
        """Its begun hours of that kind from number `first` on, counted through all its spans."""
        before = 0
        for span in self._charged(kind):
            count = self._hours_in(span)
            for number in range(max(0, first - before), count):
                began = span.since + number * HOUR
                yield Slot(before + number, began, self._sure_at(span, began), span.since)
            before += count

    def unknown_from(self) -> datetime:
        """No hour that becomes known later is sure before this; only while it is there."""
        ends = [
            span.since + (self._hours_in(span) + 1) * HOUR
            for kind in (self.spans or Kind)
            for span in self._charged(kind)
            if span.until is None
        ]
        # What was switched off may have been on again since it was last seen.
        return min([*ends, self.known_until + HOUR] if self.spans else ends)

    def cause(self, began: datetime) -> Cause | None:
        """Why the hour that began then is the farm's; None for its payer's."""
        if not self.agent_uid or (self.joined_at and began + HOUR <= self.joined_at):
            return Cause.POOL
        if self.succeeds:
            if self.serving_since is None or began < self.serving_since:
                return Cause.OVERLAP
        elif self.serving_since is None or began + HOUR <= self.serving_since:
            return Cause.BEFORE
        return Cause.LEAVING if self.let_go_at and began > self.let_go_at else None

    def _charged(self, kind: str) -> Iterator[Span]:
        """Where nothing is told of parts, all of it is charged for from its creation to its end.

        The fee is for the hours that the machine is on.
        """
        told = self.spans.get(Kind.SERVER if kind == Kind.FEE else kind, ())
        whole = told if self.spans else (Span(self.created_at),)
        for span in whole:
            since = span.since
            for at in self.anew.get(kind, ()):
                if since < at and (span.until is None or at < span.until):
                    yield Span(since, at, at)
                    since = at
            yield Span(since, span.until, span.told_at)

    def _hours_in(self, span: Span) -> int:
        """Hours that surely began; an end on the hour begins no new one, and one is the least."""
        if span.until is None and self.gone_at is None:
            return max(0, (self.known_until - span.since) // HOUR) + 1
        return max(1, -(-((span.until or self.known_until) - span.since) // HOUR))

    def _sure_at(self, span: Span, began: datetime) -> datetime:
        """The hour's end, or when its machine or this part of it was known to have ended."""
        end, told = began + HOUR, span.told_at or self.gone_at
        return end if told is None else min(end, max(told, began))
