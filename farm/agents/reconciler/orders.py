"""Orders under way at a cloud: looked at fifty to a request, for everybody who waits there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from farm.agents.models import ProviderProject, Server, ServerPhase
from farm.agents.projects import project_at, servers_in
from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.machines import provider_in
from provisioning.provider import Action, ActionStatus

AT_A_TIME = 100
FRESH_EACH = timedelta(milliseconds=30)
FRESH_AT_MOST = timedelta(seconds=3)
"""How long a look is good: the longer, the more wait for it."""
ORDERED = ("action_ids", "orders_seen_at", "orders_state", "orders_error", "orders_ended_at")


def set_orders(server: Server, ids: Sequence[str]) -> None:
    """These orders are under way from now on, in memory; the caller saves `ORDERED`."""
    server.action_ids = " ".join(ids)
    server.orders_seen_at, server.orders_ended_at = None, None
    server.orders_state, server.orders_error = "", ""


def state_of_orders(claim: Claim[Server]) -> ActionStatus | None:
    """How the server's orders stand by the newest look, which is made now if it is too old.

    None where no order is known. `orders_error` and `orders_ended_at` of the row come with it.
    """
    server = claim.row
    if not server.action_ids:
        return None
    if server.orders_state in ("", ActionStatus.RUNNING):
        _look(project_at(server), server, timezone.now())
        server.refresh_from_db(fields=ORDERED[1:])
    return ActionStatus(server.orders_state or ActionStatus.RUNNING)


def _look(project: ProviderProject, server: Server, now: datetime) -> None:
    """Ask for all whose last look is old, the server's first; whoever is asked for is marked."""
    waiting = servers_in(project).filter(
        phase__in=(ServerPhase.CREATING, ServerPhase.DELETING),
        orders_state__in=("", ActionStatus.RUNNING),
    )
    waiting = waiting.exclude(action_ids="")
    fresh = now - min(FRESH_EACH * waiting.count(), FRESH_AT_MOST)
    stale = waiting.filter(Q(orders_seen_at=None) | Q(orders_seen_at__lt=fresh))
    if not stale.filter(pk=server.pk).update(orders_seen_at=now):
        return
    asked = {server.pk: server.action_ids, **_marked(stale, now)}
    ids = [one for joined in asked.values() for one in joined.split()]
    found = {action.id: action for action in provider_in(project).actions(ids)}
    for pk, joined in asked.items():
        _record(pk, joined, found, now, is_own=pk == server.pk)


def _marked(stale: QuerySet[Server], now: datetime) -> Mapping[int, str]:
    oldest = stale.order_by(F("orders_seen_at").asc(nulls_first=True))
    rows = dict(oldest.values_list("pk", "action_ids")[:AT_A_TIME])
    stale.filter(pk__in=rows).update(orders_seen_at=now)
    return rows


def _record(
    pk: int, joined: str, found: Mapping[str, Action], now: datetime, *, is_own: bool
) -> None:
    """Write down what became of one server's orders, and ring for it if they have ended."""
    orders = [found[one] for one in joined.split() if one in found]
    if any(order.status is ActionStatus.RUNNING for order in orders):
        return
    errors = [order.error for order in orders if order.status is ActionStatus.ERROR]
    ends = [order.finished_at for order in orders if order.finished_at]
    row = Server.objects.filter(pk=pk, action_ids=joined)
    row.update(
        orders_state=ActionStatus.ERROR if errors else ActionStatus.SUCCESS,
        orders_error="; ".join(errors)[:500],
        orders_ended_at=max(ends, default=None),
    )
    if not is_own:
        row.update(due_at=now)
