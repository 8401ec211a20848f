"""By what the farm, the edge and a machine's gateway know each other: certificates and a name."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from farm.accounts.models import User
from farm.agents.machine_of import machine_of
from farm.agents.models import Agent, GatewayAuthority, GatewayPass, Server
from provisioning import tls
from provisioning.runtime import Edge

NOBODY = "nobody"
RENEW_BEFORE = timedelta(days=30)
SUCCEED_BEFORE = timedelta(days=365)
"""How long before its end an authority gets its successor; until then both are believed."""
SIGN_AFTER = timedelta(days=1)
"""How old an authority must be before it signs, so that every edge has heard of it."""


def edge_of(agent: Agent) -> Edge | None:
    """What the agent's machine is told of the edge; None where this farm has none."""
    server = machine_of(agent)
    if not settings.EDGE or server is None:
        return None
    own = _pass_of(server, agent.owner, timezone.now())
    return Edge(
        addresses=tuple(settings.EDGE_ADDRESSES),
        people=(own.keeper_name,),
        certificate=own.certificate,
        private_key=own.private_key,
    )


def edge_of_nobody(server: Server) -> Edge | None:
    """The same for a machine of the pool, to whose gateway nobody is led yet."""
    if not settings.EDGE:
        return None
    own = _pass_of(server, None, timezone.now())
    return Edge(
        addresses=tuple(settings.EDGE_ADDRESSES),
        people=(NOBODY,),
        certificate=own.certificate,
        private_key=own.private_key,
    )


def mark_written(agent: Agent, edge: Edge | None) -> None:
    """The machine was told so: from its next start its gateway speaks TLS, or no longer does."""
    if server := machine_of(agent):
        mark_written_on(server, edge)


def mark_written_on(server: Server, edge: Edge | None) -> None:
    """The same by its machine, which may be nobody's."""
    passes = GatewayPass.objects.filter(server=server)
    addresses = " ".join(edge.addresses) if edge else ""
    passes.update(addresses=addresses, written=stamp_of(edge))


def stamp_of(edge: Edge | None) -> str:
    """Changes with whatever of the edge a machine is told; "" where there is none."""
    if edge is None:
        return ""
    told = json.dumps([edge.addresses, edge.people, edge.certificate])
    return hashlib.sha256(told.encode()).hexdigest()


def trust_in(server: Server) -> tls.Trust | None:
    """Whom the machine's gateway must prove to be; None while it speaks no TLS."""
    own = GatewayPass.objects.filter(server=server).exclude(addresses="").first()
    return tls.Trust(authorities_text(), gateway_name(server)) if own else None


def gateway_name(server: Server) -> str:
    """The name in its certificate, which no other machine can show."""
    return f"{server}.gateway.internal"


def authorities_text() -> str:
    """Every authority that gateways' certificates may come from, as PEM, the newest first."""
    return "".join(authority.certificate for authority in _authorities(timezone.now()))


@transaction.atomic
def _pass_of(server: Server, keeper: User | None, now: datetime) -> GatewayPass:
    """The machine's pass; made, renewed before it ends, and made out anew for another keeper.

    For its first keeper it stays as it is: nobody had the machine before.
    """
    own = GatewayPass.objects.select_for_update(no_key=True).filter(server=server).first()
    if own is None:
        own = GatewayPass(server=server, keeper=keeper, keeper_name=_name_of(keeper))
    elif keeper and own.keeper_id is None and own.not_after - now > RENEW_BEFORE:
        own.keeper, own.keeper_name = keeper, _name_of(keeper)
        own.save(update_fields=["keeper", "keeper_name"])
        return own
    elif keeper and own.keeper_id != keeper.pk:
        own.keeper, own.keeper_name = keeper, _name_of(keeper)
    elif own.not_after - now > RENEW_BEFORE:
        return own
    fresh = tls.issue(_signer(now), gateway_name(server), now)
    own.private_key, own.certificate = fresh.private_key, fresh.certificate
    own.not_after = fresh.not_after
    own.save()
    return own


def _signer(now: datetime) -> tls.Credential:
    """The newest authority that is known everywhere; the oldest where none is yet."""
    authorities = _authorities(now)
    known = [one for one in authorities if now - one.created_at > SIGN_AFTER]
    signer = known[0] if known else authorities[-1]
    return tls.Credential(signer.private_key, signer.certificate, signer.not_after)


@transaction.atomic
def _authorities(now: datetime) -> Sequence[GatewayAuthority]:
    """Those that are still good, the newest first; its successor is made in good time."""
    good = list(GatewayAuthority.objects.filter(not_after__gt=now).order_by("-pk"))
    if good and good[0].not_after - now > SUCCEED_BEFORE:
        return good
    fresh = tls.new_authority(now)
    made = GatewayAuthority.objects.create(
        created_at=now,
        not_after=fresh.not_after,
        private_key=fresh.private_key,
        certificate=fresh.certificate,
    )
    return [made, *good]


def _name_of(person: User | None) -> str:
    """How the agent's console calls them; a header takes plain ASCII only."""
    if person is None:
        return NOBODY
    plain = unicodedata.normalize("NFKD", person.called).encode("ascii", "ignore").decode()
    kept = "".join(letter for letter in plain if letter.isalnum() or letter in " .-")
    return " ".join(kept.split()) or "Member"
