"""The request budget of a project as all workers share it: one row, one conditional update."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import F, QuerySet, Value
from django.db.models.functions import Greatest, Least
from django.utils import timezone

from farm.agents.models import ProviderProject, RequestBudget
from provisioning.budget import IN_FLIGHT, Bucket, OutOfBudget, Told, Urgency

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
LIMIT = 3600
EACH = timedelta(seconds=1)
"""What is believed until the first answer: Hetzner's own."""
RESERVE = LIMIT // 6


@dataclass(frozen=True, slots=True)
class ProjectBudget:
    """The port that an adapter asks: the budget of one project, for requests of one urgency."""

    project: int
    urgency: Urgency

    def ask(self) -> None:
        """Take one request out of the bucket, if one is to be had; OutOfBudget says how long not.

        One UPDATE repeats the whole predicate: however many ask at once, none is given twice.
        """
        if self._take(micros_of(timezone.now())):
            return
        # At the very first request there is no row yet: the look at it makes one.
        wait = self.wait()
        if wait or not self._take(micros_of(timezone.now())):
            raise OutOfBudget(wait)

    def wait(self, count: int = 1) -> timedelta:
        """How long until so many requests may be sent at once; zero if they may now."""
        bucket = bucket_of(budget_of(self.project))
        return bucket.wait(timezone.now(), self.urgency, count)

    def learn(self, told: Told) -> None:
        """Write down what the cloud's own count is, where it differs from ours; see Bucket."""
        now = timezone.now()
        if told.limit:
            self._learn_limit(told.limit, now)
        if told.refused_for is not None:
            self._close(told, now)
        elif told.remaining is not None:
            self._count(told.remaining, micros_of(now))

    def _take(self, now: int) -> bool:
        kept = F("reserve") if self.urgency is Urgency.BACKGROUND else Value(0)
        latest = Value(now) + F("each_us") * (F("limit") - kept - 1)
        free = self._rows().filter(full_at_us__lte=latest, closed_until_us__lte=now)
        taken = free.update(
            full_at_us=Greatest(F("full_at_us"), Value(now)) + F("each_us"), asked=F("asked") + 1
        )
        return taken == 1

    def _learn_limit(self, limit: int, now: datetime) -> None:
        row = budget_of(self.project)
        if row.limit == limit:
            return
        sized = bucket_of(row).learnt(now, Told(limit=limit))
        self._rows().filter(limit=row.limit).update(
            limit=sized.limit, each_us=sized.each // MICROSECOND, reserve=sized.reserve
        )

    def _close(self, told: Told, now: datetime) -> None:
        shut = bucket_of(budget_of(self.project)).learnt(now, told)
        self._rows().update(
            full_at_us=Greatest(F("full_at_us"), Value(micros_of(shut.full_at))),
            closed_until_us=Greatest(F("closed_until_us"), Value(micros_of(shut.closed_until))),
        )

    def _count(self, remaining: int, now: int) -> None:
        counted = Value(now) + F("each_us") * (F("limit") - Value(remaining))
        latest = counted + F("each_us") * IN_FLIGHT
        # What lies between the two is as good as the cloud's own word: nothing is written then.
        strays = self._rows().exclude(full_at_us__gte=counted, full_at_us__lte=latest)
        strays.update(full_at_us=Greatest(counted, Least(F("full_at_us"), latest)))

    def _rows(self) -> QuerySet[RequestBudget]:
        return RequestBudget.objects.filter(project=self.project)


def budget_of(project: int) -> RequestBudget:
    """The row; made full at first, as the first answer will correct."""
    row, _ = RequestBudget.objects.get_or_create(
        project_id=project,
        defaults={"limit": LIMIT, "each_us": EACH // MICROSECOND, "reserve": RESERVE},
    )
    return row


def refill(project: ProviderProject) -> None:
    """Another project at the cloud is meant from now on: nothing is known of its budget."""
    RequestBudget.objects.filter(project=project).update(full_at_us=0, closed_until_us=0)


def bucket_of(row: RequestBudget) -> Bucket:
    """The row as a value to reckon with."""
    return Bucket(
        limit=row.limit,
        each=timedelta(microseconds=row.each_us),
        reserve=row.reserve,
        full_at=EPOCH + timedelta(microseconds=row.full_at_us),
        closed_until=EPOCH + timedelta(microseconds=row.closed_until_us),
    )


def micros_of(moment: datetime) -> int:
    """Microseconds since 1970, as whole numbers that every database compares alike."""
    return (moment - EPOCH) // MICROSECOND
