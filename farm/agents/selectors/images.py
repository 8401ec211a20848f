"""The images that machines start from, as the operator looks at them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from farm.agents.models import ServerImage


@dataclass(frozen=True, slots=True)
class ImageView:
    """One image, `image` to its cloud; `location` "" boots everywhere in its project.

    `good_at` is None while untried. What it costs is net micro-units of `currency`; a month of 730
    hours where no cap is known.
    """

    uid: str
    image: str
    project: str
    location: str
    runtime_version: str
    node_version: str
    state: str
    is_used: bool
    good_at: datetime | None
    gigabytes: float | None
    monthly_micros: int
    currency: str


def images() -> Sequence[ImageView]:
    """Every image, by place, the newest first."""
    now = timezone.now()
    rows = ServerImage.objects.select_related("project").order_by(
        "project__provider", "project", "location", "-pk"
    )
    return [view_of(row, now) for row in rows]


def view_of(row: ServerImage, now: datetime) -> ImageView:
    """How it stands; what its baker left is called so."""
    state = "left unfinished" if row.is_abandoned(now) else str(row.get_state_display())
    monthly = row.hourly_micros * 730 if row.monthly_micros is None else row.monthly_micros
    return ImageView(
        uid=row.uid,
        image=row.image,
        project=str(row.project),
        location=row.location,
        runtime_version=row.runtime_version,
        node_version=row.node_version,
        state=state,
        is_used=row.state == ServerImage.State.GOOD,
        good_at=row.good_at,
        gigabytes=row.gigabytes,
        monthly_micros=monthly,
        currency=row.currency,
    )
