"""How many requests a project at a cloud takes: a bucket that refills, and the port that counts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from provisioning.errors import Transient

NO_BUDGET = "no_budget"
IN_FLIGHT = 60
"""Requests of ours that an answer may not have counted yet: it was written before they came."""


class Urgency(StrEnum):
    """Whose request it is: somebody waits for it, or a sweep that can come later."""

    MEMBER = "member"
    BACKGROUND = "background"


@dataclass(frozen=True, slots=True)
class Told:
    """What the headers of an answer say; None where they say nothing.

    `limit` is how many requests a full bucket has, `remaining` how many are left in it. A refusal
    for too many requests says for how many seconds nobody shall ask: `refused_for`.
    """

    limit: int | None = None
    remaining: int | None = None
    refused_for: float | None = None


class OutOfBudget(Transient):
    """The request was not sent: the project has none left now for what it is for."""

    def __init__(self, wait: timedelta) -> None:
        seconds = max(wait.total_seconds(), 0.05)
        sentence = f"The cloud takes no more requests now: {seconds:.1f} s until the next."
        super().__init__(NO_BUDGET, sentence, retry_after=seconds)


class Budget(Protocol):
    """What an adapter asks before each request, every retry of its SDK included."""

    def ask(self) -> None:
        """Count one request; OutOfBudget if it must not be sent."""

    def learn(self, told: Told) -> None:
        """Take in what the answer said."""


class Boundless:
    """Counts nothing: for a single look at a cloud, such as at credentials just typed in."""

    def ask(self) -> None:
        """Always."""

    def learn(self, told: Told) -> None:
        """Of no use here."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """`limit` requests when full, and one more after `each`; `full_at` is when none is missing.

    `reserve` of them are for what members wait for. Until `closed_until` the cloud takes none.
    """

    limit: int
    each: timedelta
    reserve: int
    full_at: datetime
    closed_until: datetime

    def left(self, now: datetime) -> int:
        """How many may be sent now by whoever is entitled to all."""
        missing = max(self.full_at - now, timedelta())
        return max(0, self.limit - -(-missing // self.each))

    def wait(self, now: datetime, urgency: Urgency, count: int = 1) -> timedelta:
        """How long until `count` may be sent at once; zero if they may now."""
        kept = self.reserve if urgency is Urgency.BACKGROUND else 0
        there = self.full_at - self.each * (self.limit - kept - count)
        return max(there - now, self.closed_until - now, timedelta())

    def take(self, now: datetime, urgency: Urgency) -> Bucket | None:
        """The bucket with one request less; None if it may not be sent now."""
        if self.wait(now, urgency):
            return None
        return replace(self, full_at=max(self.full_at, now) + self.each)

    def learnt(self, now: datetime, told: Told) -> Bucket:
        """As the cloud's own count has it, but for what may be on its way to be counted.

        A refusal closes it for as long as the cloud said, at most for a twelfth of the time in
        which it fills: the reset that a cloud names is that of a full bucket. Of a cloud that
        counts for us it also empties it; another one says no more than when to ask again.
        """
        bucket = self._sized(told.limit)
        if told.refused_for is not None:
            rest = min(timedelta(seconds=told.refused_for), bucket.each * bucket.limit / 12)
            bucket = replace(bucket, closed_until=max(bucket.closed_until, now + rest))
            if told.limit is None and told.remaining is None:
                return bucket
            empty = now + bucket.each * bucket.limit
            return replace(bucket, full_at=max(bucket.full_at, empty))
        if told.remaining is None:
            return bucket
        counted = now + bucket.each * (bucket.limit - told.remaining)
        latest = counted + bucket.each * IN_FLIGHT
        return replace(bucket, full_at=max(counted, min(bucket.full_at, latest)))

    def _sized(self, limit: int | None) -> Bucket:
        """With another limit it fills in the same time, and keeps the same part in reserve."""
        if limit is None or limit < 1 or limit == self.limit:
            return self
        each = self.each * self.limit / limit
        return replace(self, limit=limit, each=each, reserve=self.reserve * limit // self.limit)
