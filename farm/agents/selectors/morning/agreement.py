"""Whether the books and the clouds agree, as the last look found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from farm.billing.differences import differences
from farm.billing.reconciliation_rows import Reconciliation


@dataclass(frozen=True, slots=True)
class Agreement:
    """Everything before `read_to` was compared, None for nothing yet; so far apart in all."""

    read_to: datetime | None
    apart_micros: int


def agreement_now() -> Agreement:
    """Two short queries."""
    look = Reconciliation.objects.first()
    amounts = differences().values_list("micros", "other_micros")
    apart = sum(abs(ours - other) for ours, other in amounts)
    return Agreement(look.read_to if look else None, apart)
