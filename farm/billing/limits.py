"""Limits: what a payer lets one person's machines cost in a month, held against the worst case."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db.models import Exists, Max, OuterRef, Sum
from django.utils import timezone

from farm.accounts.models import Account, Role, User
from farm.billing.models import Assignment, Limit, Payer, UsageLine
from farm.billing.rule import month_of


class OverLimit(Exception):  # noqa: N818
    """The person's machines could cost more than the limit; amounts are net micro-euros a month.

    `used` is what the machines there may cost at most, `needed` what the limit would have to be;
    `raisers` are the addresses of those who can raise it.
    """

    def __init__(self, limit: Limit, used: int, new: int) -> None:
        super().__init__(f"{limit}: {used} + {new}")
        self.payer = limit.payer
        self.limit = limit.monthly_micros
        self.used = used
        self.needed = used + new
        self.raisers = raisers_of(limit.payer)


def demand_room(
    payer: Payer, person: User, monthly_micros_of_new: int, agent_uid: str = ""
) -> None:
    """OverLimit if one more machine could take the person past the payer's limit for them.

    To be called in the transaction that makes it: the limit's row is held until it ends. What the
    agent `agent_uid` has cost already counts once, within its new worst case.
    """
    limits = Limit.objects.select_for_update(no_key=True)
    limit = limits.filter(payer=payer, person=person).first()
    if limit is None:
        return
    used = committed(payer, person, timezone.now(), but_agent=agent_uid)
    if used + monthly_micros_of_new > limit.monthly_micros:
        raise OverLimit(limit, used, monthly_micros_of_new)


def committed(payer: Payer, person: User, now: datetime, but_agent: str = "") -> int:
    """What the person's machines may cost this payer in this calendar month, in micro-euros.

    Those they have, now or from a date on, at their most; those that are gone at what they cost.
    One agent may be left out.
    """
    later = Assignment.objects.filter(
        agent_uid=OuterRef("agent_uid"), valid_from__gt=OuterRef("valid_from"), valid_from__lte=now
    )
    living = Assignment.objects.filter(~Exists(later), payer=payer, person=person, ended_at=None)
    most = dict(living.values_list("agent_uid").annotate(most=Max("monthly_micros")))
    gone = UsageLine.objects.filter(
        payer=payer, person_uid=person.username, month=month_of(now)
    ).exclude(agent_uid__in=[*most, but_agent])
    most.pop(but_agent, None)
    return sum(most.values()) + (gone.aggregate(sum=Sum("micros"))["sum"] or 0)


def limits_in(account: Account) -> Mapping[tuple[str, str], Limit]:
    """Every limit of the account's payers, by the payer's uid and the person's address."""
    limits = Limit.objects.filter(payer__account=account).select_related("payer", "person")
    return {(limit.payer.uid, limit.person.email): limit for limit in limits if limit.person}


def raisers_of(payer: Payer) -> tuple[str, ...]:
    """The addresses of those who answer for the payer's account, owners first."""
    answering = payer.account.memberships.filter(role__in=(Role.OWNER, Role.ADMIN))
    return tuple(
        membership.user.email
        for membership in answering.select_related("user").order_by("-role", "pk")
    )
