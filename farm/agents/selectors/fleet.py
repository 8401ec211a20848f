"""What the operator asks: is anything stuck, paused, or ours without a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from farm.agents.beats import TICK
from farm.agents.models import (
    MAIN,
    Agent,
    Message,
    Orphan,
    ProviderProject,
    Server,
    ServerPhase,
    TelegramLink,
    WorkerBeat,
)
from farm.agents.sentences import Sentence, sentence_for
from farm.billing.prices import Rate
from farm.billing.selectors import rates_of


@dataclass(frozen=True, slots=True)
class Pause:
    """A cloud that nothing is asked of until `until`, or whose last trouble is still unsolved."""

    provider: str
    code: str
    sentence: Sentence
    detail: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class OrphanView:
    """One thing that is nobody's, with its price; removed at `removed_from`, None: never by itself.

    Prices in net micro-units of `currency`.
    """

    pk: int
    provider: str
    kind: str
    name: str
    cloud_id: str
    location: str
    hourly_micros: int
    currency: str
    first_seen_at: datetime
    removed_from: datetime | None


def provider_pauses() -> Sequence[Pause]:
    """Clouds with a trouble that only the operator can mend."""
    return [
        Pause(str(row), row.reason, sentence_for(row.reason), row.reason_detail, row.paused_until)
        for row in ProviderProject.objects.exclude(reason="")
    ]


def orphans() -> Sequence[OrphanView]:
    """What costs money at the clouds, carries this farm's label and has no row, dearest first."""
    pointed = dict(ProviderProject.objects.values_list("pk", "pointed_at"))
    main = dict(ProviderProject.objects.filter(name=MAIN).values_list("provider", "pk"))
    return [
        OrphanView(
            pk=row.pk,
            provider=row.provider,
            kind=row.kind,
            name=row.name,
            cloud_id=row.cloud_id,
            location=row.location,
            hourly_micros=row.hourly_micros,
            currency=row.currency,
            first_seen_at=row.first_seen_at,
            removed_from=_removed_from(row, pointed.get(_project_id(row, main))),
        )
        for row in Orphan.objects.order_by("-hourly_micros", "pk")
    ]


def _project_id(row: Orphan, main: Mapping[str, int]) -> int:
    return row.project_id or main.get(row.provider, 0)


def _removed_from(row: Orphan, pointed_at: datetime | None) -> datetime | None:
    if not row.marked:
        return None
    watched = timedelta(hours=settings.ORPHAN_HOURS)
    return max(row.first_seen_at, pointed_at or row.first_seen_at) + watched


@dataclass(frozen=True, slots=True)
class MachineView:
    """One machine that the farm has or waits for; `hourly_micros` are 0 while no price is known."""

    name: str
    agent: str
    provider: str
    server_type: str
    location: str
    phase: str
    ipv4: str
    hourly_micros: int
    currency: str


def machines() -> Sequence[MachineView]:
    """Every machine that is not gone, the newest first."""
    there = Server.objects.exclude(phase=ServerPhase.GONE).select_related("agent")
    rows = list(there.order_by("-pk"))
    rates = rates_of([row.uid for row in rows])
    return [_machine(row, rates.get(row.uid)) for row in rows]


def _machine(row: Server, rate: Rate | None) -> MachineView:
    return MachineView(
        name=str(row),
        agent=row.agent.name if row.agent else "",
        provider=row.provider,
        server_type=row.server_type,
        location=row.location,
        phase=row.phase,
        ipv4=row.ipv4 or "",
        hourly_micros=rate.hourly_micros if rate else 0,
        currency=rate.currency if rate else "",
    )


def due_rows(now: datetime) -> int:
    """How many rows a worker should be driving at this moment and none has claimed."""
    due = Q(due_at__lte=now) & (Q(lease_until__isnull=True) | Q(lease_until__lt=now))
    return sum(
        model.objects.filter(due).count()
        for model in (Agent, Server, Message, TelegramLink, ProviderProject)
    )


def last_beat() -> datetime | None:
    """When everything that drives rows last lived; None if any of it never did.

    That is a plain loop, or with a broker a worker for steps, one for what takes long, and a beat.
    """
    beats = [(beat.worker.split()[0].split(","), beat.at) for beat in WorkerBeat.objects.all()]
    loops = [at for parts, at in beats if "loop" in parts]
    if not settings.BROKER_URL:
        return max(loops, default=None)
    newest = [
        max([*loops, *(at for parts, at in beats if part in parts)], default=None)
        for part in ("steps", "long", TICK)
    ]
    return None if None in newest else min(at for at in newest if at)
