"""Of which type a machine is at its cloud, and from when on it costs that."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from farm.agents.models import Server
from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.machines import provider_at
from farm.agents.reconciler.marks import note_server
from farm.agents.reconciler.parts import SETTLED
from farm.agents.sizes import offer_of_type
from farm.billing.charging import terms_of
from farm.billing.prices import reprice_server
from provisioning.errors import Transient
from provisioning.provider import Machine

SENT = "resizing"
"""Why a machine is off: from `phase_since` on its cloud was asked to make it another type."""


def record_type(claim: Claim[Server], server_type: str, at: datetime, now: datetime) -> None:
    """It is that since `at`, in the caller's recording; Transient while its price is not known."""
    server = claim.row
    if not _reprice(server, server_type, at):
        raise Transient("price_unknown", f"The price of {server_type} is not known.")
    server.server_type, server.wanted_type = server_type, ""
    claim.save("server_type", "wanted_type")
    note_server(server, "machine_resized", now, detail=server_type)


def settle_type(claim: Claim[Server], now: datetime) -> None:
    """Its removal overtook its change: what its cloud made of it in between is charged as that."""
    server = claim.row
    if server.reason != SENT or server.wanted_type in ("", server.server_type):
        return
    machine = provider_at(server).find(str(server))
    if machine and machine.server_type == server.wanted_type:
        with claim.recording():
            record_type(claim, machine.server_type, server.phase_since, now)


def note_types(rows: Iterable[Server], machines: Iterable[Machine], now: datetime) -> None:
    """What somebody changed at the cloud itself costs that from now on.

    The rows were read before the list: one that changed since, or is on its way to another type,
    is left to whoever has it in hand.
    """
    listed = {machine.name: machine.server_type for machine in machines if machine.server_type}
    for server in rows:
        seen = listed.get(str(server), server.server_type)
        if seen == server.server_type or server.wanted_type or server.phase not in SETTLED:
            continue
        same = Server.objects.filter(
            pk=server.pk, server_type=server.server_type, wanted_type="", phase__in=SETTLED
        )
        with transaction.atomic():
            if same.update(server_type=seen) and _reprice(server, seen, now):
                note_server(server, "machine_resized", now, detail=seen)


def _reprice(server: Server, server_type: str, at: datetime) -> bool:
    offer = offer_of_type(server, server_type)
    if offer is None:
        return False
    reprice_server(
        server_uid=server.uid,
        at=at,
        server=offer.server,
        counts_anew=terms_of(server.provider).resize_counts_anew,
    )
    return True
