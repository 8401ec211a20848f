"""The meter's run: hands billing what is known of every machine, and forgets those that ended."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from django.conf import settings
from django.utils import timezone

from farm.agents.models import Agent, DiskCopy, Meter, Offer, Server
from farm.agents.placement import copy_terabyte_of
from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.price_changes import apply_changes, tell_of_changes
from farm.agents.reconciler.troubles import Nap
from farm.agents.stays import LastSeen, stay_of, stay_of_copy
from farm.billing.ledger import is_due, post
from farm.billing.metering import write_lines
from farm.billing.models import Assignment, PriceRow
from farm.billing.payers import assign, default_payer
from farm.billing.prices import pin_copy_price
from farm.billing.stays import Stay

AT_ONCE = 1_000
"""Machines in one piece of a run: no query names more."""


KNOWN = (
    *("uid", "provider", "project_id", "created_at", "serving_since", "let_go_at", "ended_at"),
    *("gone_at", "joined_at", "takes_over_from_id", "spans", "wanted_type"),
    *("agent__uid", "agent__phase", "agent__phase_since"),
)
"""What a stay is told from: of ten thousand machines no more is read than that."""


def ensure_meter(now: datetime) -> None:
    """The row that has the meter run; made once, driven like any other row."""
    Meter.objects.get_or_create(pk=1, defaults={"due_at": now})


def drive_meter(claim: Claim[Meter]) -> Nap:
    """Write what has become sure since the last run, and once a day post it to the ledger."""
    now = timezone.now()
    tell_of_changes(now)
    hours = meter(now)
    if is_due(now):
        post(now)
    with claim.recording():
        claim.row.ran_at, claim.row.hours = now, hours
        claim.save("ran_at", "hours")
    return timedelta(seconds=settings.METER_SECONDS)


def meter(now: datetime) -> int:
    """Write every line that is sure at `now`; answers how many hours were looked at.

    The same lines come about however often, late or doubly it runs, and in however many pieces.
    """
    _charge_the_unassigned()
    _price_copies()
    apply_changes(now)
    return sum(_write(stays, now) for stays in _pieces(_stays()))


def _write(stays: Sequence[Stay], now: datetime) -> int:
    written = write_lines(stays, now)
    for things in (Server.objects, DiskCopy.objects):
        ended = things.filter(uid__in=written.finished, gone_at__isnull=False)
        ended.update(metered=True)
    return written.hours


def _stays() -> Iterator[Stay]:
    """All that may still have hours to write, machines and copies of an agent together."""
    seen = LastSeen()
    copies = _copies(seen)
    servers = Server.objects.filter(created_at__isnull=False, metered=False)
    ordered = servers.select_related("agent").only(*KNOWN).order_by("agent_id", "pk")
    for agent, machines in groupby(ordered, key=lambda server: server.agent_id):
        known = (stay_of(server, seen.of(server)) for server in machines)
        yield from filter(None, known)
        yield from copies.pop(agent or 0, ())
    for left in copies.values():
        yield from left


def _copies(seen: LastSeen) -> dict[int, Sequence[Stay]]:
    """Copies of disks that may still have hours to write, by their agents."""
    found: defaultdict[int, list[Stay]] = defaultdict(list)
    copies = DiskCopy.objects.filter(created_at__isnull=False, metered=False)
    for copy in copies.select_related("agent").prefetch_related("machines").order_by("pk"):
        if stay := stay_of_copy(copy, seen.of(copy)):
            found[copy.agent_id].append(stay)
    return dict(found)


def _price_copies() -> None:
    """Pin what each copy costs whose size has become known, by its cloud's list of then."""
    priced = PriceRow.objects.values("server_uid")
    sized = DiskCopy.objects.filter(metered=False, gigabytes__isnull=False)
    for copy in sized.exclude(created_at=None).exclude(uid__in=priced):
        offers = Offer.objects.filter(provider=copy.provider).order_by("seen_at")
        terabyte = next(filter(None, map(copy_terabyte_of, offers)), None)
        if terabyte and copy.gigabytes is not None and copy.created_at:
            pin_copy_price(
                copy_uid=copy.uid,
                at=copy.created_at,
                gigabytes=copy.gigabytes,
                terabyte=terabyte,
            )


def _pieces(stays: Iterable[Stay]) -> Iterator[Sequence[Stay]]:
    """Pieces of about AT_ONCE; an agent's machines are never parted."""
    piece: list[Stay] = []
    for _, together in groupby(stays, key=lambda stay: stay.charged_as):
        piece.extend(together)
        if len(piece) >= AT_ONCE:
            yield piece
            piece = []
    if piece:
        yield piece


def _charge_the_unassigned() -> None:
    """Agents of the time before there were payers: their account's own pays, from the start."""
    known = Assignment.objects.values("agent_uid")
    for agent in Agent.objects.exclude(uid__in=known).select_related("account", "owner"):
        assign(
            agent_uid=agent.uid,
            agent_name=agent.name,
            payer=default_payer(agent.account),
            cost_centre="",
            person=agent.owner,
            monthly_micros=agent.agreed_monthly_micros,
            at=agent.created_at,
        )
