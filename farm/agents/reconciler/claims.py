"""Claims: at most one worker drives a row at a time, on SQLite and Postgres alike."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from farm.agents.models import Drivable
from farm.agents.pace import lease

Row = TypeVar("Row", bound=Drivable)


class LeaseLost(Exception):  # noqa: N818
    """Another worker took the row over: whatever we learned is not written."""


@dataclass(slots=True)
class Claim(Generic[Row]):
    """A row that is ours until the lease ends. `due_at` is what the bell said when we took it."""

    row: Row
    token: str
    due_at: datetime | None
    gone: bool = False

    @contextmanager
    def recording(self) -> Iterator[None]:
        """A transaction in which the row is surely still ours; LeaseLost rolls it back."""
        with transaction.atomic():
            self._hold()
            yield

    def save(self, *fields: str) -> None:
        """Write these fields of the row and nothing else; inside `recording`."""
        self.row.save(update_fields=fields)

    def delete(self) -> None:
        """Delete the row; inside `recording`. Then there is nothing to give back."""
        self._ours().delete()
        self.gone = True

    def renew(self) -> bool:
        """Prolong the lease; False if it is no longer ours."""
        return self._ours().update(lease_until=timezone.now() + lease()) == 1

    def close(self, due_at: datetime | None) -> None:
        """Give the row back, to be driven at `due_at` (None: once somebody rings).

        If the bell rang while we worked, it is due at once. Attempts are written as the row has
        them.
        """
        if self.gone:
            return
        now = timezone.now()
        with transaction.atomic():
            self._hold()
            rung = self._ours().values_list("due_at", flat=True).get() != self.due_at
            self._ours().update(
                due_at=now if rung else due_at,
                attempts=self.row.attempts,
                lease_token="",
                lease_until=None,
            )

    def release(self) -> None:
        """Let others take the row at once; for a worker that ends before its step does."""
        self._ours().update(lease_token="", lease_until=None)

    def _hold(self) -> None:
        # The update comes first: it takes the row's lock on Postgres, so that what follows in this
        # transaction cannot cross another worker's claim.
        if not self.renew():
            raise LeaseLost

    def _ours(self) -> QuerySet[Row]:
        return QuerySet(type(self.row)).filter(pk=self.row.pk, lease_token=self.token)


def free_and_due(now: datetime) -> Q:
    """Rows that somebody should drive and nobody does."""
    return Q(due_at__lte=now) & (Q(lease_until__isnull=True) | Q(lease_until__lt=now))


def claim(
    model: type[Row], pk: int, now: datetime, condition: Q | None = None
) -> Claim[Row] | None:
    """Take a row if it is still due and free and `condition` holds; None if it is not.

    One UPDATE repeats the whole predicate, so that of many only one can win. `condition` must
    not span relations by joins: then the predicate would be read apart from the write.
    """
    token = secrets.token_hex(16)
    rows: QuerySet[Row] = QuerySet(model).filter(condition or Q(), free_and_due(now), pk=pk)
    if rows.update(lease_token=token, lease_until=now + lease()) != 1:
        return None
    row: Row = QuerySet(model).get(pk=pk)
    return Claim(row=row, token=token, due_at=row.due_at) if row.lease_token == token else None
