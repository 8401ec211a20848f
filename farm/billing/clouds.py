"""What the clouds charge beside what payers are charged, and why there is a difference."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from django.db.models import Sum

from farm.billing.models import Cause, Kind, UsageLine


@dataclass(frozen=True, slots=True)
class CloudCost:
    """A month's machines in micro-units: what payers bear, and by cause what the farm bears."""

    charged: int
    borne: Mapping[Cause, int]

    @property
    def cloud(self) -> int:
        """What the clouds charge for them."""
        return self.charged + self.difference

    @property
    def difference(self) -> int:
        """The farm's own cost."""
        return sum(self.borne.values())


def cloud_cost(
    month: date, account_uid: str | None = None, more: Iterable[UsageLine] = ()
) -> CloudCost:
    """Of the whole farm, or of the machines of one account; `more` are lines not yet written.

    The farm's own fee is no part of it.
    """
    lines = UsageLine.objects.filter(month=month).exclude(kind=Kind.FEE)
    if account_uid is not None:
        lines = lines.filter(account_uid=account_uid)
    charged, borne = 0, defaultdict[Cause, int](int)
    sums = lines.order_by().values("cause").annotate(sum=Sum("micros"), cloud=Sum("cloud_micros"))
    counted = [(row["cause"], row["sum"], row["cloud"]) for row in sums]
    counted += [
        (line.cause, line.micros, line.cloud_micros)
        for line in more
        if line.month == month and line.kind != Kind.FEE and account_uid in (None, line.account_uid)
    ]
    for cause, micros, cloud in counted:
        charged += micros
        if cause:
            borne[Cause(cause)] += cloud - micros
    return CloudCost(charged, dict(borne))
