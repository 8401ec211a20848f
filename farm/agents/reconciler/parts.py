"""Looks at the parts of a machine where its cloud charges for each apart, and notes their times."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from django.utils import timezone

from farm.agents.models import ProviderProject, Server, ServerPhase
from farm.agents.projects import servers_in
from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.labels import SERVER_LABEL
from farm.agents.reconciler.machines import provider_at
from farm.agents.spans import all_ended, noted
from provisioning.provider import Billable

SETTLED = (ServerPhase.READY, ServerPhase.OFF)
NOTED = ("spans", "parts_seen_at", "created_at")


def note_parts(claim: Claim[Server], since: datetime | None = None) -> None:
    """Write down what is there now; before each order that ends something, so that a kill in
    between loses no more than the time since.

    What is new, and whose age its cloud does not tell, is there since the latest of `since`, the
    last look and the last order.
    """
    server, provider = claim.row, provider_at(claim.row)
    if not provider.off_is_free:
        return
    bills = provider.billables({SERVER_LABEL: server.uid})
    now = timezone.now()
    known = (since, server.parts_seen_at, server.create_sent_at)
    last_seen = max(filter(None, known), default=now)
    with claim.recording():
        server.spans = noted(server.spans, bills, last_seen=last_seen, now=now)
        server.parts_seen_at = now
        server.created_at = server.created_at or (last_seen if server.spans else None)
        claim.save(*NOTED)


def end_parts(server: Server, now: datetime) -> None:
    """Its cloud shows nothing of it any more, in memory; the caller saves `NOTED`."""
    server.spans = all_ended(server.spans, last_seen=server.parts_seen_at or now, now=now)


def note_all(project: ProviderProject, bills: Sequence[Billable], now: datetime) -> None:
    """The same for every machine that is there, from one list of all that costs.

    A machine in somebody's hands is left to them, and so is one that changed meanwhile.
    """
    of_machine = defaultdict[str, list[Billable]](list)
    for bill in bills:
        of_machine[bill.machine].append(bill)
    for server in servers_in(project).filter(phase__in=SETTLED).exclude(spans=""):
        spans = noted(server.spans, of_machine[str(server)], last_seen=now, now=now)
        if spans != server.spans:
            row = Server.objects.filter(pk=server.pk, phase__in=SETTLED, spans=server.spans)
            row.update(spans=spans)
