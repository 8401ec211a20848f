"""What a payer can still spend on AI: what its wallet has free, and what its limits leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import Q, QuerySet, Sum

from farm.billing.ai_rows import AiCall
from farm.billing.balances import balance_of
from farm.billing.customer_rows import Customer
from farm.billing.limits import ai_spent, machines_committed
from farm.billing.models import Limit, Payer
from farm.billing.rule import begin_of, month_of


class Bound(StrEnum):
    """What bounds it."""

    WALLET = "wallet"
    LIMIT = "limit"
    FROZEN = "frozen"


@dataclass(frozen=True, slots=True)
class AiRoom:
    """So many micro-euros a call may cost; so many more are set aside for calls under way."""

    bound: Bound
    payer: str
    free: int
    under_way: int
    limit: int = 0


class PayerUsedUp(Exception):  # noqa: N818
    """Who pays for the AI can pay no call more; `room` tells who, and why."""

    def __init__(self, room: AiRoom) -> None:
        super().__init__(f"{room.payer}: {room.bound}")
        self.room = room


def ai_room(payer_uid: str, person_email: str, now: datetime) -> AiRoom | None:
    """The tightest bound; None where nothing bounds it.

    In the transaction that opens a call: the payer's row is held until it ends, so that calls at
    once, of however many agents, never spend more than there is together.
    """
    payer = Payer.objects.filter(uid=payer_uid).first() if payer_uid else None
    if payer is None:
        return None
    limits = Limit.objects.filter(Q(person=None) | Q(person__email=person_email), payer=payer)
    if payer.kind == Payer.Kind.INTERNAL and not limits.exists():
        return None
    Payer.objects.select_for_update(no_key=True).get(pk=payer.pk)
    rooms = [*_of_money(payer, now), *_of_limits(payer, limits, now)]
    return min(rooms, key=lambda room: room.free, default=None)


def _of_money(payer: Payer, now: datetime) -> Sequence[AiRoom]:
    if payer.kind == Payer.Kind.INTERNAL:
        return []
    if Customer.objects.filter(payer=payer, frozen_at__isnull=False).exists():
        return [AiRoom(Bound.FROZEN, payer.name, free=0, under_way=0)]
    if payer.kind == Payer.Kind.INVOICE:
        return []
    under_way = _sum(_open_calls(payer, None), "reserved_micros")
    free = balance_of(payer, now).available
    return [AiRoom(Bound.WALLET, payer.name, free=free, under_way=under_way)]


def _of_limits(payer: Payer, limits: QuerySet[Limit], now: datetime) -> Sequence[AiRoom]:
    return [_left_of(payer, limit, now) for limit in limits.select_related("person")]


def _left_of(payer: Payer, limit: Limit, now: datetime) -> AiRoom:
    """Machines count at their most: what is left after them is for AI."""
    email = limit.person.email if limit.person else None
    opened = _open_calls(payer, email).filter(opened_at__gte=begin_of(month_of(now)))
    under_way = _sum(opened, "reserved_micros")
    spent = ai_spent(payer, email, now).aggregate(sum=Sum("cost_micros"))["sum"] or 0
    used = machines_committed(payer, limit.person, now) + spent + under_way
    left = limit.monthly_micros - used
    return AiRoom(Bound.LIMIT, payer.name, left, under_way, limit.monthly_micros)


def _open_calls(payer: Payer, person_email: str | None) -> QuerySet[AiCall]:
    calls = AiCall.objects.filter(payer_uid=payer.uid, state=AiCall.State.OPEN)
    return calls if person_email is None else calls.filter(person_email=person_email)


def _sum(calls: QuerySet[AiCall], name: str) -> int:
    return calls.aggregate(sum=Sum(name))["sum"] or 0
